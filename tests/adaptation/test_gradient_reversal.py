"""Reversal: nothing happens forwards, the opposite backwards."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from autotl.adaptation.gradient_reversal import reverse_gradient

UPSTREAM = np.random.default_rng(1).normal(size=(4, 3)).astype(np.float32)


def gradient_of_reversed(x, factor, dtype="float32"):
    x = tf.constant(x, dtype=dtype)
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = tf.reduce_sum(reverse_gradient(x, factor) * tf.cast(UPSTREAM, dtype))
    return tape.gradient(value, x).numpy()


def some_features():
    return np.random.default_rng(0).normal(scale=8.0, size=(4, 3)).astype(np.float32)


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize("factor", [0.0, 0.1, 10.0])
def test_forwards_it_changes_no_bit(dtype, factor):
    x = tf.constant(some_features(), dtype=dtype)
    there = reverse_gradient(x, factor)
    assert there.dtype == x.dtype
    assert (there.numpy() == x.numpy()).all()


@pytest.mark.parametrize("factor", [0.0, 0.3, 1.0, 3.0])
def test_backwards_it_multiplies_with_minus_the_factor(factor):
    assert gradient_of_reversed(some_features(), factor) == pytest.approx(-np.float32(factor) * UPSTREAM, rel=1e-6)


def test_in_half_precision_the_gradient_stays_in_half_precision():
    gradient = gradient_of_reversed(some_features(), 0.5, dtype="float16")
    assert gradient.dtype == np.float16
    assert gradient == pytest.approx(-0.5 * UPSTREAM.astype(np.float16), rel=1e-3)


@pytest.mark.parametrize("xla", [False, True])
def test_a_compiled_step_follows_the_factor_as_it_grows(xla):
    factor = keras.Variable(0.0)

    @tf.function(jit_compile=xla, input_signature=[tf.TensorSpec((None, 3), tf.float32)])
    def step(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = tf.reduce_sum(reverse_gradient(x, factor) * UPSTREAM)
        return tape.gradient(value, x)

    for now in (0.25, 2.0):
        factor.assign(now)
        assert step(tf.constant(some_features())).numpy() == pytest.approx(-now * UPSTREAM, rel=1e-6)


def test_nothing_is_learnt_about_the_factor():
    x, factor = tf.constant(some_features()), tf.Variable(0.5)
    with tf.GradientTape() as tape:
        value = tf.reduce_sum(reverse_gradient(x, factor) ** 2)
    assert float(tape.gradient(value, factor)) == 0.0
