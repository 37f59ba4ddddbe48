"""Labelled metrics: one value for a model's probabilities, or thousands at once for weighted resamples of them.

The definitions are scikit-learn's, and the tests hold them equal. They are written over weights, because an interval
needs the same metric on 2,000 resamples of the same examples, and a resample is nothing but a weight for each example.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.int64]  # class index of each example, shape (n,)
Probabilities = NDArray[np.floating]  # shape (n, classes)
Weights = NDArray[np.float64]  # how often each example counts in each draw, shape (draws, n)
Values = NDArray[np.float64]  # a metric in each draw, shape (draws,); NaN where it is not defined
OfDraws = Callable[[Weights], Values]

LEAST_PROBABILITY = 1e-7  # where log loss stops: stored probabilities are no finer, and one zero must not be infinite


@dataclass(frozen=True)
class Metric:
    """A figure of merit of probabilities against labels.

    Attributes:
        needs: what it reads of the probabilities: the class they favour, their order within a class, or themselves.
        prepare: examples and the positive class → the metric of weighted draws of them.
        lowest, highest: the ends of its range.
        positive: the class index that counts as positive where a metric knows two sides.
        two_classes_only: it speaks of the positive class alone, which says little where there are many.
    """

    name: str
    higher_is_better: bool
    needs: Literal["labels", "ranks", "probabilities"]
    prepare: Callable[[Labels, Probabilities, int], OfDraws]
    lowest: float = 0.0
    highest: float = 1.0
    positive: int = 1
    two_classes_only: bool = False

    def __call__(self, labels: Labels, probabilities: Probabilities) -> float:
        """The metric of all examples, each counted once; NaN where it is not defined."""
        return float(self.of_draws(labels, probabilities)(np.ones((1, len(labels))))[0])

    def of_draws(self, labels: Labels, probabilities: Probabilities) -> OfDraws:
        """A function from weights (draws, n) to this metric in each draw; what draws share is computed here, once.

        Raises:
            ValueError: shapes that do not belong together, or a label without a column.
        """
        if probabilities.ndim != 2 or labels.shape != probabilities.shape[:1]:
            seen = f"{labels.shape} and {probabilities.shape}"
            raise ValueError(f"labels and probabilities must have shapes (n,) and (n, classes); they have {seen}.")
        if not len(labels) or not np.isfinite(probabilities).all():
            return _undefined
        if labels.min() < 0 or labels.max() >= probabilities.shape[1]:
            seen = f"{labels.min()} to {labels.max()}"
            raise ValueError(f"labels must be 0 to {probabilities.shape[1] - 1}, one for each column; they are {seen}.")
        return self.prepare(labels, probabilities, self.positive)

    def with_positive(self, positive: int) -> "Metric":
        """The same metric with another class as the positive one."""
        return replace(self, positive=positive)

    def gain(self, first: Values | float, second: Values | float) -> Values:
        """By how much the first value is better than the second; negative where it is worse."""
        difference = np.asarray(first, dtype=np.float64) - np.asarray(second, dtype=np.float64)
        return difference if self.higher_is_better else -difference


def compute_all(labels: Labels, probabilities: Probabilities, *, positive: int = 1) -> dict[str, float]:
    """Every metric that says something about this many classes, by its name."""
    chosen = [metric for metric in METRICS.values() if not metric.two_classes_only or probabilities.shape[1] == 2]
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
    return _ratio(counts.right.sum(axis=1), counts.all)


def _balanced_accuracy(counts: _Counts, positive: int) -> Values:  # noqa: ARG001
    return _mean_of_defined(_ratio(counts.right, counts.labelled))


def _macro_f1(counts: _Counts, positive: int) -> Values:  # noqa: ARG001
    return _mean_of_defined(_f1_per_class(counts))


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
    observed = _ratio(counts.right.sum(axis=1), everything)
    expected = _ratio((counts.labelled * counts.predicted).sum(axis=1), everything**2)
    return _ratio(observed - expected, 1.0 - expected)


def _f1_per_class(counts: _Counts) -> Values:
    return _ratio(2.0 * counts.right, counts.labelled + counts.predicted)


@dataclass(frozen=True)
class _Steps:
    """At each positive example of a ranking, per draw: its weight, and what stands above it, runs of equals as one."""

    weight: Values
    negatives_above: Values
    negatives_down_to: Values  # its own run counted in
    positives_down_to: Values
    negatives: Values  # of the whole ranking, shape (draws,)


class _Ranking:
    """Examples by falling probability of one class. Sorted once: no weight changes the order."""

    def __init__(self, is_positive: NDArray[np.bool_], probability: NDArray[np.floating]) -> None:
        self._order = np.argsort(-probability, kind="stable")
        falling, is_positive = probability[self._order], is_positive[self._order]
        self._positives = np.flatnonzero(is_positive)
        positives_before = np.concatenate([[0], np.cumsum(is_positive)])
        self._above = np.searchsorted(-falling, -falling[self._positives], side="left")
        self._down_to = np.searchsorted(-falling, -falling[self._positives], side="right")
        self._positives_above = positives_before[self._above]
        self._positives_down_to = positives_before[self._down_to]

    def steps(self, weights: Weights) -> _Steps:
        """The ranking of examples that count so much, shape (draws, positives)."""
        ranked = np.take(weights, self._order, axis=1)
        weight = np.take(ranked, self._positives, axis=1)
        running, running_positives = _running_sum(ranked), _running_sum(weight)
        positives_down_to = np.take(running_positives, self._positives_down_to, axis=1)
        return _Steps(
            weight,
            np.take(running, self._above, axis=1) - np.take(running_positives, self._positives_above, axis=1),
            np.take(running, self._down_to, axis=1) - positives_down_to,
            positives_down_to,
            running[:, -1] - running_positives[:, -1],
        )


def _one_against_rest(area: Callable[[_Steps], Values]) -> Callable[[Labels, Probabilities, int], OfDraws]:
    def prepare(labels: Labels, probabilities: Probabilities, positive: int) -> OfDraws:
        classes = [positive] if probabilities.shape[1] == 2 else range(probabilities.shape[1])
        rankings = [_Ranking(labels == index, probabilities[:, index]) for index in classes]

        def of_draws(weights: Weights) -> Values:
            return _mean_of_defined(np.stack([area(ranking.steps(weights)) for ranking in rankings], axis=1))

        return of_draws

    return prepare


def _area_under_roc(steps: _Steps) -> Values:
    below = steps.negatives[:, None] - 0.5 * (steps.negatives_above + steps.negatives_down_to)
    return _ratio(np.einsum("ij,ij->i", steps.weight, below), steps.weight.sum(axis=1) * steps.negatives)


def _average_precision(steps: _Steps) -> Values:
    precision = _ratio(steps.positives_down_to, steps.positives_down_to + steps.negatives_down_to)
    return _ratio(np.where(steps.weight > 0, steps.weight * precision, 0.0).sum(axis=1), steps.weight.sum(axis=1))


def _log_loss(labels: Labels, probabilities: Probabilities, positive: int) -> OfDraws:  # noqa: ARG001
    wide = probabilities.astype(np.float64)
    shares = wide / np.maximum(wide.sum(axis=1, keepdims=True), LEAST_PROBABILITY)
    losses = -np.log(np.clip(shares[np.arange(len(labels)), labels], LEAST_PROBABILITY, 1.0))
    return lambda weights: _ratio(weights @ losses, weights.sum(axis=1))


def _running_sum(values: Values) -> Values:
    """Along axis 1, from 0: one longer than the values."""
    sums = np.zeros((values.shape[0], values.shape[1] + 1))
    np.cumsum(values, axis=1, out=sums[:, 1:])
    return sums


def _ratio(part: Values, whole: Values) -> Values:
    """Element by element; NaN where the whole is nothing."""
    return np.asarray(np.divide(part, whole, out=np.full(np.shape(part), math.nan), where=np.asarray(whole) > 0))


def _mean_of_defined(values: Values) -> Values:
    """Mean over classes (axis 1) of those for which there is a value; NaN where there is none."""
    defined = np.isfinite(values)
    return _ratio(np.where(defined, values, 0.0).sum(axis=1), defined.sum(axis=1))


def _table(*metrics: Metric) -> dict[str, Metric]:
    return {metric.name: metric for metric in metrics}


# This table is also the menu in error messages and docs; `autotl.task` knows the same names.
METRICS: dict[str, Metric] = _table(
    Metric("accuracy", True, "labels", _from_counts(_accuracy)),
    Metric("balanced_accuracy", True, "labels", _from_counts(_balanced_accuracy)),
    Metric("macro_f1", True, "labels", _from_counts(_macro_f1)),
    Metric("f1", True, "labels", _from_counts(_f1), two_classes_only=True),
    Metric("roc_auc", True, "ranks", _one_against_rest(_area_under_roc)),
    Metric("average_precision", True, "ranks", _one_against_rest(_average_precision)),
    Metric("log_loss", False, "probabilities", _log_loss, highest=math.inf),
    Metric("matthews_corrcoef", True, "labels", _from_counts(_matthews_corrcoef), lowest=-1.0),
    Metric("cohen_kappa", True, "labels", _from_counts(_cohen_kappa), lowest=-1.0),
)
