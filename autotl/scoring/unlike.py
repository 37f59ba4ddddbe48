"""Which inputs are unlike everything that a model was trained on."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autotl.scoring.per_class import share

NEIGHBOURS_EACH = 10
STANDING_OUT = 0.05  # of the training examples themselves lie beyond the threshold
FEWEST_ROWS = 40  # training examples
_ROWS_AT_ONCE = 512  # whose distances to all training examples are in memory together

Features = NDArray[np.floating]  # (n, d)
Distances = NDArray[np.float64]  # (n,)


@dataclass(frozen=True)
class Familiar:
    """What is known from training, and how far from it is too far.

    The distance of an input is the one to its `neighbours`-th nearest training example. A training example is not its
    own neighbour.

    Paper: Sun, Ming, Zhu & Li, "Out-of-distribution detection with deep nearest neighbors", ICML 2022
    (arXiv:2204.06507).

    Attributes:
        threshold: beyond it lie 5 % of the training examples.
    """

    features: NDArray[np.float64]
    neighbours: int
    threshold: float

    @classmethod
    def of(cls, training: Features) -> "Familiar":
        """Of features of training examples, at least `FEWEST_ROWS`."""
        features, neighbours = training.astype(np.float64), min(NEIGHBOURS_EACH, len(training) // 4)
        own = _nearest(features, features, neighbours + 1)  # the nearest one is the example itself
        return cls(features, neighbours, float(np.quantile(own, 1 - STANDING_OUT)))

    def distances(self, features: Features) -> Distances:
        """How far inputs are from what is known."""
        return _nearest(features.astype(np.float64), self.features, self.neighbours)

    def judge(self, features: Features, right: NDArray[np.bool_] | None) -> dict[str, Any]:
        """The share of inputs beyond the threshold, and how right the model is on this side of it and on that.

        Args:
            right: whether the model reads each of them right; None without labels.
        """
        outside = self.distances(features) > self.threshold
        far = int(outside.sum())
        figures: dict[str, Any] = {"examples": len(outside), "outside": share(far, len(outside))}
        if right is None:
            return figures | {"accuracy_inside": None, "accuracy_outside": None}
        return figures | {
            "accuracy_inside": share(int(right[~outside].sum()), len(outside) - far),
            "accuracy_outside": share(int(right[outside].sum()), far),
        }


def on_the_sphere(features: Features) -> NDArray[np.float64]:
    """Features of length 1 each, as a network's are compared: how long they are tells of other things."""
    lengths = np.linalg.norm(features.astype(np.float64), axis=1, keepdims=True)
    return np.asarray(features / np.where(lengths > 0, lengths, 1.0))


def in_units_of(training: Features, features: Features) -> NDArray[np.float64]:
    """Features in deviations from the training examples' mean, so that no column counts by its unit; what is missing
    counts as usual."""
    wide = training.astype(np.float64)
    known = np.isfinite(wide)
    counts = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, wide, 0.0).sum(axis=0) / counts
    deviation = np.sqrt((np.where(known, wide - mean, 0.0) ** 2).sum(axis=0) / counts)
    scaled = (features.astype(np.float64) - mean) / np.where(deviation > 0, deviation, 1.0)
    return np.nan_to_num(scaled, nan=0.0, posinf=0.0, neginf=0.0)


def _nearest(rows: NDArray[np.float64], known: NDArray[np.float64], place: int) -> Distances:
    """Distance of each row to its `place`-th nearest of the known."""
    squares = (known**2).sum(axis=1)
    found = np.empty(len(rows))
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        block = rows[start : start + _ROWS_AT_ONCE]
        squared = (block**2).sum(axis=1)[:, None] + squares - 2 * block @ known.T
        found[start : start + _ROWS_AT_ONCE] = np.partition(squared, place - 1, axis=1)[:, place - 1]
    return np.sqrt(np.maximum(found, 0.0))
