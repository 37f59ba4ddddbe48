"""What the best of many trials is worth once its luck is taken off.

The highest of fifty scores is high partly because these examples happened to suit that model. Choosing the winner anew
on a resample of the examples, and scoring it on the examples left out, shows how much of it was luck.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from autotl.scoring.comparison import TIE_LEVEL
from autotl.scoring.intervals import Interval, interval
from autotl.scoring.metrics import Labels, Metric, OfDraws, Probabilities, Values, Weights
from autotl.scoring.resampling import Groups, Units

BEFORE_SELECTION = "before selection"
WITHOUT_SPREAD = 1e-9
DRAWS = 500

Revision = Callable[[Values], Values]


def corrected_interval(
    metric: Metric,
    labels: Labels,
    probabilities_of_trials: Sequence[Probabilities],
    *,
    groups: Groups | None = None,
    costs: Sequence[float] | None = None,
    chosen_by: Metric | None = None,
    revise: Revision | None = None,
    seed: int,
    level: float = 0.95,
    draws: int = DRAWS,
) -> Interval:
    """What the winner will score on new examples, with its interval.

    Each draw chooses its winner on resampled examples and scores it on those left out; the value is the mean over
    draws. The examples left out are 37 % of all, so their scores vary more than those of all examples would: the ends
    are the percentiles of the draws, drawn towards the value by what that adds.

    Args:
        costs: of each trial; when given, ties go to the cheapest (then to the earlier), as on the leaderboard.
        chosen_by: the metric that picks the winner of each draw, where that is not the one it is scored by.
        revise: what else is known of the trials, where the winner is not picked by these examples alone: their scores
            (draws, trials) → by what the winner is picked.
    Paper: Tsamardinos, Greasidou & Borboudakis, "Bootstrapping the out-of-sample predictions for efficient and accurate
        cross-validation", Machine Learning 2018 (BBC-CV). The drawing in is ours; `benchmarks.intervals` measures it.
    """
    if len(probabilities_of_trials) == 1:
        return interval(metric, labels, probabilities_of_trials[0], groups=groups, seed=seed, level=level)
    judge = chosen_by or metric
    trials = [metric.of_draws(labels, probabilities) for probabilities in probabilities_of_trials]
    judged = trials if judge is metric else [judge.of_draws(labels, said) for said in probabilities_of_trials]
    units = Units.of(labels, groups)
    contest = _Contest.hold(judge, judged, units, costs, revise, seed=seed, draws=draws)
    found = contest.interval(contest.score_of_winners(trials), level=level, note=units.note)
    if found.high - found.low <= WITHOUT_SPREAD:  # as when every answer is right: not certainty, but few examples
        best = int(np.argmax([judge.gain(judge(labels, said), 0.0) for said in probabilities_of_trials]))
        return interval(metric, labels, probabilities_of_trials[best], groups=groups, seed=seed, level=level)
    return replace(found, low=max(found.low, metric.lowest), high=min(found.high, metric.highest))


def corrected_gain(
    metric: Metric,
    labels: Labels,
    probabilities_of_trials: Sequence[Probabilities],
    reference: Probabilities,
    *,
    groups: Groups | None = None,
    costs: Sequence[float] | None = None,
    revise: Revision | None = None,
    seed: int,
    level: float = 0.95,
    draws: int = DRAWS,
) -> Interval:
    """By how much the winner will be better than a reference on new examples (negative: worse), with its interval.

    As `corrected_interval`, with the difference of the two on the examples left out as the score.
    """
    trials = [metric.of_draws(labels, probabilities) for probabilities in probabilities_of_trials]
    units = Units.of(labels, groups)
    contest = _Contest.hold(metric, trials, units, costs, revise, seed=seed, draws=draws)
    beaten = metric.of_draws(labels, reference)(contest.left_out)
    return contest.interval(metric.gain(contest.score_of_winners(trials), beaten), level=level, note=units.note)


@dataclass(frozen=True)
class _Contest:
    """Many repetitions of the search's last step: who wins on resampled examples, and which were left out."""

    winners: NDArray[np.int64]  # index of the trial that won each draw, -1 for none
    left_out: Weights  # 1 for the examples that the draw did not see, shape (draws, n)

    @classmethod
    def hold(
        cls,
        metric: Metric,
        trials: Sequence[OfDraws],
        units: Units,
        costs: Sequence[float] | None,
        revise: Revision | None,
        *,
        seed: int,
        draws: int,
    ) -> "_Contest":
        bags = list(units.bags(seed=seed, draws=draws))
        scores = np.concatenate([np.stack([of_draws(bag) for of_draws in trials], axis=1) for bag in bags])
        scores = scores if revise is None else revise(scores)
        return cls(choose(metric.gain(scores, 0.0), costs), (np.concatenate(bags) == 0).astype(np.float64))

    def score_of_winners(self, trials: Sequence[OfDraws]) -> Values:
        """What the winner of each draw scores on the examples left out of it."""
        scores = np.full(len(self.winners), math.nan)
        for trial in np.unique(self.winners[self.winners >= 0]):
            won = self.winners == trial
            scores[won] = trials[trial](self.left_out[won])
        return scores

    def interval(self, scores: Values, *, level: float, note: str | None) -> Interval:
        defined = scores[np.isfinite(scores)]
        if len(defined) < len(scores) / 2:
            return Interval(math.nan, math.nan, math.nan, note)
        value = float(defined.mean())
        low, high = np.quantile(defined, [0.5 - level / 2, 0.5 + level / 2])
        # m of n examples without replacement have a mean that varies by (n - m) / (m n), n fresh ones by 1 / n
        share = float(self.left_out.mean())
        shrink = math.sqrt(share / (1 - share)) if 0 < share < 1 else 1.0
        return Interval(value, value - shrink * (value - float(low)), value + shrink * (float(high) - value), note)


def choose(goodness: Values, costs: Sequence[float] | None) -> NDArray[np.int64]:
    """The winner of each draw, shape (draws,); -1 where no trial has a score.

    Args:
        goodness: of each trial in each draw, more is better, shape (draws, trials).
        costs: as for `corrected_interval`. Whether a trial is tied with the best of its draw is told by how much the
            difference of the two varies over the draws: the normal form of the leaderboard's paired interval.
    """
    known = np.where(np.isfinite(goodness), goodness, -math.inf)
    best = known.argmax(axis=1)
    highest = known.max(axis=1)
    if costs is None:
        return np.where(np.isfinite(highest), best, -1)
    tolerance = NormalDist().inv_cdf(0.5 + TIE_LEVEL / 2) * _spread_of_differences(known)
    tied = highest[:, None] - known <= tolerance[best]
    order = np.argsort(np.asarray(costs, dtype=np.float64), kind="stable")
    cheapest = order[tied[:, order].argmax(axis=1)]
    return np.where(np.isfinite(highest), cheapest, -1)


def _spread_of_differences(goodness: Values) -> Values:
    """Standard deviation over the draws of the difference of each two trials, shape (trials, trials)."""
    usable = goodness[np.isfinite(goodness).all(axis=1)]
    if len(usable) < 2:
        return np.zeros((goodness.shape[1], goodness.shape[1]))
    covariance = np.atleast_2d(np.cov(usable, rowvar=False))
    variances = np.diag(covariance)
    return np.asarray(np.sqrt(np.maximum(variances[:, None] + variances - 2 * covariance, 0.0)))
