# The programs together: messages of a pipeline, early stops and failures.
bats_require_minimum_version 1.5.0
load tiny

setup()
{
    cd "$BATS_FILE_TMPDIR" || exit 1
}

# The pipeline of the README, with options of the last program.
train()
{
    wtok encode -V tiny.vocab text | wbatch -c tiny.json -e 100k | wtrain -c tiny.json "$@"
}

@test "in a log there is no carriage return and no escape sequence" {
    train --steps 3 >out 2>err
    run ! grep -q $'\r' err
    run ! grep -q $'\033' out err
}

@test "a terminal sees progress; with TERM=dumb nothing is redrawn" {
    export TERM=xterm
    # In a file, because script's shell is $SHELL or sh, and dash drops exported functions.
    { declare -f train && echo train --time 2s; } >train.bash
    script -qefc "bash train.bash" seen >/dev/null </dev/null
    grep -q $'\r\033' seen
    TERM=dumb script -qefc "bash train.bash" seen >/dev/null </dev/null
    run ! grep -q $'\033' seen
}

# What a terminal of so many columns gets from a command in a file.
on_terminal()
{
    script -qefc "stty cols $1; exec bash train.bash" seen >/dev/null </dev/null
    tr '\r\n' '\n\n' <seen | sed 's/\x1b\[[0-9;]*[A-Za-z]//g' >rows
}

@test "a progress line fits into the terminal and keeps its ETA; one program of a pipeline draws" {
    export TERM=xterm
    seq 300000 >long.txt
    for columns in 40 80 120; do
        {
            echo "cd '$PWD'; export PATH='$PATH'"
            echo "wtok encode -V tiny.vocab long.txt | wbatch -c tiny.json | wtrain -c tiny.json --time 2s"
        } >train.bash
        on_terminal $columns
        [ "$(grep -c '^step.*ETA' rows)" -ge 2 ]
        [ "$(grep '^step.*ETA' rows | awk '{ print length }' | sort -n | tail -1)" -lt $columns ]
        run ! grep -q '^encoded' rows
    done
    sed -i 's/--time 2s/--time 2s --progress never/' train.bash
    on_terminal 80
    run ! grep -q '^step.*ETA' rows
}

# The rows of progress among those of a terminal: neither a heading nor a message.
progress_rows()
{
    grep -vE '^(== |w[a-z]+( [a-z]+)?: |Script |$)' "$1"
}

