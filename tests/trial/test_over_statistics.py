"""A trial over sums is the trial over the examples that they were made of."""

from dataclasses import replace
from hashlib import sha256

import numpy as np
import pytest
from pretend import SMALL_CNN, a_plan, a_workshop
from pretend_domains import true_labels, two_domains

from autotl.adaptation import METHODS
from autotl.data.examples import Fold, TaskData
from autotl.data.statistics import Statistics
from autotl.data.statistics_file import FeaturesOf, Site, StatisticsFile, StatisticsSource, block_bytes
from autotl.plan import Choice
from autotl.plan.plan import HEADS, SOLVED
from autotl.trial.outcome import Job

METHODS_ON_SUMS = ["none", "standardize", "coral", "linear_ot", "label_shift"]


def a_solved_plan(method="none", head="lda", **values):
    adaptation = Choice(method, METHODS[method].defaults)
    return a_plan(head=Choice(head, HEADS[head]), adaptation=adaptation, **values).canonical()


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """The bright domain's features by training and held-out rows, and what they mean."""
    data = two_domains()
    learner = a_workshop(tmp_path_factory.mktemp("source"), data).fit(a_solved_plan(), data.folds[0])
    network = learner.trainer.network
    features = FeaturesOf(
        modality="image",
        backbone="small_cnn",
        reading={"image_size": 32},
        width=network.feature_width,
        fingerprint=network.digest,
    )
    return data, learner.head_inputs, features


def sums(source, rows):
    data, features, _ = source
    return Statistics.of(features(rows), data.labels[rows], classes=3)


def a_source(source, name, rows, held_out=None):
    learn, kept = sums(source, rows), None if held_out is None else sums(source, held_out)
    site = Site(name=name, examples=len(rows), digest=sha256(block_bytes(learn)).hexdigest())
    file = StatisticsFile(source[2], source[0].classes, (site,), learn, kept, {"autotl": "0"})
    return StatisticsSource.of(name, file, source[0].classes)


def over_sums(source, *, known=0, statistics=None) -> TaskData:
    """The target of `two_domains` beside sums over its source's training rows, those of two houses."""
    data, _, _ = source
    (fold,) = data.folds
    whole = two_domains(known=known)
    nothing = np.empty(0, dtype=np.int64)
    alone = Fold(np.arange(known), nothing)
    houses = (a_source(source, "north", fold.train[:50]), a_source(source, "south", fold.train[50:]))
    return replace(
        whole,
        domains=("target",),
        inputs=whole.inputs[:1],
        labels=whole.labels[: len(whole.inputs[0])],
        folds=(alone,),
        suffix_folds=(alone,),
        source_validation=nothing,
        statistics=houses if statistics is None else statistics,
    )


def ending(folder, data, plan):
    (*_, last) = a_workshop(folder, data).train([Job(0, plan)])
    assert last.ending.status == "complete", last.ending.reason
    return last.ending


def one_house(source):
    """All training rows as one source: what is aligned is then the same domain as the examples are."""
    return (a_source(source, "bright", source[0].folds[0].train),)


@pytest.mark.parametrize("head", SOLVED)
@pytest.mark.parametrize("name", METHODS_ON_SUMS)
def test_sums_and_examples_give_the_same_model(source, tmp_path, name, head):
    plan = a_solved_plan(name, head)
    by_sums = ending(tmp_path, over_sums(source, statistics=one_house(source)), plan)
    by_examples = ending(tmp_path, two_domains(), plan)
    if name == "label_shift":  # it calibrates by held-out source examples where there are some
        agree = (by_sums.outputs.target.argmax(axis=1) == by_examples.outputs.target.argmax(axis=1)).mean()
        assert agree > 0.9
        return
    for one, other in zip(by_sums.weights, by_examples.weights, strict=True):
        one, other = (each[:1] if each.ndim == 3 else each for each in (one, other))  # the target's map
        if one.shape == other.shape:
            np.testing.assert_allclose(one, other, atol=1e-3 * np.abs(other).max())
    # an alignment of fewer examples than features is steep, and examples go through it in single precision
    np.testing.assert_allclose(by_sums.outputs.target, by_examples.outputs.target, atol=0.05)


def test_two_houses_are_one_where_nothing_is_aligned(source, tmp_path):
    plan = a_solved_plan("none", "ridge")
    two = ending(tmp_path, over_sums(source), plan)
    one = ending(tmp_path, over_sums(source, statistics=one_house(source)), plan)
    np.testing.assert_allclose(two.outputs.target, one.outputs.target, atol=1e-6)


def test_known_target_labels_join_by_their_own_sums(source, tmp_path):
    plan = a_solved_plan("none")
    by_sums = ending(tmp_path, over_sums(source, known=30), plan)
    by_examples = ending(tmp_path, two_domains(known=30), plan)
    one, other = (found.weights[0] / np.linalg.norm(found.weights[0]) for found in (by_sums, by_examples))
    np.testing.assert_allclose(one, other, atol=1e-5)  # how sure they are is calibrated on the houses' sums
    without = ending(tmp_path, over_sums(source), plan)
    assert np.abs(by_sums.outputs.target - without.outputs.target[30:]).max() > 1e-3


def test_a_plan_may_learn_from_the_target_alone(source, tmp_path):
    data = over_sums(source, known=30)
    plan = a_solved_plan("none", learns_from="target")
    learner = a_workshop(tmp_path, data).fit(plan, data.folds[0])
    alone = replace(data, statistics=())
    other = a_workshop(tmp_path, alone).fit(plan, alone.folds[0])
    # the houses' sums calibrate it and nothing more
    one, two = (each.predict(data.target_rows)[0].argmax(axis=1) for each in (learner, other))
    np.testing.assert_array_equal(one, two)


def test_source_accuracy_is_expected_from_what_was_held_out(source, tmp_path):
    data, _, _ = source
    (fold,) = data.folds
    houses = (a_source(source, "bright", fold.train, fold.validation),)
    found = ending(tmp_path, over_sums(source, statistics=houses), a_solved_plan())
    counted = ending(tmp_path, data, a_solved_plan()).scores["source_accuracy"]
    assert found.outputs.source_confusion.sum() == pytest.approx(len(fold.validation))
    assert found.scores["source_accuracy"] == pytest.approx(counted, abs=0.25)  # of 24 examples
    assert found.score == {"value": None, "low": None, "high": None, "kind": "label_free"}
    assert {"infomax", "mixval", "class_ami"} <= set(found.scores)


def test_alignment_helps_where_the_target_is_darker(source, tmp_path):
    plain, moved = (
        ending(tmp_path, over_sums(source), a_solved_plan(name)).outputs.target for name in ("none", "standardize")
    )
    one, other = ((said.argmax(axis=1) == true_labels()).mean() for said in (plain, moved))
    assert other > one


def test_statistics_of_other_features_fail_with_the_reason(source, tmp_path):
    house = one_house(source)[0]
    others = replace(house.file, features=house.file.features.model_copy(update={"fingerprint": "another"}))
    data = over_sums(source, statistics=(replace(house, file=others),))
    (*_, last) = a_workshop(tmp_path, data).train([Job(0, a_solved_plan())])
    assert last.ending.status == "failed"
    assert "the statistics of 'bright' are of other features than small_cnn gives here" in last.ending.reason


def test_a_method_that_trains_gets_a_linear_head():
    assert a_solved_plan("mcc").head.name == "linear"
    assert a_solved_plan("none", unfrozen_layers=4, views=2).unfrozen_layers == 0
    assert a_solved_plan("coral").backbone == SMALL_CNN
