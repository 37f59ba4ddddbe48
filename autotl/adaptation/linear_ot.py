"""Linear optimal transport: the source is moved onto the target by the shortest way there is between Gaussians."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from autotl.adaptation.method import Alignment, Described, Features, Parameter, Stage, Values
from autotl.adaptation.statistics import Exact, Moments, align_moments, power
from autotl.data.statistics import Statistics


@dataclass(frozen=True)
class LinearOt(Described):
    """Gives the source's features the target's mean and covariance while moving them as little as possible."""

    stage: Stage = "transform"
    parameters: Mapping[str, Parameter] = field(
        default_factory=lambda: {"shrinkage": Parameter(0.01, searched={"log": [1e-4, 1.0]})}
    )
    paper: str = (
        'Flamary, Lounici & Ferrari, "Concentration bounds for linear Monge mapping estimation and optimal transport '
        'domain adaptation", 2019 (arXiv:1905.10155)'
    )
    in_words: str = (
        "the source's features were moved, as little as possible, onto the target's mean and covariance before the "
        "head learnt on them"
    )
    can_be_refitted: bool = True

    def fit(self, source: Features, target: Features, values: Values) -> Alignment:
        """Maps of (n, d) and (m, d); the target's is the identity. A note tells where a covariance was singular."""
        return _between(Moments.of(source), target, values)

    def fit_to_statistics(self, source: Statistics, target: Features, values: Values) -> Alignment:
        """The same for a source of which only sums are known."""
        return _between(Moments.of_statistics(source), target, values)


def _between(source: Moments, target: Features, values: Values) -> Alignment:
    return align_moments(source, Moments.of(target), shrinkage=values["shrinkage"], between=transport)


def transport(source: Exact, target: Exact) -> Exact:
    """Optimal map between centred Gaussians of covariances S and T: S^-1/2 (S^1/2 T S^1/2)^1/2 S^-1/2.

    Args:
        source, target: (d, d), invertible.
    Returns:
        (d, d), symmetric and positive definite; the only such A with A S A = T.
    """
    from scipy.linalg import solve_triangular

    # Any factor S = L L^T serves: A = L^-T (L^T T L)^1/2 L^-1 is symmetric and A S A = T. Cholesky's spares one of two
    # eigendecompositions.
    factor = np.linalg.cholesky(source)
    half = solve_triangular(factor, power(factor.T @ target @ factor, 0.5), lower=True, trans="T")
    matrix = solve_triangular(factor, half.T, lower=True, trans="T")
    return np.asarray((matrix + matrix.T) / 2)
