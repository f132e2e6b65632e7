# wcachefit: reports, formats, requirements and refusals. Figures have unit tests (test_evaluate.c).

setup()
{
    bats_require_minimum_version 1.5.0
    cd "$BATS_TEST_DIRNAME/../.." || return
    four=(configs/wiki_gpu_optimized.json configs/wiki_cache_optimized.json
        configs/wiki_performance_tuned.json configs/autoregressive_fast.json)
    adamw=(--set optimizer=adamw --set softmax_sample=0)
    small=$BATS_TEST_TMPDIR/demo.json
    jq '.batch_size = 16 | .max_length = 128 | .steps = 300' configs/demo.json >"$small"
    out=$BATS_TEST_TMPDIR/out
}

# What the planner and the kernels of the trainer decide has tests of its own, and may change.
without_plan()
{
    grep -v -e '^| Step' -e '^| of memory' -e '^| Batch max' -e 'a training step' \
        -e 'logits of a chunk' -e 'Memory first' -e 'of a GEMM  ' | tr -s ' -'
}

# A configuration with one value changed: name of the file, key, value
config()
{
    jq --arg key "$2" --argjson value "$3" '.[$key] = $value' "$small" >"$BATS_TEST_TMPDIR/$1"
    echo "$BATS_TEST_TMPDIR/$1"
}

@test "the comparison document of the four configurations is as it was" {
    four+=("${adamw[@]}")
    wcachefit --format md --no-calibration --target seed-host --files 100 --rate 56,500,650,750 "${four[@]}" >"$out"
    without_plan <"$out" | diff -u tests/data/comparison.md -
}

# What follows is on the first screen of a terminal, which has a line for the prompt too.
screen()
{
    wcachefit "$@" >"$out"
    [ "$(wc -l <"$out")" -lt 24 ]
    awk 'length($0) > 79 { print; wide = 1 } END { exit wide }' "$out"
    run ! grep -w nan "$out"
}

# The lines of a file as one, so that it does not matter where a sentence was wrapped.
joined()
{
    tr '\n' ' ' <"$1" | tr -s ' '
}

@test "several configurations: which is best in an hour, in half of it, for the text, and what is waste" {
    four+=("${adamw[@]}")
    screen --no-calibration --target seed-host --rate 56,500,650,750 "${four[@]}"
    grep '^Text: 100 files of 100,800 tokens ' "$out"
    grep -E '^Configuration +params +memory +tok/s +\+- +file +all +text +1h$' "$out"
    grep -E '^wiki_gpu_optimized +27.2M .* 56 +0% +30min +50h +2.130 ' "$out"
    grep '^Production, best in 1h: autoregressive_fast, ' "$out"
    grep '^Half of that, 30min: autoregressive_fast too, ' "$out"
    grep -x 'Balanced, best for this text: wiki_performance_tuned, 1.944 after 4.3h.' "$out"
    grep -x 'Quick, least time for it: autoregressive_fast, 1.960 after 3.7h.' "$out"
    joined "$out" >"$out.line"
    grep 'Wasteful: wiki_gpu_optimized, 12 times the time of wiki_performance_tuned' "$out.line"
    grep 'more: 0.37 tokens a parameter, and about 20 are of use' "$out.line"
    # 750 / 56 = 13.4 = 4.25 * 3.2; 750 * 39.3 MFLOP / 448 GFLOP/s = 6.6 %
    grep 'Speedup: autoregressive_fast 13x over wiki_gpu_optimized: 4.2x by less arithmetic a token, 3.2x by use of the peak (7%, not 2%).' "$out.line"
    grep -x 'More cache: steps as long; their arithmetic is on blocks that fit L2.' "$out"
    grep -x 'A load in ns: L1 1.43, L2 3.71, L3 12, memory 80, 21.5 times that of L2.' "$out"
    # every sentence is made of figures
    wcachefit --target seed-host --rate 750 --json "${four[3]}" | jq -e '.configs[0].figures |
        ."budget.tokens" == 2700000 and ."budget.half.tokens" == 1350000 and
        ."budget.half.bits" > ."budget.bits"'
    # another text and another time: a larger model is the better one
    wcachefit --target seed-host --tokens 10G --time 3000h --rate 56,500,650,750 "${four[@]}" >"$out"
    grep '^Text: 99,206 files' "$out"
    grep '^Production, best in 125d: wiki_cache_optimized, ' "$out"
    joined "$out" | grep 'more: its tokens take 2.4 times the arithmetic'
    wcachefit --target seed-host "${four[3]}" configs/demo.json --tokens 1G >"$out"
    grep -E '^Wasteful: (none; what|autoregressive_fast,)' "$out"
}

