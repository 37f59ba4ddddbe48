"""Accuracy on held-out source examples: plain, hard to beat, and blind to everything that happens on the target."""

import math

from autotl.scoring.label_free import LabelFreeScore
from autotl.scoring.metrics import METRICS, Labels, OfDraws, Probabilities, predicted_labels


def source_accuracy(probabilities: Probabilities, labels: Labels) -> float:
    """Share of source validation examples that are read right; NaN without examples."""
    return float((predicted_labels(probabilities) == labels).mean()) if len(labels) else math.nan


def source_accuracy_of_draws(probabilities: Probabilities, labels: Labels) -> OfDraws:
    """`source_accuracy` in weighted draws of the examples."""
    return METRICS["accuracy"].of_draws(labels, probabilities)


SOURCE_ACCURACY = LabelFreeScore(
    name="source_accuracy",
    reads=("source_probabilities", "source_labels"),
    compute=source_accuracy,
    ranks=True,
    blind_to="the target: it cannot see what adaptation does there",
    of_draws=source_accuracy_of_draws,
)
