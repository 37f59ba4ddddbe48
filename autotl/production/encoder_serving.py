"""The winner whose network runs on PyTorch: an encoder, and a Keras model from its features to probabilities.

Its bundle holds a folder as Hugging Face's libraries write it, with the weights as they were trained here, in the place
of a network inside `model.keras`. It predicts whatever Keras computes by, and nowhere without PyTorch.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import keras
import numpy as np
from numpy.typing import NDArray

from autotl.backbones.classical import BAG_OF_WORDS
from autotl.backbones.form import Form
from autotl.backbones.hugging_face import HOW_TO_GET_TORCH, PROCESSOR, load_encoder, pooling_of
from autotl.backbones.reading import Reading, StringReading
from autotl.backbones.subword_tokenizer import SubwordTokenizer, read_subwords
from autotl.errors import EnvironmentProblemError, StorageError, TaskError
from autotl.features.engine import needed_length
from autotl.task import Problem
from autotl.trial.classical import BagOfWords, model_named
from autotl.trial.joined_words import opinions_of

if TYPE_CHECKING:
    from autotl.backbones.torch_encoder import TorchEncoder

OF_WORDS = "words-"  # begins the names of a bag of words' own files, beside the encoder's
BATCH = 32  # examples that the encoder computes at once


@dataclass(frozen=True, eq=False)
class EncoderServing:
    """An encoder with its head.

    Attributes:
        form: in which the encoder takes its examples.
        tap: `last`, or `E1`, `E2` … for the end of a block.
        tokenizer: of texts; None for images.
        head: from the encoder's features, and what words say beside them where some do, to probabilities.
        reading: gives images as squares, and texts as they are.
        words: a bag of words whose opinions join the features; None where none do.
    """

    encoder: "TorchEncoder"
    form: Form
    tap: str
    tokenizer: SubwordTokenizer | None
    head: keras.Model
    reading: Reading
    words: BagOfWords | None = None

    def predict(self, examples: NDArray[Any]) -> NDArray[np.float32]:
        """Probabilities of one batch."""
        return self.predict_with_features(examples)[0]

    def predict_with_features(self, examples: NDArray[Any]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Probabilities, and features (n, d) as the encoder gives them."""
        features = self._features(examples)
        given: Any = features
        if self.words is not None:
            given = [features, opinions_of(self.words, examples.tolist())]
        return np.asarray(self.head.predict_on_batch(given), dtype=np.float32), features

    def write(self, folder: Path) -> None:
        """The encoder's own files, as `transformers` reads them."""
        from autotl.backbones.subword_tokenizer import quiet_transformers
        from autotl.backbones.torch_encoder import ImageInput

        with quiet_transformers():
            self.encoder.save(folder)
        if self.tokenizer is not None:
            self.tokenizer.save(folder)
        for name, content in ({} if self.words is None else self.words.native_files()).items():
            (folder / f"{OF_WORDS}{name}").write_bytes(content)
        if isinstance(self.encoder.takes, ImageInput):
            (folder / PROCESSOR).write_text(json.dumps(self.encoder.takes.processor, indent=1), encoding="utf-8")

    def as_dict(self) -> dict[str, Any]:
        """What `read_encoder` must know beside the files; plain JSON values."""
        size = {"image_size": self.form.side} if self.tokenizer is None else self._of_texts()
        words = {} if self.words is None else {"words": BAG_OF_WORDS}
        return {"tap": self.tap, **size, **words}

    def _of_texts(self) -> dict[str, Any]:
        return {"sequence_length": self.form.sequence_length, "pooling": self.form.pooling}

    def _features(self, examples: NDArray[Any]) -> NDArray[np.float32]:
        import torch

        pooling = pooling_of(self.form, self.encoder)
        said = []
        for start in range(0, len(examples), BATCH):
            given = self._given(examples[start : start + BATCH])
            tensor = torch.as_tensor(np.ascontiguousarray(given), device=self.encoder.device)
            said.append(self.encoder.features(tensor, tap=self.tap, pooling=pooling).cpu().numpy())
        return np.concatenate(said)

    def _given(self, examples: NDArray[Any]) -> NDArray[Any]:
        """One batch as the encoder takes it; texts without the padding that all of them share."""
        if self.tokenizer is None or self.form.sequence_length is None:
            return examples
        tokens = self.tokenizer.encode(examples.tolist(), self.form.sequence_length)
        return tokens[:, : needed_length(tokens, self.tokenizer.padding_id)]


def read_encoder(
    folder: Path, head: keras.Model, described: Mapping[str, Any], *, reading: Reading, problem: Problem
) -> EncoderServing:
    """What `EncoderServing.write` and `as_dict` left behind.

    Raises:
        EnvironmentProblemError: PyTorch is not installed.
        StorageError: its files cannot be read, or do not fit each other.
    """
    if find_spec("torch") is None:
        raise EnvironmentProblemError(
            f"{folder.parent}: the model's network runs on PyTorch, which is not installed. {HOW_TO_GET_TORCH}"
        )
    try:
        form, tap = _form(described, reading), str(described["tap"])
        tokenizer = read_subwords(folder, label=str(folder)) if form.modality == "text" else None
        encoder = load_encoder(folder, form, tokenizer, label=str(folder))
        words = _read_words(folder, problem) if described.get("words") == BAG_OF_WORDS else None
    except TaskError as error:
        raise StorageError(str(error)) from error
    except (KeyError, TypeError, ValueError) as error:
        raise StorageError(f"{folder}: its description makes no sense: {error!r}") from error
    widths = [encoder.width(tap)] if _is_tap(tap, encoder.blocks) else []
    widths += [] if words is None else [words.classes]
    if widths != [tensor.shape[-1] for tensor in head.inputs]:
        raise StorageError(f"{folder}: the network in it does not fit the head beside it (tap {tap!r}).")
    return EncoderServing(encoder, form, tap, tokenizer, head, reading, words)


def _read_words(folder: Path, problem: Problem) -> BagOfWords:
    files = {path.name.removeprefix(OF_WORDS): path.read_bytes() for path in folder.glob(f"{OF_WORDS}*")}
    return cast(BagOfWords, model_named(BAG_OF_WORDS, problem).from_native_files(files))


def _form(described: Mapping[str, Any], reading: Reading) -> Form:
    if isinstance(reading, StringReading):
        return Form("text", sequence_length=int(described["sequence_length"]), pooling=str(described["pooling"]))
    return Form("image", image_size=int(described["image_size"]))


def _is_tap(tap: str, blocks: int) -> bool:
    return tap == "last" or (tap[:1] == "E" and tap[1:].isdecimal() and 1 <= int(tap[1:]) <= blocks)
