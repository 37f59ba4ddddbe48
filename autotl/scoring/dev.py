"""Importance-weighted accuracy with a control variate that takes the noise of the weights out again."""

import math

import numpy as np

from autotl.scoring.components import are_numbers, sampled
from autotl.scoring.label_free import LabelFreeScore
from autotl.scoring.metrics import Labels, Probabilities, Values, predicted_labels


def dev(probabilities: Probabilities, labels: Labels, log_importance: Values) -> float:
    """1 minus the deep embedded validation risk, about 0 to 1, more is better; NaN where no weight is known.

    The loss is 0 for a source validation example that is read right and 1 for another. Weights are divided by the
    largest; where they are all the same this is plain source accuracy.

    Args:
        probabilities, labels: of all source validation examples, shapes (n, classes) and (n,).
        log_importance: log of target density by source density at those that `sampled` names.
    """
    rows = sampled(len(labels))
    if not (len(log_importance) == len(rows) > 0 and are_numbers(log_importance, probabilities)):
        return math.nan
    weights = np.exp(log_importance - log_importance.max())
    loss = weights * (predicted_labels(probabilities[rows]) != labels[rows])
    varies = np.ptp(weights) > 1e-9
    slope = np.cov(loss, weights, bias=True)[0, 1] / weights.var() if varies else 0.0
    return float(1 - (loss.mean() + slope * (1 - weights.mean())))


DEV = LabelFreeScore(
    name="dev",
    reads=("source_probabilities", "source_labels", "source_log_importance"),
    compute=dev,
    ranks=True,
    blind_to="domains that the model's features tell apart: it follows the few source examples of large weight",
    paper='You, Wang, Long & Jordan, "Towards accurate model selection in deep unsupervised domain adaptation", ICML '
    "2019, algorithm 1; weights divided by the largest as in Musgrave, Belongie & Lim, 2022 (arXiv:2208.07360)",
    spoken="deep embedded validation (DEV)",
)
