"""Tables: which columns, or sensors, moved."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

BINS = 10
LEAST_SHARE = 1e-4  # of a bin, so that an empty one has a logarithm
TREES, DEPTH = 100, 6

Matrix = NDArray[np.floating]  # (n, columns); NaN where a value is missing, the code of a category


@dataclass(frozen=True)
class ColumnShift:
    """One column in both domains.

    Attributes:
        distance: Kolmogorov–Smirnov statistic of numbers, total variation of categories; 0 to 1.
        p_value: that equal domains differ so much, corrected for the number of columns (Holm).
        stability: population stability index; above 0.25 is usually called a shift, below 0.1 none.
        importance: share of the columns' worth to a forest that tells the domains apart.
        source_missing, target_missing: shares of missing values.
    """

    name: str
    kind: Literal["number", "category"]
    distance: float
    p_value: float
    stability: float
    importance: float
    source_missing: float
    target_missing: float


def column_shifts(
    source: Matrix, target: Matrix, names: Sequence[str], *, categorical: Sequence[int] = (), seed: int = 0
) -> list[ColumnShift]:
    """Every column, what moved most first.

    Args:
        source, target: (n, columns) and (m, columns).
        categorical: places of the columns that hold codes of categories.
    """
    is_category = [place in set(categorical) for place in range(len(names))]
    measured = [
        (total_variation if category else kolmogorov_smirnov)(source[:, place], target[:, place])
        for place, category in enumerate(is_category)
    ]
    corrected = holm([p_value for _, p_value in measured])
    importance = _importance(source, target, seed=seed)
    found = [
        ColumnShift(
            name,
            "category" if is_category[place] else "number",
            distance=measured[place][0],
            p_value=corrected[place],
            stability=stability_index(source[:, place], target[:, place], categories=is_category[place]),
            importance=float(importance[place]),
            source_missing=float(np.isnan(source[:, place]).mean()),
            target_missing=float(np.isnan(target[:, place]).mean()),
        )
        for place, name in enumerate(names)
    ]
    return sorted(found, key=lambda column: (-column.distance, column.name))


def kolmogorov_smirnov(source: Matrix, target: Matrix) -> tuple[float, float]:
    """Largest distance of the distribution functions of numbers (n,) and (m,), and its p-value; missing ones aside."""
    from scipy.stats import ks_2samp

    one, other = source[~np.isnan(source)], target[~np.isnan(target)]
    if not len(one) or not len(other):
        return (0.0, 1.0) if len(one) == len(other) else (1.0, 0.0)
    found = ks_2samp(one, other, method="asymp")
    return float(found.statistic), float(found.pvalue)


def total_variation(source: Matrix, target: Matrix) -> tuple[float, float]:
    """Half the summed differences of the categories' shares, and the p-value of the χ² test; missing is a category."""
    from scipy.stats import chi2_contingency

    counts = _counts(source, target)
    one, other = (row / row.sum() for row in counts)
    p_value = float(chi2_contingency(counts).pvalue) if counts.shape[1] > 1 else 1.0
    return float(np.abs(one - other).sum() / 2), p_value


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values corrected for their number.

    Paper: Holm, "A simple sequentially rejective multiple test procedure", Scandinavian J. of Statistics 1979.
    """
    order = np.argsort(p_values, kind="stable")
    scaled = np.asarray(p_values)[order] * np.arange(len(order), 0, -1)
    corrected = np.empty(len(order))
    corrected[order] = np.minimum(np.maximum.accumulate(scaled), 1.0) if len(order) else []
    return corrected.tolist()


def stability_index(source: Matrix, target: Matrix, *, categories: bool) -> float:
    """Σ (q - p) log(q / p) over categories, or over the source's deciles of numbers; missing is a bin of its own."""
    if not categories:
        known = source[~np.isnan(source)]
        edges = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1])) if len(known) else np.array([])
        source, target = (np.where(np.isnan(x), np.nan, np.searchsorted(edges, x)) for x in (source, target))
    p, q = (np.maximum(row / row.sum(), LEAST_SHARE) for row in _counts(source, target))
    return float(((q - p) * np.log(q / p)).sum())


def _counts(source: Matrix, target: Matrix) -> NDArray[np.int64]:
    """(2, values) how often each value stands in each domain, missing as one of them."""
    values, place = np.unique(np.concatenate([source, target]), return_inverse=True, equal_nan=True)
    sides = (place[: len(source)], place[len(source) :])
    return np.stack([np.bincount(side, minlength=len(values)) for side in sides])


def _importance(source: Matrix, target: Matrix, *, seed: int) -> NDArray[np.float64]:
    from sklearn.ensemble import RandomForestClassifier

    both = np.concatenate([source, target]).astype(np.float64)
    lowest = np.nan_to_num(both, nan=np.inf).min(axis=0)
    both = np.where(np.isnan(both), np.where(np.isfinite(lowest), lowest, 0.0) - 1.0, both)  # missing tells, too
    forest = RandomForestClassifier(TREES, max_depth=DEPTH, class_weight="balanced", random_state=seed, n_jobs=1)
    return np.asarray(forest.fit(both, np.arange(len(both)) >= len(source)).feature_importances_)
