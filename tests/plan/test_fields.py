from pathlib import Path

import pytest

from autotl.adaptation import METHODS
from autotl.adaptation.method import Parameter
from autotl.data.augmentation import POLICIES
from autotl.errors import TaskError
from autotl.plan import HEADS, Choice, Plan
from autotl.plan.fields import alternative, fields, number, parse_plan, unfrozen_layers, whole_number
from autotl.plan.modalities import MODALITIES, OWN_FIELDS

HERE = Path()


def plan_of(**written):
    return parse_plan({"backbone": "small_cnn", **written}, where="plans.yaml:3:3: [0]", folder=HERE)


def test_every_field_of_a_plan_can_be_searched_but_its_seed():
    every = {name for modality in MODALITIES for name in fields(HERE, modality)}
    assert {*every, "seed"} == set(Plan.__dataclass_fields__)


@pytest.mark.parametrize("modality", MODALITIES)
def test_a_plan_holds_the_fields_of_its_modality_and_no_others(modality):
    plan = parse_plan({"backbone": "small_cnn"}, where="plans.yaml", folder=HERE, modality=modality)
    assert set(plan.as_dict()) == {*fields(HERE, modality), "seed"} - {"together"}  # of a task that is alone
    for name in set(OWN_FIELDS) - set(MODALITIES[modality].own_fields):
        with pytest.raises(TaskError, match="is not known"):
            parse_plan({"backbone": "small_cnn", name: 1}, where="plans.yaml", folder=HERE, modality=modality)


@pytest.mark.parametrize("modality", [name for name in MODALITIES if name != "text"])
def test_a_text_backbone_is_refused_before_anything_is_loaded_where_there_are_no_texts(modality):
    with pytest.raises(TaskError, match=f"'all_minilm_l6_v2' reads texts, not {modality}s"):
        parse_plan({"backbone": "all_minilm_l6_v2"}, where="plans.yaml", folder=HERE, modality=modality)


def test_what_a_given_plan_leaves_out_has_its_default():
    plan = plan_of()
    assert plan == Plan(plan.backbone)
    assert plan.backbone.label == "small_cnn"


@pytest.mark.parametrize(
    "written", [{"hidden": {"units": 64}}, {"name": "hidden", "units": 64}], ids=["by its key", "by its name"]
)
def test_a_head_with_a_parameter_can_be_written_in_two_ways(written):
    assert plan_of(head=written).head == Choice("hidden", {"units": 64})


@pytest.mark.parametrize("written", ["hidden", {"hidden": {}}, {"hidden": None}, {"name": "hidden"}])
def test_parameters_left_out_have_their_defaults(written):
    assert plan_of(head=written).head == Choice("hidden", HEADS["hidden"])


@pytest.mark.parametrize("name", HEADS)
def test_every_head_is_known_by_its_name(name):
    assert plan_of(head=name).head.name == name


@pytest.mark.parametrize("name", METHODS)
def test_every_adaptation_method_is_known_by_its_name(name):
    assert plan_of(adaptation=name).adaptation == Choice(name, METHODS[name].defaults)
    assert plan_of(adaptation={"method": name}).adaptation.name == name


@pytest.mark.parametrize("name", POLICIES)
def test_every_augmentation_is_known_by_its_name(name):
    assert plan_of(augmentation=name).augmentation == name


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ({"image_size": 8}, "image_size: 8 is not a whole number from 16 to 2048."),
        ({"image_size": 96.0}, "image_size: 96.0 is not a whole number from 16 to 2048."),
        ({"epochs": True}, "epochs: True is not a whole number from 1 to 10000."),
        ({"learning_rate": 0}, "learning_rate: 0 is not a number from 1e-08 to 10."),
        ({"learning_rate": "fast"}, "learning_rate: 'fast' is not a number from 1e-08 to 10."),
        ({"learning_rate": float("nan")}, "learning_rate: nan is not a number from 1e-08 to 10."),
        ({"dropout": 1.0}, "dropout: 1.0 is not a number from 0 to 0.95."),
        ({"unfrozen_layers": -1}, "unfrozen_layers: -1 is not a number of layers. Allowed: 0, 1, 2 … or all."),
        ({"unfrozen_layers": "most"}, "unfrozen_layers: 'most' is not a number of layers. Allowed: 0, 1, 2 … or all."),
        ({"tap": 4}, "tap: 4 is not a name."),
        ({"head": "liner"}, "head: 'liner' is not known. Allowed: hidden, lda, linear, ridge. Did you mean 'linear'?"),
        ({"head": {"hidden": {"unit": 3}}}, "head.hidden: 'unit' is not known. Allowed: units. Did you mean 'units'?"),
        ({"head": 3}, "head: 3 is neither a name nor {name: {parameter: value}}."),
        ({"seed": -1}, "seed: -1 is not a whole number from 0 to 9223372036854775807."),
    ],
)
def test_a_wrong_value_is_told_with_its_place_and_what_is_allowed(written, complaint):
    with pytest.raises(TaskError) as error:
        plan_of(**written)
    assert error.value.mistakes == (f"plans.yaml:3:3: [0].{complaint}",)


def test_a_parameter_of_a_head_is_checked_like_any_other_value():
    with pytest.raises(TaskError, match=r"\.units: -3 is not a whole number from 1"):
        plan_of(head={"hidden": {"units": -3}})


def test_a_wrong_augmentation_is_told_with_the_menu():
    with pytest.raises(
        TaskError, match=r"augmentation: 'crop_flop' is not known\. Allowed: .*Did you mean 'crop_flip'"
    ):
        plan_of(augmentation="crop_flop")


def test_every_mistake_of_a_plan_is_told_at_once():
    with pytest.raises(TaskError) as error:
        parse_plan({"epoch": 3, "image_size": 1, "dropout": 2, "seed": "x"}, where="here", folder=HERE)
    told = "\n".join(error.value.mistakes)
    assert len(error.value.mistakes) == 5
    assert "here: 'epoch' is not known" in told
    assert "Did you mean 'epochs'?" in told
    assert "here.image_size: 1" in told
    assert "here.dropout: 2" in told
    assert "here.seed: 'x'" in told
    assert "here: a plan needs a 'backbone'." in told


@pytest.mark.parametrize("written", ["MobileNetV2", None, ["MobileNetV2"]])
def test_a_plan_that_is_no_mapping_is_refused_with_an_example(written):
    with pytest.raises(TaskError, match=r"here: a plan is a mapping such as \{backbone: MobileNetV2\}, not"):
        parse_plan(written, where="here", folder=HERE)


def test_the_ends_of_a_range_are_allowed():
    assert number(0.0, 0.95)(0.95, "here") == 0.95
    assert whole_number(16, 2048)(16, "here") == 16


def test_a_whole_number_is_read_as_a_number_where_one_is_wanted():
    value = number(0.0, 10.0)(1, "here")
    assert isinstance(value, float)  # 1 and 1.0 are one plan, so their keys must agree
    assert value == 1.0


@pytest.mark.parametrize("value", [0, 5, "all"])
def test_layers_are_counted_or_all(value):
    assert unfrozen_layers(value, "here") == value


def test_a_bool_is_no_number_of_layers():
    with pytest.raises(TaskError, match="True is not a number of layers"):
        unfrozen_layers(True, "here")


def test_reading_an_alternative_leaves_the_table_of_defaults_alone():
    table = {"hidden": {"units": Parameter(256)}}
    assert alternative(table, name_key="name")({"hidden": {"units": 1}}, "here") == Choice("hidden", {"units": 1})
    assert table == {"hidden": {"units": Parameter(256)}}
