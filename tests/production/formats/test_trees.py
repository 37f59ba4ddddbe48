"""ONNX trees decide as LightGBM's do, also next to a threshold, for a missing number and for any category."""

import lightgbm
import numpy as np
import pytest

from autotl.production.formats.trees import _Graph, _Part, _read
from autotl.trial.classical.lightgbm_text import trees_of

onnxruntime = pytest.importorskip("onnxruntime")
SMALLEST = 1e-30  # LightGBM takes numbers up to 1e-35 for zero, on either side of it


def grown(*, classes, missing, seed=0, rows=400, **settings):
    """A booster on two numbers and two categories, one of them of 40 codes."""
    draws = np.random.default_rng(seed)
    labels = draws.integers(0, classes, rows)
    table = np.stack(
        [
            draws.normal(size=rows) + labels,
            draws.integers(-3, 4, rows) + labels,
            (labels + draws.integers(0, 2, rows)) % 5,
            draws.integers(0, 40, rows),
        ],
        axis=1,
    ).astype(np.float32)
    if missing:
        table[draws.random(table.shape) < 0.1] = np.nan
    objective = {"objective": "binary"} if classes == 2 else {"objective": "multiclass", "num_class": classes}
    few = {"min_data_in_leaf": 2, "min_data_per_group": 2, "cat_smooth": 1.0, "max_cat_to_onehot": 1}
    settings = {**objective, **few, "verbosity": -1, "num_threads": 1, "seed": seed, **settings}
    data = lightgbm.Dataset(table, labels, categorical_feature=[2, 3])
    return trees_of(lightgbm.train(settings, data, num_boost_round=12), outputs=classes, features=4), table


def near_thresholds(trees, table):
    """Rows on, just above and just below each split of a number."""
    text, rows = _read(trees.text), [table]
    for tree in text.trees:
        for column, threshold in zip(tree["split_feature"].split(), tree["threshold"].split(), strict=True):
            if column in "01" and abs(float(threshold)) > SMALLEST:
                at = np.float32(float(threshold))
                near = np.repeat(table[:3], 3, axis=0)
                near[:, int(column)] = np.tile([np.nextafter(at, np.float32(way)) for way in (-9e9, at, 9e9)], 3)
                rows.append(near)
    unseen = np.repeat(table[:4], 3, axis=0)
    unseen[:, 2:] = np.repeat([[99.0, 1.0], [np.nan, 41.0], [0.0, np.nan]], 4, axis=0)
    return np.concatenate([*rows, unseen])


RANDOM_FOREST = {"boosting_type": "rf", "bagging_freq": 1, "bagging_fraction": 0.6}


@pytest.mark.parametrize("settings", [{}, RANDOM_FOREST], ids=["boosted", "forest"])
@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("classes", [2, 3])
def test_onnx_decides_as_lightgbm(classes, missing, settings):
    trees, table = grown(classes=classes, missing=missing, **settings)
    about = {"classes": classes + 1, "present": list(range(classes))}
    content = _Graph(4, 1.0).classes([_Part(about, _read(trees.text))], "probabilities")
    rows = near_thresholds(trees, table)
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    said = session.run(["probabilities"], {"columns": rows})[0]
    np.testing.assert_allclose(said[:, :classes], trees.predict(rows), atol=2e-6)
    assert (said[:, classes] < 1e-6).all()
    np.testing.assert_allclose(said.sum(axis=1), 1, atol=1e-6)
    if not settings:
        assert "cat_threshold" in trees.text.decode()
