"""Plans share a packet where nothing but numbers of a linear head tells them apart."""

from dataclasses import replace

import pytest

from autotl.adaptation import METHODS
from autotl.backbones import BackboneSpec
from autotl.backbones.classical import CLASSICAL
from autotl.plan import Choice, Plan
from autotl.plan.packets import packet_key

PLAN = Plan(BackboneSpec("scratch", "small_cnn"))


@pytest.mark.parametrize(
    "changes",
    [
        {"learning_rate": 0.1},
        {"dropout": 0.5},
        {"label_smoothing": 0.1},
        {"weight_decay": 0.0},
        {"epochs": 3},
        {"seed": 8},
        {"adaptation": Choice("importance", METHODS["importance"].defaults)},
        {"backbone_rate_ratio": 0.5},  # of no effect on a frozen backbone
    ],
)
def test_plans_that_differ_in_numbers_of_the_head_share_a_packet(changes):
    assert packet_key(replace(PLAN, **changes)) == packet_key(PLAN) is not None


@pytest.mark.parametrize(
    "changes",
    [
        {"backbone": BackboneSpec("application", "VGG16", weights="imagenet")},
        {"image_size": 96},
        {"tap": "P4"},
        {"views": 2},
        {"batch_size": 64},
        {"learns_from": "source"},
        {"crop": "content"},
    ],
)
def test_other_features_or_batches_are_another_packet(changes):
    assert packet_key(replace(PLAN, **changes)) not in (None, packet_key(PLAN))


@pytest.mark.parametrize(
    "changes",
    [
        {"unfrozen_layers": 4},
        {"unfrozen_layers": "all"},
        {"head": Choice("hidden", {"units": 8})},
        {"join": "bag_of_words"},
        {"backbone": BackboneSpec(CLASSICAL, "boosted_trees")},
        {"backbone": BackboneSpec("exported", "model.zip", weights="digest")},
        *(
            {"adaptation": Choice(name, method.defaults)}
            for name, method in METHODS.items()
            if name not in ("none", "importance")
        ),
    ],
)
def test_whatever_trains_more_than_a_linear_head_is_trained_alone(changes):
    assert packet_key(replace(PLAN, **changes)) is None
