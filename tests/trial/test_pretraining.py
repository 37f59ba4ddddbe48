"""Pretraining happens once, on rows that no trial is scored on, and knows no label of the target."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from pretend_rows import a_task_of_rows

from autotl.backbones import build_network
from autotl.backbones.pretrained import read_pretrained
from autotl.data.examples import UNKNOWN, Fold, TaskData
from autotl.errors import DataError, StorageError, TaskError
from autotl.trial import pretraining
from autotl.trial.pretraining import Pretrained, pretrain, pretraining_rows

MODALITIES = ("table", "signal")


def a_task(modality: str = "table", **changes: object) -> TaskData:
    data = a_task_of_rows(modality, target=60, source=240)
    return replace(data, **changes)


def without_labels(data: TaskData) -> TaskData:
    return replace(data, labels=np.full_like(data.labels, UNKNOWN))


def quick(data: TaskData, cache: Path, **changes: object) -> Pretrained:
    return pretrain(data, **{"cache": cache, "seed": 3, "epochs": 2, **changes})


@pytest.fixture
def eagerly() -> Iterator[None]:
    """Without compiling, which takes longer than a few steps of training."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture
def trainings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A note of every network that is really trained."""
    notes: list[str] = []
    taught = pretraining.taught
    monkeypatch.setattr(
        pretraining, "taught", lambda *given, **named: notes.append("trained") or taught(*given, **named)
    )
    return notes


def weights_in(made: Pretrained) -> dict[str, np.ndarray]:
    return dict(read_pretrained(made.path).weights)


def equal(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


# Which rows -----------------------------------------------------------------------------------------------------------


def test_labels_come_from_source_rows_in_the_training_part_of_every_fold() -> None:
    data = a_task()
    left_out = np.array([70, 71])  # as the data room does with source rows that copy a scored one
    held_out = np.array([298, 299])
    train = np.setdiff1d(data.folds[0].train, [*left_out, *held_out])
    data = replace(
        data,
        folds=(Fold(train, data.folds[0].validation), Fold(data.folds[0].train, data.folds[0].validation)),
        suffix_folds=(),
        source_validation=held_out,
    )
    kind, rows = pretraining_rows(data)
    assert kind == "supervised"
    np.testing.assert_array_equal(rows, np.setdiff1d(np.arange(60, 300), [*left_out, *held_out]))


def test_source_rows_without_a_label_are_left_out() -> None:
    data = a_task()
    data.labels[[100, 101]] = UNKNOWN
    kind, rows = pretraining_rows(data)
    assert kind == "supervised"
    assert not np.isin([100, 101], rows).any()
    assert len(rows) == 238


def test_all_sources_are_learned_from() -> None:
    data = a_task()
    table = data.inputs[1]
    several = replace(
        data,
        domains=("target", "here", "there"),
        inputs=(data.inputs[0], table.take(np.arange(100)), table.take(np.arange(100, 240))),
    )
    np.testing.assert_array_equal(pretraining_rows(several)[1], np.arange(60, 300))


def test_without_labels_the_inputs_of_training_and_adaptation_rows_are_seen() -> None:
    data = without_labels(a_task())
    scored = data.folds[0].validation
    kind, rows = pretraining_rows(data)
    assert kind == "self-supervised"
    np.testing.assert_array_equal(rows, np.setdiff1d(np.arange(300), scored))
    few = scored[:5]
    np.testing.assert_array_equal(
        pretraining_rows(replace(data, adaptation_rows=few))[1], np.setdiff1d(np.arange(300), scored[5:])
    )


def test_a_source_of_one_class_teaches_no_classes() -> None:
    data = a_task()
    data.labels[60:] = 1
    assert pretraining_rows(data)[0] == "self-supervised"


def test_cross_validation_without_a_source_sees_the_inputs_of_all_its_training_rows() -> None:
    data = a_task_of_rows("table", target=60, source=90, folds=3)
    alone = replace(data, domains=("target",), inputs=data.inputs[:1], labels=data.labels[:60])
    folds = tuple(Fold(fold.train[fold.train < 60], fold.validation) for fold in data.folds)
    alone = replace(alone, folds=folds, suffix_folds=folds)
    kind, rows = pretraining_rows(alone)
    assert kind == "self-supervised"
    np.testing.assert_array_equal(rows, np.arange(60))


def test_no_rows_at_all_are_an_error() -> None:
    nothing = Fold(np.empty(0, dtype=np.int64), np.arange(5))
    with pytest.raises(DataError, match="no training examples to pretrain on"):
        pretraining_rows(without_labels(a_task(folds=(nothing,), suffix_folds=(nothing,))))


# Once -----------------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("modality", MODALITIES)
@pytest.mark.parametrize("is_labelled", [True, False])
def test_a_second_call_computes_nothing(modality: str, is_labelled: bool, tmp_path: Path, trainings: list[str]) -> None:
    data = a_task(modality) if is_labelled else without_labels(a_task(modality))
    first, again = quick(data, tmp_path), quick(data, tmp_path)
    assert trainings == ["trained"]
    assert again == first
    assert first.path == tmp_path / "pretrained" / f"{first.digest}.npz"
    assert first.kind == ("supervised" if is_labelled else "self-supervised")
    assert first.epochs == 2
    assert np.isfinite(first.scores["loss"])
    assert ("accuracy" in first.scores) == is_labelled


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("modality", MODALITIES)
def test_the_same_seed_gives_the_same_weights(modality: str, tmp_path: Path) -> None:
    for data in (a_task(modality), without_labels(a_task(modality))):
        made = [quick(data, tmp_path / name, seed=seed) for name, seed in (("one", 3), ("two", 3), ("three", 4))]
        weights = [weights_in(part) for part in made]
        assert equal(weights[0], weights[1])
        assert not equal(weights[0], weights[2])
        assert made[0].digest == made[1].digest != made[2].digest


@pytest.mark.usefixtures("eagerly")
def test_permuting_target_labels_changes_nothing(tmp_path: Path) -> None:
    data = a_task()
    permuted = a_task()
    permuted.labels[:60] = np.random.default_rng(0).permutation(permuted.labels[:60])
    assert not np.array_equal(data.labels, permuted.labels)
    one, other = quick(data, tmp_path / "one"), quick(permuted, tmp_path / "other")
    assert one.digest == other.digest
    assert equal(weights_in(one), weights_in(other))
    hidden = [replace(part, labels=np.where(np.arange(300) < 60, part.labels, UNKNOWN)) for part in (data, permuted)]
    one, other = quick(hidden[0], tmp_path / "third"), quick(hidden[1], tmp_path / "fourth")
    assert one.kind == "self-supervised"
    assert one.digest == other.digest
    assert equal(weights_in(one), weights_in(other))


@pytest.mark.usefixtures("eagerly")
def test_what_decides_the_weights_decides_the_digest(tmp_path: Path) -> None:
    data = a_task()
    base = quick(data, tmp_path, epochs=1).digest
    relabelled = a_task()
    relabelled.labels[[60, 61]] = relabelled.labels[[61, 60]]
    grouped = a_task(groups=np.arange(300) // 2)
    fewer = a_task(source_validation=np.array([299]))
    fewer = replace(fewer, folds=(Fold(fewer.folds[0].train[:-1], fewer.folds[0].validation),))
    others = [quick(changed, tmp_path, epochs=1).digest for changed in (relabelled, grouped, fewer)]
    others.append(quick(data, tmp_path, epochs=2).digest)
    assert len({base, *others}) == 5
    renumbered = a_task(groups=np.arange(300) // 2 + 7)
    assert quick(renumbered, tmp_path, epochs=1).digest == others[1]


@pytest.mark.usefixtures("eagerly")
def test_a_damaged_cache_is_noticed_and_made_again(
    tmp_path: Path, trainings: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    first = quick(a_task(), tmp_path)
    weights = weights_in(first)
    content = bytearray(first.path.read_bytes())
    content[len(content) // 2] ^= 1
    first.path.write_bytes(content)
    with caplog.at_level(logging.WARNING):
        again = quick(a_task(), tmp_path)
    assert trainings == ["trained", "trained"]
    assert "damaged" in caplog.text
    assert equal(weights_in(again), weights)


@pytest.mark.usefixtures("eagerly")
def test_a_file_of_another_pretraining_is_not_taken_for_this_one(tmp_path: Path, trainings: list[str]) -> None:
    first, other = quick(a_task(), tmp_path), quick(a_task(), tmp_path, seed=4)
    first.path.write_bytes(other.path.read_bytes())
    quick(a_task(), tmp_path)
    assert len(trainings) == 3


@pytest.mark.usefixtures("eagerly")
def test_a_relative_cache_gives_a_path_that_holds_in_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    made = quick(a_task(), Path("cache"))
    assert made.path.is_absolute()
    assert made.spec.weights == str(made.path)


@pytest.mark.usefixtures("eagerly")
def test_a_cache_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "pretrained").write_text("a file in the place of a folder")
    with pytest.raises(StorageError, match="AUTOTL_CACHE_DIR"):
        quick(a_task(), tmp_path)


@pytest.mark.usefixtures("eagerly")
def test_a_check_may_stop_it_and_then_nothing_is_kept(tmp_path: Path) -> None:
    class StoppedError(Exception):
        pass

    calls: list[int] = []

    def check() -> None:
        calls.append(1)
        if len(calls) == 3:
            raise StoppedError

    with pytest.raises(StoppedError):
        quick(a_task(), tmp_path, check=check)
    assert list(tmp_path.rglob("*.npz")) == []
    assert quick(a_task(), tmp_path).path.is_file(), "the lock was given back"


@pytest.mark.usefixtures("eagerly")
def test_images_and_texts_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match="is for tables and signals"):
        quick(a_task_of_rows("text"), tmp_path)


# What is learned ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("modality", MODALITIES)
def test_features_of_a_pretrained_network_tell_the_classes_of_the_target(modality: str, tmp_path: Path) -> None:
    data = a_task(modality)
    made = quick(data, tmp_path, epochs=12)
    assert made.scores["accuracy"] > 0.7
    network = build_network(made.spec, form=pretraining._form(data))
    features = network.whole.predict_on_batch(network.reading(data.inputs[0], np.arange(60)))
    means = np.stack([features[data.labels[:60] == label].mean(axis=0) for label in range(3)])
    nearest = np.argmin(((features[:, None] - means) ** 2).sum(axis=-1), axis=1)
    assert (nearest == data.labels[:60]).mean() > 0.7


@pytest.mark.parametrize("modality", MODALITIES)
def test_telling_without_labels_gets_better_with_training(modality: str, tmp_path: Path) -> None:
    data = without_labels(a_task(modality))
    losses = [quick(data, tmp_path, epochs=epochs).scores["loss"] for epochs in (1, 12)]
    assert losses[1] < 0.95 * losses[0]


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("modality", MODALITIES)
def test_every_feature_deviates_by_about_one_over_the_training_rows(modality: str, tmp_path: Path) -> None:
    data = a_task(modality)
    made = quick(data, tmp_path)
    network = build_network(made.spec, form=pretraining._form(data))
    features = network.whole.predict_on_batch(network.reading(data.inputs[1], np.arange(240)))
    assert np.median(features.std(axis=0)) == pytest.approx(1.0, abs=0.1)
    assert features.std(axis=0).max() < 1.5


@pytest.mark.usefixtures("eagerly")
def test_a_category_that_no_training_row_holds_is_read_as_unknown(tmp_path: Path) -> None:
    data = a_task()
    kind = data.inputs[0].schema.names.index("kind")
    source = data.inputs[1]
    held = np.flatnonzero(source.values[:, kind] != 2)
    only = replace(data, inputs=(data.inputs[0], source.take(held)), labels=data.labels[: 60 + len(held)])
    fold = Fold(data.folds[0].train[data.folds[0].train < 60 + len(held)], data.folds[0].validation)
    only = replace(only, folds=(fold,), suffix_folds=(fold,))
    network = build_network(quick(only, tmp_path).spec, form=pretraining._form(data))
    rows = data.inputs[0].read(np.arange(3)).repeat(3, axis=0)
    rows[:, kind] = [0, 2, 1] * 3
    features = network.whole.predict_on_batch(rows).reshape(3, 3, -1)
    assert np.abs(features[:, 0] - features[:, 1]).max() == 0.0
    assert np.abs(features[:, 0] - features[:, 2]).max() > 1e-3


def test_groups_stay_on_one_side_of_the_held_out_tenth() -> None:
    data = a_task(groups=np.arange(300) // 10)
    kind, rows = pretraining_rows(data)
    learned, held_out = pretraining._held_out(data, kind, rows, np.random.default_rng(0))
    assert len(held_out) >= 20
    assert not set((learned // 10).tolist()) & set((held_out // 10).tolist())
    np.testing.assert_array_equal(np.sort(np.concatenate([learned, held_out])), rows)


@pytest.mark.usefixtures("eagerly")
def test_where_a_class_is_one_group_nothing_is_held_out(tmp_path: Path) -> None:
    data = a_task()
    data = replace(data, groups=data.labels.copy())  # one record a class, as bench tests of machines often are
    made = quick(data, tmp_path)
    assert made.scores == {}
    assert made.epochs == 2
