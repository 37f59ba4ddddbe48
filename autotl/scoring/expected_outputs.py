"""What a linear head is expected to say of examples of which only means and a covariance are known.

The features of a class are taken for a Gaussian about the class's mean, so its logits are one too, of only k
dimensions. Draws from it stand for the outputs that nobody can compute: they calibrate the head, and count how often it
would be right.
"""

import numpy as np
from numpy.typing import NDArray

from autotl.scoring.calibration import fit_temperature

Exact = NDArray[np.float64]

DRAWS = 20_000  # over all classes together
FEWEST_DRAWS = 200  # of a class
CALIBRATED_ON = 4_000  # draws, spread as the classes are


def expected_confusion(means: Exact, covariance: Exact, counts: Exact) -> Exact:
    """How many examples of each class are expected to be called what.

    Args:
        means: (k, k), the logits at the mean of each class, a row per class.
        covariance: (k, k), of the logits about them.
        counts: (k,) examples of each class.
    Returns:
        (k, k) counts, a row per true class; rows add up to `counts`.
    """
    drawn = max(DRAWS // len(means), FEWEST_DRAWS)
    spread = _spread(covariance, drawn)
    called = [np.bincount((mean + spread).argmax(axis=1), minlength=len(means)) / drawn for mean in means]
    return np.stack(called) * np.maximum(counts, 0.0)[:, None]


def expected_temperature(means: Exact, covariance: Exact, counts: Exact) -> float:
    """What the logits are to be divided by, so that they are as sure as they are expected to be right; arguments as
    those of `expected_confusion`."""
    shares = np.maximum(counts, 0.0) / np.maximum(counts, 0.0).sum()
    wanted = np.rint(CALIBRATED_ON * shares).astype(np.int64)
    labels = np.repeat(np.arange(len(means)), wanted)
    logits = means[labels] + _spread(covariance, len(labels))
    scale = (
        float(np.sqrt(np.mean((means - means.mean(axis=1, keepdims=True)) ** 2))) or 1.0
    )  # any head's, to start from
    shifted = np.exp((logits - logits.max(axis=1, keepdims=True)) / scale)
    return scale * fit_temperature(labels, (shifted / shifted.sum(axis=1, keepdims=True)).astype(np.float32))


def _spread(covariance: Exact, drawn: int) -> Exact:
    """(drawn, k) deviations from a mean; the same draws for every head, so that heads are compared and not draws."""
    eigenvalues, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
    roots = vectors * np.sqrt(np.maximum(eigenvalues, 0.0))
    return np.asarray(np.random.default_rng(0).standard_normal((drawn, len(roots))) @ roots.T)
