"""WordPiece, the way of BERT-like networks from text to token ids, and the choice of a sequence length.

The reference is the fast tokenizer of Hugging Face; `token_layer` computes the same in a model's own graph. Where that
graph has a limit, the reference keeps it too, so that a network is trained on what it is served:

- A word of more than 100 bytes of UTF-8 becomes the unknown token (the original counts 100 characters: no difference in
  English; Thai or Korean words of over 33 characters are lost).
- A special token that a user writes into a text, `[MASK]` or `[SEP]`, is text like any other.
- NUL and the private planes 15 and 16 make the word they stand in unknown (the original passes over them).
- Lone halves of surrogate pairs are passed over.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from autotl.errors import TaskError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

SUFFIX_INDICATOR = "##"  # before a piece that continues a word
MAX_WORD_BYTES = 100
MAX_FILE_BYTES = 100 * 2**20
LONGEST_SEQUENCE = 512
LENGTH_STEP = 16
COVERED_SHARES = (0.5, 0.8, 0.95)
_READ = "autotl reads WordPiece tokenizers, those of BERT, DistilBERT, MiniLM and their like."
_BATCH = 1_000  # texts tokenized at once
_GLUE = "\U0010ffff"  # a code point that is never a character: in no vocabulary, and no tokenizer passes over it
_GLUED = re.compile("[\0\U000f0000-\U0010ffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_LONG_RUN = re.compile(rb"[^ ]{%d,}" % (MAX_WORD_BYTES + 1))


@dataclass(frozen=True)
class WordPiece:
    """All that decides the token ids of a text. Pickles as its vocabulary, without the fast tokenizer built from it.

    Attributes:
        vocabulary: every token; its place is its id.
        lowercase: texts are put into lower case.
        strip_accents: é becomes e.
        split_cjk: each Chinese character is a word.
        unknown: for a word that no tokens make up.
        start, end: around each text.
        padding: behind it.
    """

    vocabulary: tuple[str, ...]
    lowercase: bool
    strip_accents: bool
    split_cjk: bool = True
    unknown: str = "[UNK]"
    start: str = "[CLS]"
    end: str = "[SEP]"
    padding: str = "[PAD]"

    def __getstate__(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @cached_property
    def ids(self) -> dict[str, int]:
        """Each token's id."""
        return {token: number for number, token in enumerate(self.vocabulary)}

    @property
    def unknown_id(self) -> int:
        return self.ids[self.unknown]

    @property
    def start_id(self) -> int:
        return self.ids[self.start]

    @property
    def end_id(self) -> int:
        return self.ids[self.end]

    @property
    def padding_id(self) -> int:
        return self.ids[self.padding]

    @cached_property
    def digest(self) -> str:
        """xxh3-128 of everything that decides the ids, hexadecimal."""
        return xxhash.xxh3_128_hexdigest(json.dumps(self.as_dict(), sort_keys=True).encode())

    def encode(self, texts: Sequence[str], length: int) -> NDArray[np.int32]:
        """Token ids, int32 (len(texts), length): start, the text's first tokens, end, padding."""
        result = np.full((len(texts), length), self.padding_id, dtype=np.int32)
        for row, tokens in zip(result, self._tokens(texts), strict=True):
            kept = tokens[: length - 2]
            row[: len(kept) + 2] = [self.start_id, *kept, self.end_id]
        return result

    def lengths(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """How many tokens each whole text has, start and end counted, int64 (len(texts),)."""
        return np.fromiter((len(tokens) + 2 for tokens in self._tokens(texts)), dtype=np.int64, count=len(texts))

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values; `from_dict` reads them back to an equal value."""
        return {"kind": "wordpiece", **self.__getstate__(), "vocabulary": list(self.vocabulary)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "WordPiece":
        """What `as_dict` wrote."""
        known = {field.name: values[field.name] for field in fields(cls) if field.name in values}
        return cls(**{**known, "vocabulary": tuple(values["vocabulary"])})

    def words(self, text: str) -> list[str]:
        """The words and signs of a text as they are looked up in the vocabulary: cleaned, lower case and so on."""
        normalizer, splitter = self._fast.normalizer, self._fast.pre_tokenizer
        return [word for word, _ in splitter.pre_tokenize_str(normalizer.normalize_str(text))]

    def _tokens(self, texts: Sequence[str]) -> Iterator[list[int]]:
        """The tokens of each text, neither cut nor padded."""
        for first in range(0, len(texts), _BATCH):
            batch = [_GLUED.sub(_GLUE, _SURROGATE.sub("", text)) for text in texts[first : first + _BATCH]]
            encodings = self._fast.encode_batch_fast(batch, add_special_tokens=False)
            for text, encoding in zip(batch, encodings, strict=True):
                yield encoding.ids if text.isascii() else self._checked_for_long_words(text, encoding.ids)

    def _checked_for_long_words(self, text: str, tokens: list[int]) -> list[int]:
        """The same tokens, with every word that is too long in bytes, though not in characters, unknown."""
        if not _LONG_RUN.search(self._fast.normalizer.normalize_str(text).encode()):
            return tokens
        pieces: list[int] = []
        for word in self.words(text):
            too_long = len(word.encode()) > MAX_WORD_BYTES
            pieces += [self.unknown_id] if too_long else [piece.id for piece in self._fast.model.tokenize(word)]
        return pieces

    @cached_property
    def _fast(self) -> "Tokenizer":
        from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

        # No token is declared as special: what a user writes is never more than text.
        tokenizer = Tokenizer(
            models.WordPiece(
                self.ids,
                unk_token=self.unknown,
                max_input_chars_per_word=MAX_WORD_BYTES,
                continuing_subword_prefix=SUFFIX_INDICATOR,
            )
        )
        tokenizer.normalizer = normalizers.BertNormalizer(
            clean_text=True,
            handle_chinese_chars=self.split_cjk,
            strip_accents=self.strip_accents,
            lowercase=self.lowercase,
        )
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        return tokenizer


def read_wordpiece(folder: Path) -> WordPiece:
    """The tokenizer of a Hugging Face folder (`vocab.txt` or `tokenizer.json`) or of a KerasHub preset.

    `tokenizer_config.json` has the last word on lower case and accents; where it leaves accents open they are stripped
    exactly when letters become lower case, as BERT's were.

    Raises:
        TaskError: no tokenizer there, not a WordPiece, or special tokens that are not in its vocabulary.
    """
    described = _read_json(folder / "tokenizer.json")
    wordpiece = _of_preset(folder, described) if "class_name" in described else _of_hugging_face(folder, described)
    special = (wordpiece.unknown, wordpiece.start, wordpiece.end, wordpiece.padding)
    missing = [token for token in special if token not in wordpiece.ids]
    if missing:
        raise TaskError(f"{folder}: its vocabulary of {len(wordpiece.vocabulary)} tokens lacks {', '.join(missing)}.")
    return wordpiece


def sequence_lengths(token_counts: Sequence[int] | NDArray[np.int64], *, max_positions: int) -> list[int]:
    """The sequence lengths worth trying for these texts, shortest first.

    The rule: the shortest lengths that hold 50, 80 and 95 % of the texts whole, each rounded up to a multiple of 16, at
    most 512 and at most what the network has positions for; equal ones once. The cost of a text grows a little faster
    than its length, so the shorter ones are kept although they cut texts off: the search weighs one against the other.

    Args:
        token_counts: of whole texts, as `WordPiece.lengths` gives them.
        max_positions: of the network.
    Raises:
        ValueError: no texts.
    """
    counts = np.asarray(token_counts, dtype=np.int64)
    if not counts.size:
        raise ValueError("sequence lengths are chosen from at least one text.")
    longest = min(LONGEST_SEQUENCE, max_positions)
    covering = np.quantile(counts, COVERED_SHARES, method="inverted_cdf")
    return sorted({min(longest, -(-int(count) // LENGTH_STEP) * LENGTH_STEP) for count in covering})


def _of_hugging_face(folder: Path, described: Mapping[str, Any]) -> WordPiece:
    model = described.get("model", {})
    kind = model.get("type", "WordPiece")
    plain = folder / "vocab.txt"
    if kind != "WordPiece" or not (plain.is_file() or "vocab" in model):
        seen = f"its tokenizer.json holds a {kind} tokenizer" if model else "it has no vocab.txt and no tokenizer.json"
        raise TaskError(f"{folder}: {seen}. {_READ}")
    if model.get("continuing_subword_prefix", SUFFIX_INDICATOR) != SUFFIX_INDICATOR:
        raise TaskError(
            f"{folder}: pieces inside a word begin with {SUFFIX_INDICATOR!r} in every WordPiece autotl reads."
        )
    settings = _read_json(folder / "tokenizer_config.json")
    normalizer = described.get("normalizer") or {}
    lowercase = settings.get("do_lower_case", normalizer.get("lowercase", True))
    accents = settings.get("strip_accents", normalizer.get("strip_accents"))
    split_cjk = settings.get("tokenize_chinese_chars", normalizer.get("handle_chinese_chars", True))
    special = {**_read_json(folder / "special_tokens_map.json"), **settings}
    return WordPiece(
        vocabulary=_vocabulary_lines(plain) if plain.is_file() else _vocabulary_in_order(folder, model["vocab"]),
        lowercase=bool(lowercase),
        strip_accents=bool(lowercase if accents is None else accents),
        split_cjk=bool(split_cjk),
        unknown=_token(special.get("unk_token"), WordPiece.unknown),
        start=_token(special.get("cls_token"), WordPiece.start),
        end=_token(special.get("sep_token"), WordPiece.end),
        padding=_token(special.get("pad_token"), WordPiece.padding),
    )


def _of_preset(folder: Path, described: Mapping[str, Any]) -> WordPiece:
    """KerasHub writes `strip_accents: false` because it forgets about accents; a lower-casing BERT strips them."""
    vocabulary = folder / "assets" / "tokenizer" / "vocabulary.txt"
    config = described.get("config", {})
    if "lowercase" not in config or not vocabulary.is_file():
        raise TaskError(f"{folder}: its tokenizer is a {described['class_name']}. {_READ}")
    lowercase = bool(config["lowercase"])
    return WordPiece(
        vocabulary=_vocabulary_lines(vocabulary),
        lowercase=lowercase,
        strip_accents=bool(config.get("strip_accents")) or lowercase,
        unknown=config.get("oov_token", WordPiece.unknown),
    )


def _vocabulary_lines(path: Path) -> tuple[str, ...]:
    lines = _read_text(path).split("\n")
    return tuple(line.removesuffix("\r") for line in (lines[:-1] if lines[-1] == "" else lines))


def _vocabulary_in_order(folder: Path, ids: Mapping[str, int]) -> tuple[str, ...]:
    tokens = {number: token for token, number in ids.items()}
    if sorted(tokens) != list(range(len(ids))):
        raise TaskError(f"{folder}: the ids in tokenizer.json are not 0 to {len(ids) - 1}, each once.")
    return tuple(tokens[number] for number in range(len(ids)))


def _token(value: Any, default: str) -> str:
    """A special token, written as text or as a mapping with its settings."""
    if isinstance(value, Mapping):
        value = value.get("content")
    return value if isinstance(value, str) else default


def _read_json(path: Path) -> dict[str, Any]:
    """The mapping in a file; empty where there is no such file."""
    if not path.is_file():
        return {}
    try:
        values = json.loads(_read_text(path))
    except ValueError as cause:
        raise TaskError(f"{path}: it is not JSON ({cause}).") from cause
    if not isinstance(values, dict):
        raise TaskError(f"{path}: it holds no mapping.")
    return values


def _read_text(path: Path) -> str:
    size = path.stat().st_size
    if size > MAX_FILE_BYTES:
        raise TaskError(f"{path}: it has {size:,} bytes, more than the {MAX_FILE_BYTES:,} a tokenizer's file may have.")
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as cause:
        raise TaskError(f"{path}: it is not UTF-8 ({cause}).") from cause
