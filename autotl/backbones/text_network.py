"""A language network with its tokenizer, from a folder, as a backbone for texts."""

import json
from pathlib import Path
from typing import Any

from autotl.backbones.availability import keras_backend
from autotl.backbones.form import Form
from autotl.backbones.hugging_face import NAME as HUGGING_FACE
from autotl.backbones.hugging_face import tokenizer_and_length
from autotl.backbones.origin import Loaded
from autotl.backbones.reading import TokenReading
from autotl.backbones.spec import BackboneSpec
from autotl.backbones.subword_tokenizer import SubwordTokenizer
from autotl.backbones.text_package import TEXT_PACKAGES, text_package_folder, why_text_package_not_at_hand
from autotl.backbones.tokenizer import WordPiece, read_wordpiece
from autotl.errors import TaskError

USUAL_LENGTH = 512
HUGGING_FACE_FILES = ("config.json", "model.safetensors")


def is_hugging_face_folder(folder: Path) -> bool:
    """Whether a folder holds a checkpoint as Hugging Face writes it."""
    return all((folder / name).is_file() for name in HUGGING_FACE_FILES)


def tokenizer_of(spec: BackboneSpec) -> tuple[WordPiece | SubwordTokenizer, int] | None:
    """A language network's tokenizer and the length it was trained to; None where its files are not on this machine."""
    if spec.origin == HUGGING_FACE:
        return tokenizer_and_length(spec)
    if spec.name in TEXT_PACKAGES:
        folder = text_package_folder(spec.name) if why_text_package_not_at_hand(spec.name) is None else None
    else:
        folder = Path(spec.name) if Path(spec.name).is_dir() else None
    return None if folder is None else (read_wordpiece(folder), _trained_length(folder))


def why_it_cannot_ship(spec: BackboneSpec) -> str | None:
    """Why no model with this language network could be written in this process; None where one can."""
    backend = keras_backend()
    if backend == "tensorflow" or spec.origin not in ("package", "preset"):
        return None
    return (
        f"{spec.label}: its tokenizer ships inside a graph of strings, which TensorFlow alone has, and Keras computes "
        f"by {backend} here. Search it without KERAS_BACKEND, or name its folder as {{hugging_face: FOLDER}}."
    )


def _trained_length(folder: Path) -> int:
    """Tokens: of a sentence network as it says, else as many as there are positions for."""
    for name, key in (("sentence_bert_config.json", "max_seq_length"), ("config.json", "max_position_embeddings")):
        if (folder / name).is_file():
            content = json.loads((folder / name).read_text(encoding="utf-8"))
            length = content.get(key) or content.get("config", {}).get("max_sequence_length")
            if isinstance(length, int):
                return length
    return USUAL_LENGTH


def load_text_network(folder: Path, label: str, form: Form) -> Loaded:
    """The network of a Hugging Face or KerasHub folder; its texts may be shorter than the form's length in a batch.

    Raises:
        TaskError: the form is not one of texts, the folder holds no such network, or it has too few positions.
    """
    if form.modality != "text" or form.sequence_length is None:
        raise TaskError(f"backbone {label} reads texts, not {form.words}.")
    from autotl.backbones.bert import Pooling, bert_from_folder, pooled

    wordpiece = read_wordpiece(folder)
    network = bert_from_folder(folder, padding_id=wordpiece.padding_id)
    if not 3 <= form.sequence_length <= network.max_positions:
        raise TaskError(
            f"backbone {label}: a sequence length of {form.sequence_length} is not possible. "
            f"Allowed: 3 to {network.max_positions}."
        )

    kind: Pooling = "cls" if form.pooling == "cls" else "mean"

    def pool(sequence: Any, token_ids: Any) -> Any:
        return pooled(sequence, token_ids, kind, padding_id=network.padding_id)

    return Loaded(network.model, reading=TokenReading(wordpiece, form.sequence_length), pool=pool)
