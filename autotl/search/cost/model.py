"""Seconds from work: a few coefficients, typical ones at first, then what this machine's trials say.

Each part of a trial's time (features, training, scoring, what is around them) is a sum of terms that are known before
it runs, each with a coefficient that cannot be negative: a typical one, times how much slower this machine is on the
whole, and then moved by least squares on relative errors. With no trial seen it is the typical one.
"""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from autotl.search.cost.log import Observed
from autotl.search.cost.work import StoredKey, Work

TYPICAL_GFLOPS = 149.0  # float32 matrix product of the machine that the typical coefficients come from: two quiet cores
SHORTEST = 0.2  # seconds; relative errors of less are noise
FIRST_SEEN_AS = 1.0  # how many observations a typical coefficient counts as
MOST_LEARNT_FROM = 400  # trials, the latest

# Seconds for one of each term, one core a trial.
FEATURES = {"once": 0.6, "computed_rows": 6e-4, "computed_gflop": 0.012}
SCORING = {"once": 0.2, "scored_rows": 6e-5, "scored_gflop": 0.01}
AROUND = {"once": 0.15}
TRAINING: Mapping[str, Mapping[str, float]] = {
    "head": {"once": 0.8, "steps": 3e-3, "trained_gflop": 0.02},
    "shared_head": {"once": 0.25, "steps": 1e-3, "trained_gflop": 0.02},
    "suffix": {"once": 3.0, "steps": 2e-3, "trained_gflop": 0.018},
}
TRAINING_CLASSICAL = {"once": 1.0, "rows": 1.5e-3}


@dataclass(frozen=True)
class Seconds:
    """What a plan is expected to take, by part."""

    features: float
    train: float
    score: float
    around: float

    @property
    def total(self) -> float:
        """All of it."""
        return self.features + self.train + self.score + self.around


class CostModel:
    """Predicts what plans take.

    Args:
        observed: trials of this machine, the latest last.
        gflops: how fast a core is; measured where left out and nothing was observed.
    """

    def __init__(self, observed: Sequence[Observed] = (), *, gflops: float | None = None) -> None:
        recent = list(observed)[-MOST_LEARNT_FROM:]
        self.observed = len(recent)
        if gflops is None:
            gflops = TYPICAL_GFLOPS if recent else measured_gflops()
        slower = TYPICAL_GFLOPS / gflops
        self._features = _fitted(_slowed(FEATURES, slower), _of_features(recent))
        self._score = _fitted(_slowed(SCORING, slower), [(_scoring(each), each.seconds["score"]) for each in recent])
        self._around = _fitted(AROUND, [({"once": 1.0}, each.seconds["overhead"]) for each in recent])
        self._train = {
            kind: _fitted(
                _slowed(TRAINING.get(kind, TRAINING_CLASSICAL), slower),
                [(_training(each), each.seconds["train"]) for each in recent if each.kind == kind],
            )
            for kind in {*TRAINING, *(each.kind for each in recent)}
        }
        self._classical = _slowed(TRAINING_CLASSICAL, slower)

    def seconds(self, work: Work, stored: "frozenset[StoredKey] | set[StoredKey]" = frozenset()) -> Seconds:
        """What the work is expected to take.

        Args:
            stored: sets of activations that are there already.
        """
        rows, gflop = work.to_compute(stored)
        features = {"once": 1.0 if work.sets else 0.0, "computed_rows": float(rows), "computed_gflop": gflop}
        return Seconds(
            features=_sum(self._features, features),
            train=_sum(self._train.get(work.kind, self._classical), _training(work)),
            score=_sum(self._score, _scoring(work)),
            around=_sum(self._around, {"once": 1.0}),
        )


def measured_gflops(*, size: int = 512, repetitions: int = 5) -> float:
    """Billions of operations a second in a matrix product: the quickest of a few, about a tenth of a second in all."""
    matrix: NDArray[np.float32] = np.ones((size, size), dtype=np.float32)
    quickest = math.inf
    for _ in range(repetitions):
        started = time.perf_counter()
        matrix @ matrix
        quickest = min(quickest, time.perf_counter() - started)
    return 2 * size**3 / quickest / 1e9


def _of_features(observed: Sequence[Observed]) -> list[tuple[dict[str, float], float]]:
    return [
        (
            {"once": 1.0, "computed_rows": each.computed_rows, "computed_gflop": each.computed_gflop},
            each.seconds["features"],
        )
        for each in observed
        if each.kind in TRAINING
    ]


def _training(work: Work | Observed) -> dict[str, float]:
    return {"once": 1.0, "steps": work.steps, "trained_gflop": work.trained_gflop, "rows": work.rows}


def _scoring(work: Work | Observed) -> dict[str, float]:
    return {"once": 1.0, "scored_rows": work.scored_rows, "scored_gflop": work.scored_gflop}


def _slowed(coefficients: Mapping[str, float], factor: float) -> dict[str, float]:
    return {term: value * factor for term, value in coefficients.items()}


def _sum(coefficients: Mapping[str, float], terms: Mapping[str, float]) -> float:
    return sum(value * terms[term] for term, value in coefficients.items())


def _times_slower(took: NDArray[np.float64], expected: NDArray[np.float64]) -> float:
    """Than typical, as a geometric mean; a machine that is slow at all is slow at every term."""
    ratios = np.log(np.maximum(took, SHORTEST) / np.maximum(expected, SHORTEST))
    return math.exp(ratios.sum() / (len(ratios) + FIRST_SEEN_AS))


def _fitted(typical: Mapping[str, float], seen: Sequence[tuple[Mapping[str, float], float]]) -> dict[str, float]:
    """Non-negative coefficients for the typical ones' terms."""
    if not seen:
        return dict(typical)
    from scipy.optimize import nnls  # not for `autotl --help`

    names = list(typical)
    scale = np.array([typical[name] for name in names])
    told = np.array([[terms[name] for name in names] for terms, _ in seen]) * scale
    took = np.array([seconds for _, seconds in seen])
    slower = _times_slower(took, told.sum(axis=1))
    told, scale = told * slower, scale * slower
    weight = 1.0 / np.maximum(took, SHORTEST)
    rows = np.vstack([told * weight[:, None], math.sqrt(FIRST_SEEN_AS) * np.eye(len(names))])
    wanted = np.concatenate([took * weight, math.sqrt(FIRST_SEEN_AS) * np.ones(len(names))])
    found, _ = nnls(rows, wanted)
    return dict(zip(names, (found * scale).tolist(), strict=True))
