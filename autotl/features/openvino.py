"""OpenVINO as the engine of frozen networks on a CPU; the extra `[openvino]` brings it.

It is a different compiler of the same network: float32 agrees with Keras to about 4e-6 of the largest activation. That
is checked on the first batch of every network, and one that does not agree is computed by Keras. So is one whose
inputs have no fixed shape: sentences of MiniLM came out right in one batch and as infinities in the next. bfloat16 is
twice as fast again where the CPU has its instructions, and off by several per cent, so it is used only where it is
asked for.
"""

import os
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from autotl.errors import first_line
from autotl.features.engine import UnfitEngineError
from autotl.features.precision import ComputePrecision, import_openvino, openvino_core
from autotl.features.store import Tensors

LARGEST_RELATIVE_ERROR = 1e-4  # in float32, of a tensor, against its largest magnitude
SMALLEST_COSINE = 0.95  # in bfloat16, of a tensor; EfficientNet-Lite0 has 0.997
SHORT_NAMES = {"float32": "f32", "bfloat16": "bf16"}  # as OpenVINO says


class OpenVinoEngine:
    """A Keras model on TensorFlow, converted and compiled at its first batch, with the weights it has then."""

    batch_rows = 16  # measured: up to a quarter faster than 64, whose activations leave the cache

    def __init__(self, model: keras.Model, precision: ComputePrecision) -> None:
        self._model = model
        self._precision: ComputePrecision = precision
        self._request: Any = None
        self._places: list[int] = []  # of the model's outputs among OpenVINO's, which follow their names' letters

    def __call__(self, tensors: Tensors) -> Tensors:
        """The model's outputs, each (n, ...)."""
        if self._request is None:
            reference, converted = self._converted()
            self._places = _places_of(reference.outputs, converted.outputs)
            self._request = _compiled(converted, self._precision).create_infer_request()
            self._compare(tensors, reference)
        results = self._infer(tensors)
        if not all(np.isfinite(result).all() for result in results if np.issubdtype(result.dtype, np.floating)):
            raise UnfitEngineError("OpenVINO computes numbers that are not finite")
        return results

    def _infer(self, tensors: Tensors) -> Tensors:
        """Calls one after the other, nothing shared: with shared inputs OpenVINO once wrote into its caller's array."""
        try:
            results = self._request.infer([np.ascontiguousarray(tensor) for tensor in tensors], share_inputs=False)
        except RuntimeError as error:
            raise UnfitEngineError(f"OpenVINO cannot run it ({first_line(error)})") from error
        return [np.array(results[place]) for place in self._places]

    def _converted(self) -> tuple[Any, Any]:
        """The network as a TensorFlow function, and what OpenVINO makes of it."""
        import tensorflow as tf

        if has_free_length(self._model):
            raise UnfitEngineError("its sequences have no fixed length")
        inputs = [tf.TensorSpec(tuple(tensor.shape), tensor.dtype) for tensor in self._model.inputs]
        model = self._model

        def call(*tensors: Any) -> list[Any]:
            outputs: Any = model(list(tensors) if len(tensors) > 1 else tensors[0], training=False)
            # an input that crosses as it is would not be an output of its own
            return [tf.identity(output) for output in keras.tree.flatten(outputs)]

        try:
            traced = tf.function(call, autograph=False, jit_compile=False).get_concrete_function(*inputs)
            return traced, import_openvino().convert_model(traced)
        except Exception as error:  # the converter knows no error of its own
            raise UnfitEngineError(f"OpenVINO cannot convert it ({first_line(error)})") from error

    def _compare(self, tensors: Tensors, reference: Any) -> None:
        """Holds the first batch against Keras."""
        import tensorflow as tf

        expected = [output.numpy() for output in reference(*(tf.constant(tensor) for tensor in tensors))]
        for seen, wanted in zip(self._infer(tensors), expected, strict=True):
            why = _difference(seen, wanted, self._precision)
            if why is not None:
                raise UnfitEngineError(f"OpenVINO in {self._precision} computes something else than Keras ({why})")


def _places_of(wanted: Sequence[Any], given: Sequence[Any]) -> list[int]:
    """Where each output of a TensorFlow function stands among those of what it was converted to."""
    place_of = {name: place for place, output in enumerate(given) for name in output.get_names()}
    if not all(output.name in place_of for output in wanted):
        raise UnfitEngineError("OpenVINO names its outputs otherwise")
    return [place_of[output.name] for output in wanted]


def has_free_length(model: keras.Model) -> bool:
    """Whether an example's inputs have no fixed shape, as sentences have none."""
    return any(size is None for tensor in model.inputs for size in tensor.shape[1:])


def _difference(seen: NDArray[Any], wanted: NDArray[Any], precision: ComputePrecision) -> str | None:
    """Why an output is not the one that Keras gives; None where it is."""
    if seen.shape != wanted.shape or seen.dtype != wanted.dtype:
        return f"{seen.dtype} {seen.shape} instead of {wanted.dtype} {wanted.shape}"
    if not np.issubdtype(wanted.dtype, np.floating):
        return None if np.array_equal(seen, wanted) else "other whole numbers"
    if precision == "float32":
        error = float(np.abs(seen - wanted).max(initial=0.0)) / max(float(np.abs(wanted).max(initial=0.0)), 1e-30)
        return None if error <= LARGEST_RELATIVE_ERROR else f"it differs by {error:.1e} of the largest activation"
    lengths = float(np.linalg.norm(seen)) * float(np.linalg.norm(wanted))
    cosine = float(np.vdot(seen, wanted)) / max(lengths, 1e-30)
    return None if cosine >= SMALLEST_COSINE else f"cosine similarity {cosine:.2f}"


def _compiled(model: Any, precision: ComputePrecision) -> Any:
    settings = {
        "INFERENCE_PRECISION_HINT": SHORT_NAMES[precision],
        "PERFORMANCE_HINT": "LATENCY",  # one batch at a time by all threads
        "INFERENCE_NUM_THREADS": _threads(),
        "ENABLE_CPU_PINNING": False,  # two workers would be pinned to the same core
    }
    try:
        return openvino_core().compile_model(model, "CPU", settings)
    except RuntimeError as error:
        raise UnfitEngineError(f"OpenVINO cannot compile it ({first_line(error)})") from error


def _threads() -> int:
    """As many as the worker has cores, which it says by the variable that TensorFlow's own libraries read."""
    told = os.environ.get("OMP_NUM_THREADS", "")
    if told.isdecimal() and int(told) > 0:
        return int(told)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
