"""Several labels per example: the failure modes of AI4I's machines, against a one-vs-rest written by hand.

python -m benchmarks.several_labels [--draws 3] [--wall 6m] [--trials 4] [--out DIR]

Each draw divides the rows anew, 6 to 4. The hand-written models are scikit-learn's logistic regression and boosted
trees, one a label, with their thresholds tuned on out-of-fold probabilities of the training rows; no model has seen
the test.
"""

import csv
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import autotl
from autotl.run import RunFolder, trial_files
from autotl.run.scored_examples import read_scored_examples
from autotl.scoring.comparison import paired_difference
from autotl.scoring.label_thresholds import tuned
from autotl.scoring.metrics import METRICS
from benchmarks.shared import parser, present, use_own_home

LABELS = ("HDF", "OSF", "PWF", "RNF", "TWF")  # in alphabetical order, as a search has them
NUMBERS = (
    "Air temperature [K]",
    "Process temperature [K]",
    "Rotational speed [rpm]",
    "Torque [Nm]",
    "Tool wear [min]",
)
TOLD = ("average_precision", "micro_average_precision", "macro_f1", "micro_f1", "hamming_loss", "subset_accuracy")
TASK = """\
name: failure-modes-{seed}
problem: multilabel
modality: table
data:
  target: {{train: train.csv, test: test.csv}}
  columns: {{label: [TWF, HDF, PWF, OSF, RNF], drop: [UDI, Product ID, Machine failure]}}
budget: {{trials: {trials}, wall: {wall}}}
seed: {seed}
"""

Rows = list[dict[str, str]]
Probabilities = NDArray[np.float64]


def main() -> None:
    """Prints a line for each draw and model, and the mean difference."""
    use_own_home()
    arguments = parser(__doc__ or "")
    arguments.add_argument("--draws", type=int, default=3)
    arguments.add_argument("--trials", type=int, default=4)
    arguments.add_argument("--wall", default="6m")
    arguments.add_argument("--out", type=Path, default=None, help="keep the run folders here")
    given = arguments.parse_args()
    print(f"| draw | model | {' | '.join(TOLD)} |", "|---" * (len(TOLD) + 2) + "|", sep="\n")
    gains: dict[str, list[float]] = {}
    for seed in range(given.draws):
        for model, gain in _draw(given, seed):
            gains.setdefault(model, []).append(gain)
    print()
    for model, of_draws in gains.items():
        print(f"autotl minus {model}, mean over draws: {np.mean(of_draws):+.3f} of average precision")


def _draw(given: Any, seed: int) -> Iterator[tuple[str, float]]:
    """Searches and fits by hand on one division; yields by how much the search is better than each hand-written one."""
    train, test = _divided(present(given.shared / "data" / "ai4i2020") / "ai4i2020.csv", seed)
    sets = _sets(test)
    by_hand = {
        "logistic regression": _by_hand(train, test, _logistic_regression),
        "boosted trees": _by_hand(train, test, _boosted_trees),
    }
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        for name, rows in (("train.csv", train), ("test.csv", test)):
            with (place / name).open("w", newline="", encoding="utf-8") as file:
                table = csv.DictWriter(file, list(rows[0]))
                table.writeheader()
                table.writerows(rows)
        (place / "task.yaml").write_text(TASK.format(seed=seed, trials=given.trials, wall=given.wall))
        out = place / "run" if given.out is None else given.out / f"failure-modes-{seed}"
        run = autotl.search(place / "task.yaml", out=out)
        winner = run.winner
        assert winner is not None, "no trial may win"
        said, labels = _said_on_test(run.path, winner)
        thresholds = _thresholds(run.path)
    print(_line(seed, f"autotl ({winner['plan']['backbone']})", labels, said, thresholds))
    metric = METRICS["average_precision"]
    ours = metric(labels, said)
    for name, (probabilities, at) in by_hand.items():
        print(_line(seed, name, sets, probabilities, at))
        both = paired_difference(metric, labels, said, probabilities, seed=seed, level=0.95)
        print(f"| {seed} | autotl − {name} | {both.value:+.3f} ({both.low:+.3f} to {both.high:+.3f}) |" + " |" * 5)
        yield name, ours - metric(sets, probabilities)


def _divided(path: Path, seed: int) -> tuple[Rows, Rows]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    order = np.random.default_rng(seed).permutation(len(rows))
    cut = int(0.6 * len(rows))
    return [rows[row] for row in order[:cut]], [rows[row] for row in order[cut:]]


def _sets(rows: Rows) -> NDArray[np.int64]:
    return np.array([[int(row[name]) for name in LABELS] for row in rows])


def _columns(rows: Rows) -> NDArray[np.float64]:
    kinds = np.array([[row["Type"] == kind for kind in "LMH"] for row in rows], dtype=np.float64)
    return np.concatenate([np.array([[float(row[name]) for name in NUMBERS] for row in rows]), kinds], axis=1)


def _logistic_regression() -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=1_000))


def _boosted_trees() -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(early_stopping=True, random_state=0)


def _by_hand(train: Rows, test: Rows, make: Any) -> tuple[Probabilities, list[float]]:
    """Probabilities on test and thresholds, by one model a label."""
    from sklearn.model_selection import cross_val_predict
    from sklearn.multiclass import OneVsRestClassifier

    model, columns, sets = OneVsRestClassifier(make()), _columns(train), _sets(train)
    out_of_fold = cross_val_predict(model, columns, sets, cv=5, method="predict_proba")
    return model.fit(columns, sets).predict_proba(_columns(test)), tuned(sets, out_of_fold)


def _said_on_test(path: Path, winner: dict[str, Any]) -> tuple[Probabilities, NDArray[np.int64]]:
    run = RunFolder.open(path)
    outputs = trial_files.read_test_outputs(run.trial(winner["trial"]))
    examples = read_scored_examples(run)
    assert examples is not None
    assert examples.test is not None
    said = outputs.get(trial_files.REFITTED_TEST, outputs[trial_files.TEST])
    return said.astype(np.float64), examples.test.labels


def _thresholds(path: Path) -> list[float]:
    """Of the model that ships, for probabilities as they ship; on test they are applied to such."""
    described = json.loads((path / "winner" / "bundle.json").read_text(encoding="utf-8"))
    odds = [np.log(at / (1 - at)) * described["temperature"] for at in described["thresholds"]]
    return [float(1 / (1 + np.exp(-each))) for each in odds]  # what was stored is not calibrated


def _line(seed: int, model: str, sets: NDArray[np.int64], probabilities: Probabilities, thresholds: list[float]) -> str:
    figures = [METRICS[name].with_thresholds(thresholds)(sets, probabilities) for name in TOLD]
    return f"| {seed} | {model} | {' | '.join(f'{figure:.3f}' for figure in figures)} |"


if __name__ == "__main__":
    main()
