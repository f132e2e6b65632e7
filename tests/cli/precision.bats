# wtrain --precision and --kernel: what they choose, and that each choice keeps its bits over threads,
# kills and resumes.
load tiny

setup_file()
{
    export OMP_NUM_THREADS=1
    make_tiny
}

setup()
{
    cd "$BATS_TEST_TMPDIR" || return 1
    data=$BATS_FILE_TMPDIR
}

# train KERNEL PRECISION ARGUMENTS...
train()
{
    wtrain -q -c "$data/tiny.json" --kernel "$1" --precision "$2" "${@:3}" "$data/tiny.batches"
}

# keeps_its_bits KERNEL: one and two threads, stopped and resumed, killed and resumed: the same model.
keeps_its_bits()
{
    local kernel=$1 precision run

    run wtrain -q -c "$data/tiny.json" --kernel "$kernel" --steps 0 -o /dev/null
    [[ $output != *"cannot run here"* ]] || skip "NOT TESTED HERE: ${output##*: }"
    for precision in fp32 bf16; do
        run=$kernel.$precision
        train "$kernel" $precision -n 12 -t 1 --log "$run.log" -o "$run.wts"
        head -n 1 "$run.log" | jq -e --arg kernel "$kernel" --arg precision $precision \
            '.kernel == $kernel and .precision == $precision'
        train "$kernel" $precision -n 12 -t 2 -o two.wts
        cmp "$run.wts" two.wts
        train "$kernel" $precision -n 5 --checkpoints "$run.ckpt"
        train "$kernel" $precision -n 12 -t 2 --resume "$run.ckpt" -o resumed.wts
        cmp "$run.wts" resumed.wts
        # Killed once there is a checkpoint, or whole before that on a day when the machine is quick.
        rm -rf killed.wts killed.wts.ckpt
        wtrain -q -c "$data/tiny.json" --kernel "$kernel" --precision $precision -n 12 \
            --every-steps 1 -o killed.wts "$data/tiny.batches" 3>&- &
        local process=$!
        until [ -e killed.wts ] || compgen -G 'killed.wts.ckpt/*.wts' >/dev/null; do
            sleep 0.01
        done
        kill -9 $process || true
        wait $process || true
        train "$kernel" $precision -n 12 --resume killed.wts.ckpt -o killed.wts
        cmp "$run.wts" killed.wts
    done
    # And the two do differ, or --precision would do nothing.
    run cmp "$kernel.fp32.wts" "$kernel.bf16.wts"
    [ "$status" -eq 1 ]
}

@test "the reference keeps its bits" { keeps_its_bits ref; }
@test "portable kernels keep their bits" { keeps_its_bits portable; }
@test "AVX2 kernels keep their bits" { keeps_its_bits avx2; }
@test "AVX-512 kernels keep their bits" { keeps_its_bits avx512; }
@test "AVX512-BF16 kernels keep their bits" { keeps_its_bits avx512bf16; }
@test "AMX kernels keep their bits" { keeps_its_bits amx; }

@test "--precision is what the log, the header and --dry-run say" {
    wtrain -c "$data/tiny.json" --precision bf16 -n 2 --log log "$data/tiny.batches" 2>err
    grep -q 'kernels, bf16' err
    head -n 1 log | jq -e '.precision == "bf16"'
    wtrain -c "$data/tiny.json" --precision bf16 --rate 1000 --dry-run >plan.json
    jq -e '.precision == "bf16" and (.plan.buffers[] | select(.name == "weights.packed").bytes > 0)' \
        plan.json
    [ "$(jq .plan.bytes plan.json)" = "$(jq 'select(.t == "header").plan_bytes' log)" ]
    wtrain -c "$data/tiny.json" --rate 1000 --dry-run | jq -e '.precision | . == "fp32" or . == "bf16"'
}

@test "bf16 needs less memory" {
    local precision
    for precision in fp32 bf16; do
        wtrain -c "$data/tiny.json" --set max_length=512 --precision $precision --rate 1000 --dry-run |
            jq .plan.bytes >$precision
    done
    [ "$(<bf16)" -lt "$(<fp32)" ]
}

@test "a precision that is not possible is refused" {
    run wtrain -c "$data/tiny.json" --precision fp16 --dry-run
    [ "$status" -eq 2 ]
    [[ $output == *auto*fp32*bf16* ]]
    run wtrain -c "$data/tiny.json" --kernel blas --precision bf16 --rate 1 --dry-run
    [ "$status" -eq 2 ]
    [[ $output == *"no bf16 GEMM"* || $output == *"not installed"* ]]
}
