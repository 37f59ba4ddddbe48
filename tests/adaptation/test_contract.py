"""The laws that every entry of the table of methods obeys, so that a new method is tested the day it arrives."""

import pickle
import subprocess
import sys
from typing import Any, get_args

import numpy as np
import pytest

from autotl.adaptation import METHODS
from autotl.adaptation.method import (
    Joint,
    JointBatch,
    MakesPseudoLabels,
    Part,
    PostTraining,
    PriorCorrection,
    Stage,
    Transform,
    Weighting,
)
from autotl.data.examples import UNKNOWN

WIDTH = 5
ASKED_OF = {
    "none": object,
    "transform": Transform,
    "weights": Weighting,
    "joint": Joint,
    "post": (PostTraining, PriorCorrection),
}


def those_that(kind: type) -> list[str]:
    return [name for name, method in METHODS.items() if isinstance(method, kind)]


def features(seed: int, rows: int, width: int = WIDTH, shift: float = 0.0) -> np.ndarray:
    return (np.random.default_rng(seed).normal(size=(rows, width)) + shift).astype(np.float32)


def probabilities(seed: int, rows: int, classes: int) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet(np.full(classes, 0.5), size=rows).astype(np.float32)


def every_parameter() -> list[Any]:
    return [
        pytest.param(parameter, id=f"{name}.{word}")
        for name, method in METHODS.items()
        for word, parameter in method.parameters.items()
    ]


# What a method tells about itself


def test_no_adaptation_is_the_first_entry():
    assert next(iter(METHODS)) == "none"


@pytest.mark.parametrize("name", METHODS)
def test_a_method_says_what_it_is(name):
    method = METHODS[name]
    assert method.stage in get_args(Stage)
    assert method.in_words
    assert not method.in_words.endswith(".")
    assert bool(method.paper) == (name != "none")
    assert type(method).__doc__


@pytest.mark.parametrize("name", METHODS)
def test_a_method_does_what_its_stage_asks(name):
    method = METHODS[name]
    assert isinstance(method, ASKED_OF[method.stage])
    assert method.stage == "post" or not isinstance(method, PostTraining)
    assert method.stage in ("joint", "post") or not isinstance(method, MakesPseudoLabels)


@pytest.mark.parametrize("name", METHODS)
def test_a_method_is_the_same_after_a_journey_to_a_worker(name):
    assert pickle.loads(pickle.dumps(METHODS[name])) == METHODS[name]
    assert METHODS[name] == type(METHODS[name])()


def test_the_table_is_read_without_keras():
    heavy = "{'keras', 'tensorflow', 'sklearn', 'scipy'} & set(sys.modules)"
    code = f"import sys, autotl.adaptation; print(*{heavy})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


# Parameters


@pytest.mark.parametrize("parameter", every_parameter())
def test_a_parameter_is_searched_as_a_search_space_writes_it(parameter):
    if parameter.searched is None:
        return
    ((kind, values),) = parameter.searched.items()
    assert kind in ("log", "linear", "whole", "choice")
    if kind == "choice":
        assert len(values) == len(set(values)) > 1
        assert all(type(value) is type(parameter.default) for value in values)
        assert parameter.default in values
        return
    low, high = values
    assert low <= parameter.default <= high
    assert low < high
    assert low > 0 or kind != "log"
    number = int if kind == "whole" else float
    assert {type(low), type(high), type(parameter.default)} == {number}


@pytest.mark.parametrize("parameter", every_parameter())
def test_the_words_of_a_parameter_are_told(parameter):
    assert type(parameter.default) in (float, int, bool, str)
    assert bool(parameter.allowed) == isinstance(parameter.default, str)
    if parameter.allowed:
        assert parameter.default in parameter.allowed
        assert set((parameter.searched or {}).get("choice", [])) <= set(parameter.allowed)
        assert parameter.structural  # a word is no variable


@pytest.mark.parametrize("name", METHODS)
def test_defaults_are_those_of_the_parameters(name):
    method = METHODS[name]
    assert method.defaults == {word: parameter.default for word, parameter in method.parameters.items()}
    assert "ramp" not in method.parameters  # the trainer's own value


@pytest.mark.parametrize("name", sorted({*those_that(Joint), *those_that(PostTraining)}))
def test_losses_may_be_aligned_by_transforms_of_the_table(name):
    align = METHODS[name].parameters["align"]
    ready = {"none", *those_that(Transform)}
    assert METHODS[name].defaults["align"] in align.allowed
    assert {word for word in align.allowed if word in METHODS} <= ready


# Transforms and weights


@pytest.mark.parametrize("name", those_that(Transform))
@pytest.mark.parametrize(("of_source", "of_target"), [(40, 23), (3, 50), (1, 7), (7, 1)])
def test_a_transform_maps_domains_of_unequal_size(name, of_source, of_target):
    source, target = features(0, of_source), features(1, of_target, shift=2.0)
    alignment = METHODS[name].fit(source, target, METHODS[name].defaults)
    for found, examples in ((alignment.source, source), (alignment.target, target)):
        mapped = found(examples)
        assert mapped.shape == examples.shape
        assert mapped.dtype == np.float32
        assert np.isfinite(mapped).all()
        assert found.matrix.shape == (WIDTH, WIDTH)
        assert found.offset.shape == (WIDTH,)


@pytest.mark.parametrize("name", those_that(Transform))
def test_a_transform_treats_the_target_alike_whatever_the_source(name):
    target = features(1, 30)
    one, other = (METHODS[name].fit(features(seed, 20), target, METHODS[name].defaults) for seed in (0, 2))
    assert one.target(target) == pytest.approx(other.target(target), abs=1e-5)


