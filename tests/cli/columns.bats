# Columns of counts beside the ids: from tokens to batches through every program that reads them.
# shellcheck disable=SC2086

load tiny

setup_file()
{
    bats_require_minimum_version 1.5.0
    make_tiny || return 1
    "$BUILD/tests/add_columns" tiny.tokens counted.tokens || return 1
    wbatch -q -c tiny.json -o counted.batches counted.tokens
}

setup()
{
    cd "$BATS_FILE_TMPDIR" || return 1
    set -o pipefail
}

# A column of a stream as numbers, a record's worth a line: FILE NAME TYPE NUMBERS
column()
{
    wcat raw --column "$2" "$1" | od -An -v -t"$3" -w"$4"
}

@test "a stream of ids alone is what it was: its records are its ids" {
    wcat --what header tiny.tokens | jq -e '.rec == [{name: "tok", dtype: "u16", shape: []}]'
    wcat --what header tiny.batches | jq -e '.rec == [{name: "x", dtype: "u16", shape: [4, 17]}]'
    cmp <(wcat raw tiny.tokens) <(wcat raw --column tok tiny.tokens)
    cmp <(wcat raw tiny.tokens) <(wcat raw --column tok counted.tokens)
}

@test "batches have the known columns, those of larger numbers first" {
    wcat --what header counted.batches | jq -ec '.rec | map([.name, .dtype, .shape]) ==
        [["lp", "f32", [4, 17]], ["x", "u16", [4, 17]], ["ctx", "u8", [4, 17, 8]]]'
    # the ids are those of the batches without columns
    cmp <(wcat raw tiny.batches) <(wcat raw --column x counted.batches)
}

@test "every id of every batch has its own columns beside it" {
    paste <(column counted.batches lp f4 4) <(column counted.batches x u2 2) \
        <(column counted.batches ctx u1 8) | awk '{ $1 = -$1 * 65536 - 1; print }' | sort -u >batched
    paste <(column counted.tokens lp f4 4) <(column counted.tokens tok u2 2) \
        <(column counted.tokens ctx u1 8) | awk '{ $1 = -$1 * 65536 - 1; print }' | sort -u >given
    [ "$(wc -l <batched)" -gt 1000 ]
    # what was dropped at the end of the text or of the epoch is in no batch
    [ -z "$(comm -23 batched given)" ]
    [ "$(comm -13 batched given | wc -l)" -lt 80 ]
}

@test "pipes, windows, shards, parts, epochs and starts keep columns with their ids" {
    for options in "-w 500" "--no-shuffle" "--shard 1/3" "--val-fraction 0.3" \
        "--val-fraction 0.3 --split val" "--epochs 2" "--start 3"; do
        wbatch -q -c tiny.json --no-provenance $options counted.tokens >a
        wbatch -q -c tiny.json $options tiny.tokens | wcat raw >ids
        cmp <(wcat raw --column x a) ids
        # shellcheck disable=SC2002
        [ "$options" = "--epochs 2" ] || # a pipe is read once
            cmp <(cat counted.tokens | wbatch -q -c tiny.json $options | wcat raw) <(wcat raw a)
    done
}

@test "tokens with columns are decoded, counted, joined and cut by their ids" {
    cmp <(wtok decode tiny.tokens) <(wtok decode counted.tokens)
    wcat verify counted.tokens counted.batches
    [ "$(wcat --what stats counted.tokens | jq -c .tokens)" = \
        "$(wcat --what stats tiny.tokens | jq -c .tokens)" ]
    wcat copy --to 100 -o head.tokens counted.tokens
    wcat copy --from 100 -o tail.tokens counted.tokens
    wcat copy -o joined.tokens head.tokens tail.tokens
    cmp <(wcat raw counted.tokens) <(wcat raw joined.tokens)
    run -3 wcat copy -o mixed.tokens counted.tokens tiny.tokens
    [[ $output == *'"rec"'* ]]
    run -3 wbatch -q -c tiny.json -o mixed.batches counted.tokens tiny.tokens
    [[ $output == *"other columns"* ]]
    [ ! -e mixed.batches ]
}

@test "an lp that is no log-probability is bad input, with its place" {
    for lp in 0.25 nan -inf; do
        "$BUILD/tests/add_columns" tiny.tokens spoilt.tokens 345 $lp
        run -3 wcat verify spoilt.tokens
        [[ $output == *"spoilt.tokens: member 1: record 345: lp"* ]]
        run -3 wbatch -q -c tiny.json -o spoilt.batches spoilt.tokens
        [[ $output == *"spoilt.tokens: member 1, record 345: lp"* ]]
        [ ! -e spoilt.batches ]
    done
}

@test "raw writes one column, if there is one of that name" {
    run -3 wcat raw --column lq counted.tokens
    [[ $output == *"no column is called lq"* ]]
    run -3 wcat raw --column wte.weight tiny.wts
    run -2 wcat raw --column lp --tensor lp counted.tokens
    [ "$(wcat raw --column unknown counted.tokens | wc -c)" -eq \
        "$(wcat raw --column tok counted.tokens | wc -c | awk '{ print 4 * $1 }')" ]
}
