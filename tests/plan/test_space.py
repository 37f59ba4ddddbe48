from pathlib import Path

import optuna
import pytest

from autotl.backbones import parse_spec
from autotl.errors import TaskError
from autotl.plan import Choice, Plan
from autotl.plan.fields import fields
from autotl.plan.reading import shipped_spaces
from autotl.plan.space import ONLY_WITH, Alternatives, Fixed, Options, Range, parse_space
from autotl.task.yaml_reader import parse_document, read_yaml

HERE = Path()
WIDE = """\
backbone: {choice: [efficientnet_lite0, MobileNetV2]}
image_size: {choice: [96, 128]}
tap: {choice: [last, P4]}
unfrozen_layers: {choice: [0, 4, all]}
head:
  choice:
    linear: {}
    hidden: {units: {choice: [64, 512]}}
learning_rate: {log: [1e-4, 1e-2]}
backbone_rate_ratio: {log: [0.01, 1.0]}
dropout: {linear: [0.0, 0.5]}
epochs: {whole: [2, 9]}
views: {choice: [0, 2]}
augmentation: {choice: [flip, crop]}
"""


@pytest.fixture(autouse=True)
def quiet_optuna():
    optuna.logging.set_verbosity(optuna.logging.WARNING)


def a_space(text=WIDE, **options):
    document = parse_document(text.encode(), file="space.yaml")
    return parse_space(document.value, where=document.where, folder=HERE, **options)


def mistakes_of(text):
    with pytest.raises(TaskError) as error:
        a_space(text)
    return error.value.mistakes


def a_study(seed=0):
    return optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))


def suggestions(space, number):
    study = a_study()
    for _ in range(number):
        trial = study.ask()
        yield trial, space.suggest(trial, seed=5)


def test_plain_values_are_fixed_and_choices_and_ranges_are_searched():
    dimensions = a_space().dimensions
    assert list(dimensions) == list(fields(HERE))
    assert dimensions["batch_size"] == Fixed(32)
    assert dimensions["image_size"] == Options({96: 96, 128: 128})
    assert dimensions["learning_rate"] == Range(1e-4, 1e-2, "log")
    assert dimensions["dropout"] == Range(0.0, 0.5, "linear")
    assert dimensions["epochs"] == Range(2, 9, "whole")
    assert dimensions["head"] == Alternatives({"linear": {}, "hidden": {"units": Options({64: 64, 512: 512})}})


def test_fields_that_a_space_leaves_out_have_the_defaults_of_a_plan():
    space = a_space("backbone: small_cnn")
    trial, plan = next(suggestions(space, 1))
    assert plan == Plan(parse_spec("small_cnn", folder=HERE, where="here"), seed=5)
    assert trial.params == {}


def test_every_suggestion_is_a_plan_inside_the_space():
    for _, plan in suggestions(a_space(), 40):
        assert plan.image_size in (96, 128)
        assert 1e-4 <= plan.learning_rate <= 1e-2
        assert plan.epochs in range(2, 10)
        assert plan.head in (Choice("linear"), Choice("hidden", {"units": 64}), Choice("hidden", {"units": 512}))
        assert plan.seed == 5


def test_a_crop_is_searched_where_the_space_leaves_it_open():
    space = a_space(WIDE + "crop: {choice: [content, none]}\n")
    assert {plan.crop for _, plan in suggestions(space, 20)} == {"content", "none"}
    assert all(space.parameters(plan) == trial.params for trial, plan in suggestions(space, 20))
    assert {plan.crop for _, plan in suggestions(a_space(), 5)} == {"none"}


@pytest.mark.parametrize("modality", ["text", "table", "signal"])
def test_other_modalities_have_no_crop(modality):
    assert "crop" not in fields(HERE, modality)
    assert "crop" not in shipped_spaces()[modality].read_text(encoding="utf-8")


def test_a_head_has_units_exactly_where_it_is_hidden():
    heads = set()
    for trial, plan in suggestions(a_space(), 40):
        heads.add(plan.head.name)
        assert ("head.hidden.units" in trial.params) == (plan.head.name == "hidden")
    assert heads == {"linear", "hidden"}


