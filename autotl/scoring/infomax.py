"""How sure a model is of its target predictions while still naming every class."""

from autotl.scoring.entropy import mean_entropy
from autotl.scoring.label_free import LabelFreeScore
from autotl.scoring.metrics import Probabilities


def infomax(probabilities: Probabilities) -> float:
    """Entropy of the mean prediction minus the mean entropy of predictions, 0 to log(classes), more is better."""
    return mean_entropy(probabilities.mean(axis=0, keepdims=True)) - mean_entropy(probabilities)


INFOMAX = LabelFreeScore(
    name="infomax",
    reads=("target_probabilities",),
    compute=infomax,
    ranks=False,
    blind_to="confident wrong clusters, and a target whose classes are of unlike size",
    paper='Gomes, Krause & Perona, "Discriminative clustering by regularized information maximization", NIPS 2010',
)
