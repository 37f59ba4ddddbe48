"""DANN: a critic learns to tell domains apart, features learn to fool it."""

import numpy as np
import pytest
import tensorflow as tf
from adaptation_oracles import slope
from domain_batches import batch_of, gradients_of, loss_of, two_domains, values_of

from autotl.adaptation.dann import Dann

FEATURES = ("source_features", "target_features")


def some_critic(width=5, hidden=8):
    return Dann().networks(width, 3, {"hidden": hidden, "align": "none"})


def loss_by_numpy(arrays, critic):
    (first, one), (second, two), (last, three) = [layer.get_weights() for layer in critic]

    def of_source(features):
        hidden = np.maximum(np.maximum(features @ first + one, 0) @ second + two, 0)
        return 1 / (1 + np.exp(-(hidden @ last + three)[:, 0]))

    source, target = (of_source(arrays[name]) for name in FEATURES)
    return float(-(np.log(source).mean() + np.log(1 - target).mean()) / 2)


def gradients_of_critic(arrays, critic, **changed):
    weights = [weight.value for layer in critic for weight in layer.trainable_weights]
    with tf.GradientTape() as tape:
        value = Dann().loss(batch_of(arrays), critic, values_of(Dann(), **changed))
    return tape.gradient(value, weights)


@pytest.mark.parametrize("classes", [2, 10])
def test_it_agrees_with_cross_entropy_whatever_ramp_and_weight(classes):
    arrays, critic = two_domains(classes=classes), some_critic()
    expected = loss_by_numpy(arrays, critic)
    assert loss_of(Dann(), arrays, critic) == pytest.approx(expected, rel=1e-5)
    assert loss_of(Dann(), arrays, critic, ramp=0.1, weight=3.0) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("side", FEATURES)
def test_features_learn_the_opposite_times_ramp_and_weight(side):
    arrays, critic = two_domains(rows=3), some_critic()
    by_differences = slope(lambda at: loss_by_numpy({**arrays, side: at}, critic), arrays[side])
    learnt = gradients_of(Dann(), arrays, critic, ramp=0.4, weight=2.0)[side]
    assert learnt == pytest.approx(-0.8 * by_differences, rel=1e-3, abs=1e-5)


def test_the_critic_learns_at_the_full_rate_from_the_start():
    arrays, critic = two_domains(), some_critic()
    at_first, in_the_end = (gradients_of_critic(arrays, critic, ramp=ramp) for ramp in (0.0, 1.0))
    assert max(float(tf.reduce_max(abs(gradient))) for gradient in at_first) > 0
    for one, other in zip(at_first, in_the_end, strict=True):
        assert one.numpy() == pytest.approx(other.numpy())


def test_a_step_of_the_features_fools_the_critic_and_a_step_of_the_critic_sees_through_them():
    arrays, critic = two_domains(), some_critic()
    before = loss_of(Dann(), arrays, critic)
    learnt = gradients_of(Dann(), arrays, critic)
    moved = {**arrays, **{name: arrays[name] - 0.1 * learnt[name] for name in FEATURES}}
    assert loss_of(Dann(), moved, critic) > before
    changes = gradients_of_critic(arrays, critic)
    weights = [weight for layer in critic for weight in layer.trainable_weights]
    for weight, change in zip(weights, changes, strict=True):
        weight.assign(weight.value - 0.1 * change)
    assert loss_of(Dann(), arrays, critic) < before


def test_a_critic_that_cannot_tell_costs_log_two():
    critic = some_critic()
    critic[-1].set_weights([np.zeros((8, 1)), np.zeros(1)])
    assert loss_of(Dann(), two_domains(), critic) == pytest.approx(np.log(2))


def test_no_critic_gets_under_log_two_where_domains_are_equal():
    arrays = two_domains()
    arrays["target_features"] = arrays["source_features"][::-1]
    assert loss_of(Dann(), arrays, some_critic()) >= np.log(2)


def test_learning_both_at_once_brings_domains_together():
    random, critic = np.random.default_rng(0), some_critic(width=2, hidden=16)
    weights = [weight for layer in critic for weight in layer.trainable_weights]
    offset = tf.Variable([[2.0, -1.0]])

    @tf.function
    def step(source, target):
        with tf.GradientTape() as tape:
            arrays = {"source_features": source, "target_features": target + offset}
            logits = dict.fromkeys(("source_logits", "target_logits"), source)
            value = Dann().loss(batch_of({**arrays, **logits}), critic, values_of(Dann(), weight=0.3))
        *changes, change = tape.gradient(value, [*(weight.value for weight in weights), offset])
        for weight, its_change in zip(weights, changes, strict=True):
            weight.assign(weight.value - 0.3 * its_change)
        offset.assign_sub(0.3 * change)

    for _ in range(400):
        step(*tf.constant(random.normal(size=(2, 64, 2)), dtype=tf.float32))
    assert np.linalg.norm(offset.numpy()) < 0.7
