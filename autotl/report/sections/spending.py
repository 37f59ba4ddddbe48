"""Where time went, and money where the user said what an hour costs."""

from collections.abc import Sequence
from dataclasses import dataclass

from autotl.report import wording
from autotl.report.entries import PARTS, Entry
from autotl.report.values import Json

SECONDS_AN_HOUR = 3600.0


@dataclass(frozen=True)
class Price:
    """What an hour of the machine costs, as the user gave it."""

    an_hour: float
    currency: str  # "" where the user gave a bare number

    @classmethod
    def read(cls, given: Json | None) -> "Price | None":
        """The price in `{"an_hour", "currency"}`; None where none was given."""
        return None if not given else cls(float(given["an_hour"]), str(given.get("currency") or ""))

    def of(self, seconds: float) -> str:
        """What so much time costs: `0.42 EUR`."""
        amount = self.an_hour * seconds / SECONDS_AN_HOUR
        figure = f"{amount:,.2f}" if amount >= 0.01 else "less than 0.01"
        return f"{figure} {self.currency}".rstrip()


@dataclass(frozen=True)
class Spent:
    """One part of the time, and what it came to."""

    part: str
    time: str
    share: str
    money: str  # "" without a price


@dataclass(frozen=True)
class Spending:
    """The command stage by stage, and what the trials spent their time on."""

    stages: Sequence[Spent]
    total: str
    total_money: str
    price: str
    parts: Sequence[Spent]
    trials: str  # seconds of all trials, summed
    unused: str  # of that, spent on trials that ended without a score that counts
    unused_share: str


def search_seconds(timing: Json) -> float:
    """Wall time of the whole command."""
    return float(sum(stage["seconds"] for stage in timing.get("stages", ())))


def spending(timing: Json, entries: Sequence[Entry], price: Price | None) -> Spending | None:
    """Time and money of a run; None where neither stages nor trials have a time."""
    whole, inside = search_seconds(timing), sum(entry.total_seconds for entry in entries)
    if not whole and not inside:
        return None
    unused = sum(entry.total_seconds for entry in entries if entry.status in ("failed", "pruned"))
    by_part = [(part, sum(entry.seconds[part] for entry in entries)) for part in PARTS]
    return Spending(
        stages=[_spent(str(stage["stage"]), stage["seconds"], whole, price) for stage in timing.get("stages", ())],
        total=wording.duration(whole) if whole else "",
        total_money=price.of(whole) if price and whole else "",
        price=f"{price.an_hour:,.2f} {price.currency}".rstrip() if price else "",
        parts=[_spent(part, seconds, inside, None) for part, seconds in by_part if seconds],
        trials=wording.duration(inside),
        unused=wording.duration(unused) if unused else "",
        unused_share=wording.share(unused, inside),
    )


def _spent(part: str, seconds: float, whole: float, price: Price | None) -> Spent:
    return Spent(part, wording.duration(seconds), wording.share(seconds, whole), price.of(seconds) if price else "")
