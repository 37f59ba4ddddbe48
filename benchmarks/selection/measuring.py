"""What a rule's picks are worth: against the best trial of a pool, and against no adaptation."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from benchmarks.selection.pools import Pool
from benchmarks.selection.rules import Choice, Choose

SUB_POOLS = 50
MOST_TRIALS, SHARE_OF_TRIALS = 20, 2 / 3  # of a sub-pool
FEWEST_TRIALS = 6  # of a pool: of fewer there is nothing to choose
HARM = 0.01  # below source-only by more than this is negative transfer
DECILE = 0.1
LEVEL, DRAWS = 0.95, 1000

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Outcome:
    """One rule on one sub-pool, in shares of the target's examples.

    Attributes:
        regret: accuracy of the best trial minus that of the pick.
        gain: accuracy of the pick minus source-only's.
        room: accuracy of the best trial minus source-only's.
        spearman: of the rule's values and true accuracies; NaN where either is the same for all trials.
        is_worst: whether nine tenths of the other trials are better than the pick.
    """

    regret: float
    gain: float
    room: float
    spearman: float
    is_worst: bool

    @property
    def is_harm(self) -> bool:
        """Whether it is negative transfer."""
        return self.gain < -HARM - 1e-9


def outcome(pool: Pool, choice: Choice) -> Outcome:
    """What a choice is worth. Without a winner one stays with source-only."""
    accuracies, source_only = pool.accuracies, pool.reference.accuracy
    own = source_only if choice.place is None else float(accuracies[choice.place])
    best = float(accuracies.max())
    better = int((accuracies > own).sum())
    return Outcome(
        regret=best - own,
        gain=own - source_only,
        room=best - source_only,
        spearman=math.nan if choice.values is None else spearman(choice.values, accuracies),
        is_worst=better >= (1 - DECILE) * (len(accuracies) - 1) > 0,
    )


def spearman(values: Values, accuracies: Values) -> float:
    """Correlation of ranks, equals sharing theirs; NaN where either side does not vary."""
    first, second = rankdata(values), rankdata(accuracies)
    if first.std() == 0 or second.std() == 0:
        return math.nan
    return float(np.corrcoef(first, second)[0, 1])


def sub_pools(pool: Pool, *, count: int = SUB_POOLS) -> Iterator[Pool]:
    """Draws without replacement of two thirds of a pool, 20 trials at most, source-only always among them."""
    draws = np.random.default_rng([pool.seed, len(pool.trials)])
    reference = pool.trials.index(pool.reference)
    others = np.delete(np.arange(len(pool.trials)), reference)
    size = min(MOST_TRIALS, round(SHARE_OF_TRIALS * len(pool.trials)))
    for _ in range(count):
        yield pool.of(sorted([reference, *draws.permutation(others)[: size - 1].tolist()]))


@dataclass(frozen=True, eq=False)
class Outcomes:
    """All outcomes of one rule, with the pools that they are of."""

    found: tuple[Outcome, ...]
    families: tuple[str, ...]  # of each
    pairs: tuple[str, ...]  # likewise; unique within a family

    @classmethod
    def of(cls, choose: Choose, pools: Iterable[Pool]) -> "Outcomes":
        """One for each pool that is given."""
        listed = list(pools)
        return cls(
            tuple(outcome(pool, choose(pool)) for pool in listed),
            tuple(pool.family for pool in listed),
            tuple(pool.pair for pool in listed),
        )

    def where(self, families: Iterable[str]) -> "Outcomes":
        """Those of some families only."""
        wanted = set(families)
        kept = [place for place, family in enumerate(self.families) if family in wanted]
        return Outcomes(
            tuple(self.found[place] for place in kept),
            tuple(self.families[place] for place in kept),
            tuple(self.pairs[place] for place in kept),
        )

    @staticmethod
    def together(parts: Sequence["Outcomes"]) -> "Outcomes":
        """Several as one."""
        return Outcomes(
            tuple(one for part in parts for one in part.found),
            tuple(family for part in parts for family in part.families),
            tuple(pair for part in parts for pair in part.pairs),
        )


FIGURES = ("mean regret", "median regret", "p90 regret", "recovered", "Spearman", "negative transfer", "worst decile")


def figures(outcomes: Outcomes, weights: Values | None = None) -> dict[str, float]:
    """Every figure, by its name. Regrets and shares are not yet in points or per cent.

    Each family counts the same, in it each pair, and in that each sub-pool.

    Args:
        weights: of the outcomes, shape (outcomes,); those just described where left out.
    """
    weights = even_weights(outcomes.families, outcomes.pairs) if weights is None else weights
    each = outcomes.found
    regret = np.array([one.regret for one in each])
    gain, room = np.array([one.gain for one in each]), np.array([one.room for one in each])
    correlation = np.array([one.spearman for one in each])
    known = np.isfinite(correlation)
    available = float(weights @ room)
    return {
        "mean regret": float(weights @ regret / weights.sum()),
        "median regret": quantile(regret, weights, 0.5),
        "p90 regret": quantile(regret, weights, 0.9),
        "recovered": float(weights @ gain) / available if available > 0 else math.nan,
        "Spearman": float(np.average(correlation[known], weights=weights[known])) if weights[known].any() else math.nan,
        "negative transfer": float(weights @ np.array([one.is_harm for one in each]) / weights.sum()),
        "worst decile": float(weights @ np.array([one.is_worst for one in each]) / weights.sum()),
    }


def even_weights(families: Sequence[str], pairs: Sequence[str]) -> Values:
    """Weights that add up to 1, and to the same for every family and within it for every pair."""
    return _weights(families, pairs, {family: sorted(_pairs_of(family, families, pairs)) for family in families})


def intervals(outcomes: Outcomes, *, seed: int = 0, draws: int = DRAWS) -> dict[str, tuple[float, float]]:
    """95 % intervals of the figures, by their names: families are drawn with replacement, then pairs in each."""
    generator = np.random.default_rng(seed)
    pairs_of = {
        family: sorted(_pairs_of(family, outcomes.families, outcomes.pairs))
        for family in sorted(set(outcomes.families))
    }
    found: dict[str, list[float]] = {name: [] for name in FIGURES}
    for _ in range(draws):
        weights = np.zeros(len(outcomes.found))
        for family in generator.choice(list(pairs_of), len(pairs_of)):
            drawn = generator.choice(pairs_of[family], len(pairs_of[family])).tolist()
            weights += _weights(outcomes.families, outcomes.pairs, {family: drawn})
        for name, value in figures(outcomes, weights).items():
            found[name].append(value)
    ends = [0.5 - LEVEL / 2, 0.5 + LEVEL / 2]
    return {
        name: (float(low), float(high))
        for name, values in found.items()
        for low, high in [np.nanquantile(values, ends)]
    }


def quantile(values: Values, weights: Values, level: float) -> float:
    """The least value that as much of the weight is not above."""
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(reached, level * reached[-1] - 1e-12)])


def left_out(candidates: Mapping[str, Outcomes], *, most_harm: float = 0.10) -> tuple[Outcomes, dict[str, str]]:
    """What choosing a rule by the other families gives on each family: the honest figure of a rule that was chosen.

    Args:
        candidates: the same sub-pools for each.
    Returns:
        Outcomes of all families, each by the candidate that was best without it; and the names of those.
    """
    families = sorted(set(next(iter(candidates.values())).families))
    names = {
        family: best({name: each.where(set(families) - {family}) for name, each in candidates.items()}, most_harm)
        for family in families
    }
    return Outcomes.together([candidates[names[family]].where([family]) for family in families]), names


def best(candidates: Mapping[str, Outcomes], most_harm: float = 0.10) -> str:
    """The name of least mean regret among those that harm rarely enough; where none does, of the least harm."""
    told = {name: figures(each) for name, each in candidates.items()}
    allowed = [name for name, found in told.items() if found["negative transfer"] <= most_harm]
    if allowed:
        return min(allowed, key=lambda name: told[name]["mean regret"])
    return min(told, key=lambda name: (told[name]["negative transfer"], told[name]["mean regret"]))


def _pairs_of(family: str, families: Sequence[str], pairs: Sequence[str]) -> set[str]:
    return {pair for own, pair in zip(families, pairs, strict=True) if own == family}


def _weights(families: Sequence[str], pairs: Sequence[str], drawn: Mapping[str, Sequence[str]]) -> Values:
    """Each family's weight shared by its drawn pairs, each pair's by its outcomes."""
    keys = list(zip(families, pairs, strict=True))
    times: dict[tuple[str, str], float] = {}
    for family, of_family in drawn.items():
        for pair in of_family:
            times[family, pair] = times.get((family, pair), 0.0) + 1 / len(of_family)
    sizes = {key: keys.count(key) for key in times}
    weights = np.array([times.get(key, 0.0) / sizes.get(key, 1) for key in keys])
    return weights / len(drawn)
