"""Where pretrained networks come from, one file per origin, and how one is divided at a cut.

Importing this room imports no Keras; `build_network` and `divide` do, on first use.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from autotl.backbones import hugging_face
from autotl.backbones.application import ApplicationOrigin
from autotl.backbones.availability import cache_folder, offline_by_environment
from autotl.backbones.classical import ClassicalOrigin
from autotl.backbones.exported import ExportedOrigin
from autotl.backbones.hugging_face import NAME as HUGGING_FACE
from autotl.backbones.hugging_face import HuggingFaceOrigin
from autotl.backbones.origin import Origin
from autotl.backbones.package import PackageOrigin
from autotl.backbones.preset import PresetOrigin
from autotl.backbones.pretrained import PretrainedOrigin
from autotl.backbones.saved import SavedOrigin
from autotl.backbones.scratch import ScratchOrigin
from autotl.backbones.spec import BackboneSpec, read_spec

if TYPE_CHECKING:
    from autotl.backbones.cut import Division, divide
    from autotl.backbones.network import Network, build_network
    from autotl.backbones.size import count_parameters, flops_of_one_prediction

ORIGINS: dict[str, Origin] = {  # a bare name is looked up in this order
    "package": PackageOrigin(),
    "scratch": ScratchOrigin(),
    "application": ApplicationOrigin(),
    "preset": PresetOrigin(),
    "saved": SavedOrigin(),
    "hugging_face": HuggingFaceOrigin(),
    "classical": ClassicalOrigin(),
    "pretrained_on_source": PretrainedOrigin(),
    "exported": ExportedOrigin(),
}

_LOADED_ON_USE = {
    "Division": "cut",
    "divide": "cut",
    "Network": "network",
    "build_network": "network",
    "count_parameters": "size",
    "flops_of_one_prediction": "size",
}

__all__ = [
    "ORIGINS",
    "BackboneSpec",
    "Division",
    "Network",
    "build_network",
    "cache_folder",
    "count_parameters",
    "divide",
    "flops_of_one_prediction",
    "has_tap",
    "known_names",
    "layer_count",
    "offline_by_environment",
    "own_image_size",
    "parse_spec",
    "smallest_image_size",
    "why_frozen",
    "why_not_at_hand",
]


def parse_spec(value: object, *, folder: Path, where: str) -> BackboneSpec:
    """The backbone a YAML or JSON value names; relative paths start at `folder`. Raises `TaskError`."""
    return read_spec(value, origins=ORIGINS, folder=folder, where=where)


def known_names() -> tuple[str, ...]:
    """Every bare name, packages first."""
    return tuple(name for origin in ORIGINS.values() for name in origin.names())


def why_not_at_hand(spec: BackboneSpec, *, offline: bool) -> str | None:
    """What is missing for a backbone and what to do about it; None when it is here or a download may be tried."""
    return ORIGINS[spec.origin].why_not_at_hand(spec, offline=offline)


def layer_count(spec: BackboneSpec, tap: str = "last") -> int | None:
    """How many layers the backbone has to unfreeze up to a tap; None where only loading it tells."""
    return ORIGINS[spec.origin].layer_count(spec, tap)


def why_frozen(spec: BackboneSpec) -> str | None:
    """Why no layer of a backbone can be unfrozen in this process, however many it has; None where some can."""
    return hugging_face.why_on_torch_alone() if spec.origin == HUGGING_FACE else None


def has_tap(spec: BackboneSpec, tap: str) -> bool | None:
    """Whether a network can end at a tap, where a small file tells; None where only loading it does."""
    return hugging_face.has_tap(spec, tap) if spec.origin == HUGGING_FACE else None


def own_image_size(spec: BackboneSpec) -> int | None:
    """Pixels a side of the images that a network was made for, where a small file tells."""
    return hugging_face.own_image_size(spec) if spec.origin == HUGGING_FACE else None


def smallest_image_size(spec: BackboneSpec) -> int:
    """Pixels a side that the backbone needs at least, as far as a table tells."""
    return ORIGINS[spec.origin].smallest_image_size(spec)


def __getattr__(name: str) -> object:
    """Rooms that import Keras are loaded when first asked for."""
    if name not in _LOADED_ON_USE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"autotl.backbones.{_LOADED_ON_USE[name]}"), name)
