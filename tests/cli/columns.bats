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
        wbatch -q -c tiny.json $options tiny.tokens | wcat raw --column x >ids
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

# ---- training and using a mixture ----

# The tensors of the network of a model
network()
{
    local name
    for name in $(wcat --what header "$1" | jq -r '.tensors[].name' | grep -v gate); do
        wcat raw --tensor "$name" "$1" | sha256sum
    done
}

@test "batches with counts give the model a gate, beside a network that learns as if alone" {
    for precision in fp32 bf16; do
        rm -f log plain.log
        wtrain -q -c tiny.json -n 12 --precision $precision --log log -o mixed.wts counted.batches
        wtrain -q -c tiny.json -n 12 --precision $precision --log plain.log -o plain.wts tiny.batches
        wcat --what header mixed.wts | jq -e '.config.counts == 8 and
            (.tensors | map(select(.name == "gate.weight").shape) == [[24]])'
        wcat --what header plain.wts | jq -e '.config.counts == 0 and
            (.tensors | all(.name | startswith("gate") | not))'
        cmp <(network mixed.wts) <(network plain.wts)
        losses='select(.t == "step") | [.loss, .gnorm]'
        cmp <(jq -c "$losses" log) <(jq -c "$losses" plain.log)
        # these counts are nearly always right, and the gate finds out
        jq -s -e 'map(select(.t == "step")) | all(.loss_counts < 1 and .loss_mixed < .loss)
            and .[-1].loss_mixed < .[0].loss_mixed' log
        jq -s -e 'map(select(.t == "step")) | all(has("loss_mixed") or has("loss_counts") | not)' \
            plain.log
    done
}

@test "with counts too, threads, kills and resumes do not change a bit" {
    for precision in fp32 bf16; do
        rm -rf part.ckpt whole.wts resumed.wts
        wtrain -q -c tiny.json -n 12 --precision $precision -t 1 -o whole.wts counted.batches
        wtrain -q -c tiny.json -n 12 --precision $precision -t 3 -o threads.wts counted.batches
        cmp whole.wts threads.wts
        wtrain -q -c tiny.json -n 5 --precision $precision --checkpoints part.ckpt counted.batches
        wtrain -q -c tiny.json -n 12 --precision $precision --resume part.ckpt -o resumed.wts \
            counted.batches
        cmp whole.wts resumed.wts
        wtrain -q -n 12 --precision $precision --resume part.ckpt -o piped.wts < <(cat counted.batches)
        cmp whole.wts piped.wts
    done
}

@test "with counts too, kill -9 at random moments does not change a bit" {
    local precision number span=400 killed=0 most=0
    for precision in fp32 bf16; do
        most=$((most + 3))
        wtrain -q -c tiny.json -n 150 --precision $precision --set optimizer=muon \
            --set softmax_sample=200 -o whole.wts counted.batches
        for ((number = 1; killed < most && number <= 60; number++)); do
            rm -rf m.wts m.wts.ckpt
            wtrain -q -c tiny.json -n 150 --precision $precision --set optimizer=muon \
                --set softmax_sample=200 --every-steps 3 --resume m.wts.ckpt -o m.wts \
                counted.batches 2>err &
            local process=$! status=0
            sleep "$(printf '0.%03d' $((RANDOM % span)))"
            kill -9 $process 2>/dev/null || true
            wait $process || status=$?
            if [ $status -eq 137 ]; then killed=$((killed + 1)); else span=$((span * 3 / 4 + 1)); fi
            wtrain -q -c tiny.json -n 150 --precision $precision --set optimizer=muon \
                --set softmax_sample=200 --every-steps 3 --resume m.wts.ckpt -o m.wts \
                counted.batches
            cmp m.wts whole.wts
        done
    done
    echo "$killed runs were killed before their end"
    [ $killed -eq 6 ]
}

