"""What a head learns by, by what is learnt: `LOSSES` is keyed by `Problem.loss_for`.

A loss is written once for a batch of one model, and once more for many linear heads side by side, whose gradient is
known and costs less than what differentiating would.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

from autotl.data.examples import UNKNOWN
from autotl.trial.links import EACH_LABEL, ONE_CLASS, Link

NO_WEIGHT = 1e-7  # least sum of weights that a mean is taken over


@dataclass(frozen=True)
class Loss:
    """A supervised loss of a head's logits.

    Attributes:
        link: from logits to what a model says.
        label_shape: of one example's label, from the number of classes.
        of_batch: logits (n, classes), labels (n, …), label smoothing (), class weights (classes,) and weights of the
            examples, (n,) or None → the mean over known labels, ().
        of_heads: the same of k heads, each with its own of everything: logits (k, n, classes), labels (k, n, …),
            smoothing (k, 1, 1), class weights (k, classes), weights (k, n) → losses (k,) and their gradient by the
            logits, (k, n, classes).
    """

    link: Link
    label_shape: Callable[[int], tuple[int, ...]]
    of_batch: Callable[[Any, Any, Any, Any, Any], Any]
    of_heads: Callable[[Any, Any, Any, Any, Any], tuple[Any, Any]]

    def no_labels(self, *shape: int, classes: int) -> NDArray[np.int32]:
        """Labels of so many examples, all UNKNOWN."""
        return np.full((*shape, *self.label_shape(classes)), UNKNOWN, dtype=np.int32)


def _cross_entropy(logits: Any, labels: Any, smoothing: Any, class_weights: Any, weights: Any) -> Any:
    """Of the class that each example has, weighted by its class."""
    known = ops.cast(ops.not_equal(labels, UNKNOWN), "float32")
    label = ops.maximum(labels, 0)
    log_probabilities = ops.log_softmax(logits, axis=-1)
    of_label = ops.take_along_axis(log_probabilities, ops.expand_dims(label, -1), axis=-1)[:, 0]
    smoothed = (1.0 - smoothing) * of_label + smoothing * ops.mean(log_probabilities, axis=-1)
    weight = known * ops.take(class_weights, label)
    if weights is not None:
        weight = weight * ops.cast(weights, "float32")
    return -ops.sum(weight * smoothed) / ops.maximum(ops.sum(weight), NO_WEIGHT)


def _cross_entropy_of_heads(
    logits: Any, labels: Any, smoothing: Any, class_weights: Any, weights: Any
) -> tuple[Any, Any]:
    known = ops.cast(ops.not_equal(labels, UNKNOWN), "float32")
    label = ops.maximum(labels, 0)
    log_probabilities = ops.log_softmax(logits, axis=-1)
    classes = log_probabilities.shape[-1]
    wanted = (1.0 - smoothing) * ops.one_hot(label, classes) + smoothing / classes
    weight = known * ops.take_along_axis(class_weights, label, axis=-1) * weights
    share = weight / ops.maximum(ops.sum(weight, axis=-1, keepdims=True), NO_WEIGHT)
    losses = -ops.sum(share * ops.sum(wanted * log_probabilities, axis=-1), axis=-1)
    return losses, ops.expand_dims(share, -1) * (ops.exp(log_probabilities) - wanted)


def _binary_cross_entropy(logits: Any, labels: Any, smoothing: Any, class_weights: Any, weights: Any) -> Any:
    """Of every label of each example alone; those that it bears count as much as their weight says, the others once."""
    of_examples = ops.ones_like(logits[:, 0]) if weights is None else ops.cast(weights, "float32")
    losses, share = _of_each_label(logits, labels, smoothing, class_weights, of_examples)
    return ops.sum(share * losses)


def _binary_cross_entropy_of_heads(
    logits: Any, labels: Any, smoothing: Any, class_weights: Any, weights: Any
) -> tuple[Any, Any]:
    losses, share = _of_each_label(logits, labels, smoothing, ops.expand_dims(class_weights, 1), weights)
    wanted = _smoothed(labels, smoothing)
    return ops.sum(share * losses, axis=(-2, -1)), share * (ops.sigmoid(logits) - wanted)


def _of_each_label(logits: Any, labels: Any, smoothing: Any, class_weights: Any, weights: Any) -> tuple[Any, Any]:
    """Loss of every label of every example, and its share of the mean, both (…, n, labels)."""
    known = ops.cast(ops.not_equal(labels, UNKNOWN), "float32")
    wanted = _smoothed(labels, smoothing)
    losses = ops.maximum(logits, 0.0) - logits * wanted + ops.softplus(-ops.abs(logits))
    borne = ops.cast(ops.equal(labels, 1), "float32")
    weight = known * ops.expand_dims(weights, -1) * (borne * class_weights + 1.0 - borne)
    return losses, weight / ops.maximum(ops.sum(weight, axis=(-2, -1), keepdims=True), NO_WEIGHT)


def _smoothed(labels: Any, smoothing: Any) -> Any:
    borne = ops.cast(ops.equal(labels, 1), "float32")
    return (1.0 - smoothing) * borne + 0.5 * smoothing


LOSSES: dict[str, Loss] = {
    "cross_entropy": Loss(ONE_CLASS, lambda _: (), _cross_entropy, _cross_entropy_of_heads),
    "binary_cross_entropy": Loss(
        EACH_LABEL, lambda labels: (labels,), _binary_cross_entropy, _binary_cross_entropy_of_heads
    ),
}
