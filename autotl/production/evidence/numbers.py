"""How far a model's numbers are off, and where more than elsewhere."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autotl.data.examples import Labels, is_known
from autotl.scoring.conformal import coverage
from autotl.scoring.metrics import METRICS, compute_all

MOST_POINTS = 500  # that a chart shows
PARTS = 5  # of the true numbers, each with as many examples
MOST_GROUPS = 10  # that are told, the worst
FEWEST_IN_PART = 5

Json = dict[str, Any]


def numbers_of(
    labels: Labels,
    said: NDArray[np.float32],
    groups: NDArray[np.int64] | None,
    *,
    half_widths: Mapping[str, float],
    seed: int,
) -> Json:
    """What backs a regression, from answers to examples that the model did not learn.

    Args:
        labels: (n,) numbers.
        said: (n, 1).
        groups: (n,) or None.
        half_widths: of intervals by level, from the validation examples.
    Returns:
        Plain JSON values: `examples`; `points`, up to 500 drawn pairs of the true and the predicted number; `scores`,
        every metric; `of_the_mean`, the same of a model that always says the mean; `by_size`, the error by fifths of
        the true number; `by_group`, the ten worst groups (None without groups); `intervals`, how often each held.
    """
    known = is_known(labels)
    true, predicted = labels[known].astype(np.float64), said[known]
    drawn = np.sort(np.random.default_rng(seed).permutation(len(true))[:MOST_POINTS])
    mean = np.full((len(true), 1), true.mean())
    return {
        "examples": len(true),
        "points": [[float(true[row]), float(predicted[row, 0])] for row in drawn.tolist()],
        "scores": _finite(compute_all(true, predicted)),
        "of_the_mean": _finite(compute_all(true, mean)),
        "by_size": _by_size(true, predicted),
        "by_group": None if groups is None else _by_group(true, predicted, groups[known]),
        "intervals": [
            {"level": float(level), "half_width": width, "held": coverage(true, predicted, width)}
            for level, width in half_widths.items()
        ],
    }


def _by_size(true: NDArray[np.float64], predicted: NDArray[np.float32]) -> list[Json]:
    """A line for each fifth of the true numbers that holds enough examples."""
    ends = np.unique(np.quantile(true, np.linspace(0, 1, PARTS + 1)))
    part_of = np.clip(np.searchsorted(ends, true, side="right") - 1, 0, max(len(ends) - 2, 0))
    lines = []
    for part in np.unique(part_of).tolist():
        here = part_of == part
        if here.sum() >= FEWEST_IN_PART:
            span = {"from": float(true[here].min()), "to": float(true[here].max())}
            lines.append({**span, **_errors(true[here], predicted[here])})
    return lines


def _by_group(true: NDArray[np.float64], predicted: NDArray[np.float32], groups: NDArray[np.int64]) -> list[Json]:
    lines = [
        {"group": int(group), **_errors(true[groups == group], predicted[groups == group])}
        for group in np.unique(groups).tolist()
    ]
    return sorted(lines, key=lambda line: -line["mae"])[:MOST_GROUPS]


def _errors(true: NDArray[np.float64], predicted: NDArray[np.float32]) -> Json:
    """How far off, and to which side: `bias` is above 0 where too much is said."""
    return {
        "examples": len(true),
        "mae": METRICS["mae"](true, predicted),
        "bias": float(np.mean(predicted[:, 0] - true)),
    }


def _finite(scores: Mapping[str, float]) -> dict[str, float | None]:
    return {name: value if np.isfinite(value) else None for name, value in scores.items()}
