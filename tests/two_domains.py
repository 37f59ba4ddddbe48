"""Features of two domains, for tests of methods that bring domains together."""

import numpy as np

from autotl.adaptation.method import Alignment, Transform


def domain(seed, *, rows=400, width=6, shift=0.0, scale=1.0):
    """Correlated Gaussian features (rows, width) in float32; each seed has its own correlations."""
    draws = np.random.default_rng(seed)
    mixing = draws.normal(size=(width, width)) / np.sqrt(width) + np.eye(width)
    return (scale * draws.normal(size=(rows, width)) @ mixing + shift).astype(np.float32)


def fit(method: Transform, source, target, **values) -> Alignment:
    """The method's maps by its default parameters, but for those given."""
    return method.fit(source, target, {**method.defaults, **values})


def covariance(features):
    return np.atleast_2d(np.cov(features.astype(np.float64), rowvar=False))


def shrunk(features, share):
    """The covariance with a share of the mean variance added to its diagonal."""
    plain = covariance(features)
    return plain + share * np.trace(plain) / len(plain) * np.eye(len(plain))
