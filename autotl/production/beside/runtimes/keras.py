"""Runs the .keras file by Keras: pip install keras keras-hub tensorflow."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import keras_hub  # noqa: F401 - registers the layers that a model may have of it


def load(folder: Path, described: dict[str, Any], threads: int | None) -> Callable[[Any], Any]:
    """The model's input (n, ...) → probabilities, or numbers (n, 1). TensorFlow's threads are one pool a process."""
    model = keras.models.load_model(folder / "model.keras", compile=False, safe_mode=True)
    model.compile(jit_compile=False)

    def run(examples: Any) -> Any:
        batch = keras.ops.convert_to_tensor(examples) if isinstance(examples, list) else examples
        return model.predict_on_batch(batch)

    return run
