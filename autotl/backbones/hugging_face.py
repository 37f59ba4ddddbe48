"""Encoders of Hugging Face that KerasHub cannot load, text or vision, computed by PyTorch; the extra `[torch]`.

A folder or a hub's checkpoint is loaded by `transformers` itself: its network, its tokenizer, the scaling of its image
processor. None of its code is run, and no pickle read. Under Keras on TensorFlow such a network is a frozen extractor;
where Keras computes by PyTorch, its blocks can be unfrozen too.
"""

# ruff: noqa: ARG002  an origin need not use everything it is offered

import json
import re
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autotl.backbones.availability import downloading, keras_backend
from autotl.backbones.checkpoint_folder import (
    HUB_FILES,
    HUB_NAME,
    cached_checkpoint,
    checked_config,
    is_checkpoint,
    read_json_or_nothing,
)
from autotl.backbones.form import Form
from autotl.backbones.origin import Loaded
from autotl.backbones.pixels import PixelScaling
from autotl.backbones.reading import SubwordReading
from autotl.backbones.spec import BackboneSpec
from autotl.backbones.subword_tokenizer import SubwordTokenizer, quiet_transformers, read_subwords
from autotl.errors import EnvironmentProblemError, TaskError, first_line, in_one_line

if TYPE_CHECKING:
    import torch

    from autotl.backbones.torch_encoder import ImageInput, TextInput, TorchEncoder

NAME = "hugging_face"
SCHEME = "hf://"
PROCESSOR = "preprocessor_config.json"
FEWEST_TOKENS = 3
LAST = "last"  # tap
BLOCK_END = re.compile(r"E[1-9]\d*")
STANDARD_TAP = re.compile(r"[EP]\d+")  # any other is the name of a layer
BLOCKS = ("num_hidden_layers", "n_layers", "num_layers")
RUN_AS_A_WHOLE = ("albert", "squeezebert", "vit_mae")  # though their configurations name a number of blocks
HOW_TO_GET_TORCH = (
    "Run `pip install torch --index-url https://download.pytorch.org/whl/cpu` (without the index, pip brings "
    "gigabytes for GPUs), or `pip install 'autotl[torch]'` on a machine with a GPU."
)


class HuggingFaceOrigin:
    """`{hugging_face: FOLDER | OWNER/NAME}`, a hub's checkpoint also with its `revision`; or the bare path of a folder
    whose kind of network KerasHub does not know."""

    options = frozenset({"revision"})

    def names(self) -> tuple[str, ...]:
        return ()

    def read(self, name: str, options: Mapping[str, Any], *, folder: Path, where: str) -> BackboneSpec:
        revision = options.get("revision")
        if revision is not None and not (isinstance(revision, str) and revision.isalnum()):
            raise TaskError(f"{where}: revision must be a commit, a branch or a tag of the hub, not {revision!r}.")
        path = (folder / Path(name).expanduser()).resolve()
        if path.is_dir():
            if revision is not None:
                raise TaskError(f"{where}: {name!r} is a folder, which has no revision; leave it out.")
            checked_config(path, label=f"{where}: {name!r}")
            return BackboneSpec(NAME, str(path))
        address = name.removeprefix(SCHEME)
        if not HUB_NAME.fullmatch(address):
            raise TaskError(
                f"{where}: there is nothing at {name!r} (looked in {folder}). Allowed: the folder of a checkpoint "
                "(config.json and model.safetensors in it), or its name on the hub, OWNER/NAME."
            )
        cached = cached_checkpoint(address, revision)
        return BackboneSpec(NAME, address, weights=revision if cached is None else cached.name)

    def why_not_at_hand(self, spec: BackboneSpec, *, offline: bool) -> str | None:
        if find_spec("torch") is None:
            return f"{spec.label}: its network runs on PyTorch, which is not installed. {HOW_TO_GET_TORCH}"
        if Path(spec.name).is_absolute():
            return None if is_checkpoint(Path(spec.name)) else f"{spec.label}: there is no checkpoint at {spec.name}."
        if not offline or cached_checkpoint(spec.name, spec.weights) is not None:
            return None
        return (
            f"{spec.label}: its weights are not on this machine. Run once without --offline to download them, or copy "
            "its folder here and give the path."
        )

    def layer_count(self, spec: BackboneSpec, tap: str) -> int | None:
        if why_on_torch_alone() is not None:
            return 0
        blocks = _blocks(spec)
        if blocks is None or not (tap == LAST or BLOCK_END.fullmatch(tap)):
            return None
        return 1 + (blocks if tap == LAST else int(tap[1:]))  # embeddings and blocks; a norm at the end may be one more

    def smallest_image_size(self, spec: BackboneSpec) -> int:
        return 1

    def load(self, spec: BackboneSpec, *, form: Form, seed: int) -> Loaded:
        from autotl.backbones.encoder_stage import EncoderStage, is_by_torch, staged
        from autotl.backbones.graph import digest_of_named_files
        from autotl.backbones.torch_encoder import POOLING, ImageInput

        folder = folder_of(spec)
        if form.modality not in ("text", "image"):
            raise TaskError(f"backbone {spec.label} is an encoder of texts or images; it does not take {form.words}.")
        tokenizer = read_subwords(folder, label=f"backbone {spec.label}") if form.modality == "text" else None
        encoder = load_encoder(folder, form, tokenizer, label=spec.label)
        pooling = pooling_of(form, encoder)
        reading = None
        if tokenizer is not None and form.sequence_length is not None:
            reading = SubwordReading(tokenizer, form.sequence_length)
        is_image = isinstance(encoder.takes, ImageInput)

        def pool(hidden: Any, examples: Any) -> Any:
            return EncoderStage(encoder, POOLING, pooling=pooling)(hidden if is_image else [hidden, examples])

        return Loaded(
            staged(
                encoder,
                dtype="uint8" if is_image else "int32",
                shape=(form.side, form.side, 3) if is_image else (None,),
            ),
            scaling=None,
            reading=reading,
            pool=pool,
            fingerprint=digest_of_named_files(folder, ("config.json", "*.safetensors", PROCESSOR)),
            can_unfreeze=is_by_torch(),
            encoder=encoder,
        )


