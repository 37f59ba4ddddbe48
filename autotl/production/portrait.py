"""The portrait of its training domain that a bundle carries, for whoever watches the model later."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from autotl.backbones.reading import ColumnReading, SampleReading, StringReading
from autotl.data import TaskData
from autotl.data.arrays import ArrayError, read_arrays
from autotl.data.examples import Inputs, Rows
from autotl.data.schema import Schema
from autotl.data.texts import Texts
from autotl.errors import StorageError
from autotl.production.bundle import PORTRAIT, Bundle
from autotl.production.serving_model import ServingModel
from autotl.scoring.answers import ANSWERS
from autotl.scoring.calibration import with_temperature
from autotl.scoring.components import sampled
from autotl.scoring.watching import Portrait, draw_portrait
from autotl.scoring.watching.columns import bins_at, bins_of
from autotl.scoring.watching.portrait import MOST_ROWS
from autotl.scoring.watching.sureness import Sureness
from autotl.trial.classical.signal_features import FEWEST_SAMPLES, signal_features
from autotl.trial.outcome import Outputs

BATCH = 64
BUCKETS = 256  # of words
LETTERS = 20_000  # of a text whose words are counted
POSSIBLE_AND_LIKELY = (0.1, 0.5)  # from which probability on a label is called so

Features = NDArray[np.float32]  # (n, d)


@dataclass(frozen=True, eq=False)
class Seen:
    """What a model says of examples, and what they are compared by.

    Attributes:
        said: (n, columns) its answers. features: (n, d). table: (n, columns), of a table.
        words: what the features are.
    """

    said: NDArray[np.float32]
    features: Features
    words: str
    table: NDArray[np.float32] | None = None


def look(model: ServingModel, inputs: Inputs, rows: Rows) -> Seen:
    """Has a model look at examples.

    Tables are compared by their columns and windows by their classical features, as `autotl gap` does. Images are
    compared by what the model's head reads, texts by that and by their words.
    """
    said, head_inputs, read = [], [], []
    for start in range(0, len(rows), BATCH):
        batch = model.reading(inputs, rows[start : start + BATCH])
        answers, features = model.predict_with_features(batch)
        said.append(answers)
        head_inputs.append(features)
        if isinstance(model.reading, ColumnReading | SampleReading):
            read.append(batch)
    answers, features = np.concatenate(said), np.concatenate(head_inputs)
    if isinstance(model.reading, ColumnReading):
        table = np.concatenate(read)
        return Seen(answers, model.reading.schema.wide(table), "the table's columns", table)
    if isinstance(model.reading, SampleReading):
        windows = np.concatenate(read)
        enough = windows.shape[1] >= FEWEST_SAMPLES
        found = signal_features(windows) if enough else windows.reshape(len(windows), -1)
        return Seen(answers, found, "classical features of the windows")
    if isinstance(model.reading, StringReading):
        assert isinstance(inputs, Texts), "strings are read from texts"
        words = hashed_words(inputs.read(rows))
        return Seen(answers, np.concatenate([features, words], axis=1), "what the model reads and the words")
    return Seen(answers, features, "what the model's head reads")


def portrait_of(model: ServingModel, data: TaskData, outputs: Outputs, *, temperature: float) -> Portrait | None:
    """The portrait of a task's target domain as the model that ships sees it; None where it has too few examples.

    The test set plays no part in it.

    Args:
        outputs: of the trial that ships: what it said of examples that it had not learnt.
        temperature: of the model that ships.
    """
    rows = data.target_rows[sampled(len(data.target_rows), MOST_ROWS)]
    seen = look(model, data.inputs[0], rows)
    table = None
    if seen.table is not None and isinstance(model.reading, ColumnReading):
        schema: Schema = model.reading.schema
        table = (seen.table, schema.names, schema.categorical)
    opinion = OPINIONS[data.problem.name](data, outputs, temperature)
    return draw_portrait(seen.features, seen.said, words=seen.words, table=table, **opinion)


def _numbers(data: TaskData, outputs: Outputs, temperature: float) -> dict[str, Any]:  # noqa: ARG001 - one interface
    """What a trial said of examples that it had not learnt, by tenths."""
    return {"sureness": None, "answers": bins_of(_not_learnt(data, outputs), data.classes, categorical=())}


def _sets(data: TaskData, outputs: Outputs, temperature: float) -> dict[str, Any]:
    """How often a trial took each label for unlikely, possible or likely there. A retrained model is a little surer or
    less sure of what is unlikely anyway, which is no news."""
    said = ANSWERS[data.problem.name].shipped(_not_learnt(data, outputs), temperature)
    return {"sureness": None, "answers": bins_at(POSSIBLE_AND_LIKELY, said, data.classes)}


def _not_learnt(data: TaskData, outputs: Outputs) -> NDArray[np.float32]:
    return outputs.target if data.is_judged_without_labels else outputs.validation


def _sureness(data: TaskData, outputs: Outputs, temperature: float) -> dict[str, Any]:
    evidence = outputs.evidence(data.labels)
    none: NDArray[Any] = np.zeros((0, len(data.classes)))
    labelled = evidence.get("source_probabilities", none)
    labels = evidence.get("source_labels", np.zeros(0, dtype=np.int64))
    is_labelled = not data.is_judged_without_labels
    said = outputs.validation if is_labelled else outputs.target
    sureness = Sureness.of(
        with_temperature(said, temperature),
        with_temperature(labelled, temperature) if len(labelled) else labelled,
        labels,
        same_examples=is_labelled,
        source_shares=outputs.source_shares,
    )
    return {"sureness": sureness}


# By a problem's name: what a portrait keeps of what a model says.
OPINIONS: Mapping[str, Callable[[TaskData, Outputs, float], dict[str, Any]]] = {
    "classification": _sureness,
    "multilabel": _sets,
    "regression": _numbers,
}


def read_portrait(bundle: Bundle) -> Portrait | None:
    """The portrait in a bundle; None where it has none: it was written by an earlier version, or of too few examples.

    Raises:
        StorageError: it cannot be read.
    """
    path = bundle.path / PORTRAIT
    if PORTRAIT not in bundle.description["files"]:
        return None
    try:
        return Portrait.from_arrays(read_arrays(path))
    except (ArrayError, OSError, ValueError, KeyError) as error:
        raise StorageError(f"{path} cannot be read: {error}") from error


def hashed_words(texts: list[str]) -> Features:
    """(n, 256) how often the words of a text fall into each bucket, as roots of shares. No word can be told from it."""
    counts = np.zeros((len(texts), BUCKETS), dtype=np.float32)
    for row, text in enumerate(texts):
        for word in text[:LETTERS].lower().split():
            counts[row, xxhash.xxh3_64_intdigest(word.encode()) % BUCKETS] += 1
    return np.asarray(np.sqrt(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)))
