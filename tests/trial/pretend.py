"""A tiny image task made of coloured noise, and what is needed to train on it without any file."""

import numpy as np

from autotl.backbones import BackboneSpec
from autotl.data.examples import Fold, TaskData
from autotl.data.images import ImageArray, array_digests
from autotl.features import FeatureStore
from autotl.plan import Plan
from autotl.task.problem import MULTILABEL, REGRESSION
from autotl.trial.scorer import Scorer
from autotl.trial.workshop import Workshop

SMALL_CNN = BackboneSpec(origin="scratch", name="small_cnn")


def images(rows: int, *, seed: int, classes: int = 3):
    """Noise whose brightest channel tells the class, but not loudly."""
    draws = np.random.default_rng(seed)
    labels = np.arange(rows) % classes
    pixels = draws.integers(0, 120, size=(rows, 20, 20, 3))
    pixels[np.arange(rows), 5:15, 5:15, labels % 3] += 60
    pixels = pixels.astype(np.uint8)
    return ImageArray(pixels, tuple(f"row {row}" for row in range(rows)), array_digests(pixels)), labels


def a_task(*, rows: int = 120, folds: int = 1, seed: int = 0, metric: str = "accuracy", **changes) -> TaskData:
    inputs, labels = images(rows, seed=seed)
    parts = np.array_split(np.random.default_rng(seed).permutation(rows), max(folds, 5))
    cut = [
        Fold(np.sort(np.concatenate([*parts[:index], *parts[index + 1 :]])), np.sort(parts[index]))
        for index in range(folds)
    ]
    values = {
        "modality": "image",
        "classes": ("red", "green", "blue"),
        "domains": ("target",),
        "inputs": (inputs,),
        "labels": labels,
        "groups": None,
        "folds": tuple(cut),
        "suffix_folds": tuple(cut),
        "score_kind": "validation" if folds == 1 else "cross_validation",
        "target_rows": np.sort(np.concatenate([fold.validation for fold in cut])),
        "setting": "inductive",
        "metric": metric,
        "test": None,
    }
    return TaskData(**{**values, **changes})


def a_task_of_sets(*, rows: int = 120, folds: int = 1, seed: int = 0, **changes) -> TaskData:
    """The same noise, of which each of three labels is a channel that is brighter; some images bear none."""
    draws = np.random.default_rng(seed)
    sets = (draws.random((rows, 3)) < 0.4).astype(np.int64)
    pixels = draws.integers(0, 120, size=(rows, 20, 20, 3))
    pixels[:, 5:15, 5:15] += 60 * sets[:, None, None]
    pixels = pixels.astype(np.uint8)
    inputs = ImageArray(pixels, tuple(f"row {row}" for row in range(rows)), array_digests(pixels))
    values = {"inputs": (inputs,), "labels": sets, "problem": MULTILABEL, "metric": "average_precision"}
    return a_task(rows=rows, folds=folds, seed=seed, **{**values, **changes})


def a_task_of_numbers(*, rows: int = 120, folds: int = 1, seed: int = 0, **changes) -> TaskData:
    """The same noise, whose middle is as bright as a number says: from 40 to 60."""
    draws = np.random.default_rng(seed)
    numbers = draws.uniform(40.0, 60.0, rows)
    pixels = draws.integers(0, 60, size=(rows, 20, 20, 3)).astype(np.float64)
    pixels[:, 5:15, 5:15] += 8 * (numbers - 40)[:, None, None, None]
    pixels = pixels.astype(np.uint8)
    inputs = ImageArray(pixels, tuple(f"row {row}" for row in range(rows)), array_digests(pixels))
    values = {"inputs": (inputs,), "labels": numbers, "problem": REGRESSION, "classes": ("brightness",)}
    return a_task(rows=rows, folds=folds, seed=seed, **{**values, "metric": "rmse", **changes})


def a_workshop(tmp_path, data: TaskData | None = None, *, metric: str = "accuracy", balanced: bool = False) -> Workshop:
    store = FeatureStore(tmp_path / "store", limit_bytes=1 << 30, precision="float32")
    return Workshop(data or a_task(), store, Scorer(metric, balanced=balanced))


def a_plan(**values) -> Plan:
    return Plan(
        SMALL_CNN, **{"image_size": 32, "epochs": 3, "learning_rate": 3e-3, "batch_size": 16, "seed": 7, **values}
    )
