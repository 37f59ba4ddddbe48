"""Networks of keras.applications with weights that the tests save themselves; nothing is downloaded."""

from pathlib import Path

import keras
import numpy as np
import pytest
from toys import images

from autotl.backbones import BackboneSpec, build_network, parse_spec, why_not_at_hand
from autotl.backbones.application import APPLICATIONS
from autotl.backbones.form import of_images
from autotl.backbones.pixels import RAW
from autotl.errors import EnvironmentProblemError, TaskError

SIZE = 32


def pooled(model: keras.Model, pixels: np.ndarray) -> np.ndarray:
    return np.asarray(model(pixels, training=False)).mean(axis=(1, 2))


@pytest.fixture
def keras_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    (tmp_path / "keras" / "models").mkdir(parents=True)
    return tmp_path / "keras"


def test_every_application_of_keras_is_in_the_table() -> None:
    built = {name for name in vars(keras.applications) if name[0].isupper()}
    assert set(APPLICATIONS) == built


@pytest.mark.parametrize("ending", [".weights.h5", ".h5", ".keras"])
def test_weights_from_a_path_are_the_ones_used(ending: str, tmp_path: Path) -> None:
    model = keras.applications.VGG16(include_top=False, weights=None, input_shape=(SIZE, SIZE, 3))
    path = tmp_path / f"vgg{ending}"
    model.save_weights(path) if ending == ".weights.h5" else model.save(path)
    spec = parse_spec({"application": "VGG16", "weights": path.name}, folder=tmp_path, where="task.yaml")
    network = build_network(spec, form=of_images(SIZE))
    expected = pooled(model, keras.applications.vgg16.preprocess_input(images(size=SIZE).astype("float32")))
    np.testing.assert_allclose(np.asarray(network.whole(images(size=SIZE), training=False)), expected, rtol=1e-4)


@pytest.mark.parametrize(
    ("name", "module"),
    [("VGG16", "vgg16"), ("MobileNetV2", "mobilenet_v2"), ("DenseNet121", "densenet"), ("ConvNeXtTiny", "convnext")],
)
def test_pixels_are_scaled_as_keras_does_for_this_network(name: str, module: str) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (2, SIZE, SIZE, 3), dtype=np.uint8)
    tensor = keras.Input((SIZE, SIZE, 3), dtype="uint8")
    ours = keras.Model(tensor, APPLICATIONS[name].scaling.apply(tensor))(pixels)
    theirs = getattr(keras.applications, module).preprocess_input(pixels.astype("float32"))
    np.testing.assert_allclose(np.asarray(ours), theirs, atol=1e-3, rtol=1e-5)


def test_scaling_is_none_exactly_where_keras_scales_inside_the_network() -> None:
    inside = ("EfficientNetB", "EfficientNetV2", "ConvNeXt", "MobileNetV3")
    for name, application in APPLICATIONS.items():
        assert (application.scaling == RAW) == name.startswith(inside), name


def test_official_efficientnet_weights_get_the_extra_scaling_keras_gives_them(
    tmp_path: Path, keras_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    official = keras_home / "models" / "efficientnetb0_notop.h5"
    plain = keras.applications.EfficientNetB0(include_top=False, weights=None, input_shape=(SIZE, SIZE, 3))
    mean, variance = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    normalisation = next(layer for layer in plain.layers if isinstance(layer, keras.layers.Normalization))
    normalisation.set_weights([mean, variance, np.array(0)])
    plain.save(official)
    from keras.src.utils import file_utils

    monkeypatch.setattr(file_utils, "get_file", lambda *_, **__: str(official))
    theirs = keras.applications.EfficientNetB0(include_top=False, weights="imagenet", input_shape=(SIZE, SIZE, 3))
    ours = build_network(BackboneSpec("application", "EfficientNetB0", weights="imagenet"), form=of_images(SIZE))
    pixels = images(size=SIZE)
    expected = pooled(theirs, pixels.astype("float32"))
    assert np.abs(expected - pooled(plain, pixels.astype("float32"))).max() > 1e-3 * np.abs(expected).max()
    np.testing.assert_allclose(
        np.asarray(ours.whole(pixels, training=False)), expected, atol=1e-4 * np.abs(expected).max()
    )


def test_weights_in_the_cache_of_keras_need_no_network(
    keras_home: Path, monkeypatch: pytest.MonkeyPatch, no_sockets: None
) -> None:
    spec = BackboneSpec("application", "MobileNetV2", weights="imagenet")
    assert "are not on this machine" in str(why_not_at_hand(spec, offline=True))
    keras.applications.MobileNetV2(include_top=False, weights=None, input_shape=(64, 64, 3)).save(
        keras_home / "models" / APPLICATIONS["MobileNetV2"].imagenet_file
    )
    assert why_not_at_hand(spec, offline=True) is None
    monkeypatch.setenv("AUTOTL_OFFLINE", "1")
    assert build_network(spec, form=of_images(SIZE)).feature_width == 1280


def test_offline_without_weights_says_which_file_to_place(
    keras_home: Path, monkeypatch: pytest.MonkeyPatch, no_sockets: None
) -> None:
    monkeypatch.setenv("AUTOTL_OFFLINE", "1")
    spec = BackboneSpec("application", "VGG16", weights="imagenet")
    with pytest.raises(EnvironmentProblemError, match=r"Place vgg16_weights_tf_dim_ordering_tf_kernels_notop\.h5 in"):
        build_network(spec, form=of_images(SIZE))


def test_a_failed_download_says_so_instead_of_crashing(keras_home: Path, no_sockets: None) -> None:
    spec = BackboneSpec("application", "MobileNetV2", weights="imagenet")
    assert why_not_at_hand(spec, offline=False) is None
    with pytest.raises(EnvironmentProblemError, match="could not be downloaded"):
        build_network(spec, form=of_images(SIZE))


def test_a_download_that_was_cut_off_is_named_with_what_to_do(keras_home: Path, no_sockets: None) -> None:
    path = keras_home / "models" / APPLICATIONS["MobileNetV2"].imagenet_file
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(200)]).save(path)
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(EnvironmentProblemError, match=r"Delete it .* or place a whole mobilenet_v2_weights_.*\.h5 in"):
        build_network(BackboneSpec("application", "MobileNetV2", weights="imagenet"), form=of_images(SIZE))


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]).save_weights(tmp_path / "other.weights.h5")
    spec = BackboneSpec("application", "MobileNetV2", weights=str(tmp_path / "other.weights.h5"))
    with pytest.raises(TaskError, match="does not hold weights of MobileNetV2"):
        build_network(spec, form=of_images(SIZE))


def test_random_weights_follow_the_seed_and_leave_other_randomness_alone() -> None:
    import random

    spec = BackboneSpec("application", "MobileNetV2")
    random.seed(3)
    expected = random.random()
    random.seed(3)
    one = build_network(spec, form=of_images(SIZE), seed=1)
    assert random.random() == expected
    assert build_network(spec, form=of_images(SIZE), seed=1).digest == one.digest
    assert build_network(spec, form=of_images(SIZE), seed=2).digest != one.digest
