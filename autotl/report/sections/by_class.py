"""How the winner fares class by class, and what its answers hang on over a whole table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autotl.report.entries import Interval
from autotl.report.values import Json

MOST_CLASSES = 40


@dataclass(frozen=True)
class ClassLine:
    """One class: its examples, how often it is named, and how well; None where nothing could be counted."""

    name: str
    support: int
    said: int
    precision: Interval | None
    recall: Interval | None
    f1: Interval | None


@dataclass(frozen=True)
class ByClass:
    """The classes as the page shows them; of many the worst, which are those to look at."""

    split: str
    lines: Sequence[ClassLine]
    left_out: int
    note: str | None


def by_class(evidence: Json) -> ByClass | None:
    """Precision, recall and F1 with their intervals; None where no labelled example was held out."""
    figures = evidence.get("per_class")
    if not figures:
        return None
    lines = [_line(each) for each in figures["classes"]]
    shown = sorted(lines, key=_badness)[:MOST_CLASSES] if len(lines) > MOST_CLASSES else lines
    return ByClass(str(figures["split"]), shown, len(lines) - len(shown), evidence.get("note"))


def _line(given: Mapping[str, Any]) -> ClassLine:
    precision, recall, f1 = (Interval.read(given[name]) for name in ("precision", "recall", "f1"))
    return ClassLine(str(given["class"]), given["support"], given["said"], precision, recall, f1)


def _badness(line: ClassLine) -> float:
    return 2.0 if line.f1 is None else line.f1.value
