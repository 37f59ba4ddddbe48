"""Whether the way back leads home: do the target's predicted labels teach a probe to read the source?"""

import math

import numpy as np
from numpy.typing import NDArray

from autotl.scoring.components import Points, are_numbers, sampled
from autotl.scoring.label_free import LabelFreeScore
from autotl.scoring.metrics import Labels, Probabilities, predicted_labels

SHRINKAGE = 0.05  # of the probe's covariance, towards equal spread along all components


def reverse_validation(target: Points, said: Probabilities, source: Points, labels: Labels) -> float:
    """Share of source validation examples that a linear probe reads right which was taught by the model's target
    predictions, 0 to 1; NaN without examples.

    The probe is a linear discriminant on the principal components, every predicted class counted alike, since the
    classes of the two domains may be of unlike size.

    Args:
        target, source: components of the examples that `sampled` names, along the same axes.
        said: probabilities of all target examples, shape (m, classes).
        labels: of all source validation examples, shape (n,).
    """
    rows = sampled(len(said)), sampled(len(labels))
    known = len(target) == len(rows[0]) > 0 and len(source) == len(rows[1]) > 0 and target.shape[1] > 0
    if not (known and are_numbers(target, source, said)):
        return math.nan
    taught, classes = np.unique(predicted_labels(said[rows[0]]), return_inverse=True)
    read = _discriminant(target, classes.reshape(-1), source)
    return float((taught[read] == labels[rows[1]]).mean())


def _discriminant(points: Points, classes: Labels, asked: Points) -> NDArray[np.int64]:
    """The class of each point that is asked about, (n,), by the nearest mean in units of the shared spread."""
    counts = np.bincount(classes)
    means = np.zeros((len(counts), points.shape[1]))
    np.add.at(means, classes, points)
    means /= counts[:, None]
    within = points - means[classes]
    spread = within.T @ within / len(points)
    even = np.trace(spread) / len(spread)
    # Where every class is one point, all directions count alike.
    spread = (1 - SHRINKAGE) * spread + (SHRINKAGE * even if even > 0 else 1.0) * np.eye(len(spread))
    towards = np.linalg.solve(spread, means.T)
    scores = asked @ towards - 0.5 * np.einsum("ck,kc->c", means, towards)
    return np.asarray(scores.argmax(axis=1), dtype=np.int64)


REVERSE_VALIDATION = LabelFreeScore(
    name="reverse_validation",
    reads=("target_components", "target_probabilities", "source_components", "source_labels"),
    compute=reverse_validation,
    ranks=True,
    blind_to="classes that features and predictions swap alike: the way back swaps them again",
    paper='Bruzzone & Marconcini, "Domain adaptation problems: a DASVM classification technique and a circular '
    'validation strategy", IEEE TPAMI 2010; Zhong, Fan, Yang, Verscheure & Ren, "Cross validation framework to choose '
    'amongst models and datasets for transfer learning", ECML PKDD 2010',
    spoken="reverse validation",
)
