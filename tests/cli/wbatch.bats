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

@test "training and validation take every document once" {
    tokens=$(wcat --what stats tokens | jq .records)
    for part in train val; do
        wbatch -b 1 -T 1 --val-fraction 0.2 --split $part --no-shuffle tokens 2>said |
            wcat raw | od -An -v -tu2 -w4 | awk '{ print $1 }' >$part.ids
        [[ $(cat said) =~ "took "([0-9]+)" in "([0-9]+) ]]
        echo "${BASH_REMATCH[1]} ${BASH_REMATCH[2]}" >$part.took
    done
    [ "$(cat train.took val.took | awk '{ t += $1; d += $2 } END { print t, d }')" = "$tokens 90" ]
    # The documents of both, one a line (the last id is only ever a target), are those of the whole.
    end=$(wcat --what header tokens | jq .eot)
    documents() { { cat "$1"; echo "$end"; } | awk -v end="$end" '{ printf "%s%s", $1, $1 == end ? "\n" : " " }'; }
    wbatch -q -b 1 -T 1 --no-shuffle tokens | wcat raw | od -An -v -tu2 -w4 | awk '{ print $1 }' >all.ids
    cmp <(documents all.ids | sort) <({ documents train.ids; documents val.ids; } | sort)
    # Another order keeps the split.
    wbatch -q -b 1 -T 1 -s 9 --val-fraction 0.2 --split val tokens | wcat raw |
        od -An -v -tu2 -w4 | sort >a
    wbatch -q -b 1 -T 1 --val-fraction 0.2 --split val tokens | wcat raw |
        od -An -v -tu2 -w4 | sort >b
    cmp a b
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
    [[ $output == *batch_size* ]]
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
        wbatch -q -b 1 -T 9 --no-shuffle --split all $part.tokens | wcat raw --column x >given
        cmp asked given
        [ -s given ]
    done
    docs() { wcat "$1" | jq -s '.[-1].end.docs'; }
    [ $(($(docs train.tokens) + $(docs val.tokens))) -eq 90 ]
    # from a pipe too, and with no document at all
    wcat split --split val --val-fraction 0.3 <tokens | wcat raw | cmp - <(wcat raw val.tokens)
    wcat split --split val --val-fraction 0.000001 tokens | wcat verify
    run -2 wcat split --split all tokens
    run -3 wcat split --split val given
}
