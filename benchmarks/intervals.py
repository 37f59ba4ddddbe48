"""Are the intervals honest? Simulated models whose true scores are known, as many runs as it takes to see.

    python -m benchmarks.intervals

Four questions, a table each: how often an interval holds the true score; how far the winner's score lies above its
true one, before and after correction for selection; how often the tie rule is wrong and what that costs; how often the
interval around a number holds once its model was chosen by the examples that the interval is from.
"""

import argparse
import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from autotl.scoring.comparison import cannot_be_told_apart, difference_ends, paired_difference, resampled_scores
from autotl.scoring.conformal import half_widths
from autotl.scoring.intervals import Interval, interval
from autotl.scoring.metrics import METRICS, Metric
from autotl.scoring.selection import corrected_gain, corrected_interval

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

TRUTH_EXAMPLES = 200_000
SHARED_LUCK = 0.5  # how much two trials agree on which examples are hard
TRUE_ACCURACY = 0.80
CLASSES = 5
TIE_DRAWS = 1_000


@dataclass
class Tally:
    """What many simulated intervals have in common."""

    errors: list[float] = field(default_factory=list)
    widths: list[float] = field(default_factory=list)
    hits: list[bool] = field(default_factory=list)

    def add(self, found: Interval, truth: float) -> None:
        """Counts one interval for a truth."""
        self.errors.append(found.value - truth)
        self.widths.append(found.high - found.low)
        self.hits.append(found.low <= truth <= found.high)

    @property
    def bias(self) -> float:
        """How far the values lie above the truth, on average."""
        return float(np.mean(self.errors))

    @property
    def width(self) -> float:
        """Of the intervals, on average."""
        return float(np.mean(self.widths))

    @property
    def coverage(self) -> float:
        """Share of intervals that hold the truth."""
        return float(np.mean(self.hits))


@dataclass(frozen=True)
class Population:
    """Examples of given class shares and a model whose logits lean towards the true class.

    Attributes:
        group_spread: how much whole groups differ in how well the model reads them; 0 for no groups.
    """

    shares: Sequence[float]
    strength: float
    group_spread: float = 0.0

    def draw(self, examples: int, *, groups: int = 0, seed: int) -> tuple[Integers, Floats, Integers | None]:
        """Labels in the population's shares (as a stratified split has them), probabilities, and group of each."""
        draws = np.random.default_rng(seed)
        counts = np.round(np.asarray(self.shares) * examples).astype(int)
        counts[0] += examples - counts.sum()
        labels = draws.permutation(np.repeat(np.arange(len(counts)), counts))
        strength = np.full(examples, self.strength)
        group_of = None
        if groups:
            group_of = draws.permutation(np.arange(examples) % groups)
            strength = strength + self.group_spread * draws.normal(size=groups)[group_of]
        logits = draws.normal(size=(examples, len(counts)))
        logits[np.arange(examples), labels] += strength
        powers = np.exp(logits)
        return labels, powers / powers.sum(axis=1, keepdims=True), group_of

    def truth(self, metric: Metric) -> float:
        """The metric on so many examples that it is the model's own; each is a group to itself."""
        labels, probabilities, _ = self.draw(
            TRUTH_EXAMPLES, groups=TRUTH_EXAMPLES if self.group_spread else 0, seed=2**31
        )
        return metric(labels, probabilities)


@dataclass(frozen=True)
class Pool:
    """The trials of one search: what they say of the same examples, and how good they truly are."""

    labels: Integers
    probabilities: list[Floats]
    true_accuracies: Floats
    costs: list[float]

    @classmethod
    def draw(cls, true_accuracies: Floats, examples: int, *, seed: int) -> "Pool":
        """Each trial reads an example right when luck shared by all and its own stay below what its accuracy allows."""
        draws = np.random.default_rng(seed)
        labels = np.arange(examples) % CLASSES
        limits = np.array([NormalDist().inv_cdf(accuracy) for accuracy in true_accuracies])
        own = draws.normal(size=(len(limits), examples))
        luck = math.sqrt(SHARED_LUCK) * draws.normal(size=examples) + math.sqrt(1 - SHARED_LUCK) * own
        wrong = (labels + draws.integers(1, CLASSES, size=luck.shape)) % CLASSES
        said = np.where(luck < limits[:, None], labels, wrong)
        costs = draws.permutation(len(limits)).astype(float).tolist()
        return cls(labels, [np.eye(CLASSES)[each] for each in said], true_accuracies, costs)

    def accuracy(self, trial: int) -> float:
        """The trial's score on these examples."""
        return METRICS["accuracy"](self.labels, self.probabilities[trial])

    def best(self) -> int:
        """The trial with the highest score."""
        return int(np.argmax([self.accuracy(trial) for trial in range(len(self.costs))]))

    def tied_with(self, best: int, *, seed: int) -> list[int]:
        """The trials that the leaderboard cannot tell apart from the best one, itself included."""
        scores = resampled_scores(METRICS["accuracy"], self.labels, self.probabilities, seed=seed, draws=TIE_DRAWS)
        behind = scores[:, [best]] - scores
        return [trial for trial in range(len(self.costs)) if cannot_be_told_apart(difference_ends(behind[:, trial]))]


