#!/usr/bin/env bash
# A study on a Slurm cluster: sbatch slurm.sh
#
# Ray's own launcher starts Ray on every node of the allocation, waits for all of them, runs the
# command on the first, and stops Ray. The study's folder, the recipe and the data lie where this
# script is submitted; the first node alone needs to see them. Every node needs the same Python
# environment: here one in a folder that all nodes share.
#
#SBATCH --job-name=bakeoff
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=32
#SBATCH --exclusive
#SBATCH --time=08:00:00
#SBATCH --output=bakeoff-%j.log
# For nodes with GPUs, and an environment with the extras gpu and ray:
##SBATCH --gpus-per-task=1

set -euo pipefail

RECIPE=${RECIPE:-recipe.yaml}
# python3 -m venv ~/bakeoff-venv; ~/bakeoff-venv/bin/pip install '.[ray]' in a checkout of Bakeoff
VENV=${VENV:-$HOME/bakeoff-venv}
PORT=${PORT:-6379}

# shellcheck disable=SC1091
source "$VENV/bin/activate"
export RAY_USAGE_STATS_ENABLED=0
export RAY_AUTH_MODE=token # others on these nodes cannot use your cluster
ray get-auth-token --generate >/dev/null # in ~/.ray, which all nodes share
head=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
address=$(srun --nodes=1 --ntasks=1 --nodelist="$head" hostname --ip-address | cut -d ' ' -f 1):$PORT
export RAY_ADDRESS=$address

# A job that Slurm ends for its time goes on when the same script is submitted again.
srun --nodes="$SLURM_JOB_NUM_NODES" --ntasks="$SLURM_JOB_NUM_NODES" \
    ray symmetric-run \
    --address "$address" \
    --min-nodes "$SLURM_JOB_NUM_NODES" \
    --num-cpus "$SLURM_CPUS_PER_TASK" \
    --include-dashboard=false \
    --disable-usage-stats \
    -- \
    bakeoff run "$RECIPE" --on ray
