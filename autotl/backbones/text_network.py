"""A language network with its tokenizer, from a folder, as a backbone for texts."""

from pathlib import Path
from typing import Any

from autotl.backbones.form import Form
from autotl.backbones.origin import Loaded
from autotl.backbones.reading import TokenReading
from autotl.backbones.tokenizer import read_wordpiece
from autotl.errors import TaskError

HUGGING_FACE_FILES = ("config.json", "model.safetensors")


def is_hugging_face_folder(folder: Path) -> bool:
    """Whether a folder holds a checkpoint as Hugging Face writes it."""
    return all((folder / name).is_file() for name in HUGGING_FACE_FILES)


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
