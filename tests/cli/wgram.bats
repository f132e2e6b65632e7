# wgram: counts of n-grams from files and pipes, what they say of tokens, and failures.
bats_require_minimum_version 1.5.0
load tiny

setup_file()
{
    make_tiny
    wtok encode -q -V tiny.vocab -o half.tokens text/1*
    wtok encode -q -V tiny.vocab -o other.tokens text/2*
    wgram learn -q -o tiny.counts tiny.tokens
}

setup()
{
    cd "$BATS_FILE_TMPDIR" || exit 1
    set -o pipefail
}

bits() { wgram score --json "$@" | jq .bits_per_byte; }

@test "a file, a pipe and any number of threads give the same counts" {
    wgram learn -q --no-provenance -t 1 -o one tiny.tokens
    wgram learn -q --no-provenance -t 3 <tiny.tokens >three
    dd if=tiny.tokens bs=7 status=none | wgram learn -q --no-provenance -t 2 --level 4 >packed
    cmp one three
    cmp <(wcat raw one) <(wcat raw packed)
    wcat verify one packed
    [ "$(stat -c %s packed)" -lt "$(stat -c %s one)" ]
}

@test "the columns are those of the score, and do not depend on threads" {
    for mode in '' --leave-out --count-on; do
        # shellcheck disable=SC2086
        for t in 1 3; do
            wgram add -q -t $t -m tiny.counts $mode --no-provenance -o "$t.cols" tiny.tokens
        done
        cmp 1.cols 3.cols
        cmp <(wcat raw --column tok 1.cols) <(wcat raw tiny.tokens)
        # shellcheck disable=SC2086
        wgram score -m tiny.counts --json $mode tiny.tokens |
            jq -r .bits_per_token >score
        wcat raw --column lp 1.cols | od -An -v -tf4 -w4 |
            awk -v want="$(cat score)" '{ sum -= $1 } END {
                got = sum / log(2) / NR; exit !(got - want < 1e-5 && want - got < 1e-5) }'
        wcat raw --column ctx 1.cols | od -An -v -tu1 -w8 >ctx
        [ "$(wc -l <ctx)" -eq "$(wcat --what stats tiny.tokens | jq .records)" ]
    done
}

@test "columns go on into batches" {
    wgram add -q -m tiny.counts --leave-out tiny.tokens | wbatch -q -c tiny.json -o counted.batches
    [ "$(wcat --what header counted.batches | jq -r '[.rec[].name] | join(" ")')" = 'lp x ctx' ]
}

@test "what was counted is more probable, and less so when its document is left out" {
    wgram learn -q --no-document -o half.counts half.tokens
    seen=$(bits -m half.counts half.tokens)
    left=$(bits -m half.counts --leave-out half.tokens)
    frozen=$(bits -m half.counts other.tokens other.tokens)
    on=$(bits -m half.counts --count-on other.tokens other.tokens) # the second time it is known
    jq -en "$seen < 0.9 * $left and $on < 0.95 * $frozen"
}

@test "streams of several files are one text" {
    wgram learn -q --no-provenance half.tokens other.tokens | wcat raw >two
    cat half.tokens other.tokens | wgram learn -q --no-provenance | wcat raw >joined
    cmp two joined
    wgram learn -q -o two.counts half.tokens other.tokens
    wgram score -m two.counts --leave-out half.tokens other.tokens
}

@test "pruned counts are smaller, still whole, and cannot leave a document out" {
    wgram prune -q -s 5k -o small.counts tiny.counts
    [ "$(wgram info --json small.counts | jq 'if .pruned then .bytes else 99999 end')" -le 5000 ]
    wgram prune -q --min-counts 1,2 <tiny.counts >less.counts
    wcat verify small.counts less.counts
    jq -en "$(bits -m small.counts tiny.tokens) > $(bits -m less.counts tiny.tokens)"
    run -3 --separate-stderr wgram score -m small.counts --leave-out tiny.tokens
    [[ $stderr == *'pruned'* ]]
    run -3 wgram prune -s 5k small.counts -o none
    run -3 wgram prune -s 10 tiny.counts -o none
    for wrong in "" "--min-counts x" "--min-counts 1,2,3,4,5,6" "-s 1 tiny.counts"; do
        # shellcheck disable=SC2086
        run -2 wgram prune $wrong tiny.counts
    done
    [ ! -e none ]
}

