"""Which columns of a table, or of a model's answers, moved: told from how many rows lay in each of a few bins."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autotl.scoring.gap.columns import BINS, LEAST_SHARE

ROWS_PER_BIN = 10

Column = NDArray[Any]  # (n,), NaN where a value is missing


@dataclass(frozen=True, eq=False)
class ColumnBins:
    """One column of the training domain.

    Attributes:
        edges: inner ones of the bins of numbers, ascending; of categories their codes.
        counts: rows by bin; the last one counts missing values and, of categories, those that no code has.
    """

    name: str
    is_category: bool
    edges: NDArray[np.float64]
    counts: NDArray[np.int64]

    def counts_of(self, column: Column) -> NDArray[np.int64]:
        """Rows of another table's column by bin."""
        bins = len(self.counts)
        if self.is_category:
            place = np.searchsorted(self.edges, np.nan_to_num(column, nan=-1.0))
            known = (place < len(self.edges)) & (self.edges[np.minimum(place, len(self.edges) - 1)] == column)
            return np.bincount(np.where(known, place, bins - 1), minlength=bins)
        place = np.where(np.isnan(column), bins - 1, np.searchsorted(self.edges, column))
        return np.bincount(place.astype(np.int64), minlength=bins)

    def stability(self, column: Column) -> tuple[float, float]:
        """The population stability index of another table's column, and what it would be by chance.

        The index of equal distributions has about a χ² distribution: (bins − 1) (1/n + 1/m) is to be expected.
        """
        counts = self.counts_of(column)
        p, q = (np.maximum(each / each.sum(), LEAST_SHARE) for each in (self.counts, counts))
        bins = int(((self.counts > 0) | (counts > 0)).sum())
        by_chance = (bins - 1) * (1 / self.counts.sum() + 1 / max(counts.sum(), 1))
        return float(((q - p) * np.log(q / p)).sum()), float(by_chance)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Plain arrays, by name."""
        return {"is_category": np.array(self.is_category), "edges": self.edges, "counts": self.counts}


def arrays_of(columns: Sequence[ColumnBins], *, called: str) -> dict[str, NDArray[Any]]:
    """Columns as plain arrays, by name.

    Args:
        called: what one of them is, in these names.
    """
    return {
        f"{called}s": np.array([column.name for column in columns]),
        **{
            f"{called}_{place}_{name}": values
            for place, column in enumerate(columns)
            for name, values in column.arrays().items()
        },
    }


def columns_from_arrays(arrays: Mapping[str, NDArray[Any]], *, called: str) -> tuple[ColumnBins, ...]:
    """What `arrays_of` gave; none where it was not asked."""
    names = arrays[f"{called}s"].tolist() if f"{called}s" in arrays else []
    parts = ("is_category", "edges", "counts")
    found = []
    for place, name in enumerate(names):
        is_category, edges, counts = (arrays[f"{called}_{place}_{part}"] for part in parts)
        found.append(ColumnBins(str(name), bool(is_category), edges, counts))
    return tuple(found)


def bins_of(matrix: NDArray[Any], names: Sequence[str], *, categorical: Sequence[int]) -> tuple[ColumnBins, ...]:
    """The columns of a table, (n, columns); no bin of numbers is made for fewer than ten rows."""
    return tuple(
        _bins(matrix[:, place].astype(np.float64), name, is_category=place in set(categorical))
        for place, name in enumerate(names)
    )


def bins_at(edges: Sequence[float], matrix: NDArray[Any], names: Sequence[str]) -> tuple[ColumnBins, ...]:
    """Numbers (n, columns) in bins whose inner edges, ascending, are given."""
    inner = np.asarray(edges, dtype=np.float64)
    empty = ColumnBins("", False, inner, np.zeros(len(inner) + 2, dtype=np.int64))
    return tuple(
        ColumnBins(name, False, inner, empty.counts_of(matrix[:, place].astype(np.float64)))
        for place, name in enumerate(names)
    )


def _bins(column: Column, name: str, *, is_category: bool) -> ColumnBins:
    known = column[~np.isnan(column)]
    if is_category:
        edges = np.unique(known)
    else:
        bins = min(BINS, max(len(known) // ROWS_PER_BIN, 1))
        edges = np.unique(np.quantile(known, np.linspace(0, 1, bins + 1)[1:-1])) if len(known) else np.empty(0)
    empty = np.zeros(len(edges) + (1 if is_category else 2), dtype=np.int64)
    bare = ColumnBins(name, is_category, edges, empty)
    return ColumnBins(name, is_category, edges, bare.counts_of(column))
