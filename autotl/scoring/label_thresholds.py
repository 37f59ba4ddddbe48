"""From which probability on a label is said: tuned for each label by its own F1, never on the test.

Paper: Lipton, Elkan & Naryanaswamy, "Optimal thresholding of classifiers to maximize F1 measure", ECML PKDD 2014
(arXiv:1402.1892).
"""

import numpy as np
from numpy.typing import NDArray

EVEN_ODDS = 0.5
MOST_SAID = 3  # times as many examples as bear a label
PARTS = 5  # of the examples, for thresholds that are tuned on the others


def tuned(sets: NDArray[np.int64], probabilities: NDArray[np.floating]) -> list[float]:
    """For each label the threshold with the best F1 on these examples; even odds where nobody bears it.

    Args:
        sets, probabilities: shape (n, labels); rows whose labels are not known (negative) are left out.
    """
    known = (sets >= 0).all(axis=1)
    sets, probabilities = sets[known], probabilities[known]
    return [best_threshold(sets[:, index] == 1, probabilities[:, index]) for index in range(sets.shape[1])]


def best_threshold(bears: NDArray[np.bool_], probability: NDArray[np.floating]) -> float:
    """Half way between the last probability that is said and the next one, where that gives the best F1; of equally
    good places the strictest.

    A label is said of at most three times as many examples as bear it, or of those that the first run of equal
    probabilities holds. Where nothing can be learnt of a label the best F1 is to say it always, which for a rare one
    would be nearly always wrong; where its F1 reaches a half the bound does not matter.
    """
    if not bears.any():
        return EVEN_ODDS
    order = np.argsort(-probability, kind="stable")
    falling = probability[order].astype(np.float64)
    cuts = np.append(np.flatnonzero(np.diff(falling)), len(falling) - 1)  # behind runs of equal probabilities
    cuts = cuts[: max(1, int(np.searchsorted(cuts + 1, MOST_SAID * bears.sum(), side="right")))]
    found = np.cumsum(bears[order])[cuts]
    best = int(cuts[int((2 * found / (cuts + 1 + bears.sum())).argmax())])
    following = falling[best + 1] if best + 1 < len(falling) else 0.0
    return float((falling[best] + following) / 2)


def cross_fitted(sets: NDArray[np.int64], probabilities: NDArray[np.floating]) -> NDArray[np.float64]:
    """Thresholds (n, labels), each tuned on the four fifths of the examples that its own is not among.

    Fifths are dealt label by label, so that each has its share of those that bear it; a label that a single example
    bears is decided at even odds there.
    """
    thresholds = np.full(sets.shape, EVEN_ODDS)
    shuffled = np.random.default_rng(0).permutation(len(sets))
    for index in range(sets.shape[1]):
        bears = sets[:, index] == 1
        dealt = np.concatenate([shuffled[bears[shuffled]], shuffled[~bears[shuffled]]])
        part_of = np.empty(len(sets), dtype=np.int64)
        part_of[dealt] = np.arange(len(sets)) % PARTS
        for part in range(PARTS):
            here = part_of == part
            thresholds[here, index] = best_threshold(bears[~here], probabilities[~here, index])
    return thresholds
