# wtrain: what is kept, what is refused, and that an interruption changes nothing.

setup_file()
{
    bats_require_minimum_version 1.5.0
    # What is tested here is not speed; the test of threads asks for its own.
    export OMP_NUM_THREADS=1
    cd "$BATS_FILE_TMPDIR" || return 1
    cat >tiny.json <<'JSON'
{"d_model": 32, "num_heads": 2, "num_layers": 2, "d_ff": 64, "vocab_size": 300,
 "batch_size": 4, "max_length": 16, "learning_rate": 0.003}
JSON
    for i in $(seq 1 900); do
        echo "This is line $i of a small text, which says that $((i * 7 % 13)) is less than $i."
    done >text
    wtok train -q -n 300 -o tiny.vocab text
    wtok encode -q -V tiny.vocab -o tiny.tok text
    wbatch -q -c tiny.json -o train.wts tiny.tok
    wbatch -q -c tiny.json --seed 99 -o other.wts tiny.tok
    wbatch -q -c tiny.json --seed 5 --steps 20 -o val.wts tiny.tok
    for i in $(seq 3 4 400); do echo "This is another text of $i lines, or $((i * i))."; done >other
    wtok encode -q -V tiny.vocab -o other.tok other
    local begin=$EPOCHREALTIME
    wtrain -q -c tiny.json -n 300 --every-steps 10 -o reference.wts train.wts
    # How long a run takes, in milliseconds, so that kills fall into it.
    echo $(((${EPOCHREALTIME/./} - ${begin/./}) / 1000)) >reference.ms
}

setup()
{
    cd "$BATS_TEST_TMPDIR" || return 1
    cp "$BATS_FILE_TMPDIR"/tiny.json .
    data=$BATS_FILE_TMPDIR
}

# The header of a stream: the line after the first 48 bytes.
header()
{
    tail -c +49 "$1" | head -n 1
}

# No half-written file anywhere below here.
no_temporary_files()
{
    [ -z "$(find . -name '*.tmp')" ]
}

@test "from text to a model in one pipeline, which ends quietly when wtrain has enough" {
    set -o pipefail
    wtok encode -V "$data/tiny.vocab" "$data/text" | wbatch -c tiny.json |
        wtrain -c tiny.json --steps 10 -o model.wts 2>err
    set +o pipefail
    [ -s model.wts ]
    [ ! -e model.wts.ckpt ]
    grep -q '10 steps' err
    header model.wts | jq -e '.state.step == 10 and .config.d_model == 32 and .tok.size == 300'
}

@test "any number of threads gives the same bytes" {
    local threads
    for threads in 1 2 3; do
        wtrain -q -c tiny.json -t $threads -n 40 -o $threads.wts "$data/train.wts"
        cmp $threads.wts 1.wts
    done
}

@test "a sampled softmax: the same bytes with any number of threads and across a resume, a model as any other" {
    local precision threads sampled=(-c tiny.json --set softmax_sample=200 --set accumulate=2)
    for precision in fp32 bf16; do
        for threads in 1 2 3; do
            wtrain -q "${sampled[@]}" --precision $precision -t $threads -n 30 -o $threads.wts "$data/train.wts"
            cmp $threads.wts 1.wts
        done
        wtrain -q "${sampled[@]}" --precision $precision -n 17 -o part.wts "$data/train.wts"
        wtrain -q --resume part.wts --precision $precision -n 30 -o part.wts "$data/train.wts"
        cmp part.wts 1.wts
        # other draws: another seed of the same weights
        wtrain -q --precision $precision --resume part.wts -n 31 -o a.wts "$data/train.wts"
        wtrain -q --set seed=2 --precision $precision --resume part.wts -n 31 -o b.wts \
            "$data/train.wts"
        run -1 cmp -s a.wts b.wts
    done
    header 1.wts | jq -c "[.. | .name? // empty]" >sampled.all
    grep -q softmax.seen sampled.all
    wtrain -q "${sampled[@]}" -n 1 --weights-only -o weights.wts "$data/train.wts"
    run -1 grep -q softmax.seen weights.wts
    sed 's/,"softmax.seen"//' sampled.all >sampled.names
    header "$data/reference.wts" | jq -c "[.. | .name? // empty]" >full.names
    grep -q wte.weight full.names
    cmp sampled.names full.names
    wsample -q -m 1.wts -p "This is line" -n 5 >text
    [ -s text ]
}

@test "a resumed run ends with the bytes of an uninterrupted one, from a file and from a pipe" {
    wtrain -q -c tiny.json -n 123 --checkpoints ck "$data/train.wts"
    wtrain -q --resume ck/step-00000123.wts -n 300 -o file.wts "$data/train.wts"
    cmp file.wts "$data/reference.wts"
    cat "$data/train.wts" | wtrain -q --resume ck -n 300 -o pipe.wts
    cmp pipe.wts "$data/reference.wts"
    # A model is a checkpoint as well.
    wtrain -q -c tiny.json -n 200 -o part.wts "$data/train.wts"
    wtrain -q -c tiny.json --resume part.wts -n 300 -o part.wts "$data/train.wts"
    cmp part.wts "$data/reference.wts"
}

@test "the end of the data is the end of the run, and resumes to itself" {
    wtrain -q -c tiny.json -o all.wts "$data/train.wts"
    wtrain -q --resume all.wts -o again.wts "$data/train.wts"
    cmp all.wts again.wts
    # in the middle of a step, of which nothing is kept
    local batches
    batches=$(header all.wts | jq .state.step)
    [ $((batches % 7)) -ne 0 ]
    wtrain -q -c tiny.json --set softmax_sample=200 --set accumulate=7 -o all.wts "$data/train.wts"
    wtrain -q --resume all.wts -o again.wts "$data/train.wts"
    cmp all.wts again.wts
}

