import json
from dataclasses import replace
from pathlib import Path

import pytest

from autotl.adaptation import METHODS
from autotl.backbones import BackboneSpec, parse_spec
from autotl.backbones.classical import CLASSICAL
from autotl.backbones.pretrained import NAME as PRETRAINED
from autotl.plan import Choice, Plan, trial_seed
from autotl.plan.fields import parse_plan

HERE = Path()
SMALL_CNN = parse_spec("small_cnn", folder=HERE, where="here")
FULL = Plan(
    parse_spec({"application": "MobileNetV2", "weights": "none"}, folder=HERE, where="here"),
    image_size=96,
    crop="content",
    tap="P4",
    unfrozen_layers="all",
    head=Choice("hidden", {"units": 64}),
    learning_rate=3e-3,
    backbone_rate_ratio=0.5,
    dropout=0.25,
    label_smoothing=0.1,
    weight_decay=1e-5,
    batch_size=16,
    epochs=3,
    views=2,
    augmentation="flip",
    seed=11,
)


@pytest.mark.parametrize("plan", [Plan(SMALL_CNN), FULL], ids=["defaults", "nothing left at its default"])
def test_a_plan_written_as_json_is_read_back_equal(plan):
    written = json.loads(json.dumps(plan.as_dict()))
    assert parse_plan(written, where="plan", folder=HERE) == plan


def test_two_plans_that_differ_in_their_seed_alone_have_one_key():
    assert Plan(SMALL_CNN, seed=1).key() == Plan(SMALL_CNN, seed=2).key()


@pytest.mark.parametrize(
    "change",
    [{"backbone_rate_ratio": 0.7}, {"augmentation": "flip"}],
    ids=["backbone_rate_ratio on a frozen backbone", "augmentation without views"],
)
def test_values_without_effect_do_not_make_a_plan_a_new_one(change):
    frozen = Plan(SMALL_CNN, unfrozen_layers=0, views=0)
    with_effect = replace(frozen, unfrozen_layers=2, views=1)
    assert replace(frozen, **change).key() == frozen.key()
    assert replace(with_effect, **change).key() != with_effect.key()


@pytest.mark.parametrize(
    "change",
    [
        {"image_size": 96},
        {"crop": "content"},
        {"tap": "P4"},
        {"unfrozen_layers": "all"},
        {"head": Choice("hidden", {"units": 256})},
        {"learning_rate": 2e-3},
        {"dropout": 0.1},
        {"label_smoothing": 0.1},
        {"weight_decay": 0.0},
        {"batch_size": 16},
        {"epochs": 13},
        {"views": 1},
    ],
    ids=lambda change: next(iter(change)),
)
def test_values_with_effect_make_a_plan_a_new_one(change):
    assert replace(Plan(SMALL_CNN), **change).key() != Plan(SMALL_CNN).key()


@pytest.mark.parametrize("backbone", [BackboneSpec(CLASSICAL, "random_forest"), BackboneSpec(PRETRAINED, PRETRAINED)])
def test_a_plan_of_what_reads_no_images_has_no_crop(backbone):
    assert "crop" not in Plan(backbone, crop="content").canonical().as_dict()
    assert Plan(backbone, crop="content").key() == Plan(backbone).key()


def test_heads_that_differ_in_a_parameter_are_different_plans():
    small, large = (Plan(SMALL_CNN, head=Choice("hidden", {"units": units})) for units in (64, 128))
    assert small.key() != large.key()


def test_the_seed_of_a_trial_depends_on_the_task_seed_and_its_number_alone():
    assert trial_seed(7, 3) == trial_seed(7, 3)
    seeds = {trial_seed(task, number) for task in range(20) for number in range(20)}
    assert len(seeds) == 400
    assert all(0 <= seed < 2**32 for seed in seeds)


def test_what_is_learnt_together_has_a_layer_to_share_and_nothing_that_it_does_not_use():
    plan = Plan(SMALL_CNN, together="uniform", adaptation=Choice("mcc", METHODS["mcc"].defaults)).canonical()
    assert (plan.head.name, plan.adaptation) == ("hidden", Choice("none"))
    assert plan.left_behind() == replace(plan, together=None)
    shared_suffix = Plan(SMALL_CNN, together="uniform", unfrozen_layers=4)
    assert shared_suffix.canonical().head.name == "linear"  # the unfrozen layers are what is shared
    assert plan.key() != replace(plan, together=None).key() != replace(plan, together="uncertainty").key()
