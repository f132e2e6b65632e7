# wtok: any bytes come back, the same bytes for any number of threads and any pipe, quiet ends, and
# the right status for what goes wrong.

setup_file()
{
    export DATA=$BATS_FILE_TMPDIR
    cd "$DATA" || return
    # Text with words that come again, white space of all kinds, numbers, other scripts.
    awk 'BEGIN {
        srand(7)
        n = split("the of and to in is was for on that by with as it from at his an are be", w, " ")
        for (i = 0; i < 40000; i++) {
            s = w[int(rand() * rand() * n) + 1]
            r = int(rand() * 40)
            printf "%s%s", s, r == 0 ? ".\n" : r == 1 ? ", " int(rand() * 3000) " " : \
                r == 2 ? "\n\n" : r == 3 ? "\303\251\302\240 " : r == 4 ? "\344\270\255\346\226\207" : \
                r == 5 ? "  \t" : r == 6 ? "'"'"'s " : " "
        }
    }' >prose.txt
    wtok train -q -n 600 -o v prose.txt
}

pack() # KIND: compress standard input
{
    case $1 in
    gz) gzip ;;
    bz2) bzip2 ;;
    xz) xz ;;
    zst) zstd -q ;;
    esac
}

setup()
{
    bats_require_minimum_version 1.5.0
    cd "$DATA" || return
    set -o pipefail
}

@test "a vocabulary has the size that was asked for, and says what it is" {
    [ "$(wtok info v | jq .size)" -eq 600 ]
    [ "$(wtok info v | jq .end.id)" -eq 599 ]
    [ "$(wtok info v | jq -r .sha256)" = "$(jq -cj 'del(.sha256)' v | sha256sum | cut -d' ' -f1)" ]
    [ "$(wtok info --tokens v | wc -l)" -eq 600 ]
    [ "$(wtok info --tokens v | jq -r 'select(.id == 97).text')" = a ]
}

@test "training gives the same file for any number of threads and for a pipe" {
    wtok train -q -n 600 prose.txt >one
    cmp one v
    wtok train -q -n 600 -t 3 -o three prose.txt
    cmp three v
    wtok train -q -n 600 <prose.txt | cmp - v
}

@test "a bound on different words forgets the same ones for any number of threads, and says so" {
    # three batches of text: the words of prose.txt are in all of them, the others occur once
    for i in $(seq 8); do
        cat prose.txt
        seq $((i * 100000)) $((i * 100000 + 9000))
    done >long.txt
    run --separate-stderr wtok train -n 600 --max-words 6k -o one long.txt
    [ "$status" -eq 0 ]
    # shellcheck disable=SC2154 # run sets it
    [[ "$stderr" == *warning*"rarest were forgotten"* ]]
    wtok train -q -n 600 --max-words 6k -t 3 long.txt 2>/dev/null | cmp - one
    run --separate-stderr wtok train -q -n 600 -o all long.txt
    [ "$stderr" = "" ]
    run -1 cmp -s one all
}

@test "training can be kept to the first bytes of the text, and of each document" {
    for i in $(seq 200); do echo "$i of many documents about one thing"; done >lines
    awk '{ print $1, $2 }' lines >short
    wtok train -q -f lines -n 264 --doc-cap 9 -o one lines
    wtok train -q -f lines -n 264 short | cmp - one
    wtok train -q -f lines -n 300 --max-bytes 1000 --report facts -o one <(tr -d '\n' <lines)
    wtok train -q -f lines -n 300 <(tr -d '\n' <lines | head -c 1000 | sed 's/ [^ ]*$//') | cmp - one
    jq -e '.text_bytes <= 1000 and .text_bytes > 990 and .documents == 1' facts
}

