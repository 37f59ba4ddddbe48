"""What losses are made of, held against slow formulas."""

import math

import numpy as np
import pytest
from adaptation_oracles import cross_entropy, entropy, random_logits, slope, softmax, value_and_gradient

from autotl.adaptation.losses import entropies, entropy_of_the_mean, log_probabilities, pseudo_label_loss

CERTAIN = np.array([[1e4, -1e4, -1e4], [-1e4, 1e4, -1e4], [-1e4, -1e4, 1e4]])


@pytest.mark.parametrize("classes", [2, 10])
def test_entropies_agree_with_a_slow_formula(classes):
    logits = random_logits(0, 6, classes)
    expected = [entropy(p) for p in softmax(logits)]
    assert np.asarray(entropies(log_probabilities(logits))) == pytest.approx(expected, rel=1e-4)
    assert float(entropy_of_the_mean(log_probabilities(logits))) == pytest.approx(
        entropy(softmax(logits).mean(axis=0)), rel=1e-4
    )


def test_entropies_of_certain_predictions_are_zero_and_have_finite_gradients():
    for loss in (lambda logits: entropies(log_probabilities(logits))[0], lambda z: pseudo_label_loss(z, [0, 1, 2])):
        value, gradient = value_and_gradient(loss, CERTAIN)
        assert value == pytest.approx(0.0, abs=1e-6)
        assert np.isfinite(gradient).all()


def test_the_entropy_of_the_mean_is_finite_where_a_class_is_never_predicted():
    value, gradient = value_and_gradient(lambda z: entropy_of_the_mean(log_probabilities(z)), CERTAIN[:2])
    assert value == pytest.approx(math.log(2), rel=1e-5)
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("kind", ["float16", "bfloat16"])
def test_narrow_logits_are_widened(kind):
    from keras import ops

    log_p = log_probabilities(ops.cast(random_logits(0, 4, 5), kind))
    assert ops.dtype(log_p) == "float32"
    assert ops.dtype(pseudo_label_loss(ops.cast(random_logits(0, 4, 5), kind), [0, 1, -1, 4])) == "float32"


@pytest.mark.parametrize("classes", [2, 10])
def test_pseudo_labels_cost_their_cross_entropy_over_the_whole_batch(classes):
    logits, labels = random_logits(1, 5, classes), [0, -1, classes - 1, 1, -1]
    value, gradient = value_and_gradient(lambda z: pseudo_label_loss(z, labels), logits)
    assert value == pytest.approx(cross_entropy(logits, labels), rel=1e-4)
    assert gradient == pytest.approx(slope(lambda z: cross_entropy(z, labels), logits), abs=1e-4)


def test_a_batch_without_pseudo_labels_costs_nothing():
    value, gradient = value_and_gradient(lambda z: pseudo_label_loss(z, [-1, -1]), random_logits(0, 2, 3))
    assert value == 0.0
    assert not gradient.any()


def test_a_wrong_pseudo_label_of_a_certain_prediction_costs_much_but_not_infinitely():
    value, gradient = value_and_gradient(lambda z: pseudo_label_loss(z, [1, 0, 0]), CERTAIN)
    assert 1e4 < value < math.inf
    assert np.isfinite(gradient).all()
