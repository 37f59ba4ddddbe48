"""The model that a trial trains: stored features in, trainable backbone layers, head, logits out."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from autotl.data.examples import UNKNOWN
from autotl.plan import Choice


class AdjustableDropout(keras.layers.Layer):
    """Dropout whose rate is a variable, so that plans with different rates share one compiled step."""

    def __init__(self, *, seed: int, name: str = "dropout") -> None:
        super().__init__(name=name)
        self.rate = self.add_weight(shape=(), initializer="zeros", trainable=False, name="rate")
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Inputs of any shape, unchanged unless training."""
        if not training:
            return inputs
        rate = ops.cast(self.rate, inputs.dtype)
        kept = keras.random.uniform(ops.shape(inputs), dtype=inputs.dtype, seed=self.seed_generator) >= rate
        return ops.where(kept, inputs / (1.0 - rate), ops.zeros_like(inputs))


class TransferModel(keras.Model):
    """Suffix, dropout and head. `call` returns pooled features (n, d) and logits (n, classes).

    Args:
        joined: how many numbers from elsewhere the head sees beside the features, (n, joined), the last of the inputs.

    The suffix always runs in inference mode: an unfrozen batch-norm trains gamma and beta but keeps its pretrained
    statistics, or a few hundred images would overwrite what a million had taught it.
    """

    def __init__(self, suffix: keras.Model, *, head: Choice, classes: int, seed: int, joined: int = 0) -> None:
        super().__init__(name="transfer_model")
        self.suffix = suffix
        self.joined = joined
        self.dropout = AdjustableDropout(seed=seed)
        self.head = head_layers(head, classes=classes)
        self.label_smoothing = self.add_weight(shape=(), initializer="zeros", trainable=False, name="label_smoothing")
        self.class_weights = self.add_weight(
            shape=(classes,), initializer="ones", trainable=False, name="class_weights"
        )

    def call(self, inputs: Any, training: bool = False) -> dict[str, Any]:
        """Crossing tensors of the cut, each (n, ...), and what is joined."""
        tensors = list(inputs) if isinstance(inputs, list | tuple) else [inputs]
        beside = [tensors.pop()] if self.joined else []
        features = self.suffix(tensors[0] if len(tensors) == 1 else tensors, training=False)
        seen = self.dropout(features, training=training)
        return {"features": features, "logits": logits_of(self.head, seen, beside)}

    def compute_loss(
        self,
        x: Any = None,  # noqa: ARG002 - Keras's interface
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,  # noqa: ARG002
        training: bool = True,  # noqa: ARG002
    ) -> Any:
        """Weighted cross-entropy with label smoothing over the examples whose label is known.

        Args:
            y: class index per example, shape (n,); UNKNOWN where there is no label.
            y_pred: what `call` returned.
        Returns:
            Scalar; the mean over known labels, each weighted by its class.
        """
        known = ops.cast(ops.not_equal(y, UNKNOWN), "float32")
        label = ops.maximum(y, 0)
        log_probabilities = ops.log_softmax(ops.cast(y_pred["logits"], "float32"), axis=-1)
        of_label = ops.take_along_axis(log_probabilities, ops.expand_dims(label, -1), axis=-1)[:, 0]
        smoothed = (1.0 - self.label_smoothing) * of_label + self.label_smoothing * ops.mean(log_probabilities, axis=-1)
        weight = known * ops.take(self.class_weights, label)
        return -ops.sum(weight * smoothed) / ops.maximum(ops.sum(weight), 1e-7)


def logits_of(head: Sequence[keras.layers.Layer], features: Any, beside: Sequence[Any] = ()) -> Any:
    """What a head makes of features (n, d); its last layer also sees what stands beside them, (n, joined)."""
    for layer in head[:-1]:
        features = layer(features)
    return head[-1](ops.concatenate([features, *beside], axis=-1) if beside else features)


def head_layers(head: Choice, *, classes: int) -> list[keras.layers.Layer]:
    """Plain Keras layers from pooled features to logits; the exported model has the same ones."""
    layers: list[keras.layers.Layer] = []
    if head.name == "hidden":
        layers.append(keras.layers.Dense(int(head.parameters["units"]), activation="relu", name="head_hidden"))
    layers.append(keras.layers.Dense(classes, name="head_logits"))
    return layers
