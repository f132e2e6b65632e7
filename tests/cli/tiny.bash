# tiny.bash: what the tests of several programs work on, made once a file in $BATS_FILE_TMPDIR: some
# text in documents, a vocabulary of 300, and a model that trains in milliseconds. Use:
#
#     load tiny
#
# which is all where tests work in that folder; others have a setup_file() or setup() of their own after it.

bats_require_minimum_version 1.5.0

setup_file()
{
    make_tiny
}

setup()
{
    cd "$BATS_FILE_TMPDIR" || return 1
    set -o pipefail
}

make_tiny()
{
    cd "$BATS_FILE_TMPDIR" || return 1
    mkdir -p text
    local i
    for i in $(seq 40); do
        seq "$i" 17 900 | awk '{ print "The history of number", $1, "is a long and winding road of",
            $1 * 3, "words." }' >"text/$i.txt"
    done
    cat >tiny.json <<'JSON'
{
    "d_model": 16, "num_heads": 2, "num_layers": 1, "d_ff": 32, "vocab_size": 300,
    "batch_size": 4, "max_length": 16, "learning_rate": 0.01
}
JSON
    wtok train -q -n 300 -o tiny.vocab text || return 1
    wtok encode -q -V tiny.vocab -o tiny.tokens text || return 1
    wbatch -q -c tiny.json -o tiny.batches tiny.tokens || return 1
    wtrain -q -c tiny.json --steps 2 -o tiny.wts tiny.batches
}
