"""A division changes nothing but what is trained: suffix after prefix is the network, to the last bit."""

from pathlib import Path

import keras
import numpy as np
import pytest
from toys import SIZE, images, skipping_network

from autotl.backbones import BackboneSpec, Division, Network, build_network, divide
from autotl.backbones.form import of_images
from autotl.backbones.graph import crossings
from autotl.errors import TaskError


def difference(division: Division, pixels: np.ndarray) -> float:
    whole = np.asarray(division.network.whole(pixels, training=False))
    crossing = division.prefix(pixels, training=False)
    return float(np.abs(np.asarray(division.suffix(crossing, training=False)) - whole).max())


class SuffixWithHead(keras.Model):
    """As a trial trains it."""

    def __init__(self, suffix: keras.Model) -> None:
        super().__init__()
        self.suffix = suffix
        self.head = keras.layers.Dense(2)

    def call(self, crossing: keras.KerasTensor) -> keras.KerasTensor:
        return self.head(self.suffix(crossing, training=False))


@pytest.fixture(scope="module")
def skipping() -> Network:
    return skipping_network()


@pytest.fixture(scope="module")
def mobile() -> Network:
    return build_network(BackboneSpec("application", "MobileNetV2"), form=of_images(64))


@pytest.mark.parametrize("unfrozen_layers", [0, 1, 2, 3, 4, 5, 6, 7, "all"])
def test_no_difference_for_any_cut_through_skips_and_sharing(skipping: Network, unfrozen_layers: int | str) -> None:
    assert difference(divide(skipping, unfrozen_layers), images()) == 0.0


@pytest.mark.parametrize("unfrozen_layers", [0, 1, 4, 12, 24, "all"])
def test_no_difference_for_mobilenet(mobile: Network, unfrozen_layers: int | str) -> None:
    assert difference(divide(mobile, unfrozen_layers), images(size=64)) == 0.0


@pytest.mark.parametrize("unfrozen_layers", [0, 3, 9, "all"])
def test_no_difference_for_the_network_from_scratch(unfrozen_layers: int | str) -> None:
    network = build_network(BackboneSpec("scratch", "small_cnn"), form=of_images(32))
    assert difference(divide(network, unfrozen_layers), images(size=32)) == 0.0


def test_no_difference_for_real_weights(shared_weights: Path) -> None:
    spec = BackboneSpec("preset", str(shared_weights / "efficientnet_lite0"))
    network = build_network(spec, form=of_images(64))
    for unfrozen_layers in (0, 4, 12, "all"):
        assert difference(divide(network, unfrozen_layers), images(size=64)) == 0.0


def test_exactly_the_last_layers_are_trainable(skipping: Network) -> None:
    division = divide(skipping, 3)
    assert [layer.name for layer in division.unfrozen] == ["deep", "down", "top"]
    names = {variable.path for variable in division.suffix.trainable_variables}
    assert names == {"deep/kernel", "deep/bias", "down/kernel", "down/bias", "top/gamma", "top/beta"}
    assert division.prefix.trainable_variables == []


def test_an_unfrozen_batch_normalisation_learns_but_keeps_its_statistics() -> None:
    network = skipping_network()
    division = divide(network, 1)
    norm = network.layers[-1]
    before = {weight.name: weight.numpy() for weight in norm.weights}
    stored = division.prefix(images(8), training=False)
    model = SuffixWithHead(division.suffix)
    model.compile("sgd", "mse", jit_compile=False)
    model.fit(stored, np.ones((8, 2)), epochs=2, verbose=0)
    after = {weight.name: weight.numpy() for weight in norm.weights}
    assert all(np.array_equal(after[name], before[name]) for name in ("moving_mean", "moving_variance"))
    assert not np.array_equal(after["gamma"], before["gamma"])


def test_the_pixels_cross_where_all_layers_are_unfrozen(skipping: Network) -> None:
    division = divide(skipping, "all")
    assert division.place == "pixels"
    assert [(crossing.shape, crossing.dtype) for crossing in division.crossing] == [((SIZE, SIZE, 3), "uint8")]
    assert division.bytes_per_example == SIZE * SIZE * 3
    assert len(division.unfrozen) == len(skipping.layers)


def test_features_cross_where_none_is_unfrozen(mobile: Network) -> None:
    division = divide(mobile, 0)
    assert [crossing.shape for crossing in division.crossing] == [(1280,)]
    assert division.unfrozen == [] == division.suffix.trainable_variables


def test_the_cut_is_the_cheapest_place_shortly_before_the_first_unfrozen_layer(mobile: Network) -> None:
    division = divide(mobile, 4)  # from block_16_project on, whose input is six times as wide as the block's
    assert division.place == "block_15_add"
    assert division.bytes_per_example == 2 * 2 * 160 * 4


def test_several_tensors_cross_where_a_skip_passes_over_the_cut(skipping: Network) -> None:
    places = crossings(skipping.whole)
    assert max(len(place) for place in places) >= 2
    assert divide(skipping, 5).place == "pixels"  # three bytes a pixel are cheaper than any map of it


def test_a_limit_moves_the_cut_to_the_nearest_smaller_place(mobile: Network) -> None:
    free = divide(mobile, 1)
    limited = divide(mobile, 1, max_bytes_per_example=free.bytes_per_example - 1)
    assert limited.bytes_per_example < free.bytes_per_example
    assert limited.place == "block_15_add"
    assert difference(limited, images(size=64)) == 0.0
    impossible = divide(mobile, 1, max_bytes_per_example=1)
    assert impossible.bytes_per_example == min(free.bytes_per_example, 2 * 2 * 160 * 4)


def test_the_digest_names_the_place_not_the_number_of_unfrozen_layers(mobile: Network) -> None:
    assert divide(mobile, 4).digest == divide(mobile, 5).digest
    assert divide(mobile, 4).digest != divide(mobile, 24).digest
    assert divide(mobile, "all").digest != divide(mobile, 0).digest


def test_a_division_puts_back_weights_and_freezing_of_another() -> None:
    network = skipping_network()
    shallow = divide(network, 1)
    deep = divide(network, 4)
    for layer in deep.unfrozen:
        layer.set_weights([weight + 1 for weight in layer.get_weights()])
    shallow.activate()
    assert [variable.path for variable in shallow.suffix.trainable_variables] == ["top/gamma", "top/beta"]
    fresh = np.asarray(skipping_network().whole(images(), training=False))
    np.testing.assert_array_equal(np.asarray(network.whole(images(), training=False)), fresh)


@pytest.mark.parametrize("unfrozen_layers", [8, -1])
def test_more_layers_than_there_are_is_an_error_with_the_count(skipping: Network, unfrozen_layers: int | str) -> None:
    with pytest.raises(TaskError, match=r"has 7 layers that own weights. Allowed: 0 to 7, or 'all'"):
        divide(skipping, unfrozen_layers)
