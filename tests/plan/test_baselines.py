from pathlib import Path

import pytest

from autotl.backbones import parse_spec
from autotl.plan import Choice
from autotl.plan.baselines import (
    FULL_FINETUNE,
    LINEAR_PROBE,
    MEANINGS,
    NO_TRANSFER,
    SOURCE_ONLY,
    baselines,
    first_plans,
    full_finetune,
    linear_probe,
    middle_of,
    no_transfer,
)
from autotl.plan.modalities import FROM_SCRATCH
from autotl.plan.space import parse_space
from autotl.task import BASELINE_NAMES

BACKBONES = [parse_spec(name, folder=Path(), where="here") for name in ("efficientnet_lite0", "MobileNetV2")]


def a_space(**written):
    backbones = {"backbone": {"choice": ["efficientnet_lite0", "MobileNetV2"]}}
    return parse_space({**backbones, **written}, where=lambda path: path, folder=Path())


def names_of(found):
    return [baseline.name for baseline in found]


def test_every_baseline_has_a_meaning():
    assert set(MEANINGS) == set(BASELINE_NAMES)


def test_a_run_has_a_probe_of_each_backbone_then_a_network_from_scratch_then_full_fine_tuning():
    found = baselines(a_space(), setting="supervised", wanted="auto")
    assert names_of(found) == [LINEAR_PROBE, LINEAR_PROBE, NO_TRANSFER, FULL_FINETUNE]
    assert [baseline.plan.backbone for baseline in found[:2]] == BACKBONES


def test_without_target_labels_the_probe_is_what_the_source_alone_teaches():
    found = baselines(a_space(), setting="transductive", wanted="auto")
    assert names_of(found) == [SOURCE_ONLY, SOURCE_ONLY, NO_TRANSFER, FULL_FINETUNE]


def test_with_labels_of_both_domains_the_source_alone_is_a_baseline_of_its_own():
    found = baselines(a_space(), setting="cross-domain", wanted="auto")
    assert names_of(found) == [LINEAR_PROBE, LINEAR_PROBE, SOURCE_ONLY, SOURCE_ONLY, NO_TRANSFER, FULL_FINETUNE]
    assert [baseline.plan.learns_from for baseline in found[:4]] == ["all", "all", "source", "source"]
    only = baselines(a_space(), setting="cross-domain", wanted=(SOURCE_ONLY,))
    assert names_of(only) == [SOURCE_ONLY, SOURCE_ONLY]


def test_full_fine_tuning_is_decided_when_the_probes_have_measured_the_backbones():
    assert baselines(a_space(), setting="supervised", wanted=(FULL_FINETUNE,))[0].plan is None


def test_only_the_baselines_asked_for_are_run():
    space = a_space()
    assert baselines(space, setting="supervised", wanted="none") == []
    assert names_of(baselines(space, setting="supervised", wanted=(NO_TRANSFER,))) == [NO_TRANSFER]


def test_the_order_in_which_baselines_are_asked_for_does_not_matter():
    wanted = baselines(a_space(), setting="supervised", wanted=(FULL_FINETUNE, LINEAR_PROBE))
    assert names_of(wanted) == [LINEAR_PROBE, LINEAR_PROBE, FULL_FINETUNE]


def test_a_linear_probe_trains_nothing_but_a_linear_head():
    plan = linear_probe(a_space(), BACKBONES[0])
    assert (plan.unfrozen_layers, plan.head, plan.adaptation) == (0, Choice("linear"), Choice("none"))


def test_no_baseline_of_a_language_network_is_joined_by_a_bag_of_words():
    written = {"backbone": "all_minilm_l6_v2", "join": "bag_of_words", "sequence_length": 64}
    space = parse_space(written, where=lambda path: path, folder=Path(), modality="text")
    (backbone,) = space.values("backbone")
    assert linear_probe(space, backbone).join == "none"
    assert full_finetune(space, backbone).join == "none"
    assert no_transfer(space).backbone.name == "bag_of_words"


def test_no_transfer_starts_from_random_weights_and_trains_all_of_them():
    plan = no_transfer(a_space(image_size=128))
    assert (plan.backbone, plan.unfrozen_layers, plan.image_size) == (FROM_SCRATCH, "all", 48)


@pytest.mark.parametrize(
    ("written", "crop"), [("none", "none"), ("content", "content"), ({"choice": ["content", "none"]}, "content")]
)
def test_baselines_look_at_what_the_middle_of_the_space_does(written, crop):
    space = a_space(crop=written)
    assert no_transfer(space).crop == crop
    assert linear_probe(space, BACKBONES[0]).crop == crop
    assert {plan.crop for plan in first_plans(space).values()} == {crop}


def test_no_transfer_is_never_given_larger_images_than_the_search():
    assert no_transfer(a_space(image_size=32)).image_size == 32


def test_full_fine_tuning_trains_every_layer_at_a_smaller_rate_than_the_head():
    plan = full_finetune(a_space(), BACKBONES[1])
    assert (plan.backbone, plan.unfrozen_layers) == (BACKBONES[1], "all")
    assert plan.backbone_rate_ratio < 1.0


def test_the_first_plan_of_every_backbone_lies_inside_the_space():
    space = a_space(
        image_size={"choice": [96, 128, 160]},
        unfrozen_layers={"choice": [0, 4]},
        learning_rate={"log": [1e-4, 1e-2]},
        head={"choice": {"hidden": {"units": {"choice": [64, 128, 512]}}, "linear": {}}},
        views={"choice": [0, 2]},
        augmentation={"choice": ["flip", "crop"]},
    )
    plans = first_plans(space)
    assert list(plans) == BACKBONES
    for backbone, plan in plans.items():
        assert plan.backbone == backbone
        assert space.parameters(plan) is not None


@pytest.mark.parametrize(
    ("written", "middle"),
    [
        (7, 7),
        ({"choice": [4, 8, 16]}, 8),
        ({"choice": [4, 8, 16, 32]}, 8),
        ({"whole": [3, 8]}, 5),
    ],
)
def test_the_middle_of_whole_numbers_is_one_of_them(written, middle):
    assert middle_of(a_space(epochs=written), "epochs") == middle


def test_the_middle_of_a_range_is_its_mean_on_its_own_scale():
    assert middle_of(a_space(learning_rate={"log": [1e-4, 1e-2]}), "learning_rate") == pytest.approx(1e-3)
    assert middle_of(a_space(dropout={"linear": [0.0, 0.5]}), "dropout") == pytest.approx(0.25)


def test_the_middle_of_alternatives_is_the_first_with_its_own_middle():
    space = a_space(head={"choice": {"hidden": {"units": {"choice": [64, 128, 512]}}, "linear": {}}})
    assert middle_of(space, "head") == Choice("hidden", {"units": 128})
