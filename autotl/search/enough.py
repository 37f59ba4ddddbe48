"""When nothing is to be gained any more: the search stops before its trials and its time are used up.

What the trials left may still gain is estimated from what the latest ones reached, as draws of the same kind: the
expected rise of the best score over that many draws. Where it is small beside the noise of the best score itself, no
later winner could be told from the present one. The threshold follows Makarova et al., "Automatic termination for
hyperparameter optimization", AutoML 2022 (arXiv:2104.08166), who compare a bound on the regret with the standard error
of cross-validation; the estimate is ours, for it needs no model of the space and its mistakes were counted in replays.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autotl.scoring.intervals import NORMAL_WIDTH
from autotl.search.events import counts_as_trial

NO_GAIN = "no further gain is expected"  # how the reason begins
FEWEST_TRIALS = 15  # complete or stopped early, before anything is concluded
LATEST = 20  # trials that tell what the next ones may reach
SMALL = 0.1  # of the best score's standard error
GRID = 400


@dataclass
class Enough:
    """Notes what trials reached, and tells when to stop.

    Args:
        is_wanted: False where the search is to use all that it was given.
    """

    is_wanted: bool = True
    _merits: list[float] = field(default_factory=list, init=False)  # more is better; -inf of one that cannot win
    _best_error: float = field(default=math.nan, init=False)
    _best: float = field(default=-math.inf, init=False)

    def note(self, row: Mapping[str, Any], merit: float | None) -> None:
        """A trial has ended.

        Args:
            merit: by what trials are compared, more is better; None of one that cannot win.
        """
        reached = -math.inf if merit is None or not math.isfinite(merit) else merit
        if counts_as_trial(row):
            self._merits.append(reached)
        if row["repeat_of"] is None and reached > self._best:
            low, high = row["score"]["low"], row["score"]["high"]
            self._best = reached
            self._best_error = math.nan if low is None or high is None else (high - low) / NORMAL_WIDTH

    def reason(self, left: int) -> str | None:
        """Why no further trial is worth its time; None where one may be.

        Args:
            left: trials that could still be begun.
        """
        if not self.is_wanted or left < 1 or len(self._merits) < FEWEST_TRIALS or not self._best_error > 0:
            return None
        gain = expected_gain(self._merits[-LATEST:], self._best, left)
        if gain >= SMALL * self._best_error:
            return None
        return (
            f"{NO_GAIN}: {left} more trials would raise the best score by {gain:.2g}, "
            f"and its standard error is {self._best_error:.2g}"
        )


def expected_gain(merits: Sequence[float], best: float, draws: int) -> float:
    """By how much the best of so many further draws is expected to exceed the best so far.

    A draw is one of the merits with normal noise of Silverman's bandwidth; those that cannot win never exceed it.
    """
    finite = np.array([merit for merit in merits if math.isfinite(merit)])
    if len(finite) < 2:
        return math.inf
    spread = min(float(np.std(finite, ddof=1)), float(np.subtract(*np.quantile(finite, [0.75, 0.25]))) / 1.34)
    width = 0.9 * (spread or float(np.std(finite, ddof=1))) * len(finite) ** -0.2
    if width == 0:
        return 0.0
    from scipy.special import ndtr

    levels = best + np.linspace(0.0, 6.0 * width + max(float(finite.max()) - best, 0.0), GRID)
    below = ndtr((levels[:, None] - finite[None, :]) / width).mean(axis=1)
    chance = below * len(finite) / len(merits) + (1.0 - len(finite) / len(merits))
    return float(np.trapezoid(1.0 - chance**draws, levels))
