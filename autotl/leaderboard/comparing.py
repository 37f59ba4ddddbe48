"""Trials side by side, of one run or of several: what differs, what it costs, and which of them is better.

Two models are tested against each other only where both said something of the very same examples, told by the digests
of their content. Nothing here reads a file, and no model runs: what a trial did not leave behind is not known.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autotl.leaderboard import words
from autotl.leaderboard.files import flattened
from autotl.leaderboard.without_labels import KIND
from autotl.scoring.comparison import cannot_be_told_apart, paired_difference
from autotl.scoring.intervals import Interval
from autotl.scoring.label_thresholds import EVEN_ODDS
from autotl.scoring.metrics import METRICS, Labels, Metric, Probabilities
from autotl.scoring.resampling import Groups
from autotl.trial.scorer import counting_unknown

SEED = 0  # of the resamples
FIELDS = (
    *("plan", "score", "scores", "test", "refit_test", "params", "model_mb", "latency_ms", "latency_estimated"),
    *("flops", "epochs", "seconds"),
)  # of a row that a comparison tells


@dataclass(frozen=True)
class Said:
    """What a model said of examples.

    Attributes:
        digests: of the examples' contents, shape (n,).
        labels: class indices, UNKNOWN for a class that the model cannot name; or marks (n, labels).
        probabilities: shape (n, classes).
    """

    digests: NDArray[np.str_]
    labels: Labels
    groups: Groups | None
    probabilities: Probabilities

    def in_order(self) -> "Said":
        """The same, ordered by content: so the same examples of two runs stand in the same places."""
        order = np.lexsort((*np.atleast_2d(self.labels.T), self.digests))
        groups = None if self.groups is None else self.groups[order]
        return Said(self.digests[order], self.labels[order], groups, self.probabilities[order])


@dataclass(frozen=True)
class Side:
    """One of the trials that are compared.

    Attributes:
        label: as the user wrote it.
        row: its leaderboard row.
        corrected: `{value, low, high}`, its figure corrected for selection; known for winners.
        validation, test: what it said; None where it left nothing behind.
        why_untested: why there is no `test`, in words that go before the label.
    """

    label: str
    run: str
    task: str
    metric: str
    regime: str
    classes: tuple[str, ...]
    positive: int
    row: Mapping[str, Any]
    corrected: Mapping[str, Any] | None
    validation: Said | None
    test: Said | None
    why_untested: str = "there are no test outputs of"

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values, without what it said."""
        return {
            "label": self.label,
            "run": self.run,
            "trial": self.row["trial"],
            "task": self.task,
            "metric": self.metric,
            "regime": self.regime,
            "winner": self.row["winner"],
            "status": self.row["status"],
            "corrected": self.corrected,
            **{name: self.row.get(name) for name in FIELDS},
        }


@dataclass(frozen=True)
class PairedTest:
    """Two models on the same examples.

    Attributes:
        on: `test`, `validation`, or None where they share no examples and nothing was tested.
        difference: `{value, low, high}`: by how much the first is better, with its 90 % interval.
        only_first_right, only_second_right: examples that just one of them names rightly.
        better: label of the better one; None where they cannot be told apart.
    """

    first: str
    second: str
    on: str | None
    metric: str
    examples: int
    difference: Mapping[str, Any] | None
    only_first_right: int | None
    only_second_right: int | None
    better: str | None
    sentence: str


@dataclass(frozen=True)
class Comparison:
    """Trials side by side.

    Attributes:
        differences: field of a plan -> its value on each side, for fields that are not the same on all.
        tests: every other side against the first.
        notes: what a reader must know beside them.
    """

    sides: tuple[Side, ...]
    differences: Mapping[str, Sequence[Any]]
    tests: tuple[PairedTest, ...]
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "schema": 1,
            "sides": [side.as_dict() for side in self.sides],
            "plan_differences": {name: list(values) for name, values in self.differences.items()},
            "tests": [asdict(test) for test in self.tests],
            "notes": list(self.notes),
        }


def compare_sides(sides: Sequence[Side]) -> Comparison:
    """Compares two sides or more, each with the first."""
    first, *others = sides
    notes = []
    if len({side.task for side in sides}) > 1:
        notes.append(f"These are different tasks: {', '.join(dict.fromkeys(side.task for side in sides))}.")
    if len({side.metric for side in sides}) > 1:
        metrics = ", ".join(dict.fromkeys(side.metric for side in sides))
        notes.append(f"Their tasks have different metrics ({metrics}): scores do not compare; tests are by the first.")
    return Comparison(
        tuple(sides), plan_differences(sides), tuple(_tested(first, other) for other in others), tuple(notes)
    )


