# The scripts of pipelines/, on small things.
bats_require_minimum_version 1.5.0
load tiny

setup_file()
{
    make_tiny
}

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
    for script in compare plot-loss system-text train-wiki; do
        run -2 "$pipelines/$script.sh"
    done
}

@test "system-text.sh finds English, the same each time, as much as asked for" {
    "$pipelines/system-text.sh" one 60K
    "$pipelines/system-text.sh" two 60K
    diff -r one two
    [ "$(cat one/*.txt | wc -c)" -ge 61440 ]
    grep -q ' the ' one/*.txt
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

@test "compare.sh puts measured beside predicted" {
    sed 's/"d_model": 16/"d_model": 32/' tiny.json >wide.json
    "$pipelines/compare.sh" -j -d 0.2s tiny.tokens tiny.json wide.json >table
    [ "$(jq -r .name table | tr '\n' ' ')" = "tiny wide " ]
    jq -e '.parameters > 0 and .memory.predicted > 0 and .memory.measured > 0
        and .tok_s.predicted > 0 and .tok_s.measured > 0 and .loss > 0' table
    "$pipelines/compare.sh" -d 0.1s tiny.tokens tiny.json | grep -q 'tok/s predicted'
}

@test "plot-loss.sh draws on the terminal and into a file" {
    command -v gnuplot || skip "gnuplot is not installed"
    wtrain -q -c tiny.json --steps 30 --log loss.jsonl --val tiny.batches --val-every 10 tiny.batches
    "$pipelines/plot-loss.sh" loss.jsonl | grep -q 'loss validation'
    "$pipelines/plot-loss.sh" -o loss.png loss.jsonl
    [ "$(head -c 4 loss.png | tail -c 3)" = PNG ]
    : >empty.jsonl
    run -3 "$pipelines/plot-loss.sh" empty.jsonl
}
