"""The oracle's labels belong to the examples that trials speak of, though order and ids were made to tell nothing."""

import numpy as np
import pytest

from autotl.data import load_data
from autotl.task import read_task
from autotl.trial.outcome import Outputs
from benchmarks.adaptation.hidden_labels import accuracy_on_target, labels_of_target, oracle

TASK = """\
name: bright-to-dark
data:
  target: {train: target.npz, labels: none, validation: 0, test: TEST}
  source: {train: source.npz}
"""
SHADES = (40, 120, 200)  # of the classes a, b, c


def shades(count, *, seed):
    draws = np.random.default_rng(seed)
    labels = np.arange(count) % len(SHADES)
    images = np.array(SHADES)[labels][:, None, None] + draws.integers(0, 20, (count, 8, 8))
    return {"x": images.astype(np.uint8), "y": np.array(["a", "b", "c"])[labels]}


def data(folder, test="{labels_of: train}"):
    np.savez(folder / "target.npz", **shades(30, seed=1))
    np.savez(folder / "source.npz", **shades(60, seed=2))
    (folder / "task.yaml").write_text(TASK.replace("TEST", test))
    return load_data(read_task(folder / "task.yaml"))


def outputs(ids, said):
    none = np.empty(0)
    return Outputs(none.astype(int), none.astype(str), np.array(ids), none, np.eye(3, dtype=np.float32)[said], none)


def test_every_target_example_has_the_label_of_its_content(tmp_path):
    found = data(tmp_path)
    target = found.inputs[0]
    shade = target.read(np.arange(len(target)), size=8).mean(axis=(1, 2, 3))
    by_content = np.digitize(shade, [80, 160])
    assert labels_of_target(found) == dict(zip(target.ids, by_content.tolist(), strict=True))
    assert len(np.unique(by_content)) == len(SHADES)


def test_loading_the_task_again_gives_the_same_ids(tmp_path):
    assert labels_of_target(data(tmp_path)) == labels_of_target(data(tmp_path))


def test_a_test_of_other_examples_tells_nothing_of_the_target(tmp_path):
    with pytest.raises(ValueError, match="labels_of: train"):
        labels_of_target(data(tmp_path, test="none"))


def test_accuracy_follows_the_ids_and_not_the_order():
    label_of = {"train 0": 0, "train 1": 1, "train 2": 2, "train 3": 0}
    said = outputs(["train 3", "train 2", "train 1", "train 0"], [0, 2, 1, 1])
    assert accuracy_on_target(said, label_of) == 0.75


def test_an_unknown_class_is_never_named_rightly():
    assert accuracy_on_target(outputs(["train 0"], [2]), {"train 0": -1}) == 0.0


def test_the_oracle_is_the_best_of_the_pool():
    label_of = {"train 0": 0, "train 1": 1}
    pool = [outputs(["train 0", "train 1"], said) for said in ([1, 1], [0, 1], [1, 0])]
    assert oracle(pool, label_of) == 1.0
