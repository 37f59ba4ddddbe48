"""Language networks like BERT as one graph: token ids in, one vector a token out, and pooled to one a text.

KerasHub loads the checkpoint. What it gives is then drawn again from the layers inside its encoders, for three reasons.
A cut may fall inside an encoder. Activation and epsilon are those that the checkpoint was trained with: KerasHub's BERT
computes GELU by tanh, where most checkpoints had the exact form (hidden states differ by 4e-3). And dropout is left
out, since a backbone always runs as it does in inference.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

import keras
from keras import ops

from autotl.backbones.archive import check_preset, read_preset_config
from autotl.backbones.availability import cached_preset_folder, downloading, offline_by_environment
from autotl.backbones.checkpoint_folder import KERAS_HUB_TYPES
from autotl.backbones.graph import nodes_in_order
from autotl.backbones.safe_weights import check_safetensors, safetensors_files
from autotl.backbones.spec import HUB_SCHEMES
from autotl.errors import EnvironmentProblemError, TaskError, first_line, suggestion

Pooling = Literal["mean", "cls"]
POOLINGS: tuple[Pooling, ...] = ("mean", "cls")
INPUTS = frozenset({"token_ids", "padding_mask", "segment_ids"})
HUB_FILES = ("*.json", "*.txt", "*.safetensors", "*.h5", "assets/*")  # never a pickle


@dataclass(frozen=True, eq=False)
class Bert:
    """A loaded language network.

    Attributes:
        model: int32 token ids (n, length) → last hidden states (n, length, width).
        padding_id: tokens with this id are masked, in the model and by `pooled`.
        max_positions: the longest length it can take.
    """

    model: keras.Model
    padding_id: int
    max_positions: int

    @property
    def sequence(self) -> keras.KerasTensor:
        """The model's output."""
        return self.model.outputs[0]


def bert_from_folder(folder: Path, *, padding_id: int, length: int | None = None) -> Bert:
    """The network of a Hugging Face folder (`config.json`, `model.safetensors`) or of a KerasHub preset folder.

    Args:
        folder: nothing in it is run: weights are safetensors or HDF5, checked before they are read.
        padding_id: of its tokenizer; tokens with this id are masked.
        length: of every sequence; None leaves it open, and each batch may have its own.
    Raises:
        TaskError: not such a folder, a kind of network that is not like BERT, or a length it has no positions for.
    """
    config = read_preset_config(folder)
    if "class_name" in config:
        backbone = _load_preset(folder, config)
    else:
        _check_hugging_face(folder, config)
        backbone = _load_hugging_face(folder, config)
    names = {tensor.name for tensor in backbone.inputs}
    if not {"token_ids", "padding_mask"} <= names <= INPUTS:
        raise TaskError(
            f"{folder}: a {type(backbone).__name__} takes {', '.join(sorted(names))}. A language network like BERT "
            "takes token_ids and padding_mask, perhaps segment_ids."
        )
    max_positions = int(backbone.max_sequence_length)
    if length is not None and not 3 <= length <= max_positions:
        raise TaskError(f"{folder}: a sequence length of {length} is not possible. Allowed: 3 to {max_positions}.")
    return _drawn_again(backbone, padding_id=padding_id, length=length, max_positions=max_positions)


def pooled(
    sequence: keras.KerasTensor, token_ids: keras.KerasTensor, kind: Pooling, *, padding_id: int
) -> keras.KerasTensor:
    """One vector a text, (n, width); zeros for a row of padding only.

    Args:
        sequence: hidden states of any layer, (n, length, width).
        token_ids: what the network was given, (n, length).
        kind: `mean` over the tokens that are no padding, or `cls`, the first token alone.
    """
    weights = ops.expand_dims(ops.cast(ops.not_equal(token_ids, padding_id), sequence.dtype), -1)
    if kind == "cls":  # weighed as well, so that the same crosses every cut whatever the pooling, and is stored once
        return sequence[:, 0, :] * weights[:, 0, :]
    count = ops.maximum(ops.sum(weights, axis=1), 1.0)
    return ops.sum(sequence * weights, axis=1) / count


