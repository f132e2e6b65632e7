# wtok import and export: vocabularies of other programs, there and back, and what is refused.

setup_file()
{
    export DATA=$BATS_FILE_TMPDIR
    cd "$DATA" || return
    awk 'BEGIN {
        srand(5)
        n = split("the other then there this that bathe lather 12 1212 caf\303\251 it'"'"'s", w, " ")
        for (i = 0; i < 4000; i++)
            printf "%s%s", w[int(rand() * n) + 1], int(rand() * 12) ? " " : ".\n"
    }' >prose.txt
    wtok train -q -n 270 -o v prose.txt
}

setup()
{
    bats_require_minimum_version 1.5.0
    cd "$DATA" || return
    set -o pipefail
}

ids()
{
    wtok encode -q -V "$1" --no-provenance prose.txt | wcat raw | od -An -v -tu2 -w2
}

@test "each format comes back as the vocabulary that it was" {
    wtok export -V v -o tokenizer.json
    wtok export -V v -f gpt2 -o vocab.json --merges merges.txt
    wtok export -V v -f tiktoken -o v.tiktoken
    wtok import -q -o hf tokenizer.json
    cmp hf v
    wtok import -q -o gpt2 vocab.json merges.txt
    cmp gpt2 v
    wtok import -q merges.txt vocab.json | cmp - v
    wtok import -q --split gpt2 -o ranks v.tiktoken
    cmp ranks v
    ids v >expected
    ids ranks | cmp - expected
}

@test "an export has the form that the other program expects" {
    wtok export -V v >tokenizer.json
    [ "$(jq -c .pre_tokenizer tokenizer.json)" = \
        '{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true}' ]
    [ "$(jq -r '.model.vocab | length' tokenizer.json)" -eq 270 ]
    [ "$(jq -c '.added_tokens | map([.id, .content, .special])' tokenizer.json)" = \
        '[[269,"<|endoftext|>",true]]' ]
    [ "$(jq -r '.model.merges | length' tokenizer.json)" -eq 13 ]
    [ "$(jq -r '.model.vocab["\u0120"]' tokenizer.json)" -eq 32 ] # a blank
    wtok export -V v -f gpt2 -o vocab.json --merges merges.txt
    [ "$(head -n 1 merges.txt)" = '#version: 0.2' ]
    [ "$(wc -l <merges.txt)" -eq 14 ]
    wtok export -V v -f tiktoken | awk 'NR == 98' | grep -x 'YQ== 97'
}

@test "every splitting rule goes through tokenizer.json" {
    for rule in gpt2 cl100k qwen2 smollm o200k deepseek; do
        wtok train -q --split $rule -n 270 -o "$rule.vocab" prose.txt
        wtok export -V "$rule.vocab" -o "$rule.json"
        wtok import -q "$rule.json" | cmp - "$rule.vocab"
    done
    # Falcon's is not learned; no merge crosses the places where it splits bytes.
    run -2 wtok train -q --split falcon -o falcon.vocab prose.txt
    wtok export -V gpt2.vocab | wtok import -q -f hf --split falcon -o falcon.vocab -
    wtok export -V falcon.vocab -o falcon.json
    wtok import -q falcon.json | cmp - falcon.vocab
}

@test "a stream or a model stands for its vocabulary" {
    wtok encode -q -V v -o t prose.txt
    wtok export -V t -o from_stream
    wtok export -V v | cmp - from_stream
}

@test "a pipe is read when --format names its format" {
    wtok export -V v | wtok import -q -f hf - | cmp - v
    run --separate-stderr wtok import - </dev/null
    run --separate-stderr bash -c 'wtok export -V v | wtok import -q -'
    [ "$status" -eq 2 ]
    # shellcheck disable=SC2154 # run sets it
    [[ "$stderr" == *--format* ]]
}

@test "the token that ends documents can be named, or added" {
    wtok export -V v | jq -c '.added_tokens += [{id: 300, content: "<pad>"}, {id: 301, content: "<fin>"}]' >more.json
    wtok import -q -o more more.json
    [ "$(wtok info more | jq .end.id)" -eq 269 ]
    wtok import -q --end '<fin>' -o fin more.json
    [ "$(wtok info fin | jq .end.id)" -eq 301 ]
    wtok import -q --end '<new>' -o new more.json
    [ "$(wtok info new | jq -c '[.end.id, .end.text, .size]')" = '[302,"<new>",303]' ]
    jq -c '.added_tokens |= map(select(.content == "<pad>")) | del(.model.vocab["<|endoftext|>"])' \
        more.json >pad.json
    run --separate-stderr wtok import pad.json
    [ "$status" -eq 2 ]
    [[ "$stderr" == *--end* ]]
}

