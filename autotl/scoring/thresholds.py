"""From which probability on to call it the class, when a miss and a false alarm do not cost the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autotl.scoring.metrics import METRICS, Labels, Probabilities
from autotl.scoring.per_class import share

COST_RATIOS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
"""What a miss costs, in false alarms."""

MOST_POINTS = 120  # of a curve
FEWEST_OF_A_SIDE = 10  # examples of the class, and of the others: with fewer a curve is noise
IMBALANCED = 0.5  # a class with less than this part of an even share is rare
MOST_RARE = 3
EVEN_ODDS = 0.5

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _Ranked:
    """Examples by falling probability of the class; a cut stands behind a run of equal probabilities."""

    probability: Floats  # at each cut, falling
    found: Floats  # examples of the class down to the cut
    alarms: Floats  # all examples down to the cut
    positives: int
    examples: int

    @classmethod
    def of(cls, is_class: NDArray[np.bool_], probability: NDArray[np.floating]) -> "_Ranked":
        order = np.argsort(-probability, kind="stable")
        falling = probability[order].astype(np.float64)
        cuts = np.append(np.flatnonzero(np.diff(falling)), len(falling) - 1)
        return cls(
            falling[cuts],
            np.cumsum(is_class[order])[cuts].astype(np.float64),
            cuts + 1.0,
            int(is_class.sum()),
            len(is_class),
        )

    def cost(self, found: Floats, alarms: Floats, ratio: float) -> Floats:
        """Of misses and false alarms together, in false alarms per example."""
        return (ratio * (self.positives - found) + alarms - found) / self.examples

    def at(self, threshold: float) -> tuple[int, int]:
        """How many of the class, and how many examples at all, reach a threshold."""
        cut = int(np.searchsorted(-self.probability, -threshold, side="right")) - 1
        return (0, 0) if cut < 0 else (int(self.found[cut]), int(self.alarms[cut]))


def classes_that_need_a_threshold(labels: Labels, classes: int) -> list[int]:
    """Of many classes the rare ones, the rarest first: those that have less than half of an even share."""
    counts = np.bincount(labels[labels >= 0], minlength=classes)[:classes]
    rare = [index for index in range(classes) if counts[index] < IMBALANCED * counts.sum() / classes]
    return sorted(rare, key=lambda index: (counts[index], index))[:MOST_RARE]


def can_be_drawn(labels: Labels, index: int) -> bool:
    """Whether there are enough examples of the class and of others."""
    of_class = int((labels == index).sum())
    return min(of_class, len(labels) - of_class) >= FEWEST_OF_A_SIDE


def thresholds_of(labels: Labels, probabilities: Probabilities, index: int) -> dict[str, Any]:
    """What each threshold on the probability of one class brings, and what it costs.

    Args:
        index: of the class. There must be examples of it and of others.
    Returns:
        Plain JSON values: `examples`, `of_class`, `roc_auc`, `average_precision`; `curve`, points from the strictest
        threshold to the loosest with `threshold`, `recall`, `precision` and `false_alarms` (share of the other
        examples); `marks`, thresholds with a name: that of the best F1, and of two classes 0.5, by which the model
        decides; and `costs`, a line per ratio of costs as `_at_a_ratio` makes it.
    """
    is_class = labels == index
    ranked = _Ranked.of(is_class, probabilities[:, index])
    against_rest = np.stack([1 - probabilities[:, index], probabilities[:, index]], axis=1)
    as_labels = is_class.astype(np.int64)
    marks = [_point(ranked, _threshold_of_best_f1(ranked)) | {"name": "best F1"}]
    if probabilities.shape[1] == 2:
        marks.insert(0, _point(ranked, EVEN_ODDS) | {"name": "as it ships"})
    return {
        "examples": ranked.examples,
        "of_class": ranked.positives,
        "roc_auc": METRICS["roc_auc"](as_labels, against_rest),
        "average_precision": METRICS["average_precision"](as_labels, against_rest),
        "curve": [_point(ranked, float(threshold)) for threshold in _thinned(ranked.probability)],
        "marks": marks,
        "costs": [_at_a_ratio(ranked, ratio) for ratio in COST_RATIOS],
    }


def threshold_for_costs(ratio: float) -> float:
    """The threshold that costs least where probabilities are true and a miss costs `ratio` false alarms.

    Paper: Elkan, "The foundations of cost-sensitive learning", IJCAI 2001, eq. 2.
    """
    return 1 / (1 + ratio)


def _at_a_ratio(ranked: _Ranked, ratio: float) -> dict[str, Any]:
    """A line of the table of costs.

    `threshold` is the one for true probabilities, `cost` what it costs on these examples per 100 of them in false
    alarms, `idle_cost` what the better of always and never naming the class would, `best_threshold` (None: never name
    it) and `best_cost` the cheapest on these very examples, which flatters it.
    """
    point = _point(ranked, threshold_for_costs(ratio))
    found, alarms = ranked.at(point["threshold"])
    costs = ranked.cost(ranked.found, ranked.alarms, ratio)
    best = int(costs.argmin())
    never = ratio * ranked.positives / ranked.examples
    return point | {
        "ratio": ratio,
        "missed": ranked.positives - found,
        "false": alarms - found,
        "cost": 100 * float(ranked.cost(np.array(found), np.array(alarms), ratio)),
        "idle_cost": 100 * min(never, 1 - ranked.positives / ranked.examples),
        "best_threshold": float(ranked.probability[best]) if costs[best] < never else None,
        "best_cost": 100 * min(float(costs[best]), never),
    }


def _point(ranked: _Ranked, threshold: float) -> dict[str, Any]:
    found, alarms = ranked.at(threshold)
    others = ranked.examples - ranked.positives
    return {
        "threshold": threshold,
        "recall": found / ranked.positives,
        "recall_interval": share(found, ranked.positives),
        "precision": found / alarms if alarms else None,
        "false_alarms": (alarms - found) / others,
    }


def _threshold_of_best_f1(ranked: _Ranked) -> float:
    scores = 2 * ranked.found / (ranked.alarms + ranked.positives)
    return float(ranked.probability[int(scores.argmax())])


def _thinned(falling: Sequence[float] | Floats) -> Floats:
    places = np.unique(np.linspace(0, len(falling) - 1, min(len(falling), MOST_POINTS)).round().astype(np.int64))
    return np.asarray(falling, dtype=np.float64)[places]
