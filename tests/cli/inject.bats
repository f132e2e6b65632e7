# Every program, with each single system call failing in turn (tests/inject.c). Whichever fails: no
# crash; status 4; the output file is the old one, or, when the last sync failed, the whole new one. A
# run that ends with 0 all the same (it does not depend on what failed) has written the right bytes.
bats_require_minimum_version 1.5.0
load tiny

setup_file()
{
    [ -e "$BUILD/tests/inject.so" ] || return 0
    make_tiny
}

setup()
{
    [ -e "$BUILD/tests/inject.so" ] ||
        skip "NOT TESTED HERE: a preloaded library and a sanitizer exclude each other"
    cd "$BATS_FILE_TMPDIR" || exit 1
    to_stdout= never=
    prepare() { :; }
}

# try CALL ERROR: the file "expected" holds the right output and the function `work` writes "result"; it
# is the program alone, since what else it called would see failures too: `prepare` comes before it. The
# first call must be seen to fail, or the test would prove nothing; $never lists the calls that the program
# does not make.
try()
{
    local n status
    for ((n = 1; ; n += 1 + n / 16)); do
        rm -f fired
        echo previous >result
        prepare
        status=0
        W_INJECT=$1:$n:$2 W_INJECT_FIRED=fired LD_PRELOAD=$BUILD/tests/inject.so work \
            >log 2>&1 </dev/null || status=$?
        if [ ! -e fired ]; then
            if [[ " $never " == *" $1 "* ]]; then
                [ "$n" -eq 1 ] || { echo "$1: was said to be never called"; return 1; }
            elif [ "$n" -eq 1 ]; then
                echo "$1: no call was seen, so none failed"
                return 1
            fi
            [ "$status" -eq 0 ] || { echo "$1 $n: status $status without a failure"; cat log; return 1; }
            cmp result expected
            return
        fi
        if [ "$status" -eq 0 ]; then
            cmp result expected || { echo "$1 $n: status 0 and the wrong output"; return 1; }
        elif [ "$status" -ne 4 ] || [ ! -s log ] || ! { [ -n "$to_stdout" ] ||
            [ "$(head -c 20 result)" = previous ] || cmp -s result expected; }; then
            echo "$1 $n: status $status, $(wc -c <result) bytes of output"
            cat log
            return 1
        fi
        [ -z "$(find . -name '.result*')" ] || { echo "$1 $n: leaves a file"; find .; return 1; }
    done
}

try_all()
{
    prepare
    work
    mv result expected
    try memory ENOMEM
    try read EIO
    try write ENOSPC
    try fsync EIO
    try rename EIO
    try close EIO
}

@test "wtok train" {
    work() { wtok train -n 280 --max-words 30 --report facts -o result text/1.txt; }
    try_all
}

@test "wtok encode" {
    work() { wtok encode -V tiny.vocab -o result text/1.txt text/2.txt; }
    try_all
}

@test "wtok encode and decode, compressed" {
    work() { wtok encode --level 6 -t 2 -V tiny.vocab -o result text; }
    try_all
    work
    mv result packed
    work() { wtok decode -V tiny.vocab -o result packed; }
    try_all
}

@test "wtok encode, from compressed text" {
    for pack in gzip bzip2 xz 'xz -T2' 'zstd -q'; do
        $pack <text/1.txt >text.packed
        work() { wtok encode -V tiny.vocab -o result text.packed; }
        try_all
    done
}

@test "wtok decode" {
    work() { wtok decode -V tiny.vocab -o result tiny.tokens; }
    try_all
}

@test "wtok import and export" {
    for format in hf tiktoken; do
        work() { wtok export -V tiny.vocab -f "$format" -o result; }
        try_all
        work
        mv result "tiny.$format"
        work() { wtok import --split gpt2 -o result "tiny.$format"; }
        try_all
    done
    wtok export -V tiny.vocab -f gpt2 -o vocab.json --merges merges.txt
    work() { wtok import -o result vocab.json merges.txt; }
    try_all
}

@test "wtok read-ids and write-ids" {
    work() { wtok write-ids -f llmc -o result tiny.tokens; }
    try_all
    work
    mv result tiny.llmc
    work() { wtok read-ids --no-provenance -V tiny.vocab -o result tiny.llmc; }
    try_all
}

