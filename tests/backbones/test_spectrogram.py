"""A window's picture is its log-spectrogram: against NumPy's own Fourier transform, for windows of every kind."""

import keras
import numpy as np
import pytest

from autotl.backbones.spectrogram import spectrogram_image


def pictures(samples: np.ndarray, size: int = 32) -> np.ndarray:
    inputs = keras.Input(samples.shape[1:])
    return np.asarray(keras.Model(inputs, spectrogram_image(inputs, size=size))(samples.astype(np.float32)))


def by_numpy(window: np.ndarray, size: int) -> np.ndarray:
    """The oracle: (frames, bins) of one channel in grey, not yet resized. Reflected ends, periodic Hann window."""
    length = len(window)
    step = max(1, length // size)
    frame = min(_power_of_two(max(32, 8 * step)), _power_of_two(length) // 2)
    padded = np.pad(window.astype(np.float64), frame, mode="reflect")
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(frame) / frame)
    weights = np.pad(hann, frame // 2)
    starts = range(0, len(padded) - 2 * frame + 1, step)
    spectrum = np.stack([np.fft.rfft(padded[start : start + 2 * frame] * weights) for start in starts])
    loudness = np.log(np.abs(spectrum) + 1e-6)
    loudness = (loudness - loudness.mean()) / (loudness.std() + 1e-6)
    return np.clip((loudness + 3) * 255 / 6, 0, 255)


def _power_of_two(number: int) -> int:
    return 2 ** int(np.ceil(np.log2(number)))


def resized(grey: np.ndarray, size: int) -> np.ndarray:
    layer = keras.layers.Resizing(size, size, antialias=True)
    return np.asarray(layer(grey[None, :, :, None].astype(np.float32)))[0, :, :, 0]


@pytest.mark.parametrize(("length", "size"), [(1_024, 96), (1_024, 32), (200, 64), (33, 32), (2_048, 128)])
def test_the_picture_is_that_of_numpys_fourier_transform(length, size):
    draws = np.random.default_rng(length)
    time = np.arange(length)
    window = np.sin(2 * np.pi * 0.11 * time) + 0.5 * np.sin(2 * np.pi * 0.31 * time) + 0.1 * draws.normal(size=length)
    picture = pictures(window[None, :, None], size)[0]
    assert picture.shape == (size, size, 3)
    np.testing.assert_array_equal(picture[..., 0], picture[..., 2])
    np.testing.assert_allclose(picture[..., 0], resized(by_numpy(window, size), size), atol=0.5)


def test_frequency_runs_to_the_right_and_time_downwards():
    time = np.arange(1_024)
    low, high = (np.sin(2 * np.pi * frequency * time) for frequency in (0.05, 0.4))
    first_low = np.where(time < 512, low, high)
    grey = pictures(np.stack([low, high, first_low])[:, :, None])[..., 0]
    brightest = grey.mean(axis=1).argmax(axis=1) / 32
    assert brightest[0] == pytest.approx(0.1, abs=0.05)  # of the highest frequency, half a cycle a sample
    assert brightest[1] == pytest.approx(0.8, abs=0.05)
    assert grey[2, 4].argmax() < 8 < 20 < grey[2, 28].argmax()


def test_channels_stand_side_by_side():
    time = np.arange(512)
    quiet_noise = 0.01 * np.random.default_rng(0).normal(size=512)
    tone = np.sin(2 * np.pi * 0.25 * time)
    grey = pictures(np.stack([tone, quiet_noise], axis=1)[None], size=64)[0, :, :, 0]
    swapped = pictures(np.stack([quiet_noise, tone], axis=1)[None], size=64)[0, :, :, 0]
    assert grey[32].argmax() == pytest.approx(16, abs=2)
    assert swapped[32].argmax() == pytest.approx(48, abs=2)


def test_loudness_alone_tells_nothing_and_each_window_is_scaled_by_itself():
    window = np.random.default_rng(0).normal(size=(1, 512, 1))
    both = pictures(np.concatenate([window, 1_000 * window]))
    np.testing.assert_allclose(both[0], both[1], atol=0.5)
    np.testing.assert_allclose(pictures(window)[0], both[0], atol=1e-2)


@pytest.mark.parametrize("value", [0.0, 1.0, -1e6, 1e-20])
def test_a_window_that_never_changes_has_a_picture_without_a_hole(value):
    picture = pictures(np.full((1, 256, 2), value))
    assert np.isfinite(picture).all()
    assert picture.min() > -1e-3
    assert picture.max() < 255 + 1e-3
    if abs(value) < 1e-6:
        np.testing.assert_allclose(picture, 127.5, atol=10, err_msg="silence is grey, whatever its rounding")


@pytest.mark.parametrize("length", [4, 5, 7, 8, 9, 16, 31, 32, 33, 63, 65])
@pytest.mark.parametrize("size", [16, 96])
def test_a_short_window_has_a_picture_too(length, size):
    picture = pictures(np.random.default_rng(0).normal(size=(2, length, 1)), size)
    assert picture.shape == (2, size, size, 3)
    assert np.isfinite(picture).all()
    assert np.ptp(picture) > 50


def test_a_picture_uses_its_range_of_greys():
    picture = pictures(np.random.default_rng(0).normal(size=(4, 1_024, 1)), 64)
    assert picture.min() < 60
    assert picture.max() > 180
    assert picture.mean() == pytest.approx(127.5, abs=10)


def test_a_saved_model_draws_the_same_without_autotl(tmp_path, elsewhere):
    samples = np.random.default_rng(0).normal(size=(3, 300, 2)).astype(np.float32)
    inputs = keras.Input((300, 2))
    model = keras.Model(inputs, spectrogram_image(inputs, size=48))
    model.save(tmp_path / "picture.keras")
    np.save(tmp_path / "samples.npy", samples)
    program = (
        "import keras, numpy as np\n"
        "model = keras.saving.load_model('picture.keras', safe_mode=True)\n"
        "np.save('pictures.npy', model(np.load('samples.npy')))"
    )
    elsewhere(program, tmp_path)
    np.testing.assert_array_equal(np.load(tmp_path / "pictures.npy"), np.asarray(model(samples)))
