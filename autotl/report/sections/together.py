"""Was it worth it to learn the task together with others? The best plan of either kind, side by side."""

from collections.abc import Sequence
from dataclasses import dataclass

from autotl.report import wording
from autotl.report.entries import Entry, Interval
from autotl.report.values import Json

WEIGHING = {
    "uniform": "their losses count alike",
    "uncertainty": "a task whose labels look noisy counts less",
}


@dataclass(frozen=True)
class Gain:
    """By how much learning together is better, on some examples."""

    on: str
    value: str  # with its interval


@dataclass(frozen=True)
class Together:
    """What a task learnt together with others is worth beside the task learnt alone."""

    answer: str
    why: str
    companions: str
    weighing: str
    lines: Sequence[tuple[str, Entry]]  # in words what it is, and the trial
    gains: Sequence[Gain]


def together(entries: Sequence[Entry], found: Json | None) -> Together | None:
    """The section; None of a task that was learnt alone, or where one of the kinds has no trial that may win.

    Args:
        found: as `autotl.leaderboard.best_alone_and_together` gives it, with the names of the `companions`.
    """
    if not found:
        return None
    by_trial = {entry.trial: entry for entry in entries}
    lines = [("learnt alone", found["alone"]), ("learnt together", found["together"])]
    is_kept = found["kept"] == "together"
    return Together(
        answer="Yes: the shipped model was learnt together with other tasks."
        if is_kept
        else "Not clearly: the shipped model was learnt alone.",
        why="A plan that learns other tasks as well is kept only where the interval of its gain on the same validation "
        "examples lies above 0.",
        companions=", ".join(found["companions"]),
        weighing=WEIGHING[found["weighing"]],
        lines=[(words, by_trial[trial]) for words, trial in lines if trial in by_trial],
        gains=list(gains(found)),
    )


def gains(found: Json) -> list[Gain]:
    """On validation and, where there is one, on test."""
    return [
        Gain(f"{wording.count(said['examples'])} {split} examples", gain_words(said))
        for split in ("validation", "test")
        if (said := found.get(split)) is not None
    ]


def gain_words(said: Json) -> str:
    """`+0.012 (-0.004 to +0.031)`."""
    gain = Interval.read(said)
    if gain is None:
        return wording.NOTHING
    within = f" ({wording.signed_score(gain.low)} to {wording.signed_score(gain.high)})" if gain.ends else ""
    return f"{wording.signed_score(gain.value)}{within}"