@test "words can come counted, with counts beyond any text" {
    printf '%s\n' '{"word": "ab", "count": 9007199254740991}' '{"word": "cd", "count": 9007199254740990}' \
        '{"word": "\n\u00e9", "count": 1}' '{"word": "cd", "count": 2}' >counts
    [ "$(wtok train -q --counts -n 259 counts | jq -r .merges)" = "99 100 97 98" ]
    wtok train -q --counts -n 300 --report facts -o one counts 2>/dev/null
    jq -e '.words == 18014398509481984 and .different_words == 3' facts
    for wrong in '{"word": "ab"}' '{"word": "ab", "count": 0}' '{"count": 1}' '["ab", 1]' ab; do
        printf '{"word": "ab", "count": 2}\n%s\n' "$wrong" >counts
        run -3 wtok train --counts -n 300 -o none counts
        [[ "$output" == *"entry 2"* ]]
    done
    run -2 wtok train --counts --max-bytes 20 counts
    run -2 wtok train --counts --doc-cap 20 counts
}

@test "a report says what was learned from what" {
    wtok train -q -n 600 --report facts -o one prose.txt
    jq -e --arg sha256 "$(wtok info one | jq -r .sha256)" --argjson bytes "$(stat -c %s prose.txt)" '
        .sha256 == $sha256 and .size == 600 and .merges == 343 and .documents == 1 and
        .text_bytes == $bytes and .words > .different_words and .forgotten.words == 0 and
        .count_s > 0 and .merge_s > 0 and .peak_memory_bytes > 1e6' facts
    wtok train -q -n 600 --max-words 500 --report facts -o one prose.txt 2>/dev/null
    jq -e '.different_words <= 250 and .forgotten.times == 1 and .forgotten.words > 0 and
        .forgotten.occurrences >= .forgotten.words and .forgotten.count_error_max > 0' facts
}

@test "a small text gives a smaller vocabulary, with a warning" {
    printf 'ab ab ab' >tiny
    run --separate-stderr wtok train -n 1000 -o small tiny
    [ "$status" -eq 0 ]
    [[ "$stderr" == *warning*smaller* ]]
    [ "$(wtok info small | jq .size)" -lt 300 ]
    wtok encode -q -V small tiny | wtok decode | cmp - tiny
    : >empty
    wtok train -q -o none empty
    [ "$(wtok info none | jq .size)" -eq 257 ]
}

@test "every byte string comes back" {
    head -c 300000 /dev/urandom >random
    head -c 100000 /dev/zero >zeroes
    head -c 1000000 /dev/zero | tr '\0' a >run
    head -c 1000000 /dev/zero | tr '\0' ' ' >spaces
    printf 'cut short \344\270' >cut
    printf '<|endoftext|></doc>' >names
    for file in prose.txt random zeroes run spaces cut names; do
        wtok encode -q -V v -f plain "$file" | wtok decode | cmp - "$file"
        wtok encode -q -V v -f plain <"$file" | wtok decode -V v | cmp - "$file"
    done
}

@test "compressed text gives the tokens of the text, from files, folders and pipes" {
    mkdir -p packed plain
    cp prose.txt plain
    wtok encode -q --no-provenance -V v plain >plain.tok
    gzip -c prose.txt >prose.gz
    bzip2 -c prose.txt >prose.bz2
    xz -T2 --block-size=100000 -c prose.txt >prose.xz
    zstd -q -c prose.txt >prose.zst
    for kind in gz bz2 xz zst; do
        { head -c 100000 prose.txt | pack $kind; tail -c +100001 prose.txt | pack $kind; } >two.$kind
        for threads in 1 2 3 8; do
            for file in prose.$kind two.$kind; do
                wtok encode -q --no-provenance -t $threads -V v $file | cmp - plain.tok
                cat $file | wtok encode -q --no-provenance -t $threads -V v | cmp - plain.tok
            done
        done
        mv two.$kind packed/one
        wtok encode -q --no-provenance -V v packed | cmp - plain.tok
        wtok train -q -n 600 -t 2 prose.$kind | cmp - v
        run -3 --separate-stderr bash -c "head -c 5000 prose.$kind | wtok encode -q -V v"
        [[ $stderr == *"standard input: "*"byte 5000"* ]] || [[ $stderr == *"at byte 5000"* ]]
    done
}

@test "what is compressed may be JSON Lines or blocks, too" {
    printf '{"text":"a b"}\n{"text":"c"}\n' >two.jsonl
    gzip -c two.jsonl >two.jsonl.gz
    wtok encode -q --no-provenance -V v two.jsonl.gz | cmp - <(wtok encode -q --no-provenance -V v two.jsonl)
    [ "$(wtok encode -q -V v two.jsonl.gz | wtok decode --separator ,)" = "a b,c," ]
}

