"""A search under a budget of privacy, from its terms to its report.

Whatever it writes into the run folder was paid for or is public, but for the folder `private`, which stays with whoever
owns the data. So the report, which knows the folder alone, can tell nothing that it should not.
"""

import logging
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from autotl import leaderboard
from autotl.api.asked import write_what_was_asked
from autotl.api.describing import bundle_description, card_of
from autotl.api.opening import OpenedTask
from autotl.api.orders import workshop_order
from autotl.api.private_terms import Sizes, division_of, plans_of, sentences_of
from autotl.api.quiet import import_keras
from autotl.api.stages import Stages
from autotl.api.standing import keep_standing, write_leaderboard
from autotl.data import TaskData
from autotl.data.discreet import discreet
from autotl.data.private_split import ProtectedRows
from autotl.errors import (
    AutotlError,
    DataError,
    GateNotMetError,
    NothingToResumeError,
    NoUsableModelError,
    UsageError,
)
from autotl.plan import Plan
from autotl.plan.fields import parse_plan
from autotl.report import render
from autotl.report.from_run import report_values
from autotl.report.wording import counted as in_number
from autotl.run import RunFolder, Study
from autotl.run.folder import REPORT, WINNER, written_whole
from autotl.run.ledger import Ledger, forget_key, open_ledger
from autotl.run.study import ENDED, FINISHED, PARTIAL, SPENT
from autotl.scoring.intervals import Interval, wilson
from autotl.scoring.noisy_share import noisy_share
from autotl.search.budget import Budget
from autotl.search.earlier import earlier_trials
from autotl.search.events import SearchStarted
from autotl.search.journal import Journal
from autotl.search.limits import limits_of
from autotl.task import PRIVATE_METRIC, is_protected
from autotl.trial.private.division import Division
from autotl.trial.private.noise import SecretDraws

if TYPE_CHECKING:
    from autotl.search.private_search import PrivateSearch

PRIVACY = "privacy"  # the fact with terms and spending
NOT_CALIBRATED = "nothing: calibrating would take one more look at protected examples"

Row = dict[str, Any]
Found = tuple[dict[str, Any], tuple[str, ...], AutotlError | None]

_log = logging.getLogger(__name__)


def search_privately(
    task: OpenedTask, data: TaskData, run: RunFolder, study: Study, budget: Budget, stages: Stages
) -> Found:
    """Searches, trains the model that ships, tests it once, and writes all of it down.

    Returns:
        The content of leaderboard.json, what was found in words, and why the command must not end with 0.
    Raises:
        NothingToResumeError: the run has come to its end, and its budget is spent as it was divided.
        UsageError: a run that goes on was to be divided anew.
        DataError: it was begun on other data.
    """
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
    sitting = _sitting(task, data, run, study, budget, stages, rows=rows, division=division, ledger=ledger, key=key)
    earlier = earlier_trials(study, modality=data.modality)
    sitting.journal.take_up(earlier)
    budget.start_search()
    ended = [dict(each.row) for each in earlier if not each.is_unfinished]
    stages.start("search", "searching within the budget of privacy")
    sitting.listen(SearchStarted(division.trials, 0, 1, budget.search_ends, ended))
    why = sitting.run(earlier)
    _log.info("the search ended: %s", why)
    study.put_fact(ENDED, why)
    return _Finisher(task, data, told, run, study, budget, stages, sitting).finish()


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
        words = f"was divided for {in_number(before['trials'], 'trial')} when the search was begun, and stays so"
        raise UsageError(f"--trials {division.trials}: the budget of privacy {words}. Leave the option out.")


def _write_terms(task: OpenedTask, told: TaskData, run: RunFolder, study: Study, division: Division) -> None:
    from autotl.run.cut_off import BROKE_OFF, INTERRUPTED, OUT_OF_BUDGET, reopen

    with study.transaction():
        if task.begun is not None:
            reopen(study, reasons=(INTERRUPTED, BROKE_OFF, OUT_OF_BUDGET))
            for fact in (ENDED, PARTIAL):
                study.drop_fact(fact)
        write_what_was_asked(task, told, run, study)
        study.put_fact("regime", "validation")
        study.put_fact("setting", {"name": told.setting, "sentences": sentences_of(task.task, division)})
        study.put_fact(PRIVACY, division.as_dict())


