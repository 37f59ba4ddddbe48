"""Whether a model names what the models of a search name together."""

import math

from autotl.scoring.components import are_numbers
from autotl.scoring.label_free import LabelFreeScore
from autotl.scoring.metrics import Probabilities, predicted_labels


def ensv(said: Probabilities, pool: Probabilities) -> float:
    """Share of target examples that a model reads as the mean of all models does, 0 to 1; NaN without examples.

    It is known when a search has ended, and changes with every model that joins the pool.

    Args:
        said: by the model, shape (m, classes).
        pool: the mean of what all models say of the same examples, shape (m, classes).
    """
    if not len(said) == len(pool) > 0 or not are_numbers(said, pool):
        return math.nan
    return float((predicted_labels(said) == predicted_labels(pool)).mean())


ENSV = LabelFreeScore(
    name="ensv",
    reads=("target_probabilities", "pool_probabilities"),
    compute=ensv,
    ranks=True,
    blind_to="a model that is better than most of a search, and a mistake that most of them make",
    paper='Hu, Luo, Liang & Foo, "Towards reliable model selection for unsupervised domain adaptation: an empirical '
    'study and a certified baseline", NeurIPS 2024',
    spoken="EnsV",
)
