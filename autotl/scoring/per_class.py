"""How a model fares class by class."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from autotl.scoring.intervals import wilson
from autotl.scoring.metrics import Labels, Probabilities, predicted_labels

Figure = dict[str, float | None]  # value, low, high


def per_class(labels: Labels, probabilities: Probabilities, classes: Sequence[str]) -> list[dict[str, Any]]:
    """Precision, recall and F1 of every class with their 95 % intervals, as plain JSON values.

    An example of a class that the model cannot name (a negative label) is no class's to find, and makes whatever it is
    called less precise.

    Returns:
        A line per class in their order: `class`, `support` (its examples), `said` (how often it is named), `precision`,
        `recall` and `f1`, each with `value`, `low` and `high`; None where nothing could be counted.
    """
    said = predicted_labels(probabilities) if len(labels) else np.empty(0, dtype=np.int64)
    lines = []
    for index, name in enumerate(classes):
        right = int(((labels == index) & (said == index)).sum())
        support, named = int((labels == index).sum()), int((said == index).sum())
        lines.append(
            {
                "class": name,
                "support": support,
                "said": named,
                "precision": share(right, named),
                "recall": share(right, support),
                "f1": f1_of(right, support + named - right),
            }
        )
    return lines


def share(part: int, whole: int) -> Figure:
    """A share with Wilson's interval; None where there is no whole."""
    if not whole:
        return {"value": None, "low": None, "high": None}
    low, high = wilson(part, whole)
    return {"value": part / whole, "low": low, "high": high}


def f1_of(right: int, either: int) -> Figure:
    """F1 = 2 J / (1 + J) rises with J, the share that is both among those that are the class or are called so; so the
    ends of J's interval are the ends of F1's."""
    overlap = share(right, either)
    return {name: None if value is None else 2 * value / (1 + value) for name, value in overlap.items()}
