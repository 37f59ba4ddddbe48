"""A small process beside each worker that ends it when it hangs.

A worker that is stuck in C code, waits for a dead pipe, or was stopped can do nothing about it: it may never run a line
of Python again. So somebody else must look at the clock, on the worker's own machine. That somebody knows the standard
library only, for this file is what it runs.
"""

import contextlib
import json
import logging
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

SECONDS_BETWEEN_LOOKS = 60.0  # whether the worker is still there, should its pipe have been inherited by others

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Patience:
    """How long a step of a trial may take before it is said to hang.

    An epoch is compared with the trial's own earlier ones. Two steps have nothing to be compared with: the first loads,
    and perhaps compiles, a network; the last scores the model on everything. The figures are generous, for a step that
    is ended wrongly costs more than a hung one that is found late.

    Attributes:
        seconds: that any step has.
        times_longest: a step may take so many times the longest before it.
        seconds_at_the_ends: that the first step has, and one in which a plan may come to its end.
        seconds_to_stop: that a trial has to stop by itself when its time is up; it looks at the clock at each batch.
    """

    seconds: float = 300.0
    times_longest: float = 20.0
    seconds_at_the_ends: float = 1_800.0
    seconds_to_stop: float = 10.0

    def for_step(self, earlier: Sequence[float], *, may_end: bool) -> float:
        """Seconds for the next step.

        Args:
            earlier: seconds of the trial's steps so far.
            may_end: whether a plan may come to its end in it.
        """
        usual = self.times_longest * max(earlier[1:] or earlier, default=0.0)
        return max(self.seconds if earlier and not may_end else self.seconds_at_the_ends, usual)


class Watchdog:
    """The worker's side: says what to expect before each step, and that it has ended after it."""

    def __init__(self) -> None:
        # without site-packages it starts in some 20 ms and holds some 8 MB
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__, str(os.getpid())], stdin=subprocess.PIPE, text=True
        )

    def expect(self, *, within: float, else_: str, in_files: Iterable[Path]) -> None:
        """This process is ended when so many seconds have passed, unless `at_rest` or another `expect` comes first.

        Args:
            within: seconds.
            else_: words on why it was ended, which are written into these files.
        """
        self._say({"seconds": within, "words": else_, "files": [str(path) for path in in_files]})

    def at_rest(self) -> None:
        """Nothing is expected: this process waits for its next step."""
        self._say({})

    def stop(self) -> None:
        """Watches no more."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        self._process.wait()

    def _say(self, order: dict[str, object]) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
        except OSError:  # somebody ended it; that is no reason to end a trial
            _log.warning("the watchdog of this worker is gone: a trial that hangs is not noticed")


def _watch(worker: int) -> None:
    """Reads orders until there are no more, and ends the worker when what it expects does not come."""
    orders: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_read, args=(orders,), daemon=True).start()
    order: dict[str, object] = {}
    ends = float("inf")
    while os.getppid() == worker:
        try:
            line = orders.get(timeout=min(max(0.0, ends - time.monotonic()), SECONDS_BETWEEN_LOOKS))
        except queue.Empty:
            if time.monotonic() < ends:
                continue
            _leave_words(order)
            os.kill(worker, signal.SIGKILL)
            return
        if not line:  # the worker has gone, or needs us no more
            return
        order = json.loads(line)
        ends = time.monotonic() + float(str(order["seconds"])) if order else float("inf")


def _read(orders: "queue.Queue[str]") -> None:
    for line in sys.stdin:
        orders.put(line)
    orders.put("")


def _leave_words(order: dict[str, object]) -> None:
    """Each file is there whole or not at all. Where none can be written the worker is ended all the same."""
    files = order["files"]
    assert isinstance(files, list)
    for name in files:
        with contextlib.suppress(OSError):
            path = Path(name)
            path.with_suffix(".part").write_text(str(order["words"]), encoding="utf-8")
            path.with_suffix(".part").replace(path)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all processes of a terminal
    _watch(int(sys.argv[1]))