@test "20 kills at random moments, by SIGTERM and SIGKILL, do not change the result" {
    local span killed=0 number signal
    span=$(<"$data/reference.ms")
    for ((number = 1; killed < 20 && number <= 100; number++)); do
        signal=$((killed % 2 ? 15 : 9))
        rm -rf m.wts m.wts.ckpt
        wtrain -q -c tiny.json -n 300 --every-steps 10 --resume m.wts.ckpt -o m.wts \
            "$data/train.wts" 2>err &
        local process=$! status=0
        sleep "$(printf '0.%03d' $((RANDOM % (span < 999 ? span : 999))))"
        kill -$signal $process 2>/dev/null || true
        wait $process || status=$?
        if [ $status -ne 0 ]; then
            killed=$((killed + 1))
            [ $status -eq $((128 + signal)) ] || { cat err; false; }
            # Killed between the rename and the end, it leaves the whole model.
            [ ! -e m.wts ] || cmp m.wts "$data/reference.wts"
        else # the machine has become faster than when the span was measured
            span=$((span * 7 / 8 + 1))
        fi
        wtrain -q -c tiny.json -n 300 --every-steps 10 --resume m.wts.ckpt -o m.wts \
            "$data/train.wts"
        cmp m.wts "$data/reference.wts"
    done
    echo "$killed of $((number - 1)) runs were killed before their end"
    [ $killed -eq 20 ]
}

@test "killed at any call of a save: the checkpoint from before or the new one, and the same end" {
    [ -e "$BUILD/tests/inject.so" ] ||
        skip "NOT TESTED HERE: a preloaded library and a sanitizer exclude each other"
    local call n kills=0
    wtrain -q -c tiny.json -n 2 --checkpoints before "$data/train.wts"
    wtrain -q -c tiny.json -n 6 -o expected.wts "$data/train.wts"
    for call in write fsync rename close; do
        for ((n = 1; ; n++)); do
            rm -rf ck fired m.wts
            cp -r before ck
            W_INJECT=$call:$n:KILL W_INJECT_FIRED=fired LD_PRELOAD=$BUILD/tests/inject.so \
                wtrain -q --resume ck --checkpoints ck --every-steps 2 -n 6 -o m.wts \
                "$data/train.wts" 2>err && break
            [ -e fired ]
            kills=$((kills + 1))
            [ ! -e m.wts ] || cmp m.wts expected.wts
            wtrain -q --resume ck --checkpoints ck --every-steps 2 -n 6 -o m.wts "$data/train.wts"
            cmp m.wts expected.wts
            [ -z "$(find ck -name '*.tmp')" ]
        done
        [ ! -e fired ]
    done
    echo "$kills kills"
    [ $kills -ge 20 ]
}

@test "SIGTERM saves what was trained and says how to continue" {
    mkfifo slow
    wtrain -c tiny.json -o m.wts --log log slow 2>err &
    local process=$! status=0
    exec 9>slow
    head -c -256 "$data/train.wts" >&9 # all batches, but no end
    until grep -q '"step":20,' log 2>/dev/null; do sleep 0.05; done
    kill -TERM $process
    wait $process || status=$?
    exec 9>&-
    [ $status -eq 143 ]
    grep -q -- '--resume m.wts.ckpt' err
    [ ! -e m.wts ]
    jq -e -s 'last | .t == "end" and .reason == "signal" and .signal == 15' log
    # to the end of the data, because the step of the signal is not known
    wtrain -q -c tiny.json --resume m.wts.ckpt -o m.wts "$data/train.wts"
    wtrain -q -c tiny.json -o whole.wts "$data/train.wts"
    cmp m.wts whole.wts
}

@test "SIGTERM does not wait for the end of an evaluation" {
    wbatch -q -c tiny.json --epochs 40 -o long.wts "$data/tiny.tok"
    wtrain -q -c tiny.json --val long.wts --val-every 20 --log log -o m.wts "$data/train.wts" \
        2>err &
    local process=$! status=0
    until grep -q '"step":20,' log 2>/dev/null; do sleep 0.05; done
    kill -TERM $process
    wait $process || status=$?
    [ $status -eq 143 ]
    [ "$(ls m.wts.ckpt)" = step-00000020.wts ]
    [ "$(jq -s 'map(select(.t == "eval")) | length' log)" -eq 0 ]
}

@test "SIGUSR1 saves a checkpoint and training goes on" {
    # So many steps that none of them is the last one before it is asked.
    wbatch -q -c tiny.json --epochs 0 "$data/tiny.tok" |
        wtrain -q -c tiny.json -n 4000 --checkpoints ck --log log &
    local process=$!
    until grep -q '"step":20,' log 2>/dev/null; do sleep 0.05; done
    kill -USR1 $process
    wait $process
    jq -e -s 'map(select(.t == "ckpt")) | length == 2 and .[0].step < 4000 and .[1].step == 4000' log
}

@test "data without an end: status 3, no model, and the steps are kept" {
    head -c -256 "$data/train.wts" >cut.wts
    run wtrain -c tiny.json -o m.wts cut.wts
    [ "$status" -eq 3 ]
    [[ $output == *"without its end frame"* ]]
    [ ! -e m.wts ]
    [ "$(find m.wts.ckpt -name 'step-*.wts' | wc -l)" -eq 1 ]
    no_temporary_files
    # With the whole data the run goes on from there.
    wtrain -q -c tiny.json --resume m.wts.ckpt -o m.wts "$data/train.wts"
    wtrain -q -c tiny.json -o whole.wts "$data/train.wts"
    cmp m.wts whole.wts
}

@test "an upstream that is killed is noticed without pipefail" {
    run bash -c '{ head -c 5000 "$0"; kill -9 $BASHPID; } | wtrain -c tiny.json -o m.wts' \
        "$data/train.wts"
    [ "$status" -eq 3 ]
    [ ! -e m.wts ]
    run wtrain -c tiny.json -o n.wts </dev/null
    [ "$status" -eq 3 ]
}

