"""A backbone fixed to a form and a tap: one example as it is read in, one feature vector out."""

import math
import re
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import keras
from numpy.typing import NDArray

from autotl.backbones import ORIGINS
from autotl.backbones.availability import offline_by_environment
from autotl.backbones.form import Form, shape_taken
from autotl.backbones.graph import (
    crossings,
    nodes_in_order,
    producer,
    rerun,
    settle_names,
    tensor_digests,
    weight_owners,
)
from autotl.backbones.origin import Head, Loaded
from autotl.backbones.reading import Reading, own_reading
from autotl.backbones.spec import BackboneSpec
from autotl.backbones.spectrogram import spectrogram_image
from autotl.backbones.wide_columns import wide_columns
from autotl.errors import EnvironmentProblemError, TaskError, first_line

if TYPE_CHECKING:
    from autotl.backbones.torch_encoder import TorchEncoder

LAST = "last"
INPUT_NAMES = {"image": "pixels", "text": "tokens", "table": "columns", "signal": "samples"}
PYRAMID_TAPS = {"P3": 8, "P4": 16, "P5": 32}  # the feature pyramid's names for strides
# As `autotl.backbones.bert` and `autotl.backbones.encoder_stage` name it.
ENCODER_END = re.compile(r"(?:transformer_layer_(?=\d+_outer_norm)|encoder_block_)(\d+)(?:_outer_norm)?")
LATER_LAYERS_NAMED = 8  # in an error message


@dataclass(frozen=True, eq=False)
class Network:
    """A loaded backbone. Divisions of it share its layers, so only one of them may be in training at a time.

    Attributes:
        reading: gives its input for raw examples.
        entry: an example as it is read → what the backbone was trained on, e.g. uint8 RGB → a scaled float image.
        whole: that and the backbone up to pooled features (width,) in one flat graph, no model nested in it.
        layers: those with trainable weights in forward order, each convolution and batch normalisation as one.
        digest: of everything that decides the features; stable between processes.
        head: the head that came with the network; None where each trial draws its own.
        encoder: what computes all of it by PyTorch; None where Keras's layers do.
    """

    spec: BackboneSpec
    form: Form
    tap: str
    reading: Reading
    entry: keras.Model
    whole: keras.Model
    layers: list[keras.layers.Layer]
    digest: str
    positions: dict[int, int] = field(repr=False)  # id of a layer of `layers` → index of its first node in `whole`
    tensor_digests: dict[int, str] = field(repr=False)  # id of a tensor of `whole` → digest, with pretrained weights
    _pretrained: dict[int, NDArray[Any]] = field(repr=False)  # id of a variable → its value as loaded
    head: Head | None = None
    encoder: "TorchEncoder | None" = None

    @property
    def feature_width(self) -> int:
        """How many features one example has."""
        return int(self.whole.outputs[0].shape[-1])

    @property
    def example_shape(self) -> tuple[int, ...]:
        """Of one example as it is read, a sequence at its full length."""
        return tuple(size or self.form.sequence_length or 1 for size in self.reading.shape)

    def restore_pretrained_weights(self, layers: Iterable[keras.layers.Layer] | None = None) -> None:
        """Puts the loaded weights back, of the given layers or of all."""
        for layer in self.whole.layers if layers is None else layers:
            for variable in layer.weights:
                variable.assign(self._pretrained[id(variable)])


def build_network(spec: BackboneSpec, *, form: Form, tap: str = LAST, seed: int = 0) -> Network:
    """Loads a backbone for examples in one form.

    Args:
        spec: which one.
        tap: `last`, the last tensor at stride 8, 16 or 32 (`P3`, `P4`, `P5`), the end of a language network's encoder
            (`E1`, `E2` …), or a layer's name; maps and sequences are pooled by their mean.
        seed: of random weights, where the spec asks for such.
    Raises:
        EnvironmentProblemError: its weights are not at hand (`AUTOTL_OFFLINE` is respected).
        TaskError: not a backbone for such examples, or an unknown tap.
    """
    missing = ORIGINS[spec.origin].why_not_at_hand(spec, offline=offline_by_environment())
    if missing is not None:
        raise EnvironmentProblemError(missing)
    try:
        with warnings.catch_warnings():
            # Keras looks for layers under its own bookkeeping too and wonders that none were saved there
            warnings.filterwarnings("ignore", message="Skipping nested container at '_(operations|nodes)_by_depth")
            loaded = ORIGINS[spec.origin].load(spec, form=form, seed=seed)
        return network_of(loaded, spec, form=form, tap=tap)
    except ValueError as cause:  # Keras's word for a size too small, KerasHub's for weights that fit one size only
        raise TaskError(f"backbone {spec.label} cannot take {form.words}: {first_line(cause)}") from cause


