"""The static table says what building the networks would say."""

from pathlib import Path

import pytest

from autotl.backbones import ORIGINS, BackboneSpec, layer_count, parse_spec
from autotl.backbones.layer_counts import known_layer_count
from autotl.backbones.package import PACKAGES
from benchmarks.backbone_tables import built_layer_counts

QUICK = ("MobileNetV2", "VGG16", "small_cnn")
OF_IMAGES = [*PACKAGES, *ORIGINS["scratch"].names(), *ORIGINS["application"].names()]


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in OF_IMAGES]
)
def test_the_table_agrees_with_the_built_network(name: str, tmp_path: Path) -> None:
    spec = parse_spec(name, folder=tmp_path, where="task.yaml")
    built = built_layer_counts(name)
    assert {tap: layer_count(spec, tap) for tap in built} == built
    assert all(known_layer_count(name, tap) is None for tap in ("P3", "P4", "P5") if tap not in built)


def test_every_name_is_in_the_table(tmp_path: Path) -> None:
    assert all(layer_count(parse_spec(name, folder=tmp_path, where="task.yaml")) for name in OF_IMAGES)


@pytest.mark.parametrize(
    ("name", "count"), [("efficientnet_lite0", 98), ("efficientnet_lite1", 128), ("mobilenet_v2_100", 104)]
)
def test_a_preset_folder_is_counted_without_loading_it(name: str, count: int, shared_weights: Path) -> None:
    assert layer_count(BackboneSpec("preset", str(shared_weights / name))) == count