@test "a compressed file that expands without end takes no memory" {
    head -c 300000000 /dev/zero | tr '\0' 'a' | gzip >bomb.gz
    head -c 300000000 /dev/zero | tr '\0' 'a' | zstd -q >bomb.zst
    head -c 300000000 /dev/zero | tr '\0' 'a' | xz -1 >bomb.xz
    for kind in gz zst xz; do
        # not with a sanitizer, which takes more
        ([ ! -e "$BUILD/tests/inject.so" ] || ulimit -v 300000; wtok train -q -n 300 bomb.$kind 2>/dev/null) >one
        [ "$(jq .size one)" -eq "$(head -c 9000 /dev/zero | tr '\0' a | wtok train -q -n 300 2>/dev/null | jq .size)" ]
    done
}

@test "what is no text is refused with a word on it, or left out of a folder" {
    printf '%%PDF-1.4\n' >a.pdf
    printf '\211PNG\r\n\032\n\0\0' >a.png
    printf 'PAR1\025\004' >a.parquet
    printf 'PK\003\004\024' >a.zip
    printf '\177ELF\002\001\001' >a.elf
    printf 'text in UTF-16' | iconv -t UTF-16 >a.utf16
    wtok encode -q -V v -o a.tok prose.txt
    for case in pdf:pdftotext png:image parquet:JSON zip:zip elf:ELF utf16:iconv tok:stream; do
        run -3 --separate-stderr wtok encode -q -V v -o refused a.${case%:*}
        [[ $stderr == *"a.${case%:*}: "*"not text"*"${case#*:}"*"--binary"* ]] ||
            [[ $stderr == *"a.${case%:*}: "*"${case#*:}"*"not text"*"--binary"* ]]
        [ ! -e refused ]
        run -3 wtok train -q -n 300 -o refused a.${case%:*}
        wtok encode -q --binary -V v a.${case%:*} | wtok decode | cmp - a.${case%:*}
    done
    mkdir -p mixed/sub
    cp prose.txt mixed
    cp a.pdf a.png v a.tok mixed/sub
    cp a.pdf mixed/sub/b.pdf
    run -0 --separate-stderr wtok encode -q --no-provenance -V v -o mixed/out mixed
    [[ $stderr == *"warning: 5 files are no text and left out: PDF (mixed/sub/a.pdf and 1 more), PNG image (mixed/sub/a.png), stream of wtools (mixed/sub/a.tok), vocabulary of wtok (mixed/sub/v)" ]]
    cp mixed/out first
    run -0 --separate-stderr wtok encode -q --no-provenance -V v -o mixed/out mixed
    [[ $stderr == *"the output (mixed/out)"* ]]
    cmp mixed/out first
    run -2 wtok encode -q -V v -o mixed/out mixed/out
    [[ $output == *"is the output and also an input"* ]]
    run -3 wtok encode -q -V v -o none mixed/sub
    [[ $output == *"none of the files is text"* ]]
}

@test "HTML and data of no known kind are taken, and said" {
    printf '<!DOCTYPE html><p>text' >a.html
    run -0 --separate-stderr wtok encode -q -V v -o html.tok a.html
    [[ $stderr == *"warning: 1 file is no plain text, and taken as it is: HTML (a.html)" ]]
    wtok decode html.tok | cmp - a.html
    head -c 5000 /dev/urandom >a.bin
    run -0 --separate-stderr wtok encode -q -V v -o bin.tok a.bin
    [[ $stderr == *"data of an unknown kind (a.bin)"* ]]
    wtok decode bin.tok | cmp - a.bin
}

@test "text that the vocabulary does not suit is said" {
    wtok train -q -n 900 -o large.v prose.txt
    head -c 6000 /dev/urandom | base64 >noise
    run -0 --separate-stderr wtok encode -q -V large.v -o noise.tok noise
    [[ $stderr == *"warning: only 1."*" bytes a token"* ]]
    run -0 --separate-stderr wtok encode -q -V large.v -o prose.tok prose.txt
    [ "$stderr" = "" ]
}

