"""The files of one trial: its plan, learning curve, outputs and weights, as plain JSON, CSV and NumPy."""

import io
import json
import logging
import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autotl.data import arrays as npz
from autotl.errors import StorageError
from autotl.run.folder import TRIALS, RunFolder, write_copy, write_whole
from autotl.scoring.answers import ANSWERS
from autotl.task.problem import CLASSIFICATION
from autotl.trial.checkpoint import Checkpoint
from autotl.trial.outcome import Outputs

PLAN = "plan.yaml"
CURVE = "curve.csv"
LOG = "log.txt"
OUT_OF_MEMORY = "out_of_memory.txt"  # the last word of a worker that ended itself; gone when the driver has read it
HUNG = "hung.txt"  # likewise of one that its watchdog ended
OUTPUTS = "outputs.npz"
WEIGHTS = "weights.npz"
CHECKPOINT = "checkpoint.npz"  # of a trial under way
_TOLD = "told"  # in it, all that is no array
PROBLEM = "problem"  # in the outputs, the name of it
FEATURES = ("features", "source_features")  # among the outputs
TEST, REFITTED_TEST = "test", "refitted_test"  # likewise: the trial's own model, and the retrained one

_log = logging.getLogger(__name__)


def write_plan(folder: Path, plan: Mapping[str, Any]) -> None:
    """The plan, in the words that `--start-with` reads."""
    write_copy(folder / PLAN, (json.dumps(plan, indent=1) + "\n").encode())  # JSON is YAML