@test "each --val is evaluated and told apart, with counts or without" {
    rm -f log
    wtrain -c tiny.json -n 3 --log log --val counted.batches --val tiny.batches --val-every 2 \
        -o mixed.wts counted.batches 2>said
    jq -s -e 'map(select(.t == "eval")) | map([.step, .file]) == [[2, "counted.batches"],
        [2, "tiny.batches"], [3, "counted.batches"], [3, "tiny.batches"]]' log
    jq -s -e 'map(select(.t == "eval")) | .[2].loss == .[3].loss and
        .[2].bits_per_byte == .[3].bits_per_byte and .[2].bits_per_byte_mixed < .[2].bits_per_byte
        and .[2].bits_per_byte_counts < .[2].bits_per_byte and (.[3] | has("loss_mixed") | not)' log
    grep 'validation counted.batches: network alone .* counts alone .* mixture .*bits/byte' said
    grep 'validation tiny.batches: network alone' said
    # a network without a gate beside counts of a text
    rm -f log
    wtrain -q -c tiny.json -n 3 --log log --val counted.batches -o plain.wts tiny.batches
    jq -s -e 'map(select(.t == "eval"))[0] | has("loss_counts") and (has("loss_mixed") | not)' log
}

@test "a gate begins on a network without one, and a network goes on without its gate" {
    wtrain -q -c tiny.json -n 4 -o plain.wts tiny.batches
    wtrain -q -c tiny.json --init plain.wts -n 2 -o mixed.wts counted.batches
    wcat --what header mixed.wts | jq -e .config.counts==8
    wtrain -q -c tiny.json --init plain.wts -n 2 -o other.wts tiny.batches
    cmp <(network mixed.wts) <(network other.wts)
    wtrain -q -c tiny.json --init mixed.wts -n 2 -o alone.wts tiny.batches
    wcat --what header alone.wts | jq -e .config.counts==0
    wtrain -q -c tiny.json --init mixed.wts -n 2 -o again.wts counted.batches
    cmp <(network alone.wts) <(network again.wts)
    wtrain -q --init mixed.wts -n 2 -o own.wts tiny.batches # with the model's own configuration
    wcat --what header own.wts | jq -e .config.counts==0
    wtrain -q -c tiny.json -n 2 --weights-only -o small.wts counted.batches
    wcat --what header small.wts | jq -e '.tensors | any(.name == "gate.bias")'
}

@test "a gate needs its columns" {
    wtrain -q -c tiny.json -n 2 -o mixed.wts counted.batches
    run -3 wtrain -q --resume mixed.wts -n 4 -o x.wts tiny.batches
    run -3 wtrain -q -c tiny.json --set counts=8 -n 4 -o x.wts tiny.batches
    [[ $output == *"weighs 8 features of counts, but the batches have 0"* ]]
    run -3 wtrain -q -c tiny.json --set counts=3 -n 4 -o x.wts counted.batches
    [ ! -e x.wts ]
    run -2 wtrain -q -c tiny.json --set counts=65 -n 4 -o x.wts counted.batches
    # known before, it is in the plan
    [ "$(wtrain -c tiny.json --set counts=8 --rate 1 --dry-run | jq .plan.bytes)" = \
        "$(wtrain -q -c tiny.json -n 1 --log plan.log counted.batches &&
            jq 'select(.t == "header").plan_bytes' plan.log)" ]
}

@test "without counts at hand, a mixture writes and scores as its network does" {
    wtrain -q -c tiny.json -n 4 --log log -o mixed.wts counted.batches
    wtrain -q -c tiny.json -n 4 -o plain.wts tiny.batches
    wsample -m mixed.wts -p "The history" -n 20 >mixed.txt 2>said
    cmp mixed.txt <(wsample -q -m plain.wts -p "The history" -n 20)
    [ "$(grep -c 'mixes its network with counts' said)" -eq 1 ]
    cmp <(wsample -q -m mixed.wts --score text/1.txt) <(wsample -q -m plain.wts --score text/1.txt)
}

# ---- with counts of wgram ----