def coverage(
    population: Population,
    metric: Metric,
    examples: int,
    *,
    repeats: int,
    groups: int = 0,
    groups_are_known: bool = True,
    draws: int = 2_000,
) -> Tally:
    """Intervals of one model on many validation sets."""
    truth = population.truth(metric)
    tally = Tally()
    for repeat in range(repeats):
        labels, probabilities, group_of = population.draw(examples, groups=groups, seed=repeat)
        known = group_of if groups_are_known else None
        tally.add(interval(metric, labels, probabilities, groups=known, seed=repeat, draws=draws), truth)
    return tally


@dataclass(frozen=True)
class Headlines:
    """The figures of many simulated searches."""

    highest: Tally  # the highest score, as many a leaderboard shows it
    raw: Tally  # the winner's, before selection
    corrected: Tally
    corrected_without_ties: Tally  # as if the winner were always the highest score
    gain: Tally  # over the first trial
    raw_gain: Tally
    cost_of_ties: float  # true accuracy that the cheaper winner has less than the highest score's trial
    tied: float  # share of trials in the first tie group


def headlines(
    true_accuracies: Callable[[np.random.Generator], Floats], examples: int, *, repeats: int, draws: int = 500
) -> Headlines:
    """Searches whose winner is chosen as the leaderboard does: the cheapest of those tied with the best."""
    accuracy = METRICS["accuracy"]
    highest, raw, corrected, without_ties, gain, raw_gain = (Tally() for _ in range(6))
    lost, tied_share = [], []
    for repeat in range(repeats):
        pool = Pool.draw(true_accuracies(np.random.default_rng([repeat, 7])), examples, seed=repeat)
        best = pool.best()
        tied = pool.tied_with(best, seed=repeat)
        winner = min(tied, key=lambda trial: pool.costs[trial])
        truth = float(pool.true_accuracies[winner])
        models = pool.probabilities
        highest.add(interval(accuracy, pool.labels, models[best], seed=repeat), float(pool.true_accuracies[best]))
        raw.add(interval(accuracy, pool.labels, models[winner], seed=repeat), truth)
        corrected.add(
            corrected_interval(accuracy, pool.labels, models, costs=pool.costs, seed=repeat, draws=draws), truth
        )
        without_ties.add(corrected_interval(accuracy, pool.labels, models, seed=repeat, draws=draws), truth)
        if winner != 0:
            true_gain = truth - float(pool.true_accuracies[0])
            more = corrected_gain(accuracy, pool.labels, models, models[0], costs=pool.costs, seed=repeat, draws=draws)
            gain.add(more, true_gain)
            plain = paired_difference(accuracy, pool.labels, models[winner], models[0], seed=repeat, level=0.95)
            raw_gain.add(plain, true_gain)
        lost.append(float(pool.true_accuracies[best]) - truth)
        tied_share.append(len(tied) / len(models))
    figures = (highest, raw, corrected, without_ties, gain, raw_gain)
    return Headlines(*figures, cost_of_ties=float(np.mean(lost)), tied=float(np.mean(tied_share)))


def told_apart(difference: float, examples: int, *, repeats: int) -> float:
    """How often the tie rule separates two models whose true accuracies differ by so much."""
    accuracies = np.array([TRUE_ACCURACY + difference, TRUE_ACCURACY])
    separated = 0
    for repeat in range(repeats):
        pool = Pool.draw(accuracies, examples, seed=repeat)
        separated += len(pool.tied_with(pool.best(), seed=repeat)) == 1
    return separated / repeats


def equal(trials: int) -> Callable[[np.random.Generator], Floats]:
    """A search in which nothing matters: every trial is as good as the others."""
    return lambda _: np.full(trials, TRUE_ACCURACY)


def spread(trials: int, deviation: float) -> Callable[[np.random.Generator], Floats]:
    """A search whose trials differ by so much."""
    return lambda draws: np.clip(TRUE_ACCURACY + deviation * draws.normal(size=trials), 0.3, 0.98)


EVEN = Population(shares=(0.2,) * 5, strength=2.5)
RARE = Population(shares=(0.9, 0.1), strength=2.0)
GROUPED = Population(shares=(0.2,) * 5, strength=2.5, group_spread=1.0)


def print_coverage(repeats: int) -> None:
    """How often an interval holds the true score."""
    rows = []
    for name, population in (("5 equal classes", EVEN), ("9 to 1", RARE)):
        for metric in METRICS.values():
            if metric.prepare is None or (metric.two_classes_only and len(population.shares) > 2):
                continue
            for examples in (100, 400):
                tally = coverage(population, metric, examples, repeats=repeats)
                rows.append((name, metric.name, examples, *_figures(tally)))
    for groups in (12, 40):
        accuracy = METRICS["accuracy"]
        known = coverage(GROUPED, accuracy, 400, groups=groups, repeats=repeats)
        unknown = coverage(GROUPED, accuracy, 400, groups=groups, groups_are_known=False, repeats=repeats)
        rows.append((f"{groups} groups", "accuracy", 400, *_figures(known)))
        rows.append((f"{groups} groups, not told", "accuracy", 400, *_figures(unknown)))
    few = coverage(GROUPED, METRICS["accuracy"], 400, groups=6, repeats=repeats)
    rows.append(("6 groups (over windows)", "accuracy", 400, *_figures(few)))
    _print(f"Coverage of 95 % intervals, {repeats} runs", ("data", "metric", "n", "held", "bias", "width"), rows)


