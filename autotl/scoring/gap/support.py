"""Whether the source has examples like the target's at all."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from autotl.adaptation.importance import log_density_ratio

QUANTILE = 0.99
CLASSIFIER_C = 1.0  # a mild penalty: a strong one would make every source look usable

Points = NDArray[Any]


def share_outside(source: Points, target: Points) -> float:
    """Share of target examples further from their nearest source example than 99 % of source examples are from theirs.

    About 0.01 for equal domains, 1 where no target example has a source example near it.

    Args:
        source, target: (n, d) and (m, d), at least 2 source examples.
    """
    from scipy.spatial import KDTree
    from scipy.spatial.distance import cdist

    if not source.shape[1]:
        return 0.0
    if source.shape[1] <= 3:  # where a tree is quicker than all pairs
        tree = KDTree(source)
        own, others = tree.query(source, k=2)[0][:, 1], tree.query(target)[0]
    else:
        between = cdist(source, source)
        np.fill_diagonal(between, np.inf)
        own, others = between.min(axis=1), cdist(target, source).min(axis=1)
    return float((others > np.quantile(own, QUANTILE)).mean())


def effective_share(source: Points, target: Points) -> float:
    """(Σw)² / (n Σw²) of the weights that make the source's examples stand for the target's: the share of the source
    that importance weighting would really use. 1 for equal domains.

    Args:
        source, target: features (n, d) and (m, d).
    """
    log_ratio = log_density_ratio(source, target, classifier_c=CLASSIFIER_C)
    weights = np.exp(log_ratio - log_ratio.max())
    return float(weights.sum() ** 2 / (len(weights) * np.square(weights).sum()))
