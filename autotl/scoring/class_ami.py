"""Whether a model's classes are clusters of its own target features."""

import math

import numpy as np

from autotl.scoring.components import Points, are_numbers, sampled
from autotl.scoring.entropy import entropies_of_sums
from autotl.scoring.label_free import LabelFreeScore
from autotl.scoring.metrics import Labels, OfDraws, Probabilities, Values, Weights, predicted_labels

MOST_ROUNDS = 50


def class_ami(points: Points, said: Probabilities) -> float:
    """Adjusted mutual information of predictions and clusters: 1 where they are the same, about 0 by chance.

    Clusters are found by k-means on the principal components, started at the means of the predicted classes. NaN
    without examples, or with features that are no numbers; 0 where agreement would be no evidence: one class
    predicted, or each example a class of its own.

    Args:
        points: components of the target examples that `sampled` names.
        said: probabilities of all target examples, shape (m, classes).
    """
    if not _are_usable(points, said):
        return math.nan
    sample = sampled(len(said))
    classes = _numbered(predicted_labels(said[sample]))
    if not _can_agree(classes):
        return 0.0
    from sklearn.metrics import adjusted_mutual_info_score

    return float(adjusted_mutual_info_score(classes, _clusters(points, classes)))


def class_ami_of_draws(points: Points, said: Probabilities) -> OfDraws:
    """`class_ami` in weighted draws of the examples.

    Clusters, and the agreement to be expected by chance, are those of all examples: to find them anew in each draw
    would take a hundred times as long.
    """
    if not _are_usable(points, said):
        return lambda weights: np.full(len(weights), math.nan)
    sample = sampled(len(said))
    classes = _numbered(predicted_labels(said[sample]))
    if not _can_agree(classes):
        return lambda weights: np.zeros(len(weights))
    from sklearn.metrics.cluster import contingency_matrix, expected_mutual_information

    clusters = _clusters(points, classes)
    table = contingency_matrix(classes, clusters, sparse=True)
    expected = float(expected_mutual_information(table, len(classes)))
    marks = [np.eye(labels.max() + 1)[labels] for labels in (classes, clusters)]
    cells = np.unique(classes * (clusters.max() + 1) + clusters, return_inverse=True)[1].reshape(-1)
    pairs = np.eye(cells.max() + 1)[cells]

    def of_draws(weights: Weights) -> Values:
        kept = weights[:, sample]
        of_classes, of_clusters = (entropies_of_sums(kept @ mark) for mark in marks)
        mutual = of_classes + of_clusters - entropies_of_sums(kept @ pairs)
        room = (of_classes + of_clusters) / 2 - expected
        return np.asarray((mutual - expected) / np.maximum(room, 1e-12))

    return of_draws


def _are_usable(points: Points, said: Probabilities) -> bool:
    both = len(points) == len(sampled(len(said))) > 0 and points.shape[1] > 0
    return both and are_numbers(points, said)


def _numbered(labels: Labels) -> Labels:
    """The same classes without those that nobody names."""
    return np.asarray(np.unique(labels, return_inverse=True)[1].reshape(-1), dtype=np.int64)


def _can_agree(classes: Labels) -> bool:
    return 1 < int(classes.max()) + 1 < len(classes)


def _clusters(points: Points, classes: Labels) -> Labels:
    """The cluster of each example, shape (m,)."""
    import warnings

    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    counts = np.bincount(classes)
    means = np.zeros((len(counts), points.shape[1]))
    np.add.at(means, classes, points)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer distinct points than classes
        found = KMeans(len(counts), init=means / counts[:, None], n_init=1, max_iter=MOST_ROUNDS).fit(points)
    return np.asarray(found.labels_, dtype=np.int64)


CLASS_AMI = LabelFreeScore(
    name="class_ami",
    reads=("target_components", "target_probabilities"),
    compute=class_ami,
    ranks=True,
    blind_to="a collapse that keeps two neat clusters, and classes that are no clusters",
    paper='Musgrave, Belongie & Lim, "Three new validators and a large-scale benchmark ranking for unsupervised domain '
    'adaptation", 2022 (arXiv:2208.07360)',
    of_draws=class_ami_of_draws,
    spoken="ClassAMI",
)