@test "a full disk: status 4, the checkpoint from before is whole, no litter" {
    wtrain -q -c tiny.json -n 50 --checkpoints ck "$data/train.wts"
    cp -r ck before
    run bash -c 'ulimit -f 40; wtrain -c tiny.json --resume ck --checkpoints ck --every-steps 20 \
        -n 120 -o m.wts "$0"' "$data/train.wts"
    [ "$status" -eq 4 ]
    [[ $output == *"checkpoint not saved"* ]]
    [ ! -e m.wts ]
    cmp ck/step-00000050.wts before/step-00000050.wts
    [ "$(ls ck)" = step-00000050.wts ]
    no_temporary_files
    wtrain -q --resume ck -n 300 -o m.wts "$data/train.wts"
    cmp m.wts "$data/reference.wts"
}

@test "other data, another configuration and another vocabulary are refused" {
    wtrain -q -c tiny.json -n 50 --checkpoints ck "$data/train.wts"
    run wtrain --resume ck -n 60 -o m.wts "$data/other.wts"
    [ "$status" -eq 3 ]
    [[ $output == *"other data"* ]]
    run bash -c 'cat "$0" | wtrain --resume ck -n 60 -o m.wts' "$data/other.wts"
    [ "$status" -eq 3 ]
    run wtrain -c tiny.json --set learning_rate=0.5 --resume ck -n 60 "$data/train.wts"
    [ "$status" -eq 3 ]
    [[ $output == *"learning_rate 0.003"* ]]
    wtrain -q --set learning_rate=0.5 --resume ck -n 60 "$data/train.wts"
    run wtrain -c tiny.json --set batch_size=8 -n 1 "$data/train.wts"
    [ "$status" -eq 3 ]
    [[ $output == *"4 x 17"* && $output == *"batch_size 8"* ]]
    run wtrain -c tiny.json --set vocab_size=290 -n 1 "$data/train.wts"
    [ "$status" -eq 3 ]
    run wtrain -c tiny.json -n 1 "$data/tiny.tok"
    [ "$status" -eq 3 ]
    [[ $output == *wbatch* ]]
}