def test_fields_without_effect_are_not_suggested_and_keep_their_default():
    seen = set()
    for trial, plan in suggestions(a_space(), 60):
        seen.add((plan.unfrozen_layers != 0, plan.views > 0))
        assert ("backbone_rate_ratio" in trial.params) == (plan.unfrozen_layers != 0)
        assert ("augmentation" in trial.params) == (plan.views > 0)
        assert plan == plan.canonical()
    assert len(seen) == 4


@pytest.mark.parametrize("name", ONLY_WITH)
def test_a_field_stands_behind_the_one_that_it_depends_on(name):
    order = list(fields(HERE))
    assert name in order
    # `views` and `unfrozen_layers` must be known by the time their companions are suggested
    assert order.index(ONLY_WITH[name][0]) < order.index(name)


def test_parameters_are_the_inverse_of_suggest():
    space = a_space()
    for trial, plan in suggestions(space, 60):
        assert space.parameters(plan) == trial.params


def test_enqueued_parameters_of_a_plan_give_the_plan_back():
    space = a_space()
    plans = [plan for _, plan in suggestions(space, 20)]
    study = a_study(seed=1)
    for plan in plans:
        study.enqueue_trial(space.parameters(plan))
    assert [space.suggest(study.ask(), seed=5) for _ in plans] == plans


