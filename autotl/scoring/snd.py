"""How densely a model's target predictions lie together."""

import math

import numpy as np

from autotl.scoring.components import are_numbers, sampled
from autotl.scoring.entropy import mean_entropy
from autotl.scoring.label_free import LabelFreeScore
from autotl.scoring.metrics import Probabilities

TEMPERATURE = 0.05
MOST_ROWS = 1_500  # of a larger target a sample is compared, each with each


def snd(probabilities: Probabilities) -> float:
    """Soft neighbourhood density, 0 to 1, more is better; NaN for fewer than three examples.

    Each example's similarities with the others become shares by a softmax; the entropy of these is high where many
    are about equally close. The paper's mean entropy is divided by its largest value, the logarithm of the number of
    neighbours, so that targets of unlike size compare.

    Args:
        probabilities: shape (m, classes).
    """
    said = probabilities[sampled(len(probabilities), MOST_ROWS)].astype(np.float64)
    if len(said) < 3 or not are_numbers(said):
        return math.nan
    said /= np.maximum(np.linalg.norm(said, axis=1, keepdims=True), 1e-12)
    logits = said @ said.T / TEMPERATURE
    np.fill_diagonal(logits, -math.inf)  # none is its own neighbour
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    return mean_entropy(shares) / math.log(len(said) - 1)


SND = LabelFreeScore(
    name="snd",
    reads=("target_probabilities",),
    compute=snd,
    ranks=False,
    blind_to="a collapse: where all predictions are the same, all are neighbours",
    paper='Saito, Kim, Teterwak, Sclaroff, Darrell & Saenko, "Tune it the right way: unsupervised validation of domain '
    'adaptation via soft neighborhood density", ICCV 2021 (arXiv:2108.10860)',
    spoken="density of neighbourhoods (SND)",
)
