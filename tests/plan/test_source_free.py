"""Over an exported source only what adapts it is searched; network, head and how examples are read come with it."""

from types import SimpleNamespace

import numpy as np
import pytest
from exported_files import write_file

from autotl.adaptation import METHODS
from autotl.backbones import BackboneSpec
from autotl.backbones.exported import spec_of
from autotl.data.exported import read_exported
from autotl.errors import TaskError
from autotl.plan import Choice, Plan
from autotl.plan.baselines import SOURCE_ONLY, baselines, first_plans, method_plans
from autotl.plan.fields import parse_plan
from autotl.plan.reading import read_plans, read_space
from autotl.plan.suiting import Ground, refuse_unsuited, suited_to
from autotl.task import task_from_mapping
from autotl.task.problem import CLASSIFICATION

ALLOWED = ["none", "standardize", "label_shift", "shot", "tent"]


@pytest.fixture
def exported(tmp_path):
    return read_exported(write_file(tmp_path / "colours.source.zip"))


def a_task(exported, **changes):
    data = {"target": {"train": "t", "labels": "none"}, "source": {"exported": exported.path.name}}
    return task_from_mapping({"data": data, **changes}, folder=exported.path.parent)


def data_with(exported):
    return Ground.of(
        SimpleNamespace(
            domains=("target",),
            setting="transductive",
            adaptation_rows=np.arange(9),
            exported=exported,
            statistics=(),
            companions=(),
            problem=CLASSIFICATION,
        )
    )


def an_adaptation(name, **values):
    return Choice(name, {**METHODS[name].defaults, **values})


def a_plan(exported, name="none", **values):
    return Plan(spec_of(exported), image_size=32, adaptation=an_adaptation(name), **values)


def test_the_space_is_what_adapts_the_model(exported):
    space = read_space(a_task(exported))
    assert space.values("backbone") == [spec_of(exported)]
    assert space.values("image_size") == [32]
    assert space.values("head") == [Choice("linear")]
    assert space.values("tap") == ["last"]
    assert len(space.values("learning_rate")) == 2
    kept = suited_to(space, data_with(exported))
    assert [choice.name for choice in kept.values("adaptation")] == ALLOWED


def test_the_target_is_cropped_as_the_source_was(exported, tmp_path):
    reads = {"reads": "pixels", "image_size": 32, "crop": "content"}
    cropping = read_exported(write_file(tmp_path / "cropping.zip", preprocessing=reads))
    assert read_space(a_task(cropping)).values("crop") == ["content"]
    assert read_space(a_task(exported)).values("crop") == ["none"]
    with pytest.raises(TaskError, match="crop: 'none' is not possible: the exported source brings its own"):
        parse_plan({"backbone": spec_of(cropping).as_plan_value(), "crop": "none"}, where="here", folder=tmp_path)


def test_cuts_that_are_deeper_than_the_network_are_left_out_of_our_own(tmp_path):
    exported = read_exported(write_file(tmp_path / "small.zip", layers=5))
    assert read_space(a_task(exported)).values("unfrozen_layers") == [0, 4]
    with pytest.raises(TaskError, match="5 layers own weights"):
        read_space(a_task(exported, search_space={"unfrozen_layers": 12}))


def test_a_hidden_head_comes_with_its_width(tmp_path):
    exported = read_exported(write_file(tmp_path / "a.zip", hidden_units=24))
    head = read_space(a_task(exported)).dimensions["head"].options
    assert head["hidden"]["units"].value == 24


@pytest.mark.parametrize("name", ["backbone", "head", "image_size", "epochs"])
def test_what_the_source_brings_cannot_be_searched(exported, name):
    with pytest.raises(TaskError, match=rf"search_space\.{name}: an exported source brings its own"):
        read_space(a_task(exported, search_space={name: "linear"}))


def test_an_exported_source_is_no_pretrained_network(exported):
    elsewhere = task_from_mapping({"data": {"target": {"train": "t"}}}, folder=exported.path.parent)
    written = {"backbone": {"exported": exported.path.name}}
    asked = elsewhere.model_copy(update={"search_space": written})
    asked._folder = exported.path.parent
    with pytest.raises(TaskError, match="Name it in data.source"):
        read_space(asked)
    started = task_from_mapping(
        {"data": {"target": {"train": "t"}}, "start_with": [written]}, folder=exported.path.parent
    )
    with pytest.raises(TaskError, match="Name it in data.source"):
        read_plans(started, None)


