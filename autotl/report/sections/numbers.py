"""How far the winner's numbers are off, and where more than elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass

from autotl.report import wording
from autotl.report.values import Json
from autotl.report.wording import digits, signed_digits


@dataclass(frozen=True)
class Compared:
    """A metric of the winner, and of a model that always says the mean; in words."""

    metric: str
    winner: str
    mean: str


@dataclass(frozen=True)
class Part:
    """Examples of which the true number, or the group, is alike."""

    name: str
    examples: int
    error: str
    bias: str


@dataclass(frozen=True)
class Held:
    """An interval around every prediction, and how often it held the truth."""

    level: str
    half_width: str
    held: str


@dataclass(frozen=True)
class Numbers:
    """What the page says of a regression."""

    name: str
    split: str
    examples: int
    scores: Sequence[Compared]
    by_size: Sequence[Part]
    by_group: Sequence[Part]
    intervals: Sequence[Held]
    note: str | None


def numbers(evidence: Json) -> Numbers | None:
    """Errors, biases and intervals; None where no numbers were learnt."""
    figures = evidence.get("numbers")
    if not figures:
        return None
    of_mean = figures["of_the_mean"]
    return Numbers(
        str(figures["name"]),
        str(figures["split"]),
        int(figures["examples"]),
        [Compared(name, digits(value), digits(of_mean.get(name))) for name, value in figures["scores"].items()],
        [_part(f"{digits(line['from'])} to {digits(line['to'])}", line) for line in figures["by_size"]],
        [_part(f"group {line['group']}", line) for line in figures["by_group"] or ()],
        [
            Held(wording.percent(line["level"]), digits(line["half_width"]), wording.percent(line["held"]))
            for line in figures["intervals"]
        ],
        evidence.get("note"),
    )


def whole(evidence: Json, metric: str, *, metric_is_better_higher: bool) -> float:
    """What counts in this metric as 1 does among shares: of an error in the unit of the labels, that of the mean."""
    figures = evidence.get("numbers")
    if not figures or metric_is_better_higher:
        return 1.0
    return float(figures["of_the_mean"].get(metric) or 1.0)


def _part(name: str, line: Json) -> Part:
    return Part(name, int(line["examples"]), digits(line["mae"]), signed_digits(float(line["bias"])))
