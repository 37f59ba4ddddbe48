"""Runs the SavedModel by TensorFlow: pip install tensorflow (and tensorflow-text where the model tokenizes)."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf


def load(folder: Path, described: dict[str, Any], threads: int | None) -> Callable[[Any], Any]:
    """Raw examples → probabilities, or numbers (n, 1).

    TensorFlow's threads are one pool a process, set before it computes anything.
    """
    if described["needs_tensorflow_text"]:
        import tensorflow_text  # noqa: F401 - its operations are in the graph
    signature = tf.saved_model.load(str(folder / "saved_model")).signatures["serving_default"]
    names: dict[str, str] = described["inputs"]

    def run(examples: list[Any]) -> Any:
        if described["modality"] == "table":
            inputs = {name: tf.constant([row[column] for row in examples]) for column, name in names.items()}
        elif described["modality"] == "signal":
            inputs = {next(iter(names.values())): tf.constant(np.stack(examples))}
        else:
            inputs = {next(iter(names.values())): tf.constant(examples)}
        return signature(**inputs)[described["output"]].numpy()

    return run