def why_on_torch_alone() -> str | None:
    """Why such networks stay frozen in this process; None where Keras computes by PyTorch, too."""
    backend = keras_backend()
    if backend == "torch":
        return None
    return f"it runs on PyTorch, and Keras here on {backend}. KERAS_BACKEND=torch in the environment trains it"


def has_tap(spec: BackboneSpec, tap: str) -> bool | None:
    """Whether a checkpoint's network can end at a tap, as far as its configuration tells; None where loading does."""
    if tap == LAST or not STANDARD_TAP.fullmatch(tap):
        return True if tap == LAST else None
    blocks = _blocks(spec)
    if not BLOCK_END.fullmatch(tap):
        return False
    return None if blocks is None else int(tap[1:]) <= blocks


def own_image_size(spec: BackboneSpec) -> int | None:
    """Pixels a side that a checkpoint's image processor makes; None where it does not say."""
    folder = _folder_at_hand(spec)
    settings = {} if folder is None else read_json_or_nothing(folder / PROCESSOR)
    for name in ("crop_size", "size"):
        size = settings.get(name)
        size = size.get("height", size.get("shortest_edge")) if isinstance(size, dict) else size
        if isinstance(size, int) and not isinstance(size, bool) and size > 0:
            return size
    return None


def _blocks(spec: BackboneSpec) -> int | None:
    """How many blocks the network has, as its configuration names them."""
    folder = _folder_at_hand(spec)
    config = {} if folder is None else read_json_or_nothing(folder / "config.json")
    found = next((config[name] for name in BLOCKS if isinstance(config.get(name), int)), None)
    return None if config.get("model_type") in RUN_AS_A_WHOLE else found


def _folder_at_hand(spec: BackboneSpec) -> Path | None:
    return Path(spec.name) if Path(spec.name).is_absolute() else cached_checkpoint(spec.name, spec.weights)


def folder_of(spec: BackboneSpec) -> Path:
    """The folder of a checkpoint, downloaded where it is the hub's and not on this machine.

    Raises:
        EnvironmentProblemError: it is out of reach.
    """
    if Path(spec.name).is_absolute():
        return Path(spec.name)
    folder = cached_checkpoint(spec.name, spec.weights)
    if folder is not None:
        return folder
    try:
        from huggingface_hub import snapshot_download

        with downloading():
            return Path(snapshot_download(spec.name, revision=spec.weights, allow_patterns=list(HUB_FILES)))
    except Exception as cause:  # the hub's client has errors of many kinds
        raise EnvironmentProblemError(
            f"{spec.label}: its weights are not on this machine and could not be downloaded from the Hugging Face hub "
            f"({first_line(cause)}). Copy its folder here and give the path."
        ) from cause


def tokenizer_and_length(spec: BackboneSpec) -> tuple[SubwordTokenizer, int] | None:
    """A checkpoint's tokenizer and the length that its network was trained to; None where its files are not here."""
    folder = _folder_at_hand(spec)
    if folder is None or not folder.is_dir():
        return None
    config = checked_config(folder, label=f"backbone {spec.label}")
    tokenizer = read_subwords(folder, label=f"backbone {spec.label}")
    return tokenizer, _longest(tokenizer, config)


