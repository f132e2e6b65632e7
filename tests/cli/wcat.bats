# wcat: what it shows of a stream, and what it makes of several.

# The stream of wstream(5)'s example: the ids 5, 6, 7, 2.
example()
{
    local hex
    hex=$(sed -n '/xxd -p/,/^.Ed/p' "$BATS_TEST_DIRNAME/../../man/wstream.5" |
        grep -E '^[0-9a-f]+$' | tr -d '\n' | sed 's/../\\x&/g')
    printf "$hex"
}

ids() { od -An -v -tu2 -w2 | tr -d ' ' | xargs; }

setup()
{
    bats_require_minimum_version 1.5.0
    cd "$BATS_TEST_TMPDIR"
    example >e.wts
    cat e.wts e.wts e.wts >three.wts
}

@test "the example of wstream(5) is a stream" {
    run -0 wcat --verify e.wts
    [ -z "$output" ]
    run -0 wcat --verify -v e.wts
    [[ $output == *"1 member, 3 frames, 4 records, 444 bytes" ]]
    [ "$(wcat raw e.wts | ids)" = "5 6 7 2" ]
    run -0 wcat verify -v e.wts
    [[ $output == *"444 bytes" ]]
}

@test "without a command it shows, and a command is no file" {
    wcat show e.wts | diff - <(wcat e.wts)
    wcat show --what header e.wts | diff - <(wcat e.wts --what header)
    cp e.wts verify
    wcat ./verify | diff - <(wcat e.wts)
    run -0 wcat verify verify
    [ -z "$output" ]
    cp e.wts copi # near to a command, but a file
    wcat copi | diff - <(wcat e.wts)
}

@test "header and end are where tail finds them" {
    [ "$(tail -c +49 three.wts | head -n 1 | jq -r .kind)" = tokens ]
    [ "$(tail -c 208 three.wts | jq .records)" = 4 ]
}

@test "a listing has a line for each frame, with what is in it" {
    wcat three.wts >list
    [ "$(wc -l <list)" -eq 9 ]
    [ "$(jq -r .type list | tr -d '\n')" = HDEHDEHDE ]
    [ "$(jq -c 'select(.type == "D") | [.member, .offset, .seq, .pos, .count, .raw, .stored]' list |
        tail -n 1)" = "[3,1020,1,0,4,8,8]" ]
    [ "$(jq -r 'select(.type == "H") | .header.rec[0].dtype' list | xargs)" = "u16 u16 u16" ]
    [ "$(jq 'select(.type == "E") | .end.bytes' list | xargs)" = "444 444 444" ]
    diff list <(cat three.wts | wcat)
    diff list <(wcat - <three.wts)
}

@test "the header alone is read without the rest" {
    [ "$(head -c 140 e.wts | wcat --what header | jq -r .by)" = me ]
}

@test "statistics count ids, documents and bytes" {
    run -0 wcat --what stats three.wts
    [ "$(jq -c '[.bytes,.members,.frames,.records,.raw,.ratio]' <<<"$output")" = "[1332,3,9,12,24,1]" ]
    [ "$(jq -c .tokens <<<"$output")" = '{"max":7,"distinct":4,"docs":0}' ]
    run -0 wcat --what stats e.wts three.wts
    [ "${#lines[@]}" -eq 2 ]
}

@test "on a terminal people get a summary, of a whole file alone" {
    script -qefc "wcat e.wts three.wts" seen >/dev/null </dev/null
    tr -d '\r' <seen | grep -q '^e.wts: 4 ids in '
    tr -d '\r' <seen | grep -q '^  file .*3 members'
    wcat --what summary e.wts | diff - <(wcat --what summary - <e.wts | sed 's/^standard input:/e.wts:/')
    head -c -1 e.wts >cut.wts
    run -3 --separate-stderr wcat --what summary cut.wts
    [ -z "$output" ]
}

@test "a summary shows no control characters, and fits 80 columns" {
    printf 'a b a b a b a b a b a b a b a b\n' >$'text\033[31m'
    wtok train -q -n 260 -o v $'text\033[31m'
    wtok encode -q -V v -o t.tok $'text\033[31m'
    wcat --what summary t.tok >seen
    run ! grep -q $'\033' seen
    [ "$(awk '{ print length }' seen | sort -n | tail -1)" -lt 80 ]
    grep -q '^  made by  *wtok .*: wtok encode -V v' seen
}

