"""What the trials that can be compared said of the same examples."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autotl.data.examples import is_known
from autotl.leaderboard.rows import cost_of, score_of
from autotl.scoring.comparison import cannot_be_told_apart, difference_ends, resampled_scores
from autotl.scoring.metrics import Labels, Metric, Probabilities, Values
from autotl.scoring.resampling import Groups
from autotl.trial.outcome import Outputs

TIE_DRAWS = 1_000


@dataclass(frozen=True)
class SameExamples:
    """Labels, groups and every trial's probabilities for the examples that all of the trials were scored on."""

    labels: Labels
    groups: Groups | None
    probabilities: Mapping[int, Probabilities]  # by trial number, in rising order
    costs: Mapping[int, float]

    @classmethod
    def of(
        cls,
        rows: Iterable[Mapping[str, Any]],
        outputs: Mapping[int, Outputs],
        labels: Labels,
        groups: Groups | None,
    ) -> "SameExamples":
        """The examples that every row with outputs was scored on and whose label is known.

        Args:
            labels, groups: of all the task's rows, which `outputs` count by.
        """
        costs = {row["trial"]: cost_of(row) for row in rows}
        said = {trial: outputs[trial] for trial in sorted(costs) if trial in outputs}
        shared: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        if said:
            shared = reduce(np.intersect1d, [each.rows for each in said.values()])
            shared = shared[is_known(labels[shared])]
        return cls(
            labels[shared],
            None if groups is None else groups[shared],
            {trial: _of_rows(each, shared) for trial, each in said.items()} if len(shared) else {},
            costs,
        )


@dataclass(frozen=True)
class Differences:
    """By how much each trial is better than another in each resample of the examples."""

    place: Mapping[int, int]  # trial number → column
    goodness: Values  # (draws, trials), more is better

    @classmethod
    def of(cls, same: SameExamples, metric: Metric, *, seed: int) -> "Differences":
        """Every trial on the same resamples."""
        if len(same.probabilities) < 2:
            return cls({}, np.zeros((0, 0)))
        models = list(same.probabilities.values())
        scores = resampled_scores(metric, same.labels, models, groups=same.groups, seed=seed, draws=TIE_DRAWS)
        return cls({trial: place for place, trial in enumerate(same.probabilities)}, metric.gain(scores, 0.0))

    def hold_zero(self, first: Mapping[str, Any], second: Mapping[str, Any]) -> bool:
        """Whether two rows cannot be told apart; without outputs of both, whether their scores are equal."""
        one, other = self.place.get(first["trial"]), self.place.get(second["trial"])
        if one is None or other is None:
            return score_of(first) == score_of(second)
        return cannot_be_told_apart(difference_ends(self.goodness[:, one] - self.goodness[:, other]))


def _of_rows(outputs: Outputs, rows: NDArray[np.int64]) -> Probabilities:
    order = np.argsort(outputs.rows)
    return np.asarray(outputs.validation[order[np.searchsorted(outputs.rows[order], rows)]])