@test "JSON Lines are taken as programs write them" {
    printf '\357\273\277{"text":"one"}\n{"x":NaN,"text":"a\\ud83d b"}\n{"text":"c\\u0000d"}\n' >odd.jsonl
    wtok encode -q -V v odd.jsonl | wtok decode --separator , | cmp - <(printf 'one,a\357\277\275 b,c\0d,')
    printf '{"text":"a"}\n{"text":"b" "c"}\n' >bad.jsonl
    run -3 wtok encode -q -V v -o none bad.jsonl
    [[ $output == *"bad.jsonl: line 2, column 13: JSON: "* ]]
    # 60 MB of members that are not read
    { printf '{"m":['; seq -s, 8000000; printf '],"text":"a"}'; } | tr -d '\n' >long.jsonl
    # not with a sanitizer, which takes more
    ([ ! -e "$BUILD/tests/inject.so" ] || ulimit -v 120000; wtok encode -q -V v long.jsonl) | wtok decode | cmp - <(printf a)
}

@test "every splitting rule is kept in the vocabulary, and gives text back" {
    printf "IT'S 1234 it's  5\n\n x(y).\n" >odd
    for rule in gpt2 cl100k qwen2 smollm; do
        wtok train -q -n 300 --split $rule -o $rule.v odd prose.txt
        [ "$(wtok info $rule.v | jq -r .split)" = $rule ]
        wtok encode -q -V $rule.v odd prose.txt | wtok decode | cmp - <(cat odd prose.txt)
    done
    # " 7" is a word of gpt2 alone
    printf 'a 7 b 7 c 7 d 7' >sevens
    [ "$(wtok train -q -n 258 --split gpt2 sevens | jq -r .merges)" = "32 55" ]
    for rule in cl100k qwen2 smollm; do
        [ "$(wtok train -q -n 258 --split $rule sevens 2>/dev/null | jq -r .merges)" = "" ]
    done
    run -2 wtok train --split gpt3 odd
}

@test "tokens are the same for any number of threads, any pipe, any cut into writes" {
    wtok encode -q -V v -f lines --no-provenance -o one.tok prose.txt
    for threads in 2 3 8; do
        wtok encode -q -V v -f lines --no-provenance -t $threads prose.txt | cmp - one.tok
    done
    wtok encode -q -V v -f lines --no-provenance --verify prose.txt | cmp - one.tok
    head -c 20000 prose.txt >short
    wtok encode -q -V v --no-provenance -o short.tok short
    dd bs=1 if=short 2>/dev/null | wtok encode -q -V v --no-provenance | cmp - short.tok
    dd bs=1 if=short.tok 2>/dev/null | wtok decode | cmp - short
}

@test "many documents on many threads keep their order" {
    seq 1 300000 >numbers
    wtok encode -q -V v -f lines -t 4 numbers | wtok decode --separator $'\n' | cmp - numbers
}

@test "documents end with an id that text cannot give" {
    printf 'one\ntwo\n' | wtok encode -q -V v -f lines -o lines.tok
    [ "$(wtok decode lines.tok)" = onetwo ]
    [ "$(wtok decode --separator ' / ' lines.tok)" = "one / two / " ]
    [ "$(wtok info lines.tok | jq -r .sha256)" = "$(jq -r .sha256 v)" ]
}

@test "folders, wiki blocks and JSON Lines give the same tokens as their texts" {
    mkdir -p tree/sub
    printf '<doc id="1" title="A">\nA\n\nfirst text\n</doc>\n<doc id="2">\nB\n\nsecond\n</doc>\n' >tree/a
    printf '{"text":"third"}\n{"text":"fourth\\n"}\n' >tree/sub/b
    printf 'fifth\n' >tree/c
    wtok encode -q -V v tree | wtok decode --separator '|' >got
    printf 'A\n\nfirst text|B\n\nsecond|fifth\n|third|fourth\n|' | cmp - got
    printf '{"body":"x"}\n' | wtok encode -q -V v --field body | wtok decode >got
    [ "$(cat got)" = x ]
}

