"""When a search must stop: time, trials, or the user."""

import time
from dataclasses import dataclass, field

from autotl.backbones.classical import CLASSICAL
from autotl.plan import Plan
from autotl.plan.baselines import PROBES

RESERVED_SHARE = 0.15  # of the wall time, for retraining, test and report
RESERVED_SECONDS = 20.0
BASELINES_SHARE = 0.25


@dataclass
class Budget:
    """The wall time of the whole command, divided between baselines, search and what comes after.

    Args:
        wall_seconds: for everything from now on.
        started: time.time() when the command began.
    """

    wall_seconds: float
    started: float = field(default_factory=time.time)
    interrupted_by: int | None = None  # signal number
    _search_started: float | None = field(default=None, init=False)

    def start_search(self) -> None:
        """Workers can be given trials from now on."""
        self._search_started = time.time()

    @property
    def search_ends(self) -> float:
        """No epoch of a trial starts after this moment (time.time())."""
        reserved = min(max(RESERVED_SECONDS, RESERVED_SHARE * self.wall_seconds), 0.5 * self.wall_seconds)
        return self.started + self.wall_seconds - reserved

    def deadline_of(self, baseline: str | None, plan: Plan) -> float:
        """When a trial must be done (time.time()).

        Baselines together get a quarter of the wall time. Probes and classical models get all of it: every other figure
        is compared with theirs, a classical model takes seconds, and the pass over the examples that makes up most of a
        probe's time is stored for the trials that follow.
        """
        if baseline is None or baseline in PROBES or plan.backbone.origin == CLASSICAL:
            return self.search_ends
        begun = self.started if self._search_started is None else self._search_started
        return min(begun + BASELINES_SHARE * self.wall_seconds, self.search_ends)

    def is_spent(self) -> bool:
        """Whether trials must stop now."""
        return self.interrupted_by is not None or time.time() > self.search_ends
