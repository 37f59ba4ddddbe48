"""A one-dimensional residual network over windows of a signal."""

import keras
import numpy as np
from keras import ops

STEM_CHANNELS = 32
STAGE_CHANNELS = (64, 128, 128)
GROUPS = 8
STEM_MAP = 128  # the stem brings any window to about this many places, so that the cost hardly depends on its length
LARGEST_STRIDE = 32  # of the stem; longer windows keep more places
KERNEL_STRIDES = 8  # length of the first kernel in strides: wide enough to tell frequencies apart
LEAST_DEVIATION = 1e-12  # of a channel; its square is still a number


def residual_cnn(window: tuple[int, int], *, seed: int) -> keras.Model:
    """A Keras model of some 0.25 M weights from windows (n, samples, channels) to maps (n, places, 128).

    Each channel of a window is standardised by its own mean and deviation inside the graph: where a sensor's zero lies
    and how loud a machine was recorded tells nothing of its faults. Group normalisation as in `small_cnn`: nothing
    depends on the batch. Plain Keras operations only, so a saved model loads without autotl.

    Args:
        window: samples and channels.
        seed: of all its weights.
    Papers: Zhang et al., "A New Deep Learning Model for Fault Diagnosis with Good Anti-Noise and Domain Adaptation
    Ability on Raw Vibration Signals", Sensors 17(2), 2017 (the wide first kernel); He et al., "Identity Mappings in
    Deep Residual Networks", ECCV 2016 (arXiv:1603.05027); Wu & He, "Group Normalization", ECCV 2018
    (arXiv:1803.08494).
    """
    draws = np.random.default_rng(seed)

    def convolution(channels: int, kernel_size: int, strides: int, name: str) -> keras.layers.Layer:
        return keras.layers.Conv1D(
            channels,
            kernel_size,
            strides=strides,
            padding="same",
            use_bias=False,
            kernel_initializer=keras.initializers.HeNormal(seed=int(draws.integers(2**31))),
            name=name,
        )

    def normalised(features: keras.KerasTensor, name: str) -> keras.KerasTensor:
        return keras.layers.ReLU(name=f"{name}_relu")(
            keras.layers.GroupNormalization(GROUPS, name=f"{name}_norm")(features)
        )

    stride = stem_stride(window)
    samples = keras.Input(window, name="window")
    features = convolution(STEM_CHANNELS, KERNEL_STRIDES * stride, stride, "stem_conv")(_standardised(samples))
    for number, channels in enumerate(STAGE_CHANNELS, start=1):
        block = f"block{number}"
        active = normalised(features, f"{block}_first")
        shortcut = convolution(channels, 1, 2, f"{block}_shortcut_conv")(active)
        residual = convolution(channels, 3, 2, f"{block}_first_conv")(active)
        residual = convolution(channels, 3, 1, f"{block}_second_conv")(normalised(residual, f"{block}_second"))
        features = keras.layers.Add(name=f"{block}_add")([shortcut, residual])
    return keras.Model(samples, normalised(features, "top"), name="residual_cnn")


def stem_stride(window: tuple[int, int]) -> int:
    """Samples from one place of the stem's map to the next."""
    return min(LARGEST_STRIDE, max(1, round(window[0] / STEM_MAP)))


def _standardised(samples: keras.KerasTensor) -> keras.KerasTensor:
    """Zero throughout where a channel never changes."""
    shifted = samples - samples[:, :1]  # exact zeros for a constant, where a mean would leave rounding to be amplified
    centred = shifted - ops.mean(shifted, axis=1, keepdims=True)
    deviation = ops.sqrt(ops.mean(ops.square(centred), axis=1, keepdims=True))
    return centred / ops.maximum(deviation, LEAST_DEVIATION)
