# wtrain among several ranks, by each MPI that is here: the same bytes as one process, and the same end
# for all.

bats_require_minimum_version 1.5.0
load tiny
load mpi

setup_file()
{
    prepare_ranks
}

setup()
{
    cd "$BATS_TEST_TMPDIR" || return 1
    data=$BATS_FILE_TMPDIR
    cp "$data"/*.json .
    skip_if_sanitized
}

# MPI RANKS...: with the update dealt out, as auto has it on one machine, and whole
same_bytes()
{
    local mpi=$1 n precision update
    need "$mpi"
    for n in "${@:2}"; do
        for precision in fp32 bf16; do
            run=(-c eight.json --precision $precision -n 6)
            [ -e $precision.wts ] || wtrain -q "${run[@]}" -o $precision.wts "$data/eight.batches"
            for update in auto whole; do
                ranks "$mpi" "$n" wtrain -v "${run[@]}" --update $update -o $n.wts "$data/eight.batches" 2>err
                cmp $n.wts $precision.wts
                [ "$(grep -c "the update is dealt out among $n ranks" err)" -eq $([ $update = auto ] && echo 1 || echo 0) ]
            done
        done
    done
}

@test "2 and 8 ranks of Open MPI make the bytes of one process, in fp32 and bf16" {
    same_bytes openmpi 2 8
}

@test "2 and 4 ranks of MPICH make the bytes of one process, in fp32 and bf16" {
    same_bytes mpich 2 4
}

@test "a run is resumed by another number of ranks, to the same bytes" {
    need openmpi
    wtrain -q -c eight.json -n 9 -o whole.wts "$data/eight.batches"
    ranks openmpi 4 wtrain -q -c eight.json -n 3 -o part.wts "$data/eight.batches"
    wtrain -q --resume part.wts -n 6 -o part.wts "$data/eight.batches"
    ranks openmpi 2 wtrain -q --resume part.wts -n 9 -o part.wts "$data/eight.batches"
    cmp part.wts whole.wts
}

@test "checkpoints are those of one process, however the update is made" {
    need openmpi
    local run=(-c eight.json -n 7 --every-steps 2 --keep 9) update
    wtrain -q "${run[@]}" --checkpoints one -o one.wts "$data/eight.batches"
    for update in dealt whole; do
        ranks openmpi 4 wtrain -q "${run[@]}" --update $update --checkpoints $update -o $update.wts "$data/eight.batches"
        diff -r one $update
        cmp one.wts $update.wts
    done
    # the best model, too
    run+=(--set learning_rate=0.01 --val "$data/eight.batches" --val-every 3 --keep-best)
    wtrain -q "${run[@]}" -o one.wts "$data/eight.batches"
    ranks openmpi 2 wtrain -q "${run[@]}" --update dealt -o two.wts "$data/eight.batches"
    cmp one.best.wts two.best.wts
}

@test "SIGUSR1 saves a whole checkpoint where the update is dealt out" {
    need openmpi
    launch_by openmpi 2
    "${launch[@]}" bash -c 'echo "$$" >"pid.$OMPI_COMM_WORLD_RANK"
        exec wtrain -q -c eight.json -n 100000 --log log --checkpoints ck "$1"' - "$data/eight.batches" </dev/null 2>err &
    for _ in $(seq 100); do
        grep -q '"t":"step"' log 2>/dev/null && break
        sleep 0.1
    done
    kill -USR1 "$(cat pid.0)"
    for _ in $(seq 100); do
        [ -n "$(find ck -name '*.wts')" ] && break
        sleep 0.1
    done
    kill -KILL "$(pid_of_rank 1)"
    wait $! && return 1
    no_orphans
    same_checkpoint
}

@test "the sampled softmax, lazy rows, Muon and a gate are the same among ranks" {
    need openmpi
    local run lazy update
    "$BUILD/tests/add_columns" "$data/tiny.tokens" counted.tokens
    wbatch -q -c eight.json -o counted.batches counted.tokens
    for lazy in 1 0; do
        run=(-c eight.json --set softmax_sample=64 --set lazy_rows=$lazy --set optimizer=muon)
        wtrain -q "${run[@]}" -n 6 -o 1.wts counted.batches
        wcat --what header 1.wts | jq -e '.config.counts > 0'
        for update in dealt whole; do
            ranks openmpi 2 wtrain -q "${run[@]}" --update $update -n 6 -o 2.wts counted.batches
            cmp 2.wts 1.wts
        done
    done
}

@test "rank 0 hands on what comes from a pipe, and its end" {
    local mpi
    wbatch -q -c eight.json -n 84 -o few.batches "$data/tiny.tokens"
    wtrain -q -c eight.json --set schedule=constant -o 1.wts few.batches
    for mpi in $MPIS; do
        ranks $mpi 2 wtrain -q -c eight.json --set schedule=constant -o $mpi.wts <few.batches
        cmp $mpi.wts 1.wts
        # by name, and more than is wanted
        mkfifo in
        cat "$data/eight.batches" >in &
        ranks $mpi 4 wtrain -q -c eight.json -n 2 -o $mpi.wts in
        wtrain -q -c eight.json -n 2 -o 2.wts "$data/eight.batches"
        cmp $mpi.wts 2.wts
        rm in
    done
    [ -n "$MPIS" ] || need openmpi
}

@test "rank 0 alone writes, logs and speaks; the log says how long it waited for the others" {
    need mpich
    ranks mpich 2 wtrain -v -c eight.json -n 3 --log log -o 2.wts --val "$data/eight.batches" --val-every 1 --keep-best \
        "$data/eight.batches" 2>err
    [ "$(grep -c 'optimizer muon' err)" -eq 1 ]
    wcat verify 2.best.wts
    [ "$(jq -c 'select(.t == "step")' log | wc -l)" -eq 3 ]
    jq -se '.[0].ranks == 2 and all(.[] | select(.t == "step");
        .wait_ranks >= 0 and .wait_ranks <= 1 and (.exchanges | length) > 1)' log
}

@test "SIGTERM or Ctrl-C to the launcher saves once, and the run goes on to the same bytes" {
    local mpi turn
    wtrain -q -c eight.json -n 300 -o whole.wts "$data/eight.batches"
    for turn in $(for mpi in $MPIS; do echo $mpi-TERM $mpi-INT; done); do
        mpi=${turn%-*}
        # a pipe that stays open keeps the run waiting after the steps of the first frame
        mkfifo in
        launch_by $mpi 2
        "${launch[@]}" wtrain -c eight.json -n 300 -o $mpi.wts --log log in </dev/null 2>err &
        exec 9>in
        head -c 300000 "$data/eight.batches" >&9
        for _ in $(seq 100); do
            grep -q '"step":240,' log 2>/dev/null && break
            sleep 0.1
        done
        kill -${turn#*-} $!
        # the launcher of MPICH reports 0
        wait $! && [ $mpi != mpich ] && return 1
        exec 9>&-
        rm -f in log
        [ "$(grep -c 'stopped by a signal' err)" -eq 1 ]
        [ "$(find $mpi.wts.ckpt -name '*.wts' | wc -l)" -eq 1 ]
        wtrain -q --resume $mpi.wts.ckpt -n 300 -o $mpi.wts "$data/eight.batches"
        cmp $mpi.wts whole.wts
        no_orphans
    done
    [ -n "$MPIS" ] || need openmpi
}

@test "what one rank finds wrong ends all with its status, and is said once" {
    need openmpi
    # a configuration
    run -2 ranks openmpi 2 wtrain -c eight.json --set d_model=17 -n 2 "$data/eight.batches"
    [ "$(grep -c 'num_heads 2 does not divide' <<<"$output")" -eq 1 ]
    # on one machine alone
    run -4 ranks openmpi 2 bash -c '[ $OMPI_COMM_WORLD_RANK = 0 ] || name=missing.json
        exec wtrain -c ${name:-eight.json} -n 2 "$1"' - "$data/eight.batches"
    [[ $output == *"rank 1 on "*": missing.json"* ]]
    # data that are cut
    head -c 100000 "$data/eight.batches" >cut
    run -3 ranks openmpi 2 wtrain -q -c eight.json cut
    # a folder that cannot be written
    run -4 ranks openmpi 2 wtrain -q -c eight.json -n 2 -o none/a.wts "$data/eight.batches"
    # other weights
    wtrain -q -c eight.json -n 0 -o a.wts </dev/null
    wtrain -q -c eight.json -n 0 -s 2 -o b.wts </dev/null
    run -3 ranks openmpi 2 bash -c '[ $OMPI_COMM_WORLD_RANK = 0 ] || name=b.wts
        exec wtrain -q --init ${name:-a.wts} -n 2 "$1"' - "$data/eight.batches"
    [[ $output == *"rank 1 on "*" differs from rank 0"* ]]
    no_orphans
}

@test "sums in bf16 take half the bytes and learn as much; one process has none" {
    local mpi kind
    [ -n "$MPIS" ] || need openmpi
    local run=(-v -c eight.json --precision fp32 -n 40 --val "$data/tiny.batches")
    wtrain "${run[@]}" --log log.alone -o alone.wts "$data/eight.batches"
    wtrain -q "${run[@]}" --peer-sums bf16 -o other.wts "$data/eight.batches"
    wtrain -q --init alone.wts -n 0 -o a.wts --weights-only </dev/null
    wtrain -q --init other.wts --set peer_sums=fp32 -n 0 -o b.wts --weights-only </dev/null
    cmp a.wts b.wts
    for mpi in $MPIS; do
        for kind in fp32 bf16 again; do
            ranks $mpi 4 wtrain "${run[@]}" --peer-sums ${kind/again/bf16} --update whole --log log.$kind \
                -o $kind.wts "$data/eight.batches" 2>/dev/null
        done
        cmp fp32.wts alone.wts
        cmp again.wts bf16.wts
        run ! cmp -s bf16.wts fp32.wts
        jq -n -e --slurpfile full log.fp32 --slurpfile half log.bf16 'def bytes: map(select(.t == "step")) | .[9].exchanges |
                map(.[0]) | max;
            def val: map(select(.t == "eval"))[-1].loss;
            ($full | bytes) == 2 * ($half | bytes) and (($full | val) - ($half | val) | fabs) < 0.02'
        rm log.*
    done
    run -2 wtrain -c eight.json --peer-sums bf16 --set softmax_sample=64 --set lazy_rows=1 -n 2 "$data/eight.batches"
    [[ $output == *"lazy_rows 1 leaves rows alone to which peer_sums bf16 adds"* ]]
}

@test "numbers of ranks that cannot share out a step are refused, with what to do" {
    need openmpi
    run -2 ranks openmpi 2 wtrain -c tiny.json -n 2 "$data/tiny.batches"
    [[ $output == *"2 ranks cannot share out the 1 batches of a step: accumulate has to be a multiple of 2"* ]]
    run -2 ranks openmpi 3 wtrain -c eight.json -n 2 "$data/eight.batches"
    [[ $output == *"3 ranks: their number has to be a power of two"* ]]
}

@test "without the engine nothing is trained under a launcher" {
    cp "$BUILD/wtrain" .
    OMPI_COMM_WORLD_SIZE=4 run -4 ./wtrain -c eight.json -n 2 -o a.wts "$data/eight.batches"
    [[ $output == *"started as one of 4 ranks, but peers_openmpi.so"* ]]
    [ ! -e a.wts ]
    # one rank is a run like any other
    OMPI_COMM_WORLD_SIZE=1 ./wtrain -q -c eight.json -n 2 -o a.wts "$data/eight.batches"
}

@test "two ranks measure what connects them, in a file that wcachefit reads" {
    local mpi
    for mpi in $MPIS; do
        ranks $mpi 2 wcachefit calibrate --network -o $mpi.json 2>err
        [ "$(grep -c 'predict with --network' err)" -eq 1 ]
        jq -e '.bytes_s > 1e6 and .latency_s > 0 and .latency_s < 1 and (.measured | length) == 5' $mpi.json
        ranks $mpi 2 wcachefit calibrate --network -q | jq -se 'length == 1 and .[0].between[1] != null'
        wcachefit --no-calibration --json --network $mpi.json eight.json |
            jq -e '.configs[0].figures."network.bytes_s" > 1e6'
    done
    run -2 wcachefit calibrate --network
    [[ $output == *"between two ranks, not 1: mpirun -n 2"* ]]
    run -2 wcachefit calibrate --network eight.json
    [ -n "$MPIS" ] || need openmpi
    run -2 ranks openmpi 4 wcachefit calibrate --network
    [ "$(grep -c 'between two ranks, not 4' <<<"$output")" -eq 1 ]
}

@test "what is measured of a network is what it is" {
    local mpi
    cp "$BUILD/wcachefit" .
    export SLOW_BYTES_S=50e6 SLOW_LATENCY_S=0.02
    for mpi in $MPIS; do
        cp "$BUILD/tests/slow_network.so" peers_$mpi.so
        SLOW_ENGINE=$BUILD/peers_$mpi.so ranks $mpi 2 ./wcachefit calibrate --network -q |
            jq -e '.bytes_s > 35e6 and .bytes_s < 54e6 and .latency_s > 0.0199 and .latency_s < 0.04'
    done
    [ -n "$MPIS" ] || need openmpi
}

@test "a rank that is stopped is named, and the others end with status 4" {
    need openmpi
    lose_a_rank openmpi 2 STOP
    grep -q 'rank 1 on .* has not been heard for 4 s' err
    jq -se '.[-1].exit == 4' log
    # rank 1 has taken states of the later steps along
    same_checkpoint
}

@test "a rank that is killed is named, and all end with status 4 and a whole checkpoint" {
    local mpi n
    for mpi in $MPIS; do
        for n in 2 4; do
            rm -rf ck log
            lose_a_rank $mpi $n KILL
            grep -q '^wtrain: rank 1 on .* was killed by signal 9 (Killed)' err
        done
    done
    [ -n "$MPIS" ] || need openmpi
}

@test "a guard that is killed ends all, with a whole checkpoint; one that is stopped does no harm" {
    local mpi saved
    for mpi in $MPIS; do
        rm -rf ck log
        start_ranks $mpi 2
        kill -STOP "$(cat pid.1)"
        saved=$(find ck -name '*.wts' | sort | tail -n 1)
        for _ in $(seq 100); do
            [ "$(find ck -name '*.wts' | sort | tail -n 1)" != "$saved" ] && break
            sleep 0.1
        done
        [ "$(find ck -name '*.wts' | sort | tail -n 1)" != "$saved" ]
        kill -KILL "$(cat pid.1)"
        wait_for_end
        [ $launcher_status -ne 0 ]
    done
    [ -n "$MPIS" ] || need openmpi
}
