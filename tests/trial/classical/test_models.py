"""What every model of the table promises, whatever its examples are."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from autotl.errors import StorageError
from autotl.trial.classical import MODELS, ClassicalModel
from autotl.trial.learner import without_check


@dataclass(frozen=True)
class Problem:
    """Examples that a model can learn, and some of every kind it may meet later."""

    examples: Any
    labels: np.ndarray
    classes: int

    def of(self, rows: np.ndarray) -> Any:
        return [self.examples[row] for row in rows] if isinstance(self.examples, list) else self.examples[rows]


def texts(classes: int, labels: np.ndarray, draws: np.random.Generator) -> list[str]:
    usual = [f"word{index}" for index in range(20)]
    own = [[f"kind{label}{letter}" for letter in "abc"] for label in range(classes)]
    return [" ".join([*draws.choice(usual, 8), *draws.choice(own[label], 3)]) for label in labels]


def table(classes: int, labels: np.ndarray, draws: np.random.Generator) -> np.ndarray:
    noise = draws.normal(size=(len(labels), 4))
    values = np.concatenate([noise, labels[:, None] + 0.3 * draws.normal(size=(len(labels), 1))], axis=1)
    values[draws.random(values.shape) < 0.05] = np.nan
    return values.astype(np.float32)


def windows(classes: int, labels: np.ndarray, draws: np.random.Generator) -> np.ndarray:
    time = np.arange(128)
    tones = np.sin(2 * np.pi * (0.02 + 0.04 * labels[:, None]) * time + draws.uniform(0, 6, (len(labels), 1)))
    both = np.stack([tones, draws.normal(size=tones.shape)], axis=2) + 0.3 * draws.normal(size=(*tones.shape, 2))
    return both.astype(np.float32)


MAKERS: dict[str, Callable[[int, np.ndarray, np.random.Generator], Any]] = {
    "bag_of_words": texts,
    "boosted_trees": table,
    "random_forest": windows,
}


def a_problem(name: str, classes: int, rows: int = 200) -> Problem:
    draws = np.random.default_rng(classes)
    labels = np.arange(rows) % classes
    return Problem(MAKERS[name](classes, labels, draws), labels, classes)


def fitted(name: str, problem: Problem, rows: Sequence[int] | None = None, **changes: Any) -> ClassicalModel:
    rows = np.arange(len(problem.labels)) if rows is None else np.asarray(rows)
    settings = {
        "classes": problem.classes,
        "class_weights": np.ones(problem.classes, np.float32),
        "seed": 3,
        "threads": 1,
        "check": without_check,
    }
    return MODELS[name].fit(problem.of(rows), problem.labels[rows], **settings | changes)


def must_be_probabilities(found: np.ndarray, shape: tuple[int, int]) -> None:
    assert found.shape == shape
    assert found.dtype == np.float32
    assert np.isfinite(np.log(found)).all()
    np.testing.assert_allclose(found.sum(axis=1), 1.0, atol=1e-5)


@pytest.mark.parametrize("classes", [2, 10])
@pytest.mark.parametrize("name", MODELS)
def test_it_learns_and_survives_arrays_and_native_files_unchanged(name, classes):
    problem = a_problem(name, classes)
    train, rest = np.arange(150), np.arange(150, 200)
    model = fitted(name, problem, train)
    found = model.predict(problem.of(rest))
    must_be_probabilities(found, (50, classes))
    assert (found.argmax(axis=1) == problem.labels[rest]).mean() > 0.8

    arrays = model.arrays()
    assert all(array.dtype.kind in "uif" for array in arrays)  # numbers, so that no pickle is ever read
    from_arrays = MODELS[name].from_arrays(arrays, classes)
    np.testing.assert_array_equal(from_arrays.predict(problem.of(rest)), found)

    files = model.native_files()
    assert all(isinstance(content, bytes) for content in files.values())
    from_files = MODELS[name].from_native_files(files)
    assert from_files.classes == classes
    np.testing.assert_array_equal(from_files.predict(problem.of(rest)), found)
    assert from_files.native_files() == files
    assert from_files.size() == model.size()
    assert model.size().params > 0
    assert model.size().flops > 0
    assert model.size().model_mb > 0


@pytest.mark.parametrize("name", MODELS)
def test_the_same_seed_gives_the_same_model_to_the_bit(name):
    problem = a_problem(name, 3)
    assert fitted(name, problem).native_files() == fitted(name, problem).native_files()


@pytest.mark.parametrize("name", ["boosted_trees", "random_forest"])
def test_the_number_of_threads_does_not_change_the_trees(name):
    problem = a_problem(name, 3)
    assert fitted(name, problem, threads=2).native_files() == fitted(name, problem).native_files()


@pytest.mark.parametrize("name", MODELS)
def test_classes_without_a_training_example_are_unlikely_but_not_impossible(name):
    problem = a_problem(name, 5)
    model = fitted(name, problem, np.flatnonzero(np.isin(problem.labels, (1, 3, 4))))
    found = model.predict(problem.examples)
    must_be_probabilities(found, (200, 5))
    assert found[:, [0, 2]].max() < 1e-3
    seen = np.isin(problem.labels, (1, 3, 4))
    assert (found.argmax(axis=1) == problem.labels)[seen].mean() > 0.8
    np.testing.assert_array_equal(MODELS[name].from_arrays(model.arrays(), 5).predict(problem.examples), found)


@pytest.mark.parametrize("name", MODELS)
def test_one_class_alone_is_always_predicted(name):
    problem = a_problem(name, 3)
    model = fitted(name, problem, np.flatnonzero(problem.labels == 2))
    found = model.predict(problem.examples)
    must_be_probabilities(found, (200, 3))
    assert (found.argmax(axis=1) == 2).all()
    np.testing.assert_array_equal(MODELS[name].from_native_files(model.native_files()).predict(problem.examples), found)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("rows", [[0, 1], [0, 1, 2], [0, 1, 2, 3, 4, 5]])
def test_very_few_examples_are_enough_to_fit(name, rows):
    problem = a_problem(name, 3)
    must_be_probabilities(fitted(name, problem, rows).predict(problem.examples), (200, 3))


@pytest.mark.parametrize("name", MODELS)
def test_no_example_at_all_is_refused_in_training_and_fine_in_prediction(name):
    problem = a_problem(name, 3)
    with pytest.raises(ValueError, match="at least one"):
        fitted(name, problem, np.array([], dtype=np.int64))
    assert fitted(name, problem).predict(problem.of(np.array([], dtype=np.int64))).shape == (0, 3)


@pytest.mark.parametrize("name", MODELS)
def test_a_heavier_class_is_predicted_more_often(name):
    problem = a_problem(name, 2)
    mixed = Problem(problem.examples, np.random.default_rng(0).integers(0, 2, 200), 2)  # labels that nothing explains
    plain = fitted(name, mixed).predict(mixed.examples)[:, 1].mean()
    heavier = fitted(name, mixed, class_weights=np.array([1, 5], np.float32)).predict(mixed.examples)[:, 1].mean()
    assert heavier > plain + 0.1


@pytest.mark.parametrize("name", MODELS)
def test_what_the_check_raises_ends_the_training(name):
    def out_of_time() -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        fitted(name, a_problem(name, 2), check=out_of_time)


@pytest.mark.parametrize("name", MODELS)
def test_arrays_of_another_model_or_task_are_refused(name):
    model = fitted(name, a_problem(name, 3))
    with pytest.raises(StorageError, match="3 classes"):
        MODELS[name].from_arrays(model.arrays(), 4)
    with pytest.raises(StorageError, match="arrays"):
        MODELS[name].from_arrays(model.arrays()[:-1], 3)
    with pytest.raises(StorageError):
        MODELS[name].from_arrays([array.astype(np.float64) for array in model.arrays()], 3)


@pytest.mark.parametrize("name", MODELS)
def test_damaged_native_files_are_refused(name):
    files = fitted(name, a_problem(name, 3)).native_files()
    for file in files:
        for content in (b"", b"\x80\x04K\x01.", files[file][: len(files[file]) // 2], files[file] + b"more"):
            with pytest.raises(StorageError):
                MODELS[name].from_native_files(files | {file: content})
        with pytest.raises(StorageError):
            MODELS[name].from_native_files({other: files[other] for other in files if other != file})


@pytest.mark.parametrize("name", MODELS)
def test_descriptions_that_say_something_else_are_refused(name):
    files = fitted(name, a_problem(name, 3)).native_files()
    (file,) = (file for file in files if file.endswith(".json"))
    description = json.loads(files[file])
    for key in description:
        for value in (None, True, -1, 10**20, "3", [], {}, [[]], ["A b"], [0.5], [1e300], [10**400], float("nan")):
            changed = json.dumps(description | {key: value}).encode()
            with pytest.raises(StorageError):
                MODELS[name].from_native_files(files | {file: changed})
    for changed in (description | {"extra": 1}, [description], "format"):
        with pytest.raises(StorageError):
            MODELS[name].from_native_files(files | {file: json.dumps(changed).encode()})
    with pytest.raises(StorageError):
        MODELS[name].from_native_files(files | {file: b"[" * 100_000})
