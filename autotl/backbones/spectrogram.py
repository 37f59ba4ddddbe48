"""What an image backbone sees of a signal: the log-spectrogram of a window, as a picture."""

import keras
from keras import ops

OVERLAP = 8  # frames that each sample lies in
SHORTEST_FRAME = 32  # samples
BRIGHTEST = 3.0  # standard deviations above the mean of the window's own log-spectrogram; as many below are black
FLOOR = 1e-6  # of a magnitude, so that silence has a logarithm
LEAST_DEVIATION = 1e-3  # of a log-spectrogram; less is rounding, which must not be blown up into a pattern


def spectrogram_image(samples: keras.KerasTensor, *, size: int) -> keras.KerasTensor:
    """Grey pictures 0..255 of shape (n, size, size, 3): time downwards, frequency to the right, channels side by side.

    Plain Keras operations without weights, so a saved model loads without autotl. Each window is scaled by its own mean
    and deviation: how loud a machine was recorded tells nothing of its faults.

    Args:
        samples: windows (n, samples, channels).
        size: pixels a side.
    """
    _, length, channels = samples.shape
    step = max(1, length // size)
    frame = min(_power_of_two(max(SHORTEST_FRAME, OVERLAP * step)), _power_of_two(length) // 2)
    real, imaginary = ops.stft(ops.transpose(samples, (0, 2, 1)), frame, step, 2 * frame)
    loudness = ops.log(ops.sqrt(ops.square(real) + ops.square(imaginary)) + FLOOR)  # (n, channels, frames, bins)
    loudness = loudness - ops.mean(loudness, axis=(1, 2, 3), keepdims=True)
    loudness = loudness / ops.maximum(ops.std(loudness, axis=(1, 2, 3), keepdims=True), LEAST_DEVIATION)
    frames, bins = loudness.shape[2:]
    beside = ops.reshape(ops.transpose(loudness, (0, 2, 1, 3)), (-1, frames, channels * bins, 1))
    grey = ops.clip((beside + BRIGHTEST) * (255.0 / (2 * BRIGHTEST)), 0.0, 255.0)
    picture = keras.layers.Resizing(size, size, antialias=True, name="spectrogram")(grey)
    return ops.tile(picture, (1, 1, 1, 3))


def _power_of_two(number: int) -> int:
    """The smallest one that is not below a number."""
    return 1 << (number - 1).bit_length()
