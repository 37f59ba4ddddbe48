"""Which plans can be trained under a privacy budget, and in which order they are tried."""

from pathlib import Path

import pytest

from autotl.backbones import BackboneSpec
from autotl.errors import TaskError
from autotl.plan import Choice, Plan
from autotl.plan.private import next_plan, private_plans, privately, refuse_without_privacy
from autotl.plan.reading import read_space
from autotl.task import task_from_mapping

SMALL = BackboneSpec("scratch", "small_cnn")


def a_task(space=None, modality="image", **privacy):
    written = {"name": "t", "data": {"target": {"train": "a"}}, "modality": modality}
    written["privacy"] = {"epsilon": 3.0, "delta": 1e-5, "protects": "target", **privacy}
    return task_from_mapping(written | ({} if space is None else {"search_space": space}), folder=Path("/data"))


def space_of(task):
    return privately(read_space(task, task.modality), task)


@pytest.mark.parametrize("modality", ["image", "text"])
def test_of_a_shipped_space_frozen_linear_heads_are_left(modality):
    task = a_task(modality=modality)
    plans = private_plans(space_of(task), [])
    assert len(plans) > 3
    for plan in plans:
        assert (plan.unfrozen_layers, plan.head.name, plan.adaptation.name) == (0, "linear", "none")
        assert (plan.views, plan.dropout, plan.join) in ((0, 0.0, None), (0, 0.0, "none"))


def test_how_long_protected_texts_are_is_not_looked_up():
    assert space_of(a_task(modality="text")).values("sequence_length") == [128]


def test_networks_come_first_and_then_other_ways_to_look_on_the_best_of_them():
    task = a_task(
        {"backbone": {"choice": ["efficientnet_lite0", "efficientnet_lite1"]}, "image_size": {"choice": [96, 128]}}
    )
    plans, scores, order = private_plans(space_of(task), []), {}, []
    while (plan := next_plan(plans, scores, given=0)) is not None:
        order.append((plan.backbone.name, plan.image_size, plan.tap))
        scores[plan.key()] = 0.9 if plan.backbone.name == "efficientnet_lite1" else 0.8
    assert [name for name, *_ in order[:2]] == ["efficientnet_lite0", "efficientnet_lite1"]
    assert {name for name, *_ in order[2:5]} == {"efficientnet_lite1"}
    assert len(order) == len(set(order)) == len(plans) == 8


def test_given_plans_come_before_all_and_failed_ones_are_not_tried_again():
    task = a_task({"backbone": "small_cnn", "image_size": {"choice": [16, 24, 32]}})
    given = Plan(SMALL, image_size=32, learning_rate=0.5, epochs=3)
    plans = private_plans(space_of(task), [given])
    first = next_plan(plans, {}, given=1)
    assert (first.image_size, first.learning_rate) == (32, Plan.learning_rate), "its rate follows from the budget"
    second = next_plan(plans, {first.key(): None}, given=1)
    assert second.image_size != 32
    assert next_plan(plans, {plan.key(): None for plan in plans}, given=1) is None


@pytest.mark.parametrize(
    ("space", "words"),
    [
        ({"unfrozen_layers": {"choice": [2, 4]}}, "search_space.unfrozen_layers: layers that are trained on protected"),
        ({"head": "hidden"}, "search_space.head: only linear heads"),
        ({"adaptation": "coral"}, "search_space.adaptation: it looks at protected examples"),
    ],
)
def test_what_is_no_frozen_linear_head_is_refused(space, words):
    with pytest.raises(TaskError, match=words):
        space_of(a_task({"backbone": "small_cnn", **space}))


def test_a_network_that_is_trained_on_the_examples_is_refused():
    with pytest.raises(TaskError, match="'pretrained_on_source' is no public network: it is trained on examples"):
        space_of(a_task(modality="signal"))


def test_a_network_of_ones_own_must_be_declared_public():
    own = [BackboneSpec("saved", "/data/my.keras")]
    task, declared = a_task(), a_task(public_backbones="my.keras")
    with pytest.raises(TaskError, match="nothing says that it has never seen a protected example.*public_backbones"):
        privately(read_space(task, "image").with_backbones(own), task)
    assert privately(read_space(task, "image").with_backbones(own), declared).values("backbone") == own


def test_a_declared_network_that_is_nowhere_is_told():
    task = a_task(public_backbones="nothing")
    with pytest.raises(TaskError, match=r"privacy.public_backbones: there is nothing at 'nothing'"):
        privately(read_space(task, "image").with_backbones([SMALL]), task)


def test_a_link_to_a_declared_network_is_that_network(tmp_path):
    (tmp_path / "my.keras").write_text("")
    (tmp_path / "link.keras").symlink_to(tmp_path / "my.keras")
    own = [BackboneSpec("saved", str(tmp_path / "my.keras"))]
    task = a_task(public_backbones=str(tmp_path / "link.keras"))
    assert privately(read_space(task, "image").with_backbones(own), task).values("backbone") == own


def test_given_plans_are_refused_alike():
    plans = [Plan(SMALL, unfrozen_layers=2, head=Choice("hidden", {"units": 8})), Plan(SMALL, adaptation=Choice("mcc"))]
    with pytest.raises(TaskError) as caught:
        refuse_without_privacy(plans, a_task())
    assert len(caught.value.mistakes) == 3
    assert all(line.startswith("start_with: ") for line in caught.value.mistakes)
