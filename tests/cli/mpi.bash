# mpi.bash: what the tests of ranks share. setup_file() calls prepare_ranks, setup() skip_if_sanitized; $data is
# the folder of what setup_file() has made.

# Into MPIS: those that can be tested here.
prepare_mpi()
{
    # Ranks of one machine share two cores here.
    export OMP_NUM_THREADS=1 OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
    export OMPI_MCA_btl_vader_single_copy_mechanism=none # containers forbid it, and it warns
    MPIS=
    local mpi
    for mpi in openmpi mpich; do
        if [ -e "$BUILD/peers_$mpi.so" ] && command -v mpirun.$mpi >/dev/null; then
            MPIS="$MPIS $mpi"
        fi
    done
    export MPIS
}

# In the folder of tiny (tiny.bash): a configuration that eight ranks can share out, and its batches.
prepare_ranks()
{
    prepare_mpi
    make_tiny
    jq '.accumulate = 8 | .num_layers = 2' tiny.json >eight.json
    # three frames, so that the first can be there while others are still to come
    wbatch -q -c eight.json -e 6 --level 0 -o eight.batches tiny.tokens
}

skip_if_sanitized()
{
    if grep -q fsanitize "$BUILD/flags"; then
        skip "NOT TESTED UNDER A SANITIZER: an MPI is not built with it"
    fi
}

# The programs of an MPI.
need()
{
    [[ " $MPIS " == *" $1 "* ]] || skip "NOT TESTED: this build has no engine for $1, or there is no mpirun.$1"
}

# How an MPI starts so many ranks, into the array launch. A signal to timeout goes on to the launcher; without
# --foreground it would go to all of its group too, and a rank that hears it twice ends at once.
launch_by()
{
    launch=(timeout --foreground 60 "mpirun.$1" -n "$2")
    [ "$1" = mpich ] || launch+=(--oversubscribe --bind-to none)
}

# MPI RANKS COMMAND...
ranks()
{
    local launch
    launch_by "$1" "$2"
    shift 2
    "${launch[@]}" "$@"
}

# The processes of wtrain that a launcher has started: none may be left.
no_orphans()
{
    local i
    for i in $(seq 50); do
        pgrep -f "wtrain.*$BATS_TEST_TMPDIR" >/dev/null || return 0
        sleep 0.1
    done
    false
}

# The newest checkpoint in ck is the one that a process alone saves after as many steps. It is stopped then:
# the number of steps of a run decides bytes.
same_checkpoint()
{
    local newest
    newest=$(find ck -name '*.wts' | sort | tail -n 1)
    wtrain -q -c eight.json -n 100000 --every-steps 1 --keep 100000 --checkpoints alone "$@" "$data/eight.batches" &
    for _ in $(seq 300); do
        [ -e "alone/${newest#ck/}" ] && break
        sleep 0.1
    done
    kill -KILL $!
    wait $! || true
    cmp "$newest" "alone/${newest#ck/}"
}

# MPI RANKS [OPTION...]: ranks that train until one of them is lost. The pid that the launcher knows of each, that of
# its guard, is in pid.RANK.
start_ranks()
{
    local launch
    launch_by "$1" "$2"
    shift 2
    "${launch[@]}" bash -c 'echo "$$" >"pid.${OMPI_COMM_WORLD_RANK:-$PMI_RANK}"
        exec wtrain -c eight.json -n 100000 --peer-timeout 4s --every-steps 3 \
            --checkpoints ck --log log "$@"' - "$@" "$data/eight.batches" </dev/null 2>err &
    launcher=$!
    for _ in $(seq 100); do
        [ -n "$(find ck -name '*.wts' 2>/dev/null)" ] && break
        sleep 0.1
    done
}

# RANK: the pid of the rank itself, which its guard has started.
pid_of_rank()
{
    pgrep -P "$(cat "pid.$1")"
}

# One of the ranks is lost: the launcher ends with an exit status, into launcher_status, and all with it.
wait_for_end()
{
    SECONDS=0 launcher_status=0
    wait $launcher || launcher_status=$?
    [ $SECONDS -le 10 ]
    no_orphans
    # what was saved is whole
    wcat -q --verify "$(find ck -name '*.wts' | sort | tail -n 1)"
}

# MPI RANKS SIGNAL [OPTION...]: rank 1 gets a signal, and nobody else.
lose_a_rank()
{
    local signal=$3
    start_ranks "$1" "$2" "${@:4}"
    kill -$signal "$(pid_of_rank 1)"
    wait_for_end
    [ $launcher_status -eq 4 ]
}
