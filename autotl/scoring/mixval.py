"""Whether decision boundaries keep away from the target: is a mixture of two inputs read as its major part?"""

import math

import numpy as np
from numpy.typing import NDArray

from autotl.scoring.label_free import LabelFreeScore, Reading
from autotl.scoring.metrics import OfDraws, Probabilities, Values, Weights, predicted_labels

MAJOR_PART = 0.55  # of a mixture that is the example itself; the rest is its partner
PAPER = (
    'Hu, Liang, Liew, Xue, Bai & Wang, "Mixed samples as probes for unsupervised model selection in domain '
    'adaptation", NeurIPS 2023'
)

Partners = NDArray[np.int64]

_READS: tuple[Reading, ...] = ("target_probabilities", "mixed_probabilities", "mix_partners")


def mix_partners(m: int, seed: int) -> Partners:
    """The place of each example's partner, shape (m,): every example is the partner of one other, none its own.

    One example alone is its own: its pair has no two predictions that differ, so nothing is scored by it.
    """
    order = np.random.default_rng(seed).permutation(m)
    partners = np.empty(m, dtype=np.int64)
    partners[order] = np.roll(order, -1)  # one ring through all of them
    return partners


def mixval(said: Probabilities, mixed: Probabilities, partners: Partners) -> float:
    """Share of mixtures read as their major part among pairs whose two predictions differ; NaN where none do.

    Args:
        said: of the target examples themselves, shape (m, classes).
        mixed: of `MAJOR_PART` of each and the rest of its partner, shape (m, classes).
        partners: as `mix_partners` drew them.
    """
    return _share(said, mixed, partners, differ=True)


def mixval_same(said: Probabilities, mixed: Probabilities, partners: Partners) -> float:
    """The same among pairs whose two predictions agree: a model that names one class always scores 1."""
    return _share(said, mixed, partners, differ=False)


def mixval_of_draws(said: Probabilities, mixed: Probabilities, partners: Partners) -> OfDraws:
    """`mixval` in weighted draws of the pairs."""
    hits, counted = _hits(said, mixed, partners, differ=True)

    def of_draws(weights: Weights) -> Values:
        whole = weights @ counted
        share = np.divide(weights @ (hits & counted), whole, out=np.full(len(weights), math.nan), where=whole > 0)
        return np.asarray(share, dtype=np.float64)

    return of_draws


def _share(said: Probabilities, mixed: Probabilities, partners: Partners, *, differ: bool) -> float:
    if not (np.isfinite(said).all() and np.isfinite(mixed).all()):
        return math.nan
    hits, counted = _hits(said, mixed, partners, differ=differ)
    return float(hits[counted].mean()) if counted.any() else math.nan


def _hits(
    said: Probabilities, mixed: Probabilities, partners: Partners, *, differ: bool
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Whether each mixture is read as its major part, and whether its pair counts; both of shape (m,)."""
    own = predicted_labels(said)
    counted = (own != own[partners]) == differ
    return predicted_labels(mixed) == own, counted & (partners != np.arange(len(partners)))


MIXVAL = LabelFreeScore(
    name="mixval",
    reads=_READS,
    compute=mixval,
    ranks=True,
    blind_to="classes that are swapped or left out: clear boundaries may separate the wrong things",
    paper=PAPER,
    of_draws=mixval_of_draws,
    spoken="MixVal",
)
MIXVAL_SAME = LabelFreeScore(
    name="mixval_same",
    reads=_READS,
    compute=mixval_same,
    ranks=False,
    blind_to="a collapse: a model that names one class always scores 1",
    paper=PAPER,
    spoken="MixVal of like pairs",
)
