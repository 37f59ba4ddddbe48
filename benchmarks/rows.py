"""Texts, tables and signals on real data: what the search reaches on test, beside the models without transfer.

python -m benchmarks.rows imdb|amazon|ai4i|own|cwru [--wall 30m] [--draws 5] [--loads 0 3] [--out DIR]
"""

import csv
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import autotl
from autotl.api.opening import Overrides, open_task
from autotl.api.orders import workshop_order
from autotl.backbones.classical import NAMES as CLASSICAL_NAMES
from autotl.data import load_data
from autotl.plan.fields import parse_plan
from autotl.production.evaluation import evaluate_on_test
from autotl.production.refit import all_labelled
from autotl.search.events import TrialEnded
from benchmarks.shared import parser, present, use_own_home

IMDB = """\
name: imdb
data:
  target: {{train: {data}/train.csv, test: {data}/test.csv}}
budget: {{trials: 8, wall: {wall}}}
baselines: [linear_probe, no_transfer]
search_space: {{sequence_length: 160, unfrozen_layers: {{choice: [9, 17]}}, join: bag_of_words, epochs: 2}}
start_with:
  - {{backbone: all_minilm_l6_v2, sequence_length: 160, tap: E4, join: bag_of_words, learning_rate: 0.01, epochs: 10}}
  - {{backbone: all_minilm_l6_v2, sequence_length: 160, tap: last, join: bag_of_words, learning_rate: 0.01, epochs: 10}}
  - {{backbone: all_minilm_l6_v2, sequence_length: 160, tap: last, unfrozen_layers: 17, join: bag_of_words,
     learning_rate: 0.002, backbone_rate_ratio: 0.05, epochs: 2}}
  - {{backbone: all_minilm_l6_v2, sequence_length: 160, tap: last, unfrozen_layers: 17, learning_rate: 0.002,
     backbone_rate_ratio: 0.05, epochs: 2}}
  - {{backbone: all_minilm_l6_v2, sequence_length: 96, tap: last, unfrozen_layers: all, learning_rate: 0.001,
     backbone_rate_ratio: 0.05, epochs: 1}}
"""
AMAZON = """\
name: amazon-{domain}
data:
  target: {{train: train.csv, test: test.csv}}
budget: {{trials: 5, wall: {wall}}}
baselines: [linear_probe, no_transfer]
search_space: {{sequence_length: 128, unfrozen_layers: 0, join: bag_of_words, epochs: 10}}
start_with:
  - {{backbone: all_minilm_l6_v2, sequence_length: 128, tap: E4, join: bag_of_words, learning_rate: 0.01, epochs: 10}}
  - {{backbone: all_minilm_l6_v2, sequence_length: 128, tap: E3, join: bag_of_words, learning_rate: 0.01, epochs: 10}}
  - {{backbone: all_minilm_l6_v2, sequence_length: 128, tap: last, join: bag_of_words, learning_rate: 0.01, epochs: 10}}
"""
AI4I = """\
name: ai4i-to-h
metric: average_precision
data:
  target: {{train: h.csv, test: 0.4, labels: all}}
  source: {{name: l-and-m, train: lm.csv}}
  columns: {{label: Machine failure, drop: [UDI, Product ID, TWF, HDF, PWF, OSF, RNF]}}
positive: "1"
budget: {{trials: 12, wall: {wall}}}
seed: {seed}
"""
CWRU = """\
name: cwru-{known}-to-{new}
data:
  target: {{train: load{new}.npz, labels: {{per_class: 2}}}}
  source: {{name: load{known}, train: load{known}.npz}}
budget: {{trials: 6, wall: {wall}}}
baselines: [linear_probe, source_only, no_transfer]
search_space: {{backbone: pretrained_on_source, unfrozen_layers: {{choice: [0, 2]}}}}
start_with:
  - {{backbone: pretrained_on_source, learns_from: target, learning_rate: 0.01}}
seed: {seed}
"""
OWN_NETWORK = Path(__file__).resolve().parents[1] / "examples" / "fault_detection"
SHOWN = ("backbone", "unfrozen_layers", "join", "epochs", "sequence_length")
TOLD = "test | best probe | no transfer"
DOMAINS = ("books", "dvd", "electronics", "kitchen")


