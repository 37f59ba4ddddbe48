"""The padding rule against an independent slow formula: TensorFlow's "SAME" on even sizes."""

import keras
import numpy as np
import pytest

from autotl.backbones.efficientnet_lite import _embedded


@pytest.mark.parametrize(("size", "stride", "offset"), [(3, 2, 2), (5, 2, 2), (3, 1, 1), (5, 1, 1)])
def test_an_embedded_kernel_with_symmetric_padding_equals_same_padding(size: int, stride: int, offset: int) -> None:
    draw = np.random.default_rng(size)
    image = draw.normal(size=(1, 8, 8, 2)).astype("float32")
    kernel = draw.normal(size=(size, size, 2, 1)).astype("float32")
    expected = keras.ops.depthwise_conv(image, kernel, strides=stride, padding="same")
    half = (size + 2) // 2
    padded = np.pad(image, ((0, 0), (half, half), (half, half), (0, 0)))
    embedded = keras.ops.depthwise_conv(padded, _embedded(kernel, offset), strides=stride, padding="valid")
    np.testing.assert_allclose(np.asarray(embedded), np.asarray(expected), atol=1e-5)
