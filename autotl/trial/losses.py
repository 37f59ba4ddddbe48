"""What a head learns by, by what is learnt: `LOSSES` is keyed by `Problem.loss_for`.

A loss is written once for a batch of one model, and once more for many linear heads side by side, whose gradient is
known and costs less than what differentiating would.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import ops

from autotl.data.examples import UNKNOWN, Labels, unknown_labels
from autotl.trial.links import A_NUMBER, EACH_LABEL, ONE_CLASS, Link
from autotl.trial.units import Unit, of_classes, of_numbers

HUBER_BEND = 0.5  # deviations of the labels
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
        label_type: of labels in a batch.
        unit_of: of the labels that a model trains on, in which they and its answers are told while it does.
    """

    link: Link
    label_shape: Callable[[int], tuple[int, ...]]
    of_batch: Callable[[Any, Any, Any, Any, Any], Any]
    of_heads: Callable[[Any, Any, Any, Any, Any], tuple[Any, Any]]
    label_type: str = "int32"
    unit_of: Callable[[Labels], Unit] = of_classes

    def no_labels(self, *shape: int, classes: int) -> Labels:
        """Labels of so many examples, all unknown."""
        like = np.empty((0, *shape[1:], *self.label_shape(classes)), dtype=self.label_type)
        return unknown_labels(shape[0], like=like)


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


def _of_numbers(
    error_and_slope: Callable[[Any], tuple[Any, Any]],
) -> tuple[Callable[..., Any], Callable[..., tuple[Any, Any]]]:
    """A loss of the distance between what is said and the number, as `of_batch` and `of_heads`.

    Args:
        error_and_slope: distances → the loss of each and its derivative.
    """

    def weighed(logits: Any, labels: Any, weights: Any) -> tuple[Any, Any, Any]:
        known = ops.logical_not(ops.isnan(labels))
        distances = ops.where(known, ops.squeeze(logits, -1) - ops.where(known, labels, 0.0), 0.0)
        weight = ops.cast(known, "float32") * ops.cast(weights, "float32")
        share = weight / ops.maximum(ops.sum(weight, axis=-1, keepdims=True), NO_WEIGHT)
        errors, slopes = error_and_slope(distances)
        return share, errors, slopes

    def of_batch(logits: Any, labels: Any, smoothing: Any, class_weights: Any, weights: Any) -> Any:  # noqa: ARG001
        share, errors, _ = weighed(logits, labels, ops.ones_like(logits[:, 0]) if weights is None else weights)
        return ops.sum(share * errors)

    def of_heads(
        logits: Any,
        labels: Any,
        smoothing: Any,  # noqa: ARG001
        class_weights: Any,  # noqa: ARG001
        weights: Any,
    ) -> tuple[Any, Any]:
        share, errors, slopes = weighed(logits, labels, weights)
        return ops.sum(share * errors, axis=-1), ops.expand_dims(share * slopes, -1)

    return of_batch, of_heads


def _squared(distances: Any) -> tuple[Any, Any]:
    return ops.square(distances), 2.0 * distances


def _huber(distances: Any) -> tuple[Any, Any]:
    """Squared near 0, straight from `HUBER_BEND` deviations on: large errors do not lead.

    Paper: Huber, "Robust estimation of a location parameter", Annals of Mathematical Statistics 1964.
    """
    within = ops.minimum(ops.abs(distances), HUBER_BEND)
    errors = 2.0 * within * (ops.abs(distances) - 0.5 * within)
    return errors, 2.0 * ops.clip(distances, -HUBER_BEND, HUBER_BEND)


LOSSES: dict[str, Loss] = {
    "cross_entropy": Loss(ONE_CLASS, lambda _: (), _cross_entropy, _cross_entropy_of_heads),
    "binary_cross_entropy": Loss(
        EACH_LABEL, lambda labels: (labels,), _binary_cross_entropy, _binary_cross_entropy_of_heads
    ),
    "squared_error": Loss(A_NUMBER, lambda _: (), *_of_numbers(_squared), label_type="float32", unit_of=of_numbers),
    "huber": Loss(A_NUMBER, lambda _: (), *_of_numbers(_huber), label_type="float32", unit_of=of_numbers),
}
