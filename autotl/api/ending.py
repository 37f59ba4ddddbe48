"""How every search ends: with its report, and with an error where the command must not end with 0."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from autotl.api.signals import interrupted
from autotl.api.sitting import Sitting
from autotl.errors import AutotlError, GateNotMetError, NoUsableModelError, StorageError
from autotl.features.store import TROUBLE as STORE_TROUBLE
from autotl.leaderboard import Gate, winner_of
from autotl.report import render
from autotl.report.from_run import report_values
from autotl.run.folder import REPORT
from autotl.run.trial_row import Row

Found = tuple[dict[str, Any], tuple[str, ...], AutotlError | None]


def write_report(sitting: Sitting, content: dict[str, Any], facts: Mapping[str, Any]) -> None:
    """Notes what was found and how long it took, and writes the report.

    Args:
        content: of leaderboard.json.
        facts: by name.
    """
    for name, value in facts.items():
        sitting.study.put_fact(name, value)
    sitting.study.put_fact("timing", {"stages": sitting.stages.timing()})
    sitting.run.write(REPORT, render(report_values(sitting.run, content)))


def ending_error(
    sitting: Sitting,
    rows: Sequence[Row],
    sentences: Sequence[str],
    reached: Callable[[Gate], float | None],
    *,
    failure: AutotlError | None = None,
) -> AutotlError | None:
    """Why the command must not end with 0; None where it may.

    Args:
        rows: of the leaderboard.
        sentences: what was found, in words; the first says why there is no winner, where there is none.
        reached: the figure of the metric that a gate is about; None where it was not measured.
        failure: what kept the search from its end, or the winner from being shipped.
    """
    if sitting.budget.interrupted_by is not None:
        return interrupted(sitting.budget.interrupted_by, f"; what had finished is written to {sitting.run.path}")
    if failure is not None:
        return failure
    winner = winner_of(rows)
    if winner is None:
        return _without_winner(rows, sentences)
    gate = sitting.task.gate
    complaint = None if gate is None else gate.complaint(winner[gate.metric] if gate.is_cost else reached(gate))
    return None if complaint is None else GateNotMetError(complaint)


def _without_winner(rows: Sequence[Row], sentences: Sequence[str]) -> AutotlError:
    failures = [row["failure"] for row in rows if row["status"] == "failed"]
    if failures and all(words.startswith(STORE_TROUBLE) for words in failures):
        return StorageError(f"no trial could be trained: {failures[0]}")
    return NoUsableModelError(f"the search ended and no trial may win. {sentences[0]} The leaderboard says more.")
