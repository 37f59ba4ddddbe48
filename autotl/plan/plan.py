"""One configuration that a trial trains: every value fixed, nothing hidden."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

import numpy as np

from autotl.adaptation import METHODS
from autotl.adaptation.method import FitsToStatistics, PostTraining, PriorCorrection, Transform
from autotl.backbones import BackboneSpec, why_frozen
from autotl.backbones.classical import CLASSICAL
from autotl.backbones.pretrained import NAME as PRETRAINED

UnfrozenLayers = int | Literal["all"]

HEADS: dict[str, dict[str, Any]] = {
    "linear": {},
    "hidden": {"units": 256},  # one hidden layer with ReLU
    "lda": {"shrinkage": 0.1},  # linear discriminant analysis, solved from class means and one covariance
    "ridge": {"shrinkage": 0.1},  # least squares on one-hot labels, solved likewise
}
SOLVED = ("lda", "ridge")  # heads that are solved from sums over the examples, in one step


FEWEST_STEPS = 20  # of an epoch of a head: with fewer it would not get anywhere in the plan's epochs

LEARNS_FROM = ("all", "source", "target")  # every labelled training row, or those of one side alone
TOGETHER = ("uniform", "uncertainty")  # how the losses of tasks are weighed that are learnt together


@dataclass(frozen=True)
class Choice:
    """A named alternative with its own parameters, e.g. the head `hidden` with `units`."""

    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self, *, name_key: str) -> dict[str, Any]:
        """`{name_key: name, **parameters}`, as leaderboards and plan files write it."""
        return {name_key: self.name, **self.parameters}


@dataclass(frozen=True)
class Plan:
    """What exactly one trial does. Two plans with equal `key()` differ at most in their seed.

    `learning_rate` is the head's (Adam, decoupled weight decay, cosine decay over the epochs); unfrozen layers learn at
    `backbone_rate_ratio` times it. `views` stored random views of each training example join the plain one.
    `join: bag_of_words` gives the head, beside the network's features, what a bag of words says of each text.
    Fields that a modality has no use for are None (`autotl.plan.modalities`); the defaults are those of images.
    `learns_from: source` leaves the target's own labels out of training, as the baseline `source_only` does, and
    `target` the sources, as `no_transfer` does where the target has labels.
    `together` learns the task's companions beside it, a head each on what all of them train, their losses weighed alike
    (`uniform`) or by what the tasks' noise turns out to be (`uncertainty`); None is the task alone.
    """

    backbone: BackboneSpec
    image_size: int | None = 128
    crop: str | None = "none"
    sequence_length: int | None = None
    pooling: str | None = None
    join: str | None = None
    tap: str = "last"
    unfrozen_layers: UnfrozenLayers = 0
    head: Choice = Choice("linear")
    learning_rate: float = 1e-3
    backbone_rate_ratio: float = 0.1
    dropout: float = 0.0
    label_smoothing: float = 0.0
    weight_decay: float = 1e-4
    batch_size: int = 32
    epochs: int = 12
    views: int = 0
    augmentation: str | None = "crop_flip"
    learns_from: str = "all"
    together: str | None = None
    adaptation: Choice = Choice("none")
    seed: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values; the names are those of search spaces and of `--start-with` files. Fields without a use are
        left out."""
        values = {
            "backbone": self.backbone.as_plan_value(),
            "image_size": self.image_size,
            "crop": self.crop,
            "sequence_length": self.sequence_length,
            "pooling": self.pooling,
            "join": self.join,
            "tap": self.tap,
            "unfrozen_layers": self.unfrozen_layers,
            "head": self.head.as_dict(name_key="name"),
            "learning_rate": self.learning_rate,
            "backbone_rate_ratio": self.backbone_rate_ratio,
            "dropout": self.dropout,
            "label_smoothing": self.label_smoothing,
            "weight_decay": self.weight_decay,
            "batch_size": self.batch_size,
            "epochs": None if self.backbone.has_head else self.epochs,
            "views": None if self.augmentation is None else self.views,
            "augmentation": self.augmentation,
            "learns_from": self.learns_from,
            "together": self.together,
            "adaptation": self.adaptation.as_dict(name_key="method"),
            "seed": self.seed,
        }
        return {name: value for name, value in values.items() if value is not None}

    @property
    def all_epochs(self) -> int:
        """Epochs of the trial: the supervised ones, and those in which a method goes on without the source."""
        return self.epochs + self.adapting_epochs

    @property
    def adapting_epochs(self) -> int:
        """Epochs after the supervised ones, on target examples alone."""
        return int(self.adaptation.parameters.get("epochs", 0))

    def canonical(self) -> "Plan":
        """The same plan with values that have no effect set to their defaults, and without what has none by
        construction: what works through the features under the last layer, a method or tasks learnt together, gets a
        layer that can be trained there, and a method that cannot follow changing features gets frozen ones."""
        plan = self
        if plan.backbone.origin == CLASSICAL:
            bare = Plan(self.backbone, image_size=None, crop=None, augmentation=None, epochs=1)
            return replace(bare, learns_from=self.learns_from, seed=self.seed)
        if plan.backbone.has_head:
            return plan._without_idle_values()
        if plan.backbone.origin == PRETRAINED:
            plan = replace(plan, image_size=None, crop=None)  # it reads rows and windows as they are
        if needs_frozen_layers(plan.adaptation) or why_frozen(plan.backbone) is not None:
            plan = replace(plan, unfrozen_layers=0)
        if plan.together is not None:
            plan = replace(plan, adaptation=Choice("none"), join=None if plan.join is None else "none")
        if plan.head.name in SOLVED:
            plan = plan._solved()
        trains_features = METHODS[plan.adaptation.name].trains_features or plan.together is not None
        if trains_features and plan.unfrozen_layers == 0 and plan.head.name == "linear":
            plan = replace(plan, head=Choice("hidden", HEADS["hidden"]))
        if plan.unfrozen_layers == 0:
            plan = replace(plan, backbone_rate_ratio=type(self).backbone_rate_ratio)
        if plan.views == 0 and plan.augmentation is not None:
            plan = replace(plan, augmentation=type(self).augmentation)
        return plan

    def _solved(self) -> "Plan":
        """Of a head that is solved from sums: nothing is trained under it, or in steps.

        A method that trains gets a linear head instead.
        """
        if self.together is not None or not works_on_sums(self.adaptation):
            return replace(self, head=Choice("linear"))
        idle = ("learning_rate", "dropout", "label_smoothing", "weight_decay", "batch_size")
        defaults: dict[str, Any] = {each.name: each.default for each in fields(Plan) if each.name in idle}
        joined = None if self.join is None else "none"
        return replace(self, **defaults, unfrozen_layers=0, views=0, epochs=1, join=joined)

    def _without_idle_values(self) -> "Plan":
        """Of a network with its head: no epoch learns from labels, and what nothing reads has its default."""
        idle = idle_fields(self.adaptation)
        defaults: dict[str, Any] = {each.name: each.default for each in fields(Plan) if each.name in idle}
        plan = replace(self, **{**defaults, "epochs": 0})
        needs_a_layer = METHODS[plan.adaptation.name].trains_features and plan.head.name == "linear"
        if needs_a_layer and plan.unfrozen_layers == 0:
            plan = replace(plan, unfrozen_layers="all")
        return plan if plan.unfrozen_layers != 0 else replace(plan, backbone_rate_ratio=Plan.backbone_rate_ratio)

    def left_behind(self) -> "Plan":
        """The plan whose model the trained one is: of tasks learnt together, this task's with its own head alone."""
        return replace(self.canonical(), together=None)

    def key(self) -> str:
        """Equal for plans that would train the same, seed aside."""
        values = self.canonical().as_dict()
        del values["seed"]
        return json.dumps(values, sort_keys=True)


