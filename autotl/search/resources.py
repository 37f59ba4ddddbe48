"""How many trials run at once, and what each gets."""

import math
import os
import subprocess
from dataclasses import dataclass

from autotl.errors import EnvironmentProblemError, UsageError
from autotl.search.packing import MOST_ON_A_GPU

SHARE_OF_FREE_MEMORY = 0.9  # for the workers; the driver and the page cache need some, too
LEAST_WORKER_MB = 1_200.0  # a process with TensorFlow and a small network in it


@dataclass(frozen=True)
class Shares:
    """What one trial gets, and how many run at once.

    Attributes:
        gpus: None where each plan's share follows from the memory that such plans were measured to need.
    """

    cpus: float
    gpus: float | None
    workers: int
    fill_the_machine: bool  # whether one more trial would have to wait for a place


def usable_cores() -> int:
    """Cores that this process may run on, which a container or a batch system may have cut down."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def share_out(
    *,
    cpus: float,
    gpus: float,
    cpus_per_trial: float,
    gpus_per_trial: float | str,
    workers: int | None,
    memory_mb: float = math.inf,
    gpu_mb: float | None = None,
) -> Shares:
    """Divides a machine (or cluster) between trials.

    Args:
        cpus, gpus: what there is.
        gpus_per_trial: a number, fractions allowed, or `auto`: one each where there are any.
        workers: most trials at once; None for as many as fit.
        memory_mb: main memory that is free.
        gpu_mb: memory of a GPU; with it `auto` lets several plans share one, where they were measured to fit.
    Raises:
        EnvironmentProblemError: a trial asks for more than there is.
    """
    if workers is not None and workers < 1:
        raise UsageError(f"--workers {workers}: at least one trial must run at a time.")
    gpu_share = (1.0 if gpus >= 1 else 0.0) if isinstance(gpus_per_trial, str) else float(gpus_per_trial)
    if gpu_share > gpus:
        raise EnvironmentProblemError(
            f"resources.gpus_per_trial: a trial asks for {gpu_share:g} GPUs and this machine offers {gpus:g}. "
            "Write `auto` to use GPUs where there are any."
        )
    if cpus_per_trial > cpus:
        raise EnvironmentProblemError(
            f"resources.cpus_per_trial: a trial asks for {cpus_per_trial:g} cores and this machine offers {cpus:g}."
        )
    fit = int(cpus / cpus_per_trial) if cpus_per_trial > 0 else int(cpus)
    is_measured = gpus_per_trial == "auto" and gpu_share > 0 and gpu_mb is not None
    if is_measured:
        fit = min(fit, int(gpus) * MOST_ON_A_GPU)
    elif gpu_share > 0:
        fit = min(fit, _trials_on(gpus, gpu_share))
    if workers is None:  # who names a number knows the machine
        fit = max(1, min(fit, int(memory_mb / LEAST_WORKER_MB) if math.isfinite(memory_mb) else fit))
    at_once = max(1, min(fit, workers or fit))
    return Shares(
        cpus=cpus_per_trial, gpus=None if is_measured else gpu_share, workers=at_once, fill_the_machine=at_once == fit
    )


def gpu_memory_mb() -> float | None:
    """Memory of this machine's smallest GPU, as NVIDIA's own tool tells it; None where there is none to ask."""
    command = ["nvidia-smi", "--query-gpu=memory.total", "--format=csv,noheader,nounits"]
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout
        return min((float(line) for line in said.split()), default=None)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None


def _trials_on(gpus: float, share: float) -> int:
    """A trial never spans two GPUs by fractions: each GPU takes whole shares only."""
    if share >= 1:
        return int(gpus / share)
    return int(gpus) * int(1 / share + 1e-9)
