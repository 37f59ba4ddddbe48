"""What a model's answer hangs on: parts of an example are covered, and how much less it is sure of it then.

It asks nothing of a model but its answers, so networks on every backend, trees and bags of words are explained alike.

Paper: Zeiler & Fergus, "Visualizing and understanding convolutional networks", ECCV 2014 (arXiv:1311.2901), sec. 4.2.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

AT_ONCE = 32  # covered examples in one batch: always as many, so that no backend compiles twice
NEARLY = 1e-6  # of certainty: beyond it odds are no longer told from each other

Predict = Callable[[NDArray[Any]], NDArray[np.float32]]  # a batch of examples → probabilities (n, classes)


@dataclass(frozen=True)
class Effect:
    """What covering parts of an example does to the probability of one class.

    Attributes:
        before: the probability with nothing covered.
        after: with each part covered, shape (parts,).
    """

    before: float
    after: NDArray[np.float64]

    @property
    def lost(self) -> NDArray[np.float64]:
        """Log-odds that covering each part takes away, shape (parts,); below 0 where it spoke against the class."""
        return np.asarray(_log_odds(np.array(self.before)) - _log_odds(self.after))


def cover(predict: Predict, example: NDArray[Any], covered: NDArray[Any], index: int) -> Effect:
    """The effect of each covering on one class's probability.

    Args:
        example: as the model takes it, shape (1, ...).
        covered: the same example with one part covered in each row, shape (parts, ...).
        index: of the class.
    """
    said = predict_all(predict, np.concatenate([example, covered]))[:, index]
    return Effect(float(said[0]), said[1:].astype(np.float64))


def predict_all(predict: Predict, examples: NDArray[Any]) -> NDArray[np.float32]:
    """Probabilities of any number of examples, in batches of one size."""
    said = []
    for start in range(0, len(examples), AT_ONCE):
        batch = examples[start : start + AT_ONCE]
        padding = np.repeat(batch[-1:], AT_ONCE - len(batch), axis=0)
        said.append(predict(np.concatenate([batch, padding]))[: len(batch)])
    return np.concatenate(said)


def _log_odds(probability: NDArray[np.floating]) -> NDArray[np.float64]:
    inside = np.clip(probability.astype(np.float64), NEARLY, 1 - NEARLY)
    return np.asarray(np.log(inside / (1 - inside)))
