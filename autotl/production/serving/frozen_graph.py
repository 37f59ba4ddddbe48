"""A Keras model's graph with its weights as constants: traced once for batches of any size.

Calling a Keras model costs milliseconds beside its arithmetic: for a small network as much as the network itself.
"""

import logging
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from autotl.production.serving_model import KerasServing

TOLERANCE = 1e-4  # of a probability; the same arithmetic in another order differs by about 1e-7

Predict = Callable[[NDArray[Any]], NDArray[np.float32]]

_log = logging.getLogger(__name__)


def frozen(serving: KerasServing, example: NDArray[Any]) -> Predict:
    """What predicts as `serving.predict` does: its frozen graph where TensorFlow computes and both agree, else itself.

    Args:
        example: a batch as the reading gives it, to compare both on.
    """
    if keras.backend.backend() != "tensorflow":
        return serving.predict
    try:
        predict = _frozen_by_tensorflow(serving.model)
        apart = float(np.abs(predict(example) - serving.predict(example)).max())
    except Exception as error:  # a graph that cannot be frozen, such as one with a table of words, is served as it is
        _log.info("the model is served unfrozen: %s", error)
        return serving.predict
    return predict if apart <= TOLERANCE else serving.predict


def _frozen_by_tensorflow(model: keras.Model) -> Predict:
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    given = model.inputs[0]
    like = tf.TensorSpec((None, *given.shape[1:]), given.dtype)
    traced = tf.function(lambda batch: model(batch, training=False), input_signature=[like], jit_compile=False)
    graph = convert_variables_to_constants_v2(traced.get_concrete_function())

    def predict(batch: NDArray[Any]) -> NDArray[np.float32]:
        tensor = tf.constant(batch.tolist() if batch.dtype == object else batch, dtype=given.dtype)
        return np.asarray(graph(tensor)[0], dtype=np.float32)

    return predict
