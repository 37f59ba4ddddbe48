"""A network is pixels in, features out; its layers, taps and digest mean the same in every process."""

import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from toys import images, skipping_network

from autotl.backbones import BackboneSpec, Network, build_network, divide
from autotl.backbones.form import of_images
from autotl.errors import TaskError

SMALL = BackboneSpec("scratch", "small_cnn")
MOBILE = BackboneSpec("application", "MobileNetV2")


@pytest.fixture(scope="module")
def mobile() -> Network:
    return build_network(MOBILE, form=of_images(64))


def test_layers_are_listed_in_forward_order_each_with_weights_of_its_own() -> None:
    names = [layer.name for layer in skipping_network().layers]
    assert names == ["stem", "shared", "inner_conv", "inner_norm", "deep", "down", "top"]


def test_the_whole_goes_from_pixels_to_pooled_features(mobile: Network) -> None:
    features = np.asarray(mobile.whole(images(size=64), training=False))
    assert features.shape == (3, mobile.feature_width) == (3, 1280)
    assert mobile.entry.input_shape == (None, 64, 64, 3)
    assert mobile.entry.inputs[0].dtype == "uint8"
    assert mobile.example_shape == mobile.reading.shape == (64, 64, 3)


def test_the_digest_says_what_decides_the_features_and_nothing_else() -> None:
    first = build_network(SMALL, form=of_images(32), seed=1)
    keras.layers.Activation("relu")  # unnamed layers elsewhere move Keras's counters
    assert build_network(SMALL, form=of_images(32), seed=1).digest == first.digest
    others = [
        build_network(SMALL, form=of_images(32), seed=2),
        build_network(SMALL, form=of_images(48), seed=1),
        build_network(SMALL, form=of_images(32), seed=1, tap="block2_add"),
    ]
    assert len({first.digest, *(other.digest for other in others)}) == 4


def test_one_changed_weight_or_preprocessing_changes_the_digest() -> None:
    from autotl.backbones.graph import tensor_digests

    network = skipping_network()
    (statistics,) = (weight for weight in network.layers[3].weights if weight.name == "moving_mean")
    statistics.assign(statistics + 1e-3)
    assert tensor_digests(network.whole, salt="")[id(network.whole.outputs[0])] != network.digest
    assert skipping_network(seed=1).digest != network.digest


def test_another_process_finds_the_same_digest_and_layer_names() -> None:
    network = skipping_network()
    program = (
        "import keras; [keras.layers.ReLU() for _ in range(5)]\n"
        "from toys import skipping_network\n"
        "n = skipping_network(); print(n.digest, *[layer.name for layer in n.whole.layers])"
    )
    beside = Path(__file__).parent  # where the toys are
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, cwd=beside)
    assert done.stdout.split() == [network.digest, *[layer.name for layer in network.whole.layers]]


def test_pretrained_weights_are_put_back() -> None:
    network = skipping_network()
    before = np.asarray(network.whole(images(), training=False))
    for layer in network.layers[-2:]:
        layer.set_weights([weight + 1 for weight in layer.get_weights()])
    assert np.abs(np.asarray(network.whole(images(), training=False)) - before).max() > 0.1
    network.restore_pretrained_weights(network.layers[-2:])
    np.testing.assert_array_equal(np.asarray(network.whole(images(), training=False)), before)


@pytest.mark.parametrize(
    ("tap", "width", "layers"), [("P3", 192, 38), ("P4", 576, 80), ("P5", 1280, 104), ("block_5_add", 32, 36)]
)
def test_a_tap_makes_a_smaller_network(tap: str, width: int, layers: int) -> None:
    network = build_network(MOBILE, form=of_images(64), tap=tap)
    assert (network.feature_width, len(network.layers)) == (width, layers)


def test_an_unknown_tap_is_answered_with_the_menu() -> None:
    with pytest.raises(TaskError, match=r"Allowed: last, P3, P4, P5.*Did you mean 'block_5_add'\?"):
        build_network(MOBILE, form=of_images(64), tap="block_5_ad")


def test_a_tap_shares_digests_with_the_whole_network(mobile: Network) -> None:
    tapped = build_network(MOBILE, form=of_images(64), tap="block_15_add")
    assert divide(tapped, 6).place == divide(mobile, 14).place == "block_14_add"
    assert divide(tapped, 6).digest == divide(mobile, 14).digest  # so their stored activations are the same
    assert tapped.digest != mobile.digest


@pytest.mark.parametrize(("name", "size"), [("MobileNetV2", 16), ("InceptionV3", 64)])
def test_an_image_too_small_for_the_backbone_is_a_task_error(name: str, size: int) -> None:
    with pytest.raises(TaskError, match=f"{name}.*cannot take images of {size} px: Input size must be at least"):
        build_network(BackboneSpec("application", name), form=of_images(size))


def test_the_whole_network_is_saved_and_loaded_without_autotl(tmp_path: Path, elsewhere) -> None:
    network = skipping_network()  # swaps red and blue
    network.whole.save(tmp_path / "whole.keras")
    np.save(tmp_path / "images.npy", images())
    program = (
        "import keras, numpy as np\n"
        "model = keras.saving.load_model('whole.keras', safe_mode=True)\n"
        "np.save('features.npy', model(np.load('images.npy'), training=False))"
    )
    elsewhere(program, tmp_path)
    expected = np.asarray(network.whole(images(), training=False))
    np.testing.assert_array_equal(np.load(tmp_path / "features.npy"), expected)
