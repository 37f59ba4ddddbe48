"""Did transfer help? The winner beside what could have been had without the search."""

from collections.abc import Sequence
from dataclasses import dataclass

from autotl.adaptation import METHODS
from autotl.plan.baselines import LINEAR_PROBE, MEANINGS, NO_TRANSFER
from autotl.report import wording
from autotl.report.entries import Entry, Interval, were_judged, winner_of
from autotl.report.values import Json


@dataclass(frozen=True)
class Compared:
    """A baseline beside the winner."""

    entry: Entry
    meaning: str
    gain: str  # of the winner over it, with its interval; "" where it was not worked out


@dataclass(frozen=True)
class Adapted:
    """How the winner was brought to the target."""

    method: str
    what_it_did: str
    paper: str


@dataclass(frozen=True)
class Transfer:
    """The answer, and what it rests on."""

    answer: str
    why: str
    lines: Sequence[Compared]
    on_test: bool  # whether test figures stand beside
    adapted: Adapted | None  # of the winner; None where nothing was adapted


def transfer(entries: Sequence[Entry], headline: Json, *, higher_is_better: bool) -> Transfer | None:
    """What the baselines say; None where there is no winner.

    Args:
        higher_is_better: of the task's metric.
    """
    winner = winner_of(entries)
    if winner is None:
        return None
    baselines = [entry for entry in entries if entry.baseline]
    without = next((entry for entry in baselines if entry.baseline == NO_TRANSFER), None)
    if winner.baseline == NO_TRANSFER:
        answer, why = "No.", "The model that starts from nothing won, and it is what ships."
    elif (gain := Interval.read(headline.get("transfer_gain"))) is not None:
        answer, why = _by_gain(gain)
    elif winner.test and without is not None and without.test:
        answer, why = _by_test(winner.test, without.test, higher_is_better=higher_is_better)
    else:
        answer, why = _unanswered(without, judged=were_judged(entries))
    gains = {
        name: _signed(gain)
        for name, key in ((NO_TRANSFER, "transfer_gain"), (LINEAR_PROBE, "probe_gain"))
        if (gain := Interval.read(headline.get(key))) is not None
    }
    return Transfer(
        answer=answer,
        why=why,
        lines=[
            Compared(entry, MEANINGS.get(entry.baseline or "", ""), gains.get(entry.baseline or "", ""))
            for entry in baselines
        ],
        on_test=any(entry.test for entry in baselines),
        adapted=_adapted(winner),
    )


def _adapted(winner: Entry) -> Adapted | None:
    method = METHODS.get(winner.adaptation)
    if method is None or method.stage == "none":
        return None
    return Adapted(winner.adaptation, method.in_words, method.paper)


def _by_gain(gain: Interval) -> tuple[str, str]:
    against = f"The winner stands at {_signed(gain)} against a model that starts from nothing"
    if gain.ends is None or gain.ends[0] <= 0 <= gain.ends[1]:
        return "It cannot be told.", f"{against}, which may be chance."
    return "Yes." if gain.value > 0 else "No.", f"{against}, on the same validation examples."


def _by_test(winner: Interval, without: Interval, *, higher_is_better: bool) -> tuple[str, str]:
    figures = f"On test it is {wording.score(winner.value)} against {wording.score(without.value)} of a model that"
    ends, other = winner.ends, without.ends
    if ends and other and ends[0] <= other[1] and other[0] <= ends[1]:
        return "It cannot be told.", f"{figures} starts from nothing; the intervals overlap."
    is_better = (winner.value > without.value) == higher_is_better
    return "Yes." if is_better else "No.", f"{figures} starts from nothing."


def _unanswered(without: Entry | None, *, judged: bool) -> tuple[str, str]:
    if judged:
        return "Not known.", "Without target labels nothing compares it with a model that never saw the source."
    if without is None:
        return "Not measured.", "No model that starts from nothing was trained beside it (the baseline no_transfer)."
    if without.status != "complete":
        return "Not measured.", f"The baseline no_transfer is {without.status}: there is no score to compare with."
    return "Not measured.", "The gain over the baseline no_transfer was not worked out."


def _signed(gain: Interval) -> str:
    """`+0.312 (+0.262 to +0.361)`."""
    ends = gain.ends
    within = f" ({wording.signed_score(ends[0])} to {wording.signed_score(ends[1])})" if ends else ""
    return f"{wording.signed_score(gain.value)}{within}"