def idle_fields(adaptation: Choice) -> frozenset[str]:
    """Fields that nothing reads where a network comes with its head: all that labels would be learnt by, and what only
    matters to methods that train, or that train layers of the network."""
    method = METHODS[adaptation.name]
    idle = {"tap", "epochs", "views", "label_smoothing", "weight_decay", "learns_from"}
    if not isinstance(method, PostTraining):
        idle |= {"unfrozen_layers", "backbone_rate_ratio", "learning_rate", "dropout", "batch_size"}
    elif "suffix" not in method.trains:
        idle |= {"unfrozen_layers", "backbone_rate_ratio"}
    return frozenset(idle)


def cut_key(plan: Mapping[str, Any]) -> str:
    """Equal for plans, as leaderboards write them, whose networks are divided at the same place."""
    names = ("backbone", "image_size", "crop", "sequence_length", "pooling", "tap", "unfrozen_layers")
    return json.dumps([plan.get(name) for name in names], sort_keys=True)


def learns_together(plan: Mapping[str, Any]) -> bool:
    """Whether a plan, as leaderboards write it, learns other tasks beside its own."""
    return plan.get("together") is not None


def works_on_sums(adaptation: Choice) -> bool:
    """Whether a method asks for no more of a source than means, covariances and counts, and trains nothing."""
    method = METHODS[adaptation.name]
    return method.stage == "none" or isinstance(method, FitsToStatistics | PriorCorrection)


def needs_frozen_layers(adaptation: Choice) -> bool:
    """Whether a plan's method cannot follow features that change while layers below it are trained."""
    method = METHODS[adaptation.name]
    return isinstance(method, Transform) and not method.can_be_refitted


def trial_seed(task_seed: int, trial_number: int) -> int:
    """A trial's seed depends on the task and the trial alone, never on the worker or the hour."""
    return int(np.random.SeedSequence([task_seed, trial_number]).generate_state(1)[0])
