"""From figures to a verdict: is it time to search again, and why.

A figure speaks only where it is large enough to matter and further off than chance explains; how often the rules are
wrong is measured by `python -m benchmarks.watch`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from autotl.scoring.watching.compared import ColumnShift, Compared, Figure

Name = Literal["fine", "look", "search_again"]
VERDICTS: tuple[Name, ...] = get_args(Name)  # from best to worst

FALL, FALL_TO_LOOK = 0.05, 0.02  # of estimated accuracy
APART, APART_TO_LOOK = 0.6, 0.4  # A-distance: right in 65 and 60 of 100 cases
UNLIKE, UNLIKE_TO_LOOK = 0.1, 0.03  # shares of examples; 0.01 is usual
MIX = 0.1  # total variation of class shares
RARE = 0.001  # a chance
STABILITY = 0.25  # of a column: usually called a shift
ERRORS = 3.0  # standard errors that chance does not reach
FEW_ROWS = 100
SHOWN = 3

MEANINGS = {
    "fine": "Nothing speaks for a new search: these inputs look like those that the model was made for.",
    "look": "Something has moved, not so far that a new search is due. Look at the reasons, and watch again.",
    "search_again": "Search again, with these inputs as the target: they are not what the model was made for.",
}


@dataclass(frozen=True)
class Reason:
    """A figure that speaks, and what to do about it.

    Attributes:
        code: stable: `accuracy`, `apart`, `unlike`, `mix`, `answers` or `columns`.
    """

    code: str
    verdict: Name
    sentence: str


@dataclass(frozen=True)
class Verdict:
    """The worst of the reasons; `fine` without any."""

    name: Name
    reasons: tuple[Reason, ...]

    @property
    def sentence(self) -> str:
        """What it means."""
        return MEANINGS[self.name]

    def is_met(self, required: Name) -> bool:
        """Whether it is no worse than this."""
        return VERDICTS.index(self.name) <= VERDICTS.index(required)


def judge(found: Compared, classes: Sequence[str]) -> Verdict:
    """The verdict on fresh examples.

    Args:
        classes: names, in the order of the shares.
    """
    of_answers = (_accuracy(found), _mix(found, classes), _answers(found))
    candidates = [*of_answers, _apart(found), _unlike(found), _columns(found)]
    reasons = tuple(reason for reason in candidates if reason is not None)
    worst = max((VERDICTS.index(reason.verdict) for reason in reasons), default=0)
    return Verdict(VERDICTS[worst], tuple(sorted(reasons, key=lambda reason: -VERDICTS.index(reason.verdict))))


def _accuracy(found: Compared) -> Reason | None:
    fall = found.fall
    if fall is None or fall.value < FALL_TO_LOOK or fall.value < ERRORS * fall.error:
        return None
    low, high = min(found.now.values()), max(found.now.values())
    words = (
        f"Estimated accuracy fell by {_points(fall.value)}, to {low:.2f} to {high:.2f}. "
        "Label some of these inputs to be sure, and search again with them."
    )
    return Reason("accuracy", "search_again" if fall.value >= FALL else "look", words)


def _apart(found: Compared) -> Reason | None:
    value, sure = found.a_distance.value, found.a_distance.value - ERRORS * found.a_distance.error
    if value < APART_TO_LOOK or sure <= 0:
        return None
    figure = f"(A-distance {value:.2f} of 2)"
    if value >= APART and sure >= APART_TO_LOOK:
        right = round(100 * (value / 4 + 0.5))
        words = f"A linear classifier tells these inputs from the training domain's in {right} of 100 cases {figure}."
        return Reason("apart", "search_again", f"{words} They are a domain of their own: adapt to it.")
    return Reason(
        "apart", "look", f"A linear classifier tells these inputs from the training domain's sometimes {figure}."
    )


def _unlike(found: Compared) -> Reason | None:
    if not _exceeds(found.unlike, UNLIKE_TO_LOOK):
        return None
    words = (
        f"{100 * found.unlike.value:.0f} % of these inputs are unlike the training data (1 % is usual); "
        "what the model says of those is a guess."
    )
    return Reason("unlike", "search_again" if _exceeds(found.unlike, UNLIKE) else "look", words)


def _exceeds(figure: Figure, limit: float) -> bool:
    return figure.value >= limit and figure.value - ERRORS * figure.error > 0.01


def _mix(found: Compared, classes: Sequence[str]) -> Reason | None:
    if found.mix_moved < MIX or found.mix_chance >= RARE:
        return None
    moved = sorted(zip(classes, found.mix_then, found.mix_now, strict=True), key=lambda each: -abs(each[2] - each[1]))
    named = ", ".join(f"{name} {100 * then:.0f} → {100 * now:.0f} %" for name, then, now in moved[:SHOWN])
    words = f"The class mix has changed (total variation {found.mix_moved:.2f}; {named})."
    return Reason("mix", "look", f"{words} Where accuracy holds, correcting for it will do: label_shift.")


def _answers(found: Compared) -> Reason | None:
    moved = _moved(found.answers)
    if not moved:
        return None
    words = f"What the model says has moved: {_named(moved)}. Label some of these inputs to see whether it is true."
    return Reason("answers", "look", words)


def _columns(found: Compared) -> Reason | None:
    moved = _moved(found.columns)
    if not moved:
        return None
    words = f"{len(moved)} of {len(found.columns)} columns moved: {_named(moved)}. Check how they were measured."
    return Reason("columns", "look", words)


def _moved(columns: Sequence[ColumnShift]) -> list[ColumnShift]:
    return [column for column in columns if column.stability >= STABILITY + ERRORS * column.by_chance]


def _named(moved: Sequence[ColumnShift]) -> str:
    return "; ".join(f"{column.name} (stability index {column.stability:.2f})" for column in moved[:SHOWN])


def _points(share: float) -> str:
    return f"{100 * share:.0f} points"