def plan_differences(sides: Sequence[Side]) -> dict[str, list[Any]]:
    """The fields of the plans that are not the same on all sides, in the order of the plans."""
    plans = [dict(flattened(side.row["plan"])) for side in sides]
    fields = dict.fromkeys(name for plan in plans for name in plan)
    values = {name: [plan.get(name) for plan in plans] for name in fields}
    return {name: found for name, found in values.items() if any(value != found[0] for value in found)}


def _tested(first: Side, second: Side) -> PairedTest:
    if first.classes and second.classes and first.classes != second.classes:
        return _untested(first, second, "their classes are not the same")
    if first.test is None or second.test is None:
        reasons: dict[str, list[str]] = {}
        for side in (first, second):
            if side.test is None:
                reasons.setdefault(side.why_untested, []).append(side.label)
        why = "; ".join(f"{reason} {' and '.join(labels)}" for reason, labels in reasons.items())
        return _on_validation(first, second, why)
    if not _are_same(first.test, second.test):
        return _on_validation(first, second, "their test examples are not the same")
    return _paired(first, second, first.test, second.test, on="test", remark="")


def _on_validation(first: Side, second: Side, why: str) -> PairedTest:
    if KIND in (first.regime, second.regime):
        return _untested(first, second, f"{why}, and no target label was known to the search")
    if first.validation is None or second.validation is None:
        missing = first if first.validation is None else second
        return _untested(first, second, f"{why}, and {missing.label} left no outputs with labels behind")
    if not _are_same(first.validation, second.validation):
        return _untested(first, second, f"{why}, and their validation examples are not the same either")
    remark = f" These are the examples that trials were chosen by, because {why}."
    return _paired(first, second, first.validation, second.validation, on="validation", remark=remark)


def _are_same(one: Said, other: Said) -> bool:
    mine, theirs = one.in_order(), other.in_order()
    return np.array_equal(mine.digests, theirs.digests) and np.array_equal(mine.labels, theirs.labels)


def _paired(first: Side, second: Side, one: Said, other: Said, *, on: str, remark: str) -> PairedTest:
    mine, theirs = one.in_order(), other.in_order()
    metric = METRICS[first.metric].with_positive(first.positive)
    labels, own = counting_unknown(mine.labels, np.asarray(mine.probabilities, dtype=np.float32))
    _, others = counting_unknown(mine.labels, np.asarray(theirs.probabilities, dtype=np.float32))
    difference = paired_difference(metric, labels, own, others, groups=mine.groups, seed=SEED)
    is_open = cannot_be_told_apart((difference.low, difference.high))
    better = None if is_open else (first if difference.value > 0 else second).label
    is_right_or_wrong = metric.of_numbers is None
    right, theirs_right = _right(labels, own), _right(labels, others)
    return PairedTest(
        first=first.label,
        second=second.label,
        on=on,
        metric=metric.name,
        examples=len(labels),
        difference=difference.as_dict(),
        only_first_right=int((right & ~theirs_right).sum()) if is_right_or_wrong else None,
        only_second_right=int((~right & theirs_right).sum()) if is_right_or_wrong else None,
        better=better,
        sentence=_verdict(first, second, difference, metric, better=better, where=f"{len(labels):,} {on}") + remark,
    )


def _right(labels: Labels, said: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Whether each example's class is named; of several labels, whether all of them are decided so at even odds."""
    if labels.ndim == 2:
        return np.asarray(((said >= EVEN_ODDS) == (labels == 1)).all(axis=1))
    return np.asarray(said.argmax(axis=1) == labels)


def _verdict(first: Side, second: Side, difference: Interval, metric: Metric, *, better: str | None, where: str) -> str:
    on = f"On the same {where} examples"
    figure = f"{words.difference(difference, metric)}, 90 % interval in brackets"
    if better is None:
        return f"{on} {first.label} and {second.label} cannot be told apart: {figure}."
    verb = "is better than" if better == first.label else "is worse than"
    return f"{on} {first.label} {verb} {second.label}: {figure}."


def _untested(first: Side, second: Side, why: str) -> PairedTest:
    sentence = f"{first.label} and {second.label} were not tested against each other: {why}."
    return PairedTest(first.label, second.label, None, first.metric, 0, None, None, None, None, sentence)
