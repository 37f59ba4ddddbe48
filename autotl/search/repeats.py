"""The best few plans are trained again with other seeds before one of them is called the winner.

Two trainings of one plan differ in their seed alone, and of many plans that were trained once the best is partly the
luckiest (Picard, arXiv:2109.08203; Bouthillier et al., MLSys 2021, arXiv:2103.03098).
"""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from autotl.plan.plan import learns_together
from autotl.run.trial_row import ReadRow
from autotl.search.budget import Budget

FEW = 3  # plans that are trained again at most
SHARE_OF_TIME = 0.15  # of the wall time at most that this may take
SHARE_OF_TRIALS = 0.25  # of the budget of trials, likewise: a search of a few trials is not doubled by it


@dataclass
class Repeats:
    """Which trial is repeated next, and when it is time to begin with it.

    Args:
        seeds: with how many each of the best few is trained, the first included; 1 repeats nothing.
        trials: the budget of trials.
    """

    seeds: int
    trials: int
    workers: int
    budget: Budget
    _merits: dict[int, float] = field(default_factory=dict, init=False)  # of trials that may win, more is better
    _rows: dict[int, ReadRow] = field(default_factory=dict, init=False)
    _begun: dict[int, int] = field(default_factory=dict, init=False)  # seeds of a trial beyond its first
    _picked: list[int] | None = field(default=None, init=False)

    def note(self, row: ReadRow, merit: float | None) -> None:
        """A trial has ended.

        Args:
            merit: by what trials are compared, more is better; None of one that cannot win.
        """
        original = row["repeat_of"]
        if original is not None:
            self._begun[original] = self._begun.get(original, 0) + 1
        elif row["status"] == "complete" and merit is not None and math.isfinite(merit):
            self._merits[row["trial"]] = merit
            self._rows[row["trial"]] = row

    def are_due(self) -> bool:
        """Whether what is left of the time is needed for them, so that no further plan may be begun."""
        if self.seeds < 2 or self.have_begun:
            return self.have_begun
        seconds = self._seconds(self._wanted(self._best_few()))
        if not seconds:
            return False
        still_running = max(_seconds_of(row) for row in self._rows.values())
        return time.monotonic() + seconds + still_running >= self.budget.search_ends

    @property
    def have_begun(self) -> bool:
        """Whether it was decided which trials are repeated."""
        return self._picked is not None

    def next(self) -> int | None:
        """The trial to repeat; None where all that was wanted is done, or the time is up.

        The first call decides which trials are repeated: all that was under way has to be known.
        """
        if self.seeds < 2:
            return None
        if self._picked is None:
            self._picked = self._wanted(self._best_few())
        while self._picked:
            trial = self._picked.pop(0)
            if time.monotonic() + _seconds_of(self._rows[trial]) <= self.budget.search_ends:
                return trial
        return None

    def _wanted(self, few: Sequence[int]) -> list[int]:
        """Each of the few once for every seed that it lacks, in turns, as many as the shares allow."""
        lacking = [
            trial for seed in range(1, self.seeds) for trial in few if self._begun.get(trial, 0) < seed
        ]  # one that is the clear winner has its turns as well: how far its score can be trusted
        most = math.floor(SHARE_OF_TRIALS * self.trials) - sum(self._begun.values())
        kept = lacking[: max(most, 0)]
        while kept and self._seconds(kept) > SHARE_OF_TIME * self.budget.wall_seconds:
            kept.pop()
        return kept

    def _best_few(self) -> list[int]:
        """The best, the cheapest that its interval holds, and the next best: among these the winner will be."""
        order = sorted(self._merits, key=lambda trial: (-self._merits[trial], trial))
        if not order:
            return []
        best = self._rows[order[0]]
        low = (best["score"] or {}).get("low")
        slack = math.inf if low is None else abs(float(best["score"]["value"]) - float(low))
        tied = [trial for trial in order if self._merits[order[0]] - self._merits[trial] <= slack]
        cheapest = min(tied, key=lambda trial: (_cost(self._rows[trial]), trial)) if low is not None else order[0]
        return list(dict.fromkeys([order[0], cheapest, *tied]))[:FEW]

    def _seconds(self, trials: Sequence[int]) -> float:
        return sum(_seconds_of(self._rows[trial]) for trial in trials) / self.workers


def _seconds_of(row: ReadRow) -> float:
    """Of training it again: its activations are stored."""
    return float(row["seconds"]["train"]) + float(row["seconds"]["score"]) + 1.0


def _cost(row: ReadRow) -> tuple[bool, float]:
    """As the leaderboard decides ties: a plan that learns other tasks as well comes after those that do not."""
    return learns_together(row["plan"]), math.inf if row["flops"] is None else float(row["flops"])
