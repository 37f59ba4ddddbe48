"""Writes the static tables of this room anew: `python -m autotl.backbones.regenerate_tables` (minutes, no download).

`layer_counts.json` holds the layers of every network that autotl builds itself, up to each of its taps,
`preset_addresses.json` the image presets that the installed KerasHub knows. Run it after an upgrade of either
library; a test compares them.
"""

import json
from pathlib import Path

import keras
import keras_hub

from autotl.backbones import ORIGINS, BackboneSpec
from autotl.backbones.form import of_images
from autotl.backbones.network import LAST, PYRAMID_TAPS, build_network, pyramid_maps

TABLES = Path(__file__).parent
IMAGE_BACKBONES = (
    "EfficientNetBackbone",
    "MobileNetBackbone",
    "ResNetBackbone",
    "DenseNetBackbone",
    "VGGBackbone",
    "XceptionBackbone",
    "CSPNetBackbone",
    "HGNetV2Backbone",
    "MiTBackbone",
    "MobileNetV5Backbone",
    "ViTBackbone",
    "DeiTBackbone",
    "DINOV2Backbone",
    "DINOV3Backbone",
    "SwinTransformerBackbone",
)
TEXT_BACKBONES = ("BertBackbone", "DistilBertBackbone", "ElectraBackbone")  # with tokenizers that autotl reads
SMALLEST_FOR_ALL = 96  # pixels; every application accepts it, and the count does not depend on it


def built_layer_counts(name: str) -> dict[str, int]:
    """The layers of a network that autotl builds itself up to each tap that it has, counted on the network."""
    origin = next(key for key, entry in ORIGINS.items() if name in entry.names())
    spec = BackboneSpec(origin, name)
    whole = build_network(spec, form=of_images(SMALLEST_FOR_ALL))
    counts = {LAST: len(whole.layers)}
    for tap in PYRAMID_TAPS:
        if tap in pyramid_maps(whole.whole, SMALLEST_FOR_ALL):
            counts[tap] = len(build_network(spec, form=of_images(SMALLEST_FOR_ALL), tap=tap).layers)
    return counts


def installed_preset_addresses() -> dict[str, str]:
    """Name and hub address of each image and text preset of the installed KerasHub."""
    return {
        name: preset["kaggle_handle"]
        for backbone in (*IMAGE_BACKBONES, *TEXT_BACKBONES)
        for name, preset in getattr(keras_hub.models, backbone).presets.items()
    }


def main() -> None:
    """Writes both tables beside this file."""
    counts = {}
    for origin in ("package", "scratch", "application"):
        for name in ORIGINS[origin].names():
            counts[name] = built_layer_counts(name)
            keras.backend.clear_session()
    _write("layer_counts.json", counts)
    _write("preset_addresses.json", installed_preset_addresses())


def _write(name: str, table: object) -> None:
    (TABLES / name).write_text(json.dumps(table, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
