"""TensorFlow's SavedModel: raw files go in, as bytes, strings or cells, so that whoever serves it needs no reader."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from autotl.backbones.reading import ColumnReading, PixelReading, SampleReading
from autotl.errors import UsageError
from autotl.production.bundle import Bundle
from autotl.production.exportable import Exportable, Kind
from autotl.production.formats.format import NO_NETWORK, ON_TORCH, WITHOUT_TENSORFLOW, Beside

FOLDER = "saved_model"
SIGNATURE = "serving_default"


class SavedModel:
    """Decoding, tokenizer or the table's schema inside; `probabilities` (n, classes) and `label` (n,) come out, of
    several labels in its place `said` (n, labels), whether each reaches its threshold; of numbers `number` (n, 1)."""

    packages: tuple[str, ...] = ()
    extra = ""
    not_held: Mapping[Kind, str] = {"trees": NO_NETWORK, "encoder": ON_TORCH, "native words": WITHOUT_TENSORFLOW}

    def beside(self, model: Exportable) -> Beside:  # noqa: ARG002
        """Raw examples go in."""
        return Beside("raw", "saved_model")

    def write(self, model: Exportable, folder: Path) -> dict[str, Any]:
        """Writes the graph; tells the names of its inputs, by column for tables.

        Raises:
            UsageError: TensorFlow has no operation for its preprocessing.
        """
        import tensorflow as tf

        prepare, inputs = _raw_inputs(model)
        network, decide = model.keras_model, DECISIONS[model.bundle.problem.name](model.bundle)

        def serve(*raw: Any) -> dict[str, Any]:
            said = network(prepare(*raw), training=False)
            return {model.answers.output: said, **decide(said)}

        served = tf.Module()  # Keras's own archive would hold every weight twice
        served.network = network
        served.serve = tf.function(serve, input_signature=list(inputs.values()), autograph=False)
        tf.saved_model.save(served, str(folder / FOLDER), signatures={SIGNATURE: served.serve})
        return {
            "inputs": {column: spec.name for column, spec in inputs.items()},
            "needs_tensorflow_text": model.has_tokenizer,
        }


def _label(bundle: Bundle) -> Callable[[Any], dict[str, Any]]:
    import tensorflow as tf

    names = tf.constant(bundle.classes)
    return lambda probabilities: {"label": tf.gather(names, tf.argmax(probabilities, axis=-1))}


def _said(bundle: Bundle) -> Callable[[Any], dict[str, Any]]:
    import tensorflow as tf

    thresholds = tf.constant(bundle.description["thresholds"], tf.float32)
    return lambda probabilities: {"said": probabilities >= thresholds}


def _nothing(bundle: Bundle) -> Callable[[Any], dict[str, Any]]:  # noqa: ARG001 - one interface
    return lambda _: {}


# By a problem's name: what else a graph tells, of its answers.
DECISIONS: Mapping[str, Callable[[Bundle], Callable[[Any], dict[str, Any]]]] = {
    "classification": _label,
    "multilabel": _said,
    "regression": _nothing,
}


def _raw_inputs(model: Exportable) -> tuple[Callable[..., Any], dict[str, Any]]:
    """What makes the network's input of raw tensors, and these tensors by the name of what goes in."""
    import tensorflow as tf

    reading = model.bundle.reading
    if isinstance(reading, PixelReading):
        from autotl.production.formats.image_graph import square

        if reading.crop != "none":
            raise UsageError(
                "this model looks at the square around an image's content (crop: content), which the graph of a "
                "SavedModel does not find."
            )
        size = reading.size

        def decode(image_bytes: Any) -> Any:
            squares = tf.TensorSpec((size, size, 3), tf.uint8)
            return tf.map_fn(lambda content: square(content, size), image_bytes, fn_output_signature=squares)

        # TensorFlow Serving takes base64 in JSON for inputs whose name ends so
        return decode, {"image": tf.TensorSpec((None,), tf.string, name="image_bytes")}
    if isinstance(reading, ColumnReading):
        from autotl.production.formats.column_graph import columns_graph

        names = input_names([column.name for column in reading.schema.columns])
        specs = {column: tf.TensorSpec((None,), tf.string, name=name) for column, name in names.items()}
        return columns_graph(reading.schema), specs
    if isinstance(reading, SampleReading):
        return (lambda window: window), {"window": tf.TensorSpec((None, *reading.window), tf.float32, name="window")}
    return (lambda text: text), {"text": tf.TensorSpec((None,), tf.string, name="text")}


def input_names(columns: list[str]) -> dict[str, str]:
    """Column → a name that TensorFlow allows, each once: `Torque [Nm]` is `torque_nm`."""
    found: dict[str, str] = {}
    for column in columns:
        plain = re.sub(r"[^a-z0-9]+", "_", column.lower()).strip("_") or "column"
        name = plain if plain[0].isalpha() else f"column_{plain}"
        taken = set(found.values())
        found[column] = (
            name
            if name not in taken
            else next(
                numbered for number in range(2, len(columns) + 2) if (numbered := f"{name}_{number}") not in taken
            )
        )
    return found
