"""An estimate of target accuracy: how cheaply target predictions are moved to the classes that the source has."""

import math

import numpy as np

from autotl.scoring.components import are_numbers, sampled
from autotl.scoring.label_free import LabelFreeScore
from autotl.scoring.metrics import Labels, Probabilities

MOST_ROWS = 500  # of a larger target a sample is moved: the cost grows with the third power


def confidence_optimal_transport(labels: Labels, target: Probabilities) -> float:
    """1 minus the optimal-transport cost between target predictions and the source's labels, 0 to 1; NaN without
    examples of either.

    To move a prediction to a class costs 1 minus its probability there. Each class takes as many predictions as its
    share of the source's labels, so that a model which names one class alone pays for it.

    Args:
        labels: of source validation examples, shape (n,).
        target: of target examples, shape (m, classes).
    """
    said = target[sampled(len(target), MOST_ROWS)].astype(np.float64)
    if not (len(labels) and len(said) and are_numbers(said)):
        return math.nan
    from scipy.optimize import linear_sum_assignment

    places = np.repeat(np.arange(said.shape[1]), places_of(labels, len(said), said.shape[1]))
    examples, taken = linear_sum_assignment(said[:, places], maximize=True)
    return float(said[examples, places[taken]].mean())


def places_of(labels: Labels, examples: int, classes: int) -> Labels:
    """How many of so many examples each class takes, (classes,), by its share of the labels: by largest remainders."""
    wanted = np.bincount(labels, minlength=classes) / len(labels) * examples
    whole = np.floor(wanted + 1e-9).astype(np.int64)
    first = np.argsort(whole - wanted, kind="stable")[: examples - int(whole.sum())]
    whole[first] += 1
    return whole


COT = LabelFreeScore(
    name="estimate_cot",
    reads=("source_labels", "target_probabilities"),
    compute=confidence_optimal_transport,
    ranks=False,
    blind_to="classes that are of other sizes on the target, and overconfidence",
    paper='Lu, Wang, Zhai, Kolouri, Campbell & Sycara, "Characterizing out-of-distribution error via optimal '
    'transport", NeurIPS 2023 (arXiv:2305.15640)',
    spoken="COT",
)
