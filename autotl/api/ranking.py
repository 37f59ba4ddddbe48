"""The trials of a run in their order, and what is told of them."""

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from autotl import leaderboard
from autotl.api.beginning import BEGUN_WITH
from autotl.api.latencies import LATENCY, Latencies
from autotl.api.quiet import import_keras
from autotl.api.sitting import Sitting
from autotl.leaderboard import Gate
from autotl.run import trial_files
from autotl.run.optuna_tables import complete_trials
from autotl.run.scored_examples import ScoredSplit
from autotl.run.trial_row import Row
from autotl.search.importance import importances
from autotl.search.limits import limits_of
from autotl.trial.making import WorkshopOrder
from autotl.trial.outcome import Outputs

if TYPE_CHECKING:
    from autotl.trial.workshop import Workshop

ABOUT_THE_SOURCE = (
    "These figures are about held-out examples of the source, by which the winner was chosen: of such answers no score "
    "without labels is known to tell which model fits a target. What it does on the target only a test tells."
)


class RankedRun:
    """The rows of one run on their way from trials to a leaderboard. Shipping the winner adds to what is told of them.

    Attributes:
        outputs: by trial, what those that completed said.
        rows: of the leaderboard, the best first.
        headline: with its sentences.
        together: what it brought to learn the task together with others; None of one that is learnt alone.
        confusion: which classes are taken for which; None where an answer is no class.
        tested: figures of the shipped model on test, by metric.
        test_examples: what the test holds; None where it was not opened.
    """

    def __init__(self, sitting: Sitting, order: WorkshopOrder, *, is_partial: bool) -> None:
        """Ranks what has completed.

        Args:
            order: makes a workshop on the task's data.
            is_partial: the search was stopped or broke off.
        """
        task, data, study = sitting.task, sitting.data, sitting.study
        self.sitting, self.order = sitting, order
        named = leaderboard.name_baselines(study.trials(), higher_is_better=task.higher_is_better)
        self.outputs: dict[int, Outputs] = {
            row["trial"]: trial_files.read_outputs(sitting.run.trial(row["trial"]))
            for row in named
            if row["status"] == "complete"
        }
        self._examples: dict[str, Any] = {
            "metric": task.metric,
            "outputs": self.outputs,
            "labels": data.labels,
            "groups": data.groups,
            "seed": order.scorer.seed,
            "positive": order.scorer.positive,
        }
        self.latencies = Latencies(self._measured)
        self.rows: list[Row] = self._ranked(named, is_partial=is_partial)
        self.headline = leaderboard.headline(self.rows, **self._examples)
        self.together = self._compared_together()
        self.confusion: dict[str, Any] | None = None
        self.tested: dict[str, float] = {}
        self.test_examples: ScoredSplit | None = None
        self.tell(leaderboard.sentences_of_beginning(self.rows, study.facts().get(BEGUN_WITH, [])))
        self.tell(leaderboard.sentences_of_together(self.together))
        if data.setting == "transductive" and data.score_kind == "validation":
            self.tell([ABOUT_THE_SOURCE])

    def _ranked(self, named: Sequence[Row], *, is_partial: bool) -> list[Row]:
        """The leaderboard; with a limit on latency every winner is measured until one keeps it.

        Of a search that was stopped nothing is measured: when it goes on, it is ranked again.
        """
        limits = dict(limits_of(self.sitting.task.task.limits))
        if is_partial:
            limits.pop(LATENCY, None)

        def ranked(rows: Sequence[Row]) -> list[Row]:
            better = self.sitting.task.higher_is_better
            return leaderboard.rank(rows, higher_is_better=better, limits=limits, **self._examples)

        return self.latencies.within_limit(named, ranked) if LATENCY in limits else ranked(named)

    def _measured(self, row: Row) -> float:
        import_keras()
        from autotl.production.shipping import Contender, measured_latency, weights_of

        self.sitting.stages.start("latency", "measuring how long a prediction takes")
        contender = Contender(row["trial"], self.sitting.plan_of(row))
        return measured_latency(contender.plan, weights_of(contender, self.sitting.run, self.bench), self.bench)

    def _compared_together(self) -> dict[str, Any] | None:
        companions = [each.name for each in self.sitting.data.companions]
        if not companions:
            return None
        better = self.sitting.task.higher_is_better
        found = leaderboard.best_alone_and_together(self.rows, higher_is_better=better, **self._examples)
        return None if found is None else {**found, "companions": companions}

    def tell(self, sentences: Sequence[str]) -> None:
        """Adds to what is told of the run."""
        self.headline["sentences"] += sentences

    @property
    def winner(self) -> Row | None:
        """The winning row, None when no trial may win."""
        return next((row for row in self.rows if row["winner"]), None)

    @property
    def alone_and_together(self) -> list[Row]:
        """The rows by which it is told what learning together brought."""
        numbers = () if self.together is None else (self.together["alone"], self.together["together"])
        return [row for row in self.rows if row["trial"] in numbers]

    @property
    def front(self) -> list[int]:
        """Trials that no other beats in all goals; none where the score is the only one."""
        if len(self.sitting.task.task.goals) == 1:
            return []
        return leaderboard.pareto_front(self.rows, higher_is_better=self.sitting.task.higher_is_better)

    @cached_property
    def importance(self) -> Row:
        """Which fields of a plan the score hung on."""
        task, data = self.sitting.task, self.sitting.data
        better = task.higher_is_better or data.score_kind == "label_free"  # as Optuna was told
        return importances(complete_trials(self.sitting.study), higher_is_better=better)

    @cached_property
    def bench(self) -> "Workshop":
        """A workshop beside the one that ships: the model that ships must not be given other weights."""
        return self.order()

    def reached(self, gate: Gate) -> float | None:
        """The figure of the metric that a gate is about; None where it was not measured."""
        if gate.on_test:
            return self.tested.get(gate.metric)
        figure = leaderboard.expected(self.rows, **{**self._examples, "by": gate.metric})
        return None if figure is None else figure.value