@test "without rates the first screen says what is best at which rate; what is too large is named" {
    four+=("${adamw[@]}")
    screen --no-calibration "${four[@]}"
    grep -E '^Configuration +params +memory +text +work$' "$out"
    joined "$out" >"$out.line"
    grep 'Production, best in 1h: autoregressive_fast from 10.0 GFLOP/s to 10.0 TFLOP/s in training' "$out.line"
    grep "This machine's rate: wcachefit calibrate" "$out.line"
    grep '^Quick, least time for it: autoregressive_fast, 1.960 after 0.57 of that.' "$out"
    # the sentence is what reports at given rates say
    long=(--no-calibration --tokens 10G --time 100h)
    wcachefit "${long[@]}" "${four[@]}" >"$out"
    joined "$out" | grep 'best in 4d: autoregressive_fast from 10.0 GFLOP/s, wiki_performance_tuned from 50.0 GFLOP/s, wiki_cache_optimized from 100 GFLOP/s to 10.0 TFLOP/s'
    wcachefit "${long[@]}" --gflops 20 "${four[@]}" | grep 'best in 4d: autoregressive_fast,'
    wcachefit "${long[@]}" --gflops 50 "${four[@]}" | grep 'best in 4d: wiki_performance_tuned,'
    wcachefit "${long[@]}" --gflops 100 "${four[@]}" | grep 'best in 4d: wiki_cache_optimized,'
    screen --no-calibration --memory 400MB "${four[@]}"
    grep '^Too large for the memory: 3 of 4, like wiki_gpu_optimized, ' "$out"
    grep '^Balanced, best for this text: autoregressive_fast, ' "$out"
    screen --no-calibration --memory 4MB "${four[@]}"
    run ! grep 'best' "$out"
    # names give way where the row would be too long
    cp configs/demo.json "$BATS_TEST_TMPDIR/$(printf 'x%.0s' {1..40}).json"
    screen --target seed-host "$BATS_TEST_TMPDIR"/x*.json configs/demo.json
    grep '^x*~ ' "$out"
}

@test "--all has every table, with what its columns are" {
    wcachefit --target seed-host --all "${four[@]}" >"$out"
    grep -x 'Matrix Size Analysis (Per Sequence)' "$out"
    grep -x '  T x d in L2: T x d / share of L2 (l2.sequence);' "$out"
    wcachefit --target seed-host "${four[@]}" | run ! grep 'Matrix Size Analysis'
}

@test "help fits 80 columns, and its commands are commands still" {
    for program in wcachefit wtok wbatch wtrain wsample wcat wgram wmodel wwiki; do
        for command in "" $($program --dump-options | awk -F '\t' '$1 == "command" { print $2 }'); do
            # shellcheck disable=SC2086
            $program $command --help >"$out"
            awk 'length($0) > 79 { print; wide = 1 } END { exit wide }' "$out"
        done
    done
    wcachefit report --dump-options | awk -F '\t' '$1 == "example" { print $3 }' >"$out.right"
    wcachefit report --help | sed -n '/^Examples/,/^Exit/p' | sed -e ':a' -e '/\\$/N; s/ *\\\n */ /; ta' |
        grep '^  wcachefit' | sed 's/^  //' | diff "$out.right" -
}

@test "the known machines are listed, as JSON too" {
    wcachefit host --list | grep '^seed-host  *4 cores'
    wcachefit host --json --list | jq -e '.targets | any(.name == "seed-host" and .about != "")'
    [ -z "$(wcachefit host --list -o "$out")" ]
    wcachefit host --list | cmp - "$out"
}

@test "the output does not depend on threads of the environment for a target" {
    OMP_NUM_THREADS=3 wcachefit --json --target seed-host "${four[@]}" >"$out"
    wcachefit --json --target seed-host "${four[@]}" | cmp - "$out"
    [ "$(jq .threads "$out")" -eq 4 ]
    [ "$(OMP_NUM_THREADS=3 wcachefit --json "$small" | jq .threads)" -eq 3 ]
    [ "$(OMP_NUM_THREADS=3 wcachefit -t 2 --json "$small" | jq .threads)" -eq 2 ]
}

@test "JSON is one valid object under every flag" {
    log=$BATS_TEST_TMPDIR/log
    echo '{"t":"step","step":1,"loss":5,"tok_s":1000}' >"$log"
    for flags in "" --buffers --explain --explain=memory "--rate 100 --files 3" "--log $log" \
        "--gflops 10 -n 10k" "--target raspberry-pi-5" "--set batch_size=1 --bytes-per-token 4"; do
        # shellcheck disable=SC2086
        wcachefit --json $flags "$small" >"$out"
        [ "$(jq -es 'length == 1 and .[0].schema == "wcachefit/1"' "$out")" = true ]
    done
    wcachefit host --json | jq -e '.machine.physical_cores >= 1 and .configs == []'
    wcachefit --json "${four[@]}" | jq -e '[.configs[].figures | keys] | unique | length == 1'
}