@test "what a document repeats is mixed in, unless the counts are made without it" {
    wgram learn -q --no-document -o plain.counts half.tokens
    wgram learn -q -o half.counts half.tokens
    wgram info --json half.counts | jq -e .document
    wgram info --json plain.counts | jq -e '.document | not'
    wgram info half.counts | grep -q 'and the document'
    cmp <(wcat raw plain.counts) <(wcat raw half.counts) # the counts themselves are the same
    wgram prune -q -s 5k half.counts | wgram info --json | jq -e '.document and .pruned'
    # One document that says the same thing twice: the second time much of it is known.
    seq 1 3 300 >once
    cat once once >twice
    score() { wtok encode -q -V tiny.vocab "$2" | wgram score --json -m "$1" | jq '.bits_per_token * .tokens'; }
    jq -en "$(score half.counts twice) < 0.7 * $(score plain.counts twice)"
    jq -en "$(score plain.counts twice) > 1.9 * $(score plain.counts once)"
}

@test "info says what is in the counts" {
    wgram info --json tiny.counts >info
    jq -e '.order == 5 and .vocab == 300 and (.orders | length) == 5 and .orders[0].contexts == 1 and
        .orders[1].contexts == 300 and (.pruned | not)' info
    [ "$(jq .counted info)" -eq "$(wcat --what stats tiny.tokens | jq .records)" ]
    wgram info tiny.counts | grep -q 'order 5'
}

@test "other text than the one that was counted is not left out" {
    wgram learn -q -o half.counts half.tokens
    run -3 --separate-stderr wgram add -m half.counts --leave-out -o none other.tokens
    [[ $stderr == *'of another text'* ]]
    [ ! -e none ]
}

@test "another vocabulary is refused" {
    wtok train -q -n 280 -o small.vocab text
    wtok encode -q -V small.vocab -o small.tokens text/1.txt
    run -3 --separate-stderr wgram score -m tiny.counts small.tokens
    [[ $stderr == *'one vocabulary'* ]]
}

@test "misuse is status 2 and says what to do" {
    run -2 --separate-stderr wgram score tiny.tokens
    [[ $stderr == *'wgram learn'* ]]
    run -2 --separate-stderr wgram add -m tiny.counts --leave-out --count-on tiny.tokens
    [[ $stderr == *'give one of them'* ]]
    run -2 wgram learn -n 7 -o none tiny.tokens
    run -2 wgram learn -n 1 -o none tiny.tokens
    [ ! -e none ]
}

@test "what is no counts, or no tokens, is status 3" {
    run -3 --separate-stderr wgram score -m tiny.tokens tiny.tokens
    [[ $stderr == *'holds tokens, not counts'* ]]
    run -3 --separate-stderr wgram score -m tiny.counts tiny.counts
    [[ $stderr == *'holds counts, not tokens'* ]]
    head -c 3000 tiny.counts >cut
    run -3 --separate-stderr wgram info cut
    [[ $stderr == *cut* ]]
    run -3 wgram info /dev/null
    run -3 --separate-stderr bash -c 'wtok encode -q -V tiny.vocab no-such | wgram learn -o none'
    [ ! -e none ]
    run -4 wgram score -m no-such tiny.tokens
}

@test "a reader that has enough ends it well, a full disk does not" {
    wgram add -q -m tiny.counts tiny.tokens tiny.tokens tiny.tokens tiny.tokens | head -c 100 >/dev/null
    run -4 bash -c 'wgram learn tiny.tokens >/dev/full'
    run -4 bash -c 'wgram score -m tiny.counts tiny.tokens >/dev/full'
}