@test "of a folder the newest complete checkpoint is taken, and a refused one is named" {
    wtrain -q -c tiny.json -n 60 --every-steps 20 --checkpoints ck "$data/train.wts"
    [ "$(ls ck | wc -l)" -eq 3 ]
    printf x | dd of=ck/step-00000060.wts bs=1 seek=20000 conv=notrunc status=none
    touch -d '2 days ago' ck/.step-00000080.wts.999999999.0.tmp
    run wtrain --resume ck -n 300 -o m.wts "$data/train.wts"
    [ "$status" -eq 0 ]
    [[ $output == *"refused ck/step-00000060.wts"* ]]
    [[ $output == *"from ck/step-00000040.wts"* ]]
    cmp m.wts "$data/reference.wts"
    no_temporary_files
    # A file that was named is taken or refused, never replaced by another.
    run wtrain --resume ck/step-00000060.wts -n 300 -o n.wts "$data/train.wts"
    [ "$status" -eq 3 ]
    for file in ck/*; do : >"$file"; done
    run wtrain --resume ck -n 300 -o n.wts "$data/train.wts"
    [ "$status" -eq 3 ]
}

@test "the newest checkpoints are kept, as many as asked" {
    wtrain -q -c tiny.json -n 100 --every-steps 10 --keep 2 --checkpoints ck "$data/train.wts"
    [ "$(echo ck/*)" = "ck/step-00000090.wts ck/step-00000100.wts" ]
}

@test "a new run does not begin in the folder of another one" {
    wtrain -q -c tiny.json -n 10 --checkpoints ck "$data/train.wts"
    run wtrain -c tiny.json -n 10 --checkpoints ck "$data/train.wts"
    [ "$status" -eq 2 ]
    [[ $output == *"--resume ck"* ]]
}

@test "mistakes are named before any work, with what was meant" {
    run wtrain -c tiny.json --stepps 10 "$data/train.wts"
    [ "$status" -eq 2 ]
    [[ $output == *"--steps"* ]]
    run wtrain -c tiny.json --set d_mode=64 "$data/train.wts"
    [ "$status" -eq 2 ]
    [[ $output == *d_model* ]]
    run wtrain -c tiny.json --set num_heads=7 "$data/train.wts"
    [ "$status" -eq 2 ]
    [[ $output == *num_heads* ]]
    run wtrain -c tiny.json -o missing/m.wts "$data/train.wts"
    [ "$status" -eq 4 ]
    run wtrain "$data/train.wts"
    [ "$status" -eq 2 ]
    run wtrain -c tiny.json "$data/train.wts" "$data/other.wts"
    [ "$status" -eq 2 ]
    run wtrain -c tiny.json -n 1 -o same --log same "$data/train.wts"
    [ "$status" -eq 2 ]
    [ ! -e same ]
    run bash -c 'wtrain -c tiny.json -n 1 --val - <"$0"' "$data/train.wts"
    [ "$status" -eq 2 ]
    [[ $output == *"--val -"*"regular file"* ]]
    run bash -c 'cat "$0" | wtrain -c tiny.json --set schedule=cosine' "$data/train.wts"
    [ "$status" -eq 2 ]
    [[ $output == *--steps* ]]
}

@test "more memory than is available: refused without reading data" {
    run bash -c 'wtrain -c tiny.json --set d_model=65536 --set d_ff=262144 --set num_layers=200 \
        -o m.wts <&-'
    [ "$status" -eq 4 ]
    [[ $output == *MiB*"--force"* ]]
    run wtrain -c tiny.json --set d_model=65536 --set num_layers=200 --dry-run
    [ "$status" -eq 4 ]
    [[ $output == *'"fits":'* ]]
}

@test "--dry-run plans what training takes, and forecasts" {
    wtrain -c tiny.json --steps 100 --dry-run >plan.json </dev/null
    jq -e '.forecast.seconds > 0 and .forecast.source == "measured" and .memory.fits
        and ([.plan.buffers[].bytes] | add) <= .plan.bytes' plan.json
    wtrain -q -c tiny.json -n 1 --log log "$data/train.wts"
    [ "$(jq .plan.bytes plan.json)" = "$(jq 'select(.t == "header").plan_bytes' log)" ]
    wtrain -c tiny.json --steps 100 --rate 6400 --dry-run | jq -e '.forecast.seconds == 1'
}

@test "the log is JSON a line, from the header to the end" {
    wtrain -q -c tiny.json -n 20 --log log --val "$data/val.wts" --val-every 8 --every-steps 10 \
        -o m.wts "$data/train.wts"
    jq -e -s 'map(.t) | .[0] == "header" and .[-1] == "end" and (map(select(. == "step")) | length) == 20
        and (map(select(. == "eval")) | length) == 3' log
    jq -e -s 'map(select(.t == "step")) | all(.[]; .loss > 0 and .gnorm > 0 and .lr == 0.003
        and .tok_s > 0 and .wait >= 0 and .tokens == .step * 64)' log
    jq -e -s 'map(select(.t == "eval")) | all(.[]; .bits_per_byte > 0 and .eval_bytes > 0)
        and .[-1].step == 20' log
    jq -e 'select(.t == "end") | .reason == "steps" and .exit == 0' log
    wtrain -q -c tiny.json -n 20 --log log --log-every 5 "$data/train.wts"
    [ "$(jq -s 'map(select(.t == "header")) | length' log)" -eq 2 ]
    [ "$(jq -s 'map(select(.t == "step")) | length' log)" -eq 24 ]
}

@test "a log whose last line was cut is mended; what is no log is left alone" {
    wtrain -q -c tiny.json -n 3 --log log "$data/train.wts"
    truncate -s -20 log
    wtrain -q -c tiny.json -n 2 --log log "$data/train.wts"
    [ "$(grep -c '^{"t":"header"' log)" -eq 2 ]
    [ "$(jq -c . log | wc -l)" -eq "$(wc -l <log)" ]
    head -c 30 /dev/zero >>log # as a power cut may leave it
    wtrain -q -c tiny.json -n 2 --log log "$data/train.wts"
    [ "$(jq -c . log | grep -c '^{"t":"header"')" -eq 3 ]
    local before
    echo '{"some": "thing"}' >other.json
    for file in "$data/val.wts" other.json; do
        before=$(sha256sum <"$file")
        run wtrain -c tiny.json -n 2 --log "$file" "$data/train.wts"
        [ "$status" -eq 2 ]
        [[ $output == *"something else than a log"* ]]
        [ "$(sha256sum <"$file")" = "$before" ]
    done
}

@test "a dead log: training goes on, the model is written, the status is 4" {
    run wtrain -c tiny.json -n 20 --log /dev/full -o m.wts "$data/train.wts"
    [ "$status" -eq 4 ]
    [ "$(grep -c 'log has stopped' <<<"$output")" -eq 1 ]
    [ -s m.wts ]
}

@test "no carriage returns and no colours where there is no terminal" {
    wtrain -v -c tiny.json -n 20 "$data/train.wts" 2>err
    [ -s err ]
    ! grep -q $'\r' err
    ! grep -q $'\033' err
    grep -q 'not be kept' err
}

@test "the initial model has the vocabulary of batches that are piped in" {
    wtrain -q -c tiny.json --steps 0 -o file.wts "$data/train.wts"
    # shellcheck disable=SC2002
    cat "$data/train.wts" | wtrain -q -c tiny.json --steps 0 -o pipe.wts
    cmp file.wts pipe.wts
    header pipe.wts | jq -e '.tok != null'
    wtrain -q -c tiny.json --steps 0 -o none.wts </dev/null
    header none.wts | jq -e '.tok == null'
}

@test "a model is trained further with its own configuration, or with changes of it" {
    wtrain -q -c tiny.json -n 20 -o m.wts "$data/train.wts"
    wtrain -q --init m.wts -n 3 --set learning_rate=1e-4 -o more.wts "$data/train.wts"
    header more.wts | jq -e '.config.learning_rate == 1e-4 and .state.step == 3'
    wtrain -q -c tiny.json --set learning_rate=1e-4 --init m.wts -n 3 -o same.wts "$data/train.wts"
    cmp <(wcat raw more.wts) <(wcat raw same.wts)
    run -2 wtrain -n 3 -o more.wts "$data/train.wts"
}

@test "a model of another length is taken where that is wanted" {
    local length
    length=$(jq .max_length tiny.json)
    wtrain -q -c tiny.json -n 20 -o m.wts "$data/train.wts"
    for other in $((length / 2)) $((2 * length)); do
        run -3 wtrain --init m.wts --set max_length="$other" --steps 0 -o x.wts </dev/null
        [[ $output == *wpe.weight*--fit-positions* ]]
        wtrain -q --init m.wts --set max_length="$other" --fit-positions --steps 0 -o x.wts </dev/null
        wmodel positions "$other" -q -o y.wts m.wts
        cmp <(wmodel info --json --tensors x.wts | jq .tensors) <(wmodel info --json --tensors y.wts | jq .tensors)
    done
    run -2 wtrain -c tiny.json --fit-positions -n 1 "$data/train.wts"
}

@test "the initial model needs no data, and is where training begins" {
    wtrain -q -c tiny.json --steps 0 -o init.wts <&-
    header init.wts | jq -e '.state.step == 0 and .tok == null'
    wtrain -q -c tiny.json --init init.wts -n 300 -o m.wts "$data/train.wts"
    cmp m.wts "$data/reference.wts"
    wtrain -q -c tiny.json --seed 7 --steps 0 -o seven.wts
    run cmp init.wts seven.wts
    [ "$status" -eq 1 ]
    run wtrain -c tiny.json --set d_ff=128 --init init.wts -n 1 "$data/train.wts"
    [ "$status" -eq 3 ]
}

@test "--weights-only is a third, and cannot be resumed" {
    wtrain -q -c tiny.json -n 5 --weights-only -o m.wts "$data/train.wts"
    [ $(($(stat -c %s m.wts) * 2)) -lt "$(stat -c %s "$data/reference.wts")" ]
    run wtrain --resume m.wts -n 6 "$data/train.wts"
    [ "$status" -eq 3 ]
    [[ $output == *--init* ]]
}

@test "a checkpoint to resume from may come from standard input" {
    wtrain -q -c tiny.json -n 5 -o m.wts "$data/train.wts"
    wtrain -q -n 7 --resume - -o piped.wts "$data/train.wts" < <(cat m.wts)
    wtrain -q -n 7 --resume m.wts -o named.wts "$data/train.wts"
    cmp piped.wts named.wts
}

@test "a run that diverges says so with status 1 and leaves its checkpoints alone" {
    wtrain -q -c tiny.json -n 5 --checkpoints ck "$data/train.wts"
    run wtrain --set weight_decay=10 --set learning_rate=10 --resume ck --checkpoints ck -n 100 \
        -o m.wts --log log "$data/train.wts"
    [ "$status" -eq 1 ]
    jq -e -s 'last | .reason == "diverged" and .exit == 1' log
    [[ $output == *"diverged"* ]]
    [ "$(ls ck)" = step-00000005.wts ]
    [ ! -e m.wts ]
}

@test "accumulated batches make one step, and the cosine ends where the data do" {
    wtrain -q -c tiny.json --set accumulate=4 --set schedule=cosine --set min_lr_ratio=0.5 \
        --log log -o m.wts "$data/train.wts"
    local batches
    batches=$(tail -c 208 "$data/train.wts" | jq .records)
    jq -e -s --argjson n $((batches / 4)) 'map(select(.t == "step")) | length == $n
        and .[-1].lr == 0.0015 and .[0].tokens == 256' log
    # The same again, in two parts and from a pipe that cannot say how long it is.
    wtrain -q -c tiny.json --set accumulate=4 --set schedule=cosine --set min_lr_ratio=0.5 \
        -n 30 --set steps=$((batches / 4)) --checkpoints ck "$data/train.wts"
    cat "$data/train.wts" | wtrain -q --resume ck -o n.wts
    cmp m.wts n.wts
}

@test "streams after each other are one: the cosine ends with the last, before and after a resume" {
    wcat copy --to 30 -o a "$data/train.wts"
    wcat copy --from 30 --to 50 -o b "$data/train.wts"
    cat a b >both.wts
    wtrain -q -c tiny.json --set schedule=cosine --set min_lr_ratio=0.5 --log log \
        --checkpoints ck --every-steps 20 -o m.wts both.wts
    jq -e -s 'map(select(.t == "step")) | length == 50 and .[-1].lr == 0.0015 and .[30].lr > 0.0015' log
    wtrain -q --resume ck/step-00000040.wts --checkpoints other -o n.wts both.wts
    cmp m.wts n.wts
}

@test "checkpoints that are later than the one to resume from are refused" {
    wtrain -q -c tiny.json -n 40 --every-steps 10 --keep 9 --checkpoints ck "$data/train.wts"
    run wtrain --resume ck/step-00000010.wts --set learning_rate=0.001 --checkpoints ck "$data/train.wts"
    [ "$status" -eq 2 ]
    [[ $output == *"ck/step-00000040.wts"*"later step"* ]]
    wtrain -q --resume ck/step-00000010.wts -n 20 --checkpoints fork "$data/train.wts"
    rm ck/step-000000[34]0.wts
    echo broken >ck/step-00000020.wts
    wtrain -q --resume ck/step-00000010.wts -n 20 --checkpoints ck "$data/train.wts"
    cmp ck/step-00000020.wts fork/step-00000020.wts
}

@test "a model passes its vocabulary on where there are no batches" {
    wtrain -q -c tiny.json --init "$data/reference.wts" -n 0 -o again.wts
    [ "$(header again.wts | jq .tok.sha256)" = "$(header "$data/reference.wts" | jq .tok.sha256)" ]
    wtrain -q -c tiny.json --init "$data/reference.wts" -n 0 --val "$data/val.wts" --log log
    jq -e -s 'map(select(.t == "eval")) | .[-1].bits_per_byte > 0' log
}

@test "the loss of a validation is that of its text, whatever the batches, and that of wsample --score" {
    for i in $(seq 3 57); do echo "A text of $((i * i)) words, $i of them short."; done >held
    wtok encode -q -V "$data/tiny.vocab" -o held.tok held
    for batch in 1 3 8; do
        for seed in 1 2; do
            wbatch -q -b $batch -T 16 -s $seed --split val --val-fraction 1 -o held.batches held.tok
            wtrain -q --init "$data/reference.wts" --set batch_size=$batch --precision fp32 -n 0 \
                --val held.batches --log log </dev/null
        done
    done
    jq -s 'map(select(.t == "eval"))' log >evals
    jq -e 'length == 6 and (map([.loss, .eval_tokens]) | unique | length == 1)' evals
    [ "$(jq '.[0].eval_tokens' evals)" -eq "$(wcat --what stats held.tok | jq .records)" ]
    # the same windows: of the text, and of the end id after it
    wbatch -q -b 1 -T 16 --split val --val-fraction 1 -o last.batches \
        <(wcat copy -q --to "$(jq '.[0].eval_tokens - 1' evals)" held.tok)
    wtrain -q --init "$data/reference.wts" --set batch_size=1 --precision fp32 -n 0 \
        --val last.batches --log last </dev/null
    wsample -q -m "$data/reference.wts" --score held --type f32 --json >score.json
    jq -e -n --slurpfile s score.json --slurpfile l last '($l | map(select(.t == "eval"))[0]) as $e |
        $s[0] as $s | $e.eval_tokens == $s.tokens and
        ($e.bits_per_byte - $s.bits_per_byte | fabs) < 1e-6'
}

@test "a model is evaluated without being trained, and nothing is read for it" {
    wbatch -q -c tiny.json --split val --val-fraction 1 -o v.batches "$data/tiny.tok"
    wtrain --init "$data/reference.wts" --steps 0 --val v.batches --log log 2>said
    grep 'validation v.batches: .* bits/byte' said
    run ! grep -e 'no -o' -e 'reads batches' said
    # a pipe that nobody ends is not waited for
    sleep 60 | timeout 20 wtrain -q --init "$data/reference.wts" --steps 0 --val v.batches --log log
    # a run that has its steps
    wtrain --resume "$data/reference.wts" --steps 300 --val v.batches --log log </dev/null 2>said
    grep 'validation v.batches: .* bits/byte' said
    jq -e -s 'map(select(.t == "eval")) | map(.loss) | length == 3 and .[0] == .[1] and .[0] == .[2]' log
}

@test "--keep-best keeps the model of the lowest validation loss, across kills too" {
    wbatch -q -c tiny.json --split val --val-fraction 1 -n 20 -o v.batches "$data/other.tok"
    local best=(wtrain -q -c tiny.json --set learning_rate=0.03 --set warmup_steps=100 -n 100 --keep-best
        --val v.batches --val-every 5 --every-steps 7) pid signal
    "${best[@]}" --log whole.log -o whole.wts "$data/train.wts"
    jq -s 'map(select(.t == "eval")) | min_by(.loss) | {step, loss}' whole.log >lowest
    header whole.best.wts | jq -e --slurpfile l lowest '.state.step == $l[0].step and
        (.state.val_loss - $l[0].loss | fabs) < 1e-12 and .state.step < 100'
    header whole.wts | jq -e '.state | has("val_loss") | not'
    # it is the model of that step
    wtrain -q --init whole.best.wts --steps 0 --val v.batches --log again </dev/null
    jq -e -s --slurpfile l lowest 'map(select(.t == "eval"))[0].loss == $l[0].loss' again
    # interrupted wherever it may be, and what another run left counts nothing
    cp whole.best.wts killed.best.wts
    for signal in KILL TERM KILL KILL TERM KILL; do
        "${best[@]}" --resume killed.wts.ckpt -o killed.wts "$data/train.wts" &
        pid=$!
        sleep 0.$((RANDOM % 4 + 1))
        kill -$signal $pid 2>/dev/null || true
        wait $pid || true
        [ ! -e killed.wts ] || break
    done
    [ -e killed.wts ] || "${best[@]}" --resume killed.wts.ckpt -o killed.wts "$data/train.wts"
    cmp whole.best.wts killed.best.wts
    cmp whole.wts killed.wts
    # one that was found before the interruption stays
    "${best[@]}" -n 20 -o part.wts "$data/train.wts"
    cp part.best.wts found.wts
    wtrain -q --resume part.wts --set learning_rate=3 -n 40 --keep-best --val v.batches --val-every 5 \
        --log part.log -o part.wts "$data/train.wts"
    jq -e -s 'map(select(.t == "eval")) | length == 5' part.log
    cmp found.wts part.best.wts
    run -2 wtrain -c tiny.json --keep-best -o m.wts --val v.batches "$data/train.wts"
    [[ $output == *"--val-every"* ]]
    run -2 wtrain -c tiny.json --keep-best -o v.wts --val v.best.wts --val-every 1 "$data/train.wts"
    # the best of each part of a run is named
    wtrain -c tiny.json -n 10 --keep-best --val v.batches --val-every 5 -o m.wts "$data/train.wts" 2>said
    grep 'the lowest validation loss, .*, was that of step 10: m.best.wts' said
    grep "wsample -m m.wts" said
}

@test "a disk without room for the best model is told, and the run goes on" {
    [ -e /dev/full ] || skip "NO /dev/full HERE"
    wbatch -q -c tiny.json --split val --val-fraction 1 -n 2 -o v.batches "$data/other.tok"
    ln -s /dev/full m.best.wts
    run -4 wtrain -q -c tiny.json -n 4 --keep-best --val v.batches --val-every 2 -o m.wts "$data/train.wts"
    [[ $output == *"best model not saved"*"could not be saved"* ]]
    wcat verify m.wts
}

@test "batches for validation are not trained on" {
    wbatch -q -c tiny.json --split val --val-fraction 1 -o v.batches "$data/tiny.tok"
    run -3 wtrain -c tiny.json -n 1 v.batches
    [[ $output == *"v.batches: is for validation"* ]]
}

@test "validation comes through the pipe that the training comes through" {
    # all tokens are held before the first batch
    wbatch -c tiny.json --val-fraction 0.1 --val-output held.val <"$data/tiny.tok" |
        wtrain -q -c tiny.json -n 20 --val held.val --val-every 10 --log held -o held.wts
    jq -e -s 'map(select(.t == "eval").step) == [10, 20]' held
    # they pass through a window: the file comes with the end of the text, which is read for it
    for steps in 10 10000; do
        rm -f passing.val
        wbatch -q -w 100 -c tiny.json --val-fraction 0.1 --val-output passing.val \
            < <(for _ in 1 2 3 4 5 6 7 8; do cat "$data/tiny.tok"; done) |
            wtrain -c tiny.json -n $steps --val passing.val --val-every 5 --log $steps -o m.wts 2>said
        grep 'passing.val: not there yet' said
        jq -e -s 'map(select(.t == "eval")) | .[-1].loss > 0 and .[-1].step == map(.step)[-1]' $steps
        wcat verify m.wts passing.val
    done
    # a file that nobody makes is missed before the first step, or at the end
    run -4 wtrain -c tiny.json -n 1 --val absent "$data/train.wts"
    [[ $output == *absent* ]]
    run -4 bash -c 'wbatch -q -c tiny.json --val-fraction 0.1 --val-output there.val "$0" |
        wtrain -q -c tiny.json -n 1 --val absent' "$data/tiny.tok"
    [[ $output == *absent* ]]
    run -4 bash -c 'wbatch -q -w 100 -c tiny.json --val-fraction 0.1 --val-output there.val "$0" |
        wtrain -q -c tiny.json -n 5 --val absent -o last.wts' "$data/tiny.tok"
    [[ $output == *absent* ]]
    # what was trained is kept
    wbatch -q -w 100 -c tiny.json --val-fraction 0.1 "$data/tiny.tok" |
        wtrain -q -c tiny.json -n 5 --val there.val --resume last.wts.ckpt -o last.wts
    wcat verify last.wts
}

@test "a model that no header can describe is refused before the first step" {
    run wtrain -c tiny.json --set num_layers=600 -n 1 -o m.wts "$data/train.wts"
    [ "$status" -eq 2 ]
    [[ $output == *"no file can hold this model"* ]]
    run wtrain -c tiny.json --set num_layers=600 --dry-run
    [ "$status" -eq 2 ]
}

@test "SIGUSR1 before the first step does no harm" {
    mkfifo silent
    wtrain -q -c tiny.json -n 3 --checkpoints ck silent &
    pid=$!
    exec 9>silent
    sleep 0.3
    kill -USR1 $pid
    cat "$data/train.wts" >&9 || true
    exec 9>&-
    wait $pid
    [ -e ck/step-00000003.wts ]
}

@test "a run that ends within the warm-up of a cosine leaves a model that can be resumed" {
    local cosine=(--set schedule=cosine --set warmup_steps=8 --set learning_rate=0.8)
    wtrain -q -c tiny.json "${cosine[@]}" -n 3 -o short.wts "$data/train.wts"
    wsample -q -m short.wts -n 3 >/dev/null
    wtrain -q --resume short.wts -n 5 --log log -o longer.wts "$data/train.wts"
    jq -e -s 'map(select(.t == "step").lr * 10 | round) == [4, 5]' log
    # By the length of the data, three batches.
    wbatch -q -c tiny.json --steps 3 -o three.wts "$data/tiny.tok"
    wtrain -q -c tiny.json "${cosine[@]}" -o by_data.wts three.wts
    wsample -q -m by_data.wts -n 3 >/dev/null
    # In the configuration itself it is a mistake.
    run wtrain -c tiny.json "${cosine[@]}" --set steps=3 "$data/train.wts"
    [ "$status" -eq 2 ]
    [[ $output == *"warmup_steps 8 is more than steps 3"* ]]
}

@test "Muon: the same bytes for any number of threads and after a resume, in both precisions" {
    local precision threads
    for precision in fp32 bf16; do
        for threads in 1 2 3; do
            wtrain -q -c tiny.json --precision $precision --set optimizer=muon --set schedule=linear \
                --set steps=40 -t $threads -o $threads.wts "$data/train.wts"
            cmp $threads.wts 1.wts
        done
        wtrain -q -c tiny.json --precision $precision --set optimizer=muon --set schedule=linear \
            --set steps=40 -n 17 -o part.wts "$data/train.wts"
        wtrain -q --precision $precision --resume part.wts -n 40 -o part.wts "$data/train.wts"
        cmp part.wts 1.wts
    done
    header 1.wts | jq -e '[.tensors[].name] | map(select(startswith("muon.m."))) | length == 8'
    header 1.wts | jq -e '[.tensors[].name] | any(. == "adam.v.wte.weight") and
        all(. != "adam.m.h.0.mlp.c_fc.weight")'
}

@test "an optimizer does not continue the states of another" {
    wtrain -q -c tiny.json --set optimizer=adamw -n 3 -o m.wts "$data/train.wts"
    run wtrain --resume m.wts --set optimizer=muon -n 6 "$data/train.wts"
    [ "$status" -eq 2 ]
    [[ $output == *"m.wts"*"optimizer adamw"*"--init"* ]]
    run wtrain -v -c tiny.json --set optimizer=muon --init m.wts -n 6 -o n.wts "$data/train.wts"
    [ "$status" -eq 0 ]
    [[ $output == *"optimizer muon: muon_learning_rate 0.02, muon_momentum 0.95, beta1 0.9"* ]]
}

@test "--time ends the run" {
    wbatch -q -c tiny.json --epochs 0 "$data/tiny.tok" |
        wtrain -q -c tiny.json --time 1s --set schedule=cosine --log log -o m.wts
    jq -e 'select(.t == "end") | .reason == "time" and .seconds >= 1 and .seconds < 5' log
}

@test "a folder for checkpoints that cannot be written is told before the first step" {
    ln -s nowhere/ck ck
    run wtrain -c tiny.json -n 5 --log log --checkpoints ck "$data/train.wts"
    [ "$status" -eq 4 ]
    [[ $output == *"ck/"*"No such file"* ]]
    [ ! -e log ]
    : >file
    run wtrain -c tiny.json -n 5 --checkpoints file "$data/train.wts"
    [ "$status" -eq 4 ]
}

@test "an output that is an input is refused under any of its names, and left as it was" {
    local pair option file
    cp "$data/train.wts" b.wts
    cp "$data/val.wts" v.wts
    cp "$data/reference.wts" i.wts
    cp tiny.json c.json
    ln -s c.json link.json
    ln i.wts hard.wts
    cat b.wts v.wts i.wts c.json >before
    for pair in -o:./b.wts --log:b.wts -o:link.json --log:c.json -o:hard.wts --log:./hard.wts \
        -o:v.wts --log:./v.wts; do
        option=${pair%%:*} file=${pair#*:}
        run wtrain -c c.json --init i.wts --val v.wts -n 1 "$option" "$file" b.wts
        echo "$pair $output"
        [ "$status" -eq 2 ]
    done
    run bash -c 'wtrain -c c.json -n 1 -o b.wts <b.wts'
    [ "$status" -eq 2 ]
    run wtrain -c c.json -n 1 -o new --log ./new b.wts
    [ "$status" -eq 2 ]
    cat b.wts v.wts i.wts c.json | cmp before -
    # A model may be replaced by what it is resumed to.
    cp i.wts part.wts
    wtrain -q --resume part.wts -n 301 -o part.wts b.wts
}

@test "a schedule that follows time goes on with it after a resume that does not name it" {
    wbatch -q -c tiny.json --epochs 0 -n 100000 -o long.wts "$data/tiny.tok"
    wtrain -q -c tiny.json --set schedule=cosine --time 40s --log log --checkpoints ck long.wts 2>err &
    local process=$! status=0
    until grep -q '"step":200,' log 2>/dev/null; do sleep 0.05; done
    kill -TERM $process
    wait $process || status=$?
    [ $status -eq 143 ]
    header ck/*.wts | jq -e '.state.time == 40 and .state.seconds > 0 and .state.kernel and .state.precision'
    # It has not become another one: the rate goes on from where it was.
    wtrain -q --resume ck -n "$(($(jq -s 'map(select(.t == "step")) | last.step' log) + 1))" --log next \
        -o m.wts long.wts
    jq -s -e 'map(select(.t == "step")) | .[-2].lr as $a | .[-1].lr as $b
        | $b <= $a and $a - $b < 0.1 * $a and $b < 0.003' log next
    header m.wts | jq -e '.state.time == 40 and .config.steps == 0'
    # Where time is no part of the schedule, it is not in the checkpoint but in the advice.
    wtrain -q -c tiny.json --time 40s -n 90000 --log log2 -o "it's n.wts" long.wts 2>err &
    process=$!
    until grep -q '"step":20,' log2 2>/dev/null; do sleep 0.05; done
    kill -TERM $process
    wait $process || true
    sed -n 's/.* with the same batches: //p' err >command
    grep -e '^wtrain -q -c tiny.json --time 40s -n 90000 .* --resume' command
    # as a shell takes it: to a later step
    sed -i 's/--time 40s/--time 1s/' command
    bash command
    header "it's n.wts" | jq -e '.state.step >= 20'
}

@test "a resume goes on in the precision and with the kernels of its checkpoint" {
    wtrain -q -c tiny.json --kernel ref --precision bf16 -n 20 -o whole.wts "$data/train.wts"
    wtrain -q -c tiny.json --kernel ref --precision bf16 -n 9 -o part.wts "$data/train.wts"
    wtrain -q --resume part.wts -n 20 --log log -o rest.wts "$data/train.wts"
    cmp rest.wts whole.wts
    jq -e -s '.[0].kernel == "ref" and .[0].precision == "bf16"' log
    wtrain -q --resume part.wts --precision fp32 -n 20 --log log2 -o other.wts "$data/train.wts"
    jq -e -s '.[0].precision == "fp32"' log2
}

@test "a schedule that has ended, and a run with all its steps, say so" {
    wtrain -q -c tiny.json --set schedule=cosine --set min_lr_ratio=0 -n 20 --checkpoints ck "$data/train.wts"
    run wtrain --resume ck -n 40 -o m.wts "$data/train.wts"
    [ "$status" -eq 0 ]
    [[ $output == *"ends at step 20"*"stays at 0"*"--set steps=40"* ]]
    run wtrain --resume ck --set steps=40 -n 40 --log log -o m.wts "$data/train.wts"
    [[ $output != *"ends at step"* ]]
    jq -e -s 'map(select(.t == "step")) | .[-2].lr > 0' log
    run wtrain --resume m.wts -n 30 -o n.wts "$data/train.wts"
    [ "$status" -eq 0 ]
    [[ $output == *"m.wts has 40 steps, and 30 were asked for"* ]]
}

@test "on a full disk the oldest checkpoint gives way, to the newest and to the model" {
    [ -e "$BUILD/tests/inject.so" ] ||
        skip "NOT TESTED HERE: a preloaded library and a sanitizer exclude each other"
    local n made=0
    wtrain -q -c tiny.json -n 50 -o expected.wts "$data/train.wts"
    for ((n = 1; ; n++)); do
        rm -rf m.wts m.wts.ckpt fired
        W_INJECT=write:$n:ENOSPC W_INJECT_FIRED=fired LD_PRELOAD=$BUILD/tests/inject.so \
            wtrain -q -c tiny.json -n 50 --every-steps 10 -o m.wts "$data/train.wts" 2>err || { cat err; false; }
        [ -e fired ] || break
        grep -q 'deleted to make room' err && made=$((made + 1))
        cmp m.wts expected.wts
    done
    echo "$made of $((n - 1)) made room"
    [ $made -ge 4 ]
    mkdir small
    run mount -t tmpfs -o size=$(($(stat -c %s expected.wts) * 5 / 2)) none small
    [ "$status" -eq 0 ] || return 0 # only root can
    run wtrain -c tiny.json -n 100 --every-steps 10 -o small/m.wts "$data/train.wts"
    umount small
    [ "$status" -eq 0 ]
    [[ $output == *"there is room for"*"--keep"* ]]
}

@test "what a resume refuses ends with the way to begin anew" {
    wtrain -q -c tiny.json -n 5 --checkpoints ck "$data/train.wts"
    run wtrain -c tiny.json --set learning_rate=0.5 --resume ck -n 60 "$data/train.wts"
    [ "$status" -eq 3 ]
    [[ $output == *"or remove ck to begin anew" ]]
    run wtrain --resume ck -n 60 "$data/other.wts"
    [ "$status" -eq 3 ]
    [[ $output == *"or remove ck to begin anew" ]]
    run wtrain --resume ck/step-00000005.wts -n 60 "$data/other.wts"
    [[ $output == *"or leave --resume out to begin anew" ]]
}
