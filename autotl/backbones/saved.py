"""A user's own network: a `.keras` or `.h5` file, loaded in Keras's safe mode, or a SavedModel run as it is.

The model's own preprocessing is taken to be inside it: it is fed RGB pixels 0..255 as floats. A model that ends in a
classifier (a Dense, perhaps with its softmax as a layer of its own) is used up to the layer before.
"""

# ruff: noqa: ARG002  an origin need not use everything it is offered

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autotl.backbones.archive import check_model_file, read_keras_config
from autotl.backbones.form import Form, shape_taken
from autotl.backbones.layer_counts import count_in_model_config
from autotl.backbones.origin import Loaded
from autotl.backbones.spec import SAVED_ENDINGS, BackboneSpec, existing_path
from autotl.errors import EnvironmentProblemError, TaskError, first_line

if TYPE_CHECKING:
    import keras


class SavedOrigin:
    """`{saved: PATH}`, with `trusted: true` for a SavedModel folder; or the bare path of a file."""

    options = frozenset({"trusted"})

    def names(self) -> tuple[str, ...]:
        return ()

    def read(self, name: str, options: Mapping[str, Any], *, folder: Path, where: str) -> BackboneSpec:
        path = existing_path(name, folder=folder, where=where)
        trusted = options.get("trusted", False)
        if not isinstance(trusted, bool):
            raise TaskError(f"{where}: trusted must be true or false, not {trusted!r}.")
        if (path / "saved_model.pb").is_file():
            if not trusted:
                raise TaskError(
                    f"{where}: {name!r} is a SavedModel, which can run any graph operation. If you trust its source "
                    f"write {{saved: {name}, trusted: true}}; it then serves as a frozen extractor."
                )
        elif not (path.is_file() and path.suffix in SAVED_ENDINGS):
            raise TaskError(f"{where}: {name!r} is neither a .keras or .h5 file nor a SavedModel folder.")
        return BackboneSpec("saved", str(path), trusted=trusted)

    def why_not_at_hand(self, spec: BackboneSpec, *, offline: bool) -> str | None:
        return None if Path(spec.name).exists() else f"{spec.label}: there is nothing at {spec.name}."

    def layer_count(self, spec: BackboneSpec, tap: str) -> int | None:
        path = Path(spec.name)
        if path.is_dir():
            return 0
        if path.suffix != ".keras" or tap != "last":
            return None
        return count_in_model_config(path, read_keras_config(path))

    def smallest_image_size(self, spec: BackboneSpec) -> int:
        return 1

    def load(self, spec: BackboneSpec, *, form: Form, seed: int) -> Loaded:
        path = Path(spec.name)
        if path.is_dir():
            return _frozen_extractor(path, spec, form=form)
        return Loaded(_without_classifier(load_in_safe_mode(path)))


def load_in_safe_mode(path: Path) -> "keras.Model":
    """A model from a `.keras` or `.h5` file, after checking what is inside.

    Raises:
        TaskError: it is none, or holds what is not loaded.
    """
    check_model_file(path)
    import keras
    import keras_hub  # noqa: F401  a model made of its layers finds them registered

    try:
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as cause:
        raise TaskError(
            f"{path}: Keras cannot load it in safe mode: {_as_sentence(cause)} Only layers of Keras and KerasHub are "
            "loaded, best from the .keras format; export a model with layers of your own as a SavedModel and give "
            "{saved: FOLDER, trusted: true}."
        ) from cause
    if not hasattr(model, "inputs") or not model.inputs:
        raise TaskError(f"{path}: only functional and Sequential models with a known input shape can be divided.")
    return model


def _without_classifier(model: "keras.Model") -> "keras.Model":
    """The model up to the input of its final Dense; the same model where it does not end in one."""
    import keras

    from autotl.backbones.graph import flattened, producer

    flat = flattened(model)
    tensor = flat.outputs[0]
    node = producer(tensor)
    while isinstance(node.operation, keras.layers.Activation | keras.layers.Softmax):
        node = producer(node.input_tensors[0])
    if not isinstance(node.operation, keras.layers.Dense):
        return model
    return keras.Model(flat.inputs, node.input_tensors[0], name=model.name)


def _frozen_extractor(path: Path, spec: BackboneSpec, *, form: Form) -> Loaded:
    """A SavedModel as one layer. It can be run, not cut, so nothing of it can be unfrozen."""
    if not spec.trusted:
        raise TaskError(f"{spec.label}: a SavedModel is loaded only with trusted: true.")
    import keras

    from autotl.backbones.graph import digest_of_files

    if keras.backend.backend() != "tensorflow":
        raise EnvironmentProblemError(f"{spec.label}: a SavedModel runs on Keras's TensorFlow backend only.")
    example = keras.Input(shape_taken(form), name="example")
    try:
        layer = keras.layers.TFSMLayer(str(path), call_endpoint=_endpoint(path), trainable=False)
        output = layer(example)
    except Exception as cause:
        raise TaskError(f"{spec.label}: it does not take float {form.words}: {cause}") from cause
    tensors = keras.tree.flatten(output)
    if len(tensors) != 1:
        raise TaskError(f"{spec.label}: the SavedModel gives {len(tensors)} outputs; a backbone gives one.")
    return Loaded(keras.Model(example, tensors[0]), fingerprint=digest_of_files(path), can_unfreeze=False)


def _endpoint(path: Path) -> str:
    """`serve` for what Keras exported, `serving_default` for the rest."""
    import tensorflow as tf

    signatures = tf.saved_model.load(str(path)).signatures
    return "serve" if "serve" in signatures else "serving_default"


def _as_sentence(cause: Exception) -> str:
    line = first_line(cause)
    return line if line.endswith(".") else f"{line}."
