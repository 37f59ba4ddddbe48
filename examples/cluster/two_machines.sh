#!/bin/bash
# Two machines that you can log in to, such as a pair in a cloud. Run this on the first; it starts Ray on both, searches,
# and ends what it started (not `ray stop`, which would end everybody's Ray on a machine).
#
#   OTHER=ubuntu@10.0.0.6 examples/cluster/two_machines.sh task.yaml --out s3://my-bucket/runs/first
#
# Both have the same Python, autotl (in ~/autotl) and data under the same path. Keep the ports closed to the outside:
# whoever reaches a Ray cluster can run programs on it.
set -euo pipefail

other=${OTHER:?name the other machine: OTHER=user@address}
port=${PORT:-6379}
venv=${AUTOTL_VENV:-autotl}  # below the home folder of both
source "$HOME/$venv/bin/activate"
here=$(hostname -I | awk '{print $1}')
export RAY_USAGE_STATS_ENABLED=0
export RAY_AUTH_MODE=token  # nobody without it may use the cluster
export RAY_memory_monitor_refresh_ms=0  # autotl has a guard of its own in each worker

umask 077
ray get-auth-token --generate >/dev/null  # into ~/.ray/auth_token, unless there is one

started=()
trap 'kill "${started[@]}" 2>/dev/null; wait' EXIT

ray start --head --node-ip-address="$here" --port="$port" --include-dashboard=false --block >ray-head.log 2>&1 &
started+=($!)
for _ in $(seq 60); do
  ray status --address="$here:$port" >/dev/null 2>&1 && break
  sleep 1
done
ssh "$other" 'umask 077 && mkdir -p ~/.ray && cat >~/.ray/auth_token' <"$HOME/.ray/auth_token"
# -tt: when this end goes away, the other machine's Ray goes, too
settings="RAY_AUTH_MODE=token RAY_memory_monitor_refresh_ms=0"
ssh -tt "$other" "$settings ~/$venv/bin/ray start --address=$here:$port --block" >ray-other.log 2>&1 &
started+=($!)
for _ in $(seq 60); do
  [ "$(ray status --address="$here:$port" 2>/dev/null | grep -c ' node_')" -ge 2 ] && break
  sleep 1
done

autotl search --address "$here:$port" "$@"
