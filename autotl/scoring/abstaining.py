"""What a model gains by not answering where it is unsure."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from autotl.scoring.metrics import Labels, Probabilities, predicted_labels
from autotl.scoring.per_class import share

WANTED = (0.9, 0.95, 0.98, 0.99)
"""Accuracies that somebody may want of the answers that are given."""

FEWEST_ANSWERED = 30  # examples that a rule must still answer: with fewer its accuracy is luck
MOST_POINTS = 60

Floats = NDArray[np.float64]


def confidence_of(probabilities: Probabilities) -> Floats:
    """The probability of the class that is named, shape (n,)."""
    return probabilities.max(axis=1).astype(np.float64)


def risk_coverage(labels: Labels, probabilities: Probabilities) -> dict[str, Any]:
    """Accuracy of the surest answers, by how many are given.

    Examples that are equally sure count as if each of them were as right as all of them together.

    Returns:
        Plain JSON values: `examples`, `accuracy` of all, `aurc` (the area under the curve of risk against coverage:
        mean error over all numbers of answers, 0 best), `least_aurc` (were the model surest where it is right), and
        `curve`, points with `coverage`, `accuracy` and `threshold`, the confidence down to which answers are given.
    Paper: Geifman, Uziel & El-Yaniv, "Bias-reduced uncertainty estimation for deep neural classifiers", ICLR 2019
    (arXiv:1805.08206).
    """
    confidence, right = confidence_of(probabilities), (predicted_labels(probabilities) == labels).astype(np.float64)
    order = np.argsort(-confidence, kind="stable")
    falling = confidence[order]
    accuracies = _running_mean(_evened_out(right[order], falling))
    places = np.unique(np.linspace(0, len(falling) - 1, min(len(falling), MOST_POINTS)).round().astype(np.int64))
    return {
        "examples": len(labels),
        "accuracy": float(right.mean()),
        "aurc": float((1 - accuracies).mean()),
        "least_aurc": float((1 - _running_mean(np.sort(right)[::-1])).mean()),
        "curve": [
            {
                "coverage": (place + 1) / len(falling),
                "accuracy": float(accuracies[place]),
                "threshold": float(falling[place]),
            }
            for place in places.tolist()
        ],
    }


def threshold_for(wanted: float, labels: Labels, probabilities: Probabilities) -> float | None:
    """The lowest confidence from which on answers are as accurate as wanted; 0 where all of them are, None where no
    `FEWEST_ANSWERED` answers are."""
    confidence, right = confidence_of(probabilities), predicted_labels(probabilities) == labels
    order = np.argsort(-confidence, kind="stable")
    falling = confidence[order]
    ends = np.append(np.flatnonzero(np.diff(falling)), len(falling) - 1)  # equally sure answers are given together
    accuracies = np.cumsum(right[order])[ends] / (ends + 1)
    enough = np.flatnonzero((accuracies >= wanted) & (ends + 1 >= FEWEST_ANSWERED))
    if not len(enough):
        return None
    last = int(enough[-1])
    return 0.0 if ends[last] == len(falling) - 1 else float(falling[ends[last]])


def answered(threshold: float, labels: Labels | None, probabilities: Probabilities) -> dict[str, Any]:
    """What a rule does on some examples: `coverage` (share that is answered) and `accuracy` of these, each with its
    interval; without labels the latter is None."""
    gives = confidence_of(probabilities) >= threshold
    given = int(gives.sum())
    right = None if labels is None else int((predicted_labels(probabilities) == labels)[gives].sum())
    return {
        "examples": len(probabilities),
        "coverage": share(given, len(probabilities)),
        "accuracy": None if right is None else share(right, given),
    }


def _evened_out(right: Floats, falling: Floats) -> Floats:
    """Each run of equal confidence with its mean in the place of its values."""
    _, run, counts = np.unique(falling, return_inverse=True, return_counts=True)
    return np.asarray((np.bincount(run, weights=right) / counts)[run])


def _running_mean(values: Floats) -> Floats:
    return np.asarray(np.cumsum(values) / np.arange(1, len(values) + 1))
