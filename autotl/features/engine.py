"""What computes the frozen part of a network. Keras is the reference; a faster engine must agree with it."""

from typing import Any, Protocol

import keras
import numpy as np
from numpy.typing import NDArray

from autotl.features.store import Tensors

LENGTH_STEP = 16  # sequences are cut to a multiple of it, so that few lengths have to be compiled


def ran_out_of_memory(error: BaseException) -> bool:
    """Whether this says that memory could not be had. Python and each backend have an error of their own for it."""
    return (
        isinstance(error, MemoryError)  # NumPy's too
        or type(error).__name__ in ("ResourceExhaustedError", "OutOfMemoryError")  # of TensorFlow, of torch on a GPU
        or any(words in str(error) for words in ("RESOURCE_EXHAUSTED", "can't allocate memory", "ALLOC_FAILED"))
    )


class UnfitEngineError(Exception):
    """An engine cannot compute this network, or computes something else than Keras; the message says which."""


class Engine(Protocol):
    """Computes one model, batch by batch."""

    batch_rows: int  # how many examples it computes fastest at once

    def __call__(self, tensors: Tensors) -> Tensors:
        """The model's outputs, each (n, ...), for its inputs, each (n, ...).

        Raises:
            UnfitEngineError: the model is not for this engine.
        """
        ...


class KerasEngine:
    """A compiled Keras graph, on whatever device Keras computes."""

    batch_rows = 64

    def __init__(self, model: keras.Model) -> None:
        self._model = model
        model.compile(jit_compile=uses_xla())

    def __call__(self, tensors: Tensors) -> Tensors:
        """The model's outputs, each (n, ...)."""
        outputs: Any = self._model.predict_on_batch(tensors[0] if len(tensors) == 1 else tensors)
        return [np.asarray(output) for output in (outputs if isinstance(outputs, list | tuple) else [outputs])]


def needed_length(token_ids: NDArray[Any], padding_id: int) -> int:
    """How many columns of sequences (n, length) hold more than padding, up to a multiple of 16."""
    longest = int((token_ids != padding_id).sum(axis=1).max(initial=1))
    return -(-longest // LENGTH_STEP) * LENGTH_STEP


def engine_name() -> str:
    """Backend and kind of device that Keras computes activations on."""
    backend: str = keras.backend.backend()
    return f"{backend}-{'gpu' if uses_gpu() else 'cpu'}"


def uses_gpu() -> bool:
    """Whether Keras's backend computes on a GPU."""
    if keras.backend.backend() == "torch":  # of which Keras lists no devices
        import torch

        return bool(torch.cuda.is_available())
    return any("gpu" in device.lower() or "cuda" in device.lower() for device in keras.distribution.list_devices())


def uses_xla() -> bool | str:
    """Keras decides on accelerators; off on a CPU, where depthwise convolutions ran 15 times slower with XLA."""
    return "auto" if keras.backend.backend() != "tensorflow" or uses_gpu() else False
