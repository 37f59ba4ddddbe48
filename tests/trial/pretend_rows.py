"""Tiny tasks of texts, rows and windows from two domains, for those who train on them without any file."""

import numpy as np

from autotl.data.examples import Fold, TaskData
from autotl.data.records import join_records, records_from_table
from autotl.data.schema_fitting import fit_schema
from autotl.data.tables import Table
from autotl.data.texts import texts_of
from autotl.data.windows import windows_from_samples

CLASSES = ("calm", "loud", "odd")
MODELS = {"text": "bag_of_words", "table": "boosted_trees", "signal": "random_forest"}


def _labels(rows: int) -> np.ndarray:
    return np.arange(rows) % len(CLASSES)


def _ids(rows: int) -> tuple[str, ...]:
    return tuple(f"row {row}" for row in range(rows))


def texts(rows: int, *, seed: int):
    """A word of its own tells each class; texts have from 3 to 40 words."""
    draws = np.random.default_rng(seed)
    usual = [*"abcdefgh", "the"]
    own = ("silence", "bang", "zap")
    made = [
        " ".join(draws.permutation([*draws.choice(usual, draws.integers(2, 39)), own[label]]))
        for label in _labels(rows)
    ]
    return texts_of(made, _ids(rows))


def records(rows: int, *, seed: int):
    """Two numbers and a category, with gaps; not yet bound to a schema."""
    draws = np.random.default_rng(seed)
    label = _labels(rows)
    cells = {
        "level": [f"{value:.4f}" if value < 5 else "" for value in draws.normal(size=rows) + 2 * label],
        "noise": [f"{value:.4f}" for value in draws.normal(size=rows)],
        "kind": [("x", "y", "NA")[index] for index in (label + (draws.random(rows) < 0.3)) % 3],
    }
    return records_from_table(Table(cells, range(2, 2 + rows)), tuple(cells))


def windows(rows: int, *, seed: int):
    """A tone of its own tells each class."""
    draws = np.random.default_rng(seed)
    phase = draws.uniform(0, 6, (rows, 1))
    tones = np.sin(2 * np.pi * (0.03 + 0.06 * _labels(rows)[:, None]) * np.arange(64) + phase)
    samples = (tones + 0.5 * draws.normal(size=tones.shape)).astype(np.float32)
    return windows_from_samples(samples[:, :, None], ids=_ids(rows))


MAKERS = {"text": texts, "table": records, "signal": windows}


def a_task_of_rows(modality: str, *, target: int = 60, source: int = 90, folds: int = 1) -> TaskData:
    """A labelled target and a labelled source; folds are scored on the target, the source joins their training."""
    inputs = [MAKERS[modality](target, seed=1), MAKERS[modality](source, seed=2)]
    if modality == "table":
        schema = fit_schema(join_records(inputs), np.arange(target + source), where="data").schema
        inputs = [part.with_schema(schema) for part in inputs]
    parts = np.array_split(np.random.default_rng(0).permutation(target), max(folds, 3))
    beside = np.arange(target, target + source)
    cut = tuple(
        Fold(np.concatenate([np.setdiff1d(np.arange(target), parts[fold]), beside]), np.sort(parts[fold]))
        for fold in range(folds)
    )
    return TaskData(
        modality=modality,
        classes=CLASSES,
        domains=("target", "elsewhere"),
        inputs=tuple(inputs),
        labels=np.concatenate([_labels(target), _labels(source)]),
        groups=None,
        folds=cut,
        suffix_folds=cut,
        score_kind="validation" if folds == 1 else "cross_validation",
        target_rows=np.sort(np.concatenate([fold.validation for fold in cut])),
        setting="cross-domain",
        test=None,
    )
