"""A Hugging Face folder as it lies on the disk: what may be in it, before anything of it is loaded. Imports no PyTorch.

Weights are safetensors, whose header is held against the file. A folder that wants code of its own to be run is refused
wherever it says so: there is nothing in autotl that would run it.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from autotl.backbones.archive import read_mapping, read_preset_config
from autotl.backbones.availability import hugging_face_snapshot
from autotl.backbones.safe_weights import INDEX, WEIGHTS, check_safetensors, safetensors_files
from autotl.errors import TaskError

SETTINGS = ("tokenizer_config.json", "preprocessor_config.json", "processor_config.json")
KERAS_HUB_TYPES = ("bert", "distilbert", "roberta", "xlm-roberta")  # of networks for texts, that KerasHub converts
GENERATIVE = ("ForCausalLM", "LMHeadModel", "ForConditionalGeneration", "ForSeq2SeqLM")
OTHER_TOKENIZERS = ("merges.txt", "tokenizer.model", "spiece.model", "sentencepiece.bpe.model")  # than WordPiece
HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+", re.ASCII)
HUB_FILES = ("*.json", "*.txt", "*.safetensors", "*.model")  # never a pickle, never code


def is_checkpoint(folder: Path) -> bool:
    """Whether a folder looks like one that Hugging Face's libraries write, whatever its weights are kept in."""
    return isinstance(read_json_or_nothing(folder / "config.json").get("model_type"), str)


def needs_torch(folder: Path) -> bool:
    """Whether a folder is a checkpoint that KerasHub and the WordPiece tokenizer cannot load together."""
    if not is_checkpoint(folder):
        return False
    if read_json_or_nothing(folder / "config.json")["model_type"] not in KERAS_HUB_TYPES:
        return True
    model = read_json_or_nothing(folder / "tokenizer.json").get("model")
    kind = model.get("type", "WordPiece") if isinstance(model, dict) else "WordPiece"
    has_words = (folder / "vocab.txt").is_file() and kind == "WordPiece"
    return not has_words and (kind != "WordPiece" or any((folder / name).is_file() for name in OTHER_TOKENIZERS))


def checked_config(folder: Path, *, label: str) -> dict[str, Any]:
    """The configuration of a folder whose network may be loaded.

    Raises:
        TaskError: no such folder, weights that are not safetensors or damaged, code of its own, or a model that writes
            texts.
    """
    with _told_of(label):
        config = read_preset_config(folder)
    if not isinstance(config.get("model_type"), str):
        raise TaskError(f"{label}: its config.json names no model_type, so it is no checkpoint of Hugging Face's.")
    _refuse_code(folder, config, label)
    if not (folder / WEIGHTS).is_file() and not (folder / INDEX).is_file():
        pickles = sorted(path.name for path in (*folder.glob("*.bin"), *folder.glob("*.pt"), *folder.glob("*.pth")))
        seen = f" It holds {pickles[0]}, a pickle, which can run code and is never read." if pickles else ""
        raise TaskError(
            f"{label}: there is no {WEIGHTS} in it.{seen} Save the network once more where you trust it, with "
            "`model.save_pretrained(FOLDER)`, which writes safetensors."
        )
    with _told_of(label):
        for path in safetensors_files(folder):
            check_safetensors(path)
    _refuse_generative(config, label)
    return config


@contextmanager
def _told_of(label: str) -> Iterator[None]:
    """What is wrong with files, as told of the backbone that they are of."""
    try:
        yield
    except TaskError as cause:
        raise TaskError(f"{label}: {cause}") from cause


def cached_checkpoint(name: str, revision: str | None) -> Path | None:
    """The snapshot of a hub's checkpoint on this machine, with its weights in it; of a revision where one is named."""
    folder = hugging_face_snapshot(name, revision)
    if folder is None or not any((folder / file).is_file() for file in (WEIGHTS, INDEX)):
        return None
    return folder if is_checkpoint(folder) else None


def read_json_or_nothing(path: Path) -> dict[str, Any]:
    """The mapping in a file; empty where there is none."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _refuse_code(folder: Path, config: Mapping[str, Any], label: str) -> None:
    settings = {"config.json": config}
    for name in SETTINGS:
        path = folder / name
        if path.is_file():
            settings[name] = read_mapping(path, called=f"{label}: its {path.name}")
    for name, content in settings.items():
        for key in ("auto_map", "trust_remote_code", "custom_pipelines"):
            if content.get(key):
                raise TaskError(
                    f"{label}: its {name} wants code of its own to be run ({key}). autotl runs no code that comes with "
                    "a checkpoint. Name one whose network is part of the `transformers` package, or convert it to "
                    "that."
                )


def _refuse_generative(config: Mapping[str, Any], label: str) -> None:
    named = config.get("architectures")
    architectures = [str(each) for each in named] if isinstance(named, list) else []
    writes = next((each for each in architectures if each.endswith(GENERATIVE)), None)
    kind = config["model_type"]
    if config.get("is_encoder_decoder"):
        seen = f"a {kind} is an encoder and a decoder in one"
    elif config.get("is_decoder"):
        seen = f"this {kind} is a decoder (is_decoder)"
    elif writes is not None:
        seen = f"a {writes} writes texts and reads from left to right only"
    else:
        return
    raise TaskError(
        f"{label}: {seen}. A backbone is an encoder, which sees an example from all sides: name one, such as BERT, "
        "MPNet, DeBERTa or ModernBERT for texts, ViT or DINOv2 for images."
    )
