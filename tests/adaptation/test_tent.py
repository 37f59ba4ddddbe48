"""TENT: entropy against a slow formula, and what keeps it from naming one class for everything."""

import numpy as np
import pytest
from adaptation_oracles import entropy, random_logits, slope, softmax, value_and_gradient

from autotl.adaptation.standardize import Standardize
from autotl.adaptation.tent import Tent


def by_hand(logits):
    return float(np.mean([entropy(p) for p in softmax(logits)]))


def loss(logits):
    return Tent().loss(None, logits, None, Tent().defaults)


@pytest.mark.parametrize("classes", [2, 10])
def test_it_and_its_gradient_agree_with_a_slow_formula(classes):
    logits = random_logits(0, 5, classes)
    value, gradient = value_and_gradient(loss, logits)
    assert value == pytest.approx(by_hand(logits), rel=1e-4)
    assert gradient == pytest.approx(slope(by_hand, logits), abs=1e-4)


def test_certain_predictions_cost_nothing_and_have_finite_gradients():
    value, gradient = value_and_gradient(loss, np.array([[1e4, -1e4]]))
    assert value == pytest.approx(0.0, abs=1e-6)
    assert np.isfinite(gradient).all()


def test_the_order_and_the_repetition_of_examples_do_not_matter():
    logits = random_logits(2, 8, 5)
    assert float(loss(logits[::-1].copy())) == pytest.approx(float(loss(logits)), rel=1e-5)
    assert float(loss(np.concatenate([logits, logits]))) == pytest.approx(float(loss(logits)), rel=1e-5)


def test_it_trains_a_scale_and_a_shift_on_features_standardised_per_domain():
    assert Tent().trains == {"affine"}
    assert Tent().defaults["align"] == "standardize"
    assert not Tent().needs_source


@pytest.mark.parametrize("seed", range(2))
def test_its_greatest_effort_neither_collapses_nor_harms_on_standardised_features(seed):
    import tensorflow as tf
    from keras import optimizers

    rng = np.random.default_rng(seed)
    middles, truth = rng.normal(size=(4, 10)), rng.integers(4, size=2000)
    source = middles[truth] + 0.8 * rng.normal(size=(2000, 10))
    target = 1.5 * (middles[truth] + 0.8 * rng.normal(size=(2000, 10))) + rng.normal(size=10)
    maps = Standardize().fit(source.astype(np.float32), target.astype(np.float32), Standardize().defaults)
    examples, prototypes = maps.target(target.astype(np.float32)), maps.source(middles.astype(np.float32))
    last_layer = (prototypes.T.astype(np.float32), -0.5 * np.sum(prototypes**2, axis=1).astype(np.float32))
    scale, shift = tf.Variable(tf.ones(10)), tf.Variable(tf.zeros(10))

    def logits_of(features):
        return (features * scale + shift) @ last_layer[0] + last_layer[1]

    before = np.argmax(logits_of(examples), axis=1)
    optimizer = optimizers.Adam(0.01)  # the greatest learning rate of a plan times the greatest share of it
    for _ in range(Tent().parameters["epochs"].searched["whole"][1]):
        for rows in np.split(rng.permutation(2000), 25):
            with tf.GradientTape() as tape:
                value = loss(logits_of(examples[rows]))
            optimizer.apply(tape.gradient(value, [scale, shift]), [scale, shift])
    after = np.argmax(logits_of(examples), axis=1)
    assert np.bincount(after, minlength=4).min() > 0.5 * np.bincount(before, minlength=4).min()
    assert (after == truth).mean() > (before == truth).mean() - 0.02
