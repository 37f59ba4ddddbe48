"""Runs the .xml and .bin files by OpenVINO: pip install openvino."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any


def load(folder: Path, described: dict[str, Any], threads: int | None) -> Callable[[Any], Any]:
    """The model's input (n, ...) → probabilities, or numbers (n, 1); in float32, whatever the CPU likes better."""
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type] # nothing is sent anywhere
    import openvino

    settings = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
    limit = {} if threads is None else {"INFERENCE_NUM_THREADS": threads}
    model = openvino.Core().compile_model(str(folder / "model.xml"), "CPU", {**settings, **limit})
    request = model.create_infer_request()
    return lambda tensor: request.infer([tensor], share_inputs=False)[0].copy()
