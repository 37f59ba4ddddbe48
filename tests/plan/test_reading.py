from pathlib import Path

import pytest

from autotl.errors import TaskError
from autotl.plan.fields import parse_plan
from autotl.plan.modalities import MODALITIES
from autotl.plan.reading import read_plans, read_space, shipped_portfolio, shipped_spaces
from autotl.plan.space import Fixed, Options, Range
from autotl.task import read_task

DATA = "data: {target: {train: photos}}\n"  # line 1 of every task


def a_task(folder: Path, text: str = "", **files: str):
    for name, content in files.items():
        (folder / f"{name}.yaml").write_text(content, encoding="utf-8")
    (folder / "task.yaml").write_text(DATA + text, encoding="utf-8")
    return read_task(folder / "task.yaml")


def labels(space):
    return [backbone.label for backbone in space.values("backbone")]


def mistakes_of(read):
    with pytest.raises(TaskError) as error:
        read()
    return error.value.mistakes


def test_a_task_that_names_no_space_searches_the_one_of_its_modality(tmp_path):
    space = read_space(a_task(tmp_path))
    assert "efficientnet_lite0" in labels(space)
    assert isinstance(space.dimensions["learning_rate"], Range)


def test_a_shipped_space_can_be_named(tmp_path):
    assert "image" in shipped_spaces()
    named, unnamed = read_space(a_task(tmp_path, "search_space: image")), read_space(a_task(tmp_path))
    assert named.dimensions == unnamed.dimensions


def test_a_file_replaces_the_whole_space(tmp_path):
    space = read_space(a_task(tmp_path, "search_space: mine.yaml", mine="backbone: small_cnn\nepochs: 2\n"))
    assert labels(space) == ["small_cnn"]
    assert space.dimensions["epochs"] == Fixed(2)
    assert space.dimensions["learning_rate"] == Fixed(1e-3)


def test_a_mapping_in_the_task_replaces_entries_and_leaves_the_others(tmp_path):
    shipped = read_space(a_task(tmp_path)).dimensions
    space = read_space(a_task(tmp_path, "search_space: {image_size: 64, epochs: {whole: [1, 3]}}"))
    assert space.dimensions == {**shipped, "image_size": Fixed(64), "epochs": Range(1, 3, "whole")}


def test_a_mistake_in_the_mapping_is_told_at_its_line_of_the_task(tmp_path):
    task = a_task(tmp_path, "search_space:\n  epochs: 3\n  image_size: {choice: [64, 8]}\n  epoch: 1\n")
    told = mistakes_of(lambda: read_space(task))
    assert told[0].startswith(f"{tmp_path}/task.yaml:5:10: search_space.epoch: 'epoch' is not known.")
    assert told[1].startswith(f"{tmp_path}/task.yaml:4:29: search_space.image_size.choice[1]: 8 is not a whole")


def test_a_mistake_in_a_file_is_told_at_its_line_of_that_file(tmp_path):
    task = a_task(tmp_path, "search_space: mine.yaml", mine="backbone: small_cnn\nepochs: 0\n")
    (told,) = mistakes_of(lambda: read_space(task))
    assert told.startswith(f"{tmp_path}/mine.yaml:2:9: epochs: 0 is not a whole number")


def test_a_space_that_is_not_shipped_is_told_with_the_menu(tmp_path):
    (told,) = mistakes_of(lambda: read_space(a_task(tmp_path, "search_space: imag")))
    assert (
        "task.yaml:2:15: search_space: 'imag' is not known. Allowed: image, signal, table, text. Did you mean 'image'?"
        in told
    )


def test_a_file_that_is_not_there_is_told_with_the_folder_that_was_searched(tmp_path):
    (told,) = mistakes_of(lambda: read_space(a_task(tmp_path, "search_space: spaces/mine.yaml")))
    assert "task.yaml:2:15: search_space: there is no file 'spaces/mine.yaml'" in told
    assert str(tmp_path) in told