def _sitting(
    task: OpenedTask,
    data: TaskData,
    run: RunFolder,
    study: Study,
    budget: Budget,
    stages: Stages,
    *,
    rows: ProtectedRows,
    division: Division,
    ledger: Ledger,
    key: bytes,
) -> "PrivateSearch":
    stages.start("backbones", "loading the networks")
    import_keras()
    from autotl.search.private_search import PrivateOrder, PrivateSearch
    from autotl.trial.private.bench import PrivateBench

    plans = plans_of(task)
    assert task.task.privacy is not None
    blends = task.task.privacy.protects == "source"
    given = sum(plan.backbone not in task.unavailable for plan in task.given)
    order = PrivateOrder(plans, given, division, rows, len(data.classes), blends=blends)
    listen = keep_standing(run, study, stages.listen)
    journal = Journal(run, study, listen, score_kind="validation", spent=lambda: budget.spent)
    bench = PrivateBench(workshop_order(task, data)())
    return PrivateSearch(order, bench, ledger, key, budget, journal, listen)


@dataclass
class _Finisher:
    """What follows the last trial."""

    task: OpenedTask
    data: TaskData
    told: TaskData
    run: RunFolder
    study: Study
    budget: Budget
    stages: Stages
    sitting: "PrivateSearch"

    def __post_init__(self) -> None:
        self.stages.start("rank", "ranking the trials")
        nothing: dict[str, Any] = {"outputs": {}, "labels": np.zeros(0, dtype=np.int64), "groups": None}
        values = {"metric": PRIVATE_METRIC, "seed": self.task.task.seed, **nothing}
        limits = limits_of(self.task.task.limits)
        self.rows: list[Row] = leaderboard.rank(self.study.trials(), higher_is_better=True, limits=limits, **values)
        self.headline = leaderboard.headline(self.rows, **values)
        self._tested: float | None = None

    def finish(self) -> Found:
        """Ships the winner of a search that was not stopped, and writes leaderboard and report."""
        is_stopped = self.budget.interrupted_by is not None
        if is_stopped:
            self.study.put_fact(PARTIAL, "stopped by a signal before its trials had ended")
        winner = next((row for row in self.rows if row["winner"]), None)
        if winner is not None and not is_stopped:
            self._ship(winner)
        found = self._write()
        with self.study.transaction():
            self.study.put_fact(SPENT, self.budget.spent)
            if not is_stopped:
                self.study.put_fact(FINISHED, True)
        if not is_stopped:
            forget_key(self.run.path)
        return found

    def _ship(self, winner: Row) -> None:
        from autotl.production.bundle import write_bundle
        from autotl.production.serving_model import serving_private_head

        plan, division = self._plan(winner), self.sitting.order.division
        self.stages.start("retrain", "training the model that ships, with the rest of the budget")
        head = self.sitting.final_head(winner["trial"], plan)
        is_trial = division.ships_the_trial
        reason = "it was trained with the whole budget, and training again would cost another"
        if not is_trial:
            epsilon = f"epsilon {division.epsilon_of_final:.3g}"
            reason = f"trained on all {division.protected:,} protected examples with {epsilon}"
        refit = {"shipped": "trial" if is_trial else "refit", "reason": reason}
        self._score_on_public(plan, head)
        self._test(winner, plan, head)
        self.headline["sentences"] += self._sentences()
        self.stages.start("bundle", "writing the bundle")
        with written_whole(self.run.path / WINNER) as place:
            write_bundle(
                place,
                serving_private_head(self.sitting.bench.network(plan), head),
                description=self._description(winner, refit["shipped"]),
                metrics={
                    "score": winner["score"],
                    "headline": self.headline,
                    "test": winner["refit_test"] or winner["test"],
                    "privacy": self._privacy(),
                },
                card=self._card(winner, refit),
                evidence={"privacy.json": self._privacy()},
            )
        self.study.put_fact("refit", refit)

    def _description(self, winner: Row, shipped: str) -> Row:
        run, task = self.run.path.name, self.task.task
        return bundle_description(task, self.told, winner, run=run, shipped=shipped, calibration={"temperature": 1.0})

    def _card(self, winner: Row, refit: Row) -> str:
        from autotl.production.evidence.figures import NOTHING

        return card_of(
            self.task.task,
            self.told,
            winner,
            metric=PRIVATE_METRIC,
            run=self.run.path.name,
            headline=self.headline["sentences"],
            corrected=None,
            test=winner["refit_test"] or winner["test"],
            test_uses=int(self.study.facts().get("test", {}).get("uses") or 0),
            refit=refit,
            calibration={"temperature": 1.0, "fitted_on": NOT_CALIBRATED},
            evidence=NOTHING,
        )

    def _score_on_public(self, plan: Plan, head: Any) -> None:
        """The model that ships on public examples of the target that it has not learnt from, where there are some."""
        rows = self.sitting.order.rows.public_validation
        if not (self.sitting.order.blends and len(rows)):
            return
        scored = self.sitting.bench.labelled(plan, rows)
        right = int(np.count_nonzero(head.predict(scored.features).argmax(axis=1) == scored.labels))
        low, high = wilson(right, len(rows))
        self.headline["sentences"].append(
            f"On {len(rows):,} public target examples that it has not learnt from, the model that ships has accuracy "
            f"{right / len(rows):.3f} ({low:.3f} to {high:.3f})."
        )

    def _test(self, winner: Row, plan: Plan, head: Any) -> None:
        """One count on the test set; of protected examples with noise that was paid for."""
        from autotl.production.evaluation import count_on_test

        test, sitting = self.data.test, self.sitting
        if test is None:
            return
        self.stages.start("test", "opening the test set")
        epsilon, is_paid = sitting.order.division.test.epsilon, is_protected(self.task.task, "target")
        if is_paid:
            sitting.ledger.charge(winner["trial"], plan, "test", "test", [sitting.order.division.test])
        draws = SecretDraws(sitting.key, "test", winner["trial"], plan.key())
        counted = count_on_test(
            lambda inputs: head.predict(sitting.bench.features_of(plan, inputs)),
            test,
            noise=lambda: draws.discrete_laplace(Fraction(epsilon)) if is_paid else 0,
        )
        found = (
            noisy_share(counted.right, counted.rows, epsilon=epsilon)
            if is_paid
            else Interval(counted.right / counted.rows, *wilson(counted.right, counted.rows))
        )
        winner["test" if sitting.order.division.ships_the_trial else "refit_test"] = found.as_dict()
        self._tested = found.value
        uses = None if is_paid else counted.uses  # that others were tested on the very same examples was not paid for
        self.study.put_fact("test", {"uses": uses, "rows": counted.rows, "protocol": counted.protocol})
        self.headline["sentences"] += leaderboard.test_sentences(
            self.rows,
            metric=PRIVATE_METRIC,
            uses=uses or 0,
            rows_tested=counted.rows,
            protocol=counted.protocol,
            source_score=None,
        )

    def _sentences(self) -> list[str]:
        division, whose = self.sitting.order.division, self.task.task.privacy
        assert whose is not None
        lines = [
            f"Every {whose.protects} example is protected by ({division.epsilon:g}, {division.delta:g})-differential "
            f"privacy, the search included: {self.sitting.ledger.spent:.3g} of epsilon {division.epsilon:g} is spent."
        ]
        if not division.pays_for_trials:
            lines.append("The search rehearsed on public examples: the scores of its trials are theirs.")
        return lines

    def _privacy(self) -> Row:
        """Terms, spending, and who spent it."""
        ledger = self.sitting.ledger
        entries = [
            {
                "time": entry.time,
                "trial": entry.trial,
                "purpose": entry.purpose,
                "rows": entry.rows,
                "epsilon": _alone(ledger, entry.looks),
            }
            for entry in ledger.entries()
        ]
        return {**self.sitting.order.division.as_dict(), "spent": ledger.spent, "ledger": entries}

    def _write(self) -> Found:
        self.stages.start("report", "writing the report")
        self.study.put_fact(PRIVACY, self._privacy())
        content = write_leaderboard(self.run, self.rows, self.study.facts())
        self.study.put_fact("headline", self.headline)
        self.study.put_fact("timing", {"stages": self.stages.timing()})
        self.run.write(REPORT, render(report_values(self.run, content)))
        return content, tuple(self.headline["sentences"]), self._error()

    def _error(self) -> AutotlError | None:
        import signal

        from autotl.errors import InterruptedSearchError

        number, gate = self.budget.interrupted_by, self.task.gate
        if number is not None:
            words = f"stopped by {signal.Signals(number).name}; what had finished is written to {self.run.path}"
            return InterruptedSearchError(words, exit_code=128 + number)
        winner = next((row for row in self.rows if row["winner"]), None)
        if winner is None:
            return NoUsableModelError(
                f"the search ended and no trial may win. {self.headline['sentences'][0]} The leaderboard says more."
            )
        if gate is None:
            return None
        value = winner[gate.metric] if gate.is_cost else self._tested if gate.on_test else winner["score"]["value"]
        complaint = gate.complaint(value if gate.is_cost or gate.metric == PRIVATE_METRIC else None)
        return None if complaint is None else GateNotMetError(complaint)

    def _plan(self, row: Row) -> Plan:
        where, folder = f"trial {row['trial']}", self.task.task.folder
        return parse_plan(row["plan"], where=where, folder=folder, modality=self.data.modality).canonical()


def _alone(ledger: Ledger, looks: Any) -> float:
    from autotl.trial.private.accountant import epsilon_of

    return epsilon_of(looks, ledger.delta)
