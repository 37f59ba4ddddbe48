"""What follows the last trial: rank, ship the winner, and write it all down."""

from collections.abc import Callable

import numpy as np

from autotl.api.beginning import keep_for_later
from autotl.api.costs import cost_log
from autotl.api.ending import Found, ending_error, write_report
from autotl.api.ranking import RankedRun
from autotl.api.shipping_winner import retraining, ship_winner
from autotl.api.signals import stopped_by
from autotl.api.sitting import Sitting
from autotl.api.standing import write_leaderboard
from autotl.api.tidying import tidy
from autotl.errors import AutotlError, StorageError
from autotl.run.scored_examples import ScoredExamples, split_of, write_scored_examples
from autotl.run.study import ENDED, FINISHED, PARTIAL, SPENT
from autotl.run.trial_row import Row
from autotl.search.cost import Afterwards
from autotl.search.cost.reckoning import STARTUP_FACT
from autotl.search.enough import NO_GAIN
from autotl.trial.making import WorkshopOrder

AFTER_THE_TRIALS = ("rank", "latency", "retrain", "gap", "evidence", "bundle", "report")


def finish(
    sitting: Sitting,
    order: WorkshopOrder,
    *,
    why: str,
    trouble: AutotlError | None = None,
    ship: Callable[[RankedRun, Row], None] = ship_winner,
) -> Found:
    """Ranks the trials, ships the winner, writes leaderboard and report.

    Args:
        order: makes a workshop on the task's data.
        why: the reason for which the search ended.
        trouble: what broke the search off; the trials that had ended are ranked, and nothing is shipped.
        ship: makes a model of the winner.
    Returns:
        The content of leaderboard.json, what was found in words, and why the command must not end with 0.
    """
    study, budget = sitting.study, sitting.budget
    sitting.stages.start("rank", "ranking the trials")
    ranked = RankedRun(sitting, order, is_partial=trouble is not None or budget.interrupted_by is not None)
    failure = trouble
    study.put_fact(ENDED, why)
    if why.startswith(NO_GAIN):
        ranked.tell([f"The search ended before its trials and time were used up: {why}."])
    if trouble is not None:
        study.put_fact(PARTIAL, f"the search broke off: {trouble}")
    elif budget.interrupted_by is not None:
        study.put_fact(PARTIAL, stopped_by(budget.interrupted_by))
    elif ranked.winner is not None:
        _write(ranked, failure)  # whatever goes wrong from here on, what was found is there
        failure = _shipped_or_told(ranked, ranked.winner, ship)
    found = _write(ranked, failure)
    if trouble is None:
        keep_for_later(sitting.task, sitting.data, study, ranked.rows)
    is_whole = failure is None and budget.interrupted_by is None and PARTIAL not in study.facts()
    if is_whole and ranked.winner is not None:
        _note_costs(ranked, ranked.winner)
    with study.transaction():
        study.put_fact(SPENT, budget.spent)
        if is_whole:
            study.put_fact(FINISHED, True)
    return found


def _shipped_or_told(ranked: RankedRun, winner: Row, ship: Callable[[RankedRun, Row], None]) -> AutotlError | None:
    """Ships the winner. The search stands where that cannot be done; why is told and returned."""
    study, budget = ranked.sitting.study, ranked.sitting.budget
    try:
        with budget.broken_off_by_signals():
            ship(ranked, winner)
    except (Exception, KeyboardInterrupt) as error:
        if budget.interrupted_by is not None:  # a library may have turned the interruption into an error of its own
            study.put_fact(PARTIAL, f"{stopped_by(budget.interrupted_by)} before the winner was shipped")
            return None
        if not isinstance(error, AutotlError | OSError | MemoryError):
            raise
        words = str(error).strip() or type(error).__name__
        study.put_fact("not_shipped", words)
        ranked.tell([f"The winner could not be shipped: {words}"])
        return error if isinstance(error, AutotlError) else StorageError(words)
    return None


def _write(ranked: RankedRun, failure: AutotlError | None) -> Found:
    """Leaderboard and report."""
    sitting, sentences = ranked.sitting, ranked.headline["sentences"]
    sitting.stages.start("report", "writing the report")
    content = write_leaderboard(sitting.run, ranked.rows, sitting.study.facts())
    tidy(ranked)
    write_scored_examples(sitting.run, _scored_examples(ranked))
    facts = {
        "headline": ranked.headline,
        "together": ranked.together,
        "importance": ranked.importance,
        "confusion": ranked.confusion,
    }
    write_report(sitting, content, facts)
    return content, tuple(sentences), ending_error(sitting, ranked.rows, sentences, ranked.reached, failure=failure)


def _scored_examples(ranked: RankedRun) -> ScoredExamples:
    data, said = ranked.sitting.data, [outputs.rows for outputs in ranked.outputs.values()]
    rows = np.unique(np.concatenate(said)) if said else np.empty(0, dtype=np.int64)
    digests = [digest for inputs in data.inputs for digest in inputs.digests]
    groups = None if data.groups is None else data.groups[rows]
    validation = split_of([digests[row] for row in rows.tolist()], data.labels[rows], groups)
    return ScoredExamples(data.classes, ranked.order.scorer.positive, rows, validation, ranked.test_examples)


def _note_costs(ranked: RankedRun, winner: Row) -> None:
    """What this command took beside its trials, for the estimates of later ones."""
    sitting = ranked.sitting
    taken = {each["stage"]: each["seconds"] for each in sitting.stages.timing() if each["stage"] in AFTER_THE_TRIALS}
    startup = float(sitting.study.facts().get(STARTUP_FACT, 0.0))
    retrained = float(winner["seconds"]["train"]) if retraining(ranked, winner) == "yes" else 0.0
    cost_log(sitting.task.overrides).add(afterwards=Afterwards(taken, retrained, startup))
