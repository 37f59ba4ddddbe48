"""Information maximisation, held against entropies of one example at a time."""

import math

import numpy as np
import pytest
from adaptation_oracles import entropy, joint_batch, random_logits, slope, softmax, value_and_gradient

from autotl.adaptation.infomax import InfoMax, lack_of_information


def by_hand(logits):
    p = softmax(logits)
    return float(np.mean([entropy(row) for row in p]) - entropy(p.mean(axis=0)))


def certain(labels, classes):
    return np.where(np.eye(classes)[labels] > 0, 1e4, -1e4)


@pytest.mark.parametrize("classes", [2, 10])
def test_it_and_its_gradient_agree_with_a_slow_formula(classes):
    logits = random_logits(0, 7, classes)
    value, gradient = value_and_gradient(lack_of_information, logits)
    assert value == pytest.approx(by_hand(logits), rel=1e-4)
    assert gradient == pytest.approx(slope(by_hand, logits), abs=1e-4)


@pytest.mark.parametrize("classes", [2, 10])
def test_it_is_least_for_certain_predictions_of_equally_many_examples_of_each_class(classes):
    balanced = certain(np.arange(2 * classes) % classes, classes)
    value, gradient = value_and_gradient(lack_of_information, balanced)
    assert value == pytest.approx(-math.log(classes), rel=1e-5)
    assert np.isfinite(gradient).all()
    rng = np.random.default_rng(0)
    others = [random_logits(seed, 2 * classes, classes, scale=5.0) for seed in range(20)]
    others += [certain(rng.integers(classes, size=2 * classes), classes) for _ in range(20)]
    assert min(float(lack_of_information(other)) for other in others) >= value - 1e-6


def test_a_collapse_gains_nothing():
    value, gradient = value_and_gradient(lack_of_information, certain([0, 0, 0, 0], 3))
    assert value == pytest.approx(0.0, abs=1e-6)
    assert np.isfinite(gradient).all()
    assert float(lack_of_information(np.zeros((4, 3)))) == pytest.approx(0.0, abs=1e-6)


def test_one_example_alone_holds_no_information():
    value, gradient = value_and_gradient(lack_of_information, random_logits(0, 1, 5))
    assert value == pytest.approx(0.0, abs=1e-6)
    assert np.isfinite(gradient).all()


def test_the_order_and_the_repetition_of_examples_do_not_matter():
    logits = random_logits(2, 8, 5)
    value = float(lack_of_information(logits))
    assert float(lack_of_information(logits[::-1].copy())) == pytest.approx(value, rel=1e-5)
    assert float(lack_of_information(np.concatenate([logits, logits]))) == pytest.approx(value, rel=1e-5)


def test_the_loss_is_weighted_and_ramped_and_reads_the_target_alone():
    logits = random_logits(3, 6, 4)
    loss = InfoMax().loss(joint_batch(logits), (), {"weight": 0.5, "ramp": 0.2})
    assert float(loss) == pytest.approx(0.1 * by_hand(logits), rel=1e-4)
