"""Whether a trial's classes are regions of the target: do inputs that lie next to each other get the same one?"""

import math
from collections.abc import Sequence

import numpy as np

from autotl.scoring.entropy import entropies_of_sums
from autotl.scoring.metrics import Labels, OfDraws, Values, Weights
from autotl.scoring.panel import Panel, PanelScore, Places

LEAST = 1e-12


def neighbour_information(said: Labels, nearest: Places, classes: int) -> OfDraws:
    """How much the class of an input tells about that of a neighbour, in weighted draws of the inputs.

    It is their mutual information in units of log(classes): 1 where the classes are even and never differ between
    neighbours, about 0 by chance and for a model that names one class. Unlike the share of neighbours that agree it
    falls where two regions are given the same class.

    Args:
        said: the class of each input, shape (m,).
        nearest: its neighbours, shape (m, k).
    """
    count = nearest.shape[1]
    own = np.eye(classes)[said]
    of_neighbours = own[nearest].mean(axis=1)
    cells, place = np.unique(said[:, None] * classes + said[nearest], return_inverse=True)
    pairs = np.zeros((len(said), len(cells)))
    np.add.at(pairs, (np.repeat(np.arange(len(said)), count), place.reshape(-1)), 1 / count)

    def of_draws(weights: Weights) -> Values:
        one, other, both = (entropies_of_sums(weights @ each) for each in (own, of_neighbours, pairs))
        return np.asarray((one + other - both) / math.log(max(classes, 2)))

    return of_draws


def neighbour_agreement(said: Labels, nearest: Places) -> float:
    """The share of neighbours that are given the same class, beyond what the classes' shares alone would give (Cohen's
    kappa): 1 where classes never differ between neighbours, 0 for a model that names one class."""
    agreeing = float((said[nearest] == said[:, None]).mean())
    chance = float(np.square(np.bincount(said) / len(said)).sum())
    return (agreeing - chance) / (1 - chance) if 1 - chance > LEAST else 0.0


def neighbours_of_draws(panel: Panel) -> Sequence[OfDraws]:
    """`neighbour_information` of each trial; NaN where neighbours are not known."""
    nearest = panel.nearest
    if nearest is None:
        return [_unknown for _ in panel.said]
    return [neighbour_information(said, nearest, panel.classes) for said in panel.said]


def _unknown(weights: Weights) -> Values:
    return np.full(len(weights), math.nan)


NEIGHBOURS = PanelScore(
    name="neighbours",
    of_draws=neighbours_of_draws,
    blind_to="classes that are no regions, as opinions in reviews, and classes of very unlike size",
    paper='after Saito, Kim, Teterwak, Sclaroff, Darrell & Saenko, "Tune it the right way: unsupervised validation of '
    'domain adaptation via soft neighborhood density", ICCV 2021, with the neighbours of one model for all trials',
    spoken="agreement of neighbours",
)
