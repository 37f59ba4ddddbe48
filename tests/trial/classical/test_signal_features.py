"""Features against plain formulas, and on windows that have nothing to say."""

import numpy as np
import pytest
from scipy import stats

from autotl.trial.classical.signal_features import feature_names, signal_features


def of(window: np.ndarray) -> dict[str, float]:
    """The features of one window of one channel, by name."""
    windows = np.asarray(window, np.float32)[None, :, None]
    names = [name.removeprefix("channel0.") for name in feature_names(windows.shape[1], 1)]
    return dict(zip(names, signal_features(windows)[0].tolist(), strict=True))


def noise(samples: int = 512, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(loc=0.3, size=samples).astype(np.float32)


def test_moments_and_factors_are_the_textbook_ones():
    window = noise().astype(np.float64)
    found, magnitude = of(window), np.abs(window)
    root = np.sqrt((window**2).mean())
    expected = {
        "mean": window.mean(),
        "standard_deviation": window.std(),
        "root_mean_square": root,
        "peak": magnitude.max(),
        "peak_to_peak": window.max() - window.min(),
        "skewness": stats.skew(window),
        "kurtosis": stats.kurtosis(window, fisher=False),
        "crest_factor": magnitude.max() / root,
        "shape_factor": root / magnitude.mean(),
        "impulse_factor": magnitude.max() / magnitude.mean(),
        "clearance_factor": magnitude.max() / np.sqrt(magnitude).mean() ** 2,
        "zero_crossing_rate": np.mean(np.diff(np.sign(window - window.mean())) != 0),
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected, rel=1e-4)


def test_a_tone_stands_at_its_own_frequency():
    tone = of(np.sin(2 * np.pi * 0.125 * np.arange(1_024)))  # a quarter of half the sampling rate
    assert tone["spectral_centroid"] == pytest.approx(0.25, abs=0.005)
    assert tone["spectral_entropy"] < 0.3 < 0.8 < of(noise(1_024))["spectral_entropy"]
    linear = {name: value for name, value in tone.items() if name.startswith("linear")}
    assert max(linear, key=linear.get) in ("linear_band7", "linear_band8")  # of 32


def test_only_amplitudes_depend_on_the_scale():
    window = noise()
    for factor in (1e-20, 1e-3, 1e6, 1e30):
        for name, value in of(window.astype(np.float64) * factor).items():
            same = name not in ("mean", "standard_deviation", "root_mean_square", "peak", "peak_to_peak")
            assert value == pytest.approx(of(window)[name] * (1 if same else factor), rel=2e-3, abs=0), (name, factor)


@pytest.mark.parametrize("value", [0.0, 0.1, -7.3, 1e-38, 3e38])
def test_a_constant_window_has_finite_features_and_no_shape(value):
    found = of(np.full(100, value))
    assert np.isfinite(list(found.values())).all()
    assert found["standard_deviation"] == pytest.approx(0.0, abs=1e-6 * abs(value))
    assert [found[name] for name in ("skewness", "kurtosis", "spectral_centroid", "zero_crossing_rate")] == [0.0] * 4


def test_the_largest_swing_that_float32_holds_stays_finite():
    assert np.isfinite(list(of(np.tile([3e38, -3e38], 50)).values())).all()


@pytest.mark.parametrize(("samples", "channels"), [(8, 1), (9, 3), (64, 2), (1_000, 1)])
def test_there_is_a_name_for_every_feature(samples, channels):
    windows = np.random.default_rng(0).normal(size=(4, samples, channels)).astype(np.float32)
    found = signal_features(windows)
    assert found.shape == (4, len(feature_names(samples, channels)))
    assert len(set(feature_names(samples, channels))) == found.shape[1]
    assert np.isfinite(found).all()


def test_channels_and_windows_do_not_touch_each_other(monkeypatch):
    windows = np.random.default_rng(0).normal(size=(7, 64, 3)).astype(np.float32)
    whole = signal_features(windows)
    apart = np.concatenate([signal_features(windows[:, :, [channel]]) for channel in range(3)], axis=1)
    np.testing.assert_array_equal(whole, apart)
    monkeypatch.setattr("autotl.trial.classical.signal_features._CHUNK_VALUES", 2 * 64 * 3)
    np.testing.assert_array_equal(signal_features(windows), whole)


@pytest.mark.parametrize("shape", [(4, 100), (4, 7, 1), (4, 100, 0)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(ValueError, match="samples"):
        signal_features(np.zeros(shape, np.float32))
