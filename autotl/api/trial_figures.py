"""What is known of a trial's worth and cost when somebody signs it off, each figure honest about what it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from autotl import leaderboard
from autotl.api.reopening import facts_of
from autotl.api.run_trial import RunTrial
from autotl.leaderboard.gate import Gate
from autotl.leaderboard.without_labels import KIND
from autotl.run import trial_files
from autotl.run.scored_examples import ScoredExamples, read_scored_examples
from autotl.scoring.intervals import Interval, interval
from autotl.scoring.metrics import METRICS, compute_all
from autotl.trial.outcome import Outputs
from autotl.trial.scorer import counting_unknown


@dataclass(frozen=True)
class _Scored:
    """A run's labelled outputs, by which any metric can be told."""

    trial: RunTrial
    examples: ScoredExamples
    outputs: Mapping[int, Outputs]
    seed: int

    def expected(self, metric: str) -> dict[str, Any] | None:
        """The trial's figure on validation, corrected for having been chosen.

        A winner's by resampling the choice. Nothing can repeat a person's choice among the others; such a trial's own
        figure is lowered by as much as the winner's is by its correction.
        """
        labels, positive = self.examples.labels_by_row, self.examples.positive
        corrected = leaderboard.expected(
            self.trial.content["trials"],
            by=metric,
            metric=self.trial.content["metric"],
            outputs=self.outputs,
            labels=labels,
            groups=self.examples.groups_by_row,
            seed=self.seed,
            positive=positive,
        )
        winner = leaderboard.winner_of(self.trial.content["trials"])
        if corrected is None or winner is None:
            return None
        if self.trial.row["winner"]:
            return dict(corrected.as_dict())
        formula = METRICS[metric].with_positive(positive)
        best, own = self.outputs[winner["trial"]], self.outputs[self.trial.number]
        luck = max(float(formula.gain(formula(labels[best.rows], best.validation), corrected.value)), 0.0)
        groups = None if self.examples.validation.groups is None else self.examples.validation_at(own.rows).groups
        found = interval(formula, labels[own.rows], own.validation, groups=groups, seed=self.seed)
        lowered = -luck if formula.higher_is_better else luck
        return dict(Interval(found.value + lowered, found.low + lowered, found.high + lowered, found.note).as_dict())


@dataclass(frozen=True)
class TrialFigures:
    """Figures of a trial.

    Attributes:
        corrected: by the task's metric on validation, corrected for selection; None without target labels.
        test: by the task's metric, of the weights that ship; None where the test set stayed closed.
        latency_ms: None where it was not measured.
    """

    metric: str
    corrected: dict[str, Any] | None
    test: dict[str, Any] | None
    latency_ms: float | None
    model_mb: float | None
    tested: Mapping[str, float] = field(default_factory=dict)  # on test, by every metric
    scored: _Scored | None = None

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> "TrialFigures":
        """Those that a version in the registry keeps: of metrics the task's own."""
        figures, cost = record["figures"], record["cost"]
        return cls(record["metric"], figures["corrected"], figures["test"], cost["latency_ms"], cost["model_mb"])

    def measured(self, latency_ms: float, test: dict[str, Any] | None, tested: Mapping[str, float]) -> "TrialFigures":
        """The same with what was measured while its bundle was made."""
        return replace(self, latency_ms=latency_ms, test=test, tested=tested or self.tested)

    def value_of(self, gate: Gate) -> float | None:
        """What a gate is about; None where it was not measured."""
        if gate.is_cost:
            cost: float | None = getattr(self, gate.metric)
            return cost
        if gate.on_test and gate.metric in self.tested:
            return self.tested[gate.metric]
        if gate.metric == self.metric:
            return _value(self.test if gate.on_test else self.corrected)
        if gate.on_test or self.scored is None:
            return None
        return _value(self.scored.expected(gate.metric))


def figures_of(trial: RunTrial) -> TrialFigures:
    """The figures of a trial that finished, from what its run stored; no model runs and no data are read."""
    row, facts, examples = trial.row, facts_of(trial.run), read_scored_examples(trial.run)
    headline = facts.get("headline") or {}
    scored = None
    if examples is not None and trial.content["regime"] != KIND:
        complete = [each["trial"] for each in trial.content["trials"] if each["status"] == "complete"]
        outputs = {number: trial_files.read_outputs(trial.run.trial(number)) for number in complete}
        scored = _Scored(trial, examples, outputs, int(facts["task"].get("seed", 0)))
    metric = trial.content["metric"]
    corrected = headline.get("corrected") if row["winner"] else None
    if corrected is None and scored is not None:
        corrected = scored.expected(metric)
    return TrialFigures(
        metric,
        corrected,
        row["refit_test"] or row["test"],
        None if row["latency_estimated"] else row["latency_ms"],
        row["model_mb"],
        _tested(trial, examples),
        scored,
    )


def _tested(trial: RunTrial, examples: ScoredExamples | None) -> dict[str, float]:
    """Every metric on test, of the weights that shipped."""
    said = trial_files.read_test_outputs(trial.folder) if (trial.folder / trial_files.OUTPUTS).is_file() else {}
    shipped = said.get(trial_files.REFITTED_TEST, said.get(trial_files.TEST))
    if shipped is None or examples is None or examples.test is None:
        return {}
    return compute_all(*counting_unknown(examples.test.labels, shipped), positive=examples.positive)


def _value(figure: Mapping[str, Any] | None) -> float | None:
    return None if figure is None else figure["value"]
