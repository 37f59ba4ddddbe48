"""Measured searches as lines of Markdown tables."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t

LEVEL = 0.95


@dataclass(frozen=True)
class Measured:
    """One search, and what it is compared with; accuracies are shares of all target examples.

    Attributes:
        pair: e.g. `books to dvd`.
        source_only: the winner's plan without its adaptation.
        winner: as searched, picked without a target label.
        target_trained: the winner's plan without its adaptation, taught by labels of the target.
        oracle: the best trial by the hidden labels.
        method: the winner's.
        trials: complete ones.
        seconds: of the whole search.
    """

    pair: str
    seed: int
    source_only: float
    winner: float
    target_trained: float
    oracle: float
    method: str
    trials: int
    seconds: float


COLUMNS: dict[str, Callable[[Measured], float]] = {
    "source-only": lambda one: one.source_only,
    "winner, picked without labels": lambda one: one.winner,
    "gain": lambda one: one.winner - one.source_only,
    "trained on target": lambda one: one.target_trained,
    "oracle": lambda one: one.oracle,
}
HEADER = f"| task | {' | '.join(COLUMNS)} | its methods | seconds | published |\n|{'---|' * (len(COLUMNS) + 4)}"


def line(title: str, measured: Sequence[Measured], published: str) -> str:
    """A table row: means over the units with 95 % intervals, in points."""
    cells = [in_words(per_unit(measured, column)) for column in COLUMNS.values()]
    methods = Counter(one.method for one in measured).most_common()
    said = ", ".join(method if count == 1 else f"{method} {count}" for method, count in methods)
    seconds = f"{np.mean([one.seconds for one in measured]):.0f}"
    return f"| {' | '.join([title, *cells, said, seconds, published])} |"


def per_unit(measured: Iterable[Measured], column: Callable[[Measured], float]) -> list[float]:
    """A value per pair, its mean over seeds; per seed where there is only one pair. Intervals are over these."""
    values: dict[str, list[float]] = {}
    for one in measured:
        values.setdefault(one.pair, []).append(column(one))
    if len(values) == 1:
        return next(iter(values.values()))
    return [float(np.mean(of_pair)) for of_pair in values.values()]


def in_words(values: Sequence[float]) -> str:
    """`92.3 ± 0.8`: mean and half the width of its 95 % interval, in points."""
    mean, half = mean_and_half_width(values)
    return f"{100 * mean:.1f}" if math.isnan(half) else f"{100 * mean:.1f} ± {100 * half:.1f}"


def mean_and_half_width(values: Sequence[float]) -> tuple[float, float]:
    """Of Student's interval of the mean; not a number where a single value tells no spread."""
    count = len(values)
    if count < 2:
        return float(np.mean(values)), math.nan
    spread = float(np.std(values, ddof=1)) / math.sqrt(count)
    return float(np.mean(values)), float(t.ppf(0.5 + LEVEL / 2, count - 1)) * spread
