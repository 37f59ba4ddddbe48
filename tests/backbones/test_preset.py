"""Presets from folders, with and without composite layers, and what is said when a hub's is not at hand."""

import json
from pathlib import Path

import keras_hub
import numpy as np
import pytest
from toys import composite_efficientnet, images

from autotl.backbones import BackboneSpec, build_network, divide, layer_count, parse_spec, why_not_at_hand
from autotl.backbones.form import of_images
from autotl.backbones.preset import preset_addresses
from autotl.errors import EnvironmentProblemError

SIZE = 32


def vision_transformer() -> keras_hub.models.Backbone:
    return keras_hub.models.ViTBackbone(
        image_shape=(SIZE, SIZE, 3), patch_size=8, num_layers=2, num_heads=2, hidden_dim=16, mlp_dim=32
    )


@pytest.fixture(params=[composite_efficientnet, vision_transformer])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    request.param().save_to_preset(str(tmp_path / "mine"))
    return tmp_path / "mine"


def test_layers_inside_composite_blocks_are_counted_and_unfrozen_one_by_one(folder: Path) -> None:
    spec = parse_spec(str(folder), folder=folder, where="task.yaml")
    network = build_network(spec, form=of_images(SIZE))
    assert len(network.layers) == layer_count(spec)
    assert len({id(layer) for layer in network.layers}) == len(network.layers)
    whole = np.asarray(network.whole(images(size=SIZE), training=False))
    for unfrozen_layers in (0, 3, 7, "all"):
        division = divide(network, unfrozen_layers)
        crossing = division.prefix(images(size=SIZE), training=False)
        np.testing.assert_array_equal(np.asarray(division.suffix(crossing, training=False)), whole)
        wanted = {id(variable) for layer in division.unfrozen for variable in layer.trainable_variables}
        assert {id(variable) for variable in division.suffix.trainable_variables} == wanted


def test_layers_of_a_composite_block_are_in_the_order_of_their_calls(tmp_path: Path) -> None:
    composite_efficientnet().save_to_preset(str(tmp_path / "mine"))
    network = build_network(BackboneSpec("preset", str(tmp_path / "mine")), form=of_images(SIZE))
    names = [layer.name for layer in network.layers if layer.name.startswith("block2b_")]
    parts = "expand_conv expand_bn dwconv2 bn se_reduce se_expand project_conv project_bn"
    assert names == [f"block2b_{part}" for part in parts.split()]


@pytest.mark.parametrize(
    ("converter", "expected"),
    [
        ({"scale": 0.5, "offset": -1.0}, lambda x: x * 0.5 - 1),
        ({"scale": [1.0, 2.0, 3.0], "offset": [0.0, -1.0, 4.0]}, lambda x: x * [1, 2, 3] + [0, -1, 4]),
        ({"scale": 1 / 255, "mean": [0.5, 0.4, 0.3], "variance": [0.04, 0.09, 0.25]}, None),
        ({"scale": None, "offset": None}, lambda x: x),
        (None, lambda x: x),
    ],
)
def test_pixels_are_scaled_as_the_image_converter_says(converter, expected, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    vision_transformer().save_to_preset(str(folder))
    if converter is not None:
        (folder / "image_converter.json").write_text(json.dumps({"config": converter}))
    network = build_network(BackboneSpec("preset", str(folder)), form=of_images(SIZE))
    pixels = images(size=SIZE)
    theirs = keras_hub.layers.ImageConverter(**(converter or {}))(pixels.astype("float32"))
    np.testing.assert_allclose(np.asarray(network.entry(pixels)), np.asarray(theirs), rtol=1e-5, atol=1e-5)
    if expected is not None:
        np.testing.assert_allclose(np.asarray(network.entry(pixels)), expected(pixels.astype("float32")), rtol=1e-5)


def test_a_hub_preset_offline_is_not_at_hand_until_its_folder_is_in_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_sockets: None
) -> None:
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path / "kaggle"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    named, addressed = BackboneSpec("preset", "resnet_18_imagenet"), BackboneSpec("preset", "hf://keras/mine")
    for spec in (named, addressed):
        assert 'pip install "autotl[offline]"' in str(why_not_at_hand(spec, offline=True))
        assert why_not_at_hand(spec, offline=False) is None
        assert layer_count(spec) is None
    handle = preset_addresses()["resnet_18_imagenet"].removeprefix("kaggle://")
    vision_transformer().save_to_preset(str(tmp_path / "kaggle" / "models" / handle))
    vision_transformer().save_to_preset(str(tmp_path / "hf" / "hub" / "models--keras--mine" / "snapshots" / "abc"))
    monkeypatch.setenv("AUTOTL_OFFLINE", "1")
    for spec in (named, addressed):
        assert why_not_at_hand(spec, offline=True) is None
        assert layer_count(spec) == len(build_network(spec, form=of_images(SIZE)).layers)


def test_a_failed_download_says_so_instead_of_crashing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_sockets: None
) -> None:
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path / "kaggle"))
    with pytest.raises(EnvironmentProblemError, match="resnet_18_imagenet: the preset could not be downloaded"):
        build_network(BackboneSpec("preset", "resnet_18_imagenet"), form=of_images(SIZE))


def test_the_table_of_preset_names_is_the_installed_librarys() -> None:
    from benchmarks.backbone_tables import installed_preset_addresses

    assert preset_addresses() == installed_preset_addresses()
