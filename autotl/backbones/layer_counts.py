"""How many layers a backbone has to unfreeze, told without TensorFlow.

`layer_counts.json` is written by `python -m autotl.backbones.regenerate_tables`; a test compares it with networks.
"""

import json
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from autotl.backbones.archive import layer_configs

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
def _table() -> dict[str, int]:
    text = files("autotl.backbones").joinpath("layer_counts.json").read_text(encoding="utf-8")
    counts: dict[str, int] = json.loads(text)
    return counts


def known_layer_count(name: str) -> int | None:
    """The count of a network that autotl builds itself, by its bare name."""
    return _table().get(name)


def count_in_model_config(config: dict[str, Any]) -> int | None:
    """Layers with trainable weights in a saved model's configuration, its final Dense left out; None if it has others.

    A layer of a class outside Keras may be made of many, so only loading tells how many there are.
    """
    layers = [found for found in layer_configs(config) if _is_layer(found)]
    kinds = [str(found["class_name"]) for found in layers]
    if any(kind not in TRAINABLE | WITHOUT_WEIGHTS | CONTAINERS for kind in kinds):
        return None
    count = sum(kind in TRAINABLE and _has_trainable_weights(found) for kind, found in zip(kinds, layers, strict=True))
    return count - ends_in_classifier(config)


def ends_in_classifier(config: dict[str, Any]) -> bool:
    """Whether the last layer of a saved model is a Dense, perhaps with its activation as a layer of its own."""
    last = _last_layer(config, skipping=frozenset({"Activation", "Softmax"}))
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


def _last_layer(config: dict[str, Any], *, skipping: frozenset[str]) -> dict[str, Any] | None:
    """The layer behind a model's output, nested models entered; None where several tensors join on the way."""
    layers: dict[str, dict[str, Any]] = {layer["config"]["name"]: layer for layer in config["config"]["layers"]}
    order = list(layers)
    name: str | None = order[-1]
    if config["class_name"] != "Sequential":
        name = _names_in(config["config"]["output_layers"])[0]
    while name is not None:
        layer = layers[name]
        if layer["class_name"] in CONTAINERS:
            return _last_layer(layer, skipping=skipping)
        if layer["class_name"] not in skipping:
            return layer
        if config["class_name"] == "Sequential":
            position = order.index(name)
            name = order[position - 1] if position > 0 else None
        else:
            before = [
                found["config"]["keras_history"][0]
                for found in layer_configs(layer["inbound_nodes"])
                if found["class_name"] == "__keras_tensor__"
            ]
            name = before[0] if len(before) == 1 else None
    return None


def _names_in(output_layers: Any) -> list[str]:
    """Layer names in `output_layers`, which is `[name, 0, 0]` for one output and a list of such for several."""
    if output_layers and isinstance(output_layers[0], str):
        return [output_layers[0]]
    return [str(entry[0]) for entry in output_layers]
