"""Linear optimal transport: the source is moved onto the target by the shortest way there is between Gaussians."""

from dataclasses import dataclass

import numpy as np

from autotl.adaptation.matched_moments import MatchesMoments
from autotl.adaptation.statistics import Exact, power


@dataclass(frozen=True)
class LinearOt(MatchesMoments):
    """Gives the source's features the target's mean and covariance while moving them as little as possible."""

    paper: str = (
        'Flamary, Lounici & Ferrari, "Concentration bounds for linear Monge mapping estimation and optimal transport '
        'domain adaptation", 2019 (arXiv:1905.10155)'
    )
    in_words: str = (
        "the source's features were moved, as little as possible, onto the target's mean and covariance before the "
        "head learnt on them"
    )

    def between(self, source: Exact, target: Exact) -> Exact:
        """Optimal map between centred Gaussians of covariances S and T: S^-1/2 (S^1/2 T S^1/2)^1/2 S^-1/2.

        It is symmetric and positive definite, the only such A with A S A = T.
        """
        from scipy.linalg import solve_triangular

        # Any factor S = L L^T serves: A = L^-T (L^T T L)^1/2 L^-1 is symmetric and A S A = T. Cholesky's spares one of
        # two eigendecompositions.
        factor = np.linalg.cholesky(source)
        half = solve_triangular(factor, power(factor.T @ target @ factor, 0.5), lower=True, trans="T")
        matrix = solve_triangular(factor, half.T, lower=True, trans="T")
        return np.asarray((matrix + matrix.T) / 2)
