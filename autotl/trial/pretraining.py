"""Pretraining on the source: one network for all plans of a task, made once and kept by digest.

Which rows it may see, so that no trial is scored on what its backbone was told:

- with labels (*supervised*): source rows that stand in the training part of every fold and have a label. Rows that a
  fold is scored on, rows held out of the source, and source rows that copy a scored row (the data room leaves those out
  of that fold's training part) are therefore never among them, and no label of the target ever is;
- without (*self-supervised*, where no source has labels of two classes): inputs of rows, of any domain, that stand in
  the training part of every fold, and target inputs that may be adapted to. Cross-validation over a target with no
  source leaves none of these; then the inputs of all folds' training rows are seen, without their labels.

A tenth of these same rows, whole groups of them, decides when to stop.
"""

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
import xxhash
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from autotl.backbones import BackboneSpec
from autotl.backbones.form import Form
from autotl.backbones.pretrained import FORMAT, NAME, described_form, read_pretrained, write_pretrained
from autotl.data.examples import UNKNOWN, Rows, TaskData, is_known
from autotl.data.labels import LABELS
from autotl.data.splits import deal, joint_groups
from autotl.errors import DataError, StorageError
from autotl.trial import lessons, teaching
from autotl.trial.lessons import Kind
from autotl.trial.teaching import Settings, taught

