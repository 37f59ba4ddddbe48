"""The winner as one Keras model: decoded pixels in, calibrated probabilities out, no class of ours inside."""

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from autotl.backbones.network import Network
from autotl.features.engine import uses_xla
from autotl.trial.trainer import Trainer


def serving_model(trainer: Trainer, *, temperature: float) -> keras.Model:
    """Preprocessing, backbone, head and temperature in one graph.

    Args:
        trainer: with the trained weights loaded.
        temperature: logits are divided by it (Guo et al., ICML 2017, arXiv:1706.04599); 1 leaves them alone.
    Returns:
        uint8 RGB images (n, size, size, 3) -> probabilities (n, classes).
    """
    network: Network = trainer.network
    logits: Any = network.whole.outputs[0]
    for layer in trainer.model.head:
        logits = layer(logits)
    scaled = keras.layers.Rescaling(1.0 / temperature, name="temperature")(logits)
    probabilities = keras.layers.Softmax(dtype="float32", name="probabilities")(scaled)
    return compiled(keras.Model(network.whole.inputs[0], probabilities, name="winner"))


def compiled(model: keras.Model) -> keras.Model:
    """The model ready to predict by a compiled graph."""
    model.compile(jit_compile=uses_xla())
    return model


def predict_in_batches(model: keras.Model, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Probabilities (n, classes) of one batch of decoded images."""
    return np.asarray(model.predict_on_batch(pixels), dtype=np.float32)