@pytest.mark.parametrize("name", those_that(Weighting))
def test_weights_are_of_mean_one_and_the_same_for_a_seed(name):
    source, target = features(0, 40), features(1, 23, shift=0.5)
    weights = METHODS[name].weigh(source, target, METHODS[name].defaults, seed=3)
    assert weights.shape == (40,)
    assert weights.min() >= 0
    assert weights.mean() == pytest.approx(1.0, abs=1e-4)
    assert (METHODS[name].weigh(source, target, METHODS[name].defaults, seed=3) == weights).all()


@pytest.mark.parametrize("name", those_that(PriorCorrection))
@pytest.mark.parametrize("classes", [2, 10])
def test_a_prior_shift_is_finite(name, classes):
    shift = METHODS[name].prior_shift(
        probabilities(0, 60, classes), np.full(classes, 1 / classes), METHODS[name].defaults
    )
    assert shift.shape == (classes,)
    assert np.isfinite(shift).all()


@pytest.mark.parametrize("name", those_that(MakesPseudoLabels))
@pytest.mark.parametrize(("rows", "classes"), [(50, 2), (50, 10), (3, 10), (1, 2)])
@pytest.mark.parametrize("progress", [0.0, 0.9])
def test_pseudo_labels_are_classes_or_unknown(name, rows, classes, progress):
    method = METHODS[name]
    labels = method.pseudo_labels(
        probabilities(0, rows, classes), features(0, rows), method.defaults, progress=progress
    )
    assert labels.shape == (rows,)
    assert labels.dtype == np.int64
    assert set(labels.tolist()) <= {UNKNOWN, *range(classes)}


# Losses


def batch_of(rows: int, classes: int, scale: float = 1.0) -> JointBatch:
    rng = np.random.default_rng(0)
    return JointBatch(
        source_features=features(0, rows),
        target_features=features(1, rows, shift=1.0),
        source_logits=(scale * rng.normal(size=(rows, classes))).astype(np.float32),
        target_logits=(scale * rng.normal(size=(rows, classes))).astype(np.float32),
        source_labels=rng.integers(classes, size=rows).astype(np.int32),
        target_labels=rng.integers(-1, classes, size=rows).astype(np.int32),
    )


def tensors_of(batch: JointBatch) -> dict[str, Any]:
    """All but the word on how logits are read."""
    return {word: value for word, value in vars(batch).items() if word != "activation"}


def loss_of(name: str, classes: int) -> Any:
    """The method's loss as the trainer calls it: values that are not structural are tensors, and so is the ramp."""
    from keras import ops

    method = METHODS[name]
    values = {
        word: parameter.default
        if parameter.structural
        else ops.convert_to_tensor(float(parameter.default), dtype="float32")
        for word, parameter in method.parameters.items()
    }
    if method.stage == "post":
        return lambda batch: method.loss(batch.target_features, batch.target_logits, batch.target_labels, values)
    networks = list(method.networks(WIDTH, classes, values))
    values["ramp"] = ops.convert_to_tensor(0.7, dtype="float32")
    return lambda batch: method.loss(batch, networks, values)


def with_gradients(loss: Any, batch: JointBatch) -> tuple[Any, list[Any]]:
    """The loss of a batch and its derivatives by what the model gives."""
    import tensorflow as tf

    tensors = {word: tf.convert_to_tensor(value) for word, value in tensors_of(batch).items()}
    of_model = [tensor for word, tensor in tensors.items() if not word.endswith("labels")]
    with tf.GradientTape() as tape:
        tape.watch(of_model)
        value = loss(JointBatch(**tensors))
    return value, [gradient for gradient in tape.gradient(value, of_model) if gradient is not None]


LOSSES = sorted({*those_that(Joint), *those_that(PostTraining)})


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("classes", [2, 10])
@pytest.mark.parametrize("rows", [16, 1])
@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_a_loss_is_a_finite_scalar_with_finite_gradients(name, classes, rows, scale):
    value, gradients = with_gradients(loss_of(name, classes), batch_of(rows, classes, scale))
    assert tuple(value.shape) == ()
    assert np.isfinite(float(value))
    assert gradients
    assert all(np.isfinite(gradient).all() for gradient in gradients)


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_is_finite_where_both_halves_are_the_same(name):
    batch = batch_of(8, 3)
    same = JointBatch(
        batch.source_features,
        batch.source_features,
        batch.source_logits,
        batch.source_logits,
        batch.source_labels,
        batch.source_labels,
    )
    value, gradients = with_gradients(loss_of(name, 3), same)
    assert np.isfinite(float(value))
    assert all(np.isfinite(gradient).all() for gradient in gradients)


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_takes_batches_whose_size_its_compiled_graph_does_not_know(name):
    import tensorflow as tf

    loss, batch = loss_of(name, 3), batch_of(8, 3)
    at_once = loss(JointBatch(**{word: tf.convert_to_tensor(value) for word, value in tensors_of(batch).items()}))
    words = list(tensors_of(batch))
    of_any_size = [tf.TensorSpec([None, *value.shape[1:]], value.dtype) for value in tensors_of(batch).values()]
    compiled = tf.function(lambda *tensors: loss(JointBatch(**dict(zip(words, tensors, strict=True)))), of_any_size)
    assert float(compiled(*tensors_of(batch).values())) == pytest.approx(float(at_once), rel=1e-3, abs=1e-5)


@pytest.mark.parametrize("name", those_that(PostTraining))
def test_training_after_training_says_what_it_trains_and_for_how_long(name):
    method = METHODS[name]
    assert method.trains
    assert method.trains <= set(get_args(Part))
    assert isinstance(method.defaults["epochs"], int)
    assert 0 < method.defaults["rate"] <= 1
    assert not method.needs_source
