"""How far a metric on these examples may be from the metric on all examples there could be."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from autotl.scoring.label_sets import FORMULAS, SetCounts, decided
from autotl.scoring.metrics import Labels, Metric, Probabilities, Values, predicted_labels
from autotl.scoring.resampling import Groups, Units

DRAWS = 2_000
NORMAL_WIDTH = 2 * 1.959964  # standard errors from one end of a 95 % interval to the other
SHARES_OF_EXAMPLES = ("accuracy", "subset_accuracy")  # each example is right or wrong
_SAME = 1e-9  # draws nearer than this to the value are equal to it: sums of weights round differently
_NORMAL = NormalDist()


@dataclass(frozen=True)
class Interval:
    """A value with the ends between which the truth is expected; NaN where they are not known.

    Attributes:
        note: what a reader must know to read it rightly.
    """

    value: float
    low: float
    high: float
    note: str | None = None

    def as_dict(self) -> dict[str, float | str | None]:
        """Plain JSON values: `value`, `low`, `high`, and `note` where there is one; NaN is None."""
        ends = {"value": self.value, "low": self.low, "high": self.high}
        figures: dict[str, float | str | None] = {key: end if math.isfinite(end) else None for key, end in ends.items()}
        return figures | ({"note": self.note} if self.note else {})


def interval(
    metric: Metric,
    labels: Labels,
    probabilities: Probabilities,
    *,
    groups: Groups | None = None,
    seed: int,
    level: float = 0.95,
    draws: int = DRAWS,
) -> Interval:
    """The metric with its interval.

    Wilson's for accuracy over examples, also that of whole label sets; else a BCa bootstrap, stratified by class, or
    over whole groups where there are at least ten. Over fewer groups it is an interval over examples, and its note says
    so. A class whose examples all fare alike widens it by what so few examples cannot rule out.
    """
    value = metric(labels, probabilities)
    if not math.isfinite(value):
        return Interval(value, math.nan, math.nan)
    units = Units.of(labels, groups)
    if metric.name in SHARES_OF_EXAMPLES and units.are_examples:
        low, high = wilson(round(value * len(labels)), len(labels), level=level)
        return Interval(value, low, high, units.note)
    of_draws = metric.of_draws(labels, probabilities)
    resampled = np.concatenate([of_draws(weights) for weights in units.bootstrap(seed=seed, draws=draws)])
    resampled = resampled[np.isfinite(resampled)]
    if len(resampled) < draws / 2:
        return Interval(value, math.nan, math.nan, units.note)
    acceleration = _acceleration((stratum, of_draws(weights)) for stratum, weights in units.leave_outs())
    low, high = _bca(value, resampled, acceleration, level=level)
    least, most = _reach_of_the_unseen(metric, labels, probabilities, units, level=level)
    low = value - math.hypot(max(value - low, 0.0), value - least)
    high = value + math.hypot(max(high - value, 0.0), most - value)
    return Interval(value, max(low, metric.lowest), min(high, metric.highest), units.note)


def wilson(right: int, examples: int, *, level: float = 0.95) -> tuple[float, float]:
    """Ends of the score interval of a share, which stays honest near 0 and 1.

    Paper: Wilson, "Probable inference, the law of succession, and statistical inference", JASA 1927.
    """
    z = _NORMAL.inv_cdf(0.5 + level / 2)
    share = right / examples
    middle = (share + z**2 / (2 * examples)) / (1 + z**2 / examples)
    half = z * math.sqrt(share * (1 - share) / examples + z**2 / (4 * examples**2)) / (1 + z**2 / examples)
    low = 0.0 if right == 0 else middle - half  # exactly so: rounding would leave the share outside its own interval
    return low, 1.0 if right == examples else middle + half


def _bca(value: float, resampled: Values, acceleration: float, *, level: float) -> tuple[float, float]:
    """Percentiles of the draws, moved for bias and for a spread that changes with the truth.

    Paper: Efron, "Better bootstrap confidence intervals", JASA 1987.
    """
    same = np.abs(resampled - value) <= _SAME
    if same.all():
        return value, value
    below = float(np.mean((resampled < value) & ~same) + 0.5 * np.mean(same))
    least = 0.5 / len(resampled)
    bias = _NORMAL.inv_cdf(min(max(below, least), 1 - least))

    def percentile(share: float) -> float:
        z = bias + _NORMAL.inv_cdf(share)
        stretch = 1 - acceleration * z
        return _NORMAL.cdf(bias + z / stretch) if stretch > 0 else share

    low, high = np.quantile(resampled, [percentile(0.5 - level / 2), percentile(0.5 + level / 2)])
    return float(low), float(high)


def _acceleration(left_out: Iterator[tuple[int, Values]]) -> float:
    by_stratum: dict[int, list[Values]] = {}
    for stratum, values in left_out:
        by_stratum.setdefault(stratum, []).append(values)
    parts = [np.concatenate(values) for values in by_stratum.values()]
    influences = np.concatenate([np.mean(values) - values for values in parts]) if parts else np.zeros(1)
    influences = influences[np.isfinite(influences)]
    spread = float((influences**2).sum()) ** 1.5
    return float((influences**3).sum()) / (6 * spread) if spread > 0 else 0.0


def _reach_of_the_unseen(
    metric: Metric, labels: Labels, probabilities: Probabilities, units: Units, *, level: float
) -> tuple[float, float]:
    """How low and how high the metric would be with what no resample can show.

    Where all the examples of a class fare alike, such as the ten of a rare class that are all read right, resamples of
    them do too, and a bootstrap would be sure of what ten examples cannot prove. By Wilson's formula up to
    z² / (m + z²) of that class may still fare otherwise. The reach is the metric with that share of one class, the
    worst one, gone to another; the interval adds it to the bootstrap's own in squares, as independent errors add.
    """
    if labels.ndim == 2:
        return _reach_of_unseen_sets(metric, labels, probabilities, units, level=level)
    value = metric(labels, probabilities)
    if metric.needs == "numbers":
        return value, value
    classes = probabilities.shape[1]
    z = _NORMAL.inv_cdf(0.5 + level / 2)
    seen = np.array([len(np.unique(units.of_example[labels == index])) for index in range(classes)])
    unseen_share = z**2 / (np.maximum(seen, 1) + z**2)
    if metric.needs == "ranks" and value == metric.highest:
        rarest = unseen_share[seen > 0].max()
        return value - rarest / (1 if classes == 2 else np.count_nonzero(seen)), value
    if metric.needs != "labels":
        return value, value
    cells = labels * classes + predicted_labels(probabilities)
    table = np.bincount(cells, minlength=classes**2).reshape(classes, classes)
    alike = np.flatnonzero(np.count_nonzero(table, axis=1) == 1).tolist()
    tables = [
        _with_share_moved(table, index, other, float(unseen_share[index]))
        for index in alike
        for other in (index, _rarest_besides(index, seen))
    ]
    if not tables:
        return value, value
    pairs = np.indices((classes, classes)).reshape(2, -1)  # every true class with every predicted one
    reached = metric.of_draws(pairs[0].astype(np.int64), np.eye(classes)[pairs[1]])(np.stack(tables))
    reached = np.append(reached[np.isfinite(reached)], value)
    return float(reached.min()), float(reached.max())


def _reach_of_unseen_sets(
    metric: Metric, sets: Labels, probabilities: Probabilities, units: Units, *, level: float
) -> tuple[float, float]:
    """The same of several labels per example: of the examples that bear a label, where all of them are found or all
    are missed, as many as Wilson's formula allows may fare otherwise. The worst label counts."""
    value = metric(sets, probabilities)
    z = _NORMAL.inv_cdf(0.5 + level / 2)
    bearing = sets.sum(axis=0) > 0
    seen = np.array([len(np.unique(units.of_example[column == 1])) for column in sets.T])
    unseen_share = z**2 / (np.maximum(seen, 1) + z**2)
    if metric.needs == "ranks" and value == metric.highest:
        return value - float(unseen_share[bearing].max()) / np.count_nonzero(bearing), value
    formula = FORMULAS.get(metric.name)
    if formula is None:
        return value, value
    said = decided(sets, probabilities, metric.thresholds)
    counts = np.stack([(said & (sets == 1)).sum(axis=0), sets.sum(axis=0), said.sum(axis=0)]).astype(np.float64)
    reached = [value]
    for index in np.flatnonzero(bearing & ((counts[0] == 0) | (counts[0] == counts[1]))).tolist():
        moved = counts.copy()
        sign = -1.0 if counts[0, index] else 1.0
        moved[[0, 2], index] += sign * unseen_share[index] * counts[1, index]
        right, labelled, named = moved[:, None, :]
        reached.append(float(formula(SetCounts(right, labelled, named, np.array([float(len(sets))])))[0]))
    return min(reached), max(reached)


def _with_share_moved(
    table: NDArray[np.int64], true_class: int, predicted_class: int, share: float
) -> NDArray[np.float64]:
    """A confusion table, flattened, in which a share of a class is predicted as another."""
    moved = table.astype(np.float64)
    amount = share * moved[true_class].sum()
    moved[true_class] *= 1 - share
    moved[true_class, predicted_class] += amount
    return moved.reshape(-1)


def _rarest_besides(index: int, seen: NDArray[np.int64]) -> int:
    """The class that stray predictions hurt most."""
    counts = np.where(np.arange(len(seen)) == index, np.iinfo(np.int64).max, seen)
    return int(counts.argmin())
