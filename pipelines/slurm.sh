#!/bin/bash
# A training on several machines as a job for Slurm. See --help.
#SBATCH --job-name=wtrain
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=1
#SBATCH --exclusive
#SBATCH --time=24:00:00
# The job may be put into the queue again, and its log is then continued.
#SBATCH --requeue
#SBATCH --open-mode=append
# Two minutes before the time is over every task gets SIGTERM: wtrain saves a checkpoint and ends.
#SBATCH --signal=TERM@120
set -u

usage()
{
    cat <<'TEXT'
usage: slurm.sh CONFIG.json BATCHES MODEL.wts [WTRAIN-OPTION...]

Trains on the machines of a job, one rank on each, and goes on by itself after a preemption, a time limit
or the loss of a machine. It is given to sbatch, whose options in its head may be replaced. In the
environment: WTRAIN_MPI, which srun --mpi takes (default: pmix, for Open MPI; MPICH needs pmi2).

Examples:
  sbatch --nodes=8 pipelines/slurm.sh big.json train.batches big.wts --set accumulate=8
TEXT
}

[ "${1:-}" != --help ] || { usage; exit 0; }
[ $# -ge 3 ] || { usage >&2; exit 2; }
config=$1 batches=$2 model=$3
shift 3

# A number of tasks that the batches of a step can be shared out to: see wtools(7).
srun --mpi="${WTRAIN_MPI:-pmix}" --kill-on-bad-exit=1 \
    wtrain -c "$config" -o "$model" --log "${model%.wts}.jsonl" \
    --resume "$model.ckpt" --every 10m "$@" "$batches"
status=$?

# Again, if there is no model yet and the reason was a signal or a lost machine (4, or a status of
# Slurm): what is wrong with the configuration or the data (1 to 3) would be so the next time.
if [ $status -gt 3 ] && [ ! -e "$model" ] && [ "${SLURM_RESTART_COUNT:-0}" -lt 100 ]; then
    scontrol requeue "$SLURM_JOB_ID"
fi
exit $status
