"""Two domains' features made ready to be compared: only numbers, of like scale, of few enough rows and dimensions."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from autotl.adaptation.statistics import Columns, principal_axes
from autotl.scoring.components import COMPONENTS, sampled

MOST_ROWS = 2_000  # of each domain
FEWEST_ROWS = 10
ROWS_PER_COMPONENT = 10  # with more components, few examples are told apart by chance
UNKNOWN = -1

Points = NDArray[Any]  # (n, d)
Labels = NDArray[np.int64]  # (n,), UNKNOWN where there is none


class TooFewRowsError(ValueError):
    """A domain has too few examples with features to be compared."""


@dataclass(frozen=True, eq=False)
class Domains:
    """A source and a target on one scale.

    Attributes:
        source, target: (n, d) and (m, d), every column standardised over both domains; columns that do not vary are
            left out, so d may be 0.
        source_points, target_points: the same by principal components of both domains together: 64, or one for ten
            examples where these are few.
        labels: (n,) class index of the source's examples. There is none of the target.
        left_out: examples without finite features, of both domains together.
    """

    source: Points
    target: Points
    source_points: Points
    target_points: Points
    labels: Labels
    left_out: int

    @classmethod
    def of(cls, source: NDArray[Any], target: NDArray[Any], labels: Labels) -> Self:
        """At most 2,000 examples of each domain, the same ones on every call.

        Args:
            source, target: features (n, d) and (m, d).
            labels: (n,) of the source.
        Raises:
            TooFewRowsError: fewer than 10 examples of a domain have finite features.
            ValueError: the widths differ.
        """
        if source.shape[1] != target.shape[1]:
            raise ValueError(f"feature widths must agree: source has {source.shape[1]}, target has {target.shape[1]}.")
        kept = {"source": np.isfinite(source).all(axis=1), "target": np.isfinite(target).all(axis=1)}
        for name, rows in kept.items():
            if rows.sum() < FEWEST_ROWS:
                words = f"the {name} has {rows.sum()} examples with features, {FEWEST_ROWS} are needed to compare it."
                raise TooFewRowsError(words)
        left_out = int(sum((~rows).sum() for rows in kept.values()))
        source, labels, target = source[kept["source"]], labels[kept["source"]], target[kept["target"]]
        of_source, of_target = sampled(len(source), MOST_ROWS), sampled(len(target), MOST_ROWS)
        source, labels, target = source[of_source], labels[of_source], target[of_target]
        both: Points = np.concatenate([source, target]).astype(np.float64)
        columns = Columns.of(both)
        both = columns.standardized(both)[:, ~columns.constant]
        components = min(COMPONENTS, max(len(both) // ROWS_PER_COMPONENT, 2))
        points = both @ principal_axes(both, components) if both.shape[1] else both
        n = len(source)
        return cls(both[:n], both[n:], points[:n], points[n:], labels, left_out)

    @property
    def vary(self) -> bool:
        """Whether there is anything to compare."""
        return self.source.shape[1] > 0

    def whitened(self) -> tuple[Points, Points]:
        """Points of both domains, every component of deviation 1 over both: what linear classifiers read."""
        spread = np.concatenate([self.source_points, self.target_points]).std(axis=0)
        return self.source_points / spread, self.target_points / spread
