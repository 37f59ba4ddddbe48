"""Runs the .tflite file by LiteRT: pip install ai-edge-litert (TensorFlow has the same interpreter inside)."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

try:
    from ai_edge_litert.interpreter import Interpreter
except ImportError:
    import tensorflow

    Interpreter = tensorflow.lite.Interpreter


def load(folder: Path, described: dict[str, Any], threads: int | None) -> Callable[[Any], Any]:
    """The model's input (n, ...) → probabilities, or numbers (n, 1)."""
    interpreter = Interpreter(str(folder / "model.tflite"), num_threads=threads)
    place, out = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
    interpreter.allocate_tensors()
    sizes = [interpreter.get_input_details()[0]["shape"][0]]

    def run(tensor: Any) -> Any:
        if sizes[0] != len(tensor):
            interpreter.resize_tensor_input(place, tensor.shape)
            interpreter.allocate_tensors()
            sizes[0] = len(tensor)
        interpreter.set_tensor(place, tensor)
        interpreter.invoke()
        return interpreter.get_tensor(out)

    return run
