"""A search under a budget of privacy, from its terms to its report.

Whatever it writes into the run folder was paid for or is public, but for the folder `private`, which stays with whoever
owns the data. So the report, which knows the folder alone, can tell nothing that it should not.
"""

import logging
from typing import TYPE_CHECKING

from autotl.api.asked import write_what_was_asked
from autotl.api.ending import Found
from autotl.api.finishing_privately import PRIVACY, finish_privately
from autotl.api.opening import OpenedTask
from autotl.api.orders import workshop_order
from autotl.api.private_terms import Sizes, division_of, plans_of, sentences_of
from autotl.api.quiet import import_keras
from autotl.api.sitting import Sitting
from autotl.api.standing import keep_standing
from autotl.data import TaskData
from autotl.data.discreet import discreet
from autotl.data.private_split import ProtectedRows
from autotl.errors import DataError, NothingToResumeError, UsageError
from autotl.report.wording import counted
from autotl.run import RunFolder, Study
from autotl.run.cut_off import BROKE_OFF, INTERRUPTED, OUT_OF_BUDGET, reopen
from autotl.run.ledger import Ledger, open_ledger
from autotl.run.study import ENDED, FINISHED, PARTIAL
from autotl.search.earlier import earlier_trials
from autotl.search.events import SearchStarted
from autotl.search.journal import Journal
from autotl.trial.private.division import Division

if TYPE_CHECKING:
    from autotl.search.private_search import PrivateSearch

_log = logging.getLogger(__name__)


def search_privately(sitting: Sitting) -> Found:
    """Searches, trains the model that ships, tests it once, and writes all of it down.

    Returns:
        The content of leaderboard.json, what was found in words, and why the command must not end with 0.
    Raises:
        NothingToResumeError: the run has come to its end, and its budget is spent as it was divided.
        UsageError: a run that goes on was to be divided anew.
        DataError: it was begun on other data.
    """
    task, data, run, study, budget = sitting.task, sitting.data, sitting.run, sitting.study, sitting.budget
    privacy = task.task.privacy
    assert privacy is not None
    _refuse_finished(task)
    rows = ProtectedRows.of(task.task, data)
    division = division_of(task, Sizes.of(rows))
    _refuse_other_division(task, division)
    ledger, key = open_ledger(run.path, epsilon=privacy.epsilon, delta=privacy.delta)
    told = discreet(task.task, data, key=key)
    _refuse_other_data(task, told)
    _write_terms(task, told, run, study, division)
    search = _private_search(sitting, rows=rows, division=division, ledger=ledger, key=key)
    earlier = earlier_trials(study, modality=data.modality)
    search.journal.take_up(earlier)
    budget.start_search()
    ended = [dict(each.row) for each in earlier if not each.is_unfinished]
    sitting.stages.start("search", "searching within the budget of privacy")
    search.listen(SearchStarted(division.trials, 0, 1, budget.search_ends, ended))
    why = search.run(earlier)
    _log.info("the search ended: %s", why)
    study.put_fact(ENDED, why)
    return finish_privately(sitting, told, search)


def _refuse_finished(task: OpenedTask) -> None:
    if task.begun is not None and FINISHED in task.begun.facts:
        words = "its budget of privacy is spent as it was divided. Another search needs a budget of its own."
        raise NothingToResumeError(f"nothing to resume: {task.begun.run.shown} is finished, and {words}")


def _refuse_other_data(task: OpenedTask, told: TaskData) -> None:
    if task.begun is not None and task.begun.facts["data"]["fingerprint"] != told.summary["fingerprint"]:
        words = "or the key of its noise is gone. Bring them back, or begin a search with a budget of its own."
        raise DataError([f"the data are not those that {task.begun.run.shown} was begun on, {words}"])


def _refuse_other_division(task: OpenedTask, division: Division) -> None:
    """The budget is divided once, before anything is spent."""
    before = {} if task.begun is None else task.begun.facts.get(PRIVACY) or {}
    if before and before["trials"] != division.trials:
        words = f"was divided for {counted(before['trials'], 'trial')} when the search was begun, and stays so"
        raise UsageError(f"--trials {division.trials}: the budget of privacy {words}. Leave the option out.")


def _write_terms(task: OpenedTask, told: TaskData, run: RunFolder, study: Study, division: Division) -> None:
    with study.transaction():
        if task.begun is not None:
            reopen(study, reasons=(INTERRUPTED, BROKE_OFF, OUT_OF_BUDGET))
            for fact in (ENDED, PARTIAL):
                study.drop_fact(fact)
        write_what_was_asked(task, told, run, study)
        study.put_fact("regime", "validation")
        study.put_fact("setting", {"name": told.setting, "sentences": sentences_of(task.task, division)})
        study.put_fact(PRIVACY, division.as_dict())


def _private_search(
    sitting: Sitting, *, rows: ProtectedRows, division: Division, ledger: Ledger, key: bytes
) -> "PrivateSearch":
    task, data, run, study, budget = sitting.task, sitting.data, sitting.run, sitting.study, sitting.budget
    sitting.stages.start("backbones", "loading the networks")
    import_keras()
    from autotl.search.private_search import PrivateOrder, PrivateSearch
    from autotl.trial.private.bench import PrivateBench

    plans = plans_of(task)
    assert task.task.privacy is not None
    blends = task.task.privacy.protects == "source"
    given = sum(plan.backbone not in task.unavailable for plan in task.given)
    order = PrivateOrder(plans, given, division, rows, len(data.classes), blends=blends)
    listen = keep_standing(run, study, sitting.stages.listen)
    journal = Journal(run, study, listen, score_kind="validation", spent=lambda: budget.spent)
    bench = PrivateBench(workshop_order(task, data)())
    return PrivateSearch(order, bench, ledger, key, budget, journal, listen)
