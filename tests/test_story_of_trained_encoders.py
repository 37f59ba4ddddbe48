"""The layers of a Hugging Face encoder are trained where Keras computes by PyTorch: a whole search in a process of its
own, whose model predicts the same where Keras computes by TensorFlow."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from encoder_folders import skip_without_torch, text_folder
from leaderboard_contract import problems
from moods import write_moods
from safetensors.numpy import load_file

from autotl.cli.app import run
from autotl.trial.joined_words import ARRAYS

pytestmark = pytest.mark.slow  # a minute: `pytest -m slow tests/test_story_of_trained_encoders.py`

TASK = """\
name: moods
data: {target: {train: train.csv, test: test.csv}}
budget: {trials: 1, wall: 5m}
baselines: [linear_probe, no_transfer, full_finetune]
search_space:
  backbone: mpnet
  sequence_length: 16
  join: bag_of_words
  tap: last
  unfrozen_layers: 2
  head: linear
  learning_rate: 0.01
  backbone_rate_ratio: 0.1
  epochs: 4
  adaptation: none
"""
ROOT = Path(__file__).resolve().parents[1]


def by_torch(place: Path, *words: str) -> None:
    environment = {
        **os.environ,
        "KERAS_BACKEND": "torch",
        "PYTHONPATH": str(ROOT),
        "AUTOTL_HOME": str(place / "home"),
        "AUTOTL_CACHE_DIR": str(place / "cache"),
    }
    command = [sys.executable, "-m", "autotl", *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def story(tmp_path_factory) -> Path:
    skip_without_torch()
    place = tmp_path_factory.mktemp("trained")
    text_folder(place / "mpnet", hidden_size=32)
    write_moods(place / "train.csv", rows=200, seed=0)
    write_moods(place / "test.csv", rows=60, seed=1)
    (place / "task.yaml").write_text(TASK)
    words = ["search", str(place / "task.yaml"), "--out", str(place / "run"), "--workers", "1", "--offline"]
    by_torch(place, *words, "--no-history")
    return place


def rows_of(story: Path):
    content = json.loads((story / "run" / "leaderboard.json").read_text())
    assert problems(content) == []
    return content["trials"]


def test_every_plan_is_trained(story):
    rows = rows_of(story)
    assert [row["failure"] for row in rows] == [None] * len(rows)
    assert {row["plan"]["unfrozen_layers"] for row in rows} == {0, 2, "all"}
    assert {row["baseline"] for row in rows} == {None, "linear_probe", "no_transfer", "full_finetune"}


def test_training_moves_what_is_unfrozen_and_nothing_else(story):
    trial = next(row for row in rows_of(story) if row["plan"]["unfrozen_layers"] == 2)
    with np.load(story / "run" / "trials" / str(trial["trial"]) / "weights.npz") as kept:
        shapes = [kept[name].shape for name in kept.files]
    of_blocks = load_file(story / "mpnet" / "model.safetensors")
    trained = [
        value.shape for name, value in of_blocks.items() if name.startswith(("encoder.layer.1", "encoder.layer.2"))
    ]
    assert set(trained) <= set(shapes)
    assert len(shapes) == len(trained) + 2 + ARRAYS, "beside them the head, and the words that join it"


def test_the_model_predicts_where_keras_computes_by_tensorflow(story, tmp_path):
    write_moods(tmp_path / "new.csv", rows=40, seed=2)
    by_torch(story, "predict", str(story / "run"), str(tmp_path / "new.csv"), "--out", str(tmp_path / "torch.csv"))
    assert run(["predict", str(story / "run"), str(tmp_path / "new.csv"), "--out", str(tmp_path / "tf.csv")]) == 0
    tables = [list(csv.DictReader((tmp_path / name).open(encoding="utf-8"))) for name in ("torch.csv", "tf.csv")]
    by_both = np.array([[float(row["p_good"]) for row in table] for table in tables])
    np.testing.assert_allclose(by_both[0], by_both[1], atol=2e-6)
    assert np.ptp(by_both[0]) > 0.1, "a model that says one thing of all proves nothing"
