"""How many layers a backbone has to unfreeze, told without TensorFlow.

`layer_counts.json` is written by `python -m benchmarks.backbone_tables`; a test compares it with networks.
"""

import json
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from autotl.backbones.archive import layer_configs
from autotl.errors import TaskError

TRAINABLE = frozenset(
    {
        "Conv1D",
        "Conv2D",
        "Conv3D",
        "Conv1DTranspose",
        "Conv2DTranspose",
        "Conv3DTranspose",
        "DepthwiseConv1D",
        "DepthwiseConv2D",
        "SeparableConv1D",
        "SeparableConv2D",
        "Dense",
        "EinsumDense",
        "Embedding",
        "BatchNormalization",
        "LayerNormalization",
        "GroupNormalization",
        "RMSNormalization",
        "PReLU",
    }
)
CONTAINERS = frozenset({"Functional", "Sequential", "Model"})
WITHOUT_WEIGHTS = frozenset(
    {
        "InputLayer",
        "Activation",
        "ReLU",
        "LeakyReLU",
        "ELU",
        "Softmax",
        "Add",
        "Multiply",
        "Average",
        "Maximum",
        "Concatenate",
        "Subtract",
        "Dropout",
        "SpatialDropout2D",
        "GaussianNoise",
        "ZeroPadding2D",
        "Cropping2D",
        "UpSampling2D",
        "MaxPooling2D",
        "AveragePooling2D",
        "GlobalAveragePooling2D",
        "GlobalMaxPooling2D",
        "Flatten",
        "Reshape",
        "Permute",
        "RepeatVector",
        "Rescaling",
        "Resizing",
        "CenterCrop",
        "Normalization",
        "RandomFlip",
        "RandomRotation",
        "RandomZoom",
        "RandomTranslation",
        "RandomContrast",
        "RandomBrightness",
        "RandomCrop",
        "Identity",
        "ActivityRegularization",
    }
)
LAYER_MODULES = ("keras.layers", "keras.src.layers")


@cache
def _table() -> dict[str, dict[str, int]]:
    text = files("autotl.backbones").joinpath("layer_counts.json").read_text(encoding="utf-8")
    counts: dict[str, dict[str, int]] = json.loads(text)
    return counts


def known_layer_count(name: str, tap: str) -> int | None:
    """The count of a network that autotl builds itself up to a tap, by its bare name."""
    return _table().get(name, {}).get(tap)


def count_in_model_config(path: Path, config: dict[str, Any]) -> int | None:
    """Layers with trainable weights in a saved model's configuration, its final Dense left out; None if it has others.

    A layer or model of a class outside Keras may be made of many, so only loading tells how many there are.

    Args:
        path: the model's file, for messages.
    Raises:
        TaskError: the configuration has no layers, or none that lead to its output.
    """
    if config["class_name"] not in CONTAINERS:
        return None
    layers = [found for found in layer_configs(config) if _is_layer(found)]
    kinds = [str(found["class_name"]) for found in layers]
    if any(kind not in TRAINABLE | WITHOUT_WEIGHTS | CONTAINERS for kind in kinds):
        return None
    count = sum(kind in TRAINABLE and _has_trainable_weights(found) for kind, found in zip(kinds, layers, strict=True))
    return count - ends_in_classifier(path, config)


def ends_in_classifier(path: Path, config: dict[str, Any]) -> bool:
    """Whether the last layer of a saved model is a Dense, perhaps with its activation as a layer of its own."""
    last = _last_layer(path, config, skipping=frozenset({"Activation", "Softmax"}))
    return last is not None and last["class_name"] == "Dense"


def count_in_weights_file(path: Path) -> int | None:
    """Layers that own weights in a `.weights.h5` file as Keras 3 writes it; None where there is no such file."""
    if not path.is_file():
        return None
    import h5py

    owners = []

    def note(name: str, item: Any) -> None:
        is_state = name.split("/")[-2:-1] == ["seed_generator"] or name.startswith("optimizer")
        if name.endswith("/vars") and len(item) > 0 and not is_state:
            owners.append(name)

    with h5py.File(path, "r") as file:
        file.visititems(note)
    return len(owners)


def _is_layer(found: dict[str, Any]) -> bool:
    """Whether a serialised object is a layer; all that is not of Keras itself is taken to be one."""
    kind = found["class_name"]
    if not isinstance(found.get("config"), dict):
        return False
    if kind in CONTAINERS | TRAINABLE | WITHOUT_WEIGHTS:
        return True
    module = str(found.get("module") or "keras")
    is_of_keras = module == "keras" or module.startswith("keras.")  # initialisers, policies, tensors, operations
    return module.startswith(LAYER_MODULES) or not is_of_keras


def _has_trainable_weights(found: dict[str, Any]) -> bool:
    config = found["config"]
    return bool(config.get("scale", True) or config.get("center", True))


def _last_layer(path: Path, config: dict[str, Any], *, skipping: frozenset[str]) -> dict[str, Any] | None:
    """The layer behind a model's output, nested models entered; None where several tensors join on the way."""
    is_sequence = _at(path, config, "class_name") == "Sequential"
    listed = _at(path, config, "config", "layers")
    if not isinstance(listed, list) or not listed:
        raise _malformed(path, "a model without layers")
    layers: dict[str, dict[str, Any]] = {str(_at(path, layer, "config", "name")): layer for layer in listed}
    order = list(layers)
    name: str | None = order[-1] if is_sequence else _first_name(path, _at(path, config, "config", "output_layers"))
    seen: set[str] = set()
    while name is not None:
        if name in seen:
            raise _malformed(path, f"the layer {name!r} behind itself")
        seen.add(name)
        layer = _at(path, layers, name)
        kind = _at(path, layer, "class_name")
        if kind in CONTAINERS:
            return _last_layer(path, layer, skipping=skipping)
        if kind not in skipping:
            return layer
        if is_sequence:
            position = order.index(name)
            name = order[position - 1] if position > 0 else None
        else:
            before = [
                str(_at(path, found, "config", "keras_history", 0))
                for found in layer_configs(_at(path, layer, "inbound_nodes"))
                if found["class_name"] == "__keras_tensor__"
            ]
            name = before[0] if len(before) == 1 else None
    return None


def _first_name(path: Path, output_layers: Any) -> str:
    """The first layer in `output_layers`: `[name, 0, 0]` for one output, a list or mapping of such for several."""
    while not isinstance(output_layers, str):
        first = next(iter(output_layers), None) if isinstance(output_layers, dict) else 0
        output_layers = _at(path, output_layers, first)
    return output_layers


def _at(path: Path, value: Any, *keys: Any) -> Any:
    """What stands at these keys, one inside the other.

    Raises:
        TaskError: one is not there.
    """
    for key in keys:
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            raise _malformed(path, f"no {key!r} where one must stand") from None
    return value


def _malformed(path: Path, seen: str) -> TaskError:
    return TaskError(f"{path}: its configuration is damaged: it has {seen}. Save the model again with Keras 3.")
