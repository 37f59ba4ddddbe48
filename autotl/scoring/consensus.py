"""Whether a trial says what all trials say together."""

from collections.abc import Sequence

import numpy as np

from autotl.scoring.metrics import Labels, OfDraws, Values, Weights, predicted_labels
from autotl.scoring.neighbours import neighbour_agreement
from autotl.scoring.panel import Panel, PanelScore

LEAST_WEIGHT = 1e-3  # of a trial whose classes differ between neighbours as if by chance


def consensus_of_draws(panel: Panel) -> Sequence[OfDraws]:
    """For each trial the share of inputs to which it gives the class of the `consensus`, in weighted draws of them."""
    together = consensus(panel)
    return [_share((said == together).astype(np.float64)) for said in panel.said]


def consensus(panel: Panel) -> Labels:
    """The class of the highest weighted mean probability, shape (m,).

    A trial's voice weighs what it agrees with its neighbours, so that a few good models are heard among many poor ones;
    all weigh the same where neighbours are not known.
    """
    votes = np.zeros((panel.rows, panel.classes))
    for said, probabilities in zip(panel.said, panel.probabilities, strict=True):
        votes += _weight(said, panel) * probabilities
    return predicted_labels(votes)


def trust_in_neighbours(panel: Panel) -> float:
    """How far neighbours agree on the consensus, 0 to 1: how much may be told from them. 0 where they are not known."""
    return 0.0 if panel.nearest is None else max(neighbour_agreement(consensus(panel), panel.nearest), 0.0)


def _weight(said: Labels, panel: Panel) -> float:
    return 1.0 if panel.nearest is None else max(neighbour_agreement(said, panel.nearest), LEAST_WEIGHT)


def _share(agrees: Values) -> OfDraws:
    def of_draws(weights: Weights) -> Values:
        return np.asarray(weights @ agrees / np.maximum(weights.sum(axis=1), 1e-12))

    return of_draws


CONSENSUS = PanelScore(
    name="consensus",
    of_draws=consensus_of_draws,
    blind_to="a mistake that most trials share, and a trial that is better than all of them together",
    paper='after Hu, Luo, Liang & Foo, "Towards reliable model selection for unsupervised domain adaptation: an '
    'empirical study and a certified baseline", NeurIPS 2024, '
    "whose ensemble-based validation (EnsV) weighs all voices alike",
    spoken="agreement with all trials",
)
