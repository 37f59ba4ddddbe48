"""Every backend says in its own words that memory could not be had."""

import numpy as np
import pytest

from autotl.features.engine import ran_out_of_memory


class ResourceExhaustedError(Exception):
    """As TensorFlow names it."""


class OutOfMemoryError(RuntimeError):
    """As torch names it."""


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        ResourceExhaustedError("OOM when allocating tensor with shape[64,112,112,96]"),
        OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("RESOURCE_EXHAUSTED: Out of memory while trying to allocate 21474836480 bytes."),  # JAX
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 400000000000 bytes."),  # torch
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
    ],
)
def test_a_want_of_memory_is_recognised(error):
    assert ran_out_of_memory(error)


def test_numpy_says_it_so_too():
    with pytest.raises(MemoryError) as caught:
        np.zeros(1 << 60, dtype=np.uint8)
    assert ran_out_of_memory(caught.value)


def test_tensorflow_says_it_so_too():
    import tensorflow as tf

    with pytest.raises(tf.errors.ResourceExhaustedError) as caught:
        tf.zeros((1 << 22, 1 << 22))
    assert ran_out_of_memory(caught.value)


@pytest.mark.parametrize("error", [ValueError("shapes differ"), RuntimeError("out of range"), OSError("disk full")])
def test_other_troubles_are_others(error):
    assert not ran_out_of_memory(error)
