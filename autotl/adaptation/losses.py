"""What the losses of several methods are made of: how unsure predictions are, and how far from pseudo-labels.

All of it is computed in float32 from logits, so that it stays finite for predictions that are certain.
"""

from typing import Any

from autotl.data.examples import UNKNOWN

LEAST_SHARE = 1e-30  # of a class in the mean prediction, where its logarithm is taken; float32 reaches 1e-38


def log_probabilities(logits: Any) -> Any:
    """(b, classes) logarithms of the softmax, float32."""
    from keras import ops

    return ops.log_softmax(ops.cast(logits, "float32"), axis=-1)


def entropies(log_probabilities: Any) -> Any:
    """(b,) entropy of every prediction, in nats, 0 to log(classes)."""
    from keras import ops

    return -ops.sum(ops.exp(log_probabilities) * log_probabilities, axis=-1)


def entropy_of_the_mean(log_probabilities: Any) -> Any:
    """Scalar: entropy of the mean prediction of a batch, in nats, 0 to log(classes)."""
    from keras import ops

    shares = ops.mean(ops.exp(log_probabilities), axis=0)
    return -ops.sum(shares * ops.log(ops.maximum(shares, LEAST_SHARE)))


def pseudo_label_loss(logits: Any, labels: Any) -> Any:
    """Scalar: cross-entropy summed over the examples that have a label and divided by the size of the whole batch.

    So a batch with few labels weighs little, and one without any costs 0 (FixMatch eq. 4, arXiv:2001.07685).

    Args:
        logits: (b, classes).
        labels: (b,) int, UNKNOWN where there is none.
    """
    from keras import ops

    labels = ops.cast(labels, "int32")
    known = ops.not_equal(labels, UNKNOWN)
    costs = ops.sparse_categorical_crossentropy(
        ops.where(known, labels, 0), ops.cast(logits, "float32"), from_logits=True
    )
    return ops.mean(ops.where(known, costs, 0.0))
