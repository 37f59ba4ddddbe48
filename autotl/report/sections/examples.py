"""Single examples and what the winner's answers to them hang on: drawn here as shapes that the template only places."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
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

_THUMBNAIL = re.compile(r"data:image/jpeg;base64,[A-Za-z0-9+/]+={0,2}")


@dataclass(frozen=True)
class Told:
    """How the page speaks of answers of one kind.

    Attributes:
        wrong, worst: of those that are bad, and which of them are shown.
        right, best: likewise of those that are good.
        marked: what the marks show.
        sure, truth: what stands beside an answer and beside the truth; where `truth` is empty nothing does.
        for_it, against_it: what a part does to the answer.
    """

    wrong: str
    worst: str
    right: str
    best: str
    marked: str
    sure: str
    truth: str
    for_it: str = "speaks for it"
    against_it: str = "speaks against it"


_OF_NAMES = Told(
    wrong="The costliest mistakes",
    worst="where it gave the truth the least chance",
    right="Right answers",
    best="the surest of each class",
    marked="what the answer loses most of its odds without. Below each example: how sure it is, and how sure without "
    "the part that matters most",
    sure="Sure of that",
    truth="Sure of the truth",
)
TOLD: Mapping[str, Told] = {
    "class": _OF_NAMES,
    "label": replace(
        _OF_NAMES,
        worst="decisions furthest on the wrong side of their label's threshold",
        best="the surest of each label",
    ),
    "number": Told(
        wrong="Furthest off",
        worst="the largest errors",
        right="Near the truth",
        best="the nearest of small to large numbers",
        marked="what moves the number most when it is gone: of cells and words in colour what raises it, in grey what "
        "lowers it. Below each example: the number, and the number without the part that matters most",
        sure="Off by",
        truth="",
        for_it="raises it by",
        against_it="lowers it by",
    ),
}


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
    sure: str  # of the answer; how far off a number is
    sure_of_truth: str
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
    mistakes: int  # in all; of numbers: examples
    told: Told
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
    told = TOLD[str(given.get("each", "class"))]  # left out by earlier versions, which knew nothing else
    return Examples(
        wording.visible(str(given["split"])),
        given["mistakes"],
        told,
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
        true=_answer(told["true"]),
        said=_answer(told["said"]),
        is_right=bool(told["right"]),
        **_sureness(told),
        reason=_reason(told),
        thumbnail=_checked(thumbnail),
        squares=_cells_of_map(told.get("map"), both_ways=_is_number(told))
        or _stretches(told.get("lost"), both_ways=_is_number(told)),
        words=_marked(given.get("parts", [])),
        cut_before=bool(told.get("cut_before")),
        cut_after=bool(told.get("cut_after")),
        channels=[_channel(each) for each in told.get("channels", [])],
        more_channels=told.get("more_channels", 0),
        cells=_cells(told.get("cells", [])),
        more_cells=told.get("more_cells", 0),
    )


def _answer(told: str | float | None) -> str:
    return told if isinstance(told, str) else wording.digits(told)


def _is_number(told: Json) -> bool:
    return "probability" not in told


def _sureness(told: Json) -> dict[str, str]:
    if _is_number(told):
        is_known = told["said"] is not None and told["true"] is not None
        off = wording.signed_digits(told["said"] - told["true"]) if is_known else wording.NOTHING
        return {"sure": off, "sure_of_truth": ""}
    return {"sure": wording.percent(told["probability"]), "sure_of_truth": wording.percent(told["probability_of_true"])}


def _reason(told: Json) -> str:
    """What happens without the part that matters most."""
    if told.get("before") is None or told.get("after") is None:
        return ""
    before, after = (_before_or_after(told, name) for name in ("before", "after"))
    change = told["before"] - told["after"]
    if before == after if _is_number(told) else change < NOTHING_LOST:
        return f"{before}, whatever single part is taken away"
    place = str(told["place"]).strip()
    without = {"picture": f"with {place} covered", "stretches": f"without {place}"}.get(
        told["kind"], f"without “{place}”"
    )
    return f"{before}, {without} {after.removesuffix(' sure')}"


def _before_or_after(told: Json, name: str) -> str:
    return wording.digits(told[name]) if _is_number(told) else f"{wording.percent(told[name])} sure"


def _checked(address: Any) -> str:
    """A thumbnail as we write them, or nothing: the file may have been changed since."""
    is_ours = isinstance(address, str) and len(address) <= LARGEST_THUMBNAIL and _THUMBNAIL.fullmatch(address)
    return str(address) if is_ours else ""


def _shades(lost: Sequence[float | None], *, both_ways: bool) -> list[float]:
    """From 0 to 1, how much each part speaks for the answer, 0 where it speaks against it; of a number, how far each
    moves it to either side."""
    known = [abs(value or 0.0) if both_ways else max(value or 0.0, 0.0) for value in lost]
    strongest = max(known, default=0.0)
    return [value / strongest if strongest > 0 else 0.0 for value in known]


def _cells_of_map(lines: Sequence[Sequence[float]] | None, *, both_ways: bool) -> list[Square]:
    if not lines:
        return []
    side, width = 100 / len(lines), 100 / len(lines[0])
    shades = _shades([value for line in lines for value in line], both_ways=both_ways)
    return [
        Square(
            round(place % len(lines[0]) * width, 2), round(place // len(lines[0]) * side, 2), *_size(width, side), shade
        )
        for place, shade in ((place, _opacity(shade)) for place, shade in enumerate(shades))
        if shade
    ]


def _stretches(lost: Sequence[float] | None, *, both_ways: bool) -> list[Square]:
    if not lost:
        return []
    width = WIDTH / len(lost)
    return [
        Square(round(place * width, 2), 0, *_size(width, HEIGHT), _opacity(shade))
        for place, shade in enumerate(_shades(lost, both_ways=both_ways))
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