# A mixture, its counts, and a text that neither has seen: "held", with the id before it "held.tokens"
make_mixture()
{
    [ ! -e wgram.made ] || return 0
    wtok encode -q -V tiny.vocab -o train.tokens text/[1-3]?.txt
    wgram learn -q -o tiny.counts train.tokens
    wgram add -q -m tiny.counts --leave-out train.tokens | wbatch -q -c tiny.json -o train.batches
    wtrain -q -c tiny.json --precision fp32 -o mixture.wts train.batches
    # the end id, then a whole number of windows, whose text has these ids
    wtok encode -q -V tiny.vocab -o two.tokens text/1.txt text/2.txt
    local before count
    before=$(wtok encode -q -V tiny.vocab text/1.txt | wcat raw | wc -c)
    before=$((before / 2 - 1))
    for count in $(seq 480 -16 16); do
        wcat copy -q --from $((before + 1)) -n "$count" two.tokens | wtok decode -q >held
        wtok encode -q -V tiny.vocab held | wcat raw | head -c $((2 * count)) >again
        cmp -s again <(wcat raw two.tokens | tail -c +$((2 * before + 3)) | head -c $((2 * count))) && break
    done
    [ "$count" -gt 16 ]
    wcat copy -q --from $before -n $((count + 1)) -o held.tokens two.tokens
    touch wgram.made
}

@test "a score with counts is the validation figure of wtrain" {
    make_mixture
    wgram add -q -m tiny.counts held.tokens | wbatch -q -b 1 -T 16 --no-shuffle -o frozen.batches
    wgram add -q -m tiny.counts --count-on held.tokens |
        wbatch -q -b 1 -T 16 --no-shuffle -o on.batches
    rm -f log
    wtrain -q -c tiny.json --set batch_size=1 --precision fp32 --init mixture.wts -n 0 --log log \
        --val frozen.batches --val on.batches
    jq -s 'map(select(.t == "eval"))' log >evals
    for mode in 0 1; do
        # shellcheck disable=SC2046
        wsample -q -m mixture.wts --counts tiny.counts $([ $mode = 0 ] || echo --count-on) \
            --score held --json >score.json
        jq -e -n --slurpfile s score.json --slurpfile e evals --argjson mode $mode \
            '$e[0][$mode] as $e | $s[0] as $s | def near(a; b): (a - b) | fabs < 1e-6;
            $s.tokens == $e.eval_tokens and near($s.bits_per_byte; $e.bits_per_byte)
            and near($s.bits_per_byte_counts; $e.bits_per_byte_counts)
            and near($s.bits_per_byte_mixed; $e.bits_per_byte_mixed)
            and $s.bits_per_byte_mixed < $s.bits_per_byte_counts'
    done
    jq -e '.[0].loss == .[1].loss and .[1].loss_counts != .[0].loss_counts' evals
    # and that of wgram
    jq -e --argjson w "$(wcat copy -q --from 1 held.tokens | wgram score -m tiny.counts --json |
        jq .bytes)" '.[0].eval_bytes == $w' evals
}

@test "text is drawn from the mixture, and its probabilities are those of its score" {
    make_mixture
    for mode in "" --count-on; do
        # shellcheck disable=SC2086
        wsample -q -m mixture.wts --type f32 --counts tiny.counts $mode -n 16 --temperature 1 --top-p 1 \
            --ignore-end -s 3 --json >made.json
        jq -j .text made.json >made
        wtok encode -q -V tiny.vocab made | wcat raw | od -An -v -tu2 -w2 | head -n -1 | tr -d ' ' >encoded
        # the model may have written its text in other tokens than an encoder would
        jq '.tokens[]' made.json >tokens
        diff tokens encoded || { echo "other tokens: choose another seed"; false; }
        # shellcheck disable=SC2086
        wsample -q -m mixture.wts --counts tiny.counts $mode --score made --json |
            jq -e --slurpfile m made.json '(.nats_mixed + ($m[0].logprobs | add)) | fabs < 1e-4'
    done
    # the same for the same seed and any number of threads, each sample by itself
    local options="--samples 3 -n 30 --json"
    # shellcheck disable=SC2086
    {
        wsample -q -m mixture.wts --counts tiny.counts --count-on $options -t 1 >a
        wsample -q -m mixture.wts --counts tiny.counts --count-on $options -t 3 | cmp - a
        wsample -q -m mixture.wts --counts tiny.counts --count-on $options -b 1 | cmp - a
        wsample -q -m mixture.wts --counts tiny.counts $options >b
        wsample -q -m mixture.wts $options >c
    }
    run ! cmp -s a b
    run ! cmp -s b c
}

