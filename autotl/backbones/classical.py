"""Names of models without a network: what transfer is compared with, and what may win. `autotl.trial` fits them."""

# ruff: noqa: ARG002  an origin need not use everything it is offered

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autotl.backbones.form import Form
from autotl.backbones.origin import Loaded
from autotl.backbones.spec import BackboneSpec
from autotl.errors import TaskError, unknown_name

CLASSICAL = "classical"
NAMES = ("bag_of_words", "boosted_trees", "random_forest")


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
