# Rounds of local steps (wtrain --local-steps), of a rank alone and among the ranks of each MPI that is here.

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
    rounds=(-c eight.json --local-steps 3)
}

# Steps at whose ends checkpoints of a folder were taken.
saved()
{
    find "$1" -name '*.wts' | sort | sed 's/.*step-0*//; s/[.]wts//' | paste -sd' '
}

@test "a rank alone: the same bytes for any number of threads and after a resume, in fp32 and bf16" {
    local precision
    for precision in fp32 bf16; do
        wtrain -q "${rounds[@]}" --precision $precision -n 9 -t 1 -o whole.wts "$data/eight.batches"
        wtrain -q "${rounds[@]}" --precision $precision -n 9 -t 3 -o part.wts "$data/eight.batches"
        cmp part.wts whole.wts
        wtrain -q "${rounds[@]}" --precision $precision -n 6 -o part.wts "$data/eight.batches"
        wtrain -q --resume part.wts -n 9 -o part.wts "$data/eight.batches"
        cmp part.wts whole.wts
    done
    wtrain -q "${rounds[@]}" --local-steps 0 -n 9 -o plain.wts "$data/eight.batches"
    run ! cmp -s plain.wts whole.wts
    # the plan has what the rounds take, and the checkpoint what they keep
    wtrain -q "${rounds[@]}" --dry-run --rate 1 | jq -e '[.plan.buffers[].name] | contains(["outer.m", "outer.common"])'
    wcat --what header whole.wts | jq -e '.config.local_steps == 3 and ([.tensors[].name] | contains(["outer.m.wpe.weight"]))'
}

@test "rounds can begin and end with a resume" {
    wtrain -q -c eight.json -n 3 -o a.wts "$data/eight.batches"
    wtrain -q --resume a.wts --local-steps 3 -n 9 -o a.wts "$data/eight.batches"
    wtrain -q --resume a.wts --local-steps 0 -n 12 --log log -o a.wts "$data/eight.batches"
    jq -se '.[-1].loss < 3.5 and all(.t != "round")' log
    # but not by an oversight
    wtrain -q "${rounds[@]}" -n 3 -o b.wts "$data/eight.batches"
    run -3 wtrain -c eight.json --resume b.wts -n 6 -o b.wts "$data/eight.batches"
    [[ $output == *"was made with local_steps 3, but the configuration has 0"* ]]
}

@test "ranks that each took a step take the mean of their models" {
    need openmpi
    skip_if_sanitized
    local mean=(-c eight.json --precision fp32 -n 1 --val "$data/tiny.batches" --log log)
    # each half of the batches of a step by a process of its own
    wbatch -q -c eight.json -n 4 --start 4 -o second.batches "$data/tiny.tokens"
    wtrain -q "${mean[@]}" --set accumulate=4 -o a.wts "$data/eight.batches"
    wtrain -q "${mean[@]}" --set accumulate=4 -o b.wts second.batches
    wmodel average -q -o mean.wts a.wts b.wts
    wtrain -q --init mean.wts --precision fp32 -n 0 --val "$data/tiny.batches" --log log </dev/null
    ranks openmpi 2 wtrain -q "${mean[@]}" --local-steps 1 --set outer_learning_rate=1 --set outer_momentum=0 -o c.wts \
        "$data/eight.batches"
    jq -se 'map(select(.t == "eval").loss) as [$a, $b, $mean, $ranks] |
        ($mean - $ranks | fabs) < 1e-6 and ($mean - $a | fabs) > 1e-4 and ($mean - $b | fabs) > 1e-4' log
}

@test "killed or stopped within a round, ranks go on to the same bytes" {
    local mpi signal every want
    [ -n "$MPIS" ] || need openmpi
    skip_if_sanitized
    for mpi in $MPIS; do
        ranks $mpi 2 wtrain -q "${rounds[@]}" --local-steps 50 -n 300 -o whole.wts "$data/eight.batches"
        for signal in KILL TERM; do
            # killed, it has what it saved before; a signal saves what is not saved
            every=(--every-steps 20) want="100 150 200"
            [ $signal = KILL ] || every=() want=200
            # a pipe that stays open keeps the run waiting after the steps of the first frame
            mkfifo in
            launch_by $mpi 2
            "${launch[@]}" bash -c 'echo "$$" >"pid.${OMPI_COMM_WORLD_RANK:-$PMI_RANK}"
                exec wtrain -c eight.json --local-steps 50 -n 300 "$@" -o part.wts --log log in' - "${every[@]}" \
                </dev/null 2>err &
            exec 9>in
            head -c 300000 "$data/eight.batches" >&9
            for _ in $(seq 100); do
                grep -q '"step":240,' log 2>/dev/null && break
                sleep 0.1
            done
            if [ $signal = KILL ]; then
                kill -KILL $(cat pid.0 pid.1)
                wait $! && return 1
            else
                kill -TERM $!
                # the launcher of MPICH reports 0
                wait $! && [ $mpi != mpich ] && return 1
                [ "$(grep -c 'stopped by a signal after step 200' err)" -eq 1 ]
            fi
            exec 9>&-
            [ "$(saved part.wts.ckpt)" = "$want" ]
            ranks $mpi 2 wtrain -q --resume part.wts.ckpt -n 300 -o part.wts "$data/eight.batches"
            cmp part.wts whole.wts
            no_orphans
            rm -rf in log part.wts*
        done
    done
}

