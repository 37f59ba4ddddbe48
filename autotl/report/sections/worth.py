"""What came of each choice: the trials that made it beside those that did not. What happened, never why."""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from autotl.plan.fields import ALONE
from autotl.report import wording
from autotl.report.entries import Entry, named
from autotl.report.wording import NOTHING

FEW = 5  # trials on either side: a median of fewer is an anecdote
RATE_BANDS = 3
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?(e[+-]?\d+)?", re.ASCII)
RATE = "learning rate of the head"
_FIELDS: dict[str, Callable[[Entry], str]] = {
    "backbone": lambda entry: entry.backbone,
    "unfrozen layers": lambda entry: entry.unfrozen,
    RATE: lambda entry: wording.rate(entry.learning_rate),
    "adaptation": lambda entry: entry.adaptation,
    "head": lambda entry: entry.head,
    "image size": lambda entry: named(entry.plan.get("image_size")),
    "tap": lambda entry: named(entry.plan.get("tap")),
    "learnt": lambda entry: named(entry.plan.get("together") or ALONE),
    "stored views": lambda entry: named(entry.plan.get("views")),
}
"""What is compared, in this order, where there is more than one of it."""


@dataclass(frozen=True)
class Side:
    """Some trials: how many have a score, the best and the middle one."""

    scored: int
    best: float | None
    median: float | None


@dataclass(frozen=True)
class Worth:
    """One choice: the trials with it, and those without."""

    choice: str
    tried: int  # pruned and failed ones included
    chosen: Side
    others: Side
    difference: float | None  # of the medians, positive where those with it stand better
    is_anecdote: bool  # too few on either side


@dataclass(frozen=True)
class Dimension:
    """What was chosen among, and what came of each."""

    name: str
    lines: Sequence[Worth]


def worth(entries: Sequence[Entry], *, higher_is_better: bool) -> list[Dimension]:
    """Every dimension of which the search tried more than one choice; baselines are left out, they were not chosen."""
    proposed = [entry for entry in entries if not entry.is_baseline and entry.status != "skipped"]
    found = []
    for name, read in _FIELDS.items():
        choices = _rate_bands(proposed) if name == RATE else [read(entry) for entry in proposed]
        lines = _lines(proposed, choices, higher_is_better=higher_is_better)
        if len(lines) > 1:
            found.append(Dimension(name, lines))
    return found


def _lines(proposed: Sequence[Entry], choices: Sequence[str], *, higher_is_better: bool) -> list[Worth]:
    told = [(choice, entry) for choice, entry in zip(choices, proposed, strict=True) if choice not in ("", NOTHING)]
    lines = []
    for choice in in_order({choice for choice, _ in told}):
        chosen = _side([entry for own, entry in told if own == choice], higher_is_better)
        others = _side([entry for own, entry in told if own != choice], higher_is_better)
        difference = None
        if chosen.median is not None and others.median is not None:
            difference = (chosen.median - others.median) * (1 if higher_is_better else -1)
        tried = sum(own == choice for own, _ in told)
        lines.append(Worth(choice, tried, chosen, others, difference, min(chosen.scored, others.scored) < FEW))
    return lines


def _side(entries: Sequence[Entry], higher_is_better: bool) -> Side:
    scores = [entry.score.value for entry in entries if entry.score is not None and entry.rank is not None]
    if not scores:
        return Side(0, None, None)
    return Side(len(scores), max(scores) if higher_is_better else min(scores), median(scores))


def _rate_bands(entries: Sequence[Entry]) -> list[str]:
    """The third of what was tried, on a log scale, that each learning rate lies in; `""` where there is none."""
    rates = [entry.learning_rate for entry in entries if entry.learning_rate]
    if len(set(rates)) < RATE_BANDS:
        return [_FIELDS[RATE](entry) for entry in entries]
    low, high = math.log(min(rates)), math.log(max(rates))
    edges = [math.exp(low + (high - low) * step / RATE_BANDS) for step in range(RATE_BANDS + 1)]
    words = [f"{wording.rate(low_end)} to {wording.rate(high_end)}" for low_end, high_end in pairwise(edges)]

    def band(rate: float) -> int:
        return min(int(RATE_BANDS * (math.log(rate) - low) / (high - low)), RATE_BANDS - 1)

    return [words[band(entry.learning_rate)] if entry.learning_rate else "" for entry in entries]


def in_order(choices: set[str]) -> list[str]:
    """Numbers by size, then words by name: 0, 4, 12, all."""

    def place(choice: str) -> tuple[int, float, str]:
        first = choice.split(" to ")[0]
        return (0, float(first), choice) if _NUMBER.fullmatch(first) else (1, 0.0, choice)

    return sorted(choices, key=place)