SETTINGS = {
    "table": Settings(epochs=40, batch_size=128, learning_rate=3e-3, weight_decay=1e-2, patience=10),
    "signal": Settings(epochs=60, batch_size=32, learning_rate=1e-3, weight_decay=1e-2, patience=10),
}
HELD_OUT_SHARE = 0.1
FEWEST_HELD_OUT = 20  # fewer say too little: then all rows train, for all epochs
WAIT_SECONDS = 1.0  # between two looks at whether another process is done, and at the caller's `check`
# part of the digest: another value of one gives other weights
DECIDING = (
    FORMAT,
    teaching.MOST_STEPS_PER_EPOCH,
    HELD_OUT_SHARE,
    FEWEST_HELD_OUT,
    lessons.SWAPPED_SHARE,
    lessons.UNKNOWN_SHARE,
    lessons.FREQUENCY_BANDS,
    lessons.MOST_TOLD,
    lessons.SILENCE,
    lessons.QUIETEST_BAND,
    lessons.SPEED,
    lessons.LOUDNESS,
    lessons.BANDS,
    teaching.LEAST_OF_MEDIAN,
    teaching.FEATURES_FROM,
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pretrained:
    """A pretrained network at rest.

    Attributes:
        digest: of everything that decides its weights.
        examples: rows that it learned from, those that decided when to stop counted in.
        epochs: trained; the kept weights are the best of them.
        seconds: that training took, whenever it was.
        scores: on the held-out tenth: `loss` and, supervised, `accuracy`; empty where none was held out.
    """

    path: Path
    digest: str
    kind: Kind
    examples: int
    epochs: int
    seconds: float
    scores: Mapping[str, float]

    @property
    def spec(self) -> BackboneSpec:
        """The backbone that plans name."""
        return BackboneSpec(NAME, NAME, weights=str(self.path))


def pretrain(
    data: TaskData, *, cache: Path, seed: int, epochs: int | None = None, check: Callable[[], None] = lambda: None
) -> Pretrained:
    """The network pretrained on a task's source, trained at the first call and found in the cache afterwards.

    Args:
        cache: holds `pretrained/DIGEST.npz`; processes that ask at once wait for the first one.
        seed: of its weights and of the order of examples.
        epochs: at most; None: as many as suit the modality.
        check: called before every batch; may raise to stop, and then nothing is kept.
    Raises:
        TaskError: the task is of images or texts.
        DataError: there is no row to learn from.
        StorageError: the cache cannot be written.
    """
    form = _form(data)
    described = described_form(form)
    kind, rows = pretraining_rows(data)
    settings = SETTINGS[data.modality]
    settings = settings if epochs is None else replace(settings, epochs=epochs)
    digest = _digest(data, kind, rows, {"form": described, "settings": asdict(settings), "seed": seed})
    path = (cache / "pretrained" / f"{digest}.npz").resolve()  # workers may stand in another folder
    if (found := _kept(path, digest)) is not None:
        return found
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _alone(FileLock(f"{path}.lock"), check):
            found = _kept(path, digest)  # another process may have been first
            if found is None:
                learned, held_out = _held_out(data, kind, rows, np.random.default_rng([seed, 0]))
                network = taught(data, form, kind, learned, held_out, settings, seed=seed, check=check)
                network = replace(network, record={**network.record, "digest": digest})
                write_pretrained(path, network)
                found = _described(path, network.record, digest)
    except OSError as error:
        words = f"the pretrained network {path} cannot be written: {error.strerror}."
        raise StorageError(f"{words} Free some disk, or point AUTOTL_CACHE_DIR elsewhere.") from error
    return found


def pretraining_rows(data: TaskData) -> tuple[Kind, Rows]:
    """How a network is pretrained on this task, and the rows it may see; the module's docstring says why these.

    Raises:
        DataError: there is none.
    """
    folds = (*data.folds, *data.suffix_folds)
    in_every_fold = reduce(np.intersect1d, [fold.train for fold in folds])
    of_source = in_every_fold[data.domain_of[in_every_fold] > 0]
    labelled = of_source[is_known(data.labels[of_source])]
    if len(np.unique(data.labels[labelled], axis=0)) > 1:
        return "supervised", labelled
    rows = np.union1d(in_every_fold, data.adaptation_rows)
    if not len(rows):
        rows = reduce(np.union1d, [fold.train for fold in folds])
    if not len(rows):
        raise DataError(f"{NAME}: there are no training examples to pretrain on.")
    return "self-supervised", rows


def _held_out(data: TaskData, kind: Kind, rows: Rows, draws: np.random.Generator) -> tuple[Rows, Rows]:
    """Rows to learn from, and a tenth that decides when to stop: whole groups, copies kept together.

    Nothing is held out where that tenth would be too small, or would take a class away from those to learn from.
    """
    contents = _contents(data)
    names = None if data.groups is None else [str(group) for group in data.groups[rows].tolist()]
    groups = joint_groups(names, [contents[row] for row in rows.tolist()])
    strata = LABELS[data.problem.name].strata(data.labels[rows]) if kind == "supervised" else data.domain_of[rows]
    bins = deal(strata, groups, [1 - HELD_OUT_SHARE, HELD_OUT_SHARE], draws)
    is_whole = np.array_equal(_present(strata[bins == 0]), _present(strata))
    if (bins == 1).sum() < FEWEST_HELD_OUT or not is_whole:
        return rows, rows[:0]
    return rows[bins == 0], rows[bins == 1]


def _present(strata: NDArray[Any]) -> NDArray[Any]:
    """The classes, domains or labels of which there is an example."""
    return np.flatnonzero((strata == 1).any(axis=0)) if strata.ndim == 2 else np.unique(strata)


def _form(data: TaskData) -> Form:
    """What the network takes; plans choose nothing of it."""
    inputs: Any = data.inputs[0]
    return Form(
        data.modality,
        schema=inputs.schema if data.modality == "table" else None,
        window=inputs.shape if data.modality == "signal" else None,
    )


def _digest(data: TaskData, kind: Kind, rows: Rows, choices: Mapping[str, Any]) -> str:
    """Of all that decides the weights: content and order of the rows, their labels where they are used, and choices."""
    total = xxhash.xxh3_128(json.dumps([kind, len(data.classes), DECIDING, choices], sort_keys=True).encode())
    contents = _contents(data)
    groups = np.zeros(len(rows), dtype=np.int64) if data.groups is None else _renumbered(data.groups[rows])
    domains = data.domain_of[rows]
    labels = data.labels[rows] if kind == "supervised" else np.full(len(rows), UNKNOWN)
    for row, *numbers in zip(rows.tolist(), domains.tolist(), groups.tolist(), labels.tolist(), strict=True):
        total.update(f"{contents[row]} {numbers}\n".encode())
    return total.hexdigest()


def _contents(data: TaskData) -> list[str]:
    """A digest per row of all domains."""
    return [digest for inputs in data.inputs for digest in inputs.digests]


def _renumbered(groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """Equal where the groups are, counted from 0."""
    return np.unique(groups, return_inverse=True)[1].astype(np.int64)


def _kept(path: Path, digest: str) -> Pretrained | None:
    """What the cache holds; None where there is nothing or it is damaged, which is said."""
    if not path.is_file():
        return None
    try:
        return _described(path, read_pretrained(path).record, digest)
    except (StorageError, KeyError, TypeError, ValueError) as broken:
        _log.warning("the network in the cache is pretrained anew: %s", broken)
        return None


def _described(path: Path, record: Mapping[str, Any], digest: str) -> Pretrained:
    if record["digest"] != digest:
        raise ValueError(f"{path} was pretrained on something else")
    return Pretrained(
        path,
        digest,
        record["kind"],
        int(record["examples"]),
        int(record["epochs"]),
        float(record["seconds"]),
        dict(record["scores"]),
    )


def _alone(lock: FileLock, check: Callable[[], None]) -> Any:
    """The lock, waited for while `check` may still raise."""
    while True:
        check()
        try:
            return lock.acquire(timeout=WAIT_SECONDS)
        except Timeout:
            continue
