"""Label shift: the target's class shares, estimated without one of its labels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from autotl.adaptation.label_shift import black_box_shift, maximum_likelihood_prior
from autotl.scoring.gap.probe import Probe

DRAWS = 100
MOST_CLASSES_WITH_INTERVALS = 30
LARGEST_CONDITION = 100.0
"""Of the confusion matrix: beyond it classes are mixed up so much that their shares cannot be told."""

Shares = NDArray[np.float64]  # (classes,)


@dataclass(frozen=True, eq=False)
class LabelShift:
    """Class shares of both domains.

    Attributes:
        source: as labelled.
        target: by maximum likelihood (MLLS), with `low` and `high` ends of a 95 % bootstrap interval where there are at
            most 30 classes.
        black_box: the same by the confusion matrix (BBSE).
        condition: of the confusion matrix, its rows adding up to 1; inf where a class is never told.
    """

    source: Shares
    target: Shares
    low: Shares | None
    high: Shares | None
    black_box: Shares
    condition: float

    @property
    def can_be_told(self) -> bool:
        """Whether the estimates are worth showing."""
        return self.condition <= LARGEST_CONDITION

    @property
    def total_variation(self) -> float:
        """Half the summed differences of source and target shares: 0 for equal ones, 1 for disjoint classes."""
        return float(np.abs(self.source - self.target).sum() / 2)


def label_shift(probe: Probe, *, seed: int = 0) -> LabelShift:
    """Estimates by what a calibrated probe says of the target. Both are biased where the features shift too.

    Papers: see `autotl.adaptation.label_shift`.
    """
    classes = probe.source.shape[1]
    source = np.bincount(probe.labels, minlength=classes) / len(probe.labels)
    cells = np.bincount(probe.labels * classes + probe.source.argmax(axis=1), minlength=classes**2)
    confusion = cells.reshape(classes, classes)
    predicted = np.bincount(probe.pseudo_labels, minlength=classes)
    low, high = _interval(probe, source, seed=seed) if classes <= MOST_CLASSES_WITH_INTERVALS else (None, None)
    return LabelShift(
        source=source,
        target=maximum_likelihood_prior(probe.target, source),
        low=low,
        high=high,
        black_box=black_box_shift(confusion, predicted),
        condition=_condition(confusion),
    )


def _interval(probe: Probe, source: Shares, *, seed: int) -> tuple[Shares, Shares]:
    draws, rows = np.random.default_rng(seed), len(probe.target)
    drawn = [maximum_likelihood_prior(probe.target[draws.integers(rows, size=rows)], source) for _ in range(DRAWS)]
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    return low, high


def _condition(confusion: NDArray[np.int64]) -> float:
    seen = confusion.sum(axis=1) > 0  # classes without an example have no row to divide
    rows = confusion[seen][:, seen].astype(np.float64)
    totals = confusion[seen].sum(axis=1, keepdims=True)
    smallest = np.linalg.svd(rows / totals, compute_uv=False)
    return float(smallest[0] / smallest[-1]) if smallest[-1] > 1e-12 else float("inf")
