"""Classical features of vibration and other windows: moments, shape factors and the spectrum's shape, per channel.

The set follows the condition-monitoring literature (e.g. Lei et al., "Machinery health prognostics", Mechanical Systems
and Signal Processing 104, 2018). Only the five amplitudes depend on the scale of the signal; ratios and band energies,
as shares of the whole, do not.
"""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

FEWEST_SAMPLES = 8
MOST_LINEAR_BANDS = 32
AMPLITUDES = ("mean", "standard_deviation", "root_mean_square", "peak", "peak_to_peak")
SHAPES = (
    "skewness",
    "kurtosis",
    "crest_factor",
    "shape_factor",
    "impulse_factor",
    "clearance_factor",
    "zero_crossing_rate",
)
SPECTRUM = ("spectral_centroid", "spectral_spread", "spectral_entropy")

_RESOLUTION = 1e-7  # relative step of float32: a window that varies by less is constant
_LEAST_SHARE = 1e-9  # of the energy, so that an empty band has a logarithm
_CHUNK_VALUES = 1 << 22

Windows = NDArray[np.float32]  # (n, samples, channels)
Values = NDArray[np.float64]


def signal_features(windows: Windows) -> NDArray[np.float32]:
    """Features (n, channels × features) of windows (n, samples, channels), channel by channel; always finite.

    Raises:
        ValueError: not windows, or fewer samples than a spectrum needs.
    """
    if windows.ndim != 3 or windows.shape[1] < FEWEST_SAMPLES or not windows.shape[2]:
        raise ValueError(
            f"signal features take windows (n, samples, channels) of {FEWEST_SAMPLES} samples or more; "
            f"these have shape {windows.shape}."
        )
    count, samples, channels = windows.shape
    width = len(feature_names(samples, channels))
    features = np.empty((count, width), dtype=np.float32)
    limit = np.finfo(np.float32).max
    step = max(_CHUNK_VALUES // (samples * channels), 1)
    for start in range(0, count, step):
        chunk = windows[start : start + step].astype(np.float64)
        columns = [_of_channel(chunk[:, :, channel]) for channel in range(channels)]
        features[start : start + step] = np.clip(np.concatenate(columns, axis=1), -limit, limit)
    return features


def feature_names(samples: int, channels: int) -> list[str]:
    """What the columns of `signal_features` are, e.g. `channel0.kurtosis`."""
    bands = [f"{kind}_band{index}" for kind, edges in _bands(samples) for index in range(len(edges) - 1)]
    of_channel = [*AMPLITUDES, *SHAPES, *SPECTRUM, *bands]
    return [f"channel{channel}.{name}" for channel in range(channels) for name in of_channel]


def _of_channel(signal: Values) -> Values:
    amplitudes = _amplitudes(signal)
    peak = amplitudes[:, AMPLITUDES.index("peak")]
    # ratios are taken on a signal of peak one, so that no power of a large or tiny amplitude overflows or vanishes
    scaled = signal / np.where(peak > 0, peak, 1.0)[:, None]
    centred = scaled - scaled.mean(axis=1, keepdims=True)
    centred[centred.std(axis=1) <= _RESOLUTION] = 0.0
    return np.concatenate([amplitudes, _shapes(scaled, centred), _spectrum(centred)], axis=1)


def _amplitudes(signal: Values) -> Values:
    return np.stack(
        [
            signal.mean(axis=1),
            signal.std(axis=1),
            np.sqrt(np.square(signal).mean(axis=1)),
            np.abs(signal).max(axis=1),
            np.ptp(signal, axis=1),
        ],
        axis=1,
    )


def _shapes(scaled: Values, centred: Values) -> Values:
    """Of signals of peak one; zero where a ratio has nothing below the line."""
    spread = centred.std(axis=1)
    magnitude = np.abs(scaled)
    mean_magnitude = magnitude.mean(axis=1)
    root = np.sqrt(np.square(scaled).mean(axis=1))
    peak = magnitude.max(axis=1)
    signs = np.signbit(centred)
    return np.stack(
        [
            _ratio((centred**3).mean(axis=1), spread**3),
            _ratio((centred**4).mean(axis=1), spread**4),
            _ratio(peak, root),
            _ratio(root, mean_magnitude),
            _ratio(peak, mean_magnitude),
            _ratio(peak, np.square(np.sqrt(magnitude).mean(axis=1))),
            (signs[:, 1:] != signs[:, :-1]).mean(axis=1),
        ],
        axis=1,
    )


def _spectrum(centred: Values) -> Values:
    samples = centred.shape[1]
    power = np.square(np.abs(np.fft.rfft(centred * np.hanning(samples), axis=1)))
    power[:, 0] = 0.0  # what the window leaks of the mean
    total = power.sum(axis=1, keepdims=True)
    shares = np.divide(power, total, out=np.zeros_like(power), where=total > 0)
    frequencies = np.linspace(0.0, 1.0, power.shape[1])  # 1 is half the sampling rate
    centroid = shares @ frequencies
    spread = np.sqrt((shares * np.square(frequencies - centroid[:, None])).sum(axis=1))
    entropy = -(shares * np.log(np.where(shares > 0, shares, 1.0))).sum(axis=1) / np.log(power.shape[1])
    energies = [
        np.log(shares[:, low:high].sum(axis=1) + _LEAST_SHARE)
        for _, edges in _bands(samples)
        for low, high in pairwise(edges)
    ]
    return np.stack([centroid, spread, entropy, *energies], axis=1)


def _bands(samples: int) -> Iterator[tuple[str, list[int]]]:
    """Edges, in bins of the spectrum, of equally wide bands and of octaves; neither holds bin 0, the mean."""
    bins = samples // 2 + 1
    linear = min(MOST_LINEAR_BANDS, bins - 1)
    yield "linear", np.linspace(1, bins, linear + 1).astype(int).tolist()
    octaves = [1]
    while octaves[-1] * 2 < bins:
        octaves.append(octaves[-1] * 2)
    yield "octave", [*octaves, bins]


def _ratio(part: Values, whole: Values) -> Values:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
