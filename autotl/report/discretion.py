"""The report for people who may not see the data: it shows no example, and no name of one."""

from collections.abc import Iterable
from dataclasses import replace

from autotl.report.values import Json, ReportValues

WITHHELD = "(name withheld)"


def without_examples(values: ReportValues) -> ReportValues:
    """The same values without examples of the data, and without the names of files and rows that the audit tells."""
    broken = [(str(name), str(reason)) for name, reason in values.data.get("broken", [])]
    told = {str(name) for finding in values.findings for name in finding.get("examples", [])}
    names = sorted(told | {name for name, _ in broken}, key=len, reverse=True)  # so that none is cut by a shorter one
    data = {
        **values.data,
        "notes": [_hidden(note, names) for note in values.data.get("notes", [])],
        "broken": [[f"file {place}", _hidden(reason, names)] for place, (_, reason) in enumerate(broken, start=1)],
    }
    return replace(
        values, examples=None, data=data, findings=[_without_names(finding, names) for finding in values.findings]
    )


def _without_names(finding: Json, names: Iterable[str]) -> Json:
    return {**finding, "message": _hidden(finding.get("message", ""), names), "examples": []}


def _hidden(text: object, names: Iterable[str]) -> str:
    words = str(text)
    for name in names:
        if len(name) > 1:  # a single letter would be found in every word
            words = words.replace(name, WITHHELD)
    return words