def network_of(loaded: Loaded, spec: BackboneSpec, *, form: Form, tap: str) -> Network:
    """Fixes a loaded backbone to a form and a tap. Raises `TaskError`, or Keras's `ValueError`s."""
    _check_input(loaded, spec, form)
    reading = loaded.reading or own_reading(form)
    example = keras.Input(reading.shape, dtype=reading.dtype, name=INPUT_NAMES[form.modality])
    entered = _entered(example, loaded, spec, form)
    output = _applied(loaded.model, entered, spec)
    tapped = _tapped(keras.Model(example, output), tap, spec, form)
    features = _pooled(tapped, spec) if loaded.pool is None else loaded.pool(tapped, example)
    whole = keras.Model(example, features, name="backbone")
    for layer in whole.layers:
        layer.trainable = loaded.can_unfreeze  # whatever the file said; `divide` decides what is frozen
    owners: dict[int, keras.layers.Layer] = {}
    positions: dict[int, int] = {}
    if loaded.can_unfreeze:
        for position, node in enumerate(nodes_in_order(whole)):
            for owner in weight_owners(node):
                owners.setdefault(id(owner), owner)
                positions.setdefault(id(owner), position)
    digests = tensor_digests(whole, salt=loaded.fingerprint + reading.digest)
    return Network(
        spec=spec,
        form=form,
        tap=tap,
        reading=reading,
        entry=keras.Model(example, entered, name="entry"),
        whole=whole,
        layers=list(owners.values()),
        digest=digests[id(whole.outputs[0])],
        positions=positions,
        tensor_digests=digests,
        _pretrained={id(variable): keras.ops.convert_to_numpy(variable).copy() for variable in whole.weights},
        head=loaded.head,
        encoder=loaded.encoder,
    )


def _entered(example: keras.KerasTensor, loaded: Loaded, spec: BackboneSpec, form: Form) -> keras.KerasTensor:
    """What the loaded model is given of an example as it is read."""
    if loaded.scaling is None:
        return example
    if form.modality == "image":
        return loaded.scaling.apply(example)
    if form.modality == "signal" and _takes_images(loaded.model):
        return loaded.scaling.apply(spectrogram_image(example, size=form.side))
    if form.schema is not None and spec.origin == "saved":
        return wide_columns(example, form.schema)
    return example


def _takes_images(model: keras.Model) -> bool:
    return len(model.inputs[0].shape) == 4


def _check_input(loaded: Loaded, spec: BackboneSpec, form: Form) -> None:
    """Whether the network takes one example of this form, as far as its input's shape tells."""
    if loaded.reading is not None:
        return
    if form.modality == "text":
        raise TaskError(f"backbone {spec.label} reads no texts; name a language network such as all_minilm_l6_v2.")
    shapes = [tuple(tensor.shape[1:]) for tensor in loaded.model.inputs]
    if form.modality == "image" or (form.modality == "signal" and len(shapes) == 1 and _takes_images(loaded.model)):
        _check_image_input(shapes, spec, form)
        return
    wanted = shape_taken(replace(form, image_size=None))
    fits = len(shapes) == 1 and len(shapes[0]) == len(wanted)
    if not fits or any(size not in (None, given) for size, given in zip(shapes[0], wanted, strict=True)):
        seen = ", ".join(map(str, shapes))
        raise TaskError(f"backbone {spec.label} takes an input of shape {seen}; {form.words} have shape {wanted}.")