@test "no row of any program's progress is wider than the terminal, which may become narrower" {
    export TERM=xterm
    cat text/*.txt >all.txt
    { printf '<mediawiki><siteinfo/>'
        seq 2000 | sed 's|.*|<page><title>&</title><ns>0</ns><id>&</id><revision><id>1</id><text>Text.</text></revision></page>|'
        echo '</mediawiki>'; } >dump.xml
    wgram learn -q -o tiny.counts tiny.tokens
    # What each reads after a second, in which it drew nothing.
    cat >programs <<'EOF'
all.txt wtok train -n 300 -o FOLDER/out
all.txt wtok encode -V tiny.vocab -o FOLDER/out
tiny.tokens wtok decode -o FOLDER/out
dump.xml wwiki extract -o FOLDER/out
all.txt wwiki clean -o FOLDER/out
tiny.tokens wbatch -c tiny.json -o FOLDER/out
tiny.tokens wgram learn -o FOLDER/out
tiny.tokens wgram add -m tiny.counts -o FOLDER/out
tiny.tokens wcat verify
tiny.tokens wcat copy -o FOLDER/out
tiny.batches wtrain -c tiny.json -o FOLDER/out
all.txt wsample -m tiny.wts --score -
EOF
    for columns in 40 80 120; do
        mkdir -p c$columns
        { echo "stty cols $columns; export PATH='$PATH'"
            sed -E "s|FOLDER|c$columns|; s|([^ ]+) (.*)|echo '== \2'; { sleep 1.1; cat \1; } \| \2 >c$columns/stdout|" programs
            echo "echo '== run'; { sleep 2; stty cols 40 </dev/tty; printf '\\n== narrow\\n'; } &"
            echo "wbatch -q -c tiny.json -e 100k tiny.tokens | wtrain -c tiny.json --time 4s -o c$columns/out"
        } >c$columns/run.bash
        script -qefc "bash c$columns/run.bash" c$columns/seen >/dev/null </dev/null &
    done
    wait
    for columns in 40 80 120; do
        tr '\r\n' '\n\n' <c$columns/seen | sed 's/\x1b\[[0-9;]*[A-Za-z]//g' >c$columns/rows
        progress_rows c$columns/rows | awk -v most=$columns 'length($0) >= most { print; wide = 1 } END { exit wide }'
        # every program drew
        awk '/^== / { if (name && !drew) { print name; none = 1 } name = $0; drew = 0; next }
            !/^(w[a-z]+( [a-z]+)?: |$)/ { drew = 1 } END { exit none }' c$columns/rows
        sed '1,/^== narrow$/d' c$columns/rows >rows
        [ "$(progress_rows rows | wc -l)" -ge 2 ]
        progress_rows rows | awk 'length($0) >= 40 { print; wide = 1 } END { exit wide }'
    done
}

@test "control characters of files and of the command line do not reach the terminal" {
    printf '{"d_model": 8, "\\u001b[31m": 1, "\\u009b": 2}' >escape.json
    ! wbatch -c escape.json x 2>said
    for word in $'--\033[31m' $'n\302\233m' $'n\377m' $'n\177m' naïve; do
        ! wcat "$word" 2>>said
    done
    run ! env LC_ALL=C grep -q $'[\033\302\233\377\177]' <(LC_ALL=C sed 's/na\xc3\xafve/naive/' said)
    grep -q '"?\[31m"' said
    grep -q naïve said
    # nor in JSON, which may hold some of them as they are
    cp text/1.txt $'a\302\233\177m.txt'
    wsample -q -m tiny.wts --score $'a\302\233\177m.txt' --json >said
    run ! env LC_ALL=C grep -q $'[\033\302\177]' said
    jq -e '.file == "a\u009b\u007fm.txt"' said
}

@test "an output keeps the permissions of the file that it replaces, but is never set-uid" {
    echo old >here
    chmod 6754 here
    wcat raw tiny.tokens >raw
    wcat copy -o here tiny.tokens
    [ "$(stat -c %a here)" = 754 ]
}

@test "a consumer that has enough ends the pipeline with 0 everywhere" {
    local status=0
    seq 200000 >long.txt
    wtok encode -V tiny.vocab long.txt | wbatch -c tiny.json | wtrain -c tiny.json --steps 2 \
        -o early.wts || status=("${PIPESTATUS[@]}")
    status=("${PIPESTATUS[@]}")
    echo "${status[@]}"
    [ "${status[*]}" = "0 0 0" ]
    [ -e early.wts ]
    wtok encode -V tiny.vocab long.txt | head -c 100 >/dev/null
    status=("${PIPESTATUS[@]}")
    [ "${status[*]}" = "0 0" ]
}

@test "killed upstream: the programs after it end with 3 and leave no file" {
    mkfifo feed
    cat text/*.txt >some.txt
    # wtok gets text but no end of it; then it is killed.
    (
        exec 9>feed
        cat some.txt >&9
        until [ -s pid ]; do sleep 0.05; done
        sleep 0.3
        kill -KILL "$(cat pid)"
    ) &
    run bash -c 'sh -c "echo \$\$ >pid; exec wtok encode -V tiny.vocab" <feed |
        wbatch -c tiny.json | wtrain -c tiny.json -o killed.wts
        echo "status ${PIPESTATUS[@]}"'
    wait
    echo "$output"
    [[ $output == *"status 137 3 3"* ]]
    [ ! -e killed.wts ]
}

@test "an upstream that fails: the programs after it end with 3 and say so" {
    run bash -c 'wtok encode -V tiny.vocab text no-such-file | wbatch -c tiny.json |
        wtrain -c tiny.json -o failed.wts
        echo "status ${PIPESTATUS[@]}"'
    echo "$output"
    [[ $output == *"status 4 3 3"* ]]
    [ ! -e failed.wts ]
}

@test "a full disk is status 4 and leaves no file" {
    run -4 bash -c 'wtok encode -V tiny.vocab text >/dev/full'
    run -4 bash -c 'wbatch -c tiny.json tiny.tokens >/dev/full'
    run -4 bash -c 'wsample -m tiny.wts -p The -n 20 >/dev/full'
    run -4 bash -c 'wcachefit tiny.json >/dev/full'
    run -4 bash -c 'wtok --help >/dev/full'
}

@test "the same bytes with one thread and with two" {
    for t in 1 2; do
        wtok train -q -t $t -n 300 -o $t.vocab text
        cmp $t.vocab tiny.vocab
        wtok encode -q -t $t -V tiny.vocab -o $t.tokens text
        wbatch -t $t -c tiny.json <$t.tokens >$t.batches
        wtrain -q -t $t -c tiny.json -o $t.wts $t.batches
    done
    cmp 1.tokens 2.tokens
    cmp 1.batches 2.batches
    cmp 1.wts 2.wts
}

@test "an output that is an input, or cannot be written, is told before the work, by every program" {
    local command
    mkfifo silent # who reads it waits
    while read -r command; do
        echo "$command"
        cp tiny.json input
        # shellcheck disable=SC2086
        run -2 ${command//IN/input} -o ./input
        [[ $output == *"./input: is the output and also an input"* ]]
        cmp input tiny.json
        # shellcheck disable=SC2086
        run -4 timeout 20 ${command//IN/silent} -o missing/output
        [[ $output == *"missing/output: cannot create"* ]]
    done <<END
wtok encode -V IN text
wtok decode IN
wtok import IN
wtok export -V IN
wtok read-ids -V IN tiny.json
wtok write-ids IN
wgram learn IN
wgram add -m IN tiny.tokens
wgram prune -s 1M IN
wbatch -c tiny.json IN
wbatch -c IN tiny.tokens
wtrain -c IN tiny.batches
wtrain --init IN tiny.batches
wtrain -c tiny.json --val IN tiny.batches
wcat copy IN
wcat split IN
wmodel strip IN
wmodel average tiny.wts IN
wmodel export IN
wwiki clean IN
wwiki extract IN
wcachefit IN
END
    run -4 timeout 20 wwiki clean -o out --log missing/log silent
    run -4 timeout 20 wtok train -o out --report missing/report silent
    run -4 timeout 20 wtok export -V silent -f gpt2 -o out --merges missing/merges
}

@test "what a killed program left of an output goes with the next one, and nobody else's" {
    local process live
    mkfifo waiting
    wtok encode -q -V tiny.vocab -o left.tokens waiting &
    process=$!
    until [ -n "$(find . -name '.left.tokens.*.tmp')" ]; do sleep 0.02; done
    kill -KILL $process
    wait $process || true
    [ "$(find . -name '.left.tokens.*.tmp' | wc -l)" -eq 1 ]
    # of a program that runs, of another machine, of another output
    wtok encode -q -V tiny.vocab -o left.tokens waiting &
    live=$!
    touch .left.tokens.$process.0123456789abcdef.0.tmp .other.tokens.$process.0.tmp
    until [ "$(find . -name ".left.tokens.$live.*.tmp" | wc -l)" -eq 1 ]; do sleep 0.02; done
    wtok encode -q -V tiny.vocab -o ./left.tokens text
    [ "$(find . -name ".left.tokens.$process.*.tmp")" = ./.left.tokens.$process.0123456789abcdef.0.tmp ]
    [ -n "$(find . -name ".left.tokens.$live.*.tmp")" ]
    [ -e .other.tokens.$process.0.tmp ]
    kill $live
    wait $live || true
}

@test "misuse is status 2, with a suggestion" {
    for program in 'wtok encode' 'wgram learn' wbatch wtrain wsample wcachefit wcat; do
        # shellcheck disable=SC2086
        run -2 --separate-stderr $program --versoin
        [[ $stderr == *--version* ]]
    done
    run -2 --separate-stderr wtok encod
    [[ $stderr == *encode* ]]
    sed 's/num_layers/n_layers/' tiny.json >misspelt.json
    run -2 --separate-stderr wtrain -c misspelt.json tiny.batches
    [[ $stderr == *num_layers* ]]
}

@test "a file is read, and standard input is not, when a file is named" {
    echo seen | { wtok encode -V tiny.vocab text/1.txt >/dev/null; read -r line; [ "$line" = seen ]; }
}

@test "the commands of the README work" {
    mkdir -p readme/configs readme/wiki
    cp text/1.txt readme/wiki
    for name in "$BATS_TEST_DIRNAME"/../../configs/*.json; do
        sed 's/300/16000/' tiny.json >"readme/configs/${name##*/}"
    done
    ln -s "$BATS_TEST_DIRNAME/../../pipelines" readme/pipelines
    cd readme
    # The blocks but for make, which the other tests are a part of, and for what takes files of others
    # or a measurement of the machine, which formats.bats and wcachefit.bats test, or a launcher (ranks.bats).
    awk '/^```sh/ { inside = 1; next } /^```/ { inside = 0 }
        inside && !/^make|^mpirun|^wtok import|^wcachefit (calibrate|search|plot|verify)/' \
        "$BATS_TEST_DIRNAME/../../README.md" >commands
    # Our own export stands for the model of somebody else, and a second for ten minutes.
    sed -i 's|gpt2/|wiki-hf|; s|texts/|wiki|; s|max_length=256|max_length=8|; s|--time 10m|--time 1s|' commands
    grep -q wtrain commands
    cp wiki/1.txt unseen.txt
    bash -euo pipefail commands </dev/null
}
