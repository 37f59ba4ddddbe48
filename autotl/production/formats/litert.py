"""LiteRT (once TensorFlow Lite): one `.tflite` file for telephones, browsers and boards."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from autotl.errors import UsageError
from autotl.production.exportable import Exportable, Kind
from autotl.production.formats.format import (
    COUNTS_WORDS,
    NO_NETWORK,
    ON_TORCH,
    WITHOUT_TENSORFLOW,
    Beside,
    preprocess_of,
)

FILE = "model.tflite"


class LiteRT:
    """In float32, of LiteRT's own operations alone, so that it runs where no TensorFlow is."""

    packages: tuple[str, ...] = ()
    extra = ""
    not_held: Mapping[Kind, str] = {
        "words": COUNTS_WORDS,
        "trees": NO_NETWORK,
        "encoder": ON_TORCH,
        "native words": WITHOUT_TENSORFLOW,
    }

    def beside(self, model: Exportable) -> Beside:
        """The tensor's own preprocessing."""
        return Beside(preprocess_of(model), "litert")

    def write(self, model: Exportable, folder: Path) -> dict[str, Any]:
        """Converts the model behind its preprocessing.

        Raises:
            UsageError: LiteRT has no operation for a layer of it.
        """
        _convert(model, folder / FILE, {})
        return {}


class LiteRTInt8(LiteRT):
    """Weights and activations of 8 bits, after training; of language networks the weights alone.

    Ranges of activations are those seen on calibration examples (Jacob et al., CVPR 2018, arXiv:1712.05877). Attention
    masks what is padding with numbers so large that eight bits tell nothing else apart: MiniLM in eight bits throughout
    said of 45 % of reviews what it says in float32. What LiteRT has no 8-bit operation for stays float32; so do input
    and output.
    """

    def __init__(self, calibration: NDArray[Any]) -> None:
        self._calibration = calibration  # the model's input for representative examples, (n, ...)

    def write(self, model: Exportable, folder: Path) -> dict[str, Any]:
        """Converts and quantizes the model behind its preprocessing."""
        import tensorflow as tf

        def representative() -> Iterator[list[NDArray[Any]]]:
            for row in range(len(self._calibration)):
                yield [self._calibration[row : row + 1]]

        settings: dict[str, Any] = {"optimizations": [tf.lite.Optimize.DEFAULT]}
        if model.kind != "language network":
            settings["representative_dataset"] = representative
        _convert(model, folder / FILE, settings)
        return {"quantized": "int8"}


def _convert(model: Exportable, path: Path, settings: Mapping[str, Any]) -> None:
    import tensorflow as tf

    own = {"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS]}
    try:
        model.tensor_model().export(path, format="litert", verbose=False, target_spec=own, **settings)
    except Exception as error:  # the converter knows no error of its own
        raise UsageError(f"LiteRT cannot hold this model: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    told = next((line for line in lines if "not supported" in line or "custom op" in line), lines[0] if lines else "")
    return f"{(told or type(error).__name__)[:300].rstrip('.')}."
