"""Boosted trees on tables: missing cells, categories, and when to stop."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autotl.trial.classical import BoostedTrees
from autotl.trial.learner import without_check


def fit(table: np.ndarray, labels: np.ndarray, classes: int = 2, **options: Any) -> BoostedTrees:
    settings = {
        "class_weights": np.ones(classes, np.float32),
        "seed": 0,
        "threads": 1,
        "check": without_check,
    }
    return BoostedTrees.fit(table.astype(np.float32), labels, classes=classes, **settings | options)


def test_a_category_is_no_quantity():
    draws = np.random.default_rng(0)
    codes = draws.integers(0, 40, 2_000)
    labels = (codes % 2).astype(np.int64)  # no threshold divides odd codes from even ones
    model = fit(codes[:, None], labels, categorical=(0,))
    assert (model.predict(codes[:, None].astype(np.float32)).argmax(axis=1) == labels).all()
    assert b"num_cat=1" in model.native_files()["model.txt"]
    odd = np.array([[np.nan], [-1], [1e6], [999]], np.float32)
    assert np.isfinite(model.predict(odd)).all()


def test_a_missing_cell_tells_what_it_told_in_training():
    draws = np.random.default_rng(0)
    table = draws.normal(size=(500, 2))
    labels = draws.integers(0, 2, 500)
    table[labels == 1, 0] = np.nan
    model = fit(table, labels)
    assert model.predict(np.array([[np.nan, 0.0], [0.0, 0.0]], np.float32)).argmax(axis=1).tolist() == [1, 0]


def test_a_cell_never_missing_in_training_is_taken_for_the_usual_one_not_for_zero():
    draws = np.random.default_rng(0)
    table = draws.normal(loc=300, size=(999, 1))
    labels = (np.abs(table[:, 0] - 300) > 0.5).astype(np.int64)  # both ends are class 1, and so would be zero
    model = fit(table, labels)
    median = np.median(table.astype(np.float32))
    np.testing.assert_array_equal(model.predict([[np.nan]]), model.predict([[median]]))
    assert model.predict([[np.nan]]).argmax() == 0
    assert model.predict([[0.0]]).argmax() == 1


def test_columns_without_any_value_or_any_difference_are_no_trouble():
    draws = np.random.default_rng(0)
    table = np.stack([np.full(200, np.nan), np.full(200, 7.0), draws.normal(size=200)], axis=1)
    labels = (table[:, 2] > 0).astype(np.int64)
    assert (fit(table, labels).predict(table).argmax(axis=1) == labels).mean() > 0.95
    nothing = fit(table[:, :2], labels).predict(table[:, :2])
    np.testing.assert_allclose(nothing[:, 1], labels.mean(), atol=0.02)


def test_noise_stops_the_boosting_early_and_pattern_lets_it_go_on():
    draws = np.random.default_rng(0)
    table = draws.normal(size=(600, 5))
    noise = fit(table, draws.integers(0, 2, 600))
    pattern = fit(table, (table[:, 0] * table[:, 1] + table[:, 2] > 0).astype(np.int64))
    assert len(noise.trees.leaves) < 50 < len(pattern.trees.leaves)


def test_another_table_is_refused_with_both_shapes():
    model = fit(np.random.default_rng(0).normal(size=(50, 3)), np.arange(50) % 2)
    with pytest.raises(ValueError, match=r"3 columns; the table has 2"):
        model.predict(np.zeros((4, 2), np.float32))
    with pytest.raises(ValueError, match=r"shape \(4,\)"):
        model.predict(np.zeros(4, np.float32))


def machine_failures(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    columns = (
        "Air temperature [K]",
        "Process temperature [K]",
        "Rotational speed [rpm]",
        "Torque [Nm]",
        "Tool wear [min]",
    )
    with (folder / "ai4i2020.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    table = [["LMH".index(row["Type"]), *(row[column] for column in columns)] for row in rows]
    return np.array(table, dtype=np.float32), np.array([int(row["Machine failure"]) for row in rows])


def test_machine_failures_of_types_l_and_m_tell_those_of_type_h(shared_data):
    from sklearn.metrics import average_precision_score

    table, labels = machine_failures(shared_data / "ai4i2020")
    high = table[:, 0] == 2
    model = fit(table[~high], labels[~high], categorical=(0,))
    assert average_precision_score(labels[high], model.predict(table[high])[:, 1]) >= 0.53
