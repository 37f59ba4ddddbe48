"""LogME: the evidence of a Bayesian linear model that explains the labels by the features."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

FURTHEST = 10.0  # decades around the features' mean strength in which the ratio of precisions is looked for
PLACES = 81  # looked at in each round
ROUNDS = 4  # each looks closer around the best place of the one before: to less than 1e-4 of a decade


def log_me(features: NDArray[Any], labels: NDArray[np.int64]) -> float:
    """Mean over classes of the logarithm of the maximum evidence, for each example.

    Each class is a regression of its 0/1 indicator on the features, with a Gaussian prior on the weights; the
    precisions of prior and noise are those that make the evidence largest. Given their ratio the noise's is known in
    closed form, so one number is searched; the papers' fixed-point iterations look for the same maximum, and stop short
    of it where there are more features than examples.

    Args:
        features: (n, d); they are taken as they are, without a mean or a scale removed.
        labels: (n,) class indices.
    Returns:
        More is better; comparable between networks on the same examples only.
    Paper: You, Liu, Wang & Long, "LogME: practical assessment of pre-trained models for transfer learning", ICML 2021
        (arXiv:2102.11005).
    """
    points = np.asarray(features, dtype=np.float64)
    left, singular, _ = np.linalg.svd(points, full_matrices=False)
    evidences = [_evidence((labels == label).astype(np.float64), left, singular**2) for label in np.unique(labels)]
    return float(np.mean(evidences))


def _evidence(target: NDArray[np.float64], left: NDArray[np.float64], strengths: NDArray[np.float64]) -> float:
    """The largest evidence of one regression, for each example.

    Args:
        target: (n,).
        left, strengths: the features' left singular vectors (n, r) and squared singular values (r,).
    """
    projected = (left.T @ target) ** 2
    outside = max(float(target @ target - projected.sum()), 0.0)  # what no weight can explain
    rows = len(target)

    def at(ratio: NDArray[np.float64]) -> NDArray[np.float64]:
        """With the prior's precision so many times the noise's, and the noise's at its best."""
        kept = ratio[:, None] / (ratio[:, None] + strengths)
        unexplained = np.maximum(outside + kept @ projected, np.finfo(np.float64).tiny)
        return 0.5 * (np.log(kept).sum(axis=1) / rows - np.log(2 * np.pi * unexplained / rows) - 1)

    centre = np.log10(max(float(strengths.mean()), np.finfo(np.float64).tiny))
    reach = FURTHEST
    for _ in range(ROUNDS):
        places = np.linspace(centre - reach, centre + reach, PLACES)
        found = at(10.0**places)
        centre, reach = float(places[found.argmax()]), 2 * reach / (PLACES - 1)
    return float(found.max())