@test "figures in JSON are integers and equal those of --explain and TSV" {
    wcachefit --json --target seed-host configs/wiki_gpu_optimized.json >"$out"
    [ "$(jq '.configs[0].figures.params' "$out")" = 27238400 ]
    [ "$(jq '.configs[0].figures."plain.bytes"' "$out")" = 7400521728 ]
    [ "$(jq '.configs[0].fits."l2.attention"' "$out")" = false ]
    run -0 wcachefit --explain=plain.bytes --target seed-host configs/wiki_gpu_optimized.json
    [[ $output == *"4*rows*plain.floats"*"4*16384*112923"*"(7400521728 B)"* ]]
    run -0 wcachefit --format tsv --target seed-host configs/wiki_gpu_optimized.json
    [[ $output == *$'wiki_gpu_optimized\tplain.bytes\t7400521728\tB\tformula'* ]]
}

@test "the sum of the buffers is the memory of the step" {
    wcachefit --json --buffers -t 2 "${four[@]}" >"$out"
    jq -e 'all(.configs[]; .figures."memory.plan" == ([.buffers[].bytes] | add))' "$out"
}

@test "the trainer plans the same memory and counts the same arithmetic" {
    jq '.d_model = 60 | .num_heads = 3 | .d_ff = 100 | .vocab_size = 301 | .max_length = 33' \
        "$small" >"$BATS_TEST_TMPDIR/odd.json"
    for config in "${four[@]}" "$small" "$BATS_TEST_TMPDIR/odd.json"; do
        for threads in 1 3; do
            wtrain -q -c "$config" -t $threads --dry-run --rate 1 --force |
                jq '[.parameters, .flops_per_token, .plan.bytes]' >"$out"
            wcachefit --json -t $threads "$config" | jq '.configs[0].figures |
                [.params, ."flops.train_causal", ."memory.plan"]' | diff "$out" -
        done
    done
}

@test "the log of a training gives a rate, its loss and bits per byte" {
    jq '.d_model = 16 | .num_heads = 2 | .num_layers = 1 | .d_ff = 32 | .vocab_size = 300 |
        .batch_size = 2 | .max_length = 8' "$small" >"$BATS_TEST_TMPDIR/tiny.json"
    cd "$BATS_TEST_TMPDIR" || return
    seq 3000 >text
    wtok train -q -n 300 -o vocab text
    wtok encode -q -V vocab text | wbatch -q -c tiny.json |
        wtrain -q -c tiny.json --steps 20 --log log -o model
    wcachefit --json --log log --bytes-per-token 2 tiny.json | jq -e '.configs[0].figures |
        .tok_s > 0 and .loss > 0 and .time > 0 and ((."bits.byte" * 2 - ."bits.token") | fabs) < 1e-9'
}

@test "requirements decide the exit status and name what does not hold" {
    wcachefit --target seed-host --require 'ram<=80%,params<=30M' "${four[@]}"
    run -1 --separate-stderr wcachefit --target seed-host --require 'attn@L2' "${four[@]}"
    [ "$stderr" = "wcachefit report: wiki_gpu_optimized: requirement attn@L2 does not hold: l2.attention is 133 %" ]
    [ "$(grep -c 'attn@L2' <<<"$output")" = 4 ]
    [[ $output == *'wiki_gpu_optimized: attn@L2 does not hold: l2.attention is 133 %'* ]]
    run -1 --separate-stderr wcachefit --all --target seed-host --require 'attn@L2' "${four[@]}"
    [[ $output == *"best for this text"* ]]
    run -1 wcachefit --require 'hours<=6' "$small"
    [[ $output == *"hours is not known"* ]]
    run -0 wcachefit --rate 56 --files 1 --require 'hours<=0.51,tok/s>=50' "$small"
    run -2 wcachefit --require 'ram<=' "$small"
    for command in host verify plot calibrate fit; do
        run -2 wcachefit $command --require 'params>1' log
        [[ $output == *"unknown option --require"* ]]
    done
    run -2 wcachefit --require 'attn@L2,rom<=80%' --target seed-host configs/wiki_gpu_optimized.json
    [[ $output == *"did you mean"* ]]
}

@test "a file appears only when every requirement holds" {
    run -1 wcachefit --require 'params<1' --json -o "$out" "$small"
    [ ! -e "$out" ]
    wcachefit --require 'params>1' --json -o "$out" "$small"
    jq -e . "$out"
}

