"""Plans that can be trained under a privacy budget: linear heads on networks that have never seen what is protected."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

from autotl.backbones import BackboneSpec
from autotl.errors import TaskError
from autotl.plan.baselines import middle_of
from autotl.plan.modalities import defaults_of
from autotl.plan.plan import Plan
from autotl.plan.space import Space
from autotl.task import Task

WAYS_TO_LOOK = ("image_size", "sequence_length", "pooling", "crop", "tap")  # all that such a search ranges over
LENGTH = 128  # tokens, where a space leaves the length to the texts: how long protected ones are is not looked up
AUTO = "auto"
WHY_NOT = {
    "pretrained_on_source": "it is trained on examples of the task",
    "exported": "it was trained on examples of the source",
    "classical": "it is fitted to the examples themselves",
}
ADVICE = {
    "unfrozen_layers": "layers that are trained on protected examples would not be public. Write unfrozen_layers: 0.",
    "head": "only linear heads are trained with privacy. Write head: linear.",
    "adaptation": "it looks at protected examples in ways that nothing reckons. Write adaptation: none.",
}


def privately(space: Space, task: Task, *, where: str = "search_space") -> Space:
    """The space of linear heads on frozen public networks, with the ways to look at an example that it names.

    Raises:
        TaskError: it names none, or a network that may have seen a protected example.
    """
    mistakes = [f"{task.where(f'{where}.backbone')}: {words}" for words in _seen_it(space.values("backbone"), task)]
    mistakes += [f"{task.where(f'{where}.{field}')}: {ADVICE[field]}" for field in _without_a_linear_head(space)]
    mistakes += _declared_in_vain(space.values("backbone"), task)
    if mistakes:
        raise TaskError(mistakes)
    idle = [name for name in space.dimensions if name not in ("backbone", *WAYS_TO_LOOK)]
    plain = Plan(space.values("backbone")[0], **defaults_of(space.modality))
    found = space.with_fixed({name: getattr(plain, name) for name in idle})
    if "sequence_length" in space.dimensions and AUTO in space.values("sequence_length"):
        return found.with_values("sequence_length", [LENGTH])
    return found


def refuse_without_privacy(plans: Iterable[Plan], task: Task, *, where: str = "start_with") -> None:
    """Raises a TaskError for plans given by hand that cannot be trained under a privacy budget."""
    mistakes: list[str] = []
    for plan in plans:
        mistakes += _seen_it([plan.backbone], task)
        has_other = {
            "unfrozen_layers": plan.unfrozen_layers != 0,
            "head": plan.head.name != "linear",
            "adaptation": plan.adaptation.name != "none",
        }
        mistakes += [ADVICE[name] for name, is_other in has_other.items() if is_other]
    if mistakes:
        raise TaskError([f"{task.where(where)}: {words}" for words in dict.fromkeys(mistakes)])


def private_plans(space: Space, given: Sequence[Plan]) -> list[Plan]:
    """Every plan that a private search can train: given ones, then one per network from the middle of the space, then
    whatever looks at examples in another way, what differs least first."""
    names = [name for name in WAYS_TO_LOOK if name in space.dimensions]
    middle = {name: middle_of(space, name) for name in names}
    ways = [dict(zip(names, values, strict=True)) for values in product(*(space.values(name) for name in names))]
    ways.sort(key=lambda way: sum(way[name] != middle[name] for name in names))
    shape = defaults_of(space.modality)
    every = [Plan(backbone, **{**shape, **way}) for way in ways for backbone in space.values("backbone")]
    return list({plan.key(): plan for plan in [*(_bare(plan, shape) for plan in given), *every]}.values())


def next_plan(plans: Sequence[Plan], scores: Mapping[str, float | None], *, given: int) -> Plan | None:
    """The plan to try next: the given ones and each network once, then other ways to look on the network that did best.

    Args:
        plans: as `private_plans` gives them.
        scores: of the plans that were tried, by `key()`; None of one that failed.
        given: how many of the plans were given.
    """
    left = [plan for plan in plans if plan.key() not in scores]
    seen = {plan.backbone for plan in plans if plan.key() in scores}
    first = [
        plan
        for place, plan in enumerate(plans)
        if plan.key() not in scores and (place < given or plan.backbone not in seen)
    ]
    if first or not left:
        return first[0] if first else None
    tried = [(score, plan) for plan in plans if (score := scores.get(plan.key())) is not None]
    best = max(tried, key=lambda each: each[0])[1].backbone if tried else left[0].backbone
    return min(left, key=lambda plan: plan.backbone != best)


def _bare(plan: Plan, shape: Mapping[str, Any]) -> Plan:
    """A given plan with defaults where nothing reads it: rates, batches and epochs follow from the budget."""
    ways = {name: getattr(plan, name) for name in WAYS_TO_LOOK}
    return Plan(plan.backbone, **{**shape, **ways})


def _without_a_linear_head(space: Space) -> Iterator[str]:
    if 0 not in space.values("unfrozen_layers"):
        yield "unfrozen_layers"
    for field, needed in (("head", "linear"), ("adaptation", "none")):
        if needed not in [choice.name for choice in space.values(field)]:
            yield field


def _declared_in_vain(backbones: Iterable[BackboneSpec], task: Task) -> Iterator[str]:
    """Networks that are declared public and are nowhere: a slip that would leave the right one undeclared."""
    assert task.privacy is not None
    searched = {file.resolve() for backbone in backbones for file in _files_of(backbone)}
    for given in task.privacy.public_backbones:
        path = task.resolve(given)
        if not path.exists() and path.resolve() not in searched:
            yield f"{task.where('privacy.public_backbones')}: there is nothing at {given!r}. Declare networks by paths."


def _files_of(backbone: BackboneSpec) -> list[Path]:
    return [Path(name) for name in (backbone.name, backbone.weights or "") if Path(name).is_absolute()]


def _seen_it(backbones: Iterable[BackboneSpec], task: Task) -> Iterator[str]:
    """What is wrong with networks that are not known to be public."""
    assert task.privacy is not None
    public = {task.resolve(path).resolve() for path in task.privacy.public_backbones}  # links may lead there
    for backbone in backbones:
        files = _files_of(backbone)
        if backbone.origin in WHY_NOT:
            yield f"{backbone.label!r} is no public network: {WHY_NOT[backbone.origin]}. Name a pretrained network."
        elif backbone.trusted:
            yield f"{backbone.label!r} is a SavedModel, which no private model can ship with. Name a Keras file."
        elif any(file.resolve() not in public for file in files):
            yield (
                f"{backbone.label!r} is your own network, and nothing says that it has never seen a protected example. "
                f"If that is so, declare it: privacy: {{public_backbones: [{files[0].name}]}}."
            )
