"""Runs the .onnx file by ONNX Runtime: pip install onnxruntime."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnxruntime


def load(folder: Path, described: dict[str, Any], threads: int | None) -> Callable[[Any], Any]:
    """The model's input (n, ...) → probabilities, or numbers (n, 1)."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or 0
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda tensor: session.run([described["output"]], {name: tensor})[0]
