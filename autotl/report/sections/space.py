"""What was searched: the space, a line per dimension, beside what was tried of it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autotl.report import wording
from autotl.report.entries import Entry, named
from autotl.report.sections.settings import setting_text
from autotl.report.values import Json

RANGES = {"log": "log scale", "linear": "between", "whole": "whole numbers"}
"""Words for the kinds of range that a search space knows."""


@dataclass(frozen=True)
class Dimension:
    """One line of the search space: what may vary, within what, and what was tried."""

    name: str
    choices: Sequence[str]
    how: str  # "one of", "log scale", "fixed" …
    tried: Sequence[tuple[str, int]]  # value → trials; for ranges one entry with both ends


def dimensions(space: Json, entries: Sequence[Entry]) -> list[Dimension]:
    """The search space, a line per dimension (parameters under their choice), beside what was tried of it."""
    searched = [entry for entry in entries if not entry.is_baseline and entry.status != "skipped"]
    lines: list[Dimension] = []
    for name, given in space.items():
        lines.extend(_dimension(name, given, [entry.plan.get(name) for entry in searched]))
    return lines


def _dimension(name: str, given: Any, tried: Sequence[Any]) -> list[Dimension]:
    kinds = [kind for kind in ("choice", *RANGES) if isinstance(given, Mapping) and kind in given]
    if not kinds:
        return [Dimension(name, [named(given) if isinstance(given, Mapping) else setting_text(given)], "fixed", [])]
    kind = kinds[0]
    options = given[kind]
    if kind == "choice":
        names = [named(option) for option in options]
        counts = Counter(named(value) for value in tried if value is not None)
        in_space = [(choice, counts.pop(choice, 0)) for choice in names]
        line = Dimension(name, names, "one of", [*in_space, *sorted(counts.items())])
        if not isinstance(options, Mapping):
            return [line]
        nested = [
            deeper
            for choice, own in options.items()
            for parameter, parameter_range in (own or {}).items()
            for deeper in _dimension(
                f"{name} › {choice} › {parameter}",
                parameter_range,
                [_parameter(value, parameter) for value in tried if named(value) == choice],
            )
        ]
        return [line, *nested]
    numbers = [value for value in tried if isinstance(value, int | float)]
    ends = [(f"{wording.rate(min(numbers))} … {wording.rate(max(numbers))}", len(numbers))] if numbers else []
    return [Dimension(name, [f"{setting_text(options[0])} … {setting_text(options[-1])}"], RANGES[kind], ends)]


def _parameter(choice: Any, name: str) -> Any:
    if not isinstance(choice, Mapping):
        return None
    nested = choice.get("parameters")
    return nested.get(name) if isinstance(nested, Mapping) else choice.get(name)
