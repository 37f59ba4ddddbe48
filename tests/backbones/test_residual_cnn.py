"""The network over windows: it hears neither where a sensor's zero lies nor how loud, and can be cut at every block."""

from pathlib import Path

import keras
import numpy as np
import pytest

from autotl.backbones import BackboneSpec, count_parameters, divide, flops_of_one_prediction
from autotl.backbones.form import Form
from autotl.backbones.network import network_of
from autotl.backbones.origin import Loaded
from autotl.backbones.residual_cnn import STAGE_CHANNELS, residual_cnn, stem_stride

WINDOW = (256, 2)


def windows(count: int = 4, window: tuple[int, int] = WINDOW, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, *window)).astype(np.float32)


def test_its_size_and_cost_suit_one_core() -> None:
    assert 100_000 < count_parameters(residual_cnn((1024, 1), seed=0)) < 500_000
    flops = [flops_of_one_prediction(residual_cnn((length, 1), seed=0), (length, 1)) for length in (256, 1024, 4096)]
    assert max(flops) < 2 * min(flops) < 50e6


def test_weights_depend_on_the_seed_alone() -> None:
    one, again, other = (residual_cnn(WINDOW, seed=seed).get_weights() for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(one, again, strict=True))
    assert not np.array_equal(one[0], other[0])


def test_nothing_in_it_depends_on_the_batch() -> None:
    model = residual_cnn(WINDOW, seed=0)
    assert not any(isinstance(layer, keras.layers.BatchNormalization) for layer in model.layers)
    assert model.non_trainable_variables == []


def test_zero_and_loudness_of_each_channel_change_nothing() -> None:
    model = residual_cnn(WINDOW, seed=0)
    quiet = windows()
    loud = quiet * np.array([8.0, 0.125], dtype=np.float32) + np.array([100.0, -3.0], dtype=np.float32)
    np.testing.assert_allclose(model.predict_on_batch(loud), model.predict_on_batch(quiet), atol=2e-3)
    tiny = quiet * np.float32(1e-9)
    np.testing.assert_allclose(model.predict_on_batch(tiny), model.predict_on_batch(quiet), atol=2e-3)


@pytest.mark.parametrize("level", [0.0, 0.1, -1000.1, 3e5])
def test_a_window_that_never_changes_gives_the_features_of_silence(level: float) -> None:
    model = residual_cnn(WINDOW, seed=0)
    silence = model.predict_on_batch(np.zeros((1, *WINDOW), dtype=np.float32))
    constant = model.predict_on_batch(np.full((1, *WINDOW), level, dtype=np.float32))
    assert np.isfinite(constant).all()
    assert np.abs(constant - silence).max() < 0.1


@pytest.mark.parametrize("window", [(4, 1), (33, 3), (1000, 1), (20_000, 1)])
def test_windows_of_any_length_will_do(window: tuple[int, int]) -> None:
    maps = residual_cnn(window, seed=0).predict_on_batch(windows(2, window))
    assert np.isfinite(maps).all()
    assert maps.shape[1] == -(-window[0] // (stem_stride(window) * 2 ** len(STAGE_CHANNELS)))


def test_it_can_be_cut_at_every_block_without_a_difference() -> None:
    spec = BackboneSpec("pretrained_on_source", "pretrained_on_source")
    network = network_of(Loaded(residual_cnn(WINDOW, seed=0)), spec, form=Form("signal", window=WINDOW), tap="last")
    assert len(network.layers) == 17
    assert network.feature_width == 128
    samples = windows(3)
    whole = np.asarray(network.whole(samples, training=False))
    for unfrozen in [*range(len(network.layers) + 1), "all"]:
        division = divide(network, unfrozen)
        again = np.asarray(division.suffix(division.prefix(samples, training=False), training=False))
        assert np.abs(again - whole).max() == 0.0


def test_it_is_saved_and_loaded_in_safe_mode(tmp_path: Path) -> None:
    model = residual_cnn(WINDOW, seed=0)
    model.save(tmp_path / "network.keras")
    again = keras.models.load_model(tmp_path / "network.keras", safe_mode=True)
    np.testing.assert_array_equal(again.predict_on_batch(windows()), model.predict_on_batch(windows()))
