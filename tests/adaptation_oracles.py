"""Slow formulas in float64 and derivatives by differences, to hold losses of `autotl.adaptation` against."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def random_logits(seed: int, rows: int, classes: int, scale: float = 2.0) -> Array:
    """Logits (rows, classes) of a model that is sure of some examples and torn about others."""
    return np.random.default_rng(seed).normal(scale=scale, size=(rows, classes))


def softmax(logits: Array) -> Array:
    """Probabilities, one example at a time."""
    rows = []
    for row in np.asarray(logits, dtype=np.float64):
        exponentials = np.exp(row - row.max())
        rows.append(exponentials / exponentials.sum())
    return np.array(rows)


def entropy(probabilities: Array) -> float:
    """Entropy of one distribution in nats."""
    return float(-sum(p * np.log(p) for p in probabilities if p > 0))


def cross_entropy(logits: Array, labels: Any) -> float:
    """Mean over all examples, those with a negative label counting 0."""
    costs = [-np.log(p[label]) if label >= 0 else 0.0 for p, label in zip(softmax(logits), labels, strict=True)]
    return float(np.mean(costs))


def slope(function: Callable[[Array], float], at: Array, step: float = 1e-5) -> Array:
    """Derivative of a function of an array by central differences."""
    derivative = np.zeros_like(at)
    for place in np.ndindex(at.shape):
        ahead, behind = at.copy(), at.copy()
        ahead[place] += step
        behind[place] -= step
        derivative[place] = (function(ahead) - function(behind)) / (2 * step)
    return derivative


def value_and_gradient(function: Callable[[Any], Any], at: Array) -> tuple[float, Array]:
    """What Keras' backend makes of a function of a tensor, and its derivative."""
    import tensorflow as tf

    place = tf.Variable(at, dtype=tf.float32)
    with tf.GradientTape() as tape:
        value = function(place.value())
    gradient = tape.gradient(value, place)
    return float(value), np.zeros_like(at) if gradient is None else gradient.numpy()


def joint_batch(target_logits: Any, target_labels: Any = None) -> Any:
    """A batch whose target half has these logits; the rest is there and says nothing."""
    from keras import ops

    from autotl.adaptation.method import JointBatch

    target_logits = ops.convert_to_tensor(target_logits, dtype="float32")
    rows = target_logits.shape[0]
    unknown = ops.full((rows,), -1, dtype="int32")
    return JointBatch(
        source_features=ops.zeros((rows, 3)),
        target_features=ops.zeros((rows, 3)),
        source_logits=ops.zeros_like(target_logits),
        target_logits=target_logits,
        source_labels=unknown,
        target_labels=unknown if target_labels is None else ops.convert_to_tensor(target_labels, dtype="int32"),
    )
