"""The data: examples per class or label and split, where numbers lie, and what the audit found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autotl.report.values import Json
from autotl.report.wording import digits

MOST_LISTED_CLASSES = 200
"""Classes in the table of a domain."""

MOST_EXAMPLES = 10

FIGURES_OF_NUMBERS = ("least", "median", "mean", "most", "deviation")

SEVERITIES = ("error", "warning", "info")


@dataclass(frozen=True)
class Domain:
    """One domain's examples: a column per split, a line per class or label, or per figure of numbers.

    Attributes:
        noun: what a line stands for.
        classes: examples of each; None where labels are hidden.
        numbers: figures of labels that are numbers; None where they are hidden.
        without: examples that bear no label, where one may bear several; empty where each has one class.
    """

    name: str
    role: str
    noun: str
    splits: Sequence[str]
    totals: Sequence[int]
    classes: Sequence[tuple[str, Sequence[int | None]]]
    without: Sequence[int | None]
    more_classes: int
    numbers: Sequence[tuple[str, Sequence[str | None]]] = ()


def domains(data: Json) -> list[Domain]:
    """Examples per class and split of every domain."""
    found = []
    for domain in data.get("domains", []):
        splits: Mapping[str, Any] = domain.get("splits", {})
        by_split = {split: count if isinstance(count, Mapping) else {} for split, count in splits.items()}
        several: Mapping[str, Json] = domain.get("several", {})
        names = list(dict.fromkeys(name for counts in by_split.values() for name in counts))
        numbers = _numbers(domain.get("numbers", {}), list(splits))
        found.append(
            Domain(
                name=str(domain.get("name", "")),
                role=str(domain.get("role", "")),
                noun="label" if several or numbers else "class" if names else "examples",
                splits=list(splits),
                totals=[
                    several[split]["examples"] if split in several else _total(count) for split, count in splits.items()
                ],
                without=[several[split]["without"] if split in several else None for split in splits]
                if several
                else [],
                classes=[
                    (name, [counts.get(name, 0) if counts else None for counts in by_split.values()])
                    for name in names[:MOST_LISTED_CLASSES]
                ],
                more_classes=max(0, len(names) - MOST_LISTED_CLASSES),
                numbers=numbers,
            )
        )
    return found


def _total(count: Mapping[str, int] | int) -> int:
    return sum(count.values()) if isinstance(count, Mapping) else count


def _numbers(by_split: Mapping[str, Json], splits: Sequence[str]) -> list[tuple[str, list[str | None]]]:
    """A line per figure where some split has numbers that the search may know."""
    if not any(by_split.get(split) for split in splits):
        return []
    known = [by_split.get(split) or {} for split in splits]
    return [
        (name, [digits(figures[name]) if name in figures else None for figures in known]) for name in FIGURES_OF_NUMBERS
    ]


def findings_by_severity(findings: Sequence[Json]) -> list[Json]:
    """The audit's findings, the gravest first, their examples cut to a readable number."""

    def gravity(finding: Json) -> int:
        severity = finding.get("severity")
        return SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)

    return [
        {
            **finding,
            "examples": list(finding.get("examples", ()))[:MOST_EXAMPLES],
            "more": max(0, len(finding.get("examples", ())) - MOST_EXAMPLES),
        }
        for finding in sorted(findings, key=gravity)
    ]
