"""How a trial is scored: the task's metric with its interval, every other metric beside it, class weights."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autotl.data.examples import UNKNOWN, Labels, TaskData, is_known
from autotl.scoring import ESTIMATORS, LABEL_FREE_SCORES
from autotl.scoring.candidates import EXPECTED_ON
from autotl.scoring.guards import CLASSES_PREDICTED, classes_predicted
from autotl.scoring.intervals import interval
from autotl.scoring.label_free import derivable, scores_at_hand
from autotl.scoring.label_sets import Thresholds
from autotl.scoring.label_thresholds import tuned
from autotl.scoring.metrics import METRICS, Metric, compute_all
from autotl.scoring.noise import deviations
from autotl.trial.outcome import Outputs


@dataclass(frozen=True)
class Scorer:
    """Scores probabilities against labels that the search may know.

    Attributes:
        metric: a key of `METRICS`.
        balanced: weigh classes by the inverse of their frequency while training.
        positive: index of the positive class of a two-class task.
        seed: of bootstrap draws and random weights.
    """

    metric: str
    balanced: bool = False
    positive: int = 1
    seed: int = 0

    def value(self, labels: Labels, probabilities: NDArray[np.float32]) -> float:
        """The task's metric; not a number where a probability is none."""
        return self.of_task(labels, probabilities)

    @property
    def of_task(self) -> Metric:
        """The task's metric, with its positive class."""
        return METRICS[self.metric].with_positive(self.positive)

    def class_weights(self, labels: Labels, *, classes: int) -> NDArray[np.float32]:
        """A weight per class, mean one over the examples; all ones unless balanced.

        Of several labels each, what an example that bears the label counts beside one that does not: as many times as
        there are more of those.
        """
        if not self.balanced:
            return np.ones(classes, dtype=np.float32)
        if labels.ndim == 2:
            borne, others = (labels == 1).sum(axis=0), (labels == 0).sum(axis=0)
            return (np.maximum(others, 1) / np.maximum(borne, 1)).astype(np.float32)
        return self.weights_of_counts(np.bincount(labels[labels >= 0], minlength=classes))

    def weights_of_counts(self, counts: NDArray[np.integer | np.floating]) -> NDArray[np.float32]:
        """The same by how many examples each class has."""
        if not self.balanced:
            return np.ones(len(counts), dtype=np.float32)
        return (counts.sum() / np.maximum(counts, 1) / max((counts > 0).sum(), 1)).astype(np.float32)

    def score(self, data: TaskData, outputs: Outputs) -> dict[str, Any]:
        """`{value, low, high, kind}` on the rows that trials are scored on, with a `note` where the interval needs one;
        label-free scores have no interval."""
        labels = data.labels[outputs.rows]
        if data.score_kind == "label_free":
            value = self.value(labels, outputs.validation) if len(labels) else None  # no source example is here
            return {"value": value, "low": None, "high": None, "kind": data.score_kind}
        groups = None if data.groups is None else data.groups[outputs.rows]
        return {**self._with_interval(labels, outputs.validation, groups), "kind": data.score_kind}

    def all_scores(self, data: TaskData, outputs: Outputs) -> Mapping[str, float]:
        """Every metric on the same rows; where only source rows have labels, theirs, the label-free scores, estimates
        of accuracy, and what the search needs to compare these: how many classes are named, how much the committee's
        members vary. With a few target labels, those and the metrics on the labelled examples."""
        labels = data.labels[outputs.rows]
        found = compute_all(labels, outputs.validation, positive=self.positive) if len(labels) else {}
        if not data.is_judged_without_labels:
            return found
        of_target, of_source = ({}, found) if outputs.source_rows is None else (found, self._on_source(data, outputs))
        if outputs.source_confusion is not None:  # no example is here: what sums over some make expect
            examples = float(outputs.source_confusion.sum())
            of_source = {"accuracy": float(np.trace(outputs.source_confusion)) / examples}
            of_target = {**of_target, EXPECTED_ON: examples}
        evidence = derivable(outputs.evidence(data.labels))  # what several of them read is computed once
        return {
            **of_target,
            **{f"source_{name}": value for name, value in of_source.items()},
            **scores_at_hand({**LABEL_FREE_SCORES, **ESTIMATORS}, evidence),
            CLASSES_PREDICTED: float(classes_predicted(evidence)),
            **deviations(evidence, seed=self.seed),
        }

    def _on_source(self, data: TaskData, outputs: Outputs) -> Mapping[str, float]:
        """Every metric on source examples held out beside the target's few labelled ones."""
        assert outputs.source_rows is not None, "asked only where they are kept"
        assert outputs.source is not None
        return compute_all(data.labels[outputs.source_rows], outputs.source, positive=self.positive)

    def thresholds(self, data: TaskData, outputs: Outputs) -> list[float] | None:
        """From which probability on each label is said, tuned on the rows that trials are scored on; None where an
        example has one class."""
        labels = data.labels[outputs.rows]
        return tuned(labels, outputs.validation) if labels.ndim == 2 else None

    def on_test(
        self,
        labels: Labels,
        probabilities: NDArray[np.float32],
        groups: NDArray[np.int64] | None = None,
        *,
        thresholds: Thresholds | None = None,
    ) -> dict[str, Any]:
        """`{value, low, high}` on the test set. Labels of classes that no model can name (UNKNOWN) count as misses.

        Args:
            thresholds: as `thresholds` gives them.
        """
        metric = self.of_task.with_thresholds(thresholds)
        return self._with_interval(*counting_unknown(labels, probabilities), groups, metric)

    def _with_interval(
        self,
        labels: Labels,
        probabilities: NDArray[np.float32],
        groups: NDArray[np.int64] | None,
        metric: Metric | None = None,
    ) -> dict[str, Any]:
        asked = metric or self.of_task
        value = asked(labels, probabilities)
        if not np.isfinite(value):
            return {"value": value, "low": None, "high": None}
        return dict(interval(asked, labels, probabilities, groups=groups, seed=self.seed).as_dict())


def counting_unknown(labels: Labels, probabilities: NDArray[np.float32]) -> tuple[Labels, NDArray[np.float32]]:
    """Labels of classes that no model can name, as a class of their own that is never predicted."""
    if is_known(labels).all():
        return labels, probabilities
    known = np.where(labels == UNKNOWN, probabilities.shape[1], labels)
    return known, np.concatenate([probabilities, np.zeros((len(labels), 1), probabilities.dtype)], axis=1)