@test "configurations that cannot work are refused with the reason" {
    run -2 wcachefit "$(config a.json num_heads 3)"
    [[ $output == *"num_heads 3 does not divide d_model 128"* ]]
    run -2 wcachefit "$(config b.json d_modle 3)"
    [[ $output == *'did you mean "d_model"?'* ]]
    run -2 wcachefit "$(config c.json batch_size 16777216)"
    [[ $output == *"tokens: more than"* ]]
    run -2 wcachefit "$(config d.json d_ff 1e300)"
    run -2 wcachefit "$(config e.json d_ff '"512"')"
    run -2 wcachefit --set num_heads=3 "$small"
    [[ $output == *"with --set"* ]]
    printf '{"d_model":' >"$BATS_TEST_TMPDIR/cut.json"
    run -2 wcachefit "$BATS_TEST_TMPDIR/cut.json"
    run -2 wcachefit /dev/null
    run -4 wcachefit /nonexistent.json
}

@test "the largest configuration that is allowed gives figures, not a crash" {
    jq '.batch_size = 1 | .max_length = 2048 | .d_model = 65536 | .d_ff = 262144 | .num_heads = 512
        | .num_layers = 100 | .vocab_size = 268435456' "$small" >"$BATS_TEST_TMPDIR/huge.json"
    run -0 wcachefit --target seed-host "$BATS_TEST_TMPDIR/huge.json"
    [[ $output == *"even with one sequence"* ]]
    run -1 wcachefit --target seed-host --require 'ram<=100%' "$BATS_TEST_TMPDIR/huge.json"
}

@test "mistakes on the command line are reported with what to do" {
    run -2 wcachefit
    [[ $output == *"name a configuration"* ]]
    run -2 wcachefit --format md --json "$small"
    run -2 wcachefit --rate 1,2 "$small"
    run -2 wcachefit --rate 1 --gflops 1 "$small"
    run -2 wcachefit --tokens 1 --files 1 "$small"
    run -2 wcachefit --target seed-host --rate 1 --time 0 "${four[@]}"
    run -2 wcachefit host "$small"
    for flags in "--format md --explain" "--format tsv --explain" "--format md --buffers" \
        "--format tsv --buffers" "--explain --buffers"; do
        # shellcheck disable=SC2086
        run -2 wcachefit $flags "$small"
        [[ $output == *"choose one"* ]]
    done
    run -2 wcachefit --explain=parms "$small"
    [[ $output == *"did you mean params?"* ]]
    run -2 wcachefit --target sed-host "$small"
    [[ $output == *"did you mean seed-host?"* ]]
    run -3 wcachefit --log "$small" "$small"
}

@test "without a command it is a report, unless the word is nearly one and no file" {
    wcachefit --target seed-host "$small" >"$out"
    wcachefit report --target seed-host "$small" | cmp - "$out"
    run -2 wcachefit serch
    [[ $output == *"did you mean search?"* ]]
    cp "$small" "$BATS_TEST_TMPDIR/serch"
    cd "$BATS_TEST_TMPDIR" || return
    wcachefit serch --json | jq -e '.configs[0].name == "serch"'
    run -4 wcachefit demo
    for command in report calibrate verify search fit plot host; do
        wcachefit $command --help | grep "^usage: wcachefit $command"
        wcachefit --help | grep "^  $command "
    done
}

@test "what host --json wrote is a target" {
    wcachefit host --target seed-host --json -o "$out.json"
    wcachefit --target "$out.json" --json "$small" | cmp - <(wcachefit --target seed-host --json "$small")
}

@test "a peak is that of the precision used, and stays with it in the description of a machine" {
    wcachefit host --target seed-host --precision bf16 --peak 1T --json -o "$out.json"
    jq -e '.machine | .flops_per_s.value == 448e9 and .bf16_flops_per_s.value == 1e12' "$out.json"
    for row in fp32:448000000000 bf16:1000000000000; do
        wcachefit --target "$out.json" --precision "${row%:*}" --json "$small" |
            jq -e ".configs[0].figures.peak == ${row#*:}"
    done
    wcachefit host --target "$out.json" | grep -c 'FLOP/s in .*(user)\|FLOP/s in .*(datasheet)' | grep 2
    wcachefit --target "$out.json" --format md "$small" | grep '^Peak in bf16: 1.00 TFLOP/s (user)'
    wcachefit --target xeon-8480 --precision bf16 --json "$small" | jq -e '.configs[0].figures.peak == null'
}

@test "a configuration may come from standard input, and a closed output is no failure" {
    wcachefit --json - <"$small" | jq -e '.configs[0].name == "stdin"'
    set -o pipefail
    wcachefit --explain "${four[@]}" | head -n 1
}