@test "between two rounds the number of ranks may change" {
    need openmpi
    skip_if_sanitized
    local turn
    for turn in 1 2; do
        ranks openmpi 4 wtrain -q "${rounds[@]}" -n 6 -o $turn.wts --log log.$turn "$data/eight.batches"
        ranks openmpi 2 wtrain -q --resume $turn.wts -n 12 -o $turn.wts --log log.$turn "$data/eight.batches"
        wtrain -q --resume $turn.wts -n 18 -o $turn.wts --log log.$turn "$data/eight.batches"
    done
    cmp 1.wts 2.wts
    jq -se 'map(select(.t == "header").ranks) == [4, 2, null] and
        (map(select(.t == "round").loss) | . == (sort | reverse) and length == 6)' log.1
}

@test "the sampled softmax, lazy rows, Muon and a gate go on after a resume" {
    need openmpi
    skip_if_sanitized
    local run=("${rounds[@]}" --set softmax_sample=64 --set lazy_rows=1 --set optimizer=muon)
    "$BUILD/tests/add_columns" "$data/tiny.tokens" counted.tokens
    wbatch -q -c eight.json -o counted.batches counted.tokens
    ranks openmpi 2 wtrain -q "${run[@]}" -n 6 -o whole.wts counted.batches
    wcat --what header whole.wts | jq -e '.config.counts > 0'
    ranks openmpi 2 wtrain -q "${run[@]}" -n 3 -o part.wts counted.batches
    ranks openmpi 2 wtrain -q --resume part.wts -n 6 -o part.wts counted.batches
    cmp part.wts whole.wts
}

@test "in bf16 ranks have the same results as each other, and as before" {
    need mpich
    skip_if_sanitized
    local log
    for log in 1 2; do
        ranks mpich 4 wtrain "${rounds[@]}" -v --peer-sums bf16 -n 9 --log log.$log -o $log.wts "$data/eight.batches"
    done
    cmp 1.wts 2.wts
    ranks mpich 4 wtrain "${rounds[@]}" -v -n 9 --log log.fp32 -o fp32.wts "$data/eight.batches"
    jq -n -e --slurpfile full log.fp32 --slurpfile half log.1 'def rounds: map(select(.t == "round"));
        def bytes: rounds[0].exchanges | map(.[0]) | max;
        ($full | bytes) == 2 * ($half | bytes) and
            (($full | rounds[-1].loss) - ($half | rounds[-1].loss) | fabs) < 0.02'
}

@test "logs, evaluations and checkpoints are of the ends of rounds" {
    need mpich
    skip_if_sanitized
    ranks mpich 2 wtrain -v "${rounds[@]}" -n 14 --log log -o a.wts --val "$data/tiny.batches" --val-every 4 \
        --keep-best --every-steps 5 --checkpoints ck "$data/eight.batches" 2>err
    grep -q 'rounds of 3 steps; outer step: learning rate 0.7, momentum 0.9' err
    jq -se '(map(select(.t == "round")) | map(.step) == [3, 6, 9, 12, 14] and map(.steps) == [3, 3, 3, 3, 2] and
            all(.wait_ranks > 0 and .wait_ranks < 1 and .gnorm > 0 and (.exchanges | length) > 3)) and
        (map(select(.t == "step")) | length == 14 and all(has("wait_ranks") | not)) and
        map(select(.t == "eval").step) == [6, 9, 12, 14] and
        .[-1].loss == (map(select(.t == "round"))[-1].loss)' log
    [ "$(saved ck)" = "6 12" ]
    wcat -q --verify a.best.wts
}

@test "data that end within a round end it" {
    wbatch -q -c eight.json -n 60 -o few.batches "$data/tiny.tokens"
    wtrain -q "${rounds[@]}" --set schedule=constant --log log -o a.wts few.batches
    jq -se '(map(select(.t == "round")) | map(.steps) == [3, 3, 1]) and .[-1].reason == "data"' log
    wtrain -q "${rounds[@]}" -n 7 -o b.wts few.batches
    wcat --what header a.wts | jq -e '.state.step == 7'
    wmodel info a.wts
    # cut, they complete no model
    head -c -20 few.batches >cut
    run -3 wtrain -q "${rounds[@]}" --set schedule=constant --checkpoints ck -o c.wts cut
    [ ! -e c.wts ]
}

@test "what does not fit is refused, with what to do" {
    run -2 wtrain "${rounds[@]}" --set outer_momentum=1 -n 3 "$data/eight.batches"
    [[ $output == *"outer_momentum must be below 1"* ]]
    run -2 wtrain -c eight.json --local-steps many -n 3 "$data/eight.batches"
    [[ $output == *"--local-steps"* ]]
    run -2 wcachefit --network 1GbE --ranks 16 --set accumulate=8 --set local_steps=30 eight.json
    [[ $output == *"16 ranks cannot share out a step of 8 batches, 8 can"* ]]
    need openmpi
    skip_if_sanitized
    run -2 ranks openmpi 4 wtrain "${rounds[@]}" --set accumulate=6 -n 3 "$data/eight.batches"
    [[ $output == *"4 ranks cannot share out the 6 batches of a step: accumulate has to be a multiple of 4"* ]]
    # more ranks than max_ranks make other bytes anyway
    ranks openmpi 4 wtrain -q "${rounds[@]}" --set max_ranks=1 -n 3 "$data/eight.batches"
}

@test "a rank that is stopped or killed within a round ends all, with a whole checkpoint" {
    local mpi
    [ -n "$MPIS" ] || need openmpi
    skip_if_sanitized
    for mpi in $MPIS; do
        lose_a_rank $mpi 2 KILL --local-steps 7
        rm -rf ck log
    done
    need openmpi
    lose_a_rank openmpi 2 STOP --local-steps 7
    grep -q 'rank 1 on .* has not been heard for 4 s' err
    jq -se '.[-1].exit == 4 and .[-1].step % 7 == 0' log
}
