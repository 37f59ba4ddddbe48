"""What earlier sittings of a resumed search left in the run's database: read from SQLite and JSON, never a pickle."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from autotl.plan import Plan
from autotl.plan.fields import parse_plan
from autotl.run import Study
from autotl.run.cut_off import trials_marked
from autotl.run.trial_row import new_row

PACKET = "packet"  # attribute of Optuna's trial: the first of those that were trained side by side


@dataclass(frozen=True)
class EarlierTrial:
    """A trial that an earlier sitting began.

    Attributes:
        curve: what it has told so far: epoch, train_loss and score of each.
        ran_beside_others: whether it was one of several that were trained side by side.
    """

    number: int
    plan: Plan
    row: Mapping[str, Any]
    curve: Sequence[Mapping[str, Any]]
    ran_beside_others: bool

    @property
    def baseline(self) -> str | None:
        """The name of the baseline that it is."""
        name: str | None = self.row["baseline"]
        return name

    @property
    def asked_plan(self) -> Plan:
        """The plan as it was proposed, before its batch was made smaller for want of memory."""
        asked = self.row["asked_batch_size"]
        return self.plan if asked is None else replace(self.plan, batch_size=asked)

    @property
    def is_unfinished(self) -> bool:
        """Whether it was under way when the sitting ended."""
        return bool(self.row["status"] == "running")

    @property
    def final(self) -> dict[str, Any] | None:
        """What it reported at its end; None of a trial that was not completed."""
        return {name: self.row[name] for name in ("score", "scores")} if self.row["status"] == "complete" else None

    @property
    def last_epoch(self) -> int:
        """That was told."""
        return max((int(step["epoch"]) for step in self.curve), default=0)

    @property
    def scores(self) -> dict[int, float]:
        """By epoch, those that are numbers."""
        return {step["epoch"]: step["score"] for step in self.curve if step["score"] is not None}


def earlier_trials(study: Study, *, modality: str) -> list[EarlierTrial]:
    """All trials of earlier sittings, in the order of their numbers; none of a new search."""
    curves, beside_others = study.curves(), trials_marked(study, PACKET)
    return [
        EarlierTrial(number, _plan_of(row, modality), row, curves.get(number, []), number in beside_others)
        for number, row in ((row["trial"], _with_newer_columns(row)) for row in study.trials())
    ]


def _with_newer_columns(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as this version writes it; one of an older version lacks what could not be told then."""
    return {**new_row(row["trial"], row["plan"], baseline=row["baseline"]), **row}


def _plan_of(row: Mapping[str, Any], modality: str) -> Plan:
    return parse_plan(row["plan"], where=f"trial {row['trial']}", folder=Path(), modality=modality)
