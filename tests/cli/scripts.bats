# The scripts of pipelines/, on small things.
bats_require_minimum_version 1.5.0
load tiny

setup()
{
    cd "$BATS_FILE_TMPDIR" || exit 1
    pipelines=$BATS_TEST_DIRNAME/../../pipelines
}

@test "every script has help, and refuses what it does not know" {
    for script in "$pipelines"/*.sh; do
        run -0 "$script" --help
        [[ ${lines[0]} == "usage: ${script##*/}"* ]]
    done
    for script in compare learn plot-loss slurm system-text train-wiki; do
        run -2 "$pipelines/$script.sh"
    done
}

@test "system-text.sh finds English, the same each time, as much as asked for" {
    "$pipelines/system-text.sh" one 300K
    "$pipelines/system-text.sh" two 300K
    diff -r one two
    [ "$(cat one/*.txt | wc -c)" -ge 307200 ]
    grep -q ' the ' one/*.txt
    # again, with less, beside files that are not its own
    echo mine | tee one/notes.txt one/chapter-00001.txt >one/1.txt
    "$pipelines/system-text.sh" one 20K
    [ "$(cat one/notes.txt one/chapter-00001.txt one/1.txt | sort -u)" = mine ]
    rm one/notes.txt one/chapter-00001.txt one/1.txt
    "$pipelines/system-text.sh" less 20K
    diff -r one less
}

@test "demo.sh works in the present folder when it is not in a source tree" {
    mkdir -p share/pipelines here
    cp "$pipelines/demo.sh" share/pipelines
    # stands in for the script that has a test of its own
    printf '#!/bin/sh\necho "$0" "$@" >>calls\n' >share/pipelines/learn.sh
    chmod +x share/pipelines/learn.sh
    cd here
    ../share/pipelines/demo.sh ../text >said
    grep 'learn.sh .* -o wtools-demo/demo ../text' calls
    grep 'wsample -m wtools-demo/demo.wts --counts wtools-demo/demo.counts' said
    [ ! -e ../build ] && [ ! -e ../share/build ]
}

@test "train-wiki.sh makes a model, and uses again what is there" {
    export VAL_FRACTION=0.2
    "$pipelines/train-wiki.sh" tiny.json text -- run --steps 3 >written
    [ -s run.vocab ] && [ -s run.val ] && [ -s run.jsonl ] && [ -s written ]
    wcat --verify run.wts
    touch -d '2001-01-01' run.vocab
    "$pipelines/train-wiki.sh" tiny.json text -- run --steps 3
    [ "$(stat -c %Y run.vocab)" -eq "$(date -d '2001-01-01' +%s)" ]
}

@test "train-wiki.sh trains without validation where there is none" {
    VAL_FRACTION=0 "$pipelines/train-wiki.sh" tiny.json text -- unsplit --steps 2
    [ -s unsplit.wts ] && [ ! -e unsplit.val ]
}

@test "train-wiki.sh validates with the end of a single document" {
    VAL_FRACTION=0.05 "$pipelines/train-wiki.sh" tiny.json text/1.txt -- single --steps 2
    [ -s single.wts ]
    jq -e -s 'map(select(.t == "eval"))[0].eval_tokens > 10' single.jsonl
}

@test "compare.sh puts measured beside predicted" {
    sed 's/"d_model": 16/"d_model": 32/' tiny.json >wide.json
    "$pipelines/compare.sh" -j -d 0.2s tiny.tokens tiny.json wide.json >table
    [ "$(jq -r .name table | tr '\n' ' ')" = "tiny wide " ]
    jq -e '.parameters > 0 and .memory.predicted > 0 and .memory.measured > 0
        and .tok_s.predicted > 0 and .tok_s.measured > 0 and .loss > 0' table
    # two of the same name are two
    mkdir -p other
    cp wide.json other/tiny.json
    printf '#!/bin/sh\necho "$@" >>wtrain.calls\nexec %s "$@"\n' "$(type -P wtrain)" >other/wtrain
    chmod +x other/wtrain
    PATH=$PWD/other:$PATH "$pipelines/compare.sh" -j -d 0.1s tiny.tokens tiny.json other/tiny.json >table
    [ "$(grep -o -e '--log .*' wtrain.calls | sort -u | wc -l)" -eq 2 ]
    wcachefit --json tiny.json other/tiny.json | jq -c '.configs[].figures.params' >parameters
    jq .parameters table | cmp - parameters
    "$pipelines/compare.sh" -d 0.1s tiny.tokens tiny.json wide.json >table
    grep -q 'tok/s predicted' table
    [ "$(grep -cE '^(tiny|wide) has the lowest loss|^  .* below that of (tiny|wide), at' table)" = 2 ]
}

@test "plot-loss.sh draws on the terminal and into a file" {
    command -v gnuplot || skip "gnuplot is not installed"
    wtrain -q -c tiny.json --steps 30 --log loss.jsonl --val tiny.batches --val-every 10 tiny.batches
    "$pipelines/plot-loss.sh" loss.jsonl | grep -q 'loss validation'
    "$pipelines/plot-loss.sh" -o loss.png loss.jsonl
    [ "$(head -c 4 loss.png | tail -c 3)" = PNG ]
    "$pipelines/plot-loss.sh" -o loss.svg loss.jsonl
    grep -q '<svg ' loss.svg
    grep -qx '</svg>' loss.svg
    : >empty.jsonl
    run -3 "$pipelines/plot-loss.sh" empty.jsonl
    run -2 "$pipelines/plot-loss.sh" -o
}

# The data that plot-loss.sh gives gnuplot, and the code, by a gnuplot that only copies them.
drawn()
{
    mkdir -p fake
    printf '#!/bin/sh\ncat ./*.train >%s/points\necho "$2" >%s/code\n: >picture\n' "$PWD" "$PWD" >fake/gnuplot
    chmod +x fake/gnuplot
    PATH=$PWD/fake:$PATH "$pipelines/plot-loss.sh" "$@"
}

@test "plot-loss.sh draws the last run of a log, however it ends" {
    step() { echo "{\"t\":\"step\",\"step\":$1,\"tokens\":$1,\"loss\":$2}"; }
    {
        echo '{"t":"header"}'
        step 1 9
        step 2 9
        echo '{"t":"header"}'
        step 1 4
        step 2 7
        echo '{"t":"header","resumed":"run.ckpt"}'
        step 2 2
        step 3 '"NaN"'
        printf '{"t":"step","st'
    } >runs.jsonl
    drawn runs.jsonl
    [ "$(tr '\t\n' '  ' <points)" = "1 4 2 3 " ]
}

@test "plot-loss.sh draws logs of any name, and runs nothing of them" {
    printf '{"t":"step","step":1,"tokens":1,"loss":2}\n' >"it's.jsonl"
    cp "it's.jsonl" "x'; system('touch called'); plot 'y.jsonl"
    drawn -o "a'b.png" "it's.jsonl" "x'; system('touch called'); plot 'y.jsonl"
    grep "title 'it''s'" code
    grep "title 'x''; system(''touch called''); plot ''y'" code
    [ -e "a'b.png" ]
    if command -v gnuplot; then
        "$pipelines/plot-loss.sh" -o "c'd.png" "it's.jsonl" "x'; system('touch called'); plot 'y.jsonl"
        [ -s "c'd.png" ] && [ ! -e called ]
    fi
}

@test "learn.sh makes a model, counts and their score in one go, and uses again what is there" {
    export XDG_CACHE_HOME=$PWD/cache
    "$pipelines/learn.sh" -t 8s -n 300 -o all text >said
    wcat verify all.wts all.counts
    jq -e '.bits_per_byte | all(.[]; . > 0) and .both < ([.network, .counts] | max)' all.score
    jq -e '.optimizer == "muon" and .vocab_size == 300' all.json
    tail -n 1 said | grep -q .
    # every stage but the sample is there
    cp all.wts before.wts
    "$pipelines/learn.sh" -t 8s -n 300 -o all text >again
    cmp all.wts before.wts
    diff said again
    # with a configuration and a text to measure with
    "$pipelines/learn.sh" -t 4s -n 300 -c tiny.json -v text/1.txt -o own text >/dev/null
    jq -e '.tokens > 0' own.score
    jq -e '.d_model == 16' own.json
}

# A folder with text, a configuration and a Makefile that includes the rules.
make_rules()
{
    rm -rf rules
    mkdir -p rules/conf
    cp -r text rules/text
    cp tiny.json rules/conf/small.json
    cd rules || return 1
    printf '%s\n' 'W_TEXT ?= $(wildcard text/*)' 'W_CONFIGS := conf' 'W_VAL_FRACTION ?= 0.2' \
        'W_VOCAB_SIZE ?= 300' 'W_TRAIN_FLAGS := --steps 3' 'W_SAMPLE_COUNT := 5' \
        "include $pipelines/wtools.mk" >Makefile
}

@test "wtools.mk takes file names as names, and runs nothing of them" {
    make_rules
    cp text/1.txt 'text/b$(touch${IFS}PWNED1).txt'
    cp text/1.txt 'text/c`touch${IFS}PWNED2`'"'q'.txt"
    cp text/1.txt 'text/d"e".txt'
    make work/tokens
    [ -z "$(find . -maxdepth 1 -name 'PWNED*')" ]
    # a name with a blank, and one document, whose end is for validation
    cp text/1.txt 'one text.txt'
    make W=single 'W_TEXT=one\ text.txt' single/small.wts
    [ -s single/small.wts ] && [ -s single/small.val ]
    make W=unsplit 'W_TEXT=one\ text.txt' W_VAL_FRACTION=0 unsplit/small.wts
    [ -s unsplit/small.wts ] && [ ! -e unsplit/small.val ]
}

@test "wtools.mk makes again what a variable changes, and what was deleted" {
    make_rules
    make work/small.wts
    run make work/small.wts
    [ -z "$output" ]
    run ! grep '^w' <(make -n work/small.wts)
    [ "$(make -n W_TRAIN_FLAGS='--steps 4' work/small.wts | grep -c '^wt')" -eq 1 ]
    make W_VOCAB_SIZE=280 W_VOCAB_FLAGS='--split gpt2' work/small.wts
    [ "$(wcat show --what header work/tokens | jq .tok.size)" -eq 280 ]
    rm work/vocab
    make W_VOCAB_SIZE=280 W_VOCAB_FLAGS='--split gpt2' work/small.wts
    [ -s work/vocab ]
    run make W=unscored unscored/small.score
    [ "$status" -eq 2 ]
    [[ $output == *"W_SCORE=FILE"* ]]
    [ ! -e unscored/small.wts ]
    make W_VOCAB_SIZE=280 W_VOCAB_FLAGS='--split gpt2' W_SCORE=text/1.txt work/small.score
    jq -e '.tokens > 0' work/small.score
}

@test "wtools.mk begins a stopped training anew on request, and keeps a vocabulary while the text grows" {
    make_rules
    make work/small.train work/small.val
    # as a training that was stopped leaves it
    wtrain -q -c conf/small.json -n 2 --checkpoints work/small.wts.ckpt work/small.train
    sed -i 's/0.01/0.02/' conf/small.json
    run make work/small.wts
    [ "$status" -ne 0 ]
    [[ $output == *"remove work/small.wts.ckpt to begin anew"* ]]
    make W_ANEW=1 work/small.wts
    make W=undisturbed undisturbed/small.wts
    cmp <(wcat raw work/small.wts) <(wcat raw undisturbed/small.wts)
    # a vocabulary of one's own
    cp work/vocab kept.vocab
    cp text/1.txt text/new.txt
    make W_VOCAB=kept.vocab work/tokens
    [ "$(wcat --what header work/tokens | jq -c .tok)" = "$(wcat --what header undisturbed/tokens | jq -c .tok)" ]
    [ "$(wtok decode work/tokens | wc -c)" -gt "$(wtok decode undisturbed/tokens | wc -c)" ]
    [ kept.vocab -ot text/new.txt ]
}

@test "scripts take names that begin with a dash, and follow no link that others made" {
    mkdir -p dashes
    cp text/*.txt dashes
    cp text/1.txt dashes/-oPWN.txt
    (cd dashes && VAL_FRACTION=0 "$pipelines/train-wiki.sh" ../tiny.json ./*.txt -oPWN.txt -- ../dash --steps 1)
    [ -s dash.vocab ] && [ ! -e dashes/PWN.txt ]
    printf '{"t":"step","step":1,"tokens":1,"loss":2}\n' >./-run.jsonl
    echo mine >victim
    ln -s victim p.png.tmp
    drawn -o p.png -- -run.jsonl
    [ -e p.png ] && [ "$(cat victim)" = mine ]
}
