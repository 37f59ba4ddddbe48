"""What a bundle keeps of the domain that it was made for. No example is in it: means, covariances, shares, counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from autotl.adaptation.statistics import Columns, principal_axes
from autotl.scoring.components import COMPONENTS, sampled
from autotl.scoring.watching.cloud import Cloud
from autotl.scoring.watching.columns import ColumnBins, arrays_of, bins_of, columns_from_arrays
from autotl.scoring.watching.sureness import Sureness

MOST_ROWS = 1_000
FEWEST_ROWS = 20
ROWS_PER_COMPONENT = 10
LARGEST = 10.0  # deviations from a column's mean; beyond it one example would stand for all
USUAL = 0.99  # of the training domain's examples lie nearer than what is called unlike it

Features = NDArray[Any]  # (n, d)


@dataclass(frozen=True, eq=False)
class Space:
    """Coordinates in which examples are compared.

    Attributes:
        mean, deviation: (d,), of the features.
        axes: (d, k) principal ones of the standardised features.
        has_rest: whether a last coordinate says how much of an example lies outside these axes.
    """

    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]
    axes: NDArray[np.float32]
    has_rest: bool

    @classmethod
    def of(cls, features: Features) -> Self:
        """The space of features (n, d)."""
        columns = Columns.of(features)
        standardized = np.clip(columns.standardized(features), -LARGEST, LARGEST)
        axes = principal_axes(standardized, min(COMPONENTS, max(len(features) // ROWS_PER_COMPONENT, 2)))
        varying = int((~columns.constant).sum())
        return cls(columns.mean, columns.deviation, axes.astype(np.float32), axes.shape[1] < varying)

    def points(self, features: Features) -> NDArray[np.float64]:
        """Coordinates (n, k), one more with the rest."""
        standardized = np.clip((features.astype(np.float64) - self.mean) / self.deviation, -LARGEST, LARGEST)
        inside = standardized @ self.axes
        if not self.has_rest:
            return inside
        rest = np.square(standardized).sum(axis=1) - np.square(inside).sum(axis=1)
        return np.column_stack([inside, np.log(np.maximum(rest, 1e-9))])


@dataclass(frozen=True, eq=False)
class Portrait:
    """A training domain as a model sees it.

    Attributes:
        features: what examples are compared by, in words.
        halves: two clouds of disjoint examples: what was fitted on one is tried on the other.
        usual_distance: 99 % of the examples lie nearer to a cloud that they are no part of.
        sureness: of a model of classes; None of one of numbers or of several labels.
        columns: of a table, else none.
        answers: of such a model, what it said of examples that it had not learnt, by column of its answers.
    """

    features: str
    space: Space
    whole: Cloud
    halves: tuple[Cloud, Cloud]
    usual_distance: float
    sureness: Sureness | None
    columns: tuple[ColumnBins, ...] = ()
    answers: tuple[ColumnBins, ...] = ()

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Plain arrays, by name."""
        space = self.space
        return {
            "features": np.array(self.features),
            "mean": space.mean.astype(np.float32),
            "deviation": space.deviation.astype(np.float32),
            "axes": space.axes,
            "has_rest": np.array(space.has_rest),
            **self.whole.arrays("whole"),
            **self.halves[0].arrays("first"),
            **self.halves[1].arrays("second"),
            "usual_distance": np.array(self.usual_distance),
            **({} if self.sureness is None else self.sureness.arrays()),
            **arrays_of(self.columns, called="column"),
            **arrays_of(self.answers, called="answer"),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """What `arrays` gave.

        Raises:
            KeyError: something is missing.
        """
        mean, deviation = arrays["mean"].astype(np.float64), arrays["deviation"].astype(np.float64)
        return cls(
            str(arrays["features"]),
            Space(mean, deviation, arrays["axes"], bool(arrays["has_rest"])),
            Cloud.from_arrays("whole", arrays),
            (Cloud.from_arrays("first", arrays), Cloud.from_arrays("second", arrays)),
            float(arrays["usual_distance"]),
            Sureness.from_arrays(arrays) if "sure_examples" in arrays else None,
            columns_from_arrays(arrays, called="column"),
            columns_from_arrays(arrays, called="answer"),
        )


def draw_portrait(
    features: Features,
    said: NDArray[Any],
    sureness: Sureness | None,
    *,
    words: str,
    table: tuple[NDArray[Any], Sequence[str], Sequence[int]] | None = None,
    answers: tuple[ColumnBins, ...] = (),
) -> Portrait | None:
    """The portrait of a domain; None where fewer than 20 examples have features.

    Args:
        features: (n, d) of its examples; said: (n, columns), what the model answers to them.
        words: what the features are.
        table: of a table its matrix (n, columns), their names and which of them hold categories.
        sureness, answers: as `Portrait` has them.
    """
    kept = np.flatnonzero(np.isfinite(features).all(axis=1))
    if len(kept) < FEWEST_ROWS:
        return None
    kept = kept[sampled(len(kept), MOST_ROWS)]
    features, groups = features[kept], said[kept].argmax(axis=1)
    # Axes fit the examples that they were found on better than others: clouds are made of others.
    for_space = np.random.default_rng(0).permutation(len(features)) < len(features) // 2
    space = Space.of(features[for_space])
    points, groups = space.points(features[~for_space]), groups[~for_space]
    in_first = np.random.default_rng(1).permutation(len(points)) < len(points) // 2
    halves = (Cloud.of(points[in_first], groups[in_first]), Cloud.of(points[~in_first], groups[~in_first]))
    others = np.concatenate([halves[1].distances(points[in_first]), halves[0].distances(points[~in_first])])
    columns = () if table is None else bins_of(table[0][kept], table[1], categorical=table[2])
    return Portrait(
        words, space, Cloud.of(points, groups), halves, float(np.quantile(others, USUAL)), sureness, columns, answers
    )
