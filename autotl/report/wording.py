"""How a report writes figures and foreign text. The terminal leaderboard writes them the same way."""

import math
import unicodedata
from collections.abc import Mapping
from typing import Any

NOTHING = "–"
LONGEST_TEXT = 1_000
"""Characters of one foreign text on a page: a stack trace in every row would make it unreadable, and heavy."""

_KEPT_CONTROLS = "\n\t"
_ZERO_WIDTH_JOINER = "\u200d"  # joins emoji


def visible(text: str) -> str:
    """Foreign text with what would act, rather than show, made visible: controls, direction marks, lone surrogates.

    A class name that holds U+202E would otherwise turn the rest of its line around, and a lone surrogate (a file name
    in an unknown encoding) could not be written as UTF-8.
    """
    if len(text) > LONGEST_TEXT:
        text = f"{text[:LONGEST_TEXT]} … ({len(text) - LONGEST_TEXT:,} more characters)"
    if text.isprintable():
        return text
    return "".join(_visible_character(character) for character in text)


def _visible_character(character: str) -> str:
    if character in _KEPT_CONTROLS:
        return character
    category = unicodedata.category(character)
    if category == "Cs":
        return "\N{REPLACEMENT CHARACTER}"
    if category in ("Cc", "Cf") and character != _ZERO_WIDTH_JOINER:
        return f"⟨U+{ord(character):04X}⟩"
    return character


def plain(value: Any) -> Any:
    """A copy of a JSON value that is safe to lay out: text made visible, NaN and infinities None, keys text."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, bool) or value is None or isinstance(value, int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {visible(str(key)): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return visible(str(value))


def score(value: float | None) -> str:
    """A metric's value: three decimals near one, four significant digits where metrics have units."""
    if value is None:
        return NOTHING
    return f"{value:.3f}" if abs(value) < 10 else f"{value:,.4g}" if abs(value) < 10_000 else f"{value:,.0f}"


def digits(value: float | None) -> str:
    """A number in the unit of its data: four digits, and as many as stand before the point."""
    if value is None:
        return NOTHING
    return f"{value:,.0f}" if 10_000 <= abs(value) < 1e12 else f"{value:,.4g}"


def signed_digits(value: float) -> str:
    """The same with its sign."""
    return ("+" if value > 0 else "−" if value < 0 else "±") + digits(abs(value))


def signed_score(value: float | None) -> str:
    """A difference of two scores, its sign written in full."""
    if value is None:
        return NOTHING
    return ("+" if value > 0 else "−" if value < 0 else "±") + score(abs(value))


def count(value: float | None) -> str:
    """A whole number with thousands separated."""
    return NOTHING if value is None else f"{value:,.0f}"


def counted(number: int, noun: str) -> str:
    """`1 trial`, `3 trials`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def magnitude(value: float | None) -> str:
    """A large number in few letters: 3.41 M parameters, 1.2 G operations."""
    if value is None:
        return NOTHING
    for step, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= step:
            return f"{value / step:.3g} {letter}"
    return f"{value:.3g}"


def megabytes(value: float | None) -> str:
    """The size of a model; of a small one in kilobytes."""
    if value is None:
        return NOTHING
    if value < 0.1:
        return f"{1000 * value:.0f} kB"
    return f"{value:.1f} MB" if value < 100 else f"{value:,.0f} MB"


def milliseconds(value: float | None) -> str:
    """The latency of one prediction; of a model that takes next to none, its first digit."""
    if value is None:
        return NOTHING
    return f"{value:.1g} ms" if 1e-4 < value < 0.05 else f"{value:.1f} ms" if value < 100 else f"{value:,.0f} ms"


def duration(seconds: float | None) -> str:
    """A span of time in its two largest units."""
    if seconds is None:
        return NOTHING
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def rate(value: float | None) -> str:
    """A learning rate or another quantity searched on a log scale."""
    return NOTHING if value is None else f"{value:.2g}"


def percent(value: float | None) -> str:
    """A share in per cent."""
    return NOTHING if value is None else f"{100 * value:.1f} %"


def share(part: float, whole: float) -> str:
    """A part of a whole in per cent."""
    if not whole:
        return NOTHING
    percent = 100 * part / whole
    return f"{percent:.0f} %" if percent >= 9.5 else f"{percent:.1f} %"