def text_preset_folder(name: str) -> Path:
    """The local folder of a KerasHub preset's name or a hub address (`hf://…`, `kaggle://…`), downloaded where needed.

    Raises:
        TaskError: no text preset of this name.
        EnvironmentProblemError: not on this machine, and offline or out of reach.
    """
    import keras_hub

    address = name
    if not name.startswith(HUB_SCHEMES):
        presets = keras_hub.models.Backbone.presets
        if name not in presets:
            near = get_close_matches(name, presets, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise TaskError(
                f"backbone {name!r} is not known. Allowed: a folder, the name of a KerasHub preset such as "
                f"bert_base_en_uncased, or hf://OWNER/NAME.{hint}"
            )
        address = presets[name]["kaggle_handle"]
    folder = cached_preset_folder(address)
    if folder is not None:
        return folder
    try:
        return _hugging_face_folder(address) if address.startswith("hf://") else _kaggle_folder(address)
    except Exception as cause:  # the hub's clients have errors of many kinds
        raise EnvironmentProblemError(
            f"{name}: its weights are not on this machine and could not be downloaded from {address} "
            f"({first_line(cause)}). Copy its folder here and give the path."
        ) from cause


def _check_hugging_face(folder: Path, config: Mapping[str, Any]) -> None:
    """Everything that would make the loaded network another one than was trained, or loading it dangerous."""
    kind = config.get("model_type")
    if kind not in KERAS_HUB_TYPES:
        raise TaskError(
            f"{folder}: model_type {kind!r} is not known. {suggestion(str(kind), KERAS_HUB_TYPES)} Written "
            "as {hugging_face: FOLDER} it is computed by PyTorch (extra [torch])."
        )
    if config.get("position_embedding_type", "absolute") != "absolute":
        raise TaskError(f"{folder}: position_embedding_type {config['position_embedding_type']!r} is not 'absolute'.")
    if config.get("is_decoder"):
        raise TaskError(f"{folder}: it is a decoder (is_decoder); a backbone reads a text from both sides.")
    activation = _activation_name(config)
    if activation not in _activations():
        raise TaskError(f"{folder}: activation {activation!r} is not known. {suggestion(activation, _activations())}")
    elements = sum(check_safetensors(path) for path in safetensors_files(folder))
    needed = _numbers_needed(folder, config)
    if needed > elements:
        raise TaskError(f"{folder}: config.json describes {needed:,} weights, its files hold {elements:,}.")


def _numbers_needed(folder: Path, config: Mapping[str, Any]) -> int:
    """How many weights the large tensors of the described network have; the small ones are left out."""

    def size(*names: str) -> int:
        found = next((config[name] for name in names if name in config), None)
        if not isinstance(found, int) or found < 1:
            raise TaskError(f"{folder}/config.json: {names[0]} must be a whole number above 0, not {found!r}.")
        return found

    width = size("hidden_size", "dim")
    inner = size("intermediate_size", "hidden_dim")
    layers = size("num_hidden_layers", "n_layers")
    rows = size("vocab_size") + size("max_position_embeddings")
    return rows * width + layers * (4 * width * width + 2 * width * inner)


def _load_hugging_face(folder: Path, config: Mapping[str, Any]) -> keras.Model:
    import keras_hub

    extra = {"num_segments": config["type_vocab_size"]} if config["model_type"] == "bert" else {}
    try:
        backbone = keras_hub.models.Backbone.from_preset(str(folder), dropout=0.0, **extra)
        if config["model_type"] == "roberta":
            _add_first_segment(backbone, folder)
    except Exception as cause:
        raise TaskError(f"{folder}: KerasHub cannot load it: {first_line(cause)}") from cause
    activation = _activations()[_activation_name(config)]
    for layer in backbone._flatten_layers(include_self=False):
        if isinstance(layer, keras_hub.layers.TransformerEncoder):
            layer._feedforward_intermediate_dense.activation = activation
        if isinstance(layer, keras.layers.LayerNormalization) and "layer_norm_eps" in config:
            layer.epsilon = float(config["layer_norm_eps"])
    return backbone


def _add_first_segment(backbone: keras.Model, folder: Path) -> None:
    """Adds the vector of segment 0 to every position: KerasHub's RoBERTa has no segments and leaves it out.

    The published RoBERTa has zeros there; a checkpoint trained further may not.
    """
    from safetensors import safe_open

    positions = backbone.embeddings.position_embedding.position_embeddings
    for path in safetensors_files(folder):
        with safe_open(path, framework="numpy") as file:
            for name in file.keys():  # noqa: SIM118  it is no mapping
                if name.endswith("embeddings.token_type_embeddings.weight"):
                    positions.assign_add(file.get_tensor(name)[0].astype("float32"))


def _load_preset(folder: Path, config: dict[str, Any]) -> keras.Model:
    check_preset(folder, config)
    import keras_hub

    try:
        return keras_hub.models.Backbone.from_preset(str(folder), dropout=0.0)
    except Exception as cause:
        raise TaskError(f"{folder}: KerasHub cannot load it as a language network: {first_line(cause)}") from cause


def _activation_name(config: Mapping[str, Any]) -> str:
    return str(config.get("hidden_act", config.get("activation", "gelu")))


def _activations() -> dict[str, Any]:
    """By Hugging Face's names. KerasHub registers the tanh form under a name that a saved model finds again."""
    import keras_hub  # noqa: F401  registers it

    by_tanh = keras.saving.get_registered_object("keras_hub>gelu_approximate")
    return {
        "gelu": keras.activations.gelu,
        "gelu_new": by_tanh,
        "gelu_pytorch_tanh": by_tanh,
        "relu": keras.activations.relu,
        "silu": keras.activations.silu,
        "swish": keras.activations.silu,
    }


def _drawn_again(backbone: keras.Model, *, padding_id: int, length: int | None, max_positions: int) -> Bert:
    """The backbone's graph on token ids alone, with its encoders laid open."""
    import keras_hub

    token_ids = keras.Input((length,), dtype="int32", name="token_ids")
    mask = ops.not_equal(token_ids, padding_id)
    given = {"token_ids": token_ids, "padding_mask": mask, "segment_ids": ops.zeros_like(token_ids)}
    values = {id(tensor): given[tensor.name] for tensor in backbone.inputs}
    for node in nodes_in_order(backbone):
        layer = node.operation
        arguments, keywords = node.arguments.fill_in(values)
        if isinstance(layer, keras_hub.layers.TransformerEncoder):
            outputs: list[Any] = [_opened(layer, arguments[0], mask)]
        elif isinstance(layer, keras.layers.Dropout):
            outputs = [arguments[0]]
        else:
            outputs = keras.tree.flatten(layer(*arguments, **keywords))
        values.update(zip(map(id, node.outputs), outputs, strict=True))
    output = backbone.output["sequence_output"] if isinstance(backbone.output, dict) else backbone.output
    return Bert(keras.Model(token_ids, values[id(output)], name="bert"), padding_id, max_positions)


def _opened(encoder: Any, hidden: keras.KerasTensor, mask: keras.KerasTensor) -> keras.KerasTensor:
    """One encoder by the layers inside it. Paper: Vaswani et al., NeurIPS 2017 (arXiv:1706.03762), section 3.1."""
    # (n, 1, length): each token may look at all that are no padding. Made anew for each encoder, so that the plain mask
    # is what crosses a cut.
    attended = ops.expand_dims(mask, 1)
    attention = _renamed(encoder, "attention", encoder._self_attention_layer)
    attention_norm = _renamed(encoder, "attention_norm", encoder._self_attention_layer_norm)
    inner = _renamed(encoder, "inner", encoder._feedforward_intermediate_dense)
    outer = _renamed(encoder, "outer", encoder._feedforward_output_dense)
    outer_norm = _renamed(encoder, "outer_norm", encoder._feedforward_layer_norm)
    if encoder.normalize_first:
        normal = attention_norm(hidden)
        hidden = hidden + attention(query=normal, value=normal, attention_mask=attended)
        return hidden + outer(inner(outer_norm(hidden)))
    hidden = attention_norm(attention(query=hidden, value=hidden, attention_mask=attended) + hidden)
    return outer_norm(outer(inner(hidden)) + hidden)


def _renamed(encoder: Any, part: str, layer: Any) -> Any:
    """Every encoder calls its layers by the same names; in one graph each needs its own."""
    layer.name = f"{encoder.name}_{part}"
    return layer


def _hugging_face_folder(address: str) -> Path:
    from huggingface_hub import snapshot_download

    owner_and_name = address.removeprefix("hf://")
    with downloading():
        return Path(
            snapshot_download(owner_and_name, allow_patterns=list(HUB_FILES), local_files_only=offline_by_environment())
        )


def _kaggle_folder(address: str) -> Path:
    import keras_hub

    if offline_by_environment():
        raise OSError("AUTOTL_OFFLINE is set")
    with downloading():
        keras_hub.models.Backbone.from_preset(address)
        keras_hub.models.Tokenizer.from_preset(address)
    folder = cached_preset_folder(address)
    if folder is None:
        raise OSError("it was downloaded, but is not in the hub client's cache")
    return folder
