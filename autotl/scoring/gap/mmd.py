"""Maximum mean discrepancy: how far two distributions are apart, with the chance that equal ones look so different."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_ROWS = 1_000
PERMUTATIONS = 200

Points = NDArray[Any]


@dataclass(frozen=True)
class Discrepancy:
    """Unbiased MMD² (near 0, even below it, for equal domains), and the share of shuffles of the domains that reach it.

    `narrow` and `wide` are MMD² with kernels of half and twice the width: which scale the difference lives on.
    """

    value: float
    p_value: float
    narrow: float
    wide: float


def mmd(source: Points, target: Points, *, seed: int = 0) -> Discrepancy:
    """MMD² with the kernel exp(-|x - y|² / 2 w²), w the median distance of two examples of either domain.

    At most 1,000 examples of each domain are looked at, and shuffled 200 times for the p-value.

    Args:
        source, target: (n, d) and (m, d), at least 2 examples each.
    Paper: Gretton et al., "A kernel two-sample test", JMLR 2012.
    """
    from scipy.spatial.distance import cdist

    draws = np.random.default_rng(seed)
    source, target = draws.permutation(source)[:MOST_ROWS], draws.permutation(target)[:MOST_ROWS]
    both = np.concatenate([source, target])
    squared = cdist(both, both, "sqeuclidean")
    median = float(np.median(squared[np.triu_indices(len(both), 1)]))
    if median == 0:
        median = float(squared.mean())
    if median == 0:
        return Discrepancy(0.0, 1.0, 0.0, 0.0)
    is_source = np.arange(len(both)) < len(source)
    narrow, usual, wide = (np.exp(-squared / (2 * median * width**2)) for width in (0.5, 1.0, 2.0))
    shuffles = np.stack([is_source, *(draws.permutation(is_source) for _ in range(PERMUTATIONS))], axis=1)
    values = _unbiased(usual, shuffles)
    # Rounding must not decide whether a shuffle reaches the value that it equals.
    reached = int((values[1:] >= values[0] - 1e-12).sum())
    return Discrepancy(
        float(values[0]),
        (1 + reached) / (1 + PERMUTATIONS),
        float(_unbiased(narrow, shuffles[:, :1])[0]),
        float(_unbiased(wide, shuffles[:, :1])[0]),
    )


def _unbiased(kernel: Points, is_source: NDArray[np.bool_]) -> Points:
    """MMD² (k,) for k divisions (rows, k) of the rows into two domains."""
    one, other = is_source.astype(np.float64), 1.0 - is_source
    n, m = one[:, 0].sum(), other[:, 0].sum()
    diagonal = np.diag(kernel)[:, None]
    within_one = ((kernel @ one) * one - diagonal * one).sum(axis=0) / (n * (n - 1))
    rows_of_other = kernel @ other
    within_other = (rows_of_other * other - diagonal * other).sum(axis=0) / (m * (m - 1))
    return np.asarray(within_one + within_other - 2 * (rows_of_other * one).sum(axis=0) / (n * m))
