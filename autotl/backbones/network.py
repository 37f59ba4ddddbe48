"""A backbone fixed to an image size and a tap: uint8 pixels in, one feature vector out."""

import math
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

import keras
from numpy.typing import NDArray

from autotl.backbones import ORIGINS
from autotl.backbones.availability import offline_by_environment
from autotl.backbones.graph import (
    crossings,
    nodes_in_order,
    producer,
    rerun,
    settle_names,
    tensor_digests,
    weight_owners,
)
from autotl.backbones.origin import Loaded
from autotl.backbones.spec import BackboneSpec
from autotl.errors import EnvironmentProblemError, TaskError

LAST = "last"
PYRAMID_TAPS = {"P3": 8, "P4": 16, "P5": 32}  # the feature pyramid's names for strides
LATER_LAYERS_NAMED = 8  # in an error message


@dataclass(frozen=True, eq=False)
class Network:
    """A loaded backbone. Divisions of it share its layers, so only one of them may be in training at a time.

    Attributes:
        pixels: uint8 RGB (size, size, 3) → the float image the backbone was trained on.
        graph: that image → pooled features (width,).
        whole: both in one flat graph, no model nested in it.
        layers: those with trainable weights in forward order, each convolution and batch normalisation as one.
        digest: of everything that decides the features; stable between processes.
    """

    spec: BackboneSpec
    image_size: int
    tap: str
    pixels: keras.Model
    graph: keras.Model
    whole: keras.Model
    layers: list[keras.layers.Layer]
    digest: str
    positions: dict[int, int] = field(repr=False)  # id of a layer of `layers` → index of its first node in `whole`
    tensor_digests: dict[int, str] = field(repr=False)  # id of a tensor of `whole` → digest, with pretrained weights
    _pretrained: dict[int, NDArray[Any]] = field(repr=False)  # id of a variable → its value as loaded

    @property
    def feature_width(self) -> int:
        """How many features one image has."""
        return int(self.whole.outputs[0].shape[-1])

    def restore_pretrained_weights(self, layers: Iterable[keras.layers.Layer] | None = None) -> None:
        """Puts the loaded weights back, of the given layers or of all."""
        for layer in self.whole.layers if layers is None else layers:
            for variable in layer.weights:
                variable.assign(self._pretrained[id(variable)])


def build_network(spec: BackboneSpec, *, image_size: int, tap: str = LAST, seed: int = 0) -> Network:
    """Loads a backbone for square images.

    Args:
        spec: which one.
        image_size: pixels a side.
        tap: `last`, the last tensor at stride 8, 16 or 32 (`P3`, `P4`, `P5`), or a layer's name; maps and sequences are
            pooled by their mean.
        seed: of random weights, where the spec asks for such.
    Raises:
        EnvironmentProblemError: its weights are not at hand (`AUTOTL_OFFLINE` is respected).
        TaskError: not an image backbone, an image size it cannot take, or an unknown tap.
    """
    missing = ORIGINS[spec.origin].why_not_at_hand(spec, offline=offline_by_environment())
    if missing is not None:
        raise EnvironmentProblemError(missing)
    try:
        with warnings.catch_warnings():
            # Keras looks for layers under its own bookkeeping too and wonders that none were saved there
            warnings.filterwarnings("ignore", message="Skipping nested container at '_(operations|nodes)_by_depth")
            loaded = ORIGINS[spec.origin].load(spec, image_size=image_size, seed=seed)
        return network_of(loaded, spec, image_size=image_size, tap=tap)
    except ValueError as cause:  # Keras's word for a size too small, KerasHub's for weights that fit one size only
        raise TaskError(f"backbone {spec.label} cannot take images of {image_size} px: {_first_line(cause)}") from cause


def network_of(loaded: Loaded, spec: BackboneSpec, *, image_size: int, tap: str) -> Network:
    """Fixes a loaded backbone to an image size and a tap. Raises `TaskError`, or Keras's `ValueError`s."""
    _check_input(loaded.model, spec, image_size)
    pixels = keras.Input((image_size, image_size, 3), dtype="uint8", name="pixels")
    image = loaded.scaling.apply(pixels)
    output = _applied(loaded.model, image, spec)
    features = _pooled(_tapped(keras.Model(pixels, output), tap, spec, image_size), spec)
    whole = keras.Model(pixels, features, name="backbone")
    for layer in whole.layers:
        layer.trainable = loaded.can_unfreeze  # whatever the file said; `divide` decides what is frozen
    owners: dict[int, keras.layers.Layer] = {}
    positions: dict[int, int] = {}
    if loaded.can_unfreeze:
        for position, node in enumerate(nodes_in_order(whole)):
            for owner in weight_owners(node):
                owners.setdefault(id(owner), owner)
                positions.setdefault(id(owner), position)
    digests = tensor_digests(whole, salt=loaded.fingerprint)
    return Network(
        spec=spec,
        image_size=image_size,
        tap=tap,
        pixels=keras.Model(pixels, image, name="pixel_scaling"),
        graph=keras.Model(image, features, name="backbone_graph"),
        whole=whole,
        layers=list(owners.values()),
        digest=digests[id(whole.outputs[0])],
        positions=positions,
        tensor_digests=digests,
        _pretrained={id(variable): keras.ops.convert_to_numpy(variable).copy() for variable in whole.weights},
    )


def _check_input(model: keras.Model, spec: BackboneSpec, image_size: int) -> None:
    inputs = model.inputs
    if len(inputs) != 1 or len(inputs[0].shape) != 4 or inputs[0].shape[3] not in (3, None):
        shapes = ", ".join(str(tuple(tensor.shape[1:])) for tensor in inputs)
        raise TaskError(f"backbone {spec.label} does not take one RGB image (height, width, 3): its inputs: {shapes}.")
    sizes = {size for size in inputs[0].shape[1:3] if size not in (None, image_size)}
    if sizes:
        allowed = " x ".join(str(size) for size in inputs[0].shape[1:3])
        raise TaskError(f"backbone {spec.label} takes images of {allowed} px only, not {image_size}; set image_size.")


def _applied(model: keras.Model, image: keras.KerasTensor, spec: BackboneSpec) -> keras.KerasTensor:
    """The backbone's output on a new image tensor, in one flat graph with it."""
    settle_names(model, taken=("pixels", "features", "pixel_scaling", producer(image).operation.name))
    values = {id(model.inputs[0]): image}
    rerun(nodes_in_order(model), values)
    if len(model.outputs) != 1:
        raise TaskError(f"backbone {spec.label} gives {len(model.outputs)} outputs; autotl needs one feature map.")
    return values[id(model.outputs[0])]


def _tapped(model: keras.Model, tap: str, spec: BackboneSpec, image_size: int) -> keras.KerasTensor:
    if tap == LAST:
        return model.outputs[0]
    nodes = nodes_in_order(model)
    maps = pyramid_maps(model, image_size)
    if tap in maps:
        return maps[tap]
    by_name = {node.operation.name: node.outputs[0] for node in nodes if len(node.outputs) == 1}
    if tap in by_name:
        return by_name[tap]
    near = get_close_matches(tap, [LAST, *maps, *by_name], n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    last_names = ", ".join(list(by_name)[-LATER_LAYERS_NAMED:])
    raise TaskError(
        f"tap {tap!r} is not known to backbone {spec.label} at {image_size} px. "
        f"Allowed: {', '.join([LAST, *maps])}, or the name of one of its layers (the last ones: {last_names}).{hint}"
    )


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


def _first_line(cause: Exception) -> str:
    return (str(cause).strip() or type(cause).__name__).splitlines()[0]
