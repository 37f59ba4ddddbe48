"""When a search must stop: time, trials, or the user."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from autotl.backbones.classical import CLASSICAL
from autotl.plan import Plan
from autotl.plan.baselines import PROBES

RESERVED_SHARE = 0.15  # of the wall time, for retraining, test and report, as long as nothing tells what they take
RESERVED_SECONDS = 20.0
LEAST_RESERVED_SECONDS = 10.0
BASELINES_SHARE = 0.25


def fits_retraining(seconds: float, wall_seconds: float) -> bool:
    """Whether so much of the wall time is kept free for retraining the winner."""
    return seconds <= RESERVED_SHARE * wall_seconds


@dataclass
class Budget:
    """The wall time of the whole command, divided between baselines, search and what comes after.

    Moments are those of time.monotonic(), which all processes of a machine share: a clock that is set, or changes to
    summer time, neither ends a search nor prolongs it.

    Args:
        wall_seconds: for everything, earlier sittings of a resumed search included.
        trial_seconds: for one trial, its features included.
        started: when the command began.
        spent_before: seconds that earlier sittings took. What was reserved for retraining, test and report is there
            again in each.
    """

    wall_seconds: float
    trial_seconds: float = field(default=math.inf, kw_only=True)
    started: float = field(default_factory=time.monotonic)
    interrupted_by: int | None = None  # signal number
    spent_before: float = 0.0
    _search_started: float | None = field(default=None, init=False)
    _breaks_off: bool = field(default=False, init=False)
    _expected_afterwards: float | None = field(default=None, init=False)

    def start_search(self) -> None:
        """Workers can be given trials from now on."""
        self._search_started = time.monotonic()

    def expect_afterwards(self, report_seconds: float, retraining_seconds: float) -> None:
        """Keeps free what will be needed after the last trial, instead of a share of the wall time.

        Args:
            report_seconds: of ranking, test and report.
            retraining_seconds: of the trial that would win now. Where they are more than the share, retraining must do
                with what is left: the trial's own weights can ship, and trials that were never begun cannot.
        """
        fits = fits_retraining(retraining_seconds, self.wall_seconds)
        self._expected_afterwards = report_seconds + (retraining_seconds if fits else 0.0)

    def interrupt(self, number: int) -> None:
        """A signal asks for the end: no further epoch is begun.

        Raises:
            KeyboardInterrupt: where nobody would notice in time; see `broken_off_by_signals`.
        """
        self.interrupted_by = number
        if self._breaks_off:
            raise KeyboardInterrupt

    @contextmanager
    def broken_off_by_signals(self) -> Iterator[None]:
        """For work that does not look at the budget and may take minutes: a signal ends it by a KeyboardInterrupt."""
        if self.interrupted_by is not None:
            raise KeyboardInterrupt
        self._breaks_off = True
        try:
            yield
        finally:
            self._breaks_off = False

    @property
    def ends(self) -> float:
        """When the whole command should be done."""
        return self.started + max(self.wall_seconds - self.spent_before, self._reserved)

    @property
    def search_ends(self) -> float:
        """No epoch of a trial starts after this moment."""
        return self.ends - self._reserved

    @property
    def spent(self) -> float:
        """Seconds so far, in all sittings."""
        return self.spent_before + time.monotonic() - self.started

    @property
    def left(self) -> float:
        """Seconds until the whole command should be done; negative past that."""
        return self.ends - time.monotonic()

    def deadline_of(self, baseline: str | None, plan: Plan) -> float:
        """When a trial must be done.

        Baselines together get a quarter of the wall time. Probes and classical models get all of it: every other figure
        is compared with theirs, a classical model takes seconds, and the pass over the examples that makes up most of a
        probe's time is stored for the trials that follow.
        """
        if baseline is None or baseline in PROBES or plan.backbone.origin == CLASSICAL:
            return self.search_ends
        begun = self.started if self._search_started is None else self._search_started
        return min(begun - self.spent_before + BASELINES_SHARE * self.wall_seconds, self.search_ends)

    def seconds_of(self, baseline: str | None) -> float:
        """For one trial. Probes have all the time: what takes them long is stored for the trials that follow."""
        return math.inf if baseline in PROBES else self.trial_seconds

    def is_spent(self) -> bool:
        """Whether trials must stop now."""
        return self.interrupted_by is not None or time.monotonic() > self.search_ends

    @property
    def _reserved(self) -> float:
        if self._expected_afterwards is None:
            wanted = max(RESERVED_SECONDS, RESERVED_SHARE * self.wall_seconds)
        else:
            wanted = max(LEAST_RESERVED_SECONDS, self._expected_afterwards)
        return min(wanted, 0.5 * self.wall_seconds)