@test "wgram learn" {
    work() { wgram learn -t 2 -o result tiny.tokens; }
    try_all
}

@test "wgram prune" {
    wgram learn -q -o tiny.counts tiny.tokens
    work() { wgram prune -s 6k -t 2 -o result tiny.counts; }
    try_all
}

@test "wgram add" {
    wgram learn -q -o tiny.counts tiny.tokens
    work() { wgram add -m tiny.counts --leave-out -t 2 -o result tiny.tokens; }
    try_all
    work() { wgram add -m tiny.counts --count-on -o result tiny.tokens; }
    try_all
}

@test "wmodel export and import" {
    work() { wmodel export --type q8_0 -o result tiny.wts; }
    try_all
    work
    mv result tiny.gguf
    work() { wmodel import -o result tiny.gguf; }
    try_all
    wmodel export -f safetensors -o tiny.folder tiny.wts
    work() { wmodel import -o result tiny.folder; }
    try_all
}

# A folder is there as a whole, or not at all.
@test "wmodel export of a folder" {
    local call n status
    wmodel export -q -f safetensors -o expected-folder tiny.wts
    for call in memory:ENOMEM read:EIO write:ENOSPC fsync:EIO rename:EIO close:EIO; do
        for ((n = 1; ; n += 1 + n / 16)); do
            rm -rf fired folder
            status=0
            W_INJECT=${call%:*}:$n:${call#*:} W_INJECT_FIRED=fired LD_PRELOAD=$BUILD/tests/inject.so \
                wmodel export -q -f safetensors -o folder tiny.wts 2>log || status=$?
            [ -e fired ] || break
            [ "$status" -eq 4 ] || [ "$status" -eq 0 ] || { echo "$call $n: $status"; cat log; return 1; }
            [ "$status" -eq 4 ] || [ -e folder ]
            [ ! -e folder ] || diff -r folder expected-folder
            [ -z "$(find . -name '.folder*')" ] || { echo "$call $n: leaves a folder"; return 1; }
        done
        [ "$n" -gt 1 ] && [ "$status" -eq 0 ]
    done
}

@test "wbatch" {
    work() { wbatch -c tiny.json -o result tiny.tokens; }
    try_all
}

@test "wtrain" {
    prepare() { rm -rf result.ckpt; }
    work() { wtrain -c tiny.json -t 2 --steps 2 -o result tiny.batches; }
    try_all
}

@test "wcat" {
    work() { wcat -o result tiny.tokens; }
    try_all
}

@test "wcat copy" {
    work() { wcat copy -t 2 -o result tiny.tokens tiny.tokens; }
    try_all
}

@test "wsample" {
    to_stdout=1
    never='fsync rename'
    work() { wsample -m tiny.wts -t 1 -p The -n 5 -s 1 >result; }
    try_all
}

@test "wcachefit" {
    for kind in md json; do
        work() { wcachefit --target seed-host --format "$kind" -o result tiny.json; }
        try_all
    done
    work() { wcachefit fit -t 1 --ram 40M --set batch_size=4096 -o result tiny.json; }
    try_all
}

@test "wwiki" {
    {
        printf '<mediawiki><siteinfo><base>http://t.example/wiki/M</base><namespaces><namespace key="6">'
        printf 'Bild</namespace></namespaces></siteinfo>'
        for id in 1 2 3; do
            printf '<page><title>P</title><ns>0</ns><id>%s</id><revision><text>{{lang|fr|un}} ' "$id"
            printf "[[A|b]] ''c''</text></revision></page>"
        done
        printf '</mediawiki>'
    } | bzip2 >dump.xml.bz2
    echo 'warm = {1} degrees' >rows
    work() { wwiki -t 2 --inlines rows --log log.json -o result dump.xml.bz2; }
    try_all
}

@test "wwiki clean" {
    printf '<doc id="1">\nT\n\na &lt; b {{c}} formula_1\n</doc>\n' >blocks
    printf '{"text":"a &lt; b {{c}} formula_1"}\n' >objects
    work() { wwiki clean -o result blocks objects; }
    try_all
}
