"""How a model fares label by label, where an example may bear several, and which labels come together."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from autotl.scoring.intervals import interval
from autotl.scoring.label_sets import LabelSets, Probabilities, Thresholds, said_sets
from autotl.scoring.metrics import METRICS
from autotl.scoring.per_class import f1_of, share

DRAWS = 500  # of each label's interval


def per_label(
    sets: LabelSets, probabilities: Probabilities, names: Sequence[str], *, thresholds: Thresholds, seed: int
) -> list[dict[str, Any]]:
    """Every label with its figures and their 95 % intervals, as plain JSON values.

    Args:
        thresholds: tuned on other examples than these, or their figures flatter.
    Returns:
        A line per label in their order: `class`, `support` (examples that bear it), `prevalence` (their share), `said`
        (of how many it is said), `threshold`, and `average_precision`, `precision`, `recall` and `f1`, each with
        `value`, `low` and `high`; None where nothing could be counted.
    """
    said = said_sets(probabilities, thresholds)
    lines = []
    for index, name in enumerate(names):
        bears, named = sets[:, index] == 1, said[:, index] == 1
        right, support, often = int((bears & named).sum()), int(bears.sum()), int(named.sum())
        ranked = interval(
            METRICS["average_precision"],
            sets[:, index : index + 1],
            probabilities[:, index : index + 1],
            seed=seed,
            draws=DRAWS,
        ).as_dict()
        lines.append(
            {
                "class": name,
                "support": support,
                "prevalence": support / len(sets) if len(sets) else None,
                "said": often,
                "threshold": float(thresholds[index]),
                "average_precision": {key: ranked[key] for key in ("value", "low", "high")},
                "precision": share(right, often),
                "recall": share(right, support),
                "f1": f1_of(right, support + often - right),
            }
        )
    return lines


def together(sets: LabelSets) -> list[list[int]]:
    """Of how many examples each two labels are labels, (labels, labels); on the diagonal, each alone or not."""
    counts: list[list[int]] = (sets.T @ sets).tolist()
    return counts


def set_sizes(sets: LabelSets) -> list[int]:
    """How many examples bear none, one, two … labels."""
    counts: list[int] = np.bincount(sets.sum(axis=1)).tolist() if len(sets) else []
    return counts
