"""Windows are varied as other machines would give them, and told by their spectra."""

import numpy as np
import pytest

from autotl.trial.lessons import log_spectra, varied_windows


def test_varied_windows_keep_shape_loudness_and_tone() -> None:
    tone = np.sin(2 * np.pi * 0.1 * np.arange(512))[None, :, None].repeat(64, axis=0).astype(np.float32)
    varied = varied_windows(tone + 3.0, np.random.default_rng(0))
    assert varied.shape == tone.shape
    assert varied.dtype == np.float32
    np.testing.assert_allclose(varied.mean(axis=1), 3.0, atol=0.1)
    frequencies = np.abs(np.fft.rfft(varied[..., 0] - 3.0)).argmax(axis=1) / 512
    assert np.abs(frequencies - 0.1).max() < 0.008
    assert len(np.unique(frequencies)) > 3
    assert 0.3 < varied.std(axis=1).min() < varied.std(axis=1).max() < 2.5


def test_short_windows_can_be_varied_too() -> None:
    assert np.isfinite(varied_windows(np.ones((3, 4, 2), dtype=np.float32), np.random.default_rng(0))).all()


def test_a_spectrum_says_where_a_tone_is_and_not_how_loud() -> None:
    times = np.arange(512)
    tones = np.stack([np.sin(2 * np.pi * frequency * times) for frequency in (0.01, 0.1, 0.4)])[..., None]
    told = log_spectra(tones.astype(np.float32))
    assert told.shape[0] == 3
    assert told.dtype == np.float32
    assert (np.diff(told.argmax(axis=1)) > 0).all()
    np.testing.assert_allclose(log_spectra((50 * tones + 7).astype(np.float32)), told, atol=0.05)
    noise = np.random.default_rng(0).normal(size=(200, 512, 2)).astype(np.float32)
    assert np.exp(log_spectra(noise)).mean() == pytest.approx(1.0, abs=0.05)
    assert log_spectra(noise).shape == (200, 2 * told.shape[1])


@pytest.mark.parametrize("samples", [4, 5, 33])
def test_spectra_of_short_and_of_silent_windows_are_finite(samples: int) -> None:
    assert np.isfinite(log_spectra(np.full((2, samples, 3), 0.1, dtype=np.float32))).all()