@test "keys of a configuration are listed for the manual page" {
    wcachefit --dump-keys >"$out"
    [ "$(cut -f 1 "$out" | sort -u)" = key ]
    [ "$(awk -F '\t' 'NF != 7' "$out")" = "" ]
    wcachefit --json "$small" | jq -r '.configs[0].config | keys_unsorted[]' | diff - <(cut -f 2 "$out")
}

# A short calibration in a cache folder of its own.
calibrated()
{
    export XDG_CACHE_HOME=$BATS_TEST_TMPDIR/cache
    wcachefit calibrate -q -t 2 --seconds 0.1 >"$BATS_TEST_TMPDIR/calibration.txt" 2>&1
}

@test "a calibration is kept for this host and used by what comes after it" {
    calibrated
    file=$(echo "$XDG_CACHE_HOME"/wtools/host-*.json)
    jq -e '.schema == "wtools-calibration/5" and .threads == 2 and .precisions.fp32.peak_all_flop_s > 0 and
        (.latency_s.points | length) > 10 and (.shapes | length) >= 2' "$file"
    grep 'L2 .* measured, .* claimed' "$BATS_TEST_TMPDIR/calibration.txt"
    wcachefit host -q --json 2>/dev/null | jq -e '.machine.flops_per_s.source == "measured"'
    wcachefit host --json --no-calibration | jq -e '.machine.flops_per_s.source != "measured"'
    wcachefit calibrate -q --json -t 1 --seconds 0.1 2>/dev/null | jq -e '.calibration.threads == 1'
    run -2 wcachefit calibrate --target seed-host
    run -2 wcachefit calibrate --seconds none
    run -4 wcachefit --calibration /nonexistent "$small"
    run -3 wcachefit --calibration "$small" "$small"
}

@test "with a calibration the first screen says how the peak is used, and what cores and caches would change" {
    calibrated
    screen -q -t 2 "${four[@]}" 2>/dev/null
    joined "$out" >"$out.line"
    grep -E 'Speedup: .* by use of the peak \([0-9]+%, not [0-9]+%\)\. 4 threads: [0-9.]+x\.' "$out.line"
    grep -E '^More cache: steps [0-9]+% shorter at most; ' "$out"
    grep -E '^A load in ns: L1 [0-9.]+, L2 [0-9.]+, .*memory [0-9.k]+, [0-9.k]+ times that of L2\.$' "$out"
    wcachefit -q --format md "${four[@]}" 2>/dev/null | grep '^| L2 ' | grep ' ns (measured) | .* (measured) |$'
    # a machine with the same kernels and more cache is as fast
    wcachefit host -q -t 2 --json >"$out.json" 2>/dev/null
    jq '.machine.l2.bytes *= 4' "$out.json" >"$out.more.json"
    for target in "$out.json" "$out.more.json"; do
        wcachefit -q -t 2 --target "$target" --json "${four[3]}" 2>/dev/null
    done >"$out"
    wcachefit -q -t 2 --json "${four[3]}" 2>/dev/null >>"$out"
    jq -es '[.[].configs[0].figures."predict.tok_s"] | max / min < 1.001' "$out"
    jq -es '.[0].configs[0].figures."l2.attention" == 4 * .[1].configs[0].figures."l2.attention"' "$out"
    wcachefit -q --no-calibration --target "$out.json" --json "${four[3]}" |
        jq -e '.configs[0].figures."rule.share" == 0.6'
}

# Train a tiny model, with a log; STEPS and what else to tell wtrain.
train_tiny()
{
    cd "$BATS_TEST_TMPDIR" || return
    jq '.d_model = 16 | .num_heads = 2 | .num_layers = 1 | .d_ff = 32 | .vocab_size = 300 |
        .batch_size = 2 | .max_length = 8' "$small" >tiny.json
    seq 3000 >text
    wtok train -q -n 300 -o vocab text
    wtok encode -q -V vocab text | wbatch -q -c tiny.json -o batches
    wtrain -t 2 -c tiny.json --steps "${1:-20}" "${@:2}" --log log batches 2>said
    # what a sanitizer adds to the memory is not the trainer's: without it, the plan and 4 MB
    [ -e "$BUILD/tests/inject.so" ] ||
        sed -i "s/\"peak_bytes\":[0-9]*/\"peak_bytes\":$(jq -s '.[0].plan_bytes + 4e6' log)/" log
}

