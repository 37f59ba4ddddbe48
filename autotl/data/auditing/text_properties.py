"""What is beside the point in texts: how they were typed and exported, and how long they are."""

import re
from collections.abc import Callable, Sequence

import numpy as np

from autotl.data.auditing.properties import Floats, Properties, Property

READ_TO = 2_000  # characters of a text; what is left says little more
_MARKUP = re.compile(r"<[a-zA-Z/][^<>]{0,80}>|&[a-z]{2,6};|&#\d+;")
_MISREAD = ("Ã", "â€", "\ufffd", "ï»¿")  # UTF-8 that was read as Latin-1, and what could not be read
_CURLY = frozenset("“”‘’„")


def text_properties(texts: Sequence[str]) -> Properties:
    """Of texts as they were written."""
    lengths = np.array([len(text) for text in texts], dtype=np.float64)
    words = np.array([len(text.split()) for text in texts], dtype=np.float64)
    read = [text[:READ_TO] for text in texts]
    return Properties(
        (
            Property("white space at the end", _said(texts, lambda text: text[-1:].isspace()), "origin"),
            Property("white space at the beginning", _said(texts, lambda text: text[:1].isspace()), "origin"),
            Property("the line ends", [_line_ends(text) for text in texts], "origin"),
            Property("the letter case", [_letter_case(text) for text in read], "origin"),
            Property("curly quotation marks", _said(read, lambda text: not _CURLY.isdisjoint(text)), "origin"),
            Property("markup", _said(read, lambda text: _MARKUP.search(text) is not None), "origin"),
            Property("misread characters", _said(read, lambda text: any(sign in text for sign in _MISREAD)), "origin"),
            Property("the number of characters", lengths, "appearance"),
            Property("the length of words", lengths / np.maximum(words, 1), "appearance"),
            Property("the share of capitals", _share(read, str.isupper), "appearance"),
            Property("the share of digits", _share(read, str.isdigit), "appearance"),
            Property("the share of signs", _share(read, _is_sign), "appearance"),
        ),
        examples="texts",
        origin="habits of writing (white space, line ends, letter case, quotation marks, markup, encoding)",
        appearance="length, capitals, digits and signs of the texts",
        remedy="Clean all texts in one way, or take texts {of_all} from every place.",
    )


def _said(texts: Sequence[str], holds: Callable[[str], bool]) -> list[str]:
    return ["there" if holds(text) else "not there" for text in texts]


def _line_ends(text: str) -> str:
    if "\r\n" in text:
        return "of Windows (CR LF)"
    return "of Unix (LF)" if "\n" in text else "none"


def _letter_case(text: str) -> str:
    if text.islower():
        return "all small letters"
    return "all capitals" if text.isupper() else "both cases"


def _share(texts: Sequence[str], holds: Callable[[str], bool]) -> Floats:
    return np.array([sum(map(holds, text)) / max(1, len(text)) for text in texts], dtype=np.float64)


def _is_sign(letter: str) -> bool:
    return not (letter.isalnum() or letter.isspace())
