"""Texts held in memory, and text files read as one text each. What counts as an empty text is decided here."""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import xxhash

from autotl.data.examples import Rows

TEXT_SUFFIXES = frozenset({".txt"})
MAX_BYTES = 10_000_000  # of one text file; a long novel has three million
REPLACEMENT = "\ufffd"  # Unicode's sign for what could not be decoded; tokenizers pass over it
_NEVER_WORDS = frozenset({"Cc", "Cf", "Co", "Cs"})  # Unicode categories: control, format, private use, half a surrogate


class BrokenTextError(Exception):
    """This file is no text that we read; the message completes the sentence 'the file …'."""


@dataclass(frozen=True, eq=False)
class Texts:
    """Texts as they were written, but for what `cleaned` takes out. Made by `texts_of`."""

    texts: tuple[str, ...]
    ids: tuple[str, ...]
    digests: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.texts)

    def read(self, rows: Rows) -> list[str]:
        """The texts of these rows, in this order."""
        return [self.texts[row] for row in rows.tolist()]

    def take(self, rows: Rows) -> "Texts":
        """These rows only, in this order."""
        return Texts(_chosen(self.texts, rows), _chosen(self.ids, rows), _chosen(self.digests, rows))

    def renamed(self, ids: Sequence[str]) -> "Texts":
        """The same texts under other ids."""
        return replace(self, ids=tuple(ids))


def texts_of(values: Iterable[str], ids: Iterable[str]) -> Texts:
    """Raw values, one an id, cleaned and with their digests."""
    texts = tuple(cleaned(value) for value in values)
    return Texts(texts, tuple(ids), text_digests(texts))


def join_texts(several: Sequence[Texts]) -> Texts:
    """One after the other as one domain."""
    if len(several) == 1:
        return several[0]
    return Texts(
        tuple(text for part in several for text in part.texts),
        tuple(name for part in several for name in part.ids),
        tuple(digest for part in several for digest in part.digests),
    )


def text_digests(texts: Iterable[str]) -> tuple[str, ...]:
    """xxh3-128 of each text's UTF-8 bytes, hexadecimal."""
    return tuple(xxhash.xxh3_128_hexdigest(text.encode("utf-8", "surrogatepass")) for text in texts)


def cleaned(text: str) -> str:
    """The text without NUL, and with U+FFFD for each half of a surrogate pair that stands alone.

    Neither is ever part of what somebody wrote, the one ends strings in C and the other has no UTF-8 form: both are
    cleaned here rather than refused, so that no tokenizer, file or export further on has to think of them.
    """
    text = text.replace("\0", "")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return "".join(REPLACEMENT if "\ud800" <= letter <= "\udfff" else letter for letter in text)
    return text


def is_empty(text: str) -> bool:
    """Whether nothing in a text can be read: only white space, control, format and private characters, U+FFFD."""
    return all(
        letter.isspace() or letter == REPLACEMENT or unicodedata.category(letter) in _NEVER_WORDS for letter in text
    )


def read_text_file(path: str | Path, encoding: str) -> str:
    """A whole file as one cleaned text, line ends as written, a byte order mark left out.

    Raises:
        BrokenTextError: gone, unreadable, too large, or not in this encoding (names line, byte and the setting).
    """
    return cleaned(_decoded(_read(Path(path)), encoding))


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise BrokenTextError("is not there") from None
    except OSError as error:
        raise BrokenTextError(f"cannot be read: {error.strerror}") from error
    if len(content) > MAX_BYTES:
        raise BrokenTextError(f"is larger than {MAX_BYTES:,} bytes, too large for one text")
    return content


def _decoded(content: bytes, encoding: str) -> str:
    try:
        return content.decode("utf-8-sig" if encoding.lower().replace("_", "-") in ("utf-8", "utf8") else encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        byte = f"0x{content[error.start]:02x}"
        other = "latin-1" if "utf" in encoding.lower() else "utf-8"
        hint = f"Write its encoding in the task, for example 'encoding: {other}'"
        raise BrokenTextError(f"is not {encoding}: line {line}, byte {byte}. {hint}") from None
    except LookupError:
        hint = "Write one that Python knows in the task, for example 'encoding: utf-8'"
        raise BrokenTextError(f"cannot be decoded: there is no encoding {encoding!r}. {hint}") from None
    except ValueError as error:  # some codecs have errors of their own
        raise BrokenTextError(f"is not {encoding}: {error}") from error


def _chosen(values: tuple[str, ...], rows: Rows) -> tuple[str, ...]:
    return tuple(values[row] for row in rows.tolist())