@test "a run is forecast, shows the ratio, is verified and learned from" {
    calibrated
    train_tiny 20 --precision fp32 # which has one state, on whatever machine
    grep -E 'forecast: [0-9]+ tok/s \+- [0-9]+ % \(90 % interval\), .* for all steps' said
    grep -E '\([0-9.]+ of forecast\)' said
    jq -es '.[0].forecast_tok_s > 0' log
    # memory is exact, whatever the rate of so small a model
    wcachefit verify -q log --tolerance 100000% --json >verified 2>/dev/null
    jq -es '.[0].runs[0] | .plan_holds and .resident_holds and .ratio > 0 and .rate_holds' verified
    # one run is one run, however often it is verified
    for _ in 1 2 3; do wcachefit verify -q log --tolerance 100000% --learn; done 2>/dev/null
    wcachefit -q -t 2 --precision fp32 --json tiny.json 2>/dev/null | jq -e '.configs[0].figures."predict.factor" == 1'
    for began in 1 2; do
        jq -c "if .t == \"header\" then .time = $began else . end" log >"$began.log"
        wcachefit verify -q $began.log --tolerance 100000% --learn 2>/dev/null
    done
    [ "$(cat "$XDG_CACHE_HOME"/wtools/host-*.residuals | wc -l)" -eq 5 ]
    # corrected by what was learned, to the rate that was measured
    wcachefit -q -t 2 --precision fp32 --json tiny.json 2>/dev/null >predicted
    jq -e --slurpfile p predicted -s '(map(select(.t == "step").tok_s) | sort) as $r |
        ($r[9] + $r[10]) / 2 / $p[0].configs[0].figures."predict.tok_s" | . > 0.99 and . < 1.01' log
    jq -e '.configs[0].figures | ."predict.interval" == 0.02 and .tok_s == ."predict.tok_s"' predicted
    sed 's/"plan_bytes":[0-9]*/"plan_bytes":1/' log >other.log
    run -1 wcachefit verify -q other.log --tolerance 100000%
    [[ $output == *"the memory plan differs"* ]]
    # of several logs each is reported, and the first that is off decides
    run -1 wcachefit verify -q log other.log --tolerance 100000%
    [ "$(grep -c 'tiny, 2 threads' <<<"$output")" -eq 2 ]
}

@test "what cannot be verified is refused" {
    train_tiny 3
    ! grep forecast said
    export XDG_CACHE_HOME=$BATS_TEST_TMPDIR/none
    run -2 wcachefit verify log
    [[ $output == *"needs a calibration"* ]]
    calibrated
    grep -v header log >headless
    run -3 wcachefit verify -q headless
    [[ $output == *"no header"* ]]
    run -3 wcachefit verify log "$small"
    run -2 wcachefit --learn "$small"
    run -2 wcachefit verify log --tolerance much
}

@test "charts are drawn as characters, as SVG and as numbers" {
    calibrated
    for chart in roofline memory latency threads; do
        wcachefit plot -q $chart "$small" 2>/dev/null >"$out"
        grep '|' "$out"
        wcachefit plot -q $chart --format svg "$small" 2>/dev/null >"$out"
        head -n 1 "$out" | grep '^<?xml'
        [ "$(tail -n 1 "$out")" = "</svg>" ]
        run ! grep nan "$out"
        wcachefit plot -q $chart --json "$small" 2>/dev/null |
            jq -e '.series | length >= 1 and all(.[]; .points | length >= 1)'
        wcachefit plot -q $chart --format tsv "$small" 2>/dev/null | awk -F '\t' 'NF != 4 { exit 1 }'
    done
    wcachefit plot -q roofline --format tsv "$small" 2>/dev/null >"$out"
    for part in embedding norm linear linear_back attention attention_back head update; do
        grep -P "^demo\t$part\t" "$out"
    done
    run -2 wcachefit plot -q roofline "${four[@]}" "$small"
    [[ $output == *"at most 4 configurations"* ]]
    mapfile -t many < <(yes "$small" | head -n 17)
    run -2 wcachefit plot -q threads "${many[@]}"
    [[ $output == *"at most 16 configurations"* ]]
    run -2 wcachefit plot
    run -2 wcachefit plot roofline
    run -2 wcachefit plot pie "$small"
    run -2 wcachefit plot memory --format svg --json
    XDG_CACHE_HOME=$BATS_TEST_TMPDIR/none run -2 wcachefit plot memory
    [[ $output == *"wcachefit calibrate"* ]]
}

