from pathlib import Path

import pytest

from autotl.plan import Choice, Plan
from autotl.plan.fields import parse_plan
from autotl.plan.nearest import nearest_in
from autotl.plan.space import parse_space


def a_space(**written):
    backbones = {"backbone": {"choice": ["efficientnet_lite0", "MobileNetV2"]}}
    return parse_space({**backbones, **written}, where=str, folder=Path())


def a_plan(**written):
    return parse_plan({"backbone": "MobileNetV2", **written}, where="plan", folder=Path())


def near(space, plan):
    return nearest_in(space, plan, backbones=space.values("backbone"))


def test_a_plan_of_the_space_stays_as_it_is():
    space = a_space(learning_rate={"log": [1e-4, 1e-2]}, unfrozen_layers={"choice": [0, 4]})
    plan = a_plan(learning_rate=3e-3, unfrozen_layers=4)
    assert near(space, plan).key() == plan.key()


def test_what_lies_outside_is_drawn_to_the_edge_and_what_is_fixed_is_taken():
    space = a_space(learning_rate={"log": [1e-4, 1e-3]}, unfrozen_layers={"choice": [0, 4]}, image_size=96)
    found = near(space, a_plan(learning_rate=0.05, unfrozen_layers=20, image_size=224))
    assert (found.learning_rate, found.unfrozen_layers, found.image_size) == (1e-3, 4, 96)


@pytest.mark.parametrize(("options", "expected"), [([0, 4, 12], 12), ([0, "all"], "all")])
def test_all_layers_are_as_many_as_the_space_has(options, expected):
    space = a_space(unfrozen_layers={"choice": options})
    assert near(space, a_plan(unfrozen_layers="all")).unfrozen_layers == expected


def test_another_backbone_is_replaced_by_the_most_promising_one():
    space = a_space()
    first, second = space.values("backbone")
    found = nearest_in(space, a_plan(backbone="VGG16"), backbones=[second, first])
    assert found.backbone == second
    assert near(space, a_plan(backbone="MobileNetV2")).backbone.label == "MobileNetV2"


def test_a_method_that_the_space_lacks_becomes_none_and_its_parameters_go_with_it():
    space = a_space(adaptation={"choice": {"none": {}, "dan": {"weight": {"log": [0.1, 1.0]}}}})
    given = Choice("dann", {"weight": 0.7})
    plan = Plan(**{**vars(a_plan()), "adaptation": given})
    assert near(space, plan).adaptation.name == "none"
    other = Plan(**{**vars(a_plan()), "adaptation": Choice("dan", {"weight": 7.0})})
    assert near(space, other).adaptation.parameters["weight"] == 1.0


def test_fields_of_which_nothing_is_known_are_as_in_the_middle_of_the_space():
    space = a_space(learning_rate={"log": [1e-4, 1e-2]}, image_size={"choice": [96, 128, 160]})
    found = nearest_in(
        space, a_plan(learning_rate=9e-3, image_size=96), backbones=space.values("backbone"), known={"learning_rate"}
    )
    assert (found.learning_rate, found.image_size) == (9e-3, 128)
