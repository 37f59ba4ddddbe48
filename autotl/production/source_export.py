"""A trial's model on its way out of the source's house: what is written, and what is refused."""

import io
import json
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import cast

import keras
import numpy as np

from autotl.backbones.reading import ColumnReading, TokenReading
from autotl.data.examples import UNKNOWN, Rows, TaskData
from autotl.data.exported import (
    DESCRIPTION,
    FORMAT,
    NETWORK,
    STATISTICS,
    TOKENIZER,
    Description,
    ExportedError,
    ExportedSource,
    FeatureStatistics,
    read_exported,
)
from autotl.data.records import Records
from autotl.errors import DataError
from autotl.plan import Plan
from autotl.production.discretion import schema_that_may_leave
from autotl.run.folder import write_whole
from autotl.trial.adapting import FITTED_ON
from autotl.trial.model import serving_features, through_hidden
from autotl.trial.network_learner import NetworkLearner

WHEN = (1980, 1, 1, 0, 0, 0)  # of every member, so that equal models make equal files


def write_exported(
    path: Path,
    learner: NetworkLearner,
    plan: Plan,
    data: TaskData,
    trained_on: Rows,
    *,
    task: str,
    temperature: float,
    metric: str,
    scores: Mapping[str, float],
    versions: Mapping[str, str],
) -> ExportedSource:
    """Writes a trained model and what may be told of its source into one file, and reads that file again.

    Args:
        learner: with the trial's weights loaded.
        trained_on: labelled rows of the task's data that it learnt from.
        scores: on labelled examples that it was not trained on, by metric.
    Raises:
        DataError: a statistic would tell of single examples.
    """
    labelled = trained_on[data.labels[trained_on] != UNKNOWN]
    statistics = _statistics(learner, labelled)
    counts = np.bincount(data.labels[labelled], minlength=len(data.classes)).tolist()
    network = learner.trainer.network
    reading = network.reading
    described = reading.as_dict()
    if isinstance(reading, ColumnReading):
        described["schema"] = schema_that_may_leave(reading.schema, cast(Sequence[Records], data.inputs)).as_dict()
    model = _model(learner)
    contents = {NETWORK: _saved(model), STATISTICS: json.dumps(statistics.as_dict()).encode()}
    if isinstance(reading, TokenReading):
        contents[TOKENIZER] = json.dumps(reading.tokenizer.as_dict()).encode()
    values = {
        "format": FORMAT,
        "task": task,
        "modality": data.modality,
        "classes": data.classes,
        "class_counts": tuple(counts),
        "preprocessing": described,
        "image_size": plan.image_size,
        "sequence_length": plan.sequence_length,
        "hidden_units": int(plan.head.parameters["units"]) if plan.head.name == "hidden" else None,
        "feature_width": network.feature_width,
        "layers": len(network.layers) + (learner.trainer.model.map_of_target() is not None),
        "temperature": temperature,
        "metric": metric,
        "scores": dict(scores),
        "plan": {**plan.as_dict(), "backbone": plan.backbone.label},  # no path of this house
        "versions": dict(versions),
        "files": {name: sha256(content).hexdigest() for name, content in contents.items()},
    }
    description = Description.model_validate(values)
    write_whole(path, _zipped({DESCRIPTION: description.model_dump_json(indent=1).encode(), **contents}))
    try:
        return read_exported(path)
    except ExportedError as error:  # the same checks as at the other house
        path.unlink()
        raise DataError(f"{path} {error}") from error


def _statistics(learner: NetworkLearner, rows: Rows) -> FeatureStatistics:
    """Of the features that the head reads, over the rows or a sample that is large enough."""
    if len(rows) > FITTED_ON:
        rows = np.sort(np.random.default_rng(0).permutation(rows)[:FITTED_ON])
    try:
        return FeatureStatistics.of(learner.head_inputs(rows))
    except ExportedError as error:
        raise DataError(f"the file {error}") from error


def _model(learner: NetworkLearner) -> keras.Model:
    """From an example as it is read to the features that the head reads, and to logits."""
    whole, trained = learner.trainer.network.whole, learner.trainer.model
    features = serving_features(trained, whole.outputs[0])
    logits = trained.head[-1](through_hidden(trained.head, features))
    return keras.Model(whole.inputs[0], [features, logits], name="source")


def _saved(model: keras.Model) -> bytes:
    with tempfile.TemporaryDirectory(prefix="autotl-source-") as folder:
        path = Path(folder) / NETWORK
        model.save(path)
        return path.read_bytes()


def _zipped(contents: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in contents.items():
            packing = zipfile.ZIP_STORED if name == NETWORK else zipfile.ZIP_DEFLATED
            archive.writestr(zipfile.ZipInfo(name, WHEN), content, compress_type=packing)
    return buffer.getvalue()
