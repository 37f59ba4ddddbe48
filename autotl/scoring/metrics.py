"""Labelled metrics: one value for a model's probabilities, or thousands at once for weighted resamples of them.

The definitions are scikit-learn's, and the tests hold them equal. They are written over weights, because an interval
needs the same metric on 2,000 resamples of the same examples, and a resample is nothing but a weight for each example.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from autotl.scoring import label_sets, number_metrics, ranked
from autotl.scoring.label_sets import OfSets, Thresholds
from autotl.scoring.number_metrics import OfNumbers
from autotl.scoring.ranked import Ranking, Steps, area_under_roc, average_precision, mean_of_defined, ratio

# Class index of each example, shape (n,); of several labels each, marks (n, labels); of a regression floats, (n,).
Labels = NDArray[Any]
Probabilities = NDArray[np.floating]  # shape (n, classes); of numbers what a model says of each, (n, 1)
Weights = ranked.Weights  # how often each example counts in each draw, shape (draws, n)
Values = ranked.Values  # a metric in each draw, shape (draws,); NaN where it is not defined
OfDraws = ranked.OfDraws

LEAST_PROBABILITY = 1e-7  # where log loss stops: stored probabilities are no finer, and one zero must not be infinite


@dataclass(frozen=True)
class Metric:
    """A figure of merit of probabilities against labels.

    Attributes:
        needs: what it reads of the probabilities: the class they favour, their order within a class, or themselves; or
            that they are numbers.
        prepare: examples and the positive class → the metric of weighted draws of them; None where it has no meaning
            for one class each.
        of_sets: the same of examples with several labels each; None where it has no meaning for them.
        of_numbers: the same of predicted numbers; None where it has no meaning for them.
        lowest, highest: the ends of its range.
        positive: the class index that counts as positive where a metric knows two sides.
        two_classes_only: it speaks of the positive class alone, which says little where there are many.
        thresholds: of several labels, from which probability on each is said; None: tuned on other examples.
    """

    name: str
    higher_is_better: bool
    needs: Literal["labels", "ranks", "probabilities", "numbers"]
    prepare: Callable[[Labels, Probabilities, int], OfDraws] | None
    lowest: float = 0.0
    highest: float = 1.0
    positive: int = 1
    two_classes_only: bool = False
    of_sets: OfSets | None = None
    of_numbers: OfNumbers | None = None
    thresholds: Thresholds | None = None

    def __call__(self, labels: Labels, probabilities: Probabilities) -> float:
        """The metric of all examples, each counted once; NaN where it is not defined."""
        return float(self.of_draws(labels, probabilities)(np.ones((1, len(labels))))[0])

    def of_draws(self, labels: Labels, probabilities: Probabilities) -> OfDraws:
        """A function from weights (draws, n) to this metric in each draw; what draws share is computed here, once.

        Raises:
            ValueError: shapes that do not belong together, or a label without a column.
        """
        if labels.ndim == 2:
            return self._of_sets(labels, probabilities)
        if labels.dtype.kind == "f":
            return self._of_numbers(labels, probabilities)
        if self.prepare is None:
            raise ValueError(f"{self.name} has no meaning for one class per example.")
        if probabilities.ndim != 2 or labels.shape != probabilities.shape[:1]:
            seen = f"{labels.shape} and {probabilities.shape}"
            raise ValueError(f"labels and probabilities must have shapes (n,) and (n, classes); they have {seen}.")
        if not len(labels) or not np.isfinite(probabilities).all():
            return _undefined
        if labels.min() < 0 or labels.max() >= probabilities.shape[1]:
            seen = f"{labels.min()} to {labels.max()}"
            raise ValueError(f"labels must be 0 to {probabilities.shape[1] - 1}, one for each column; they are {seen}.")
        return self.prepare(labels, probabilities, self.positive)

    def _of_sets(self, sets: Labels, probabilities: Probabilities) -> OfDraws:
        if self.of_sets is None:
            raise ValueError(f"{self.name} is for one class per example.")
        if sets.shape != probabilities.shape:
            seen = f"{sets.shape} and {probabilities.shape}"
            raise ValueError(f"labels and probabilities must both have shape (n, labels); they have {seen}.")
        if not len(sets) or not np.isfinite(probabilities).all():
            return _undefined
        if sets.min() < 0 or sets.max() > 1:
            raise ValueError(f"labels must be 0 or 1 for each column; they are {sets.min()} to {sets.max()}.")
        return self.of_sets(sets, probabilities, self.thresholds)

    def _of_numbers(self, true: Labels, said: Probabilities) -> OfDraws:
        if self.of_numbers is None:
            raise ValueError(f"{self.name} is for classes, not for numbers.")
        if said.shape != (len(true), 1):
            seen = f"{true.shape} and {said.shape}"
            raise ValueError(f"numbers and answers must have shapes (n,) and (n, 1); they have {seen}.")
        if not len(true) or not np.isfinite(said).all():
            return _undefined
        return self.of_numbers(true.astype(np.float64), said[:, 0].astype(np.float64))

    def with_positive(self, positive: int) -> "Metric":
        """The same metric with another class as the positive one."""
        return replace(self, positive=positive)

    def with_thresholds(self, thresholds: Thresholds | None) -> "Metric":
        """The same metric with labels said from these probabilities on."""
        return replace(self, thresholds=thresholds)

    def gain(self, first: Values | float, second: Values | float) -> Values:
        """By how much the first value is better than the second; negative where it is worse."""
        difference = np.asarray(first, dtype=np.float64) - np.asarray(second, dtype=np.float64)
        return difference if self.higher_is_better else -difference


def compute_all(
    labels: Labels, probabilities: Probabilities, *, positive: int = 1, thresholds: Thresholds | None = None
) -> dict[str, float]:
    """Every metric that says something about such labels and this many classes, by its name.

    Args:
        thresholds: as `Metric` has them.
    """
    if labels.dtype.kind == "f":
        of_numbers = [metric for metric in METRICS.values() if metric.of_numbers is not None]
        return {metric.name: metric(labels, probabilities) for metric in of_numbers}
    if labels.ndim == 2:
        of_sets = [metric.with_thresholds(thresholds) for metric in METRICS.values() if metric.of_sets is not None]
        return {metric.name: metric(labels, probabilities) for metric in of_sets}
    of_classes = [metric for metric in METRICS.values() if metric.prepare is not None]
    chosen = [metric for metric in of_classes if not metric.two_classes_only or probabilities.shape[1] == 2]
    return {metric.name: metric.with_positive(positive)(labels, probabilities) for metric in chosen}


def predicted_labels(probabilities: Probabilities) -> Labels:
    """The favoured class of each example, shape (n,); the first of equals."""
    return np.asarray(probabilities.argmax(axis=1), dtype=np.int64)


def _undefined(weights: Weights) -> Values:
    return np.full(len(weights), math.nan)


@dataclass(frozen=True)
class _Counts:
    """What every label metric can be computed from: sums of weights per draw and class, shape (draws, classes)."""

    right: Values
    labelled: Values
    predicted: Values

    @property
    def all(self) -> Values:
        return np.asarray(self.labelled.sum(axis=1))


def _from_counts(formula: Callable[[_Counts, int], Values]) -> Callable[[Labels, Probabilities, int], OfDraws]:
    def prepare(labels: Labels, probabilities: Probabilities, positive: int) -> OfDraws:
        classes = np.arange(probabilities.shape[1])
        is_label = labels[:, None] == classes
        is_prediction = predicted_labels(probabilities)[:, None] == classes
        marks = np.concatenate([is_label & is_prediction, is_label, is_prediction], axis=1).astype(np.float64)

        def of_draws(weights: Weights) -> Values:
            right, labelled, predicted = np.split(weights @ marks, 3, axis=1)
            return formula(_Counts(right, labelled, predicted), positive)

        return of_draws

    return prepare


def _accuracy(counts: _Counts, positive: int) -> Values:  # noqa: ARG001 - one shape for all formulas
    return ratio(counts.right.sum(axis=1), counts.all)


def _balanced_accuracy(counts: _Counts, positive: int) -> Values:  # noqa: ARG001
    return mean_of_defined(ratio(counts.right, counts.labelled))


def _macro_f1(counts: _Counts, positive: int) -> Values:  # noqa: ARG001
    return mean_of_defined(_f1_per_class(counts))


def _f1(counts: _Counts, positive: int) -> Values:
    return np.asarray(_f1_per_class(counts)[:, positive])


def _matthews_corrcoef(counts: _Counts, positive: int) -> Values:  # noqa: ARG001
    everything = counts.all
    covariance = counts.right.sum(axis=1) * everything - (counts.labelled * counts.predicted).sum(axis=1)
    spread_of_labels = everything**2 - (counts.labelled**2).sum(axis=1)
    spread_of_predictions = everything**2 - (counts.predicted**2).sum(axis=1)
    spread = np.sqrt(np.maximum(spread_of_labels * spread_of_predictions, 0.0))
    # a model that always says the same agrees with the labels no better than chance
    return np.where(spread > 0, covariance / np.where(spread > 0, spread, 1.0), 0.0)


def _cohen_kappa(counts: _Counts, positive: int) -> Values:  # noqa: ARG001
    everything = counts.all
    observed = ratio(counts.right.sum(axis=1), everything)
    expected = ratio((counts.labelled * counts.predicted).sum(axis=1), everything**2)
    return ratio(observed - expected, 1.0 - expected)


def _f1_per_class(counts: _Counts) -> Values:
    return ratio(2.0 * counts.right, counts.labelled + counts.predicted)


def _one_against_rest(area: Callable[[Steps], Values]) -> Callable[[Labels, Probabilities, int], OfDraws]:
    def prepare(labels: Labels, probabilities: Probabilities, positive: int) -> OfDraws:
        classes = [positive] if probabilities.shape[1] == 2 else range(probabilities.shape[1])
        rankings = [Ranking(labels == index, probabilities[:, index]) for index in classes]

        def of_draws(weights: Weights) -> Values:
            return mean_of_defined(np.stack([area(ranking.steps(weights)) for ranking in rankings], axis=1))

        return of_draws

    return prepare


def _log_loss(labels: Labels, probabilities: Probabilities, positive: int) -> OfDraws:  # noqa: ARG001
    wide = probabilities.astype(np.float64)
    shares = wide / np.maximum(wide.sum(axis=1, keepdims=True), LEAST_PROBABILITY)
    losses = -np.log(np.clip(shares[np.arange(len(labels)), labels], LEAST_PROBABILITY, 1.0))
    return lambda weights: ratio(weights @ losses, weights.sum(axis=1))


def _table(*metrics: Metric) -> dict[str, Metric]:
    return {metric.name: metric for metric in metrics}


# This table is also the menu in error messages and docs; `autotl.task` knows the same names.
METRICS: dict[str, Metric] = _table(
    Metric("accuracy", True, "labels", _from_counts(_accuracy)),
    Metric("balanced_accuracy", True, "labels", _from_counts(_balanced_accuracy)),
    Metric("macro_f1", True, "labels", _from_counts(_macro_f1), of_sets=label_sets.from_counts(label_sets.macro_f1)),
    Metric("f1", True, "labels", _from_counts(_f1), two_classes_only=True),
    Metric("roc_auc", True, "ranks", _one_against_rest(area_under_roc), of_sets=label_sets.over_labels(area_under_roc)),
    Metric(
        "average_precision",
        True,
        "ranks",
        _one_against_rest(average_precision),
        of_sets=label_sets.over_labels(average_precision),
    ),
    Metric("log_loss", False, "probabilities", _log_loss, highest=math.inf, of_sets=label_sets.log_loss),
    Metric("matthews_corrcoef", True, "labels", _from_counts(_matthews_corrcoef), lowest=-1.0),
    Metric("cohen_kappa", True, "labels", _from_counts(_cohen_kappa), lowest=-1.0),
    Metric("micro_f1", True, "labels", None, of_sets=label_sets.from_counts(label_sets.micro_f1)),
    Metric("micro_average_precision", True, "ranks", None, of_sets=label_sets.over_decisions(average_precision)),
    Metric("hamming_loss", False, "labels", None, of_sets=label_sets.from_counts(label_sets.hamming_loss)),
    Metric("subset_accuracy", True, "labels", None, of_sets=label_sets.subset_accuracy),
    Metric("rmse", False, "numbers", None, highest=math.inf, of_numbers=number_metrics.rmse),
    Metric("mae", False, "numbers", None, highest=math.inf, of_numbers=number_metrics.mae),
    Metric("r2", True, "numbers", None, lowest=-math.inf, of_numbers=number_metrics.r2),
    Metric("median_absolute_error", False, "numbers", None, highest=math.inf, of_numbers=number_metrics.median_error),
    Metric("spearman", True, "numbers", None, lowest=-1.0, of_numbers=number_metrics.spearman),
)
