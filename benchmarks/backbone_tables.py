"""Writes the static tables of `autotl/backbones/` anew: `python -m benchmarks.backbone_tables` (minutes, no download).

`layer_counts.json` holds the layers of every network that autotl builds itself, up to each of its taps,
`network_costs.json` what they cost to run, to train and to store, `preset_addresses.json` the image presets that the
installed KerasHub knows. Run it after an upgrade of either library; tests compare them.
"""

import json
from pathlib import Path
from typing import Any

import keras
import keras_hub

from autotl import backbones
from autotl.backbones import ORIGINS, BackboneSpec
from autotl.backbones.cut import place_of_cut
from autotl.backbones.form import Form, of_images
from autotl.backbones.network import LAST, PYRAMID_TAPS, Network, build_network, pyramid_maps
from autotl.backbones.network_costs import REFERENCE_PIXELS, REFERENCE_TOKENS
from autotl.backbones.places import Places
from autotl.backbones.size import count_parameters
from autotl.backbones.text_package import TEXT_PACKAGES

TABLES = Path(backbones.__file__).parent
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
COSTED_CUTS = (0, 1, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)  # unfrozen layers; costs between them are a line


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


def built_network_costs(name: str) -> dict[str, Any]:
    """Parameters, arithmetic and cuts of a network up to each tap that it has, at the reference size."""
    origin = next(key for key, entry in ORIGINS.items() if name in entry.names())
    spec = BackboneSpec(origin, name)
    if name in TEXT_PACKAGES:
        form, taps = Form("text", sequence_length=REFERENCE_TOKENS), list(TEXT_PACKAGES[name].layers)
    else:
        form = of_images(REFERENCE_PIXELS)
        maps = pyramid_maps(build_network(spec, form=form).whole, REFERENCE_PIXELS)
        taps = [LAST, *(tap for tap in PYRAMID_TAPS if tap in maps)]
    return {tap: _costs_of(build_network(spec, form=form, tap=tap)) for tap in taps}


def _costs_of(network: Network) -> dict[str, Any]:
    places, count = Places(network), len(network.layers)
    total = places.flops_before[-1]
    cuts = []
    for layers in [*(each for each in COSTED_CUTS if each < count), count]:
        place = place_of_cut(places, layers if layers < count else "all")
        behind = total - places.flops_before[place]
        cuts.append([layers, round(behind / 1e6, 3), round(places.bytes_per_example[place] / 1e3, 2)])
    return {"params": count_parameters(network.whole), "mflops": round(total / 1e6, 3), "cuts": cuts}


def installed_preset_addresses() -> dict[str, str]:
    """Name and hub address of each image and text preset of the installed KerasHub."""
    return {
        name: preset["kaggle_handle"]
        for backbone in (*IMAGE_BACKBONES, *TEXT_BACKBONES)
        for name, preset in getattr(keras_hub.models, backbone).presets.items()
    }


def main() -> None:
    """Writes the tables beside the code that reads them."""
    counts, costs = {}, {}
    for origin in ("package", "scratch", "application"):
        for name in ORIGINS[origin].names():
            if name not in TEXT_PACKAGES:  # those are counted where they are named
                counts[name] = built_layer_counts(name)
            costs[name] = built_network_costs(name)
            keras.backend.clear_session()
    _write("layer_counts.json", counts)
    _write_a_line_each("network_costs.json", costs)
    _write("preset_addresses.json", installed_preset_addresses())


def _write(name: str, table: object) -> None:
    (TABLES / name).write_text(json.dumps(table, indent=2) + "\n", encoding="utf-8")


def _write_a_line_each(name: str, table: dict[str, Any]) -> None:
    lines = ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in table.items())
    (TABLES / name).write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