def main() -> None:
    """Runs one benchmark and prints its table."""
    use_own_home()
    arguments = parser(__doc__ or "")
    arguments.add_argument("which", choices=("imdb", "amazon", "ai4i", "own", "cwru"))
    arguments.add_argument("--wall", default=None)
    arguments.add_argument("--draws", type=int, default=5, help="seeds of ai4i and cwru")
    arguments.add_argument("--loads", type=int, nargs=2, default=(0, 3), help="of cwru: the known one and the new one")
    arguments.add_argument("--out", type=Path, default=None, help="keep the run folders here")
    given = arguments.parse_args()
    run_all = {"imdb": _imdb, "amazon": _amazon, "ai4i": _ai4i, "own": _own, "cwru": _cwru}[given.which]
    told = f"shipped | no transfer, all labels | {TOLD}" if given.which == "cwru" else TOLD
    columns = f"| task | winner | {told} | difference to no transfer |"
    print(columns, "|---" * (columns.count("|") - 1) + "|", sep="\n")
    with tempfile.TemporaryDirectory() as folder:
        reached = [_report(name, content) for name, content in run_all(given, Path(folder))]
    if len(reached) > 1:
        figures, differences = zip(*reached, strict=True)
        print(f"\nmean on test: {np.mean(figures):.3f}")
        spread = 1.96 * float(np.std(differences, ddof=1)) / len(differences) ** 0.5
        print(f"mean difference to no transfer: {np.mean(differences):+.3f} ± {spread:.3f} over {len(differences)}")


Results = Iterator[tuple[str, dict[str, Any]]]


def _imdb(given: Any, place: Path) -> Results:
    data = present(given.shared / "data" / "imdb_reviews").resolve()
    yield "IMDB", _search(given, place, "imdb", IMDB.format(data=data, wall=given.wall or "30m"))


def _amazon(given: Any, place: Path) -> Results:
    data = present(given.shared / "data" / "amazon_reviews")
    for domain in DOMAINS:
        folder = place / domain
        folder.mkdir()
        with (data / f"{domain}.csv").open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        for split in ("train", "test"):
            _write(folder / f"{split}.csv", [row for row in rows if row["split"] == split], ["text", "label"])
        yield domain, _search(given, folder, domain, AMAZON.format(domain=domain, wall=given.wall or "8m"))


def _ai4i(given: Any, place: Path) -> Results:
    divide_by_type(given.shared, new=place / "h.csv", known=place / "lm.csv")
    for seed in range(given.draws):
        task = AI4I.format(wall=given.wall or "4m", seed=seed)
        yield f"L, M to H, draw {seed}", _search(given, place, f"ai4i-{seed}", task)


def _own(given: Any, place: Path) -> Results:
    """The example with the user's own pretrained network."""
    (place / "data").mkdir()
    new, known = place / "data" / "machines_new.csv", place / "data" / "machines_known.csv"
    divide_by_type(given.shared, new=new, known=known)
    script, network = OWN_NETWORK / "pretrain.py", place / "pretrained.h5"
    subprocess.run([sys.executable, str(script), str(known), str(network)], check=True)
    for seed in range(given.draws):
        task = (OWN_NETWORK / "task.yaml").read_text(encoding="utf-8") + f"seed: {seed}\n"
        yield f"own network, draw {seed}", _search(given, place, f"own-{seed}", task)


