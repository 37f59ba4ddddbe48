"""The forest on windows: real bearings, and windows of another shape."""

from pathlib import Path

import numpy as np
import pytest

from autotl.trial.classical import RandomForest
from autotl.trial.learner import without_check


def fit(windows: np.ndarray, labels: np.ndarray, classes: int) -> RandomForest:
    return RandomForest.fit(
        windows,
        labels,
        classes=classes,
        class_weights=np.ones(classes, np.float32),
        seed=0,
        threads=1,
        check=without_check,
    )


def bearings(folder: Path, load: int, part: str) -> tuple[np.ndarray, np.ndarray]:
    """Windows of the nine faults that every load has."""
    with np.load(folder / "cwru_bearing" / f"windows_load{load}.npz") as file:
        names = file[f"y_{part}"]
        faulty = names != "normal"
        return file[f"x_{part}"][faulty][:, :, None], np.unique(names[faulty], return_inverse=True)[1]


def test_bearing_faults_are_told_apart_at_the_load_they_were_learnt_at(shared_data):
    forest = fit(*bearings(shared_data, 0, "train"), classes=9)
    for load, least in ((0, 0.99), (3, 0.8)):
        windows, labels = bearings(shared_data, load, "test")
        assert (forest.predict(windows).argmax(axis=1) == labels).mean() >= least


def test_two_windows_a_fault_go_a_long_way(shared_data):
    windows, labels = bearings(shared_data, 3, "train")
    few = np.concatenate([np.flatnonzero(labels == label)[:2] for label in range(9)])
    forest = fit(windows[few], labels[few], classes=9)
    windows, labels = bearings(shared_data, 3, "test")
    assert (forest.predict(windows).argmax(axis=1) == labels).mean() >= 0.9


def test_constant_windows_are_predicted_too():
    windows = np.random.default_rng(0).normal(size=(40, 64, 2)).astype(np.float32)
    forest = fit(windows, np.arange(40) % 2, classes=2)
    assert np.isfinite(forest.predict(np.zeros((3, 64, 2), np.float32))).all()


def test_windows_of_another_shape_are_refused_with_both_shapes():
    windows = np.random.default_rng(0).normal(size=(40, 64, 2)).astype(np.float32)
    forest = fit(windows, np.arange(40) % 2, classes=2)
    with pytest.raises(ValueError, match=r"\(n, 64, 2\); these have shape \(40, 32, 2\)"):
        forest.predict(windows[:, :32])
