"""What computes a prefix. Keras is the reference; a faster engine must agree with it."""

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from autotl.backbones.cut import Division
from autotl.features.store import Tensors

PIXELS = "pixels"  # the place of a cut before the first layer: nothing is computed, decoded images are stored


class KerasPrefix:
    """The frozen part of a divided network as a compiled Keras graph, batch by batch."""

    def __init__(self, division: Division, image_size: int) -> None:
        self.image_size = image_size
        self._is_pixels = division.place == PIXELS
        # another backend or device computes slightly other numbers, and must not meet these blocks
        self.digest = f"{PIXELS}-{image_size}" if self._is_pixels else f"{engine_name()}-{division.digest}"
        self._model = division.prefix
        if not self._is_pixels and not self._model.compiled:
            self._model.compile(jit_compile=uses_xla())

    def __call__(self, pixels: NDArray[np.uint8]) -> Tensors:
        """Crossing tensors, each (n, ...), of pixels (n, image_size, image_size, 3)."""
        if self._is_pixels:
            return [pixels]
        crossing: Any = self._model.predict_on_batch(pixels)
        return [np.asarray(tensor) for tensor in (crossing if isinstance(crossing, list | tuple) else [crossing])]


def engine_name() -> str:
    """Backend and kind of device that activations are computed on."""
    backend: str = keras.backend.backend()
    return f"{backend}-{'gpu' if uses_gpu() else 'cpu'}"


def uses_gpu() -> bool:
    """Whether Keras's backend computes on a GPU."""
    return any("gpu" in device.lower() or "cuda" in device.lower() for device in keras.distribution.list_devices())


def uses_xla() -> bool | str:
    """Keras decides on accelerators; off on a CPU, where depthwise convolutions ran 15 times slower with XLA."""
    return "auto" if keras.backend.backend() != "tensorflow" or uses_gpu() else False
