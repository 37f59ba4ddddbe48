"""Proxy A-distance: how well a linear classifier tells one domain's examples from the other's."""

import numpy as np
from numpy.typing import NDArray

FOLDS = 5


def proxy_a_distance(source: NDArray[np.float64], target: NDArray[np.float64], *, seed: int = 0) -> float:
    """2 (1 - 2 error) of a domain classifier, clipped at 0: 0 where domains cannot be told apart, 2 where they always
    can.

    The error is that of logistic regression on examples held out in 5 folds, from as many examples of each domain.

    Args:
        source, target: (n, d) and (m, d), of like scale.
    Paper: Ben-David, Blitzer, Crammer & Pereira, "Analysis of representations for domain adaptation", NIPS 2006.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold

    if not source.shape[1]:
        return 0.0
    draws = np.random.default_rng(seed)
    rows = min(len(source), len(target))
    points = np.concatenate([draws.permutation(source)[:rows], draws.permutation(target)[:rows]])
    domain = np.repeat([0, 1], rows)
    wrong = 0
    folds = StratifiedKFold(min(FOLDS, rows), shuffle=True, random_state=seed)
    for train, held_out in folds.split(points, domain):
        classifier = LogisticRegression(C=1.0, max_iter=500).fit(points[train], domain[train])
        wrong += int((classifier.predict(points[held_out]) != domain[held_out]).sum())
    return max(0.0, 2 * (1 - 2 * wrong / len(domain)))
