"""OpenVINO: `model.xml` and `model.bin` for Intel processors; the extra `[openvino]` writes it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autotl.errors import UsageError, in_one_line
from autotl.features.precision import import_openvino
from autotl.production.exportable import Exportable, Kind
from autotl.production.formats.format import (
    COUNTS_WORDS,
    NO_NETWORK,
    ON_TORCH,
    WITHOUT_TENSORFLOW,
    Beside,
    preprocess_of,
)

FILE = "model.xml"


class OpenVino:
    """In float32: what a processor does in bfloat16 by itself is the reader's choice, not the file's."""

    packages: tuple[str, ...] = ("openvino",)
    extra = "openvino"
    not_held: Mapping[Kind, str] = {
        "words": COUNTS_WORDS,
        "trees": NO_NETWORK,
        "encoder": ON_TORCH,
        "native words": WITHOUT_TENSORFLOW,
    }

    def beside(self, model: Exportable) -> Beside:
        """The tensor's own preprocessing."""
        return Beside(preprocess_of(model), "openvino")

    def write(self, model: Exportable, folder: Path) -> dict[str, Any]:
        """Converts the model behind its preprocessing.

        Raises:
            UsageError: OpenVINO has no operation for a layer of it.
        """
        import_openvino()  # before Keras does, with the package that tells its makers of every conversion
        try:
            model.tensor_model().export(str(folder / FILE), format="openvino", verbose=False)
        except Exception as error:  # the converter knows no error of its own
            raise UsageError(f"OpenVINO cannot hold this model: {in_one_line(error).rstrip('.')}.") from error
        return {}
