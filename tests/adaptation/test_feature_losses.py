"""What every loss on features keeps to, whichever method it belongs to."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from domain_batches import batch_of, gradients_of, loss_of, two_domains, values_of

from autotl.adaptation import METHODS

ON_FEATURES = [name for name, method in METHODS.items() if method.stage == "joint" and method.trains_features]
FEATURES = ("source_features", "target_features")
EXTREMES = {
    "one row": two_domains(rows=1),
    "two rows": two_domains(rows=2),
    "equal domains": {name: two_domains()[name.replace("target", "source")] for name in two_domains()},
    "constant features": {**two_domains(), **{name: np.full((6, 5), 7.0) for name in FEATURES}},
    "features of zero": {**two_domains(), **{name: np.zeros((6, 5)) for name in FEATURES}},
    "certain predictions": {name: array * (1e4 if "logits" in name else 1) for name, array in two_domains().items()},
    "great features": {name: array * (1e4 if "features" in name else 1) for name, array in two_domains().items()},
}


def networks_of(method, width=5, classes=3):
    return method.networks(width, classes, method.defaults)


@pytest.mark.parametrize("name", ON_FEATURES)
def test_the_order_of_the_examples_within_a_domain_does_not_matter(name):
    method, arrays, random = METHODS[name], two_domains(), np.random.default_rng(5)
    networks, orders = networks_of(method), {"source": random.permutation(6), "target": random.permutation(6)}
    shuffled = {key: array[orders[key[:6]]] for key, array in arrays.items()}
    assert loss_of(method, shuffled, networks) == pytest.approx(loss_of(method, arrays, networks), rel=1e-5)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("extreme", EXTREMES)
@pytest.mark.parametrize("name", ON_FEATURES)
def test_losses_and_gradients_are_finite(name, extreme, dtype):
    method, arrays = METHODS[name], EXTREMES[extreme]
    networks = networks_of(method)
    loss = method.loss(batch_of(arrays, dtype=dtype), networks, values_of(method))
    assert loss.dtype == tf.float32
    assert np.isfinite(float(loss))
    if dtype == "float32" or extreme != "great features":  # there, a gradient may be greater than float16 holds
        for gradient in gradients_of(method, arrays, networks, dtype=dtype).values():
            assert np.isfinite(gradient).all()


@pytest.mark.parametrize("name", ON_FEATURES)
def test_half_precision_changes_the_loss_little(name):
    method, arrays = METHODS[name], two_domains()
    networks = networks_of(method)
    halved = method.loss(batch_of(arrays, dtype="float16"), networks, values_of(method))
    assert float(halved) == pytest.approx(loss_of(method, arrays, networks), rel=1e-2)


@pytest.mark.parametrize("name", ON_FEATURES)
def test_at_the_start_of_the_ramp_nothing_is_learnt_about_features(name):
    method = METHODS[name]
    learnt = gradients_of(method, two_domains(), networks_of(method), ramp=0.0)
    assert not any(gradient.any() for gradient in learnt.values())


@pytest.mark.parametrize("name", ON_FEATURES)
def test_its_networks_do_without_half_precision(name):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        networks = networks_of(METHODS[name])
    finally:
        keras.config.set_dtype_policy(before)
    assert all(layer.built and layer.compute_dtype == "float32" for layer in networks)


@pytest.mark.parametrize("xla", [False, True])
@pytest.mark.parametrize("name", ON_FEATURES)
def test_a_compiled_step_that_does_not_know_the_batch_size_agrees(name, xla):
    method, arrays = METHODS[name], two_domains()
    networks, ramp = networks_of(method), keras.Variable(0.0)
    inputs = {key: tf.TensorSpec((None, array.shape[1]), tf.float32) for key, array in arrays.items()}

    @tf.function(jit_compile=xla, input_signature=[inputs])
    def compiled(arrays):
        return method.loss(batch_of(arrays), networks, {**method.defaults, "ramp": ramp})

    ramp.assign(0.5)
    seen = compiled({key: tf.constant(array, dtype=tf.float32) for key, array in arrays.items()})
    assert float(seen) == pytest.approx(loss_of(method, arrays, networks, ramp=0.5), rel=1e-4)