@test "verify names file, member, frame and place, looks at all files, and ends with 3" {
    printf 'X' | dd of=three.wts bs=1 seek=1070 conv=notrunc status=none
    head -c 400 e.wts >cut.wts
    run -3 --separate-stderr wcat --verify three.wts e.wts cut.wts
    [ -z "$output" ]
    [ "${#stderr_lines[@]}" -eq 2 ]
    [[ ${stderr_lines[0]} == "wcat show: "*"three.wts: member 3, frame 1 at byte 1020: payload checksum: expected "*", got "* ]]
    [[ ${stderr_lines[1]} == "wcat show: cut.wts: member 1, frame 2 at byte 188: ends inside a frame: 164 of 208 "* ]]
}

@test "a cut at any byte is status 3 whatever is done, but for the one between members" {
    for n in 0 1 47 48 100 131 132 187 188 300 443 445 600 887; do
        head -c $n three.wts >cut.wts
        for mode in verify raw copy --verify "--what stats" "--what notes"; do
            run -3 wcat $mode cut.wts
            run -3 wcat $mode <cut.wts
        done
        run -3 wcat cut.wts
    done
    head -c 888 three.wts >cut.wts
    run -0 wcat --verify cut.wts
}

@test "copy makes one member, of all records or of a slice over all members" {
    wcat copy -o one.wts e.wts three.wts
    wcat --verify one.wts
    [ "$(wcat --what stats one.wts | jq -c '[.members,.records]')" = "[1,16]" ]
    [ "$(wcat raw one.wts | ids)" = "5 6 7 2 5 6 7 2 5 6 7 2 5 6 7 2" ]
    [ "$(wcat --what header one.wts | jq -r '.src.by, .by' | xargs)" = "me wcat $(sed -n 's/.*W_VERSION_TEXT "\(.*\)"/\1/p' "$BATS_TEST_DIRNAME/../../lib/base/base.h")" ]
    [[ $(wcat --what header one.wts | jq -r .argv) == "wcat copy e.wts three.wts" ]]
    [ "$(tail -c 208 one.wts | jq -c '[.max,.docs]')" = "[7,0]" ]
    for input in three.wts one.wts; do
        [ "$(wcat copy --from 3 --to 6 $input | wcat raw | ids)" = "2 5 6" ]
        [ "$(wcat copy --from 7 -n 2 $input | wcat raw | ids)" = "2 5" ]
        [ "$(wcat copy --from 10 $input | wcat raw | ids | cut -c 1-3)" = "7 2" ]
        [ "$(wcat copy --to 1 <$input | wcat raw | ids)" = "5" ]
        [ "$(cat $input | wcat copy --from 3 --to 6 | wcat raw | ids)" = "2 5 6" ]
    done
    wcat copy --no-provenance three.wts >a.wts
    cat three.wts | wcat copy --no-provenance -t 3 >b.wts
    cmp a.wts b.wts
}

@test "raw is an option, too" {
    cmp <(wcat --raw three.wts) <(wcat raw three.wts)
    wcat --raw -o raw three.wts
    cmp raw <(wcat raw three.wts)
    run -2 wcat --raw --verify three.wts
}

@test "an output that is an input is refused" {
    cp e.wts f.wts
    wcat copy -q -o all.wts [ef].wts
    run -2 wcat copy -q -o all.wts all.wts e.wts
    [[ $output == *"all.wts: is the output and also an input"* ]]
    run -2 wcat copy -q -o ./all.wts all.wts
}

@test "a slice of very many members is that of a pipe" {
    for _ in {1..150}; do cat e.wts; done >many.wts
    for slice in "--from 3 --to 7" "--from 300 --count 10" "--from 598"; do
        cmp <(wcat copy $slice --no-provenance many.wts) \
            <(cat many.wts | wcat copy $slice --no-provenance)
    done
}

@test "what is too short for a frame is either cut or none" {
    run -3 bash -c 'echo hello | wcat'
    [[ $output == *"no WTS frame here"* ]]
    run -3 bash -c '(cat e.wts; echo) | wcat --verify'
    [[ $output == *"no WTS frame here"* ]]
    run -3 bash -c 'echo hello | wbatch -b 1 -T 4'
    [[ $output == *"no WTS frame here"*"this is text: 'wtok encode' makes a stream"* ]]
    run -3 bash -c 'cat e.wts e.wts | gzip | wcat'
    [[ $output == *"no WTS frame here"*"this is gzip: "* ]]
    run -3 bash -c 'head -c 5 e.wts | wcat'
    [[ $output == *"ends without its end frame"* ]]
}

@test "statistics are JSON whatever a file is called" {
    cp e.wts $'a\xff.wts'
    wcat --what stats $'a\xff.wts' | jq -e .bytes
}

