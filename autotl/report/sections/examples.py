"""Single examples and what the winner's answers to them hang on: drawn here as shapes that the template only places."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autotl.report import wording
from autotl.report.values import Json
from autotl.report.wording import NOTHING

MOST_EXAMPLES = 24
STRENGTHS = 4  # shades in which words are marked
FAINTEST = 0.08  # of the strongest part: less is not marked
NOTHING_LOST = 0.0005  # of a probability: less is not to be seen in the figures
WIDTH, HEIGHT = 240, 56  # of a signal's drawing
LARGEST_THUMBNAIL = 20_000  # characters
_WORST = {
    "class": "where it gave the truth the least chance",
    "label": "decisions furthest on the wrong side of their label's threshold",
}
_THUMBNAIL = re.compile(r"data:image/jpeg;base64,[A-Za-z0-9+/]+={0,2}")


@dataclass(frozen=True)
class Word:
    """A piece of a text; `mark` is how much it speaks for the answer, from 1 to 4, below 0 against it."""

    text: str
    mark: int


@dataclass(frozen=True)
class Square:
    """A cell of a map, or a stretch of a signal, in the units of its drawing."""

    x: float
    y: float
    width: float
    height: float
    opacity: float


@dataclass(frozen=True)
class Channel:
    """One channel's course as the points of a line."""

    name: str
    points: str
    low: str
    high: str


@dataclass(frozen=True)
class Cell:
    """A cell of a row; `weight` is how long its bar is, from 0 to 100."""

    column: str
    text: str
    lost: float | None
    weight: float


@dataclass(frozen=True)
class Example:
    """One example as the page shows it. What its modality does not have is empty."""

    name: str
    true: str
    said: str
    is_right: bool
    probability: str
    probability_of_true: str
    reason: str  # what the answer hangs on, in words; empty where it was not looked into
    thumbnail: str
    squares: Sequence[Square]
    words: Sequence[Word]
    cut_before: bool
    cut_after: bool
    channels: Sequence[Channel]
    more_channels: int
    cells: Sequence[Cell]
    more_cells: int


@dataclass(frozen=True)
class Examples:
    """All that are shown: mistakes, then right answers."""

    split: str
    mistakes: int  # in all
    each: str  # what an answer tells of an example: its class, or whether it bears a label
    worst: str  # which mistakes are shown, in words
    method: str
    paper: str
    explained: int
    kind: str
    wrong: Sequence[Example]
    right: Sequence[Example]


def examples(given: Json | None) -> Examples | None:
    """The examples of a run; None where there are none, or where they are not to be shown."""
    if not given or not given["examples"]:
        return None
    shown = [_example(each) for each in given["examples"][:MOST_EXAMPLES]]
    told = str(given.get("each", "class"))  # left out by earlier versions, which knew nothing else
    return Examples(
        wording.visible(str(given["split"])),
        given["mistakes"],
        told,
        _WORST[told],
        wording.visible(str(given["method"])),
        wording.visible(str(given["paper"])),
        given["explained"],
        str(given["examples"][0]["kind"]),
        [each for each in shown if not each.is_right],
        [each for each in shown if each.is_right],
    )


def _example(given: Json) -> Example:
    thumbnail = given.get("thumbnail", "")  # apart from the rest, which is shortened as texts are
    told = wording.plain({name: value for name, value in given.items() if name not in ("thumbnail", "parts")})
    return Example(
        name=told["id"],
        true=told["true"],
        said=told["said"],
        is_right=bool(told["right"]),
        probability=wording.percent(told["probability"]),
        probability_of_true=wording.percent(told["probability_of_true"]),
        reason=_reason(told),
        thumbnail=_checked(thumbnail),
        squares=_cells_of_map(told.get("map")) or _stretches(told.get("lost")),
        words=_marked(given.get("parts", [])),
        cut_before=bool(told.get("cut_before")),
        cut_after=bool(told.get("cut_after")),
        channels=[_channel(each) for each in told.get("channels", [])],
        more_channels=told.get("more_channels", 0),
        cells=_cells(told.get("cells", [])),
        more_cells=told.get("more_cells", 0),
    )


