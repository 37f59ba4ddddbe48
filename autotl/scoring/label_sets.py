"""Metrics of examples that bear several labels, or none: the definitions are scikit-learn's for indicator matrices.

What a model says of an example is a probability for each label. Which of them are said is a matter of thresholds, one a
label. They are tuned on labelled examples, and a figure on those same examples would flatter them: where none are given
each example is decided by thresholds that were tuned on others (`label_thresholds.cross_fitted`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from autotl.scoring.label_thresholds import cross_fitted
from autotl.scoring.ranked import OfDraws, Ranking, Steps, Values, Weights, mean_of_defined, ratio

LabelSets = NDArray[np.int64]  # 1 where an example bears the label, else 0, shape (n, labels)
Probabilities = NDArray[np.floating]  # of each label on its own, shape (n, labels)
Thresholds = Sequence[float]  # from which probability on each label is said, (labels,)
OfSets = Callable[[LabelSets, Probabilities, Thresholds | None], OfDraws]

LEAST_PROBABILITY = 1e-7  # as for one label (`metrics`)


@dataclass(frozen=True)
class SetCounts:
    """What set metrics are computed from: sums of weights per draw and label, shape (draws, labels).

    Attributes:
        right: examples that bear the label and of which it is said.
        labelled, said: examples that bear it; of which it is said.
        examples: shape (draws,).
    """

    right: Values
    labelled: Values
    said: Values
    examples: Values


Formula = Callable[[SetCounts], Values]


def said_sets(probabilities: Probabilities, thresholds: Thresholds) -> LabelSets:
    """Which labels are said of each example, shape (n, labels)."""
    return (probabilities >= np.asarray(thresholds)).astype(np.int64)


def from_counts(formula: Formula) -> OfSets:
    """A metric of said sets from sums over examples."""

    def of_sets(sets: LabelSets, probabilities: Probabilities, thresholds: Thresholds | None) -> OfDraws:
        is_said, bears = decided(sets, probabilities, thresholds), sets == 1
        marks = np.concatenate([bears & is_said, bears, is_said], axis=1).astype(np.float64)

        def of_draws(weights: Weights) -> Values:
            right, labelled, said = np.split(weights @ marks, 3, axis=1)
            return formula(SetCounts(right, labelled, said, weights.sum(axis=1)))

        return of_draws

    return of_sets


def decided(sets: LabelSets, probabilities: Probabilities, thresholds: Thresholds | None) -> NDArray[np.bool_]:
    """Whether each label is said, by these thresholds or, where there are none, by those of the other examples."""
    at = cross_fitted(sets, probabilities) if thresholds is None else np.asarray(thresholds)
    return np.asarray(probabilities >= at)


def macro_f1(counts: SetCounts) -> Values:
    """Mean over labels of their F1; a label that nobody bears and that is never said has none."""
    return mean_of_defined(ratio(2.0 * counts.right, counts.labelled + counts.said))


def micro_f1(counts: SetCounts) -> Values:
    """F1 of all decisions together, so that frequent labels weigh more."""
    both = (counts.labelled + counts.said).sum(axis=1)
    return ratio(2.0 * counts.right.sum(axis=1), both)


def hamming_loss(counts: SetCounts) -> Values:
    """Share of all decisions that are wrong."""
    wrong = (counts.labelled + counts.said - 2.0 * counts.right).sum(axis=1)
    return ratio(wrong, counts.examples * counts.labelled.shape[1])


# Those of the metrics that sums over examples give, by name.
FORMULAS: dict[str, Formula] = {"macro_f1": macro_f1, "micro_f1": micro_f1, "hamming_loss": hamming_loss}


def subset_accuracy(sets: LabelSets, probabilities: Probabilities, thresholds: Thresholds | None) -> OfDraws:
    """Share of examples whose set is said exactly."""
    exact = (decided(sets, probabilities, thresholds) == (sets == 1)).all(axis=1).astype(np.float64)
    return lambda weights: ratio(weights @ exact, weights.sum(axis=1))


def over_labels(area: Callable[[Steps], Values]) -> OfSets:
    """Mean over labels of an area under the curve of its own ranking; labels for which there is none are left out."""

    def of_sets(sets: LabelSets, probabilities: Probabilities, _: Thresholds | None) -> OfDraws:
        rankings = [Ranking(sets[:, index] == 1, probabilities[:, index]) for index in range(sets.shape[1])]

        def of_draws(weights: Weights) -> Values:
            return mean_of_defined(np.stack([area(ranking.steps(weights)) for ranking in rankings], axis=1))

        return of_draws

    return of_sets


def over_decisions(area: Callable[[Steps], Values]) -> OfSets:
    """The area under the curve of one ranking of all decisions: every label of every example."""

    def of_sets(sets: LabelSets, probabilities: Probabilities, _: Thresholds | None) -> OfDraws:
        ranking = Ranking((sets == 1).reshape(-1), probabilities.reshape(-1))
        return lambda weights: area(ranking.steps(np.repeat(weights, sets.shape[1], axis=1)))

    return of_sets


def log_loss(sets: LabelSets, probabilities: Probabilities, _: Thresholds | None) -> OfDraws:
    """Binary cross-entropy, mean over the labels of each example."""
    of_truth = np.where(sets == 1, probabilities, 1.0 - probabilities.astype(np.float64))
    losses = -np.log(np.clip(of_truth, LEAST_PROBABILITY, 1.0)).mean(axis=1)
    return lambda weights: ratio(weights @ losses, weights.sum(axis=1))


def as_decisions(sets: LabelSets, probabilities: Probabilities) -> tuple[LabelSets, Probabilities]:
    """Every label of every example as an example of two classes, no and yes: shapes (n * labels,) and (…, 2).

    What is known of calibrated probabilities of two classes holds of these.
    """
    yes = probabilities.reshape(-1).astype(np.float64)
    return sets.reshape(-1), np.stack([1.0 - yes, yes], axis=1)
