"""Trials that a search did not bring to their end, and how they are taken up again."""

from collections.abc import Collection
from typing import Any

from autotl.run.study import Study

INTERRUPTED = "interrupted"  # by a signal
BROKE_OFF = "the search broke off"  # for trouble of its own, such as a full disk
OUT_OF_BUDGET = "budget"
NEVER_BEGAN = "never_began"  # attribute of a trial that Optuna was asked for and no worker was given

_AS_UNDER_WAY: dict[str, Any] = {"status": "running", "reason": None, "failure": None, "score": None, "scores": {}}


def is_cut_off(status: str, reason: str | None) -> bool:
    """Whether a trial that is shown as ended may go on when its search is resumed."""
    return status == "pruned" and reason in (INTERRUPTED, BROKE_OFF, OUT_OF_BUDGET)


def reopen(study: Study, *, reasons: Collection[str]) -> None:
    """Trials that were cut off for one of these reasons are under way again, under their numbers.

    A trial that came to its own end is never touched.
    """
    with study.transaction():
        for row in study.trials():
            if row["status"] == "pruned" and row["reason"] in reasons:
                study.put_trial(row["trial"], "running", {**row, **_AS_UNDER_WAY})
                _reopen_in_optunas_tables(study, row["trial"])
        for number in trials_marked(study, NEVER_BEGAN):
            _reopen_in_optunas_tables(study, number)
            study.execute(
                "DELETE FROM trial_user_attributes WHERE key = ? AND trial_id IN "
                "(SELECT trial_id FROM trials WHERE number = ?)",
                (NEVER_BEGAN, number),
            )


def _reopen_in_optunas_tables(study: Study, number: int) -> None:
    if not _has_optunas_tables(study):  # a private search asks no sampler
        return
    study.execute("UPDATE trials SET state = 'RUNNING', datetime_complete = NULL WHERE number = ?", (number,))
    # Optuna gives a pruned trial the last score that it told as its value
    study.execute(
        "DELETE FROM trial_values WHERE trial_id IN (SELECT trial_id FROM trials WHERE number = ?)", (number,)
    )


def trials_marked(study: Study, attribute: str) -> frozenset[int]:
    """Numbers of the trials that have this attribute."""
    if not _has_optunas_tables(study):
        return frozenset()
    marked = "SELECT number FROM trials JOIN trial_user_attributes USING (trial_id) WHERE key = ?"
    return frozenset(number for (number,) in study.execute(marked, (attribute,)))


def _has_optunas_tables(study: Study) -> bool:
    return bool(study.execute("SELECT 1 FROM sqlite_master WHERE name = 'trial_user_attributes'"))
