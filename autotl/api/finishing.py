"""What follows the last trial: rank, retrain, test, ship, and write it all down."""

import logging
import signal
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from autotl import leaderboard
from autotl.adaptation import METHODS
from autotl.api.beginning import BEGUN_WITH, keep_for_later
from autotl.api.costs import cost_log
from autotl.api.describing import bundle_description, card_of
from autotl.api.latencies import LATENCY, Latencies
from autotl.api.opening import OpenedTask
from autotl.api.quiet import import_keras
from autotl.api.stages import Stages
from autotl.api.standing import write_leaderboard
from autotl.data import TaskData
from autotl.errors import AutotlError, GateNotMetError, InterruptedSearchError, NoUsableModelError, StorageError
from autotl.features.store import TROUBLE as STORE_TROUBLE
from autotl.leaderboard.gate import Gate
from autotl.plan.fields import parse_plan
from autotl.report import render
from autotl.report.from_run import report_values
from autotl.run import RunFolder, Study, trial_files
from autotl.run.cut_off import is_cut_off
from autotl.run.folder import REPORT, WINNER, written_whole
from autotl.run.optuna_tables import complete_trials
from autotl.run.scored_examples import ScoredExamples, ScoredSplit, split_of, write_scored_examples
from autotl.run.study import ENDED, FINISHED, PARTIAL, SPENT
from autotl.scoring.answers import ANSWERS
from autotl.scoring.metrics import Labels, compute_all
from autotl.search.budget import Budget
from autotl.search.cost import Afterwards
from autotl.search.cost.forecast import TRAININGS
from autotl.search.cost.reckoning import STARTUP_FACT
from autotl.search.enough import NO_GAIN
from autotl.search.importance import importances
from autotl.search.limits import limits_of
from autotl.trial.making import WorkshopOrder
from autotl.trial.outcome import Outputs
from autotl.trial.scorer import counting_unknown

if TYPE_CHECKING:
    from autotl.production.evidence.gathering import Evidence
    from autotl.production.shipping import Contender, Retrain, Shipped
    from autotl.trial.workshop import Workshop

_log = logging.getLogger(__name__)

KEPT_WEIGHTS = 5  # of the best trials, besides winner and baselines
KEPT_FEATURES = 20
AFTER_THE_TRIALS = ("rank", "latency", "retrain", "gap", "evidence", "bundle", "report")
SAVED_MODEL = (
    "No bundle was written: the winner's backbone is a SavedModel, which a Keras file cannot hold. Its head "
    "is among the trial's weights."
)

ABOUT_THE_SOURCE = (
    "These figures are about held-out examples of the source, by which the winner was chosen: of such answers no score "
    "without labels is known to tell which model fits a target. What it does on the target only a test tells."
)

Row = dict[str, Any]


def finish(
    task: OpenedTask,
    data: TaskData,
    run: RunFolder,
    study: Study,
    budget: Budget,
    stages: Stages,
    order: WorkshopOrder,
    *,
    why: str,
    trouble: AutotlError | None = None,
) -> tuple[dict[str, Any], tuple[str, ...], AutotlError | None]:
    """Ranks the trials, ships the winner, writes leaderboard and report.

    Args:
        why: the reason for which the search ended.
        trouble: what broke the search off; the trials that had ended are ranked, and nothing is shipped.
    Returns:
        The content of leaderboard.json, what was found in words, and why the command must not end with 0.
    """
    stages.start("rank", "ranking the trials")
    finisher = _Finisher(task, data, run, study, budget, stages, order, trouble)
    study.put_fact(ENDED, why)
    if why.startswith(NO_GAIN):
        finisher.headline["sentences"].append(f"The search ended before its trials and time were used up: {why}.")
    if trouble is not None:
        study.put_fact(PARTIAL, f"the search broke off: {trouble}")
    elif budget.interrupted_by is not None:
        study.put_fact(PARTIAL, _stopped_by(budget))
    elif finisher.winner is not None:
        finisher.write()  # whatever goes wrong from here on, what was found is there
        try:
            with budget.broken_off_by_signals():
                finisher.ship(finisher.winner)
        except (Exception, KeyboardInterrupt) as error:
            if budget.interrupted_by is not None:  # a library may have turned the interruption into an error of its own
                study.put_fact(PARTIAL, f"{_stopped_by(budget)} before the winner was shipped")
            elif isinstance(error, AutotlError | OSError | MemoryError):
                finisher.not_shipped(error)
            else:
                raise
    found = finisher.write()
    if trouble is None:
        keep_for_later(task, data, study, finisher.rows)
    finisher.note_costs()
    with study.transaction():
        study.put_fact(SPENT, budget.spent)
        if finisher.is_whole:
            study.put_fact(FINISHED, True)
    return found