@test "vocabularies beyond 65,536 ids have 32-bit tokens" {
    # every pair of bytes is a token: 256 + 65,536 + 1 ids
    awk 'BEGIN {
        printf "{\"type\":\"bpe\",\"split\":\"gpt2\",\"size\":65793,\"merges\":\""
        for (i = 0; i < 65536; i++)
            printf "%s%d %d", i ? " " : "", i / 256, i % 256
        printf "\",\"specials\":[\"<end>\"]}"
    }' >wide
    { printf '\377\377\377\377' && head -c 50000 /dev/urandom; } >bytes
    wtok encode -q -V wide -f plain -o wide.tok bytes
    wtok decode wide.tok | cmp - bytes
    [ "$(wcat raw wide.tok | od -An -tu4 -N4)" -eq 65791 ]
}

@test "a stream can stand for its vocabulary" {
    wtok encode -q -V v -o names.tok prose.txt
    wtok encode -q -V names.tok --no-provenance prose.txt >a
    wtok encode -q -V v --no-provenance prose.txt | cmp - a
    wtok decode -V names.tok a | cmp - prose.txt
    wtok decode -V <(cat v) a | cmp - prose.txt
    run -3 wtok encode -q -V prose.txt prose.txt
    run -3 wtok info - < <(cat names.tok)
    [[ "$output" == *"a stream or a model"*"regular file"* ]]
}

@test "a vocabulary comes from standard input, too, from where it is" {
    wtok encode -q -V v prose.txt >t
    wtok info - <v | jq -e '.size == 600'
    wtok info - <t | jq -e '.size == 600'
    wtok info - < <(cat v) | jq -e '.size == 600'
    { printf 'first'; cat v; } >later
    { dd bs=5 count=1 status=none >/dev/null; wtok info -; } <later | jq -e '.size == 600'
    wtok export -V v >hf.json
    wtok import -q - <hf.json | cmp - v
}

@test "several streams in one pipe decode one after the other" {
    printf one | wtok encode -q -V v -o 1.tok
    printf two | wtok encode -q -V v -o 2.tok
    [ "$(cat 1.tok 2.tok | wtok decode)" = onetwo ]
    [ "$(wtok decode 1.tok 2.tok)" = onetwo ]
}

@test "decoding takes the same memory however much text a frame stands for" {
    # merges that double a run of a: a token of 65,536 bytes
    awk 'BEGIN {
        printf "{\"type\":\"bpe\",\"split\":\"gpt2\",\"size\":273,\"merges\":\"97 97"
        for (i = 256; i < 271; i++)
            printf " %d %d", i, i
        printf "\",\"specials\":[\"<end>\"]}"
    }' >double
    head -c 16M /dev/zero | tr '\0' a | wtok encode -q -V double --level 9 -o double.tok
    [ "$(stat -c %s double.tok)" -lt 2000 ]
    [ ! -e "$BUILD/tests/inject.so" ] || ulimit -v 20000 # not with a sanitizer, which takes more
    wtok decode double.tok | cmp - <(head -c 16M /dev/zero | tr '\0' a)
}

@test "a consumer that has enough ends encode and decode quietly" {
    for _ in 1 2 3 4 5 6 7 8; do cat prose.txt prose.txt; done >long
    wtok encode -q -V v long 2>err | head -c 100 >/dev/null
    wtok encode -q -V v -o long.tok long
    wtok decode long.tok 2>>err | head -c 100 >/dev/null
    [ ! -s err ]
}

@test "a stream that is cut, broken or made by another vocabulary is refused with 3" {
    wtok encode -q -V v -o whole.tok prose.txt
    size=$(stat -c %s whole.tok)
    for cut in 0 10 100 $((size / 2)) $((size - 1)); do
        head -c "$cut" whole.tok >cut.tok
        run -3 --separate-stderr wtok decode -o cut.txt cut.tok
        [ "${#stderr_lines[@]}" -eq 1 ]
        [ ! -e cut.txt ]
    done
    run -3 wtok decode prose.txt
    wtok train -q -n 500 -o other prose.txt
    run -3 wtok decode -V other whole.tok
    [[ "$output" == *sha256* ]]
    sed 's/"size":600/"size":601/' v >bad
    run -3 wtok encode -V bad prose.txt
    sed 's/"merges":"\([0-9]*\) /"merges":"98 /' v >bad
    run -3 wtok info bad
}

