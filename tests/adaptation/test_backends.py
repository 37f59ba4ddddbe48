"""Losses come out alike on every backend of Keras that is installed, eager and compiled."""

import importlib.util
import json
import os
import subprocess
import sys
from functools import cache

import numpy as np
import pytest

from autotl.adaptation import METHODS
from autotl.adaptation.method import Joint, PostTraining

BACKENDS = ("tensorflow", "jax", "torch")
PARTS = ("source_features", "target_features", "source_logits", "target_logits")
WITH_LOSS = [name for name, method in METHODS.items() if isinstance(method, Joint | PostTraining)]

# Runs in a process of its own: Keras takes its backend when it is imported, once.
SCRIPT = """
import json
import keras
import numpy as np
from keras import ops
from autotl.adaptation import METHODS
from autotl.adaptation.method import Joint, JointBatch, PostTraining

ROWS, WIDTH, CLASSES = 6, 5, 3
PARTS = ("source_features", "target_features", "source_logits", "target_logits")


def gradients(function, parts):
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        parts = [tf.constant(part) for part in parts]
        with tf.GradientTape() as tape:
            tape.watch(parts)
            value = function(*parts)
        return tape.gradient(value, parts, unconnected_gradients="zero")
    if keras.backend.backend() == "jax":
        import jax

        return jax.grad(function, argnums=range(len(parts)))(*(jax.numpy.asarray(part) for part in parts))
    import torch

    parts = [torch.tensor(part, requires_grad=True) for part in parts]
    found = torch.autograd.grad(function(*parts), parts, allow_unused=True)
    return [torch.zeros_like(part) if one is None else one for one, part in zip(found, parts)]


def compiled(function):
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        widths = (WIDTH, WIDTH, CLASSES, CLASSES)
        inputs = [tf.TensorSpec((None, width), tf.float32) for width in widths]
        return tf.function(function, input_signature=inputs, jit_compile=True)
    if keras.backend.backend() == "jax":
        import jax

        return jax.jit(function)
    return function


def random_arrays(*shapes):
    random = np.random.default_rng(0)
    return [random.normal(size=shape).astype("float32") for shape in shapes]


def outcome(method, structural):
    joint = isinstance(method, Joint)
    values = {
        name: structural.get(name, parameter.default)
        if parameter.structural
        else ops.convert_to_tensor(parameter.default, dtype="float32")
        for name, parameter in method.parameters.items()
    }
    networks = method.networks(WIDTH, CLASSES, values) if joint else ()
    for layer in networks:
        layer.set_weights(random_arrays(*(weight.shape for weight in layer.get_weights())))

    def loss(source_features, target_features, source_logits, target_logits):
        known, guessed = (ops.convert_to_tensor(labels, dtype="int32") for labels in ([0, 1, 2] * 2, [-1, 1, -1] * 2))
        if joint:
            batch = JointBatch(source_features, target_features, source_logits, target_logits, known, guessed)
            return method.loss(batch, networks, {**values, "ramp": ops.convert_to_tensor(0.5)})
        return method.loss(target_features, target_logits, guessed, values)

    parts = random_arrays((ROWS, WIDTH), (ROWS, WIDTH), (ROWS, CLASSES), (ROWS, CLASSES))
    tensors = [ops.convert_to_tensor(part) for part in parts]
    return {
        "eager": float(ops.convert_to_numpy(loss(*tensors))),
        "compiled": float(ops.convert_to_numpy(compiled(loss)(*tensors))),
        "gradients": {
            name: ops.convert_to_numpy(one).tolist() for name, one in zip(PARTS, gradients(loss, parts))
        },
    }


def switches(method):
    yes_or_no = [name for name, one in method.parameters.items() if one.structural and isinstance(one.default, bool)]
    return [{}, *({name: not method.parameters[name].default} for name in yes_or_no)]


print(json.dumps({
    name: [outcome(method, structural) for structural in switches(method)]
    for name, method in METHODS.items()
    if isinstance(method, Joint | PostTraining)
}))
"""


@cache
def run_on(backend):
    """The script's process on a backend, run once for all tests."""
    return subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
    )


def outcomes(backend):
    """Of every method: its losses and gradients on one fixed batch, at its defaults and with each switch turned."""
    run = run_on(backend)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout.splitlines()[-1])


@pytest.fixture(params=BACKENDS)
def backend(request):
    """A backend that is installed."""
    if importlib.util.find_spec(request.param) is None:
        pytest.skip(f"{request.param} is not installed, so that Keras cannot run on it here")
    return request.param


@pytest.mark.parametrize("name", WITH_LOSS)
def test_losses_agree_with_tensorflows(name, backend):
    for expected, seen in zip(outcomes("tensorflow")[name], outcomes(backend)[name], strict=True):
        assert np.isfinite(expected["eager"])
        assert seen["eager"] == pytest.approx(expected["eager"], rel=1e-4, abs=1e-5)
        assert seen["compiled"] == pytest.approx(expected["eager"], rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("name", WITH_LOSS)
def test_gradients_agree_with_tensorflows(name, backend):
    for expected, seen in zip(outcomes("tensorflow")[name], outcomes(backend)[name], strict=True):
        for part in PARTS:
            assert np.array(seen["gradients"][part]) == pytest.approx(
                np.array(expected["gradients"][part]), rel=1e-4, abs=1e-5
            )
