"""Checks of a search space that need the networks themselves."""

from autotl.api.quiet import import_keras
from autotl.backbones import BackboneSpec, layer_count
from autotl.backbones.classical import CLASSICAL
from autotl.data import TaskData
from autotl.errors import EnvironmentProblemError, TaskError
from autotl.plan import Plan
from autotl.plan.modalities import defaults_of
from autotl.plan.space import Space

SIZES = ("image_size", "sequence_length")


def only_loading_tells(space: Space) -> bool:
    """Whether tables cannot vouch for some tap, cut or weights of the space: a user's own network or weights file, a
    preset's taps, or a layer's name as tap."""
    backbones, taps = space.values("backbone"), space.values("tap")
    own_weights = any(spec.origin == "application" and spec.weights not in (None, "imagenet") for spec in backbones)
    return own_weights or any(layer_count(spec, tap) is None for spec in backbones for tap in taps)


def check_backbones(space: Space, data: TaskData) -> dict[BackboneSpec, str]:
    """Loads every backbone for the smallest examples of the space, taps it, and cuts it as deep as the space may.

    A cut that only some taps are too short for is no mistake of the space: its plans fail with the reason.

    Returns:
        Backbones whose weights turn out not to be at hand, and why.
    Raises:
        TaskError: an unknown tap, an impossible image size, or a cut that no tap allows.
        EnvironmentProblemError: no backbone is at hand.
    """
    import_keras()
    from autotl.backbones import build_network, divide
    from autotl.trial.forms import form_of

    mistakes: list[str] = []
    unavailable: dict[BackboneSpec, str] = {}
    smallest = {name: min(space.values(name)) for name in SIZES if name in space.dimensions}
    for spec in space.values("backbone"):
        if spec.origin == CLASSICAL:
            continue
        form = form_of(Plan(spec, **{**defaults_of(space.modality), **smallest}), data)
        too_deep: list[list[str]] = []
        for tap in space.values("tap"):
            try:
                network = build_network(spec, form=form, tap=tap)
            except EnvironmentProblemError as error:
                unavailable[spec] = str(error)
                break
            except TaskError as error:
                mistakes.extend(error.mistakes)
                continue
            too_deep.append([])
            for layers in space.values("unfrozen_layers"):
                try:
                    divide(network, layers)
                except TaskError as error:
                    too_deep[-1].extend(error.mistakes)
        if too_deep and all(too_deep):
            mistakes.extend(too_deep[0])
    if mistakes:
        raise TaskError(mistakes)
    if len(unavailable) == len(space.values("backbone")):
        raise EnvironmentProblemError("\n".join(["no backbone's weights are at hand:", *unavailable.values()]))
    return unavailable
