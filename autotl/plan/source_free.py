"""Plans that start from an exported source: its network and head are given, and what adapts them is searched."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autotl.backbones import BackboneSpec
from autotl.data.exported import read_exported
from autotl.plan.modalities import MODALITIES
from autotl.plan.plan import HEADS, Choice

# Fields that a search may range over; an exported source brings the others, or nothing reads them.
SEARCHED = ("adaptation", "unfrozen_layers", "learning_rate", "backbone_rate_ratio", "dropout", "batch_size")


def brought_fields(backbone: BackboneSpec) -> Mapping[str, Any]:
    """The fields of a plan that an exported source brings with it, None for one that has no meaning for it.

    Raises:
        ExportedError: its file cannot be read.
    """
    described = read_exported(Path(backbone.name)).description
    units = described.hidden_units
    head = Choice("linear", HEADS["linear"]) if units is None else Choice("hidden", {"units": units})
    sizes = {"image_size": described.image_size, "sequence_length": described.sequence_length}
    read = {**sizes, "crop": described.preprocessing.get("crop", "none")}
    own = MODALITIES[described.modality].own_fields
    return {"head": head, **{name: value for name, value in read.items() if name in own}}