def _stopped_by(budget: Budget) -> str:
    assert budget.interrupted_by is not None
    return f"stopped by {signal.Signals(budget.interrupted_by).name}"


class _Finisher:
    """The rows of one run on their way from trials to a leaderboard."""

    def __init__(
        self,
        task: OpenedTask,
        data: TaskData,
        run: RunFolder,
        study: Study,
        budget: Budget,
        stages: Stages,
        order: WorkshopOrder,
        trouble: AutotlError | None,
    ) -> None:
        self._task, self._data, self._run, self._study = task, data, run, study
        self._budget, self._stages, self._order = budget, stages, order
        named = leaderboard.name_baselines(study.trials(), higher_is_better=task.higher_is_better)
        self._outputs: dict[int, Outputs] = {
            row["trial"]: trial_files.read_outputs(run.trial(row["trial"]))
            for row in named
            if row["status"] == "complete"
        }
        scorer = order.scorer
        self._examples: dict[str, Any] = {
            "metric": task.metric,
            "outputs": self._outputs,
            "labels": data.labels,
            "groups": data.groups,
            "seed": scorer.seed,
            "positive": scorer.positive,
        }
        self.confusion: dict[str, Any] | None = None
        self._tested: dict[str, float] = {}  # figures of the shipped model on test, by metric
        self._spare: Workshop | None = None
        self._latencies = Latencies(lambda row: self._measured(row))
        self.rows: list[Row] = self._ranked(named, is_partial=trouble is not None or budget.interrupted_by is not None)
        self.headline = leaderboard.headline(self.rows, **self._examples)
        self.headline["sentences"] += leaderboard.sentences_of_beginning(self.rows, study.facts().get(BEGUN_WITH, []))
        self.together = self._compared_together()
        self.headline["sentences"] += leaderboard.sentences_of_together(self.together)
        if data.setting == "transductive" and data.score_kind == "validation":
            self.headline["sentences"].append(ABOUT_THE_SOURCE)
        self._failure = trouble
        self._is_shipped = True  # or nothing is there to ship
        self._test_examples: ScoredSplit | None = None

    def _ranked(self, named: Sequence[Row], *, is_partial: bool) -> list[Row]:
        """The leaderboard; with a limit on latency every winner is measured until one keeps it.

        Of a search that was stopped nothing is measured: when it goes on, it is ranked again.
        """
        limits = dict(limits_of(self._task.task.limits))
        if is_partial:
            limits.pop(LATENCY, None)

        def ranked(rows: Sequence[Row]) -> list[Row]:
            better = self._task.higher_is_better
            return leaderboard.rank(rows, higher_is_better=better, limits=limits, **self._examples)

        return self._latencies.within_limit(named, ranked) if LATENCY in limits else ranked(named)

    def _measured(self, row: Row) -> float:
        import_keras()
        from autotl.production.shipping import Contender, measured_latency, weights_of

        self._stages.start("latency", "measuring how long a prediction takes")
        contender, workshop = Contender(row["trial"], self._plan(row)), self._bench()
        return measured_latency(contender.plan, weights_of(contender, self._run, workshop), workshop)

    def _compared_together(self) -> dict[str, Any] | None:
        """What it brought to learn the task together with others; None of one that is learnt alone."""
        companions = [each.name for each in self._data.companions]
        if not companions:
            return None
        better = self._task.higher_is_better
        found = leaderboard.best_alone_and_together(self.rows, higher_is_better=better, **self._examples)
        return None if found is None else {**found, "companions": companions}

    @property
    def _either_kind(self) -> list[Row]:
        """The rows that were compared so."""
        numbers = () if self.together is None else (self.together["alone"], self.together["together"])
        return [row for row in self.rows if row["trial"] in numbers]

    @property
    def winner(self) -> Row | None:
        """The winning row, None when no trial may win."""
        return next((row for row in self.rows if row["winner"]), None)

    @property
    def is_whole(self) -> bool:
        """Whether nothing is left that a resumed search would do."""
        return self._is_shipped and self._budget.interrupted_by is None and PARTIAL not in self._study.facts()

    def ship(self, winner: Row) -> None:
        """Retrains, tests and bundles the winner; tests the baselines beside it."""
        import_keras()
        from autotl.production.bundle import EXAMPLES, FIGURES, write_bundle
        from autotl.production.shipping import Contender, ship

        self._stages.start("retrain", "retraining the winner and opening the test set")
        baselines = [row for row in self.rows if row["baseline"] and row["status"] == "complete" and not row["winner"]]
        beside = [*baselines, *(row for row in self._either_kind if row not in (winner, *baselines))]
        contenders = [Contender(row["trial"], self._plan(row)) for row in (winner, *beside)]
        deadline = max(self._budget.ends, self._budget.search_ends + 1)
        shipped = ship(
            contenders[0],
            contenders[1:],
            self._run,
            self._order(),
            self._data.test,
            retrain=self._retrain(winner),
            deadline=deadline,
        )
        self._take_figures(winner, contenders, shipped)
        self._measure_front()
        evidence = self._evidence(winner, shipped)
        gap = self._gap(winner)
        files = {"calibration.json": shipped.calibration, "gap.json": gap, FIGURES: evidence.figures}
        files[EXAMPLES] = evidence.examples
        self._stages.start("bundle", "writing the bundle")
        if self._plan(winner).backbone.trusted:
            self.headline["sentences"].append(SAVED_MODEL)
        else:
            with written_whole(self._run.path / WINNER) as place:
                write_bundle(
                    place,
                    shipped.model,
                    description=bundle_description(
                        self._task.task,
                        self._data,
                        winner,
                        run=self._run.path.name,
                        shipped=shipped.refit.shipped,
                        calibration=shipped.calibration,
                    ),
                    metrics={
                        "score": winner["score"],
                        "headline": self.headline,
                        "test": winner["refit_test"] or winner["test"],  # of the weights that ship
                        "trial_test": winner["test"],
                    },
                    card=self._card(winner, shipped, evidence.figures),
                    evidence={name: value for name, value in files.items() if value is not None},
                    portrait=shipped.portrait,
                )
        facts = {"refit": shipped.refit.as_dict(), "calibration": shipped.calibration, "gap": gap}
        for name, value in {**facts, "evidence": evidence.figures}.items():
            self._study.put_fact(name, value)

    def _gap(self, winner: Row) -> dict[str, Any] | None:
        """How far apart the domains are before adaptation and by the winner's features; None without a source."""
        if len(self._data.domains) < 2:
            return None
        from autotl.trial.comparing_domains import before_and_after
        from autotl.trial.reference import reference

        self._stages.start("gap", "measuring how far apart the domains are")
        plan, weights = self._plan(winner), trial_files.read_weights(self._run.trial(winner["trial"]))
        workshop = self._bench()
        try:
            shown = reference(self._data, self._task.space, lambda: workshop)
            return before_and_after(self._data, shown, lambda rows: workshop.trained(plan, weights).predict(rows)[1])
        except Exception:  # evidence that cannot be had is no reason to lose a winner
            _log.exception("the domain gap could not be measured")
            return None

    def _evidence(self, winner: Row, shipped: "Shipped") -> "Evidence":
        """How the winner behaves, gathered in what is left of the command's time."""
        from autotl.production.evidence.gathering import Winner, gather

        self._stages.start("evidence", "looking at what the winner's answers hang on")
        subject = Winner(
            winner["trial"],
            self._plan(winner),
            self._data,
            self._outputs[winner["trial"]],
            trial_files.read_weights(self._run.trial(winner["trial"])),
            shipped,
            self._task.metric,
            self._order.scorer.positive,
            self._order.scorer.seed,
            self._bench,
        )
        return gather(subject, spent=self._budget.spent, left=self._budget.left)

    def _bench(self) -> "Workshop":
        """A workshop beside the one that ships: the model that ships must not be given other weights."""
        if self._spare is None:
            self._spare = self._order()
        return self._spare

    def _retrain(self, winner: Row) -> "Retrain":
        if not self._task.overrides.refit:
            return "switched off"
        if self._data.exported is not None:
            return "no source"
        if self._data.statistics and self._data.score_kind == "label_free":
            return "solved"
        judged_by_itself = self._data.score_kind == "label_free"
        if judged_by_itself and METHODS[winner["plan"]["adaptation"]["method"]].stage in ("joint", "post"):
            return "adapted"
        return "yes" if self._budget.left > TRAININGS * winner["seconds"]["train"] else "no time"

    def not_shipped(self, error: Exception) -> None:
        """The search stands; its winner could not be made into a model."""
        words = str(error).strip() or type(error).__name__
        self._is_shipped = False
        self._failure = error if isinstance(error, AutotlError) else StorageError(words)
        self._study.put_fact("not_shipped", words)
        self.headline["sentences"].append(f"The winner could not be shipped: {words}")

    def write(self) -> tuple[dict[str, Any], tuple[str, ...], AutotlError | None]:
        """Leaderboard and report; returns what `finish` does."""
        self._stages.start("report", "writing the report")
        content = write_leaderboard(self._run, self.rows, self._study.facts())
        self._tidy()
        write_scored_examples(self._run, self._scored_examples())
        self._study.put_fact("headline", self.headline)
        self._study.put_fact("together", self.together)
        self._study.put_fact("importance", self._importance)
        self._study.put_fact("confusion", self.confusion)
        self._study.put_fact("timing", {"stages": self._stages.timing()})
        self._run.write(REPORT, render(report_values(self._run, content)))
        return content, tuple(self.headline["sentences"]), self._error()

    def note_costs(self) -> None:
        """What this command took beside its trials, for the estimates of later ones."""
        winner = self.winner
        if winner is None or not self.is_whole:
            return
        taken = {each["stage"]: each["seconds"] for each in self._stages.timing() if each["stage"] in AFTER_THE_TRIALS}
        startup = float(self._study.facts().get(STARTUP_FACT, 0.0))
        retrained = float(winner["seconds"]["train"]) if self._retrain(winner) == "yes" else 0.0
        cost_log(self._task.overrides).add(afterwards=Afterwards(taken, retrained, startup))

    @cached_property
    def _importance(self) -> Row:
        better = self._task.higher_is_better or self._data.score_kind == "label_free"  # as Optuna was told
        return importances(complete_trials(self._study), higher_is_better=better)

    def _tidy(self) -> None:
        """Leaves what the best need; of a search that was stopped, whatever it may need to go on."""
        complete = [row["trial"] for row in self.rows if row["status"] == "complete"]
        if PARTIAL in self._study.facts():
            trial_files.tidy(self._run, complete, weights_of=complete, features_of=complete, unfinished=self._cut_off())
            return
        baselines = {row["trial"] for row in self.rows if row["baseline"]}
        trial_files.tidy(
            self._run,
            complete,
            weights_of={
                *complete[:KEPT_WEIGHTS],
                *baselines,
                *self._front,
                *(row["trial"] for row in self._either_kind),
            },
            features_of={*complete[:KEPT_FEATURES], *baselines},  # neighbours are told by source-only's
            unfinished=self._cut_off(),
        )

    def _cut_off(self) -> set[int]:
        return {row["trial"] for row in self.rows if is_cut_off(row["status"], row["reason"])}

    def _scored_examples(self) -> ScoredExamples:
        data, said = self._data, [outputs.rows for outputs in self._outputs.values()]
        rows = np.unique(np.concatenate(said)) if said else np.empty(0, dtype=np.int64)
        digests = [digest for inputs in data.inputs for digest in inputs.digests]
        groups = None if data.groups is None else data.groups[rows]
        validation = split_of([digests[row] for row in rows.tolist()], data.labels[rows], groups)
        return ScoredExamples(data.classes, self._order.scorer.positive, rows, validation, self._test_examples)

    @property
    def _front(self) -> list[int]:
        """Trials that no other beats in all goals; none where the score is the only one."""
        if len(self._task.task.goals) == 1:
            return []
        return leaderboard.pareto_front(self.rows, higher_is_better=self._task.higher_is_better)

    def _measure_front(self) -> None:
        """With latency as a goal the models on the front are measured, as far as the time goes, and told of."""
        if LATENCY in self._task.task.goals:
            by_number = {row["trial"]: row for row in self.rows}
            for trial in self._front:
                if self._budget.left > 0 and by_number[trial]["latency_estimated"]:
                    by_number[trial] |= {LATENCY: self._latencies.of(by_number[trial]), "latency_estimated": False}
        if self._front:
            self.headline["sentences"] += leaderboard.sentences_of_front(len(self._front), self._task.task.goals)

    def _take_figures(self, winner: Row, contenders: "Sequence[Contender]", shipped: "Shipped") -> None:
        from autotl.production.latency import estimated_latency_ms

        by_number = {row["trial"]: row for row in self.rows}
        latencies = {**shipped.latency_ms, **self._latencies.measured}  # a winner keeps the one that it was judged by
        measured = {by_number[number]["flops"]: spent for number, spent in latencies.items()}
        cost_log(self._task.overrides).add(latencies=measured)
        for row in self.rows:
            if row["trial"] in latencies:
                row["latency_ms"], row["latency_estimated"] = latencies[row["trial"]], False
            elif row["flops"] is not None:
                row["latency_ms"] = estimated_latency_ms(row["flops"], measured)
        outputs = self._outputs[winner["trial"]]
        if shipped.test is None and not len(outputs.rows):
            return
        if shipped.test is None:
            self._confuse("validation", self._data.labels[outputs.rows], outputs.validation)
            return
        test = shipped.test
        for contender in contenders:
            by_number[contender.number]["test"] = test.figures[str(contender.number)]
            trial_files.add_test_outputs(
                self._run.trial(contender.number),
                test.probabilities[str(contender.number)],
                refitted=test.probabilities.get("refit") if contender.number == winner["trial"] else None,
            )
        assert self._data.test is not None, "it was just read"
        if self.together is not None:
            said_by = {contender.number: test.probabilities[str(contender.number)] for contender in contenders}
            given = {"seed": self._order.scorer.seed, "positive": self._order.scorer.positive}
            groups = self._data.test.groups
            self.together = leaderboard.with_test(self.together, test.labels, said_by, groups, **given)
        self._test_examples = split_of(self._data.test.inputs.digests, test.labels, self._data.test.groups)
        said = test.probabilities.get("refit", test.probabilities[str(winner["trial"])])
        counted = counting_unknown(test.labels, said)
        positive = self._order.scorer.positive
        self._tested = compute_all(*counted, positive=positive, thresholds=shipped.thresholds)
        winner["refit_test"] = test.figures.get("refit")
        self._confuse("test", test.labels, said)
        self._study.put_fact(
            "test",
            {
                "uses": test.uses,
                "rows": len(test.labels),
                "protocol": test.protocol,
                "fingerprint": self._data.test.fingerprint,
            },
        )
        self.headline["sentences"] += leaderboard.test_sentences(
            self.rows,
            metric=self._task.metric,
            uses=test.uses,
            rows_tested=len(test.labels),
            protocol=test.protocol,
            source_score=self._on_source(winner),
        )
        self.headline["sentences"] += leaderboard.test_sentences_of_together(self.together)

    def _confuse(self, split: str, labels: Labels, said: NDArray[np.float32]) -> None:
        """Notes which classes are taken for which, where an answer is a class."""
        classes = self._data.classes
        matrix = ANSWERS[self._data.problem.name].confusion(labels, said, len(classes))
        if matrix is not None:
            self.confusion = {"split": split, "classes": list(classes), "matrix": matrix}

    def _on_source(self, winner: Row) -> dict[str, float] | None:
        """The winner's score on the source where it was picked without target labels."""
        if self._data.score_kind != "label_free":
            return None
        value = winner["scores"].get(f"source_{self._task.metric}")
        return None if value is None else {"value": value}

    def _card(self, winner: Row, shipped: "Shipped", evidence: dict[str, Any]) -> str:
        return card_of(
            self._task.task,
            self._data,
            winner,
            metric=self._task.metric,
            run=self._run.path.name,
            headline=self.headline["sentences"],
            corrected=self.headline["corrected"] or self.headline["raw"],
            test=winner["refit_test"] or winner["test"],
            test_uses=shipped.test.uses if shipped.test is not None else 0,
            refit=shipped.refit.as_dict(),
            calibration=shipped.calibration,
            evidence=evidence,
        )

    def _plan(self, row: Row) -> Any:
        where, folder = f"trial {row['trial']}", self._task.task.folder
        return parse_plan(row["plan"], where=where, folder=folder, modality=self._data.modality)

    def _error(self) -> AutotlError | None:
        number = self._budget.interrupted_by
        if number is not None:
            words = f"stopped by {signal.Signals(number).name}; what had finished is written to {self._run.path}"
            return InterruptedSearchError(words, exit_code=128 + number)
        if self._failure is not None:
            return self._failure
        if self.winner is None:
            failures = [row["failure"] for row in self.rows if row["status"] == "failed"]
            if failures and all(words.startswith(STORE_TROUBLE) for words in failures):
                return StorageError(f"no trial could be trained: {failures[0]}")
            return NoUsableModelError(
                f"the search ended and no trial may win. {self.headline['sentences'][0]} The leaderboard says more."
            )
        return None if self._task.gate is None else self._missed(self._task.gate)

    def _missed(self, gate: Gate) -> GateNotMetError | None:
        if gate.is_cost:
            value = None if self.winner is None else self.winner[gate.metric]
        elif gate.on_test:
            value = self._tested.get(gate.metric)
        else:
            figure = leaderboard.expected(self.rows, **{**self._examples, "by": gate.metric})
            value = None if figure is None else figure.value
        complaint = gate.complaint(value)
        return None if complaint is None else GateNotMetError(complaint)
