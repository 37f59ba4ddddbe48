"""What sets the modalities' plans apart: fields of their own, and the baselines that suit them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from autotl.backbones import BackboneSpec
from autotl.backbones.classical import CLASSICAL


@dataclass(frozen=True)
class ModalityPlans:
    """The plans of one modality.

    Attributes:
        own_fields: fields of a plan that other modalities lack, with their defaults.
        no_transfer: what of the baseline `no_transfer` is not the default: its model, and how that is trained.
        finetuning_ratio: share of the head's rate that unfrozen layers learn at where all of them are trained.
    """

    own_fields: Mapping[str, Any]
    no_transfer: Mapping[str, Any]
    finetuning_ratio: float = 0.1


FROM_SCRATCH = BackboneSpec(origin="scratch", name="small_cnn")

MODALITIES: dict[str, ModalityPlans] = {
    "image": ModalityPlans(
        own_fields={"image_size": 128, "crop": "none", "views": 0, "augmentation": "crop_flip"},
        no_transfer={
            "backbone": FROM_SCRATCH,
            "image_size": 48,
            "unfrozen_layers": "all",
            "learning_rate": 2e-3,
            "backbone_rate_ratio": 1.0,
            "weight_decay": 1e-3,
            "views": 2,
            "epochs": 20,
        },
    ),
    "text": ModalityPlans(
        own_fields={"sequence_length": 128, "pooling": "mean", "join": "none"},
        no_transfer={"backbone": BackboneSpec(CLASSICAL, "bag_of_words")},
        finetuning_ratio=0.03,
    ),
    "table": ModalityPlans(own_fields={}, no_transfer={"backbone": BackboneSpec(CLASSICAL, "boosted_trees")}),
    "signal": ModalityPlans(
        own_fields={"image_size": 96},
        no_transfer={"backbone": BackboneSpec(CLASSICAL, "random_forest")},
    ),
}
OWN_FIELDS = tuple(dict.fromkeys(name for plans in MODALITIES.values() for name in plans.own_fields))


def defaults_of(modality: str) -> dict[str, Any]:
    """The own fields of every modality: this one's with their defaults, the others' without a value."""
    own = MODALITIES[modality].own_fields
    absent: dict[str, Any] = {**dict.fromkeys(OWN_FIELDS), "views": 0}
    return {**absent, **own}