def write_curve(folder: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Epoch, training loss and score, a line each."""
    lines = ["epoch,train_loss,score", *(f"{row['epoch']},{row['train_loss']:.6g},{row['score']:.6g}" for row in rows)]
    write_copy(folder / CURVE, ("\n".join(lines) + "\n").encode())


@dataclass(frozen=True)
class LastWord:
    """What a worker left that was ended while it trained something, and in which file."""

    file: str
    words: str


def write_out_of_memory(folder: Path, words: str) -> None:
    """Why the worker that trains this ends itself."""
    write_copy(folder / OUT_OF_MEMORY, words.encode())


def write_hung(folder: Path, words: str) -> None:
    """Why its watchdog ended the worker that trained this."""
    write_copy(folder / HUNG, words.encode())


def take_last_word(folder: Path) -> LastWord | None:
    """What a worker or its watchdog left, once; None where nothing was left."""
    for file in (OUT_OF_MEMORY, HUNG):
        try:
            words = (folder / file).read_text(encoding="utf-8")
            (folder / file).unlink()
        except FileNotFoundError:
            continue
        return LastWord(file, words)
    return None


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Named arrays in an `.npz` that is there whole or not at all."""
    buffer = io.BytesIO()
    np.savez(buffer, **dict(arrays))  # type: ignore[arg-type]
    write_whole(path, buffer.getvalue())


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of an `.npz`; pickled objects, and what would grow to many times its size, are refused.

    Raises:
        StorageError: missing or damaged.
    """
    try:
        return npz.read_arrays(path)
    except (npz.ArrayError, OSError) as error:
        raise StorageError(f"{path} cannot be read: {error}") from error


def write_weights(folder: Path, weights: Sequence[NDArray[Any]]) -> None:
    """Weights of the scored epoch: head and unfrozen layers, in the order of the trainer's variables."""
    write_arrays(folder / WEIGHTS, {f"{index:04d}": weight for index, weight in enumerate(weights)})


def read_weights(folder: Path) -> list[NDArray[Any]]:
    """What `write_weights` wrote."""
    arrays = read_arrays(folder / WEIGHTS)
    return [arrays[name] for name in sorted(arrays)]


def write_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    """Where a trial under way goes on from when its process is killed."""
    states = {
        f"fold{fold:03d}_{index:04d}": array
        for fold, arrays in enumerate(checkpoint.states)
        for index, array in enumerate(arrays)
    }
    told = {name: getattr(checkpoint, name) for name in ("plan", "kind", "curve", "seconds")}
    write_arrays(folder / CHECKPOINT, {_TOLD: np.array(json.dumps(told)), **states})


def read_checkpoint(folder: Path) -> Checkpoint | None:
    """What `write_checkpoint` wrote; None where there is none, or none that can be read: the trial then starts anew."""
    if not (folder / CHECKPOINT).is_file():
        return None
    try:
        arrays = read_arrays(folder / CHECKPOINT)
        told = json.loads(str(arrays.pop(_TOLD)))
        by_fold: dict[str, list[NDArray[Any]]] = {}
        for name in sorted(arrays):
            by_fold.setdefault(name.split("_")[0], []).append(arrays[name])
        curve = tuple((float(loss), float(score)) for loss, score in told["curve"])
        return Checkpoint(told["plan"], told["kind"], curve, told["seconds"], tuple(by_fold.values()))
    except (StorageError, KeyError, TypeError, ValueError) as error:
        _log.warning("%s is passed over: %s", folder / CHECKPOINT, error)
        return None


def drop_checkpoint(folder: Path) -> None:
    """Takes it away: of a trial that has come to its end."""
    (folder / CHECKPOINT).unlink(missing_ok=True)


def write_outputs(folder: Path, outputs: Outputs) -> None:
    """What the trained model says on validation rows and target inputs; probabilities as float16."""
    stored = ANSWERS[outputs.problem].stored
    arrays = {
        PROBLEM: np.array(outputs.problem),
        "rows": outputs.rows,
        "validation_ids": outputs.validation_ids,
        "target_ids": outputs.target_ids,
        "validation": stored(outputs.validation),
        "target": stored(outputs.target),
        "features": outputs.features.astype(np.float16),
    }
    if outputs.mixed is not None and outputs.mix_partners is not None:
        arrays |= {"mixed": stored(outputs.mixed), "mix_partners": outputs.mix_partners}
    if outputs.source_shares is not None:
        arrays["source_shares"] = outputs.source_shares
    if outputs.source_confusion is not None:
        arrays["source_confusion"] = outputs.source_confusion
    if outputs.source_features is not None:
        arrays["source_features"] = outputs.source_features.astype(np.float16)
    if outputs.classifier_weights is not None:
        arrays["classifier_weights"] = outputs.classifier_weights.astype(np.float16)
    if outputs.source_rows is not None and outputs.source is not None:
        arrays |= {"source_rows": outputs.source_rows, "source": stored(outputs.source)}
    write_arrays(folder / OUTPUTS, arrays)


def read_outputs(folder: Path) -> Outputs:
    """What `write_outputs` wrote; probabilities sum to one again."""
    arrays = read_arrays(folder / OUTPUTS)
    missing = [each.name for each in fields(Outputs) if each.default is MISSING and each.name not in arrays]
    if missing:
        raise StorageError(f"{folder / OUTPUTS} cannot be read: it lacks {', '.join(missing)}")
    problem = _problem_of(arrays)
    restored = ANSWERS[problem].restored
    return Outputs(
        rows=arrays["rows"],
        validation_ids=arrays["validation_ids"],
        target_ids=arrays["target_ids"],
        validation=restored(arrays["validation"]),
        target=restored(arrays["target"]),
        features=arrays["features"].astype(np.float32),
        mixed=restored(arrays["mixed"]) if "mixed" in arrays else None,
        mix_partners=arrays.get("mix_partners"),
        source_shares=arrays.get("source_shares"),
        source_confusion=arrays.get("source_confusion"),
        source_features=_in_single_precision(arrays.get("source_features")),
        classifier_weights=_in_single_precision(arrays.get("classifier_weights")),
        source_rows=arrays.get("source_rows"),
        source=restored(arrays["source"]) if "source" in arrays else None,
        problem=problem,
    )


def add_test_outputs(folder: Path, probabilities: NDArray[Any], *, refitted: NDArray[Any] | None = None) -> None:
    """Probabilities on the test inputs, beside the outputs that are there; only tested trials have them.

    Args:
        refitted: those of the retrained model, where that is what ships.
    """
    kept = read_arrays(folder / OUTPUTS)
    stored = ANSWERS[_problem_of(kept)].stored
    added = {TEST: stored(probabilities)}
    if refitted is not None:
        added[REFITTED_TEST] = stored(refitted)
    write_arrays(folder / OUTPUTS, {**kept, **added})


def read_test_outputs(folder: Path) -> dict[str, NDArray[np.float32]]:
    """What `add_test_outputs` added, under `test` and `refitted_test`; empty for a trial that was not tested."""
    arrays = read_arrays(folder / OUTPUTS)
    restored = ANSWERS[_problem_of(arrays)].restored
    return {name: restored(arrays[name]) for name in (TEST, REFITTED_TEST) if name in arrays}


def tidy(
    run: RunFolder,
    complete: Sequence[int],
    *,
    weights_of: Collection[int],
    features_of: Collection[int],
    unfinished: Collection[int],
) -> None:
    """Takes away what only the best keep, and whatever a worker that was cut off left unfinished.

    Args:
        complete: trials that have outputs.
        weights_of: trials that keep their weights.
        features_of: trials that keep their pooled features.
        unfinished: trials that a resumed search would take up again; they keep their checkpoints.
    """
    for number in complete:
        if number not in weights_of:
            (run.trial(number) / WEIGHTS).unlink(missing_ok=True)
        if number not in features_of:
            drop_features(run.trial(number))
    for checkpoint in (run.path / TRIALS).glob(f"*/{CHECKPOINT}"):
        if checkpoint.parent.name not in {str(number) for number in unfinished}:
            checkpoint.unlink()
    for leftover in (run.path / TRIALS).glob("*/.*"):
        shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink(missing_ok=True)


def drop_features(folder: Path) -> None:
    """Leaves all but the pooled features, which only the best trials keep."""
    arrays = read_arrays(folder / OUTPUTS)
    kept = {name: array[:0] if name in FEATURES else array for name, array in arrays.items()}
    if any(arrays[name].size for name in FEATURES if name in arrays):
        write_arrays(folder / OUTPUTS, kept)


def _in_single_precision(array: NDArray[Any] | None) -> NDArray[np.float32] | None:
    return None if array is None else array.astype(np.float32)


def _problem_of(arrays: Mapping[str, NDArray[Any]]) -> str:
    """Whose answers these outputs are; runs of before there were several problems do not say."""
    return str(arrays[PROBLEM]) if PROBLEM in arrays else CLASSIFICATION.name
