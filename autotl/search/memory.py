"""Memory of this machine: how much there is, how much a worker holds, and a guard that ends one that holds too much.

A container may be allowed less than the machine has, so control groups (versions 1 and 2) are asked beside the system.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

SECONDS_BETWEEN_LOOKS = 0.2
PATIENCE = 0.5  # seconds that the smallest worker leaves to the larger ones
LEAST_LEFT = 0.03  # of the machine's memory: with less, the largest worker goes before the system picks a victim
MB = 1 << 20

_GROUPS = Path("/sys/fs/cgroup")
_LIMITS = (
    ("memory.max", "memory.current", "memory.stat", "inactive_file"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat", "total_inactive_file"),
)


@dataclass(frozen=True)
class Memory:
    """Bytes of main memory that this process and its workers may use, and those of them that are free."""

    total: int
    available: int

    def is_short(self, least_left: float) -> bool:
        """Whether a process will soon be killed for want of it: less than this share of it is free."""
        return self.available < least_left * self.total


def memory_here(groups: Path = _GROUPS) -> Memory:
    """What the system has, or the control group of this process allows where that is less."""
    system = psutil.virtual_memory()
    total, available = int(system.total), int(system.available)
    for limit, used, statistics, reclaimable in _LIMITS:
        allowed = _number(groups / limit)
        if allowed is None or allowed >= total:
            continue
        held = (_number(groups / used) or 0) - _entry(groups / statistics, reclaimable)
        total, available = allowed, min(available, max(0, allowed - held))
    return Memory(total, available)


def held_by(process: psutil.Process) -> int:
    """Bytes that only this process's end would give back: stored features that it has mapped are not among them."""
    held = process.memory_info()
    return int(held.rss) - int(getattr(held, "shared", 0))


class MemoryGuard:
    """Watches how much this process holds while it trains, and ends it where the machine would run out of memory.

    The system would kill some process, perhaps the search itself. Here a worker goes that holds more than its share,
    and nothing happens while there is memory for all, however unequal.

    Args:
        share: bytes that this worker may hold when memory is short.
        on_exhausted: called, in the guard's own thread, with a sentence; it is expected not to return.
        look: what there is.
        least_left: share of the machine's memory below which it is short.
    """

    def __init__(
        self,
        share: float,
        on_exhausted: Callable[[str], None],
        look: Callable[[], Memory] = memory_here,
        *,
        least_left: float = LEAST_LEFT,
    ) -> None:
        self._share = share
        self._on_exhausted = on_exhausted
        self._look = look
        self._least_left = least_left
        self._process = psutil.Process()
        self._peak = 0
        self._is_over = threading.Event()
        threading.Thread(target=self._watch, name="memory guard", daemon=True).start()

    def peak_since_last_asked(self) -> int:
        """The most bytes that were held at once since this was called before."""
        peak, self._peak = max(self._peak, held_by(self._process)), 0
        return peak

    def stop(self) -> None:
        """Looks no more."""
        self._is_over.set()

    def _watch(self) -> None:
        while not self._is_over.wait(SECONDS_BETWEEN_LOOKS):
            self.check()

    def check(self) -> None:
        """One look."""
        held = held_by(self._process)
        self._peak = max(self._peak, held)
        if held <= self._share:
            return
        there = self._look()
        if not there.is_short(self._least_left):
            return
        time.sleep(PATIENCE * max(0.0, 1.0 - held / there.total))  # of several the largest goes, and that may be enough
        there = self._look()
        if there.is_short(self._least_left):
            self._on_exhausted(
                f"out of memory: the worker held {held / MB:,.0f} MB, its share is {self._share / MB:,.0f} MB, "
                f"and {there.available / MB:,.0f} MB were left on the machine"
            )


def _number(path: Path) -> int | None:
    """What a control group's file says; None without such a file, or where there is no limit."""
    try:
        return int(path.read_text())
    except (OSError, ValueError):  # `max` stands for none
        return None


def _entry(path: Path, name: str) -> int:
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.split()[:1] == [name]), 0)
