"""What a few target labels add to the choice: labels alone, the committee alone, and both, on pools with hidden labels.

python -m benchmarks.selection.few_labels --load FILE… [--per-class 5 20] [--draws 20] [--sub-pools 10] [--variants]

The models of these pools were trained without the labels: only the choice is compared. Each sub-pool is judged once by
the committee; then labels are drawn anew, so many of each class, and every rule chooses by the same ones.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from autotl.scoring.committee import Verdict, judge
from autotl.scoring.few_labels import FEW_LABELS, FewLabelsRule, HeldOut, posterior_of
from benchmarks.selection.measuring import even_weights, sub_pools
from benchmarks.selection.pools import Pool, load
from benchmarks.shared import parser

LABELS_ALONE, COMMITTEE_ALONE = "labels alone", "the committee alone"
SHIPPED = "both, as shipped"
CHOSEN = "both, by the constants best on the other families"
STRENGTHS = (10.0, 20.0, 40.0, 80.0)
SPANS = (0.1, 0.2, 0.4)
TIE_LEVELS = (0.0, 0.1, 0.25)

Values = NDArray[np.float64]
Regrets = Mapping[str, Values]  # by rule, one for each sub-pool and draw


@dataclass(frozen=True, eq=False)
class Judged:
    """A sub-pool with what the committee says of it; what the hidden labels say is in `said` and `labels`."""

    pool: Pool
    verdict: Verdict
    labels: NDArray[np.int64]  # hidden, of the target examples
    said: Mapping[int, NDArray[np.int64]]  # by trial, of the same
    shares: Values  # of the classes, as the models that passed the guards see them

    @classmethod
    def of(cls, pool: Pool) -> "Judged":
        """Asks the committee, which cannot see the labels."""
        assert pool.hidden_labels is not None
        verdict = judge([trial.candidate for trial in pool.trials], seed=pool.seed, nearest=pool.reference.nearest)
        known = {trial.number: trial.candidate.evidence["target_probabilities"] for trial in pool.trials}
        kept = [number for number, value in verdict.values.items() if value is not None] or list(known)
        shares = np.mean([known[number].mean(axis=0) for number in kept], axis=0)
        return cls(
            pool, verdict, pool.hidden_labels, {number: each.argmax(axis=1) for number, each in known.items()}, shares
        )

    def drawn(self, per_class: int, generator: np.random.Generator) -> HeldOut:
        """So many labelled examples of each class, or all there are."""
        order = generator.permutation(len(self.labels))
        rows = np.concatenate([order[self.labels[order] == name][:per_class] for name in np.unique(self.labels)])
        return HeldOut.of(self.labels[rows], {trial: own[rows] for trial, own in self.said.items()}, shares=self.shares)

    def by_labels(self, held_out: HeldOut, *, tie_level: float = 0.0) -> int:
        """What the labels alone pick."""
        return next(posterior_of(held_out, None).groups(self.costs, tie_level=tie_level))[0]

    def by_both(self, held_out: HeldOut, rule: FewLabelsRule) -> int:
        """What the posterior picks among those that pass the guards."""
        ranks = {trial: value for trial, value in self.verdict.values.items() if value is not None}
        if not ranks:
            return self.by_labels(held_out)
        allowed = replace(held_out, right={trial: held_out.right[trial] for trial in ranks})
        top = max(trial.candidate.score("source_accuracy") for trial in self.pool.trials)
        ends = (held_out.rate(self.pool.reference.number), top)
        return next(posterior_of(allowed, ranks, ends=ends, rule=rule).groups(self.costs, tie_level=rule.tie_level))[0]

    @property
    def costs(self) -> dict[int, float]:
        """Of one prediction."""
        return {trial.number: trial.candidate.cost for trial in self.pool.trials}

    def regret(self, trial: int | None) -> float:
        """How far a pick is below the best; without one, source-only is kept."""
        true = {each.number: each.accuracy for each in self.pool.trials}
        return max(true.values()) - true[self.pool.reference.number if trial is None else trial]


def rules_compared() -> dict[str, FewLabelsRule]:
    """Every set of constants, by its name."""
    grid = product(STRENGTHS, SPANS, TIE_LEVELS)
    return {
        f"strength {strength:g}, span {span:g}, tie level {level:g}": replace(
            FEW_LABELS, strength=strength, least_span=span, tie_level=level
        )
        for strength, span, level in grid
    }


def regrets(judged: Iterable[Judged], *, per_class: int, draws: int) -> Regrets:
    """Of every rule on every sub-pool and draw, in this order."""
    rules = {SHIPPED: FEW_LABELS, **rules_compared()}
    found: dict[str, list[float]] = {name: [] for name in (LABELS_ALONE, COMMITTEE_ALONE, *rules)}
    for place, each in enumerate(judged):
        generator = np.random.default_rng([place, per_class])
        for _ in range(draws):
            held_out = each.drawn(per_class, generator)
            found[LABELS_ALONE].append(each.regret(each.by_labels(held_out)))
            found[COMMITTEE_ALONE].append(each.regret(each.verdict.pick))
            for name, rule in rules.items():
                found[name].append(each.regret(each.by_both(held_out, rule)))
    return {name: np.array(values) for name, values in found.items()}


def mean_regret(values: Values, families: Sequence[str], pairs: Sequence[str], kept: Iterable[str]) -> float:
    """Over some families, each counting the same, in it each pair."""
    wanted = set(kept)
    places = [place for place, family in enumerate(families) if family in wanted]
    weights = even_weights([families[place] for place in places], [pairs[place] for place in places])
    return float(weights @ values[places] / weights.sum())


def best_elsewhere(found: Sequence[Regrets], families: Sequence[str], pairs: Sequence[str], *, left_out: str) -> str:
    """The constants of least regret on the other families, over all numbers of labels together."""
    others = set(families) - {left_out}
    return min(
        rules_compared(), key=lambda name: sum(mean_regret(each[name], families, pairs, others) for each in found)
    )


def rows(
    found: Regrets, families: Sequence[str], pairs: Sequence[str], chosen: Mapping[str, str], more: Iterable[str]
) -> Iterator[str]:
    """A table in points: a line for each rule, a column for each family and one for all of them."""
    names = sorted(set(families))
    yield f"| rule | all | {' | '.join(names)} |"
    yield f"|{'---|' * (len(names) + 2)}"
    for rule in (LABELS_ALONE, COMMITTEE_ALONE, SHIPPED, *more):
        of_each = [mean_regret(found[rule], families, pairs, [family]) for family in names]
        yield _line(rule, of_each)
    yield _line(CHOSEN, [mean_regret(found[chosen[family]], families, pairs, [family]) for family in names])


def _line(rule: str, of_each: Sequence[float]) -> str:
    cells = [f"{100 * value:.1f}" for value in (float(np.mean(of_each)), *of_each)]
    return f"| {rule} | {' | '.join(cells)} |"


def main() -> None:
    """Prints a table for each number of labels, and which constants were chosen."""
    arguments = parser(__doc__ or "")
    arguments.add_argument("--load", type=Path, nargs="+", required=True, help="pools that keep their hidden labels")
    arguments.add_argument("--per-class", type=int, nargs="+", default=[5, 20], help="labels of each class")
    arguments.add_argument("--draws", type=int, default=20, help="of labels, for each sub-pool")
    arguments.add_argument("--sub-pools", type=int, default=10, help="drawn of each pool")
    arguments.add_argument("--variants", action="store_true", help="every set of constants, too")
    given = arguments.parse_args()
    pools = [pool for path in given.load for pool in load(path) if pool.hidden_labels is not None]
    if not pools:
        raise SystemExit("none of these pools keeps hidden labels: make them by python -m benchmarks.selection.shallow")
    judged = [Judged.of(part) for pool in pools for part in sub_pools(pool, count=given.sub_pools)]
    families = [each.pool.family for each in judged for _ in range(given.draws)]
    pairs = [each.pool.pair for each in judged for _ in range(given.draws)]
    found = [regrets(judged, per_class=per_class, draws=given.draws) for per_class in given.per_class]
    chosen = {family: best_elsewhere(found, families, pairs, left_out=family) for family in sorted(set(families))}
    for per_class, each in zip(given.per_class, found, strict=True):
        print(f"\n{per_class} labels of each class: mean regret in points\n")
        print("\n".join(rows(each, families, pairs, chosen, rules_compared() if given.variants else ())))
    print("\n" + "\n".join(f"chosen without {family}: {name}" for family, name in chosen.items()))


if __name__ == "__main__":
    main()
