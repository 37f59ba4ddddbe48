"""Which backbones of a space have layers that can be trained in this process, and what is said of the others."""

from collections.abc import Iterator

from autotl.backbones import BackboneSpec, why_frozen
from autotl.backbones.classical import CLASSICAL
from autotl.plan.space import Space


def trainable_networks(space: Space) -> list[BackboneSpec]:
    """The networks of a space that can be trained beyond their head."""
    networks = [spec for spec in space.values("backbone") if spec.origin != CLASSICAL]
    return [spec for spec in networks if why_frozen(spec) is None]


def left_frozen(space: Space) -> Iterator[str]:
    """A sentence for each network that the space would unfreeze and that stays frozen here."""
    if all(layers == 0 for layers in space.values("unfrozen_layers")):
        return
    for spec in space.values("backbone"):
        why = why_frozen(spec)
        if why is not None:
            yield f"{spec.label} stays frozen, and plans that would unfreeze its layers are left out: {why}."
