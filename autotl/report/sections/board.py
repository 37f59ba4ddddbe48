"""The leaderboard: which rows stand on the page, on what scale, and who is tied with whom."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from autotl.report.entries import Entry

MOST_ROWS = 200
"""Rows of the leaderboard on a page; more stand in leaderboard.csv, and the page says so."""

STATUSES = ("complete", "pruned", "failed", "skipped", "running")


@dataclass(frozen=True)
class Scale:
    """The stretch of scores that the leaderboard's interval bars share; positions run from 0 to 100."""

    low: float
    high: float

    def position(self, value: float) -> float:
        """Where a value stands, kept inside the scale."""
        return round(100 * min(max((value - self.low) / (self.high - self.low), 0.0), 1.0), 2)


@dataclass(frozen=True)
class Board:
    """The leaderboard as the page shows it."""

    entries: Sequence[Entry]
    left_out: int
    scale: Scale | None
    ties: Mapping[str, int]  # tie group → 1, 2, …; groups of one are no ties
    counts: Mapping[str, int]  # status → trials
    baselines: int
    failures: Sequence[tuple[str, Sequence[int]]]  # reason → trials


def board(entries: Sequence[Entry]) -> Board:
    """The leaderboard: which rows are shown, on what scale their intervals are drawn, who is tied with whom."""
    shown = worth_showing(entries)
    groups = Counter(entry.tie_group for entry in entries if entry.tie_group is not None and entry.rank is not None)
    tied = [group for group, size in groups.items() if size > 1]
    reasons: dict[str, list[int]] = {}
    for entry in entries:
        if entry.status in ("failed", "skipped"):
            reasons.setdefault(entry.reason or "no reason was recorded", []).append(entry.trial)
    counts = Counter(entry.status for entry in entries)
    known = {status: counts.pop(status) for status in STATUSES if counts[status]}
    return Board(
        entries=shown,
        left_out=len(entries) - len(shown),
        scale=_scale(shown),
        ties={group: number for number, group in enumerate(tied, start=1)},
        counts={**known, **{status: number for status, number in counts.items() if number}},
        baselines=sum(1 for entry in entries if entry.is_baseline),
        failures=sorted(reasons.items(), key=lambda item: (-len(item[1]), item[1])),
    )


def worth_showing(entries: Sequence[Entry]) -> list[Entry]:
    """The best `MOST_ROWS` entries, and below them the winner, baselines and the best of each choice that was tried."""
    met: set[tuple[str, str]] = set()
    shown = []
    for place, entry in enumerate(entries):
        choices = {("backbone", entry.backbone), ("unfrozen", entry.unfrozen), ("adaptation", entry.adaptation)}
        if place < MOST_ROWS or entry.winner or entry.is_baseline or (entry.rank is not None and choices - met):
            shown.append(entry)
        met |= choices
    return shown


def _scale(entries: Sequence[Entry]) -> Scale | None:
    figures = [entry.score for entry in entries if entry.score is not None]
    ends = [end for figure in figures for end in (figure.value, *(figure.ends or ()))]
    if not ends:
        return None
    low, high = min(ends), max(ends)
    margin = (high - low) * 0.03 or 0.5
    return Scale(low - margin, high + margin)