# Which ids wsample draws after a prompt, beside their probabilities: those that the trainer and wgram
# give sequences of the prompt and one more id. A sequence's loss is that of the prompt, which its score
# tells, and that of the last id.
@test "wsample draws from the mixture that wtrain and wgram compute: chi-square" {
    make_mixture
    local mode id place before=() count
    wcat copy -q -n 16 -o start.tokens held.tokens # the end id and 15 more
    wcat copy -q --from 1 start.tokens | wtok decode -q >prompt
    cmp <(wtok encode -q -V tiny.vocab prompt | wcat raw | head -c 30) <(wcat raw start.tokens | tail -c 30)
    wcat raw train.tokens | od -An -v -tu2 -w2 | awk '!seen[$1]++ { print $1, NR - 1 }' >places
    for mode in "" --count-on; do
        # shellcheck disable=SC2086
        wsample -q -m mixture.wts --counts tiny.counts $mode -p "$(cat prompt)" --samples 20000 -n 1 \
            --temperature 1 --top-p 1 --ignore-end -s 7 --json |
            jq -r '.tokens[0]' | sort -n | uniq -c | awk '{ print $2, $1 }' >drawn
        [ "$(awk '{ n += $2 } END { print n }' drawn)" -eq 20000 ]
        # shellcheck disable=SC2086
        wsample -q -m mixture.wts --counts tiny.counts $mode --score prompt --json >score.json
        jq -e '.tokens == 15' score.json
        before=() count=0
        while read -r id place; do
            grep -q "^$id " drawn || continue
            wcat copy -q --from "$place" -n 1 -o last.tokens train.tokens
            # shellcheck disable=SC2086
            wcat copy -q start.tokens last.tokens | wgram add -q -m tiny.counts $mode |
                wbatch -q -b 1 -T 16 --no-shuffle -o "next.$id.batches"
            before+=(--val "next.$id.batches")
            count=$((count + 1))
        done <places
        [ $count -gt 10 ]
        rm -f log
        wtrain -q -c tiny.json --set batch_size=1 --precision fp32 --init mixture.wts -n 0 --log log \
            "${before[@]}"
        jq -r --slurpfile s score.json 'select(.t == "eval") | (.file | split(".")[1]) as $id |
            "\($id) \($s[0].nats_mixed - 16 * .loss_mixed | exp)
             \($s[0].nats - 16 * .loss | exp)"' log | paste - - >expected
        rm -f next.*.batches
        # bins of at least 5; the bound is passed once in a million (Wilson and Hilferty, 4.75 deviations)
        awk 'NR == FNR { drawn[$1] = $2; next }
            { p[$1] = $2; net[$1] = $3; all += $2; of_net += $3 }
            function chi(p,   id, rest, rest_p, sum) {
                bins = 0; rest = 20000; rest_p = 1
                for (id in p)
                    if (20000 * p[id] >= 5) {
                        sum += (drawn[id] - 20000 * p[id]) ^ 2 / (20000 * p[id])
                        rest -= drawn[id]; rest_p -= p[id]; bins++
                    }
                return sum + (rest_p > 1e-6 ? (rest - 20000 * rest_p) ^ 2 / (20000 * rest_p) : 0)
            }
            END {
                x = chi(p); n = bins; v = 2 / (9 * n)
                print "chi-square", x, "of", n, "bins, of the network alone", chi(net), "seen", all
                exit !(n > 5 && all <= 1.0001 && x < n * (1 - v + 4.75 * sqrt(v)) ^ 3 && chi(net) > 300)
            }' drawn expected
    done
}

@test "counts that do not belong to the model are refused" {
    make_mixture
    wtrain -q -c tiny.json -n 2 -o plain.wts tiny.batches
    run -3 wsample -m plain.wts --counts tiny.counts
    [[ $output == *"plain.wts: has a gate for 0 features"* ]]
    wtok train -q -n 290 -o other.vocab text
    wtok encode -q -V other.vocab text/3.txt | wgram learn -q -o other.counts
    run -3 wsample -m mixture.wts --counts other.counts
    [[ $output == *"other.counts: counts of another vocabulary"* ]]
    run -3 wsample -m mixture.wts --counts tiny.tokens
    run -2 wsample -m mixture.wts --count-on
    [[ $output == *"--counts FILE"* ]]
    head -c -100 tiny.counts >cut.counts
    run -3 wsample -m mixture.wts --counts cut.counts
}
