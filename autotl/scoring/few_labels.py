"""Which model to use where a few target labels are known beside a labelled source: the labels, steadied by the
committee.

Five labels a class tell models apart that differ by a lot and pick among the others by luck; the label-free committee
errs less often and always in the same way. So each model's accuracy gets a Beta distribution: before any label its mean
is what the committee's rank suggests, worth as much as so many labels; the held-out answers of the model are then
counted in. What the two say together is its posterior mean.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from autotl.scoring.intervals import Interval
from autotl.scoring.metrics import Labels, Values

ACCURACIES = ("accuracy", "balanced_accuracy")  # metrics that are shares of right answers, as a Beta is of


@dataclass(frozen=True)
class FewLabelsRule:
    """The constants, chosen by `python -m benchmarks.selection.few_labels`.

    Attributes:
        strength: how many labels the committee's opinion is worth. Leaving a family of tasks out, the others chose 40
            twice, 10 once and 80 once.
        unjudged_strength: the same of a model that the committee cannot judge and that is taken to be as good as
            source-only: so little is known of it that a few labels must be enough to change it.
        least_span: the prior means of the lowest and the highest rank are at least so far apart, whatever source-only
            and source accuracy say: where they agree the committee would say nothing.
        tie_level: of the interval of a difference that must leave out 0 for two models to differ. Wide intervals would
            hand every choice by ten labels to the cheapest model: at 0.25 that costs a tenth of a point, at 0.90 it
            would decide nearly all.
        level: of the interval that a model's figure is shown with.
    """

    strength: float = 40.0
    unjudged_strength: float = 5.0
    least_span: float = 0.2
    tie_level: float = 0.1
    level: float = 0.95


FEW_LABELS = FewLabelsRule()


@dataclass(frozen=True)
class HeldOut:
    """What the models said of the target's labelled examples, each by a model that did not learn from the example.

    Attributes:
        right: by trial, 1 for a right answer and 0 for a wrong one, shape (n,).
        weights: how much each example counts, mean 1, shape (n,).
    """

    right: Mapping[int, Values]
    weights: Values

    @classmethod
    def of(cls, labels: Labels, said: Mapping[int, Labels], *, shares: Values) -> "HeldOut":
        """By the labels that the models named.

        As many examples are drawn of each class, so counting them all alike would tell balanced accuracy, whatever the
        metric.

        Args:
            labels: class indices, shape (n,).
            said: by trial, the same.
            shares: of the classes in the target, shape (classes,): what is believed of them for accuracy, all the same
                for balanced accuracy.
        """
        counts = np.bincount(labels, minlength=len(shares))
        weights = (shares / np.maximum(counts, 1))[labels]
        mean = weights.mean() if len(labels) else 1.0
        weights = weights / mean if mean > 0 else np.ones(len(labels))
        return cls({trial: (own == labels).astype(np.float64) for trial, own in said.items()}, weights)

    @property
    def count(self) -> int:
        """How many labels there are."""
        return len(self.weights)

    @property
    def worth(self) -> float:
        """How many labels of equal weight would tell as much."""
        squares = float((self.weights**2).sum())
        return self.count**2 / squares if squares > 0 else 0.0

    def rate(self, trial: int) -> float:
        """The share of right answers."""
        return float(np.average(self.right[trial], weights=self.weights))

    def deviation_of_difference(self, one: int, other: int) -> float:
        """Standard deviation of the difference of two rates over draws of the examples, both on the same ones."""
        difference = self.right[one] - self.right[other]
        mean = float(np.average(difference, weights=self.weights))
        spread = float(np.average((difference - mean) ** 2, weights=self.weights))
        return math.sqrt(spread / self.worth)


@dataclass(frozen=True)
class Posterior:
    """What is known of the accuracy of each model.

    Attributes:
        means: by trial.
        priors: the mean before any label.
        strengths: how many labels the prior was worth, by trial; empty where there was none.
        held_out: the answers that were counted.
    """

    means: Mapping[int, float]
    priors: Mapping[int, float]
    strengths: Mapping[int, float]
    held_out: HeldOut

    def interval(self, trial: int, *, level: float = FEW_LABELS.level) -> Interval:
        """The posterior mean with the central interval of its Beta distribution; without a prior, by Jeffreys' of half
        a label for either answer."""
        from scipy.stats import beta  # heavy, and rooms that a light command imports read this one

        labels, rate = self.held_out.worth, self.held_out.rate(trial)
        prior, strength = self.priors.get(trial, 0.5), self.strengths.get(trial, 1.0)
        right, wrong = labels * rate + strength * prior, labels * (1 - rate) + strength * (1 - prior)
        low, high = beta.ppf([0.5 - level / 2, 0.5 + level / 2], max(right, 1e-3), max(wrong, 1e-3))
        return Interval(self.means[trial], float(low), float(high))

    def groups(self, costs: Mapping[int, float], *, tie_level: float) -> Iterator[tuple[int, ...]]:
        """Best first, each with those that these labels cannot tell from it, the cheapest of them in front."""
        left = sorted(self.means, key=lambda trial: (-self.means[trial], costs[trial], trial))
        while left:
            best, *others = left
            tied = {trial for trial in others if self._are_tied(best, trial, tie_level)}
            yield tuple(sorted([best, *tied], key=lambda trial: (costs[trial], trial)))
            left = [trial for trial in others if trial not in tied]

    def _are_tied(self, best: int, other: int, level: float) -> bool:
        """Whether their difference is within the noise of the labels. The prior is the same in every draw of them, so
        it moves the difference and not its noise."""
        counted = self.held_out.worth / (self.held_out.worth + self.strengths.get(best, 0.0))
        noise = counted * self.held_out.deviation_of_difference(best, other)
        return self.means[best] - self.means[other] <= NormalDist().inv_cdf(0.5 + level / 2) * noise + 1e-12


def posterior_of(
    held_out: HeldOut,
    ranks: Mapping[int, float] | None,
    *,
    ends: tuple[float, float] = (0.0, 1.0),
    rule: FewLabelsRule = FEW_LABELS,
) -> Posterior:
    """Beta posteriors of the models' accuracies.

    Args:
        held_out: of the models that may win.
        ranks: the committee's mean percentile ranks, 0 to 1, of those it judged; the others are taken to be as good as
            source-only. None where no committee spoke: then the labels decide alone.
        ends: what the lowest rank and the highest stand for: accuracy of source-only on the target, as the labels have
            it, and the best accuracy on the source.
    """
    rates = {trial: held_out.rate(trial) for trial in held_out.right}
    if ranks is None:
        return Posterior(rates, {}, {}, held_out)
    low, high = prior_ends(ends, rule)
    priors = {trial: low + (high - low) * ranks.get(trial, 0.0) for trial in rates}
    strengths = {trial: rule.strength if trial in ranks else rule.unjudged_strength for trial in rates}
    labels = held_out.worth
    means = {
        trial: (labels * rate + strengths[trial] * priors[trial]) / (labels + strengths[trial])
        for trial, rate in rates.items()
    }
    return Posterior(means, priors, strengths, held_out)


def prior_ends(ends: tuple[float, float], rule: FewLabelsRule = FEW_LABELS) -> tuple[float, float]:
    """The ends as a range of accuracies that is wide enough for ranks to matter."""
    low, high = min(max(ends[0], 0.0), 1.0), min(max(ends[1], 0.0), 1.0)
    high = max(high, low)
    if high - low < rule.least_span:
        high = min(low + rule.least_span, 1.0)
        low = high - rule.least_span
    return low, high