@test "the token that ends documents may be called by letters of bytes" {
    for end in '<é>' 'ĠxÃ'; do
        wtok train -q -n 270 --end "$end" -o named.vocab prose.txt
        wtok export -V named.vocab -o named.json
        wtok import -q --end "$end" named.json | cmp - named.vocab
        run -3 wtok export -V named.vocab -f gpt2 -o named.json --merges named.txt
        [[ "$output" == *"special token 269"* ]]
    done
}

@test "a vocabulary with NFC normalises what it encodes, wherever it is" {
    wtok export -V v >good.json
    jq -c '.normalizer = {type: "NFC"}' good.json >nfc.json
    wtok import -o nfc.vocab nfc.json 2>said
    grep -q NFC said
    [ "$(wtok info nfc.vocab | jq -r .normalizer)" = nfc ]
    [ "$(wtok info v | jq .normalizer)" = null ]
    wtok export -V nfc.vocab | jq -S . | cmp - <(jq -S . nfc.json)
    wtok import -q --normalizer none nfc.json | cmp - <(wtok import -q good.json)

    printf 'cafe\314\201 12\r\n\314\201e' >loose.txt
    printf 'caf\303\251 12\r\n\314\201e' >normal.txt
    wtok encode -q --verify -V nfc.vocab -o nfc.tok loose.txt
    wtok decode nfc.tok | cmp - normal.txt
    wtok encode -q -V nfc.tok loose.txt | wtok decode | cmp - normal.txt # from the stream's header
    cmp <(wcat raw nfc.tok) <(wtok encode -q -V v normal.txt | wcat raw)
    wtok encode -q -V v loose.txt | wtok decode | cmp - loose.txt
    [ "$(wtok info -V nfc.vocab --text loose.txt | jq .bytes)" -eq "$(wc -c <normal.txt)" ]

    # the formats that have no word for it
    run --separate-stderr wtok export -V nfc.vocab -f gpt2 -o vocab.json --merges merges.txt
    [ "$status" -eq 0 ]
    [[ "$stderr" == *NFC* ]]
    run --separate-stderr wtok export -V nfc.vocab -f tiktoken -o nfc.tiktoken
    [[ "$stderr" == *NFC* ]]
}

@test "a vocabulary that cannot be kept is refused with 3 and the reason" {
    wtok export -V v >good.json
    for type in NFD NFKC NFKD Lowercase Prepend Replace; do
        jq -c --arg type "$type" '.normalizer = {$type}' good.json >changed.json
        run --separate-stderr wtok import -o out changed.json
        [ "$status" -eq 3 ]
        [[ "$stderr" == *changed.json*"normalizer: $type "*"--normalizer none"* ]]
        [ ! -e out ]
        wtok import -q --normalizer none changed.json | cmp - <(wtok import -q good.json)
    done
    head -c 1000 good.json >cut.json
    run --separate-stderr wtok import -o out cut.json
    [ "$status" -eq 3 ]
    printf 'GGUF\003\000\000\000' >cut.gguf
    run --separate-stderr wtok import -o out cut.gguf
    [ "$status" -eq 3 ]
    [[ "$stderr" == *ends* ]]
    run --separate-stderr wtok import -o out /dev/null
    [ "$status" -ge 2 ]
    [ ! -e out ]
}

@test "a vocabulary of another program that is used as one of ours is refused with a hint to import it" {
    wtok export -V v -o tokenizer.json
    run --separate-stderr wtok encode -V tokenizer.json prose.txt
    [ "$status" -eq 3 ]
    [[ "$stderr" == *"wtok import"* ]]
}

@test "a mistake in the command line gets 2" {
    for words in "import" "import v v v" "import --split gpt9 v" "import -f hf v v" "export" \
        "export -V v x" "export -V v -f gpt2" "export -V v --merges m" "export -f gguf -V v"; do
        # shellcheck disable=SC2086 # words
        run --separate-stderr wtok $words
        [ "$status" -eq 2 ]
        [ -n "$stderr" ]
    done
}

@test "two files are written both or not at all" {
    run -2 wtok export -V v -f gpt2 -o same --merges same
    run -2 wtok export -V v -f gpt2 --merges -
    [ ! -e same ]
    run -4 wtok export -V v -f gpt2 -o nowhere/x --merges alone
    run -4 wtok export -V v -f gpt2 -o alone --merges nowhere/x
    [ ! -e alone ]
}

@test "names of special tokens are tokens only when asked for" {
    printf 'a<|endoftext|>b' >named
    [ "$(wtok encode -q -V v named | wcat raw | od -An -v -tu2 | grep -cw 269)" -eq 1 ]
    [ "$(wtok encode -q -V v --allow-special named | wcat raw | od -An -v -tu2 | xargs)" = "97 269 98 269" ]
    wtok encode -q -V v '--allow-special=<|endoftext|>' named | wtok decode --separator '|' >parts
    [ "$(cat parts)" = 'a|b|' ]
    run --separate-stderr wtok encode -V v --allow-special='<fin>' named
    [ "$status" -eq 2 ]
    [[ "$stderr" == *"<fin>"* ]]
}
