"""How a model was picked without target labels: its scores, its estimates and the guards."""

from collections.abc import Sequence
from dataclasses import dataclass

from autotl.report import wording
from autotl.report.entries import Entry, were_judged
from autotl.report.values import Json
from autotl.scoring import ESTIMATORS, LABEL_FREE_SCORES
from autotl.scoring.committee import MEMBERS
from autotl.scoring.estimates import RECORD, estimated_range
from autotl.scoring.guards import CLASSES_PREDICTED, PASSED
from autotl.scoring.label_free import LabelFreeScore
from autotl.scoring.panel import PanelScore

MOST_JUDGED = 15
"""Trials in the table of label-free scores, besides winner and baselines."""


@dataclass(frozen=True)
class Judged:
    """One trial before the committee: its scores in the order of the columns, and the guards that it did not pass."""

    entry: Entry
    scores: Sequence[float | None]  # that decide
    others: Sequence[float | None]
    estimate: str  # of its accuracy on the target, as a range in words
    classes: int | None
    complaints: Sequence[str]


@dataclass(frozen=True)
class Column:
    """A label-free score over a table."""

    name: str
    decides: bool
    blind_to: str  # when it is wrong
    paper: str


@dataclass(frozen=True)
class Committee:
    """How a model was picked on a target without labels, or what label-free scores said beside a few."""

    columns: list[Column]  # of the scores whose ranks decide
    others: list[Column]
    lines: Sequence[Judged]
    left_out: int
    estimators: list[Column]  # none where no trial has an estimate
    record: str  # what estimates have been worth
    beside_labels: bool  # whether a few target labels were known, too


def committee(entries: Sequence[Entry], headline: Json) -> Committee | None:
    """The label-free scores of the best trials and the guards' verdicts; None where target labels decided."""
    judged = [entry for entry in entries if entry.guards]
    if not judged:
        return None
    members = list((headline.get("committee") or headline.get("few_labels") or {}).get("members", ()))
    known: dict[str, LabelFreeScore | PanelScore] = {**MEMBERS, **LABEL_FREE_SCORES}
    names = [name for name in known if any(entry.scores.get(name) is not None for entry in judged)]
    deciding, others = [name for name in names if name in members], [name for name in names if name not in members]
    has_estimates = any(estimated_range(entry.scores) for entry in judged)
    shown = [entry for place, entry in enumerate(judged) if place < MOST_JUDGED or entry.winner or entry.baseline]
    return Committee(
        columns=[_column(known[name], decides=True) for name in deciding],
        others=[_column(known[name], decides=False) for name in others],
        lines=[
            Judged(
                entry,
                [entry.scores.get(name) for name in deciding],
                [entry.scores.get(name) for name in others],
                _range(estimated_range(entry.scores)),
                None if entry.scores.get(CLASSES_PREDICTED) is None else int(entry.scores[CLASSES_PREDICTED]),
                [words for words in entry.guards.values() if words != PASSED],
            )
            for entry in shown
        ],
        left_out=len(judged) - len(shown),
        estimators=[_column(each, decides=False) for each in ESTIMATORS.values()] if has_estimates else [],
        record=RECORD,
        beside_labels=not were_judged(entries),
    )


def _column(score: LabelFreeScore | PanelScore, *, decides: bool) -> Column:
    name = score.spoken or score.name.replace("_", " ")
    return Column(name, decides, score.blind_to, score.paper)


def _range(ends: tuple[float, float] | None) -> str:
    if ends is None:
        return wording.NOTHING
    return " to ".join(dict.fromkeys(f"{end:.2f}" for end in ends))