def load_encoder(folder: Path, form: Form, tokenizer: SubwordTokenizer | None, *, label: str) -> "TorchEncoder":
    """The network of a checked folder, for examples in a form.

    Raises:
        TaskError: not an encoder of such examples, or weights that are missing, damaged or no safetensors.
    """
    config = checked_config(folder, label=f"backbone {label}")
    takes, tried = _of_images(folder, form, label) if tokenizer is None else _of_texts(tokenizer, form, config, label)
    import torch
    from transformers import AutoModel

    from autotl.backbones.torch_encoder import TorchEncoder, limit_threads

    limit_threads()
    try:
        with quiet_transformers():
            model, report = AutoModel.from_pretrained(
                str(folder),
                trust_remote_code=False,
                local_files_only=True,
                use_safetensors=True,
                dtype=torch.float32,
                output_loading_info=True,
            )
    except Exception as cause:  # it meets foreign files and raises nearly anything
        raise TaskError(
            f"backbone {label}: `transformers` cannot load it from {folder}: {in_one_line(cause)}"
        ) from cause
    return TorchEncoder(model, takes, tried, missing=set(report["missing_keys"]), label=label)


def pooling_of(form: Form, encoder: "TorchEncoder") -> str:
    """How hidden states become one vector: of texts as the plan says; of images the class token where there is one."""
    if form.modality == "text":
        return form.pooling
    return "cls" if encoder.has_class_token else "mean"


def _of_texts(
    tokenizer: SubwordTokenizer, form: Form, config: Mapping[str, Any], label: str
) -> "tuple[TextInput, torch.Tensor]":
    import torch

    from autotl.backbones.torch_encoder import TextInput

    longest, length = _longest(tokenizer, config), form.sequence_length or 0
    if not FEWEST_TOKENS <= length <= longest:
        raise TaskError(
            f"backbone {label}: a sequence length of {length} is not possible. Allowed: {FEWEST_TOKENS} to {longest}."
        )
    rows = config.get("vocab_size")
    if isinstance(rows, int) and tokenizer.vocabulary_size > rows:
        raise TaskError(
            f"backbone {label}: its tokenizer has {tokenizer.vocabulary_size:,} tokens, its network knows {rows:,}. "
            "They do not belong together: copy both from the same checkpoint."
        )
    known = [number for number in range(tokenizer.vocabulary_size) if number != tokenizer.padding_id]
    tokens = [known[place % len(known)] for place in range(length)]
    tried = torch.tensor([tokens, tokens], dtype=torch.int32)
    tried[1, (length + 2) // 2 :] = tokenizer.padding_id
    return TextInput(tokenizer.padding_id), tried


def _of_images(folder: Path, form: Form, label: str) -> "tuple[ImageInput, torch.Tensor]":
    import torch

    from autotl.backbones.torch_encoder import ImageInput

    tried = torch.arange(2 * form.side * form.side * 3).reshape(2, form.side, form.side, 3) * 31 % 256
    return ImageInput(form.side, *processing_of(folder, label=label)), tried.to(torch.uint8)


def processing_of(folder: Path, *, label: str) -> tuple[PixelScaling, dict[str, Any]]:
    """What the checkpoint's image processor does to pixels 0..255, and all that it says of itself; sizes and crops are
    the plan's.

    Raises:
        TaskError: there is no processor, or none that scales three channels.
    """
    if not (folder / PROCESSOR).is_file():
        raise TaskError(
            f"backbone {label}: there is no {PROCESSOR}, which says how its network wants pixels scaled. "
            "Copy it from the checkpoint, or save one with `ViTImageProcessor(...).save_pretrained(FOLDER)`."
        )
    from transformers import AutoImageProcessor

    processors: Any = AutoImageProcessor  # it carries no types
    try:
        with quiet_transformers():
            processor = processors.from_pretrained(str(folder), trust_remote_code=False, local_files_only=True)
        settings = json.loads(processor.to_json_string())
        factor = float(settings.get("rescale_factor") or 1 / 255) if settings.get("do_rescale", True) else 1.0
        normalizes = settings.get("do_normalize", True)
        means = _channels(settings["image_mean"] if normalizes else 0.0)
        deviations = _channels(settings["image_std"] if normalizes else 1.0)
        scale = [factor / deviation for deviation in deviations]
        offset = [-mean / deviation for mean, deviation in zip(means, deviations, strict=True)]
    except Exception as cause:  # likewise
        raise TaskError(f"backbone {label}: its {PROCESSOR} cannot be used ({first_line(cause)}).") from cause
    scaling = PixelScaling(scale=(scale[0], scale[1], scale[2]), offset=(offset[0], offset[1], offset[2]))
    return scaling, settings


def _channels(value: Any) -> list[float]:
    values = [float(each) for each in value] if isinstance(value, list | tuple) else [float(value)] * 3
    if len(values) != 3:
        raise ValueError(f"it scales {len(values)} channels, not three")
    return values


def _longest(tokenizer: SubwordTokenizer, config: Mapping[str, Any]) -> int:
    """Tokens that the network has positions for, as the tokenizer says, else the configuration."""
    positions = config.get("max_position_embeddings")
    usual = positions if isinstance(positions, int) and positions > 0 else 512
    return min(tokenizer.longest or usual, usual)
