"""What can be said of an example without looking at what it shows, in numbers and words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Kind = Literal["origin", "appearance"]

_BINS, _FEWEST_BINS = 16, 4  # of numbers; so many that each holds some examples
_IN_A_BIN = 25
_MOST_VALUES = 15  # of a property in words; rarer ones are one


@dataclass(frozen=True)
class Property:
    """One number or word per example.

    Attributes:
        name: with its article, as in "most by the width".
        values: (n,), missing as NaN; or n words.
        kind: `origin` for what only tells how an example was made or kept, `appearance` for what may as well belong to
            its class.
    """

    name: str
    values: Floats | Sequence[str]
    kind: Kind


@dataclass(frozen=True)
class Properties:
    """The properties of one domain's examples, with the words to speak of them."""

    columns: Sequence[Property]
    examples: str  # what they are called: "images"
    origin: str  # what the properties of this kind have in common, completing "… tell 'a' from the other classes"
    appearance: str  # completing "… alone tell the classes"
    remedy: str  # a sentence; `{of_all}` stands for examples of whatever is learnt, such as "of every class"
    question: Literal["warning", "info"] = "warning"  # how gravely is asked where appearance tells the classes


def binned(values: Floats | Sequence[str]) -> Integers:
    """(n,) bin of each value: quantiles of numbers, with a bin of their own for the missing; the commoner words."""
    if not isinstance(values, np.ndarray):
        words, codes, counts = np.unique(np.array(values), return_inverse=True, return_counts=True)
        rank = np.empty(len(words), dtype=np.int64)
        rank[np.argsort(-counts, kind="stable")] = np.arange(len(words))
        return np.minimum(rank[codes], _MOST_VALUES)
    there = ~np.isnan(values)
    found = np.zeros(len(values), dtype=np.int64)
    if there.any():
        count = int(np.clip(there.sum() // _IN_A_BIN, _FEWEST_BINS, _BINS))
        shares = np.linspace(0, 1, count + 1)[1:-1]
        edges = np.unique(np.quantile(values[there], shares, method="nearest"))
        edges = edges[edges > values[there].min()]
        found[there] = np.searchsorted(edges, values[there], side="right") + (0 if there.all() else 1)
    return found


def described(column: Property, here: NDArray[np.bool_], name: str) -> str:
    """`the width (512 in 99% of 'a' and in 2% of the others)`."""
    if not isinstance(column.values, np.ndarray):
        words = np.array(column.values)
        of_words = {
            str(word): (float(np.mean(words[here] == word)), float(np.mean(words[~here] == word)))
            for word in np.unique(words)
        }
        chosen = max(of_words, key=lambda one: (abs(of_words[one][0] - of_words[one][1]), of_words[one][0]))
        return _compared(column.name, chosen, *of_words[chosen], name)
    ranges = _ranges(column.values)
    shares = {
        (low, high): (_share_within(column.values[here], low, high), _share_within(column.values[~here], low, high))
        for low, high in ranges
    }
    if not shares:
        missing = np.isnan(column.values)
        return _compared(column.name, "missing", float(missing[here].mean()), float(missing[~here].mean()), name)
    low, high = max(shares, key=lambda one: (abs(shares[one][0] - shares[one][1]), shares[one][0]))
    return _compared(column.name, _range_in_words(low, high), *shares[low, high], name)


def _compared(property_name: str, seen: str, here: float, elsewhere: float, name: str) -> str:
    return f"{property_name} ({seen} in {here:.0%} of {name!r} and in {elsewhere:.0%} of the others)"


def _ranges(values: Floats) -> list[tuple[float, float]]:
    """Single frequent values, and everything up to or from some quantile."""
    present = values[~np.isnan(values)]
    if not len(present):
        return []
    edges = np.unique(np.quantile(present, np.linspace(0, 1, _BINS + 1), method="nearest"))
    single = [(edge, edge) for edge in edges if np.mean(present == edge) > 1 / _BINS]
    return [*single, *((-np.inf, edge) for edge in edges[:-1]), *((edge, np.inf) for edge in edges[1:])]


def _share_within(values: Floats, low: float, high: float) -> float:
    return float(np.mean((values >= low) & (values <= high)))


def _range_in_words(low: float, high: float) -> str:
    if low == high:
        return _number(low)
    return f"at most {_number(high)}" if np.isinf(low) else f"at least {_number(low)}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == round(value) or abs(value) >= 1000 else f"{value:.3g}"
