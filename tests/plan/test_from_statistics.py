"""Over statistics the features are given, and head and alignment are searched."""

from pathlib import Path

import pytest
from statistics_files import a_file

from autotl.adaptation import METHODS
from autotl.backbones import parse_spec
from autotl.data.statistics_file import write_statistics
from autotl.errors import TaskError
from autotl.plan.baselines import SOURCE_ONLY, baselines, method_plans
from autotl.plan.from_statistics import why_not_public
from autotl.plan.reading import read_plans, read_space
from autotl.plan.suiting import Ground, suited_to, why_not_on_sums
from autotl.task import task_from_mapping


def a_task(folder, *, labels="none", **keys):
    path = folder / "north.statistics.zip"
    if not path.exists():
        write_statistics(path, a_file())
    data = {"target": {"train": "photos", "labels": labels}, "source": {"statistics": path.name}}
    return task_from_mapping({"name": "a", "data": data, **keys}, folder=folder)


def test_the_space_is_the_statistics_own_features_and_what_is_solved_over_them(tmp_path):
    space = read_space(a_task(tmp_path))
    assert [spec.name for spec in space.values("backbone")] == ["small_cnn"]
    assert space.values("image_size") == [32]
    assert {head.name for head in space.values("head")} == {"lda", "ridge"}
    assert space.values("unfrozen_layers") == [0]
    suited = suited_to(space, Ground.promised_by(a_task(tmp_path)))
    names = {choice.name for choice in suited.values("adaptation")}
    assert names == {"none", "standardize", "coral", "linear_ot", "label_shift"}
    assert suited.values("learns_from") == ["all"]


def test_every_method_says_whether_sums_are_enough_for_it():
    fitting = {name for name, method in METHODS.items() if why_not_on_sums(method) is None}
    assert fitting == {"none", "standardize", "coral", "linear_ot", "label_shift"}


def test_entries_of_the_task_replace_ours(tmp_path):
    space = read_space(a_task(tmp_path, search_space={"head": {"lda": {"shrinkage": 0.5}}, "adaptation": "coral"}))
    assert [head.name for head in space.values("head")] == ["lda"]
    assert [choice.name for choice in space.values("adaptation")] == ["coral"]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"image_size": 64}, r"image_size: statistics bring their own"),
        ({"head": "linear"}, r"'linear' learns from examples, and over statistics heads are solved"),
        ("mine.yaml", r"search_space: over statistics only adaptation, head, learns_from are searched"),
    ],
)
def test_what_statistics_bring_is_not_searched(tmp_path, asked, words):
    (tmp_path / "mine.yaml").write_text("head: lda\nbackbone: small_cnn\n")
    with pytest.raises(TaskError, match=words):
        read_space(a_task(tmp_path, search_space=asked))


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (
            {"backbone": "small_cnn", "image_size": 64, "head": "lda"},
            "features with image_size 32, the plan's are of 64",
        ),
        ({"backbone": "small_cnn", "image_size": 32}, "the head 'linear' learns from examples, and none has a label"),
    ],
)
def test_plans_given_by_hand_must_fit(tmp_path, plan, words):
    with pytest.raises(TaskError, match=words):
        read_plans(a_task(tmp_path, start_with=[plan]), None)


def test_plans_that_fit_are_taken(tmp_path):
    fitting = {"backbone": "small_cnn", "image_size": 32, "head": "ridge", "adaptation": "coral"}
    (plan,) = read_plans(a_task(tmp_path, start_with=[fitting]), None)
    assert plan.canonical().epochs == 1
    learnt = {"backbone": "small_cnn", "image_size": 64}
    assert len(read_plans(a_task(tmp_path, labels="all", start_with=[learnt]), None)) == 1


def test_baselines_are_what_can_be_made(tmp_path):
    space = read_space(a_task(tmp_path))
    (alone,) = baselines(space, setting="transductive", wanted="auto")
    assert alone.name == SOURCE_ONLY
    assert alone.plan.head.name == "lda"
    assert alone.plan.adaptation.name == "none"
    names = [each.name for each in baselines(space, setting="cross-domain", wanted="auto")]
    assert names == ["linear_probe", "source_only", "no_transfer", "full_finetune"]
    (plan,) = [each.plan for each in baselines(space, setting="cross-domain", wanted=["source_only"])]
    assert plan.learns_from == "source"
    assert plan.head.name == "lda"


def test_a_search_begins_with_every_method_once(tmp_path):
    space = suited_to(read_space(a_task(tmp_path)), Ground.promised_by(a_task(tmp_path)))
    plans = method_plans(space, space.values("backbone")[0])
    assert [plan.adaptation.name for plan in plans] == ["standardize", "coral", "linear_ot", "label_shift"]
    assert {plan.head.name for plan in plans} == {"lda"}


@pytest.mark.parametrize("problem", ["regression", "multilabel"])
def test_solved_heads_need_classes(tmp_path, problem):
    data = {"target": {"train": "photos"}}
    task = task_from_mapping(
        {"name": "a", "problem": problem, "data": data, "search_space": {"head": "lda"}}, folder=tmp_path
    )
    with pytest.raises(TaskError, match="'lda' is solved from sums that are kept by class"):
        read_space(task)


@pytest.mark.parametrize(("backbone", "is_public"), [("MobileNetV2", True), ("small_cnn", True), ("mine.keras", False)])
def test_only_backbones_that_every_house_can_load_are_public(tmp_path, backbone, is_public):
    (tmp_path / "mine.keras").touch()
    spec = parse_spec(backbone, folder=Path(tmp_path), where="backbone")
    assert (why_not_public(spec) is None) == is_public
