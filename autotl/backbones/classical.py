"""Names of models without a network: what transfer is compared with, and what may win. `autotl.trial` fits them."""

# ruff: noqa: ARG002  an origin need not use everything it is offered

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autotl.backbones.form import Form
from autotl.backbones.origin import Loaded
from autotl.backbones.spec import BackboneSpec
from autotl.errors import TaskError, unknown_name

CLASSICAL = "classical"
BAG_OF_WORDS = "bag_of_words"


@dataclass(frozen=True)
class Description:
    """What is to be known of a classical model without fitting one.

    Attributes:
        modality: of the examples that it learns from.
        why_not_exported: why it may not leave the house of its data, in words that follow a colon.
    """

    modality: str
    why_not_exported: str


DESCRIPTIONS: Mapping[str, Description] = {
    BAG_OF_WORDS: Description("text", "its vocabulary is made of words of the source's texts"),
    "boosted_trees": Description(
        "table", "the thresholds of its trees are cells of the source's rows, and trees cannot be adapted"
    ),
    "random_forest": Description(
        "signal", "the thresholds of its trees are values of the source's windows, and trees cannot be adapted"
    ),
}
NAMES = tuple(DESCRIPTIONS)


class ClassicalOrigin:
    """`bag_of_words`, `boosted_trees` or `random_forest` in the place of a backbone: nothing is transferred."""

    options: frozenset[str] = frozenset()

    def names(self) -> tuple[str, ...]:
        return NAMES

    def read(self, name: str, options: Mapping[str, Any], *, folder: Path, where: str) -> BackboneSpec:
        if name not in NAMES:
            raise unknown_name(where, name, NAMES)
        return BackboneSpec(CLASSICAL, name)

    def why_not_at_hand(self, spec: BackboneSpec, *, offline: bool) -> str | None:
        return None

    def layer_count(self, spec: BackboneSpec, tap: str) -> int | None:
        return 0

    def smallest_image_size(self, spec: BackboneSpec) -> int:
        return 1

    def load(self, spec: BackboneSpec, *, form: Form, seed: int) -> Loaded:
        raise TaskError(f"backbone {spec.label} is no network: it can be a plan's model, but not be divided.")
