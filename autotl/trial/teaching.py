"""How a network is pretrained: taught until the held-out loss no longer falls, its features brought to one scale."""

import logging
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from autotl.backbones.form import Form
from autotl.backbones.pretrained import PretrainedNetwork, described_form, untrained, weights_of
from autotl.backbones.residual_mlp import embedding_name, number_statistics
from autotl.data.examples import Rows, TaskData, class_labels, is_known
from autotl.data.schema import Schema
from autotl.features.engine import uses_xla
from autotl.trial.lessons import Kind, Lesson, RowReader, lesson_for
from autotl.trial.optimizer import TransferAdam
from autotl.trial.trainer import cosine_decay

MOST_STEPS_PER_EPOCH = 400  # an epoch over more rows takes a part of them, drawn anew each time
LAST_NORMALISATION = "top_norm"  # of either network; a ReLU and at most a mean follow
LEAST_OF_MEDIAN = 0.05  # features that deviate less than this share of the median one are not blown up further
FEATURES_FROM = 2000  # rows, at most, by which features and what is told get their scale

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Settings:
    """How a network is pretrained; part of the digest."""

    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    patience: int  # epochs without a smaller loss on the held-out tenth


def taught(
    data: TaskData,
    form: Form,
    kind: Kind,
    learned: Rows,
    held_out: Rows,
    settings: Settings,
    *,
    seed: int,
    check: Callable[[], None],
) -> PretrainedNetwork:
    """A new network that has learnt from these rows for as long as it got better on those held out.

    Args:
        held_out: may be none; then it is trained for all epochs.
        check: called before every batch; may raise to stop.
    """
    started, count = time.perf_counter(), len(learned) + len(held_out)
    examples = RowReader(data, form)
    matrix = None if form.schema is None else examples.read(learned)
    numbers = None if form.schema is None or matrix is None else number_statistics(matrix, form.schema)
    network = untrained(form, numbers=numbers, seed=seed)
    some = np.random.default_rng([seed, 1]).permutation(learned)[:FEATURES_FROM]
    lesson = lesson_for(network, examples, kind, numbers, some, seed=seed + 1)
    _log.info("pretraining on %d examples, %s", count, kind)
    epochs, scores = _teach(lesson, learned, held_out, settings, seed=seed, check=check)
    if kind == "supervised" and len(held_out):
        scores |= _rightness(lesson, held_out, examples.data)
    if form.schema is not None and matrix is not None:
        _read_unseen_as_unknown(network, form.schema, matrix)
    _give_unit_scale(network, examples, some)
    seconds = round(time.perf_counter() - started, 3)
    record = {"kind": kind, "examples": count, "epochs": epochs, "seconds": seconds, "scores": scores}
    return PretrainedNetwork(described_form(form), weights_of(network), numbers, record)


def _teach(
    lesson: Lesson, learned: Rows, held_out: Rows, settings: Settings, *, seed: int, check: Callable[[], None]
) -> tuple[int, dict[str, float]]:
    """Trains until the held-out loss no longer falls, and leaves the best weights in the model.

    Returns:
        Epochs trained, and `{loss: …}` of the best one; without held-out rows all epochs, and nothing.
    """
    model = lesson.model
    model(lesson.held_out_batch(learned[:1], np.random.default_rng(0))[0])
    optimizer = TransferAdam(parts={})
    model.compile(optimizer=optimizer, jit_compile=uses_xla())
    optimizer.build(model.trainable_variables)
    optimizer.decay.assign(settings.weight_decay)
    steps = min(MOST_STEPS_PER_EPOCH, max(1, len(learned) // settings.batch_size))
    rate_at = cosine_decay(settings.learning_rate, steps * settings.epochs)
    best, best_epoch, weights = math.inf, 0, model.get_weights()
    for epoch in range(1, settings.epochs + 1):
        draws = np.random.default_rng([seed, epoch])
        for batch in _batches(draws.permutation(learned), settings.batch_size, steps):
            check()
            optimizer.learning_rate = rate_at(int(optimizer.iterations))
            seen, told = lesson.training_batch(batch, draws)
            model.train_on_batch(seen, told)
        if not len(held_out):
            continue
        loss = _loss(lesson, held_out, settings.batch_size, np.random.default_rng([seed, 0, 1]))
        if loss < best:
            best, best_epoch, weights = loss, epoch, model.get_weights()
        elif epoch - best_epoch >= settings.patience:
            break
    if not len(held_out):
        return settings.epochs, {}
    model.set_weights(weights)
    return epoch, {"loss": best}


def _batches(rows: Rows, size: int, most: int) -> Iterator[Rows]:
    for start in range(0, min(len(rows), most * size), size):
        yield rows[start : start + size]


def _loss(lesson: Lesson, rows: Rows, batch_size: int, draws: np.random.Generator) -> float:
    """Mean over rows; the same draws hide the same parts in every epoch."""
    total = 0.0
    for batch in _batches(rows, batch_size, len(rows)):
        seen, told = lesson.held_out_batch(batch, draws)
        total += float(lesson.model.test_on_batch(seen, told)) * len(batch)
    return total / len(rows)


def _rightness(lesson: Lesson, rows: Rows, data: TaskData) -> dict[str, float]:
    """How many classes are told right; nothing where a label is no class."""
    return {"accuracy": _accuracy(lesson, rows)} if is_known(class_labels(data.labels[rows])).all() else {}


def _accuracy(lesson: Lesson, rows: Rows) -> float:
    right = 0
    for batch in _batches(rows, 256, len(rows)):
        seen, told = lesson.held_out_batch(batch, np.random.default_rng(0))
        right += int((np.argmax(lesson.model.predict_on_batch(seen), axis=-1) == told).sum())
    return right / len(rows)


def _read_unseen_as_unknown(network: keras.Model, schema: Schema, matrix: NDArray[np.float32]) -> None:
    """Categories that no training row holds, such as the target's own, are embedded like unknown ones.

    Their random vectors would shift every feature of such rows; that of code 0 has been trained.
    """
    for place, codes in zip(schema.categorical, schema.cardinalities, strict=True):
        variable = network.get_layer(embedding_name(place)).weights[0]
        vectors = np.array(ops.convert_to_numpy(variable))
        unseen = np.setdiff1d(np.arange(1, codes), matrix[:, place].astype(np.int64))
        vectors[unseen] = vectors[0]
        variable.assign(vectors)


def _give_unit_scale(network: keras.Model, examples: RowReader, rows: Rows) -> None:
    """Scales the last normalisation so that every feature deviates by 1 over these rows.

    A head learns at one rate for all features, whatever scale pretraining left them at. ReLU and mean pooling let a
    positive factor through, so nothing else changes.
    """
    parts = []
    for batch in _batches(rows, 256, len(rows)):
        features = np.array(network.predict_on_batch(examples.read(batch)))
        parts.append(features.mean(axis=1) if features.ndim == 3 else features)
    deviations = np.concatenate(parts).std(axis=0)
    least = LEAST_OF_MEDIAN * float(np.median(deviations))
    factors = np.where(deviations > 0, 1 / np.maximum(deviations, max(least, 1e-6)), 1.0)
    for variable in network.get_layer(LAST_NORMALISATION).weights:
        variable.assign(ops.convert_to_numpy(variable) * factors)