def test_given_plans_start_from_it_too(exported):
    own = [{"backbone": {"exported": exported.path.name}, "adaptation": "shot"}]
    (plan,) = read_plans(a_task(exported, start_with=own), None)
    assert plan.image_size == 32
    with pytest.raises(TaskError, match="every plan starts from it"):
        read_plans(a_task(exported, start_with=[{"backbone": "small_cnn"}]), None)
    with pytest.raises(TaskError, match="head: 'hidden' is not possible"):
        read_plans(a_task(exported, start_with=[{**own[0], "head": "hidden"}]), None)


def test_a_plan_reads_its_own_words_again(exported):
    plan = a_plan(exported, "shot", unfrozen_layers=4).canonical()
    written = plan.as_dict()
    assert "epochs" not in written
    assert parse_plan(written, where="trial 3", folder=exported.path.parent / "x").canonical() == plan


def test_no_epoch_learns_from_labels(exported):
    assert a_plan(exported, "none", epochs=9).canonical().all_epochs == 0
    assert a_plan(exported, "shot", epochs=9).canonical().all_epochs == METHODS["shot"].defaults["epochs"]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("none", {"learning_rate": 0.5, "unfrozen_layers": 4, "batch_size": 8, "dropout": 0.3}),
        ("label_shift", {"learning_rate": 0.5, "weight_decay": 0.1}),
        ("tent", {"unfrozen_layers": 4, "backbone_rate_ratio": 0.9, "label_smoothing": 0.1}),
        ("shot", {"weight_decay": 0.1, "views": 2, "learns_from": "source"}),
    ],
)
def test_plans_that_differ_in_what_nothing_reads_are_one(exported, name, values):
    assert a_plan(exported, name, **values).key() == a_plan(exported, name).key()


def test_plans_that_differ_in_what_is_read_are_two(exported):
    for values in ({"learning_rate": 0.5}, {"unfrozen_layers": 4}, {"dropout": 0.2}):
        assert a_plan(exported, "shot", **values).key() != a_plan(exported, "shot").key()


def test_shot_gets_layers_to_train_where_the_head_has_none(exported, tmp_path):
    assert a_plan(exported, "shot").canonical().unfrozen_layers == "all"
    assert a_plan(exported, "shot", head=Choice("hidden", {"units": 4})).canonical().unfrozen_layers == 0


def test_the_one_baseline_is_the_model_as_it_came(exported):
    space = read_space(a_task(exported))
    (only,) = baselines(space, setting="transductive", wanted="auto")
    assert only.name == SOURCE_ONLY
    assert only.plan.canonical() == a_plan(exported).canonical()
    assert baselines(space, setting="transductive", wanted="none") == []
    assert baselines(space, setting="transductive", wanted=("full_finetune",)) == []


def test_the_search_starts_with_a_plan_of_each_method(exported):
    space = suited_to(read_space(a_task(exported)), data_with(exported))
    assert {plan.key() for plan in first_plans(space).values()} == {a_plan(exported).key()}
    plans = method_plans(space, spec_of(exported))
    assert [plan.adaptation.name for plan in plans] == ["standardize", "shot", "label_shift", "tent"]
    assert plans[1].adaptation.parameters["align"] == "standardize"
    assert all(plan == plan.canonical() and space.parameters(plan) is not None for plan in plans)


def test_methods_and_alignments_that_need_examples_are_refused_with_the_reason(exported):
    with pytest.raises(TaskError, match="'dann' needs the source's examples, and an exported source has none"):
        read_space(a_task(exported, search_space={"adaptation": "dann"}))
    some = read_space(a_task(exported, search_space={"adaptation": {"choice": ["dann", "tent"]}}))
    assert [choice.name for choice in suited_to(some, data_with(exported)).values("adaptation")] == ["tent"]
    with pytest.raises(TaskError, match="'coral' needs the source's examples"):
        refuse_unsuited([Plan(spec_of(exported), adaptation=an_adaptation("shot", align="coral"))], data_with(exported))
    wanted = {"adaptation": {"choice": {"shot": {"align": {"choice": ["coral", "standardize"]}}}}}
    kept = suited_to(read_space(a_task(exported, search_space=wanted)), data_with(exported))
    assert kept.dimensions["adaptation"].options["shot"]["align"].value == "standardize"


def test_only_a_network_with_a_head_is_treated_so():
    plan = Plan(BackboneSpec("scratch", "small_cnn"), epochs=9)
    assert plan.canonical().epochs == 9
    assert plan.as_dict()["epochs"] == 9
