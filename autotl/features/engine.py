"""What computes a prefix. Keras is the reference; a faster engine must agree with it."""

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from autotl.backbones.cut import Crossing, Division
from autotl.data.examples import Inputs, Rows, View
from autotl.features.store import Tensors

LENGTH_STEP = 16  # sequences are cut to a multiple of it, so that few lengths have to be compiled


class KerasPrefix:
    """The frozen part of a divided network as a compiled Keras graph, batch by batch."""

    def __init__(self, division: Division) -> None:
        self._division = division
        self._reading = division.network.reading
        self._has_sequences = division.network.form.sequence_length is not None
        self._model = division.prefix
        if not division.stores_inputs and not self._model.compiled:
            self._model.compile(jit_compile=uses_xla())

    @property
    def digest(self) -> str:
        """Names what is computed, and by what: another backend or device computes slightly other numbers."""
        if not self._division.stores_inputs:
            return f"{engine_name()}-{self._division.digest}"
        sizes = "x".join(str(size) for size in self._division.network.example_shape)
        return "-".join(filter(None, (self._division.place, sizes, self._reading.digest)))

    def read(self, inputs: Inputs, rows: Rows, view: View) -> NDArray[Any]:
        """These examples as the network takes them, (len(rows), ...)."""
        return self._reading(inputs, rows, view=view)

    def order(self, examples: NDArray[Any]) -> Rows:
        """Sequences by their length, other examples as they come."""
        if not self._has_sequences:
            return np.arange(len(examples))
        return np.argsort((examples != self._division.padding_id).sum(axis=1), kind="stable")

    def __call__(self, examples: NDArray[Any]) -> Tensors:
        """Crossing tensors, each (n, ...), of n examples; sequences are padded to their full length again."""
        if self._division.stores_inputs:
            return [examples]
        if self._has_sequences:
            examples = examples[:, : needed_length(examples, self._division.padding_id)]
        crossing: Any = self._model.predict_on_batch(examples)
        tensors = [np.asarray(tensor) for tensor in (crossing if isinstance(crossing, list | tuple) else [crossing])]
        tokens_at, padding_id = self._division.tokens_at, self._division.padding_id
        return [
            _padded(tensor, like, padding_id if place == tokens_at else 0)
            for place, (tensor, like) in enumerate(zip(tensors, self._division.crossing, strict=True))
        ]


def needed_length(token_ids: NDArray[Any], padding_id: int) -> int:
    """How many columns of sequences (n, length) hold more than padding, up to a multiple of 16."""
    longest = int((token_ids != padding_id).sum(axis=1).max(initial=1))
    return -(-longest // LENGTH_STEP) * LENGTH_STEP


def _padded(tensor: NDArray[Any], like: Crossing, value: int) -> NDArray[Any]:
    if tensor.shape[1:] == like.shape:
        return tensor
    missing = like.shape[0] - tensor.shape[1]
    return np.pad(tensor, [(0, 0), (0, missing), *([(0, 0)] * (tensor.ndim - 2))], constant_values=value)


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
