"""The network of an exported source: backbone and head as they left its house, to be adapted without its examples."""

# ruff: noqa: ARG002  an origin need not use everything it is offered

import json
import tempfile
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autotl.backbones.form import Form
from autotl.backbones.origin import Head, Loaded
from autotl.backbones.reading import Reading, TokenReading, reading_from
from autotl.backbones.spec import BackboneSpec, existing_path
from autotl.backbones.tokenizer import WordPiece
from autotl.data.exported import NETWORK, TOKENIZER, ExportedError, ExportedSource, read_exported
from autotl.errors import StorageError, TaskError

if TYPE_CHECKING:
    import keras

NAME = "exported"


class ExportedOrigin:
    """`{exported: FILE}`; in a plan with the file's digest, so that another file in its place is noticed."""

    options = frozenset({"digest"})

    def names(self) -> tuple[str, ...]:
        return ()

    def read(self, name: str, options: Mapping[str, Any], *, folder: Path, where: str) -> BackboneSpec:
        path = existing_path(name, folder=folder, where=where)
        spec = spec_of(_opened(path, f"{where}: {name!r}"))
        wanted = options.get("digest", spec.weights)
        if wanted != spec.weights:
            raise TaskError(f"{where}: {name!r} is another file than the one with digest {wanted!r}.")
        return spec

    def why_not_at_hand(self, spec: BackboneSpec, *, offline: bool) -> str | None:
        return None if Path(spec.name).is_file() else f"{spec.label}: there is nothing at {spec.name}."

    def layer_count(self, spec: BackboneSpec, tap: str) -> int | None:
        return _opened(Path(spec.name), spec.label).description.layers if tap == "last" else None

    def smallest_image_size(self, spec: BackboneSpec) -> int:
        return 1

    def load(self, spec: BackboneSpec, *, form: Form, seed: int) -> Loaded:
        source = _opened(Path(spec.name), spec.label)
        if source.digest != spec.weights:
            raise TaskError(f"{spec.label} has changed since this plan was made.")
        if source.description.modality != form.modality:
            raise TaskError(f"{spec.label} is a model of {source.description.modality}s, not of {form.words}.")
        try:
            reading = _reading(source)
            whole = _network(source, spec.label)
        except (ExportedError, StorageError) as error:
            raise TaskError(f"{spec.label} {error}") from error
        backbone, head = _backbone_and_head(whole, source, spec.label)
        return Loaded(backbone, scaling=None, reading=reading, head=head)


def spec_of(source: ExportedSource) -> BackboneSpec:
    """The backbone that an exported source is."""
    return BackboneSpec(NAME, str(source.path.resolve()), weights=source.digest)


def _opened(path: Path, called: str) -> ExportedSource:
    try:
        return read_exported(path)
    except ExportedError as error:
        raise TaskError(f"{called} {error}") from error


def _reading(source: ExportedSource) -> Reading:
    described = source.description
    if described.preprocessing.get("reads") != "tokens":
        return reading_from(described.preprocessing)
    try:
        wordpiece = WordPiece.from_dict(json.loads(source.member(TOKENIZER)))
    except (ValueError, TypeError, KeyError, RecursionError, TaskError) as error:
        raise ExportedError(f"is damaged: its {TOKENIZER} makes no sense.") from error
    if described.sequence_length is None:
        raise ExportedError("is damaged: it does not say how long its texts may be.")
    return TokenReading(wordpiece, described.sequence_length)


def _network(source: ExportedSource, label: str) -> "keras.Model":
    """The model in it, from example to features and logits, by way of a file: what checks and loads reads files."""
    from autotl.backbones.saved import load_in_safe_mode

    with tempfile.TemporaryDirectory(prefix="autotl-source-") as folder:
        path = Path(folder) / NETWORK
        path.write_bytes(source.member(NETWORK))
        try:
            return load_in_safe_mode(path)
        except TaskError as error:
            raise TaskError([words.replace(str(path), f"{label}: {NETWORK}") for words in error.mistakes]) from error


def _backbone_and_head(whole: "keras.Model", source: ExportedSource, label: str) -> tuple["keras.Model", Head]:
    """The model up to its features, and the Dense layers from there to its logits, as the description says they are."""
    import keras

    from autotl.backbones.graph import flattened, producer

    described = source.description
    flat = flattened(whole)
    damaged = TaskError(f"{label} is damaged: its network is not the one that its description tells of.")
    if len(flat.inputs) != 1 or len(flat.outputs) != 2:
        raise damaged
    features, tensor = flat.outputs
    layers: list[keras.layers.Layer] = []
    while tensor is not features:
        node = producer(tensor)
        if not isinstance(node.operation, keras.layers.Dense) or len(layers) == 2:
            raise damaged
        layers.insert(0, node.operation)
        tensor = node.input_tensors[0]
    widths = [described.feature_width, *([described.hidden_units] if described.hidden_units else [])]
    widths += [len(described.classes)]
    head = tuple((_array(layer.kernel), _array(layer.bias)) for layer in layers if layer.bias is not None)
    activations = [layer.activation.__name__ for layer in layers]
    shapes = [kernel.shape for kernel, _ in head]
    if activations != ["relu", "linear"][2 - len(layers) :] or shapes != list(pairwise(widths)):
        raise damaged
    return keras.Model(flat.inputs, features, name="exported"), head


def _array(variable: Any) -> Any:
    from keras import ops

    return ops.convert_to_numpy(variable).copy()
