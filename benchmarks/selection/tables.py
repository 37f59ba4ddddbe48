"""The figures of rules as Markdown tables."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from benchmarks.selection.measuring import FIGURES, Outcomes, figures
from benchmarks.selection.pools import Pool

Told = Mapping[str, float]
Ends = Mapping[str, tuple[float, float]]
WITH_INTERVAL = ("mean regret", "recovered", "Spearman", "negative transfer")


def described(pools: Sequence[Pool], usable: Sequence[Pool]) -> str:
    """How many pools there are of which tasks, and how much could be gained in them."""
    lines = ["| family | pairs | pools | trials of each | source-only | best trial |", "|---|---|---|---|---|---|"]
    for family in sorted({pool.family for pool in usable}):
        own = [pool for pool in usable if pool.family == family]
        sizes = sorted(len(pool.trials) for pool in own)
        plain = sum(pool.reference.accuracy for pool in own) / len(own)
        top = sum(float(pool.accuracies.max()) for pool in own) / len(own)
        pairs = len({pool.pair for pool in own})
        cells = f"{pairs} | {len(own)} | {sizes[0]} to {sizes[-1]} | {100 * plain:.1f} | {100 * top:.1f}"
        lines.append(f"| {family} | {cells} |")
    left = Counter(pool.pair for pool in pools if pool not in usable)
    if left:
        lines.append(f"\ntoo few trials: {', '.join(f'{pair} ({count})' for pair, count in left.items())}")
    return "\n".join(lines)


def of_rules(rules: Mapping[str, tuple[Told, Ends]]) -> str:
    """A line for each rule, in points and per cent, with 95 % intervals in brackets."""
    lines = [f"\n| rule | {' | '.join(FIGURES)} |", f"|{'---|' * (len(FIGURES) + 1)}"]
    for name, (told, ends) in rules.items():
        cells = [
            in_words(figure, told[figure], ends[figure] if figure in WITH_INTERVAL else None) for figure in FIGURES
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def by_family(rules: Mapping[str, Outcomes]) -> str:
    """Mean regret and negative transfer of each rule on each family."""
    families = sorted(set(next(iter(rules.values())).families))
    lines = [f"\n| rule: regret, negative transfer | {' | '.join(families)} |", f"|{'---|' * (len(families) + 1)}"]
    for name, outcomes in rules.items():
        told = [figures(outcomes.where([family])) for family in families]
        cells = [f"{100 * each['mean regret']:.1f}, {100 * each['negative transfer']:.0f} %" for each in told]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def in_words(figure: str, value: float, ends: tuple[float, float] | None = None) -> str:
    """A figure in its unit, `3.1 (2.0 to 4.4)`; a dash where it is not defined."""
    if math.isnan(value):
        return "–"
    if figure == "Spearman":
        scale, form, unit = 1, ".2f", ""
    elif figure.endswith("regret"):
        scale, form, unit = 100, ".1f", ""
    else:
        scale, form, unit = 100, ".0f", " %"
    said = f"{scale * value:{form}}{unit}"
    return said if ends is None else f"{said} ({scale * ends[0]:{form}} to {scale * ends[1]:{form}})"