def _check_image_input(shapes: list[tuple[int | None, ...]], spec: BackboneSpec, form: Form) -> None:
    if len(shapes) != 1 or len(shapes[0]) != 3 or shapes[0][2] not in (3, None):
        seen = ", ".join(map(str, shapes))
        raise TaskError(f"backbone {spec.label} does not take one RGB image (height, width, 3): its inputs: {seen}.")
    if any(size not in (None, form.side) for size in shapes[0][:2]):
        allowed = " x ".join(str(size) for size in shapes[0][:2])
        raise TaskError(f"backbone {spec.label} takes images of {allowed} px only, not {form.side}; set image_size.")


def _applied(model: keras.Model, image: keras.KerasTensor, spec: BackboneSpec) -> keras.KerasTensor:
    """The backbone's output on a new image tensor, in one flat graph with it."""
    settle_names(model, taken=(*INPUT_NAMES.values(), "features", "pixel_scaling", producer(image).operation.name))
    values = {id(model.inputs[0]): image}
    rerun(nodes_in_order(model), values)
    if len(model.outputs) != 1:
        raise TaskError(f"backbone {spec.label} gives {len(model.outputs)} outputs; autotl needs one feature map.")
    return values[id(model.outputs[0])]


def _tapped(model: keras.Model, tap: str, spec: BackboneSpec, form: Form) -> keras.KerasTensor:
    if tap == LAST:
        return model.outputs[0]
    nodes = nodes_in_order(model)
    maps = encoder_taps(model) or ({} if form.image_size is None else pyramid_maps(model, form.image_size))
    if tap in maps:
        return maps[tap]
    by_name = {node.operation.name: node.outputs[0] for node in nodes if len(node.outputs) == 1}
    if tap in by_name:
        return by_name[tap]
    near = get_close_matches(tap, [LAST, *maps, *by_name], n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    last_names = ", ".join(list(by_name)[-LATER_LAYERS_NAMED:])
    raise TaskError(
        f"tap {tap!r} is not known to backbone {spec.label} on {form.words}. "
        f"Allowed: {', '.join([LAST, *maps])}, or the name of one of its layers (the last ones: {last_names}).{hint}"
    )


def encoder_taps(model: keras.Model) -> dict[str, keras.KerasTensor]:
    """What each encoder of a language network gives, the first as `E1`; empty for other networks."""
    found = [(ENCODER_END.fullmatch(node.operation.name), node.outputs[0]) for node in nodes_in_order(model)]
    return {f"E{int(match[1]) + 1}": tensor for match, tensor in found if match is not None}


def pyramid_maps(model: keras.Model, image_size: int) -> dict[str, keras.KerasTensor]:
    """The last map at stride 8, 16 and 32, where there is one; before all, one that everything later passes through.

    Strides are counted as the nearest power of two: networks that do not pad lose a few pixels on the way.
    """
    found: dict[str, keras.KerasTensor] = {}
    found_alone: dict[str, keras.KerasTensor] = {}
    nodes = nodes_in_order(model)
    for position, (node, crossing) in enumerate(zip(nodes, crossings(model)[1:], strict=True)):
        tensor = node.outputs[0]
        name = _pyramid_name(tensor, image_size)
        if name is None or isinstance(node.operation, keras.layers.ZeroPadding2D | keras.layers.Cropping2D):
            continue
        found[name] = tensor
        if position == len(nodes) - 1 or (len(crossing) == 1 and crossing[0] is tensor):
            found_alone[name] = tensor
    return {name: found_alone.get(name, found[name]) for name in PYRAMID_TAPS if name in found}


def _pyramid_name(tensor: keras.KerasTensor, image_size: int) -> str | None:
    shape = tensor.shape
    if len(shape) != 4 or shape[1] is None or shape[1] < 1 or shape[1] != shape[2]:
        return None
    level = round(math.log2(image_size / shape[1]))
    return next((name for name, stride in PYRAMID_TAPS.items() if stride == 2**level), None)


def _pooled(tensor: keras.KerasTensor, spec: BackboneSpec) -> keras.KerasTensor:
    rank = len(tensor.shape)
    if rank == 4:
        return keras.layers.GlobalAveragePooling2D(name="features")(tensor)
    if rank == 3:
        return keras.layers.GlobalAveragePooling1D(name="features")(tensor)
    if rank == 2:
        return tensor
    raise TaskError(f"backbone {spec.label} gives a tensor of shape {tuple(tensor.shape)}; a map or vector is needed.")
