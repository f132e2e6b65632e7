# wbatch: the same records from files and pipes, parts that fit together, and failures.
# shellcheck disable=SC2086,SC2002

setup_file()
{
    bats_require_minimum_version 1.5.0
    cd "$BATS_FILE_TMPDIR" || return 1
    # 90 documents of 20 to 200 words
    mkdir text
    awk 'BEGIN {
        srand(1)
        for (d = 10; d < 100; d++)
            for (i = int(20 + 180 * rand()); i > 0; i--)
                printf "%s%s", substr("the of and in to a is was river town king war year ", 1 + int(40 * rand()), 7), (i % 9 ? " " : "\n") > ("text/" d)
    }'
    wtok train -q -n 400 -o vocab text/*
    wtok encode -q -V vocab -o tokens text/*
}

setup()
{
    cd "$BATS_FILE_TMPDIR" || return 1
    set -o pipefail
    size="-q -b 4 -T 16"
}

# The ids of a batch stream as text, a sequence of 17 a line
sequences()
{
    wcat raw "$@" | od -An -v -tu2 -w34
}

@test "batches are decoded as a model sees them, without padding" {
    wbatch $size tokens -o some.batch
    wtok decode --separator $'\001' some.batch >decoded
    [ "$(tr -cd '\001' <decoded | wc -c)" -eq $((4 * $(wcat --what stats some.batch | jq .records))) ]
    wcat raw some.batch | head -c 34 >ids
    wtok read-ids -q -V vocab ids | wcat copy --to 17 -o one.tok
    [ "$(cut -d $'\001' -f 1 -z <decoded | tr -d '\0')" = "$(wtok decode --separator '<|endoftext|>' one.tok)" ]
    # All of the text, each target once: what a sequence has before its first target is that of the one before.
    wbatch $size --split val --val-fraction 1 tokens -o all.batch
    wtok decode --separator '' all.batch >decoded
    [ "$(wc -c <decoded)" -gt "$(wtok decode tokens | wc -c)" ]
    [ "$(wc -c <decoded)" -lt "$(($(wtok decode --separator '<|endoftext|>' tokens | wc -c) * 12 / 10))" ]
}

@test "a file, a pipe and a pipe of single bytes give the same bytes" {
    wbatch $size --no-provenance tokens -o file.batch
    wbatch $size --no-provenance <tokens >redirected.batch
    cat tokens | wbatch $size --no-provenance >pipe.batch
    dd if=tokens bs=1 status=none | wbatch $size --no-provenance >bytes.batch
    wcat --verify file.batch
    cmp file.batch redirected.batch
    cmp file.batch pipe.batch
    cmp file.batch bytes.batch
}

@test "runs repeat, threads do not matter, the seed does" {
    wbatch $size --no-provenance -s 5 -t 1 tokens >one.batch
    wbatch $size --no-provenance -s 5 -t 3 tokens >three.batch
    wbatch $size --no-provenance -s 6 tokens >other.batch
    cmp one.batch three.batch
    run ! cmp -s one.batch other.batch
    # Only the sequences that fill no batch, at most 3 of each run, may differ.
    comm -3 <(sequences one.batch | sort) <(sequences other.batch | sort) >differences
    [ "$(wc -l <differences)" -le 6 ]
}

@test "the tail of a run is the run from there" {
    for window in "" "-w 1000"; do
        wbatch $size $window tokens | wcat raw >whole
        for k in 0 1 7 23; do
            wbatch $size $window --start $k tokens | wcat raw >rest
            cmp <(tail -c +$((k * 4 * 17 * 2 + 1)) whole) rest
        done
    done
    wbatch $size --epochs 3 tokens | wcat raw >whole
    epoch=$(wbatch $size tokens | wcat --what header | jq .epoch_len)
    wbatch $size --epochs 3 --start $((epoch + 2)) tokens | wcat raw >rest
    cmp <(tail -c +$(((epoch + 2) * 4 * 17 * 2 + 1)) whole) rest
    run -2 wbatch $size --start 99999 tokens
    [[ $output == *"only "*" batches"* ]]
}

@test "shards are disjoint and complete" {
    wbatch -q -b 1 -T 16 tokens | wcat raw | od -An -v -tu2 -w34 | sort >all
    for i in 0 1 2; do
        wbatch -q -b 1 -T 16 --shard $i/3 tokens | wcat raw | od -An -v -tu2 -w34
    done | sort >joined
    [ -s all ]
    cmp all joined
}

# The targets of a batch stream for validation, one a line: those that are text
targets()
{
    paste -d' ' <(wcat raw --column targets "$1" | od -An -v -tu4 -w4) \
        <(wcat raw --column x "$1" | od -An -v -tu2 -w34) |
        awk '{ for (i = 1; i <= $1; i++) print $(i + 2) }'
}

ids_of()
{
    wcat raw --column tok "$@" | od -An -v -tu2 -w2 | tr -d ' '
}

@test "training and validation take every document once" {
    for part in train val; do
        wcat split --split $part --val-fraction 0.2 -o $part.tokens tokens
        [ -s $part.tokens ]
    done
    # training: all ids, but for those that fill no batch
    wbatch -b 1 -T 1 --val-fraction 0.2 --no-shuffle tokens 2>said |
        wcat raw | od -An -v -tu2 -w4 | awk '{ print $1 }' >train.ids
    cmp train.ids <(ids_of train.tokens | head -n -1)
    grep "read $(ids_of tokens | wc -l) tokens in 90 documents, took $(ids_of train.tokens | wc -l) in" said
    # validation: all ids, in their order, whatever the batches and the seed
    for options in "-b 1" "-b 3" "-b 8 -s 5" "-b 8 --no-shuffle" "-b 8 -w 100"; do
        wbatch -q -T 16 $options --val-fraction 0.2 --split val -o val.batch tokens
        wcat verify val.batch
        cmp <(targets val.batch) <(ids_of val.tokens)
    done
    # the seed, which does not matter, is not in it
    for seed in 1 2; do
        wbatch $size -s $seed --no-provenance --val-fraction 0.2 --split val -o $seed.val tokens
    done
    cmp 1.val 2.val
    # shards share it
    for i in 0 1 2; do
        wbatch $size --val-fraction 0.2 --split val --shard $i/3 -o $i.val tokens
        targets $i.val
    done | sort | cmp - <(ids_of val.tokens | sort)
    # all of another text; no more of it than was asked for
    wbatch $size --val-fraction 1 --split val -o all.val tokens
    cmp <(targets all.val) <(ids_of tokens)
    wbatch $size --val-fraction 1 --split val -n 3 -o some.val tokens
    cmp <(targets some.val) <(ids_of tokens | head -n $((3 * 4 * 16)))
}

@test "one reading gives both parts, from a file and from a pipe, held or not" {
    wbatch $size --no-provenance --val-fraction 0.2 -o train.batch tokens
    wbatch $size --no-provenance --val-fraction 0.2 --split val -o val.batch tokens
    for options in "" "-t 3" "-w 1000" "-n 3"; do
        rm -f beside.val
        # shellcheck disable=SC2002
        cat tokens | wbatch $size --no-provenance $options --val-fraction 0.2 --val-output beside.val \
            -o both.batch
        cmp val.batch beside.val
        # the other stream is what it is without, but for the word that validation comes later
        wbatch $size --no-provenance $options --val-fraction 0.2 -o alone.batch tokens
        if [ "$options" = "-w 1000" ]; then
            cmp <(wcat raw both.batch) <(wcat raw alone.batch)
            [ "$(wcat --what header both.batch | jq -c 'del(.val_later)')" = \
                "$(wcat --what header alone.batch)" ]
        else
            cmp both.batch alone.batch
        fi
    done
    # as wtrain finds it: before the first batch where all is held
    wbatch $size --no-provenance --val-fraction 0.2 --val-output early.val --epochs 0 tokens | {
        head -c 100 >/dev/null
        cmp early.val val.batch
    }
    # nothing appears of a text that was cut
    head -c -10 tokens >shortened
    run -3 wbatch $size --val-fraction 0.2 --val-output never.val -o never.batch shortened
    run -3 wbatch $size --val-fraction 0.2 --val-output never.val -w 100 -o never.batch shortened
    [ -z "$(find . -name '*never*')" ]
}

@test "a text without documents for one part is split inside, and that is told" {
    cat text/* >one.txt
    wtok encode -q -V vocab -o one.tokens one.txt
    wtok encode -q -V vocab -o three.tokens text/10 text/11 text/12
    for name in one three; do
        wbatch -b 2 -T 16 --val-fraction 0.05 --val-output $name.val -o $name.batch $name.tokens 2>said
        grep 'the last tokens of the text are for validation' said
        n=$(ids_of $name.tokens | wc -l)
        cmp <(targets $name.val) <(ids_of $name.tokens | tail -n $((n / 20)))
        cmp <(ids_of $name.tokens | tail -n $((n / 20))) \
            <(wcat split --val-fraction 0.05 --split val $name.tokens 2>said | ids_of)
        grep 'the last tokens of the text are for validation' said
        wcat split -q --val-fraction 0.05 -o $name.train $name.tokens
        cmp <(ids_of $name.train) <(ids_of $name.tokens | head -n $((n - n / 20)))
        wbatch -q -b 2 -T 16 -o alone.batch $name.train
        cmp <(wcat raw $name.batch) <(wcat raw alone.batch)
    done
}

@test "the header says what is inside and hands the vocabulary on" {
    wbatch $size -s 7 --epochs 2 tokens >b.batch
    wcat --what header b.batch >h
    [ "$(jq -c '[.kind, .rec[0].shape, .rec[0].dtype, .seed, .epochs]' h)" = '["batch",[4,17],"u16",7,2]' ]
    [ "$(jq -c '[.vocab, .eot, .tok]' h)" = "$(wcat --what header tokens | jq -c '[.vocab, .eot, .tok]')" ]
    [ "$(jq -r .argv h)" = "wbatch ${size#-q } -s 7 --epochs 2 tokens" ]
    [[ $(jq -r .src.argv h) == "wtok encode"* ]]
    records=$(wcat --what stats b.batch | jq .records)
    [ "$records" -eq $((2 * $(jq .epoch_len h))) ]
    wbatch $size --no-provenance tokens | wcat --what header | jq -e '(has("argv") or has("src")) | not'
}

@test "sizes come from the configuration, then from options" {
    echo '{"d_model": 8, "num_heads": 2, "num_layers": 1, "d_ff": 16, "vocab_size": 400,
        "batch_size": 3, "max_length": 12, "learning_rate": 0.001, "seed": 11}' >c.json
    [ "$(wbatch -q -c c.json tokens | wcat --what header | jq -c '[.rec[0].shape, .seed]')" = "[[3,13],11]" ]
    [ "$(wbatch -q -c c.json --set batch_size=5 -T 6 tokens | wcat --what header | jq -c '.rec[0].shape')" = "[5,7]" ]
    run -3 wbatch -o x.batch -c c.json --set vocab_size=300 tokens
    [[ $output == *"vocab_size is 300"* ]]
    run -2 wbatch -c c.json --set bacth_size=5 tokens
    [[ $output == *'--set bacth_size=5'*batch_size* ]]
}

@test "a consumer that has enough ends it quietly" {
    wbatch $size --epochs 0 tokens 2>said | head -c 5000 >/dev/null
    [ ! -s said ]
    # of cat, which a closed pipe may kill, the status does not count
    wbatch $size -w 100 < <(cat tokens tokens tokens) | head -c 100 >/dev/null
    wbatch $size --epochs 0 --steps 10 tokens | wcat --what stats | jq -e '.records == 10'
}

@test "a source that was cut or given up is bad input, for the consumer too" {
    head -c -10 tokens >shortened
    run -3 wbatch $size -o never.batch shortened
    [ ! -e never.batch ]
    [ -z "$(find . -name '*.tmp')" ]
    for window in "" "-w 1000"; do
        run bash -c "cat shortened | wbatch $size $window 2>first | wcat --verify; echo \${PIPESTATUS[*]}"
        [[ $output == *"0 3 3" ]]
        [[ $output == *wbatch* ]]
        grep -q wbatch: first
    done
    run -3 wbatch $size -o x.batch </dev/null
    run -3 wbatch $size -o x.batch vocab
    wbatch $size tokens -o good.batch
    run -3 wbatch $size -o x.batch good.batch
    [[ $output == *"not tokens"* ]]
}

@test "less than a batch is bad input, with the numbers" {
    run -3 wbatch -o x.batch -b 9999 -T 16 tokens
    [[ $output == *"not one batch"*9999* ]]
}

@test "what does not fit the window is read once" {
    run -2 bash -c "cat tokens | wbatch $size -w 1000 --epochs 2 >/dev/null"
    [[ $output == *window* ]]
    cat tokens | wbatch $size --epochs 2 >/dev/null
}

@test "tokens of another vocabulary do not mix" {
    wtok train -q -n 300 -o vocab2 text/1*
    wtok encode -q -V vocab2 -o tokens2 text/1*
    run -3 wbatch $size -o mixed.batch tokens tokens2
    [[ $output == *vocabulary* ]]
    [ ! -e mixed.batch ]
}

@test "mistakes are usage, with what to do" {
    run -2 wbatch tokens
    [[ $output == *"-c CONFIG"* ]]
    run -2 wbatch $size --shard 3/3 tokens
    run -2 wbatch $size --split val tokens
    [[ $output == *--val-fraction* ]]
    run -2 wbatch $size --val-output v tokens
    [[ $output == *--val-fraction* ]]
    run -2 wbatch $size --val-fraction 0.1 --val-output v --split val tokens
    for option in "--epochs 2" "--epochs 0" "--start 1"; do
        run -2 wbatch $size --val-fraction 0.1 --split val $option tokens
        [[ $output == *"leave --epochs and --start out"* ]]
    done
    run -2 wbatch $size --val-fraction 0.1 --val-output x -o x tokens
    [[ $output == *"two outputs"* ]]
    run -2 wbatch $size --val-fraction 0.1 --val-output tokens -o x tokens
    [[ $output == *"also an input"* ]]
    wcat verify tokens
    run -2 wbatch $size --epoch 3 tokens
    [[ $output == *"--epochs"* ]]
    run -2 wbatch $size --seed x tokens
    run -2 wbatch -b 4 -T 3000000 tokens
    [[ $output == *"4 sequences of 3000000 + 1 ids"* ]]
    run -2 wbatch $size --shard 0000000000000000000000000000000000000001/2 tokens
    run -0 wbatch $size --epochs 9007199254740991 -n 1 -o x tokens
    run -4 wbatch $size absent
    [[ $output == *absent* ]]
}

@test "a full disk is an I/O failure" {
    run -4 bash -c "wbatch $size tokens >/dev/full"
    [[ $output == *"No space left"* ]]
}

@test "a signal ends it by that signal and leaves no file" {
    wbatch $size --epochs 0 -o endless.batch tokens &
    pid=$!
    for _ in $(seq 100); do
        ls .endless.batch.*.tmp >/dev/null 2>&1 && break
        sleep 0.05
    done
    ls .endless.batch.*.tmp
    kill -TERM $pid
    # Not by run: that waits in a subshell, whose child wbatch is not.
    local ended=0
    wait $pid || ended=$?
    [ "$ended" -eq 143 ]
    [ -z "$(find . -name '*endless*')" ]
}

@test "wcat split takes the documents that wbatch takes" {
    for part in train val; do
        wcat split --split $part --val-fraction 0.3 -o $part.tokens tokens
        wcat verify $part.tokens
        wbatch -q -b 1 -T 9 --no-shuffle --val-fraction 0.3 --split $part tokens |
            wcat raw --column x >asked
        fraction=0
        [ $part = train ] || fraction=1
        wbatch -q -b 1 -T 9 --no-shuffle --val-fraction $fraction --split $part $part.tokens |
            wcat raw --column x >given
        cmp asked given
        [ -s given ]
    done
    docs() { wcat "$1" | jq -s '.[-1].end.docs'; }
    [ $(($(docs train.tokens) + $(docs val.tokens))) -eq 90 ]
    # from a pipe too
    wcat split --split val --val-fraction 0.3 <tokens | wcat raw | cmp - <(wcat raw val.tokens)
    run -2 wcat split --split all tokens
    run -3 wcat split --split val given
}