@pytest.mark.parametrize(
    "change",
    [
        {"image_size": 112},
        {"crop": "content"},
        {"learning_rate": 0.5},
        {"unfrozen_layers": 5},
        {"batch_size": 16},
        {"head": Choice("hidden", {"units": 65})},
        {"head": Choice("bilinear")},
        {"backbone": parse_spec("small_cnn", folder=HERE, where="here")},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_plan_outside_the_space_has_no_parameters(change):
    space = a_space()
    inside = {"backbone": space.values("backbone")[0], "image_size": 96, "epochs": 5}
    assert space.parameters(Plan(**inside)) is not None
    assert space.parameters(Plan(**{**inside, **change})) is None


def test_a_value_without_effect_does_not_put_a_plan_outside_the_space():
    space = a_space()
    plan = Plan(space.values("backbone")[0], image_size=96, epochs=5, backbone_rate_ratio=7.0, augmentation="none")
    assert "backbone_rate_ratio" not in space.parameters(plan)


def test_a_single_alternative_is_nothing_to_choose_but_its_parameters_are():
    space = a_space("backbone: small_cnn\nhead: {choice: {hidden: {units: {choice: [8, 16]}}}}")
    trial, plan = next(suggestions(space, 1))
    assert set(trial.params) == {"head.hidden.units"}
    assert plan.head == Choice("hidden", {"units": trial.params["head.hidden.units"]})


@pytest.mark.parametrize("head", ["hidden", "{choice: [hidden]}", "{choice: {hidden: {}}}", "{name: hidden}"])
def test_parameters_of_an_alternative_that_are_not_written_have_their_defaults(head):
    space = a_space(f"backbone: small_cnn\nhead: {head}")
    assert space.dimensions["head"] == Alternatives({"hidden": {"units": Fixed(256)}})


def test_values_of_a_field_are_listed_whatever_its_kind():
    space = a_space()
    assert [backbone.label for backbone in space.values("backbone")] == ["efficientnet_lite0", "MobileNetV2"]
    assert space.values("batch_size") == [32]
    assert space.values("epochs") == [2, 9]
    assert space.values("head") == [Choice("linear"), Choice("hidden")]


def test_a_space_without_the_backbones_that_are_not_at_hand_keeps_its_plans_so_that_they_can_be_shown_as_skipped():
    given = "start_with: [{backbone: efficientnet_lite0}, {backbone: MobileNetV2}]\n"
    space = a_space(WIDE + given)
    lite, mobile = space.values("backbone")
    left = space.with_backbones([mobile])
    assert left.dimensions["backbone"] == Fixed(mobile)
    assert left.start_with == space.start_with
    assert [plan.backbone for plan in space.with_backbones([lite, mobile]).start_with] == [lite, mobile]


@pytest.mark.parametrize("name", shipped_spaces())
def test_every_shipped_space_is_free_of_mistakes_and_suggests_plans_that_it_holds(name):
    document = read_yaml(shipped_spaces()[name])
    space = parse_space(document.value, where=document.where, folder=HERE, modality=name)
    for trial, plan in suggestions(space, 40):
        was_given_a_layer = trial.params.get("head", "linear") != plan.head.name  # its method needs one to train
        assert space.parameters(plan) == trial.params or was_given_a_layer


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("lerning_rate: 1", "2:15: lerning_rate: 'lerning_rate' is not known. Allowed: adaptation, augmentation, "),
        ("image_size: 8", "2:13: image_size: 8 is not a whole number from 16 to 2048."),
        ("image_size: {choice: [96, big]}", "2:27: image_size.choice[1]: 'big' is not a whole number from 16 to 2048."),
        ("image_size: {choice: []}", "2:22: image_size.choice: [] is not a list of choices."),
        ("image_size: {choice: 96}", "2:22: image_size.choice: 96 is not a list of choices."),
        ("dropout: {choice: {a: 1}}", "2:10: dropout: this field takes a list of choices, not a mapping."),
        ("dropout: {log: [0, 0.5]}", "2:16: dropout.log: a logarithmic range starts above 0, not at 0."),
        ("dropout: {linear: [0.5, 0.1]}", "2:19: dropout.linear: the low end 0.5 must be below the high end 0.1."),
        ("dropout: {linear: [0.1, 0.1]}", "2:19: dropout.linear: the low end 0.1 must be below the high end 0.1."),
        ("dropout: {linear: [0.1]}", "2:19: dropout.linear: [0.1] is not a range. Write it as [low, high]."),
        ("dropout: {linear: [0.1, 3]}", "2:25: dropout.linear[1]: 3 is not a number from 0 to 0.95."),
        ("dropout: {whole: [0, 0.5]}", "2:18: dropout.whole: this field wants {log: [low, high]} or {linear: "),
        ("epochs: {log: [1, 9]}", "2:15: epochs.log: this field wants {whole: [low, high]}."),
        ("tap: {linear: [a, b]}", "2:15: tap.linear: this field holds no numbers, so it cannot be a range. Write {"),
        ("crop: contents", "2:7: crop: 'contents' is not known. Allowed: content, none. Did you mean 'content'?"),
        ("augmentation: flop", "2:15: augmentation: 'flop' is not known. Allowed: crop, crop_flip, "),
        ("adaptation: nan", "2:13: adaptation: 'nan' is not known. Allowed: "),
        ("head: {choice: {}}", "2:16: head.choice: there is nothing to choose from."),
        (
            "head: {choice: {lin: {}}}",
            "2:22: head.choice.lin: 'lin' is not known. Allowed: hidden, lda, linear, ridge. Did you",
        ),
        ("head: {choice: {hidden: {unit: 1}}}", "2:32: head.choice.hidden.unit: 'unit' is not known. Allowed: units."),
        ("head: {choice: {hidden: 5}}", "2:25: head.choice.hidden: 5 is not a mapping of parameters."),
        (
            "head: {choice: {hidden: {units: {whole: [9, 4]}}}}",
            "2:41: head.choice.hidden.units.whole: the low end 9 must be below the high end 4.",
        ),
        ("head: {hidden: {units: {choice: [1, 2]}}}", "2:7: head.hidden.units: {'choice': [1, 2]} is not a whole"),
        ("unfrozen_layers: {choice: [0, 17]}", "2:31: unfrozen_layers.choice[1]: 17 is more than 'small_cnn' has: 16 "),
        ("unfrozen_layers: 17", "2:18: unfrozen_layers: 17 is more than 'small_cnn' has: 16 layers own weights. Write"),
        ("start_with: 5", "2:13: start_with: 5 is not a list of plans"),
        ("start_with: [{backbone: small_cnn, epochs: 0}]", "2:14: start_with[0].epochs: 0 is not a whole number"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_what_is_allowed(line, complaint):
    (told,) = mistakes_of(f"backbone: small_cnn\n{line}\n")
    assert told.startswith(f"space.yaml:{complaint}")


def test_an_unknown_backbone_is_told_with_the_nearest_one():
    (told,) = mistakes_of("backbone: {choice: [MobileNetV2, MobilNetV2]}")
    assert told.startswith("space.yaml:1:34: backbone.choice[1]: 'MobilNetV2' is not a known backbone.")
    assert told.endswith("Did you mean 'MobileNetV2'?")


def test_a_space_without_a_backbone_is_refused():
    assert mistakes_of("epochs: 3") == ("space.yaml:1:1: a search space needs a 'backbone'.",)


def test_every_mistake_of_a_space_is_told_at_once():
    told = mistakes_of(
        "backbone: MobilNetV2\n"
        "epoch: 3\n"
        "image_size: 8\n"
        "dropout: {linear: [0.5, 0.1]}\n"
        "head: {choice: {lin: {}, hidden: {units: 0}}}\n"
        "start_with: [{epochs: 3}]\n"
    )
    places = [mistake.split(": ")[1].split(".")[0] for mistake in told]
    assert sorted(set(places)) == ["backbone", "dropout", "epoch", "head", "image_size", "start_with[0]"]
    assert len(told) == 7  # both of the head


def test_every_mistake_in_one_list_of_choices_is_told_at_once():
    told = mistakes_of("backbone: small_cnn\nimage_size: {choice: [8, 96, big]}")
    assert [mistake.split(": ")[1] for mistake in told] == ["image_size.choice[0]", "image_size.choice[2]"]


def test_an_alternative_listed_twice_is_refused_for_the_second_would_replace_the_first():
    (told,) = mistakes_of("backbone: small_cnn\nhead: {choice: [{hidden: {units: 64}}, {hidden: {units: 128}}]}")
    assert "head.choice: 'hidden' stands there twice." in told


def test_cuts_of_ours_that_a_backbone_cannot_follow_are_left_out():
    written = "backbone: small_cnn\nunfrozen_layers: {choice: [0, 4, 24, all]}"
    assert a_space(written, defaults=["unfrozen_layers"]).values("unfrozen_layers") == [0, 4, "all"]


def test_where_one_cut_of_ours_is_left_it_is_fixed():
    written = "backbone: small_cnn\nunfrozen_layers: {choice: [4, 24]}"
    assert a_space(written, defaults=["unfrozen_layers"]).dimensions["unfrozen_layers"] == Fixed(4)


def test_a_cut_is_as_deep_as_the_smallest_backbone_allows():
    (told,) = mistakes_of("backbone: {choice: [MobileNetV2, small_cnn]}\nunfrozen_layers: {choice: [4, 24]}")
    assert "24 is more than 'small_cnn' has" in told


def test_an_image_size_that_a_backbone_cannot_take_is_said_before_anything_is_loaded():
    with pytest.raises(TaskError, match=r"image_size\.choice\[0\]: 64 px are too few for 'InceptionV3'.* 75 a side"):
        a_space("backbone: InceptionV3\nimage_size: {choice: [64, 96]}\n")


def test_a_cut_that_is_deeper_than_its_only_tap_is_said_before_anything_is_loaded():
    text = "backbone: efficientnet_lite0\nunfrozen_layers: 60\n"
    with pytest.raises(TaskError, match="60 is more than 'efficientnet_lite0' has: 32 layers"):
        a_space(f"{text}tap: P3\n")
    assert a_space(f"{text}tap: {{choice: [P3, last]}}\n").values("unfrozen_layers") == [60]


def test_a_space_in_company_has_two_halves_and_the_second_draws_only_what_it_uses():
    document = read_yaml(shipped_spaces()["text"])
    space = parse_space(document.value, where=document.where, folder=HERE, modality="text")
    assert space.halves() == (space,)
    alone, together = space.with_values("together", [None, "uniform", "uncertainty"]).halves()
    assert alone.values("together") == [None]
    assert together.values("together") == ["uniform", "uncertainty"]
    assert [choice.name for choice in together.values("adaptation")] == ["none"]
    assert together.values("join") == ["none"]
    assert alone.dimensions["adaptation"] == space.dimensions["adaptation"]


def test_how_tasks_are_learnt_is_written_so_that_it_can_be_read_again():
    shipped = read_yaml(shipped_spaces()["image"]).value
    written = {**shipped, "together": {"choice": ["alone", "uncertainty"]}}
    space = parse_space(written, where=str, folder=HERE)
    assert space.values("together") == [None, "uncertainty"]
    assert space.as_mapping()["together"] == written["together"]
    assert parse_space(space.as_mapping(), where=str, folder=HERE) == space
    assert "together" not in parse_space(shipped, where=str, folder=HERE).as_mapping()
    with pytest.raises(TaskError, match="together: 'alon' is not known. Allowed: alone, uncertainty, uniform."):
        parse_space({"backbone": "small_cnn", "together": "alon"}, where=str, folder=HERE)
