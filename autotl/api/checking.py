"""Checks of a search space that need the networks themselves."""

from typing import cast

import numpy as np

from autotl.api.quiet import import_keras
from autotl.backbones import BackboneSpec, layer_count, why_frozen
from autotl.backbones.classical import CLASSICAL
from autotl.backbones.hugging_face import NAME as HUGGING_FACE
from autotl.backbones.text_network import tokenizer_of
from autotl.backbones.tokenizer import sequence_lengths
from autotl.data import TaskData
from autotl.data.texts import Texts
from autotl.errors import EnvironmentProblemError, TaskError
from autotl.plan import Plan
from autotl.plan.baselines import source_solved
from autotl.plan.fields import AUTO
from autotl.plan.modalities import defaults_of
from autotl.plan.space import Space

SIZES = ("image_size", "sequence_length")
USUAL_LENGTHS = [128, 256]  # tokens, where no tokenizer is at hand to count with
SAMPLED_TEXTS = 2_000


def only_loading_tells(space: Space) -> bool:
    """Whether tables cannot vouch for some tap, cut or weights of the space: a user's own network or weights file, a
    preset's taps, or a layer's name as tap."""
    backbones, taps = space.values("backbone"), space.values("tap")
    own_weights = any(spec.origin == "application" and spec.weights not in (None, "imagenet") for spec in backbones)
    # whether the data fit them shows on loading
    own_networks = any(spec.origin in ("saved", HUGGING_FACE) for spec in backbones)
    return own_weights or own_networks or any(layer_count(spec, tap) is None for spec in backbones for tap in taps)


def with_lengths_of(space: Space, data: TaskData) -> Space:
    """The space with the sequence lengths that suit the task's own texts, where it leaves them to us.

    Texts are looked at without their labels, the test's not at all.
    """
    if "sequence_length" not in space.dimensions or AUTO not in space.values("sequence_length"):
        return space
    known = next(filter(None, (tokenizer_of(spec) for spec in space.values("backbone"))), None)
    if known is None:
        return space.with_values("sequence_length", USUAL_LENGTHS)
    wordpiece, longest = known
    texts = cast(Texts, data.inputs[0])
    sample = np.random.default_rng(0).permutation(len(texts))[:SAMPLED_TEXTS]
    lengths = sequence_lengths(wordpiece.lengths(texts.read(sample)), max_positions=longest)
    return space.with_values("sequence_length", lengths)


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
            for layers in space.values("unfrozen_layers") if why_frozen(spec) is None else [0]:
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


def check_features(space: Space, data: TaskData, *, seed: int) -> None:
    """Loads the backbone that a source's statistics are of, where there are some, and compares fingerprints.

    Args:
        seed: the task's, from which a network without pretrained weights is drawn.
    Raises:
        TaskError: they are others.
        EnvironmentProblemError: the backbone's weights are not at hand.
    """
    if not data.statistics:
        return
    import_keras()
    from autotl.backbones import build_network
    from autotl.trial.forms import form_of
    from autotl.trial.network_learner import refuse_other_features

    for spec in space.values("backbone"):
        plan = source_solved(space, spec)
        refuse_other_features(data.statistics, build_network(spec, form=form_of(plan, data), tap=plan.tap, seed=seed))
