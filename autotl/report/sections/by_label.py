"""How the winner fares label by label where an example may bear several, and which labels come together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autotl.report.entries import Interval
from autotl.report.values import Json

MOST_LABELS = 40
MOST_TOGETHER = 15  # labels of the table of those that come together, the most frequent ones


@dataclass(frozen=True)
class LabelLine:
    """One label: how many bear it, of how many it is said and from which probability on, and how well."""

    name: str
    support: int
    prevalence: float
    said: int
    threshold: float
    average_precision: Interval | None
    precision: Interval | None
    recall: Interval | None
    f1: Interval | None


@dataclass(frozen=True)
class Together:
    """Of how many examples each two labels are."""

    names: Sequence[str]
    counts: Sequence[Sequence[int]]
    left_out: int


@dataclass(frozen=True)
class ByLabel:
    """The labels as the page shows them; of many the worst, which are those to look at.

    Attributes:
        tuned_on: the split that thresholds are from.
        sizes: how many examples bear none, one, two … labels.
    """

    split: str
    examples: int
    tuned_on: str
    lines: Sequence[LabelLine]
    left_out: int
    together: Together
    sizes: Sequence[int]
    note: str | None


def by_label(evidence: Json) -> ByLabel | None:
    """Every label with its prevalence, average precision, F1 and threshold; None where an example bears one label."""
    figures = evidence.get("per_label")
    if not figures:
        return None
    lines = [_line(each) for each in figures["labels"]]
    shown = sorted(lines, key=_badness)[:MOST_LABELS] if len(lines) > MOST_LABELS else lines
    return ByLabel(
        str(figures["split"]),
        figures["examples"],
        str(figures["tuned_on"]),
        shown,
        len(lines) - len(shown),
        _together(lines, figures["together"]),
        figures["sizes"],
        evidence.get("note"),
    )


def _line(given: Mapping[str, Any]) -> LabelLine:
    names = ("average_precision", "precision", "recall", "f1")
    return LabelLine(
        str(given["class"]),
        given["support"],
        given["prevalence"],
        given["said"],
        given["threshold"],
        *(Interval.read(given[name]) for name in names),
    )


def _together(lines: Sequence[LabelLine], counts: Sequence[Sequence[int]]) -> Together:
    frequent = sorted(range(len(lines)), key=lambda index: (-lines[index].support, index))[:MOST_TOGETHER]
    kept = sorted(frequent)
    return Together(
        [lines[index].name for index in kept],
        [[counts[row][column] for column in kept] for row in kept],
        len(lines) - len(kept),
    )


def _badness(line: LabelLine) -> float:
    return 2.0 if line.average_precision is None else line.average_precision.value
