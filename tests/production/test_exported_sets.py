"""Trees of several labels used without autotl: the runtime beside them says what the model says."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from autotl.production.beside import runtimes
from autotl.production.serving_model import NativeServing
from autotl.scoring.answers import ANSWERS
from autotl.trial.classical.one_vs_rest import BoostedTreesPerLabel
from autotl.trial.learner import without_check


def runtime():
    path = Path(runtimes.__file__).parent / "lightgbm.py"
    spec = importlib.util.spec_from_file_location("lightgbm_runtime", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def some_trees():
    draws = np.random.default_rng(0)
    sets = (draws.random((200, 3)) < (0.4, 0.2, 0.0)).astype(np.int64)  # nobody bears the third: it has no trees
    table = (draws.normal(size=(200, 4)) + 2 * np.pad(sets, ((0, 0), (0, 1)))).astype(np.float32)
    table[draws.random(table.shape) < 0.05] = np.nan
    model = BoostedTreesPerLabel.fit(
        table, sets, classes=3, class_weights=np.ones(3, np.float32), seed=0, threads=1, check=without_check
    )
    return model, table


def test_each_label_is_scaled_alone_and_rows_need_not_add_up():
    model, table = some_trees()
    said = NativeServing("boosted_trees", model, 1.7, reading=None, problem="multilabel").predict(table)
    odds = model.predict(table) / (1 - model.predict(table))
    assert said == pytest.approx(odds ** (1 / 1.7) / (1 + odds ** (1 / 1.7)), abs=1e-4)
    assert np.ptp(said.sum(axis=1)) > 0.5


def test_a_runtime_joins_the_trees_of_all_labels(tmp_path):
    model, table = some_trees()
    for name, content in model.native_files().items():
        (tmp_path / name).write_bytes(content)
    said = runtime().load(tmp_path, {"temperature": 1.7, "output": "probabilities"}, 1)(table)
    assert said == pytest.approx(ANSWERS["multilabel"].shipped(model.predict(table), 1.7), abs=1e-5)
