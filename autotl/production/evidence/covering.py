"""What a model's answer hangs on: parts of an example are covered, and how much less it is sure of it then, or how far
its number moves.

It asks nothing of a model but its answers, so networks on every backend, trees and bags of words are explained alike.

Paper: Zeiler & Fergus, "Visualizing and understanding convolutional networks", ECCV 2014 (arXiv:1311.2901), sec. 4.2.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

AT_ONCE = 32  # covered examples in one batch: always as many, so that no backend compiles twice
NEARLY = 1e-6  # of certainty: beyond it odds are no longer told from each other

Predict = Callable[[NDArray[Any]], NDArray[np.float32]]  # a batch of examples → answers (n, classes), or (n, 1)


@dataclass(frozen=True)
class Question:
    """What a model is asked about covered examples.

    Attributes:
        is_number: whether its answers are numbers, else probabilities.
    """

    predict: Predict
    is_number: bool = False

    def effect(self, before: float, after: NDArray[np.floating]) -> "Effect":
        """What its answers with and without each part tell."""
        return Effect(before, after.astype(np.float64), self.is_number)


@dataclass(frozen=True)
class Effect:
    """What covering parts of an example does to one answer.

    Attributes:
        before: the probability of a class, or the number, with nothing covered.
        after: with each part covered, shape (parts,).
    """

    before: float
    after: NDArray[np.float64]
    is_number: bool = False

    @property
    def lost(self) -> NDArray[np.float64]:
        """What covering each part takes away, shape (parts,), below 0 where it spoke against the answer: log-odds of a
        probability; of a number the difference in its own unit."""
        before = np.array(self.before)
        return np.asarray(before - self.after if self.is_number else _log_odds(before) - _log_odds(self.after))

    @property
    def most(self) -> int:
        """The part that matters most: that speaks most for a class, or moves a number furthest to either side."""
        return int((np.abs(self.lost) if self.is_number else self.lost).argmax())

    def written(self, lost: float) -> float:
        """What is lost, as it is kept: to a thousandth of log-odds; of a number to four digits of the greatest loss."""
        if not self.is_number:
            return round(lost, 3)
        greatest = float(np.abs(self.lost).max())
        return round(lost, 3 - math.floor(math.log10(greatest))) if greatest > 0 else 0.0


def cover(question: Question, example: NDArray[Any], covered: NDArray[Any], index: int) -> Effect:
    """The effect of each covering on one answer.

    Args:
        example: as the model takes it, shape (1, ...).
        covered: the same example with one part covered in each row, shape (parts, ...).
        index: column of the answer.
    """
    said = predict_all(question.predict, np.concatenate([example, covered]))[:, index]
    return question.effect(float(said[0]), said[1:])


def predict_all(predict: Predict, examples: NDArray[Any]) -> NDArray[np.float32]:
    """Answers to any number of examples, in batches of one size."""
    said = []
    for start in range(0, len(examples), AT_ONCE):
        batch = examples[start : start + AT_ONCE]
        padding = np.repeat(batch[-1:], AT_ONCE - len(batch), axis=0)
        said.append(predict(np.concatenate([batch, padding]))[: len(batch)])
    return np.concatenate(said)


def _log_odds(probability: NDArray[np.floating]) -> NDArray[np.float64]:
    inside = np.clip(probability.astype(np.float64), NEARLY, 1 - NEARLY)
    return np.asarray(np.log(inside / (1 - inside)))
