"""Walking the graph of a functional Keras model: nodes in order, rebuilding on other inputs, recording, digests.

The one place that reads Keras's node structures (`_nodes_by_depth`, `_inbound_nodes`), which have no public reader.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import xxhash

Shape = tuple[int | None, ...]
UNIMPORTANT = ("_initializer", "_regularizer", "_constraint")  # of no effect once weights are loaded
NAMES_AND_PLACES = frozenset({"name", "trainable", "filepath", "registered_name", "build_config", "shared_object_id"})


def nodes_in_order(model: keras.Model) -> list[Any]:
    """The calls that make up a model's graph, each after those it depends on; its inputs left out."""
    graph = keras.Model(model.inputs, model.outputs) if isinstance(model, keras.Sequential) else model
    by_depth = graph._nodes_by_depth
    return [node for depth in sorted(by_depth, reverse=True) for node in by_depth[depth] if not node.is_input]


def crossings(model: keras.Model) -> list[list[keras.KerasTensor]]:
    """For each place in a graph's order the tensors made before it and used at or after it, in order of their making.

    Entry 0 is the place before the first node, entry i the place behind the i-th; the last holds the outputs.
    """
    nodes = nodes_in_order(model)
    last_use = {id(tensor): len(nodes) for tensor in model.outputs}
    for position, node in reversed(list(enumerate(nodes))):
        for tensor in node.input_tensors:
            last_use.setdefault(id(tensor), position)
    alive = list(model.inputs)
    places = [list(alive)]
    for position, node in enumerate(nodes):
        alive = [tensor for tensor in [*alive, *node.outputs] if last_use.get(id(tensor), -1) > position]
        places.append(list(alive))
    return places


def producer(tensor: keras.KerasTensor) -> Any:
    """The node that made a tensor."""
    operation, node_index, _ = tensor._keras_history
    return operation._inbound_nodes[node_index]


def is_graph(operation: Any) -> bool:
    """Whether an operation is a model whose own graph says all it does, so that it may be entered."""
    if isinstance(operation, keras.Sequential):
        return bool(operation.built)
    return (
        isinstance(operation, keras.Model)
        and isinstance(operation, keras.Function)
        and type(operation).call.__qualname__ == "Functional.call"
    )


def rerun(nodes: Iterable[Any], values: dict[int, Any]) -> None:
    """Calls the same layers once more on other symbolic tensors, entering nested models.

    Args:
        nodes: in order, as `nodes_in_order` gives them.
        values: the tensors to use, by the `id` of the tensors they stand for; every output made is added.
    """
    for node in nodes:
        operation = node.operation
        arguments, keywords = node.arguments.fill_in(values)
        if is_graph(operation):
            inner = dict(zip(map(id, operation.inputs), keras.tree.flatten(arguments[0]), strict=True))
            rerun(nodes_in_order(operation), inner)
            outputs = [inner[id(tensor)] for tensor in operation.outputs]
        else:
            outputs = keras.tree.flatten(operation(*arguments, **keywords))
        values.update(zip(map(id, node.outputs), outputs, strict=True))


def settle_names(model: keras.Model, *, taken: Iterable[str] = ()) -> None:
    """Gives every layer of a model, nested ones included, a name of its own that is the same in every process.

    Keras numbers unnamed layers through the whole process (`activation_275`); here they are numbered through the model.
    """
    used = set(taken)
    settled: set[int] = set()
    for operation in _operations(model):
        if id(operation) in settled:
            continue
        settled.add(id(operation))
        automatic = _snake_case(type(operation).__name__)
        name = automatic if re.fullmatch(rf"{automatic}(_\d+)?", operation.name) else operation.name
        operation.name = _free_name(name, used)


def flattened(model: keras.Model) -> keras.Model:
    """The same computation by the same layers, with no model nested in it."""
    settle_names(model)
    inputs = [keras.Input(batch_shape=tensor.shape, dtype=tensor.dtype) for tensor in model.inputs]
    values = dict(zip(map(id, model.inputs), inputs, strict=True))
    rerun(nodes_in_order(model), values)
    return keras.Model(inputs, [values[id(tensor)] for tensor in model.outputs], name=model.name)


@dataclass(frozen=True)
class LayerCall:
    """One call of a layer during a forward pass; shapes with their batch axis."""

    layer: keras.layers.Layer
    input_shapes: tuple[Shape, ...]
    output_shape: Shape


@contextmanager
def recorded_calls(layers: Iterable[keras.layers.Layer]) -> Iterator[list[LayerCall]]:
    """Notes every call of these layers inside the block, in the order in which they finish."""
    calls: list[LayerCall] = []

    def recording(layer: keras.layers.Layer) -> Any:
        call = layer.call

        def call_and_note(*arguments: Any, **keywords: Any) -> Any:
            outputs = call(*arguments, **keywords)
            tensors = [value for value in keras.tree.flatten([arguments, keywords]) if hasattr(value, "shape")]
            shapes = tuple(tuple(tensor.shape) for tensor in tensors)
            calls.append(LayerCall(layer, shapes, tuple(keras.tree.flatten(outputs)[0].shape)))
            return outputs

        return call_and_note

    watched = list(layers)
    for layer in watched:
        object.__setattr__(layer, "call", recording(layer))  # past Keras's attribute tracking
    try:
        yield calls
    finally:
        for layer in watched:
            object.__delattr__(layer, "call")


