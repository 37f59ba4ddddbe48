"""Fresh examples against a portrait: every figure, and how far chance alone could have moved it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autotl.adaptation.label_shift import maximum_likelihood_prior
from autotl.scoring.watching.cloud import Cloud, shrunk
from autotl.scoring.watching.columns import ColumnBins
from autotl.scoring.watching.portrait import USUAL, Portrait
from autotl.scoring.watching.sureness import Sureness

DRAWS = 100

Points = NDArray[np.float64]


@dataclass(frozen=True)
class Figure:
    """A measured value and its standard error."""

    value: float
    error: float


@dataclass(frozen=True)
class ColumnShift:
    """A column of a table, or of a model's answers.

    Attributes:
        stability: population stability index.
        by_chance: what it would be for equal distributions.
    """

    name: str
    stability: float
    by_chance: float


@dataclass(frozen=True)
class Compared:
    """Fresh examples beside the training domain.

    Attributes:
        rows: examples that were compared; left_out: those without finite features.
        a_distance: 0 where a linear classifier cannot tell the domains apart, 2 where it always can.
        unlike: share of examples further away than 99 % of the training domain's are.
        mean_shift: distance of the means in units of an example's usual distance from its mean.
        then, now: estimates of accuracy by name, at sign-off and on the fresh examples; empty where none can be made.
        fall: the median of what they fell by; None without any.
        accuracy: measured with labels at sign-off; None where the domain had none.
        mix: (classes,) shares at sign-off and now, and total variation between them; of classes alone, else nothing.
        mix_chance: the probability that predictions of one domain differ so much.
        columns: of a table, what moved most first.
        answers: of numbers and of several labels, likewise.
    """

    rows: int
    left_out: int
    a_distance: Figure
    unlike: Figure
    mean_shift: float
    accuracy: float | None = None
    then: Mapping[str, float] = field(default_factory=dict)
    now: Mapping[str, float] = field(default_factory=dict)
    fall: Figure | None = None
    mix_then: tuple[float, ...] = ()
    mix_now: tuple[float, ...] = ()
    mix_low: tuple[float, ...] = ()
    mix_high: tuple[float, ...] = ()
    mix_chance: float = 1.0
    columns: tuple[ColumnShift, ...] = ()
    answers: tuple[ColumnShift, ...] = ()

    @property
    def mix_moved(self) -> float:
        """Half the summed differences of the class shares."""
        return float(np.abs(np.subtract(self.mix_then, self.mix_now)).sum() / 2)


def compare(
    portrait: Portrait,
    features: NDArray[Any],
    said: NDArray[Any],
    *,
    table: NDArray[Any] | None = None,
) -> Compared:
    """Compares fresh examples with a training domain.

    Args:
        features: (m, d), as the portrait's were made; said: (m, columns), what the model answers to them.
        table: (m, columns), of a table.
    Raises:
        ValueError: another width than the portrait's, or no example with finite features.
    """
    if features.shape[1] != len(portrait.space.mean):
        raise ValueError(f"features have {features.shape[1]} columns, the portrait's have {len(portrait.space.mean)}.")
    finite = np.isfinite(features).all(axis=1)
    if not finite.any():
        raise ValueError("no example has finite features.")
    points = portrait.space.points(features[finite])
    of_classes = {} if portrait.sureness is None else _of_classes(portrait.sureness, said[finite])
    return Compared(
        rows=len(points),
        left_out=int((~finite).sum()),
        a_distance=told_apart(portrait.halves, points),
        unlike=_unlike(portrait, points),
        mean_shift=_mean_shift(portrait.whole, points),
        columns=() if table is None else _columns(portrait.columns, table[finite]),
        answers=_columns(portrait.answers, said[finite]),
        **of_classes,
    )


def _of_classes(sureness: Sureness, said: NDArray[Any]) -> dict[str, Any]:
    """What classes alone can tell: estimates of accuracy, and how often each is named."""
    now = sureness.estimates(said)
    low, high = _interval(said, sureness.label_shares)
    return {
        "accuracy": sureness.accuracy,
        "then": sureness.then,
        "now": now,
        "fall": _fall(sureness.then, now, examples=sureness.examples, fresh=len(said)),
        "mix_then": tuple(sureness.shares.tolist()),
        "mix_now": tuple(maximum_likelihood_prior(said, sureness.label_shares).tolist()),
        "mix_low": tuple(low.tolist()),
        "mix_high": tuple(high.tolist()),
        "mix_chance": _chance_of_mix(sureness.predicted, said),
    }


def told_apart(halves: tuple[Cloud, Cloud], points: Points, *, seed: int = 0) -> Figure:
    """Proxy A-distance by a linear discriminant: 2 (1 − 2 error), clipped at 0.

    It is fitted on one half of both domains and tried on the other, and the other way round. Of the training domain it
    knows means and covariances alone, and takes its groups for normal.

    Papers: Ben-David et al., "Analysis of representations for domain adaptation", NIPS 2006; Fisher's discriminant.
    """
    in_first = np.random.default_rng(seed).permutation(len(points)) < len(points) // 2
    errors, wrong = [], 0.0
    for fitted, tried, learnt, asked in (
        (halves[0], halves[1], points[in_first], points[~in_first]),
        (halves[1], halves[0], points[~in_first], points[in_first]),
    ):
        if not len(learnt) or not len(asked):
            continue
        direction, threshold = _discriminant(fitted, learnt)
        missed = float((asked @ direction <= threshold).mean())
        wrong += missed * len(asked)
        errors.append((missed + tried.share_beyond(direction, threshold)) / 2)
    missed = min(max(wrong / len(points), 0.5 / len(points)), 1 - 0.5 / len(points))
    error = 2 * (missed * (1 - missed) / len(points)) ** 0.5
    value = 2 * (1 - 2 * float(np.mean(errors))) if errors else 0.0
    return Figure(min(max(value, 0.0), 2.0), error)


def _discriminant(cloud: Cloud, points: Points) -> tuple[NDArray[np.float64], float]:
    """A direction and a threshold beyond which an example is taken for a fresh one."""
    mean = points.mean(axis=0)
    apart = points - mean
    covariance = (cloud.covariance * cloud.examples + apart.T @ apart) / (cloud.examples + len(points))
    direction = np.linalg.solve(shrunk(covariance), mean - cloud.mean)
    return direction, float(direction @ (mean + cloud.mean) / 2)


def _unlike(portrait: Portrait, points: Points) -> Figure:
    share = float((portrait.whole.distances(points) > portrait.usual_distance).mean())
    expected = max(share, 1 - USUAL)
    return Figure(share, (expected * (1 - expected) / len(points)) ** 0.5)


def _mean_shift(cloud: Cloud, points: Points) -> float:
    spread = float(np.trace(cloud.covariance)) ** 0.5
    return float(np.linalg.norm(points.mean(axis=0) - cloud.mean)) / max(spread, 1e-12)


def _fall(then: Mapping[str, float], now: Mapping[str, float], *, examples: int, fresh: int) -> Figure | None:
    both = [then[name] - now[name] for name in then if name in now]
    if not both:
        return None
    share = min(max(median(then.values()), 0.05), 0.95)
    return Figure(median(both), (share * (1 - share) * (1 / max(examples, 1) + 1 / fresh)) ** 0.5)


def _interval(said: NDArray[Any], prior: NDArray[np.float64]) -> tuple[NDArray[Any], NDArray[Any]]:
    draws, rows = np.random.default_rng(0), len(said)
    drawn = [maximum_likelihood_prior(said[draws.integers(rows, size=rows)], prior) for _ in range(DRAWS)]
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    return low, high


def _chance_of_mix(before: NDArray[np.int64], said: NDArray[Any]) -> float:
    """p-value of the χ² test that classes are predicted as often as before."""
    from scipy.stats import chi2_contingency

    counts = np.stack([before, np.bincount(said.argmax(axis=1), minlength=said.shape[1])])
    counts = counts[:, counts.sum(axis=0) > 0]
    return float(chi2_contingency(counts).pvalue) if counts.shape[1] > 1 and counts.sum(axis=1).all() else 1.0


def _columns(bins: tuple[ColumnBins, ...], table: NDArray[Any]) -> tuple[ColumnShift, ...]:
    found = [ColumnShift(column.name, *column.stability(table[:, place])) for place, column in enumerate(bins)]
    return tuple(sorted(found, key=lambda column: (column.by_chance - column.stability, column.name)))
