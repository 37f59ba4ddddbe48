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


def sub_pools(pool: Pool, *, count: int = SUB_POOLS, most_trials: int = MOST_TRIALS) -> Iterator[Pool]:
    """Draws without replacement of two thirds of a pool, so many trials at most, source-only always among them."""
    draws = np.random.default_rng([pool.seed, len(pool.trials)])
    reference = pool.trials.index(pool.reference)
    others = np.delete(np.arange(len(pool.trials)), reference)
    size = min(most_trials, round(SHARE_OF_TRIALS * len(pool.trials)))
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
    shared = _Sharing.of(families, pairs)
    return shared.weights([list(places) for places in shared.pairs_of])


def intervals(outcomes: Outcomes, *, seed: int = 0, draws: int = DRAWS) -> dict[str, tuple[float, float]]:
    """95 % intervals of the figures, by their names: families are drawn with replacement, then pairs in each."""
    generator = np.random.default_rng(seed)
    shared = _Sharing.of(outcomes.families, outcomes.pairs)
    found: dict[str, list[float]] = {name: [] for name in FIGURES}
    for _ in range(draws):
        drawn = [
            generator.choice(shared.pairs_of[family], len(shared.pairs_of[family])).tolist()
            for family in generator.integers(0, len(shared.pairs_of), len(shared.pairs_of))
        ]
        for name, value in figures(outcomes, shared.weights(drawn)).items():
            found[name].append(value)
    return {name: _ends(values) for name, values in found.items()}


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


@dataclass(frozen=True, eq=False)
class _Sharing:
    """How weight is shared out: among families, in each among pairs, and in each of those among outcomes.

    Attributes:
        pair_of: the pair of each outcome, by a number.
        pairs_of: the numbers of each family's pairs.
    """

    pair_of: NDArray[np.int64]
    pairs_of: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, families: Sequence[str], pairs: Sequence[str]) -> "_Sharing":
        keys = list(zip(families, pairs, strict=True))
        numbers = {key: number for number, key in enumerate(sorted(set(keys)))}
        of_family: dict[str, list[int]] = {}
        for (family, _), number in numbers.items():
            of_family.setdefault(family, []).append(number)
        return cls(np.array([numbers[key] for key in keys]), tuple(tuple(each) for each in of_family.values()))

    def weights(self, drawn: Sequence[Sequence[int]]) -> Values:
        """Of the outcomes, by the pairs that were drawn of each family that was drawn."""
        sizes = np.bincount(self.pair_of)
        of_pair = np.zeros(len(sizes))
        for pairs in drawn:
            np.add.at(of_pair, list(pairs), 1 / (len(drawn) * len(pairs)))
        return np.asarray((of_pair / sizes)[self.pair_of])


def _ends(values: Sequence[float]) -> tuple[float, float]:
    known = [value for value in values if math.isfinite(value)]
    if not known:
        return math.nan, math.nan
    low, high = np.quantile(known, [0.5 - LEVEL / 2, 0.5 + LEVEL / 2])
    return float(low), float(high)
