"""The critic of domains: what it is made of and what its verdicts cost."""

import keras
import numpy as np
import pytest

from autotl.adaptation.domain_critic import critic_layers, domain_logits, domain_loss


def test_it_has_two_hidden_layers_and_one_logit():
    shapes = [tuple(weight.shape) for layer in critic_layers(7, 16) for weight in layer.trainable_weights]
    assert shapes == [(7, 16), (16,), (16, 16), (16,), (16, 1), (1,)]


def test_it_agrees_with_matrix_products():
    critic = critic_layers(5, 8)
    rows = np.random.default_rng(0).normal(size=(6, 5))
    (first, one), (second, two), (last, three) = [layer.get_weights() for layer in critic]
    hidden = np.maximum(np.maximum(rows @ first + one, 0) @ second + two, 0)
    verdicts = np.asarray(domain_logits(critic, rows.astype("float32")))
    assert verdicts == pytest.approx((hidden @ last + three)[:, 0], rel=1e-4, abs=1e-6)


def test_it_starts_the_same_every_time():
    for one, other in zip(critic_layers(5, 8), critic_layers(5, 8), strict=True):
        assert (one.get_weights()[0] == other.get_weights()[0]).all()


def test_it_stays_in_single_precision_in_a_model_of_half_precision():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        assert {layer.compute_dtype for layer in critic_layers(5, 8)} == {"float32"}
    finally:
        keras.config.set_dtype_policy(before)


def test_a_critic_that_cannot_tell_costs_log_two():
    unsure = np.zeros(5, dtype="float32")
    assert float(domain_loss(unsure, unsure)) == pytest.approx(np.log(2))


def test_it_agrees_with_cross_entropy_in_which_both_domains_count_alike():
    random = np.random.default_rng(0)
    source, target, weights = random.normal(size=4), random.normal(size=6), random.uniform(1, 2, size=4)
    of_source, of_target = -np.log(1 / (1 + np.exp(-source))), -np.log(1 - 1 / (1 + np.exp(-target)))
    expected = (np.average(of_source, weights=weights) + np.mean(of_target)) / 2
    seen = domain_loss(source.astype("float32"), target.astype("float32"), source_weights=weights.astype("float32"))
    assert float(seen) == pytest.approx(expected, rel=1e-5)


def test_being_certain_and_wrong_costs_much_but_not_infinity():
    certain = np.full(3, 1e6, dtype="float32")
    assert float(domain_loss(-certain, certain)) == pytest.approx(1e6)
    assert float(domain_loss(certain, -certain)) == pytest.approx(0.0)