@test "a slice that is not there is no shorter slice" {
    run -3 --separate-stderr wcat copy --from 3 --to 99 -o x.wts three.wts
    [[ $stderr == "wcat copy: there are only 12 records" ]]
    [ ! -e x.wts ]
    wcat copy --from 3 --to 99 three.wts 2>err | { ! wcat --verify 2>err2; }
    grep -q "aborted by wcat: there are only 12 records" err2
    run -3 wcat copy --from 13 three.wts
    run -3 wcat copy --from 11 --count 2 three.wts >/dev/null
    run -2 wcat copy --from 5 --to 5 three.wts
    run -2 wcat copy --to 0 three.wts
    run -2 wcat copy --to 5 --count 5 three.wts
    run -2 wcat copy --from 5 -n 0 three.wts
    run -2 wcat copy --from x --to 5 three.wts
}

@test "streams that do not belong together are not joined" {
    wtok train -q -n 258 -o v <<<"some text" 2>/dev/null
    wtok encode -q -V v <<<"text" >t.wts
    run -3 --separate-stderr wcat copy -o x.wts e.wts t.wts
    [[ $stderr == *'"vocab" is not that of the first stream' ]]
}

@test "a reader that has enough is no failure, a full disk is one" {
    bash -o pipefail -c 'wcat three.wts | head -n 1 >/dev/null'
    for mode in raw copy "--what stats" ""; do
        # shellcheck disable=SC2086
        run -4 bash -c "wcat $mode three.wts >/dev/full"
        [[ $output == "wcat "*": standard output: cannot write: No space left on device" ]]
    done
    run -4 wcat --verify nothing.wts
}

@test "a file appears where a link points, with the rights of the one before" {
    cp e.wts private.wts
    chmod 600 private.wts
    ln -s private.wts link
    ln -s new.wts dangling
    wcat copy -o link three.wts
    wcat copy -o dangling three.wts
    [ -L link ] && [ -L dangling ]
    cmp <(wcat raw private.wts) <(wcat raw new.wts)
    [ "$(stat -c %a private.wts)" = 600 ]
    # /dev/stdout leads to the file that standard output is: no file takes the place of the link.
    ln -s /proc/self/fd/1 standard
    { echo before && wcat copy -o standard three.wts; } >out
    [ -L standard ]
    cmp <(tail -c +8 out | wcat raw) <(wcat raw new.wts)
    ln -s loop loop
    run -4 wcat copy -o loop e.wts
    run -2 wcat copy -o "" e.wts
    run -0 wcat copy -o "$(printf 'x%.0s' {1..250})" e.wts
}

@test "a standard output that is closed is one that cannot be written to" {
    run -4 bash -c 'wcat e.wts >&-'
    [[ $output == *"standard output: cannot write"* ]]
    run -4 bash -c 'wcat raw e.wts >&-'
    run -0 bash -c 'wcat copy -o file e.wts >&-'
    cmp <(wcat raw e.wts) <(wcat raw file)
}

# Waiting for a pipe that nobody writes to.
@test "one signal ends it while it waits, and leaves no file" {
    mkfifo silent
    exec 9<>silent
    for signal in TERM INT HUP; do
        # bash lets a job in the background ignore SIGINT: env gives it back.
        env --default-signal=INT wcat copy -o made silent 9>&- &
        pid=$!
        for _ in $(seq 100); do
            ls .made.*.tmp >/dev/null 2>&1 && break
            sleep 0.05
        done
        kill -s $signal $pid
        local ended=0
        wait $pid || ended=$?
        [ "$ended" -eq $((128 + $(kill -l $signal))) ]
        [ -z "$(find . -name '*made*')" ]
    done
    # What was ignored stays ignored.
    (trap '' HUP && exec wcat copy -o made silent) 9>&- &
    pid=$!
    sleep 0.3
    kill -s HUP $pid
    cat e.wts >&9
    exec 9>&-
    wait $pid
    wcat --verify made
}

@test "mistakes of use are status 2 and change nothing" {
    run -2 wcat --verfy e.wts
    [[ $output == *"did you mean --verify?"* ]]
    run -2 wcat raw --what stats e.wts
    run -2 wcat --tensor a e.wts
    run -2 wcat verify -o x e.wts
    run -2 wcat coyp e.wts
    [[ $output == *"did you mean copy?"* ]]
    run -2 wcat --verify -o x e.wts
    [ ! -e x ]
    run -2 script -qec "wcat raw e.wts" /dev/null
    [[ $output == *"binary data is not for a terminal"* ]]
    run -0 wcat --help
    [[ $output == *Examples:* ]]
    [[ $output == *"wcat [options] [FILE ...], which is wcat show"* ]]
}
