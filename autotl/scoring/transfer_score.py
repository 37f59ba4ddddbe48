"""Clusters in the target's features, sure and varied predictions, and a classifier that keeps its classes apart."""

import math

import numpy as np
from numpy.typing import NDArray

from autotl.scoring.components import Points, are_numbers, sampled
from autotl.scoring.infomax import infomax
from autotl.scoring.label_free import LabelFreeScore
from autotl.scoring.metrics import Probabilities

MOST_POINTS = 1_000  # of a larger target a sample is asked for its neighbours


def transfer_score(points: Points, said: Probabilities, weights: NDArray[np.floating]) -> float:
    """Clusterability plus information minus non-uniformity, about -3 to 2, more is better; NaN for fewer than two
    examples.

    The sum has no unit, and does not compare between networks whose features are of unlike kind.

    Args:
        points: components of the target examples that `sampled` names.
        said: probabilities of all target examples, shape (m, classes).
        weights: of the layer that reads the features, shape (d, classes).
    """
    if len(points) != len(sampled(len(said))) or len(said) < 2 or not are_numbers(points, said, weights):
        return math.nan
    information = infomax(said) / math.log(said.shape[1])
    return clusterability(points) + information - non_uniformity(weights)


def clusterability(points: Points) -> float:
    """Hopkins' statistic: about 0.5 for points spread evenly in their box, 1 for tight clusters.

    Distances of evenly drawn points to their nearest example, as a share of these and the examples' own distances to
    their nearest neighbours.

    Paper: Hopkins & Skellam, "A new method for determining the type of distribution of plant individuals", 1954.
    """
    low, high = points.min(axis=0), points.max(axis=0)
    examples = points[sampled(len(points), MOST_POINTS)]
    drawn = np.random.default_rng(0).uniform(low, high, size=examples.shape)
    own = _squared_distances(examples, examples)
    np.fill_diagonal(own, math.inf)
    of_drawn, of_own = (
        np.sqrt(np.maximum(found.min(axis=1), 0)).sum() for found in (_squared_distances(drawn, examples), own)
    )
    return float(of_drawn / (of_drawn + of_own)) if of_drawn + of_own > 0 else 0.5


def non_uniformity(weights: NDArray[np.floating]) -> float:
    """Mean squared difference, in radians, of the angles between classes' weights from that at which all are equally
    far apart; at least 0.

    Args:
        weights: shape (d, classes), two classes at least.
    """
    columns = weights.astype(np.float64)
    columns /= np.maximum(np.linalg.norm(columns, axis=0), 1e-12)
    classes = columns.shape[1]
    cosines = (columns.T @ columns)[~np.eye(classes, dtype=bool)]
    angles = np.arccos(np.clip(cosines, -1, 1))
    return float(np.mean((angles - math.acos(-1 / (classes - 1))) ** 2))


def _squared_distances(ones: Points, others: Points) -> NDArray[np.float64]:
    lengths = (ones**2).sum(axis=1)[:, None] + (others**2).sum(axis=1)
    return np.asarray(lengths - 2 * ones @ others.T)


TRANSFER_SCORE = LabelFreeScore(
    name="transfer_score",
    reads=("target_components", "target_probabilities", "classifier_weights"),
    compute=transfer_score,
    ranks=True,
    blind_to="confident wrong clusters, and the differences between networks, which move its three parts",
    paper='Yang, Qian, Xu & Xie, "Can we evaluate domain adaptation models without target-domain labels?", ICLR 2024',
    spoken="Transfer Score",
)