def test_a_file_that_holds_no_mapping_is_refused_with_an_example(tmp_path):
    task = a_task(tmp_path, "search_space: mine.yaml", mine="- backbone\n")
    (told,) = mistakes_of(lambda: read_space(task))
    assert told == f"{tmp_path}/mine.yaml:1:1: a search space is a mapping of fields such as image_size: 128."


def test_depths_of_the_shipped_space_that_the_users_backbone_cannot_follow_are_left_out(tmp_path):
    shipped = read_space(a_task(tmp_path)).values("unfrozen_layers")
    assert max(shipped) > 16
    space = read_space(a_task(tmp_path, "search_space: {backbone: small_cnn}"))
    assert space.dimensions["unfrozen_layers"] == Options({depth: depth for depth in shipped if depth <= 16})


def test_depths_of_the_user_that_a_backbone_cannot_follow_are_a_mistake(tmp_path):
    task = a_task(tmp_path, "search_space:\n  backbone: small_cnn\n  unfrozen_layers: {choice: [0, 17]}\n")
    (told,) = mistakes_of(lambda: read_space(task))
    assert "task.yaml:4:33: search_space.unfrozen_layers.choice[1]: 17 is more than 'small_cnn' has: 16" in told


def test_plans_of_a_space_come_with_it(tmp_path):
    plans = "start_with: [{backbone: small_cnn, epochs: 2}]"
    in_file = a_task(tmp_path, "search_space: mine.yaml", mine=f"backbone: small_cnn\n{plans}\n")
    assert [plan.epochs for plan in read_space(in_file).start_with] == [2]
    in_task = a_task(tmp_path, f"search_space:\n  backbone: small_cnn\n  {plans}\n")
    assert [plan.epochs for plan in read_space(in_task).start_with] == [2]


def test_plans_in_the_task_come_before_those_of_the_command_line(tmp_path):
    task = a_task(tmp_path, "start_with: [{backbone: small_cnn, epochs: 1}]\n", more="- {backbone: VGG16, epochs: 2}\n")
    plans = read_plans(task, tmp_path / "more.yaml")
    assert [(plan.backbone.label, plan.epochs) for plan in plans] == [("small_cnn", 1), ("VGG16", 2)]


def test_the_task_can_name_a_file_of_plans_beside_it(tmp_path):
    task = a_task(tmp_path, "start_with: mine.yaml\n", mine="- {backbone: small_cnn, epochs: 4}\n")
    assert [plan.epochs for plan in read_plans(task, None)] == [4]


def test_a_task_without_given_plans_has_none(tmp_path):
    assert read_plans(a_task(tmp_path), None) == []


def test_mistakes_in_all_given_plans_are_told_at_once_each_in_its_file(tmp_path):
    task = a_task(
        tmp_path,
        "start_with:\n  - {backbone: small_cnn}\n  - {backbone: small_cnn, epochs: 0}\n",
        more="- {backbone: small_cnn, tap: 3}\n- VGG16\n",
    )
    told = mistakes_of(lambda: read_plans(task, tmp_path / "more.yaml"))
    assert [mistake.removeprefix(f"{tmp_path}/").split(" is ")[0] for mistake in told] == [
        "task.yaml:4:5: start_with[1].epochs: 0",
        "more.yaml:1:3: [0].tap: 3",
        "more.yaml:2:3: [1]: a plan",
    ]


def test_a_file_of_plans_that_holds_no_list_is_told_how_to_write_one(tmp_path):
    task = a_task(tmp_path, more="backbone: small_cnn\n")
    (told,) = mistakes_of(lambda: read_plans(task, tmp_path / "more.yaml"))
    assert told == f"{tmp_path}/more.yaml: holds no list of plans. Write one plan after another, each behind a '- '."


@pytest.mark.parametrize("modality", MODALITIES)
def test_every_plan_of_a_shipped_portfolio_can_be_read_and_comes_once(modality):
    plans = [parse_plan(plan, where=modality, folder=Path(), modality=modality) for plan in shipped_portfolio(modality)]
    assert len({plan.key() for plan in plans}) == len(plans)
    assert all(plan.seed == 0 for plan in plans)


def test_of_a_modality_that_nobody_recorded_there_is_no_portfolio():
    assert shipped_portfolio("smell") == []
