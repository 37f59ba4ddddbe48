"""How sure and how varied a model's target predictions are, by the nuclear norm of their matrix."""

import math

import numpy as np

from autotl.scoring.label_free import LabelFreeScore
from autotl.scoring.metrics import Probabilities


def bnm(probabilities: Probabilities) -> float:
    """Nuclear norm of the predictions, 0 to 1, more is better; NaN without examples.

    The paper's norm is divided by the largest that so many examples and classes can have: certain predictions spread
    evenly over all classes. So scores compare between targets of unlike size.

    Args:
        probabilities: shape (m, classes).
    """
    m, classes = probabilities.shape
    if not m or not np.isfinite(probabilities).all():
        return math.nan
    norm = np.linalg.svd(probabilities.astype(np.float64), compute_uv=False).sum()
    return float(norm / math.sqrt(m * min(m, classes)))


BNM = LabelFreeScore(
    name="bnm",
    reads=("target_probabilities",),
    compute=bnm,
    ranks=True,
    blind_to="confident wrong clusters, and a target whose classes are of unlike size",
    paper='Cui, Wang, Zhuo, Li, Huang & Tian, "Towards discriminability and diversity: batch nuclear-norm maximization '
    'under label insufficient situations", CVPR 2020',
    spoken="BNM",
)
