"""Which examples a network is screened on: a few hundred, every class among them."""

import numpy as np
from numpy.typing import NDArray

MOST_ROWS = 300  # more of them move no score's order by much (benchmarks/search.md)


def sample_rows(labels: NDArray[np.int64], *, most: int = MOST_ROWS, seed: int = 0) -> NDArray[np.int64]:
    """Rows with a known label, at most so many, their classes in the shares that they have, in ascending order.

    Args:
        labels: (n,) class index; negative where it is unknown.
    """
    known = np.flatnonzero(labels >= 0)
    if len(known) <= most:
        return known
    draws = np.random.default_rng(seed)
    shuffled = draws.permutation(known)
    # by its rank within its class, as a share of the class: the first `most` of these hold every class in its share
    place = np.empty(len(shuffled))
    for label in np.unique(labels[known]):
        of_class = np.flatnonzero(labels[shuffled] == label)
        place[of_class] = (np.arange(len(of_class)) + draws.random()) / len(of_class)
    return np.sort(shuffled[np.argsort(place, kind="stable")[:most]])
