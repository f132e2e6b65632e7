# A run that is resumed takes the same batches, whoever writes them with which flags, and no others.
# W_PAIRS: how many random pairs of command lines are tried.

load tiny

# One of the words.
pick()
{
    local words=("$@")
    echo "${words[RANDOM % $#]}"
}

# A pipeline that writes the batches of tiny.json, with random flags that decide none of them.
batches_somehow()
{
    local tokens batches="wbatch -c $(pick tiny.json ./tiny.json "$PWD/tiny.json") $(pick '' -q -v) \
        $(pick '' '-t 2' '-t 3') $(pick '' '--level 0' '--level 7') $(pick '' --no-provenance) \
        $(pick '' '-b 4' '-T 16' '--seed 1' '--epochs 2' '--set learning_rate=0.5' '--window 1M')"
    tokens="wtok encode $(pick '' -q -v) $(pick '' '-t 2' '-t 3') $(pick '' --no-provenance) \
        $(pick '' '--level 0' '--level 7') $(pick '' --verify '--format plain') \
        -V $(pick tiny.vocab ./tiny.vocab tiny.tokens) $(pick text text/ 'text/*' './text/*.txt')"
    case $((RANDOM % 4)) in
        0) echo "$tokens -o some.tokens && $batches some.tokens" ;;
        1) echo "$tokens | wcat copy | $batches" ;;
        2) echo "$tokens | $batches -o some.batches && cat some.batches" ;;
        *) echo "$tokens | $batches" ;;
    esac
}

# resumed COMMAND: go on, from the checkpoint of step 5 of the batches that COMMAND writes.
resumed()
{
    rm -rf ck
    cp -r five ck
    eval "$1" 2>writing.err | wtrain -q -c tiny.json --resume ck -n 12 -o m.wts
}

# begun COMMAND: a whole run of those batches, and one that stopped at step 5.
begun()
{
    rm -rf five
    eval "$1" 2>writing.err | wtrain -q -c tiny.json -n 12 -o whole.wts
    eval "$1" 2>writing.err | wtrain -q -c tiny.json -n 5 --checkpoints five
}

encode='wtok encode -q -V tiny.vocab text/*'
batch='wbatch -q -c tiny.json'

@test "flags and names that decide no record: a resumed run ends with the same bytes" {
    local variant
    begun "$encode | $batch"
    for variant in "wtok encode -V tiny.vocab text/* | $batch" "$encode -t 2 | $batch" \
        "wtok encode -q -V tiny.vocab text/ | $batch" \
        "wtok encode -q -V ./tiny.vocab text/* | $batch" "$encode | $batch -t 2" \
        "$encode | wbatch -c tiny.json" "$encode --no-provenance | $batch --no-provenance" \
        "$encode -o some.tokens && $batch -o some.batches some.tokens && cat some.batches" \
        "$encode --level 0 | $batch --level 9"; do
        echo "$variant"
        resumed "$variant"
        cmp m.wts whole.wts
    done
}

@test "random pairs of such flags too" {
    local number first second
    RANDOM=${W_SEED:=$RANDOM}
    for ((number = 0; number < ${W_PAIRS:-8}; number++)); do
        first=$(batches_somehow)
        second=$(batches_somehow)
        echo "W_SEED=$W_SEED, pair $number: begun by $first, resumed by $second"
        begun "$first"
        resumed "$second"
        cmp m.wts whole.wts
    done
}

@test "other data are refused, with what differs" {
    begun "$encode | $batch"
    mkdir edited
    cp text/* edited
    sed -i '$ s/words/wordz/' edited/40.txt
    wtok train -q -n 299 -o other.vocab text
    local change
    while IFS='|' read -r change differs; do
        echo "$change"
        run -3 --separate-stderr resumed "${change//;/|}"
        [[ $stderr == *"other data than the checkpoint was trained on ($differs"*"or remove ck to begin anew" ]]
    done <<END
$encode ; $batch --seed 2|seed 2, not 1)
$encode ; $batch --no-shuffle|shuffle false, not true)
$encode ; $batch --shard 1/2|shard [1,2], not none)
$encode ; $batch --val-fraction 0.1|split {"part":"train",
wtok encode -q -V other.vocab text/* ; $batch|size of the vocabulary 299, not 300)
wtok encode -q -V tiny.vocab edited/* ; $batch|text "
$encode ; $batch -n 4|they are 4 batches, and it has had 5)
END
    # Of a stream that passes, the batches so far are what is known.
    begun "$encode | $batch --window 100"
    resumed "$encode | $batch --window 100"
    run -3 --separate-stderr resumed "$encode | $batch --window 120"
    [[ $stderr == *"(they differ before batch 5)"* ]]
}

@test "batches that begin where the checkpoint stands, or before it" {
    begun "$encode | $batch"
    local start
    for start in 1 4 5; do
        resumed "$encode | $batch --start $start"
        cmp m.wts whole.wts
    done
    run -3 --separate-stderr resumed "$encode | $batch --start 6"
    [[ $stderr == *"(they begin with batch 6, and it continues with batch 5: wbatch --start 5)"* ]]
    # a text that differs in what was passed
    begun "$encode | $batch --no-shuffle"
    sed -i '1 s/history/histery/' text/1.txt
    run -3 --separate-stderr resumed "$encode | $batch --no-shuffle --start 5"
    [[ $stderr == *"(they differ before batch 5)"* ]]
    sed -i '1 s/histery/history/' text/1.txt
    resumed "$encode | $batch --no-shuffle --start 5"
}