@test "a search writes a configuration that the trainer takes and that keeps to the budget" {
    calibrated
    wcachefit search -t 2 --time 5m --ram 200MB -o "$BATS_TEST_TMPDIR/best.json" 2>"$out"
    grep -E '^wcachefit search: 1\. width .* bits/byte after' "$out"
    wtrain -q -c "$BATS_TEST_TMPDIR/best.json" --dry-run --rate 1 | jq -e '.plan.bytes <= 2e8'
    jq -e '.schedule == "linear" and .min_lr_ratio == 0 and .steps == 0 and .optimizer == "muon" and
        .softmax_sample == 2048' "$BATS_TEST_TMPDIR/best.json"
    wcachefit search -q -t 2 --time 5m --set optimizer=adamw --set softmax_sample=0 2>/dev/null |
        jq -e '.schedule == "cosine" and .min_lr_ratio == 0.1 and .optimizer == "adamw"'
    # a vocabulary that exists, and a text that is soon repeated: a smaller model is better
    wcachefit search -t 2 --time 1d --vocab 5000 2>"$out" | jq -e '.vocab_size == 5000'
    [ "$(grep -c 'vocabulary 5000,' "$out")" -eq 5 ]
    wcachefit search -t 2 --time 1d --vocab 5000 --text-tokens 100k 2>"$BATS_TEST_TMPDIR/repeated"
    first='/ 1\. width/ { sub(/.*batch [0-9]* x [0-9]*: /, ""); print $1 }'
    awk -v once="$(awk "$first" "$out")" -v again="$(awk "$first" "$BATS_TEST_TMPDIR/repeated")" \
        'BEGIN { exit !(again > once + 0.1) }'
    wcachefit search -q -t 2 --time 1m "$small" 2>/dev/null | jq -e '.max_length == 128'
    wcachefit search -q -t 2 --time 1m --set max_length=64 --set weight_decay=0.25 2>/dev/null |
        jq -e '.max_length == 64 and .weight_decay == 0.25'
    # a long run takes longer sequences and forgets more slowly, unless told otherwise
    wcachefit search -q -t 2 --time 10h 2>/dev/null | jq -e '.max_length == 256 and .weight_decay < 0.01'
    wcachefit search -q -t 2 --time 10h --set max_length=128 --set weight_decay=0.1 2>/dev/null |
        jq -e '.max_length == 128 and .weight_decay == 0.1'
    wcachefit search -q -t 2 --time 10h "$small" 2>/dev/null | jq -e '.max_length == 128'
    run -2 wcachefit search --time 1m --set max_length=0
    run -1 wcachefit search -t 2 --time 5m --ram 1MB -o "$BATS_TEST_TMPDIR/none.json"
    [[ $output == *"keeps to these limits"* ]]
    [ ! -e "$BATS_TEST_TMPDIR/none.json" ]
    # a requirement is judged of the configuration that was found
    wcachefit search -q -t 2 --time 1m --require 'params<1G,predict.tok_s>0' -o "$BATS_TEST_TMPDIR/b.json"
    run -1 wcachefit search -q -t 2 --time 1m --require 'params<1' -o "$BATS_TEST_TMPDIR/none.json"
    [[ $output == *"requirement params<1 does not hold"* ]]
    [ ! -e "$BATS_TEST_TMPDIR/none.json" ]
    run -2 wcachefit search "$small"
    run -2 wcachefit search --time 5m "$small" "$small"
    run -1 wcachefit search --time 5m --no-calibration
}

@test "what does not fit gets the smallest change that does" {
    run -0 wcachefit fit -t 2 --ram 600MB "${adamw[@]}" configs/wiki_gpu_optimized.json
    [[ $output == *"--set batch_size=1 --set accumulate=64"* ]]
    read -ra flags <<<"$(wcachefit fit -t 2 --ram 600MB "${adamw[@]}" --json configs/wiki_gpu_optimized.json |
        jq -r '.configs[0].flags')"
    wtrain -q -t 2 -c configs/wiki_gpu_optimized.json "${adamw[@]}" "${flags[@]}" --dry-run --rate 1 --force |
        jq -e '.plan.bytes <= 6e8 and .step_tokens == 16384'
    wcachefit fit -t 2 --json "${four[@]}" --ram 60GiB | jq -e 'all(.configs[]; .flags == "")'
    run -1 wcachefit fit --ram 1MB "$small"
    [[ $output == *"no variant of it fits"* ]]
    # one that cannot fit does not hide the others
    run -1 --separate-stderr wcachefit fit --ram 20MB --json "${four[0]}" "$small"
    jq -e '.configs | length == 2 and .[0].flags == null and .[1].flags != null' <<<"$output"
    [[ $stderr == *"wiki_gpu_optimized: no variant of it fits"* ]]
    run -1 --separate-stderr wcachefit fit --ram 20MB "${four[0]}" "$small"
    [[ $output == *"no variant of it fits"*demo:* ]]
    run -2 wcachefit fit
}

