"""How long one prediction takes: raw file to label, batch of one, one core."""

import contextlib
import os
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from autotl.data.examples import Inputs

if TYPE_CHECKING:
    from autotl.production.serving_model import ServingModel

WARM_UP = 3
REPEATS = 15


def latency_ms(model: "ServingModel", inputs: Inputs) -> float:
    """Median milliseconds from a stored example to its label, on one core where the system allows to ask for that."""
    with one_core():
        for _ in range(WARM_UP):
            model.predict(model.reading(inputs, np.array([0])))
        seconds = []
        for repeat in range(REPEATS):
            start = time.perf_counter()
            model.predict(model.reading(inputs, np.array([repeat % len(inputs)]))).argmax()
            seconds.append(time.perf_counter() - start)
    return float(np.median(seconds) * 1e3)


def estimated_latency_ms(flops: int, measured: Mapping[int, float]) -> float | None:
    """By FLOPs, along a line through the measured ones; None where nothing was measured.

    Args:
        measured: FLOPs of one prediction -> milliseconds.
    """
    if not measured:
        return None
    counts, times = np.array(list(measured), dtype=float), np.array(list(measured.values()))
    if len(counts) == 1:
        return float(times[0] * flops / counts[0])
    slope, intercept = np.polyfit(counts, times, 1)
    return float(max(intercept + slope * flops, times.min() * min(1.0, flops / counts.min())))


@contextlib.contextmanager
def one_core() -> Iterator[None]:
    """Every thread of this process on one core for a while; the numerical libraries' threads were made long before."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    torch = sys.modules.get("torch")  # its threads would wait for each other on the one core
    threads = 1 if torch is None else torch.get_num_threads()
    _pin({min(before)})
    try:
        if torch is not None:
            torch.set_num_threads(1)
        yield
    finally:
        _pin(before)
        if torch is not None:
            torch.set_num_threads(threads)


def _pin(cores: set[int]) -> None:
    for thread in Path("/proc/self/task").iterdir():
        with contextlib.suppress(OSError):
            os.sched_setaffinity(int(thread.name), cores)
