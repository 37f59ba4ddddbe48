"""The classifier that several measures ask: fitted on the source's labels, calibrated, and let loose on the target."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from autotl.scoring.calibration import fit_temperature, with_temperature
from autotl.scoring.metrics import LEAST_PROBABILITY

FOLDS = 5
MANY_CLASSES, FOLDS_OF_MANY = 20, 3

Points = NDArray[Any]
Labels = NDArray[np.int64]
Probabilities = NDArray[Any]  # (n, classes)


@dataclass(frozen=True, eq=False)
class Probe:
    """What a linear probe says of both domains, calibrated on source examples that it had not learnt.

    Attributes:
        labels: (n,) of those source examples whose class is known.
        source: (n, classes) probabilities of the same examples, each by a probe that did not learn it.
        target: (m, classes) probabilities.
    """

    labels: Labels
    source: Probabilities
    target: Probabilities

    @classmethod
    def fit(cls, source: Points, labels: Labels, target: Points, *, classes: int, seed: int = 0) -> Self:
        """A probe on points (n, d) and (m, d) of like scale, with labels (n,), at least one of them known."""
        known = labels >= 0
        source, labels = source[known], labels[known]
        held_out = cross_predicted(source, labels, classes=classes, seed=seed)
        temperature = fit_temperature(labels, held_out)
        said = predicted_by_probe(source, labels, target, classes=classes)
        return cls(labels, with_temperature(held_out, temperature), with_temperature(said, temperature))

    @property
    def pseudo_labels(self) -> Labels:
        """(m,) the likeliest class of each target example."""
        return np.asarray(self.target.argmax(axis=1))


def cross_predicted(points: Points, labels: Labels, *, classes: int, seed: int = 0) -> Probabilities:
    """(n, classes) probabilities of examples, each by a probe that did not learn it."""
    from sklearn.model_selection import KFold

    folds = FOLDS if classes <= MANY_CLASSES else FOLDS_OF_MANY
    said = np.full((len(points), classes), 1 / classes)
    if len(points) < folds:
        return said
    for train, held_out in KFold(folds, shuffle=True, random_state=seed).split(points):
        said[held_out] = predicted_by_probe(points[train], labels[train], points[held_out], classes=classes)
    return said


def predicted_by_probe(points: Points, labels: Labels, others: Points, *, classes: int) -> Probabilities:
    """(len(others), classes) by logistic regression; a class without an example is hardly ever said."""
    from sklearn.linear_model import LogisticRegression

    present = np.unique(labels)
    said = np.full((len(others), classes), LEAST_PROBABILITY)
    if len(present) == 1 or not points.shape[1]:
        said[:, present] = np.bincount(labels, minlength=classes)[present] / len(labels)
    else:
        classifier: Any = LogisticRegression(C=0.1, max_iter=300).fit(points, labels)
        said[:, present] = np.maximum(classifier.predict_proba(others), LEAST_PROBABILITY)
    return said / said.sum(axis=1, keepdims=True)