def _reason(told: Json) -> str:
    """What happens without the part that matters most."""
    if "before" not in told:
        return ""
    place, sure = str(told["place"]).strip(), wording.percent(told["before"])
    if told["before"] - told["after"] < NOTHING_LOST:
        return f"{sure} sure, whatever single part is taken away"
    without = {"picture": f"with {place} covered", "stretches": f"without {place}"}.get(
        told["kind"], f"without “{place}”"
    )
    return f"{sure} sure, {without} {wording.percent(told['after'])}"


def _checked(address: Any) -> str:
    """A thumbnail as we write them, or nothing: the file may have been changed since."""
    is_ours = isinstance(address, str) and len(address) <= LARGEST_THUMBNAIL and _THUMBNAIL.fullmatch(address)
    return str(address) if is_ours else ""


def _shades(lost: Sequence[float | None]) -> list[float]:
    """From 0 to 1, how much each part speaks for the answer; 0 where it speaks against it."""
    known = [max(value or 0.0, 0.0) for value in lost]
    strongest = max(known, default=0.0)
    return [value / strongest if strongest > 0 else 0.0 for value in known]


def _cells_of_map(lines: Sequence[Sequence[float]] | None) -> list[Square]:
    if not lines:
        return []
    side, width = 100 / len(lines), 100 / len(lines[0])
    shades = _shades([value for line in lines for value in line])
    return [
        Square(
            round(place % len(lines[0]) * width, 2), round(place // len(lines[0]) * side, 2), *_size(width, side), shade
        )
        for place, shade in ((place, _opacity(shade)) for place, shade in enumerate(shades))
        if shade
    ]


def _stretches(lost: Sequence[float] | None) -> list[Square]:
    if not lost:
        return []
    width = WIDTH / len(lost)
    return [
        Square(round(place * width, 2), 0, *_size(width, HEIGHT), _opacity(shade))
        for place, shade in enumerate(_shades(lost))
        if _opacity(shade)
    ]


def _size(width: float, height: float) -> tuple[float, float]:
    return round(width, 2), round(height, 2)


def _opacity(shade: float) -> float:
    return round(0.7 * shade, 2) if shade >= FAINTEST else 0.0


def _marked(parts: Sequence[Sequence[Any]]) -> list[Word]:
    strongest = max((abs(float(lost)) for _, lost in parts), default=0.0)
    return [Word(wording.visible(str(text)), _mark(float(lost), strongest)) for text, lost in parts]


def _mark(lost: float, strongest: float) -> int:
    if strongest <= 0 or abs(lost) < FAINTEST * strongest:
        return 0
    strength = min(STRENGTHS, 1 + int(STRENGTHS * abs(lost) / strongest))
    return strength if lost > 0 else -strength


def _channel(given: Mapping[str, Any]) -> Channel:
    course = [float(value or 0.0) for value in given["course"]]
    step = WIDTH / max(len(course) - 1, 1)
    points = " ".join(
        f"{place * step:.1f},{HEIGHT - 4 - (HEIGHT - 8) * value:.1f}" for place, value in enumerate(course)
    )
    return Channel(str(given["name"]), points, f"{given['low']:.4g}", f"{given['high']:.4g}")


def _cells(given: Sequence[Mapping[str, Any]]) -> list[Cell]:
    strongest = max((abs(each["lost"] or 0.0) for each in given), default=0.0)
    return [
        Cell(
            str(each["column"]),
            str(each["cell"]) or NOTHING,
            each["lost"],
            round(100 * abs(each["lost"] or 0.0) / strongest, 1) if strongest > 0 else 0.0,
        )
        for each in given
    ]
