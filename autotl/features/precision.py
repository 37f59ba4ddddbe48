"""In which precision frozen layers are computed, and whether this machine can. Imports no Keras."""

import importlib.util
import sys
from functools import cache
from typing import Any, Literal

from autotl.errors import EnvironmentProblemError

ComputePrecision = Literal["float32", "bfloat16"]

PACKAGE = "openvino"


def openvino_is_installed() -> bool:
    """Whether the package is there; it is not imported."""
    return importlib.util.find_spec(PACKAGE) is not None


def check_precision(precision: ComputePrecision, *, where: str) -> None:
    """Refuses a precision that this machine cannot compute in.

    Args:
        where: the place in the task that asks for it, the beginning of the message.
    Raises:
        EnvironmentProblemError: OpenVINO or the CPU's instructions are missing.
    """
    if precision == "float32":
        return
    if not openvino_is_installed():
        raise EnvironmentProblemError(
            f"{where}: {precision} needs OpenVINO: pip install 'autotl[openvino]'. Or write float32."
        )
    if "BF16" not in openvino_core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        raise EnvironmentProblemError(
            f"{where}: this CPU has no {precision} instructions (AVX512_BF16 or AMX). Write float32."
        )


def import_openvino() -> Any:
    """The package without the one that tells its makers of every import and conversion: nothing is sent anywhere."""
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    return openvino


@cache
def openvino_core() -> Any:
    """OpenVINO's entry, one a process."""
    return import_openvino().Core()
