"""How people write numbers, and how they write that there is none."""

import re
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]

MISSING_WORDS = frozenset(
    {"", "na", "n/a", "#n/a", "nan", "nat", "null", "none", "-", "?", "inf", "+inf", "-inf", "infinity", "-infinity"}
)
READ_AS_DECIMALS = (
    "may stand before decimals or thousands; decimals are read. If they mean thousands, write the numbers without them."
)
"""What is said of commas that `ambiguous_comma` finds, after naming one."""
_LARGEST = float(np.finfo(np.float32).max)


def _reader(decimal: str, grouping: str = "") -> Callable[[str], float | None]:
    point, group = re.escape(decimal), re.escape(grouping)
    plain = rf"(?:[0-9]+(?:{point}[0-9]*)?|{point}[0-9]+)(?:[eE][+-]?[0-9]+)?"
    grouped = rf"[1-9][0-9]{{0,2}}(?:{group}[0-9]{{3}})+(?:{point}[0-9]*)?|" if grouping else ""
    matches = re.compile(rf"[+-]?(?:{grouped}{plain})").fullmatch

    def read(text: str) -> float | None:
        if matches(text) is None:
            return None
        return float(text.replace(grouping, "").replace(decimal, ".") if grouping else text.replace(decimal, "."))

    return read


def _truth(text: str) -> float | None:
    return {"true": 1.0, "1": 1.0, "false": 0.0, "0": 0.0}.get(text.lower())


# How numbers are written in one column, by an example of it. Where two fit alike the earlier one is taken, so that
# `1,234` alone is a decimal comma (with a warning) and a comma groups thousands only where nothing else explains it.
NOTATIONS: dict[str, Callable[[str], float | None]] = {
    "1234.5": _reader("."),
    "1234,5": _reader(","),
    "1,234.5": _reader(".", ","),
    "1.234,5": _reader(",", "."),
    "1 234.5": _reader(".", " "),
    "1 234,5": _reader(",", " "),
    "1'234.5": _reader(".", "'"),
    "true/false": _truth,
}


def read_numbers(texts: Sequence[str], notation: str) -> tuple[Floats, Booleans]:
    """Values (NaN where missing, not finite or not a number), and whether each text is a number or a missing word."""
    read = NOTATIONS[notation]
    values = np.full(len(texts), np.nan)
    fits = np.zeros(len(texts), dtype=bool)
    for index, text in enumerate(texts):
        stripped = _plain(text)
        value = read(stripped)
        if value is not None:
            fits[index] = True
            if abs(value) <= _LARGEST:
                values[index] = value
        elif stripped.lower() in MISSING_WORDS:
            fits[index] = True
    return values, fits


def number_notation(texts: Sequence[str], counts: NDArray[np.int64]) -> tuple[str, float]:
    """The notation that most filled cells fit (a key of `NOTATIONS`), and their share; missing words do not count.

    A few cells do not change what the others mean: a notation that reads more of them, but gives others another value,
    must read at least as many more as it changes. One `1,5` beside a hundred `3.308` makes no thousands of these.
    """
    filled = [(text, count) for text, count in zip(map(_plain, texts), counts.tolist(), strict=True)]
    filled = [(text, count) for text, count in filled if text.lower() not in MISSING_WORDS]
    weights = np.array([count for _, count in filled], dtype=np.int64)
    total = int(weights.sum())
    best, most, values = "1234.5", 0, np.full(len(filled), np.nan)
    for notation, read in NOTATIONS.items():
        candidate = np.array([np.nan if (value := read(text)) is None else value for text, _ in filled])
        fits, fitted = ~np.isnan(candidate), ~np.isnan(values)
        fitting = int(weights[fits].sum())
        changed = int(weights[fits & fitted & (candidate != values)].sum())
        if fitting - most >= max(changed, 1) and (notation != "true/false" or fitting == total):
            best, most, values = notation, fitting, candidate
        if most == total:
            break
    return best, most / total if total else 0.0


def ambiguous_comma(texts: Sequence[str], notation: str) -> int | None:
    """The first text whose comma is read as one before decimals, where all texts fit commas between thousands too."""
    commas = [index for index, text in enumerate(texts) if "," in text] if notation == "1234,5" else []
    if not commas:
        return None
    fits = read_numbers(texts, notation)[1]
    return commas[0] if read_numbers(texts, "1,234.5")[1][fits].all() else None


def _plain(text: str) -> str:
    """Without spaces around it, and with the ASCII forms of the spaces and the minus that typesetting uses."""
    text = text.strip()
    return text if text.isascii() else text.replace("\u00a0", " ").replace("\u202f", " ").replace("−", "-")
