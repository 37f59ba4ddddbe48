"""Batches of two domains that differ, and what a joint loss makes of them: its value and its gradients."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, NDArray[np.float64]]


def two_domains(seed: int = 0, rows: int = 6, width: int = 5, classes: int = 3) -> Arrays:
    """Features and logits by the names that `JointBatch` uses; the target is shifted, stretched and less certain."""
    random = np.random.default_rng(seed)
    return {
        "source_features": random.normal(size=(rows, width)),
        "target_features": random.normal(0.7, 1.6, size=(rows, width)),
        "source_logits": random.normal(scale=2.0, size=(rows, classes)),
        "target_logits": random.normal(size=(rows, classes)),
    }


def values_of(method: Any, *, ramp: float = 1.0, **changed: Any) -> dict[str, Any]:
    """The method's defaults, some of them changed, and the ramp."""
    return {**method.defaults, **changed, "ramp": ramp}


def batch_of(arrays: Mapping[str, Any], *, dtype: str = "float32", activation: str = "softmax") -> Any:
    """The arrays as a batch of tensors; labels are unknown."""
    from keras import ops

    from autotl.adaptation.method import JointBatch

    unknown = -ops.ones_like(ops.convert_to_tensor(arrays["source_logits"])[:, 0], dtype="int32")
    tensors = {name: ops.convert_to_tensor(array, dtype=dtype) for name, array in arrays.items()}
    return JointBatch(**tensors, source_labels=unknown, target_labels=unknown, activation=activation)


def loss_of(
    method: Any,
    arrays: Mapping[str, Any],
    networks: Sequence[Any] = (),
    *,
    activation: str = "softmax",
    **changed: Any,
) -> float:
    """The method's loss at its defaults, but for what is changed."""
    return float(method.loss(batch_of(arrays, activation=activation), networks, values_of(method, **changed)))


def gradients_of(
    method: Any, arrays: Mapping[str, Any], networks: Sequence[Any] = (), *, dtype: str = "float32", **changed: Any
) -> Arrays:
    """Derivatives of that loss by the features and logits of both domains; zeros where nothing arrives."""
    import tensorflow as tf

    places = {name: tf.constant(array, dtype=dtype) for name, array in arrays.items()}
    with tf.GradientTape() as tape:
        tape.watch(places)
        value = method.loss(batch_of(places, dtype=dtype), networks, values_of(method, **changed))
    found = tape.gradient(value, places, unconnected_gradients="zero")
    return {name: gradient.numpy().astype(np.float64) for name, gradient in found.items()}