@test "input that breaks its format is refused with 3, and leaves no file" {
    printf '<doc id="1">\ntext without an end\n' >open
    run -3 wtok encode -q -V v -o never.tok open
    [ ! -e never.tok ]
    printf '{"text":"a"}\n{"text":\n' >broken
    run -3 wtok encode -q -V v -o never.tok broken
    [[ "$output" == *"broken: line 2"* ]]
    run -4 wtok encode -q -V v -o never.tok prose.txt absent
    [[ "$output" == *absent* ]]
    [ ! -e never.tok ]
}

@test "a failure upstream is seen downstream" {
    printf '<doc id="1">\ntext\n' | wtok encode -q -V v >aborted.tok 2>/dev/null || true
    run -3 wtok decode aborted.tok
    [[ "$output" == *"wtok encode"* ]]
}

@test "a mistake in the command line gets 2 and a suggestion" {
    run -2 wtok
    run -2 wtok encod
    [[ "$output" == *encode* ]]
    run -2 wtok encode --vocabb v prose.txt
    [[ "$output" == *--vocab* ]]
    run -2 wtok encode prose.txt
    [[ "$output" == *-V* ]]
    run -2 wtok encode -V v --format wikki prose.txt
    run -2 wtok train -n 256 prose.txt
    run -2 wtok train --tie idmin prose.txt
    run -2 wtok info
    run -2 wtok info --text prose.txt
}

@test "a program that a signal stops at the end of its input writes nothing" {
    wtok encode -q -V v -o stop.tok prose.txt
    for words in "train -n 300" "train -n 300 --counts" "encode -V v" "decode"; do
        rm -f feed
        mkfifo feed
        # shellcheck disable=SC2086 # words
        wtok $words -q -o stopped - <feed 9<&- &
        program=$!
        exec 9>feed
        case $words in
        *counts) echo '{"word": "abab", "count": 2}' >&9 ;;
        decode) cat stop.tok >&9 ;;
        *) cat prose.txt >&9 ;;
        esac
        sleep 0.3
        kill "$program"
        sleep 0.1
        exec 9>&-
        status=0
        wait "$program" || status=$?
        [ "$status" -eq 143 ]
        [ ! -e stopped ]
    done
}

@test "wrong options of a training are refused before its work" {
    # a pipe without a writer: a program that reads it waits
    mkfifo silent
    exec 9<>silent
    for words in "-o nowhere/v" "-o late --report nowhere/r"; do
        # shellcheck disable=SC2086 # words
        run -4 timeout 20 wtok train $words silent 9<&-
        [[ "$output" == *nowhere/* ]]
    done
    for end in '' a $'\xff\xfe'; do
        run -2 timeout 20 wtok train --end "$end" -o late silent 9<&-
        [[ "$output" == *--end* ]]
        run -2 wtok import --end "$end" -o late v
        [[ "$output" == *--end* ]]
    done
    run -2 timeout 20 wtok train -o late --report late silent 9<&-
    run -2 timeout 20 wtok train --report - silent 9<&-
    run -2 wtok train -n 600 --end ' the' -o late prose.txt
    [[ "$output" == *--end* ]]
    [ ! -e late ]
    exec 9<&-
}

@test "ties can be broken by each rule" {
    printf 'ab cd ab cd\n' >tied
    # ab, " c" and cd occur twice each
    [ "$(wtok train -q -n 258 tied | jq -r .merges)" = "32 99" ]
    [ "$(wtok train -q -n 258 --tie bytes-max tied | jq -r .merges)" = "99 100" ]
    [ "$(wtok train -q -n 259 --tie hf tied | jq -r .merges)" = "97 98 99 100" ]
}

@test "text can be measured in a vocabulary" {
    wtok info -V v --text prose.txt >facts
    [ "$(jq .bytes facts)" -eq "$(stat -c %s prose.txt)" ]
    jq -e '.bytes_per_token > 2 and .tokens > 0 and .documents == 1' facts
}

@test "every command has help with examples" {
    for command in train encode decode info; do
        wtok $command --help | grep -q '^Examples:'
    done
    wtok --help | grep -q 'encode'
}