def print_headlines(repeats: int) -> None:
    """What the winner's score is worth."""
    rows, gains = [], []
    for name, accuracies in (
        ("24 equal trials", equal(24)),
        ("60 equal trials", equal(60)),
        ("24 trials ± 2 points", spread(24, 0.02)),
        ("24 trials ± 6 points", spread(24, 0.06)),
    ):
        for examples in (100, 400, 1_000):
            found = headlines(accuracies, examples, repeats=repeats)
            rows.append(
                (
                    name,
                    examples,
                    *_figures(found.highest)[:2],
                    *_figures(found.raw),
                    *_figures(found.corrected),
                    f"{100 * found.corrected_without_ties.bias:+.1f}",
                    f"{100 * found.cost_of_ties:.1f}",
                    f"{found.tied:.0%}",
                )
            )
            gains.append((name, examples, *_figures(found.raw_gain), *_figures(found.gain)))
    titles = ("search", "n", "raw held", "bias", "width", "corrected held", "bias", "width")
    first, more = ("highest held", "bias"), ("bias, ties ignored", "cost of ties", "tied")
    title = f"The winner's accuracy, 95 % intervals, {repeats} searches (points)"
    _print(title, (*titles[:2], *first, *titles[2:], *more), rows)
    _print(f"The winner's gain over the first trial, {repeats} searches (points)", titles, gains)


def print_ties(repeats: int) -> None:
    """How often the tie rule tells two models apart."""
    rows = [
        (examples, *(f"{told_apart(difference, examples, repeats=repeats):.0%}" for difference in (0, 0.02, 0.05, 0.1)))
        for examples in (100, 400, 1_000)
    ]
    titles = ("n", "equal (error)", "2 points", "5 points", "10 points")
    _print(f"Two models are told apart, 90 % paired intervals, {repeats} runs", titles, rows)


def print_numbers(repeats: int) -> None:
    """How often the 90 % interval around a winner's number holds that of a new example."""
    rows = []
    for trials, examples in ((1, 20), (20, 20), (20, 100), (50, 100), (50, 400)):
        lowest, by_rule = held_by_winners(trials, examples, repeats=repeats)
        rows.append((f"{trials} equal trials", examples, f"{lowest:.1%}", f"{by_rule:.1%}"))
    titles = ("search", "n", "lowest error", "winner by our rule")
    _print(f"How often a winner's 90 % interval around a number holds, {repeats} searches", titles, rows)


def held_by_winners(trials: int, examples: int, *, repeats: int) -> tuple[float, float]:
    """The share of new examples that the winner's interval holds, where that is the trial of the lowest error, and the
    first of those tied with it, which stands for the cheapest. Errors of all trials are normal and equally large."""
    draws, rmse, held = np.random.default_rng(0), METRICS["rmse"], []
    labels = np.zeros(examples)
    for repeat in range(repeats):
        own, shared = draws.normal(size=(trials, examples)), draws.normal(size=examples)
        said = [(math.sqrt(SHARED_LUCK) * shared + math.sqrt(1 - SHARED_LUCK) * each)[:, None] for each in own]
        best = int(np.argmin([rmse(labels, each) for each in said]))
        scores = resampled_scores(rmse, labels, said, seed=repeat, draws=TIE_DRAWS)
        worse = scores - scores[:, [best]]
        tied = [trial for trial in range(trials) if cannot_be_told_apart(difference_ends(worse[:, trial]))]
        widths = [half_widths(labels, said[winner])["half_widths"]["0.9"] for winner in (best, min(tied))]
        held.append([math.erf(width / math.sqrt(2)) for width in widths])
    lowest, by_rule = np.mean(held, axis=0).tolist()
    return lowest, by_rule


def _figures(tally: Tally) -> tuple[str, str, str]:
    return f"{tally.coverage:.1%}", f"{100 * tally.bias:+.1f}", f"{100 * tally.width:.1f}"


def _print(title: str, titles: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    print(f"\n{title}\n")
    print("| " + " | ".join(titles) + " |")
    print("|" + "---|" * len(list(titles)))
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |")


def main() -> None:
    """Prints every table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=120, help="simulated runs per line (default: 120)")
    repeats = parser.parse_args().repeats
    started = time.perf_counter()
    print_coverage(repeats)
    print_headlines(max(repeats // 2, 1))
    print_ties(2 * repeats)
    print_numbers(2 * repeats)
    print(f"\n{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