def divide_by_type(shared: Path, *, new: Path, known: Path) -> None:
    """The AI4I table in two: machines of type H, and the others."""
    data = present(shared / "data" / "ai4i2020")
    with (data / "ai4i2020.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    names = list(rows[0])
    _write(new, [row for row in rows if row["Type"] == "H"], names)
    _write(known, [row for row in rows if row["Type"] != "H"], names)


def _cwru(given: Any, place: Path) -> Results:
    known, new = given.loads
    for load in (known, new):
        without_normal(given.shared, load, place / f"load{load}.npz")
    for seed in range(given.draws):
        task = CWRU.format(wall=given.wall or "4m", seed=seed, known=known, new=new)
        found = _search(given, place, f"cwru-{known}{new}-{seed}", task)
        rows = found["trials"]
        nothing = next((row for row in rows if row["baseline"] == "no_transfer" and row["test"]), None)
        if nothing is None:
            raise SystemExit("the baseline no_transfer did not end in time: give more by --wall")
        yield f"load {known} to {new}, draw {seed}", {**found, "no_transfer": _with_all_labels(place, nothing)}


def without_normal(shared: Path, load: int, path: Path) -> None:
    """The windows of one motor load but for those of sound bearings, which are told apart at a glance."""
    data = present(shared / "data" / "cwru_bearing")
    with np.load(data / f"windows_load{load}.npz") as file:
        kept = {name: file[name][file[f"y_{name.split('_')[1]}"] != "normal"] for name in file.files}
    np.savez(path, **kept)


def _search(given: Any, place: Path, name: str, task: str) -> dict[str, Any]:
    (place / "task.yaml").write_text(task, encoding="utf-8")
    out = (given.out or place) / f"run-{name}"
    run = autotl.search(place / "task.yaml", out=out, early_stopping=False, listen=_tell)
    print("\n".join(run.sentences), file=sys.stderr)
    return run.leaderboard


def _with_all_labels(place: Path, row: dict[str, Any]) -> dict[str, Any]:
    """The test figure of a trial's plan that learned from every labelled example, as the shipped winner may.

    A trial's own model stands for the first fold: of two labelled windows a class it has seen one.
    """
    task = open_task(place / "task.yaml", Overrides())
    data = load_data(task.task)
    workshop = workshop_order(task, data)()
    plan = parse_plan(row["plan"], where="no_transfer", folder=place, modality=data.modality)
    everything = all_labelled(data, workshop.folds(plan))
    learner = workshop.fit(plan, replace(everything, train=workshop.taught(plan, everything.train)))
    assert data.test is not None, "every benchmark has a test set"
    return evaluate_on_test({"": (plan, list(learner.weights()))}, data.test, workshop).figures[""]


def _write(path: Path, rows: list[dict[str, str]], names: list[str]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)


def _tell(event: object) -> None:
    if isinstance(event, TrialEnded):
        row = event.row
        score = row["score"]["value"] if row["score"] else None
        plan = {key: row["plan"].get(key) for key in SHOWN}
        words = f"trial {row['trial']} {row['baseline'] or ''} {row['status']} {score} {plan} {row['reason'] or ''}"
        print(words, file=sys.stderr, flush=True)


def _report(name: str, leaderboard: dict[str, Any]) -> tuple[float, float]:
    """Prints a task's row; returns the winner's figure and its difference to no transfer."""
    rows = leaderboard["trials"]
    winner = next(row for row in rows if row["winner"])
    tested = {row["baseline"]: row["test"] for row in rows if row["baseline"] and row["test"]}
    figure, nothing = winner["test"], tested["no_transfer"]  # as searched: the refit learned from more examples
    figures = [figure, tested.get("linear_probe"), nothing]
    if "no_transfer" in leaderboard:  # the refit, beside a baseline that learned from as many
        figure, nothing = winner["refit_test"] or figure, leaderboard["no_transfer"]
        figures = [figure, nothing, *figures]
    difference = float(figure["value"] - nothing["value"])
    cells = [name, _spoken(winner["plan"]), *map(_figure, figures), f"{difference:+.3f}"]
    print(f"| {' | '.join(cells)} |", flush=True)
    return float(figure["value"]), difference


def _spoken(plan: dict[str, Any]) -> str:
    """A plan in a few words."""
    backbone = plan["backbone"]
    words = [backbone if isinstance(backbone, str) else next(iter(backbone))]
    if words[0] not in CLASSICAL_NAMES:
        words.append(f"{plan['unfrozen_layers']} unfrozen")
    if plan.get("join") == "bag_of_words":
        words.append("with bag of words")
    if plan["learns_from"] != "all":
        words.append(f"learns from {plan['learns_from']}")
    if plan["adaptation"]["method"] != "none":
        words.append(plan["adaptation"]["method"])
    return ", ".join(words)


def _figure(figure: dict[str, Any] | None) -> str:
    return "-" if figure is None else f"{figure['value']:.3f} ({figure['low']:.3f} to {figure['high']:.3f})"


if __name__ == "__main__":
    main()
