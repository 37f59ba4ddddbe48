"""Regressions on real data: what the search reaches on test, beside ridge and boosted trees by scikit-learn.

python -m benchmarks.numbers torque|ratings [--rows 2000] [--trials 8] [--wall 10m] [--domain dvd]
"""

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import autotl
from autotl.scoring.metrics import compute_all
from benchmarks.shared import parser, present, use_own_home

TORQUE = """\
name: torque
problem: regression
data: {{target: {{train: train.csv, test: test.csv}}, columns: {{label: "Torque [Nm]"}}}}
search_space: {{backbone: {{choice: [boosted_trees, pretrained_on_source]}}}}
budget: {{trials: {trials}, wall: {wall}}}
"""
RATINGS = """\
name: ratings
problem: regression
data: {{target: {{train: train.csv, test: test.csv}}, columns: {{input: text, label: rating}}}}
search_space: {{sequence_length: 128, unfrozen_layers: 0, join: {{choice: [none, bag_of_words]}}, epochs: 10}}
baselines: [linear_probe, no_transfer]
budget: {{trials: {trials}, wall: {wall}}}
"""
SENSORS = ["Type", "Air temperature [K]", "Process temperature [K]", "Rotational speed [rpm]", "Tool wear [min]"]
LABELS = {"torque": "Torque [Nm]", "ratings": "rating"}


def main() -> None:
    use_own_home()
    arguments = parser(__doc__ or "")
    arguments.add_argument("task", choices=("torque", "ratings"))
    arguments.add_argument("--rows", type=int, default=2000, help="that are used, of the table or the domain")
    arguments.add_argument("--trials", type=int, default=8)
    arguments.add_argument("--wall", default="10m")
    arguments.add_argument("--domain", default="dvd", help="of the reviews")
    given = arguments.parse_args()
    table, label = _table(given), LABELS[given.task]
    test = table.sample(frac=0.25, random_state=1)
    train = table.drop(test.index)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        train.to_csv(place / "train.csv", index=False)
        test.to_csv(place / "test.csv", index=False)
        written = (TORQUE if given.task == "torque" else RATINGS).format(trials=given.trials, wall=given.wall)
        (place / "task.yaml").write_text(written)
        run = autotl.search(place / "task.yaml", out=place / "run", workers=1, history=False)
        predicted = autotl.predict(place / "run", place / "test.csv").probabilities
    winner = run.winner
    assert winner is not None, "a regression on whole data has a winner"
    figures = {f"autotl ({winner['plan']['backbone']})": predicted[:, 0], **_by_hand(given.task, train, test)}
    figures["the mean of train"] = np.full(len(test), train[label].mean())
    print(f"{given.task}: {len(train):,} to learn, {len(test):,} to test\n")
    print("| Model | RMSE | MAE | R² |\n|---|---|---|---|")
    true = test[label].to_numpy(np.float64)
    for name, said in figures.items():
        scores = compute_all(true, said[:, None])
        print(f"| {name} | {scores['rmse']:.3f} | {scores['mae']:.3f} | {scores['r2']:.3f} |")
    print(f"\n{json.dumps({'winner': winner['plan'], 'test': winner['refit_test'] or winner['test']})}")


def _table(given: argparse.Namespace) -> pd.DataFrame:
    if given.task == "torque":
        whole = pd.read_csv(present(given.shared / "data" / "ai4i2020") / "ai4i2020.csv")
        whole = whole[[*SENSORS, LABELS["torque"]]]
    else:
        whole = pd.read_csv(present(given.shared / "data" / "amazon_reviews") / f"{given.domain}.csv")
        whole = whole[["text", "rating"]]
    return whole.sample(min(given.rows, len(whole)), random_state=0).reset_index(drop=True)


def _by_hand(task: str, train: pd.DataFrame, test: pd.DataFrame) -> dict[str, Any]:
    """What a person writes first: predictions of ridge regression and, of a table, of boosted trees."""
    from sklearn.ensemble import HistGradientBoostingRegressor
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    strengths = np.logspace(-2, 2, 9)
    if task == "ratings":
        words = make_pipeline(TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2), RidgeCV(strengths))
        return {"ridge on tf-idf, scikit-learn": words.fit(train["text"], train["rating"]).predict(test["text"])}
    both = pd.get_dummies(pd.concat([train, test])[SENSORS], dtype=float)
    known, asked, label = both.iloc[: len(train)], both.iloc[len(train) :], train[LABELS["torque"]]
    trees = HistGradientBoostingRegressor(random_state=0).fit(known, label)
    ridge = make_pipeline(StandardScaler(), RidgeCV(strengths)).fit(known, label)
    return {
        "boosted trees, scikit-learn": trees.predict(asked),
        "ridge, scikit-learn": ridge.predict(asked),
    }


if __name__ == "__main__":
    main()