def sublayers(layer: keras.layers.Layer) -> list[keras.layers.Layer]:
    """Every layer inside a layer, at any depth, without itself."""
    return [inner for inner in layer._flatten_layers(include_self=False) if isinstance(inner, keras.layers.Layer)]


def own_trainable_variables(layer: keras.layers.Layer) -> list[keras.Variable]:
    """Variables that belong to a layer itself, not to one inside it, and are not statistics or counters."""
    inside = {id(variable) for inner in sublayers(layer) for variable in inner.variables}
    return [variable for variable in layer.trainable_variables if id(variable) not in inside]


def weight_owners(node: Any) -> list[keras.layers.Layer]:
    """The layers with trainable weights that a node calls, in the order of their first calls, a composite's inside."""
    layer = node.operation
    if not isinstance(layer, keras.layers.Layer):
        return []
    inner = [found for found in sublayers(layer) if own_trainable_variables(found)]
    outer = [layer] if own_trainable_variables(layer) else []
    if not inner:
        return outer
    zeros = {id(tensor): _zeros(tensor) for tensor in node.input_tensors}
    arguments, keywords = node.arguments.fill_in(zeros)
    with recorded_calls(inner) as calls:
        layer(*arguments, **keywords)
    called = {id(call.layer): call.layer for call in calls}
    return [*outer, *called.values()]


def tensor_digests(model: keras.Model, *, salt: str) -> dict[int, str]:
    """A digest per tensor of a graph, by the tensor's `id`: of all that decides its value, weights included.

    Equal computations have equal digests whatever their layers are called, so activations at one place are found again
    from another tap or another cut, and in another process.
    """
    digests = {
        id(tensor): _digest("input", salt, position, list(tensor.shape), tensor.dtype)
        for position, tensor in enumerate(model.inputs)
    }
    for node in nodes_in_order(model):
        arguments, keywords = node.arguments.fill_in(_ById(digests))
        call = _digest(_description(node.operation), _weights_digest(node.operation), [arguments, keywords])
        for position, tensor in enumerate(node.outputs):
            digests[id(tensor)] = _digest(call, position)
    return digests


def digest_of_files(folder: Path) -> str:
    """xxh3-128 of all files under a folder, names and contents."""
    total = xxhash.xxh3_128()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        total.update(path.relative_to(folder).as_posix().encode())
        total.update(path.read_bytes())
    return total.hexdigest()


def digest_of_named_files(folder: Path, patterns: Sequence[str]) -> str:
    """xxh3-128 of the files that lie in a folder itself and match a pattern, names and contents, read in pieces."""
    total = xxhash.xxh3_128()
    for path in sorted({path for pattern in patterns for path in folder.glob(pattern) if path.is_file()}):
        total.update(path.name.encode())
        with path.open("rb") as file:
            while piece := file.read(1 << 20):
                total.update(piece)
    return total.hexdigest()


class _ById(dict[int, Any]):
    """What `fill_in` looks tensors up in, with every digest marked so that no text argument can be taken for one."""

    def __init__(self, digests: Mapping[int, str]) -> None:
        super().__init__({key: {"tensor": digest} for key, digest in digests.items()})


def _operations(model: keras.Model) -> Iterator[Any]:
    for node in nodes_in_order(model):
        if is_graph(node.operation):
            yield from _operations(node.operation)
        else:
            yield node.operation


def _snake_case(name: str) -> str:
    """`ZeroPadding2D` → `zero_padding2d`, as Keras names unnamed layers."""
    words = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", words).lower()


def _free_name(name: str, used: set[str]) -> str:
    free = name
    number = 0
    while free in used:
        number += 1
        free = f"{name}_{number}"
    used.add(free)
    return free


def _zeros(tensor: keras.KerasTensor) -> Any:
    return keras.ops.zeros([size or 1 for size in tensor.shape], dtype=tensor.dtype)


def _description(operation: Any) -> list[Any]:
    """What an operation does, apart from its weights and its name."""
    try:
        config = dict(operation.get_config())
    except NotImplementedError:  # an operation Keras cannot describe; its class and its call's arguments still are
        config = {}
    config.pop("dtype", None)
    kind = type(operation)
    return [kind.__module__, kind.__qualname__, getattr(operation, "compute_dtype", ""), _essential(config)]


def _essential(value: Any) -> Any:
    """A configuration without names, paths, and what only matters before training."""
    if isinstance(value, Mapping):
        return {
            str(key): _essential(entry)
            for key, entry in value.items()
            if key not in NAMES_AND_PLACES and not str(key).endswith(UNIMPORTANT)
        }
    if isinstance(value, list | tuple):
        return [_essential(entry) for entry in value]
    return value


def _weights_digest(operation: Any) -> str:
    total = xxhash.xxh3_128()
    for weight in getattr(operation, "weights", []):
        array = np.ascontiguousarray(keras.ops.convert_to_numpy(weight))
        total.update(f"{array.shape}{array.dtype}".encode())
        total.update(array.tobytes())
    return total.hexdigest()


def _digest(*parts: Any) -> str:
    text = json.dumps(parts, sort_keys=True, default=_plain)
    return xxhash.xxh3_128_hexdigest(text.encode())


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, slice):
        return [value.start, value.stop, value.step]
    if value is Ellipsis:
        return "..."
    if hasattr(value, "get_config"):
        return [type(value).__qualname__, _essential(value.get_config())]
    return type(value).__qualname__
