"""The data: examples per class or label and split, and what the audit found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autotl.report.values import Json

MOST_LISTED_CLASSES = 200
"""Classes in the table of a domain."""

MOST_EXAMPLES = 10

SEVERITIES = ("error", "warning", "info")


@dataclass(frozen=True)
class Domain:
    """One domain's examples: a column per split, a line per class or label.

    Attributes:
        noun: what a line stands for.
        classes: examples of each; None where labels are hidden.
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


def domains(data: Json) -> list[Domain]:
    """Examples per class and split of every domain."""
    found = []
    for domain in data.get("domains", []):
        splits: Mapping[str, Any] = domain.get("splits", {})
        by_split = {split: count if isinstance(count, Mapping) else {} for split, count in splits.items()}
        several: Mapping[str, Json] = domain.get("several", {})
        names = list(dict.fromkeys(name for counts in by_split.values() for name in counts))
        found.append(
            Domain(
                name=str(domain.get("name", "")),
                role=str(domain.get("role", "")),
                noun="label" if several else "class",
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
            )
        )
    return found


def _total(count: Mapping[str, int] | int) -> int:
    return sum(count.values()) if isinstance(count, Mapping) else count


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
