"""The tokenizer of a Hugging Face checkpoint, whatever its kind, by the fast tokenizers of `transformers`.

What a user writes is never more than text: a `[MASK]` or `</s>` in it is cut into pieces like any other word.
"""

import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from autotl.errors import TaskError, first_line

LONGEST = 1_000_000  # tokenizers that know no limit tell of a larger number
VOCABULARIES = ("tokenizer.json", "vocab.txt", "vocab.json", "*.model")  # without any, one is made up of no words
_BATCH = 1_000  # texts tokenized at once
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, eq=False)
class SubwordTokenizer:
    """A tokenizer as `transformers` loads it.

    Attributes:
        padding_id: stands behind the tokens of a text.
        vocabulary_size: ids lie below it.
        longest: tokens that its network was trained to, as far as it says; None where it does not.
    """

    tokenizer: Any
    padding_id: int
    vocabulary_size: int
    longest: int | None

    @cached_property
    def digest(self) -> str:
        """xxh3-128 of everything that decides the ids, hexadecimal."""
        return xxhash.xxh3_128_hexdigest(self.tokenizer.backend_tokenizer.to_str().encode())

    def encode(self, texts: Sequence[str], length: int) -> NDArray[np.int32]:
        """Token ids, int32 (len(texts), length): the text's first tokens between those that the network wants around
        it, then padding."""
        result = np.full((len(texts), length), self.padding_id, dtype=np.int32)
        for row, tokens in enumerate(self._tokens(texts, truncation=True, max_length=length)):
            result[row, : len(tokens)] = tokens
        return result

    def lengths(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """How many tokens each whole text has, those around it counted, int64 (len(texts),)."""
        return np.fromiter(map(len, self._tokens(texts)), dtype=np.int64, count=len(texts))

    def save(self, folder: Path) -> None:
        """Writes what `read_subwords` reads; JSON only."""
        with quiet_transformers():
            self.tokenizer.save_pretrained(folder)

    def _tokens(self, texts: Sequence[str], **settings: Any) -> Iterator[list[int]]:
        for first in range(0, len(texts), _BATCH):
            batch = [_SURROGATE.sub("", text) for text in texts[first : first + _BATCH]]
            # silent, for it warns of texts that are longer than the network takes, and those are cut
            yield from self.tokenizer(batch, split_special_tokens=True, verbose=False, **settings)["input_ids"]


def read_subwords(folder: Path, *, label: str) -> SubwordTokenizer:
    """The tokenizer of a checkpoint's folder; no code in it is run and no socket opened.

    Raises:
        TaskError: there is none that `transformers` can load, or it has no token to pad with.
    """
    if not any(path.is_file() for pattern in VOCABULARIES for path in folder.glob(pattern)):
        raise TaskError(
            f"{label}: there is no tokenizer in {folder}. A checkpoint for texts brings one, such as tokenizer.json "
            "and tokenizer_config.json: copy them into its folder."
        )
    from transformers import AutoTokenizer

    try:
        with quiet_transformers():
            tokenizer = AutoTokenizer.from_pretrained(
                str(folder), trust_remote_code=False, local_files_only=True, use_fast=True
            )
    except Exception as cause:  # it meets foreign files and raises nearly anything
        raise TaskError(
            f"{label}: its tokenizer cannot be loaded ({first_line(cause)}). Copy the checkpoint's files anew."
        ) from cause
    if not tokenizer.is_fast:
        raise TaskError(
            f"{label}: its {type(tokenizer).__name__} has no fast form. Save the checkpoint's tokenizer once more with "
            "`tokenizer.save_pretrained(FOLDER)`, which writes tokenizer.json."
        )
    if tokenizer.pad_token_id is None:
        raise TaskError(f"{label}: its tokenizer has no token to pad with, so texts of two lengths fit in no batch.")
    tokenizer.truncation_side = "right"
    longest = int(tokenizer.model_max_length)
    return SubwordTokenizer(
        tokenizer, int(tokenizer.pad_token_id), len(tokenizer), longest if longest < LONGEST else None
    )


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """Neither progress bars nor warnings of `transformers` for as long as the context lasts."""
    from transformers.utils import logging as its_own

    own: Any = its_own  # it carries no types
    logger = logging.getLogger("transformers")
    before, bar = logger.level, own.is_progress_bar_enabled()
    own.disable_progress_bar()
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)
        if bar:
            own.enable_progress_bar()
