"""How logits are read: as those of classes of which an example has one, of labels each of which it may bear, or as the
number itself.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autotl.scoring.metrics import LEAST_PROBABILITY

Floats = NDArray[np.floating]  # (…, classes)


@dataclass(frozen=True)
class Link:
    """A way from logits to probabilities, or to numbers, and back.

    Attributes:
        activation: as Keras calls it.
        probabilities: of logits, along the last axis; in float64 inside, not-a-number stays so.
        logits: of probabilities: what gives them again.
        on_tensors: the same of a Keras tensor.
    """

    activation: str
    probabilities: Callable[[Floats], NDArray[np.float32]]
    logits: Callable[[Floats], NDArray[np.float32]]
    on_tensors: Callable[[Any], Any]


def softmax(logits: Floats) -> NDArray[np.float32]:
    """Along the last axis."""
    shifted = np.exp(logits.astype(np.float64) - logits.max(axis=-1, keepdims=True))
    return (shifted / shifted.sum(axis=-1, keepdims=True)).astype(np.float32)


def sigmoid(logits: Floats) -> NDArray[np.float32]:
    """Of each logit alone."""
    half = 0.5 * logits.astype(np.float64)
    return (0.5 * (1.0 + np.tanh(half))).astype(np.float32)  # no overflow at either end


def _as_it_is(numbers: Floats) -> NDArray[np.float32]:
    return numbers.astype(np.float32)


def _logarithms(probabilities: Floats) -> NDArray[np.float32]:
    return np.log(np.maximum(probabilities, LEAST_PROBABILITY)).astype(np.float32)


def _log_odds(probabilities: Floats) -> NDArray[np.float32]:
    inside = np.clip(probabilities.astype(np.float64), LEAST_PROBABILITY, 1.0 - LEAST_PROBABILITY)
    return (np.log(inside) - np.log1p(-inside)).astype(np.float32)


def _log_of_tensor(probabilities: Any) -> Any:
    from keras import ops

    return ops.log(probabilities)


def _log_odds_of_tensor(probabilities: Any) -> Any:
    from keras import ops

    inside = ops.clip(probabilities, LEAST_PROBABILITY, 1.0 - LEAST_PROBABILITY)
    return ops.log(inside) - ops.log(1.0 - inside)


ONE_CLASS = Link("softmax", softmax, _logarithms, _log_of_tensor)
EACH_LABEL = Link("sigmoid", sigmoid, _log_odds, _log_odds_of_tensor)
A_NUMBER = Link("linear", _as_it_is, _as_it_is, lambda numbers: numbers)

LINKS: dict[str, Link] = {"classification": ONE_CLASS, "multilabel": EACH_LABEL, "regression": A_NUMBER}
