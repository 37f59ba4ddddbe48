"""Compares rules that choose a model without target labels, on finished searches whose hidden labels are known here.

python -m benchmarks.selection --pools DIR… [--save FILE] | --load FILE… [--variants]
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.selection import estimates
from benchmarks.selection.measuring import (
    FEWEST_TRIALS,
    MOST_TRIALS,
    SUB_POOLS,
    Outcomes,
    figures,
    intervals,
    left_out,
    sub_pools,
)
from benchmarks.selection.pools import Pool, load, read_pools, save
from benchmarks.selection.rules import PUBLISHED, Choose, auto, committees
from benchmarks.selection.tables import by_family, described, of_rules
from benchmarks.shared import parser

CHOSEN = "the variant that is best on the other families"


def main() -> None:
    """Prints the tables."""
    arguments = parser(__doc__ or "")
    arguments.add_argument("--pools", type=Path, nargs="+", default=[], help="folders of searches to read")
    arguments.add_argument("--save", type=Path, default=None, help="keep the pools in this .npz")
    arguments.add_argument("--load", type=Path, nargs="+", default=[], help="pools that were kept before")
    arguments.add_argument("--sub-pools", type=int, default=SUB_POOLS, help="drawn of each pool")
    arguments.add_argument("--trials", type=int, default=MOST_TRIALS, help="of a sub-pool, at most")
    arguments.add_argument("--variants", action="store_true", help="every variant of our own rule, too")
    given = arguments.parse_args()
    pools = [*(pool for path in given.load for pool in load(path)), *read_pools(given.pools)]
    if given.save:
        save(pools, given.save)
    usable = [pool for pool in pools if pool.has_reference and len(pool.trials) >= FEWEST_TRIALS]
    if not usable:
        raise SystemExit(f"no finished search with {FEWEST_TRIALS} complete trials, source-only among them")
    print(described(pools, usable))
    drawn = [
        sub_pool for pool in usable for sub_pool in sub_pools(pool, count=given.sub_pools, most_trials=given.trials)
    ]
    rules = {**PUBLISHED, **auto(), **(committees() if given.variants else {})}
    found = _outcomes(rules, drawn)
    if given.variants:
        chosen, names = left_out({name: found[name] for name in committees()})
        found[CHOSEN] = chosen
    print(of_rules({name: (figures(each), intervals(each)) for name, each in found.items()}))
    print(by_family(found))
    print(estimates.table(usable))
    if given.variants:
        print("\n".join(f"chosen without {family}: {name}" for family, name in names.items()))


def _outcomes(rules: Mapping[str, Choose], pools: Sequence[Pool]) -> dict[str, Outcomes]:
    return {name: Outcomes.of(choose, pools) for name, choose in rules.items()}


if __name__ == "__main__":
    main()
