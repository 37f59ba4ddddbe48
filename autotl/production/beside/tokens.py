"""Texts as the model takes them: token ids, int32 (n, length), by the WordPiece vocabulary in tokenizer.json.

The way of BERT: clean, set Chinese characters apart, lower case and accents as the tokenizer says, divide at white
space and around signs, then the longest known pieces of each word from its beginning. A word of more than 100 bytes is
unknown.
"""

import json
import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

MAX_WORD_BYTES = 100
SPACES = "\t\n\r"
LOST = re.compile("[\0\U000f0000-\U0010ffff]")  # such a character makes the word that it stands in unknown
LOST_MARK = "\U0010ffff"
SURROGATES = re.compile("[\ud800-\udfff]")
CHINESE = re.compile(
    "([\u4e00-\u9fff\u3400-\u4dbf\U00020000-\U0002a6df\U0002a700-\U0002b73f\U0002b740-\U0002b81f"
    "\U0002b920-\U0002ceaf\uf900-\ufaff\U0002f800-\U0002fa1f])"
)


def preprocess(examples: Sequence[str], described: dict[str, Any]) -> Any:
    """Token ids: start, the first tokens of each text, end, padding."""
    tokenizer = Tokenizer(**tokenizer_file(Path(__file__).parent / "tokenizer.json"))
    length = described["sequence_length"]
    result = np.full((len(examples), length), tokenizer.ids[tokenizer.padding], dtype=np.int32)
    for row, text in zip(result, examples, strict=True):
        kept = list(tokenizer.tokens(text, length - 2))
        row[: len(kept) + 2] = [tokenizer.ids[tokenizer.start], *kept, tokenizer.ids[tokenizer.end]]
    return result


@cache
def tokenizer_file(path: Path) -> dict[str, Any]:
    """What tokenizer.json says, and the id of each token."""
    described: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return {**described, "ids": {token: number for number, token in enumerate(described["vocabulary"])}}


class Tokenizer:
    """WordPiece."""

    def __init__(self, *, ids: dict[str, int], **described: Any) -> None:
        self.ids = ids
        self.lowercase: bool = described["lowercase"]
        self.strip_accents: bool = described["strip_accents"]
        self.split_cjk: bool = described["split_cjk"]
        self.unknown: str = described["unknown"]
        self.start: str = described["start"]
        self.end: str = described["end"]
        self.padding: str = described["padding"]

    def tokens(self, text: str, most: int) -> Iterator[int]:
        """The first token ids of a text."""
        for word in self.words(text):
            for token in self.pieces(word):
                if most == 0:
                    return
                most -= 1
                yield token

    def words(self, text: str) -> list[str]:
        """Words and signs, as they are looked up."""
        text = LOST.sub(LOST_MARK, SURROGATES.sub("", text))
        text = "".join(map(cleaned, text))
        if self.split_cjk:
            text = CHINESE.sub(r" \1 ", text)
        if self.strip_accents:
            text = "".join(each for each in unicodedata.normalize("NFD", text) if unicodedata.category(each) != "Mn")
        if self.lowercase:
            text = "".join(each.lower() for each in text)
        return "".join(f" {each} " if is_sign(each) else each for each in text).split()

    def pieces(self, word: str) -> list[int]:
        """The longest known pieces from the beginning; the unknown token where there is no such division."""
        found: list[int] = []
        start = 0
        while start < len(word):
            end = len(word) if len(word.encode()) <= MAX_WORD_BYTES else start
            while end > start and ("##" if start else "") + word[start:end] not in self.ids:
                end -= 1
            if end == start:
                return [self.ids[self.unknown]]
            found.append(self.ids[("##" if start else "") + word[start:end]])
            start = end
        return found


def cleaned(letter: str) -> str:
    """A space for white space, nothing for what is no character to read."""
    if letter in SPACES:
        return " "
    if letter == "\ufffd" or (unicodedata.category(letter).startswith("C") and letter != LOST_MARK):
        return ""
    return " " if letter.isspace() else letter


def is_sign(letter: str) -> bool:
    """Whether it stands for itself: punctuation, and what ASCII has beside letters and digits."""
    return unicodedata.category(letter).startswith("P") or ("!" <= letter <= "~" and not letter.isalnum())