@test "the constants of the scaling law are those that its runs give" {
    cd "$BATS_TEST_DIRNAME/../.." || return
    for recipe in adamw muon; do
        wcachefit --format tsv --set optimizer=$recipe configs/demo.json >"$out"
        tests/loss/fit recipe=$recipe tests/loss/runs.tsv >"$BATS_TEST_TMPDIR/law"
        [ "$(grep -cv '^#' "$BATS_TEST_TMPDIR/law")" -eq 11 ]
        grep -v '^#' "$BATS_TEST_TMPDIR/law" | while read -r key value; do
            awk -F '\t' -v key="law.$key" -v value="$value" \
                '$2 == key { found = 1; off = $3 - value; if (off * off > 1e-6 * value * value) exit 1 }
                END { if (!found) exit 1 }' "$out"
        done
    done
    run -1 tests/loss/fit recipe=none tests/loss/runs.tsv
}

@test "several ranks: their rate over a network, and what cannot be shared out" {
    local conf=(--set accumulate=8 --set batch_size=4 configs/wiki_cache_optimized.json)
    calibrated
    wcachefit --network 10GbE "${conf[@]}" >"$out"
    grep '^RANKS over 10GbE' "$out"
    [ "$(grep -c 'tok/s, efficiency ' "$out")" -eq 4 ]
    # a faster network waits less, and no rank waits for none
    echo '{"bytes_s": 1e12, "latency_s": 1e-9}' >"$BATS_TEST_TMPDIR/fast.json"
    for network in 1GbE 10GbE "$BATS_TEST_TMPDIR/fast.json"; do
        wcachefit --network "$network" --spread 0 --ranks 4 --json "${conf[@]}"
    done | jq -se '[.[].configs[0].figures["ranks.wait"]] as [$slow, $fast, $none] |
        $slow > $fast and $fast > $none'
    wcachefit --network 1GbE --ranks 1 --json "${conf[@]}" |
        jq -e '.configs[0].figures | ."ranks.wait" == 0 and (."ranks.efficiency" - 1 | fabs) < 1e-9'
    # all wait for the slowest
    for spread in 0 0.1; do
        wcachefit --network 10GbE --spread $spread --ranks 8 --json "${conf[@]}"
    done | jq -se '[.[].configs[0].figures["ranks.efficiency"]] | .[1] < 0.95 * .[0]'
    run -2 wcachefit --network 1GbE --ranks 4 configs/wiki_cache_optimized.json
    [[ $output == *"4 ranks cannot share out a step of 1 batches"* ]]
    run -2 wcachefit --network 1GbE --ranks 3 "${conf[@]}"
    run -2 wcachefit --ranks 2 "${conf[@]}"
    run -2 wcachefit --network 11GbE "${conf[@]}"
    wcachefit --no-calibration --network 1GbE "${conf[@]}" | grep 'not known without wcachefit calibrate'
}

@test "the curve to 1,024 ranks, and from where another kind of step is worth more" {
    calibrated
    local conf=$small
    wcachefit plot ranks --network 10GbE --json "$conf" |
        jq -e '.series[0].points | length == 11 and .[0].y > 0.999 and .[0].y < 1.001 and .[10].x == 1024 and .[10].y < .[1].y'
    # so slow that nothing but local steps helps
    echo '{"bytes_s": 1e6, "latency_s": 1e-3}' >"$BATS_TEST_TMPDIR/slow.json"
    wcachefit plot ranks --network "$BATS_TEST_TMPDIR/slow.json" "$conf" | grep 'demo, from 2: local steps'
    wcachefit plot ranks --network "$BATS_TEST_TMPDIR/slow.json" --format svg "$conf" | grep -c '<circle' | grep -x 1
    wcachefit --network "$BATS_TEST_TMPDIR/slow.json" --set accumulate=2 "$conf" | grep 'better: local steps'
    run -2 wcachefit plot ranks "$conf"
    [[ $output == *"ranks need --network"* ]]
}

@test "rounds of local steps wait less for a slow network, the longer the less" {
    calibrated
    local steps
    echo '{"bytes_s": 1e6, "latency_s": 1e-3}' >"$BATS_TEST_TMPDIR/slow.json"
    for steps in 0 10 100; do
        wcachefit --network "$BATS_TEST_TMPDIR/slow.json" --spread 0 --json --set accumulate=4 \
            --set local_steps=$steps "$small"
    done | jq -se 'map(.configs[0].figures) | map(."ranks.wait") as [$each, $ten, $hundred] |
        .[2].ranks == 4 and $ten < $each and ($ten / $hundred - 10 | fabs) < 1e-6 and .[2]."ranks.choice" == 0'
    wcachefit plot ranks --network "$BATS_TEST_TMPDIR/slow.json" --json --set local_steps=100 "$small" |
        jq -e '.series[0].points | length == 11 and all(.label == null)'
}
