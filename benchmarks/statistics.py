"""What is lost where only statistics of a source are here: the same pairs and frozen features, sums against examples.

python -m benchmarks.statistics [--rows digits reviews] [--pairs N] [--trials 18] [--seeds 1] [--epsilon E --clip C]

Each pair is searched twice without target labels: over the source's statistics (solved heads; transforms and label
shift), and over its examples (trained heads, every method that frozen features allow). Target labels are opened once.
"""

import csv
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import autotl
from autotl.api import FeaturesAsked, noise_of, write_statistics_of
from autotl.api.searching import Run
from benchmarks.adaptation import domains
from benchmarks.adaptation.tasks import ROBUST_METHODS
from benchmarks.shared import parser, use_own_home

TARGET = "target: {{train: target{ending}, labels: none, validation: 0, test: {{labels_of: train}}}}"
OVER_SUMS = (
    "name: sums\nmodality: {modality}\ndata:\n  " + TARGET + "\n  source: {{statistics: source.statistics.zip}}\n"
)
OVER_EXAMPLES = (
    "name: examples\nmodality: {modality}\ndata:\n  "
    + TARGET
    + "\n  source: {{train: source{ending}}}\nsearch_space:\n"
    "  backbone: {backbone}\n{features}  unfrozen_layers: 0\n"
    "  head: {{choice: {{linear: {{}}, hidden: {{units: 128}}}}}}\n"
    "  learning_rate: {{log: [1.0e-3, 2.0e-2]}}\n  epochs: 10\n{fixed}"
)
BUDGET = "metric: accuracy\nbaselines: auto\nbudget: {{trials: {trials}, wall: 20m, seeds: 1}}\nseed: {seed}\n"


@dataclass(frozen=True)
class Family:
    """Pairs of domains on one kind of features."""

    modality: str
    ending: str
    pairs: Sequence[tuple[str, str]]
    write: Callable[[Path, Path, str, str], None]
    backbone: str
    features: dict[str, Any]
    fixed: str = ""  # what else of the space over examples is not searched


FAMILIES = {
    "digits": Family(
        "image",
        "",
        domains.pairs_of(("mnist_2000", "usps_1800")),
        domains.digits,
        "efficientnet_lite0",
        {"image_size": 64, "crop": "content", "tap": "P4"},
        fixed="  views: 0\n",
    ),
    "reviews": Family(
        "text",
        ".csv",
        domains.pairs_of(domains.PRODUCTS),
        domains.reviews,
        "all_minilm_l6_v2",
        {"sequence_length": 128, "pooling": "mean", "tap": "E3"},
    ),
}


def main() -> None:
    """Searches every pair over sums and over examples, and prints both with their distance in points."""
    use_own_home()
    arguments = parser(__doc__ or "")
    arguments.add_argument("--rows", nargs="*", choices=sorted(FAMILIES), default=sorted(FAMILIES))
    arguments.add_argument("--pairs", type=int, default=None, help="so many of each family")
    arguments.add_argument("--trials", type=int, default=18)
    arguments.add_argument("--seeds", type=int, default=1)
    arguments.add_argument("--epsilon", type=float, default=None, help="noise at the house of the source")
    arguments.add_argument("--delta", type=float, default=1e-5)
    arguments.add_argument("--clip", type=float, default=None)
    arguments.add_argument("--out", type=Path, default=None, help="also write a CSV here")
    given = arguments.parse_args()
    lines: list[dict[str, object]] = []
    for name in given.rows:
        family = FAMILIES[name]
        for source, target in family.pairs[: given.pairs]:
            for seed in range(given.seeds):
                lines.append(_measured(family, source, target, seed, given))
                print(lines[-1], file=sys.stderr, flush=True)
    _print(lines)
    if given.out is not None:
        with given.out.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(lines[0]))
            writer.writeheader()
            writer.writerows(lines)


def _measured(family: Family, source: str, target: str, seed: int, given: Any) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        family.write(given.shared, place, source, target)
        noise = None if given.epsilon is None else noise_of(given.epsilon, given.delta, given.clip)
        told = FeaturesAsked(backbone=family.backbone, **family.features)
        written = write_statistics_of(
            place / f"source{family.ending}", out=place / "source.statistics.zip", features=told, noise=noise
        )
        read = "".join(f"  {name}: {value}\n" for name, value in family.features.items())
        filled = {"modality": family.modality, "ending": family.ending, "backbone": family.backbone, "features": read}
        filled["fixed"] = family.fixed
        budget = BUDGET.format(trials=given.trials, seed=seed)
        (place / "sums.yaml").write_text(OVER_SUMS.format(**filled) + budget)
        (place / "examples.yaml").write_text(OVER_EXAMPLES.format(**filled) + ROBUST_METHODS + budget)
        sums, examples = (
            autotl.search(place / f"{which}.yaml", out=place / which, refit=False) for which in ("sums", "examples")
        )
        return {
            "pair": f"{source} → {target}",
            "seed": seed,
            "examples of the source": written.file.sites[0].examples,
            "bytes of the file": written.path.stat().st_size,
            "source-only, sums": _test(sums, "source_only"),
            "winner, sums": _test(sums, None),
            "source-only, examples": _test(examples, "source_only"),
            "winner, examples": _test(examples, None),
        }


def _test(run: Run, baseline: str | None) -> float:
    """Accuracy in the test, of the winner or of the best of a baseline; NaN where there is none."""
    rows = [row for row in run.leaderboard["trials"] if row["test"]]
    wanted = [row for row in rows if (row["winner"] if baseline is None else row["baseline"] == baseline)]
    return max((float(row["test"]["value"]) for row in wanted), default=float("nan"))


def _print(lines: Sequence[dict[str, object]]) -> None:
    columns = [name for name in lines[0] if name not in ("seed", "bytes of the file")]
    print(f"| {' | '.join(columns)} | distance in points |")
    print("|---" * (len(columns) + 1) + "|")
    distances: list[float] = []
    for line in lines:
        sums, examples = (float(str(line[f"winner, {which}"])) for which in ("sums", "examples"))
        distances.append(100 * (sums - examples))
        cells = [
            f"{value:.3f}" if isinstance(value, float) else f"{value}" for value in [line[name] for name in columns]
        ]
        print(f"| {' | '.join(cells)} | {distances[-1]:+.1f} |")
    print(f"\nSums against examples: {np.mean(distances):+.1f} points on average, {min(distances):+.1f} at worst.")


if __name__ == "__main__":
    main()
