"""Methods that a task's domains give nothing to work on are not searched, and refused where they are asked for."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from autotl.adaptation import METHODS
from autotl.errors import TaskError
from autotl.plan import Choice, Plan
from autotl.plan.baselines import method_plans
from autotl.plan.reading import shipped_spaces
from autotl.plan.space import parse_space
from autotl.plan.suiting import Ground, left_out, refuse_together_alone, refuse_unsuited, suited_to
from autotl.task import task_from_mapping
from autotl.task.problem import CLASSIFICATION, PROBLEMS, REGRESSION
from autotl.task.yaml_reader import read_yaml

HERE = Path(__file__).parent


def a_space(modality="image", **changes):
    document = read_yaml(shipped_spaces()[modality])
    return parse_space({**document.value, **changes}, where=document.where, folder=HERE, modality=modality)


def data(*domains, setting="inductive", unlabelled=0, companions=(), problem=CLASSIFICATION):
    return Ground.of(
        SimpleNamespace(
            domains=("target", *domains),
            setting=setting,
            adaptation_rows=np.arange(unlabelled),
            exported=None,
            companions=companions,
            statistics=(),
            problem=problem,
        )
    )


def methods(space):
    return [choice.name for choice in space.values("adaptation")]


@pytest.mark.parametrize("setting", ["transductive", "cross-domain"])
def test_two_domains_allow_every_method(setting):
    assert methods(suited_to(a_space(), data("books", setting=setting, unlabelled=9))) == list(METHODS)


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS.keys())
def test_methods_that_a_problem_has_no_use_for_are_not_searched_and_said(problem):
    ground, space = data("books", setting="cross-domain", unlabelled=9, problem=problem), a_space()
    assert set(methods(suited_to(space, ground))) == set(METHODS) - set(problem.no_methods)
    assert left_out(space, ground) == dict(problem.no_methods)


def test_numbers_are_adapted_by_what_draws_features_together():
    ground = data("books", setting="transductive", unlabelled=9, problem=REGRESSION)
    kept = {"none", "standardize", "coral", "linear_ot", "subspace", "importance", "deep_coral", "dan", "dann"}
    assert set(methods(suited_to(a_space(), ground))) == kept
    assert suited_to(a_space(label_smoothing=0.1), ground).values("label_smoothing") == [0.0]
    with pytest.raises(TaskError, match="'mcc' lowers the confusion of classes; it is about classes"):
        suited_to(a_space(adaptation="mcc"), ground)


def test_a_labelled_target_alone_allows_none():
    assert methods(suited_to(a_space(), data())) == ["none"]


def test_a_partly_labelled_target_alone_allows_what_learns_from_predictions():
    assert methods(suited_to(a_space(), data(unlabelled=50))) == ["none", "mcc", "infomax", "self_training"]


def test_a_method_asked_for_by_name_without_a_source_is_refused_with_the_reason():
    with pytest.raises(TaskError, match="search_space.adaptation: 'dann' needs a labelled source"):
        suited_to(a_space(adaptation="dann"), data())
    backbone = a_space().values("backbone")[0]
    with pytest.raises(TaskError, match="start_with: adaptation 'coral' needs a source"):
        refuse_unsuited([Plan(backbone, adaptation=Choice("coral", METHODS["coral"].defaults))], data(unlabelled=50))


def test_which_labels_a_plan_learns_from_is_searched_only_where_both_sides_have_some():
    space = a_space("signal")
    assert suited_to(space, data("load0", setting="transductive", unlabelled=9)).values("learns_from") == ["all"]
    assert suited_to(space, data("load0", setting="cross-domain")).values("learns_from") == ["all", "target"]


@pytest.mark.parametrize("modality", list(shipped_spaces()))
def test_there_is_a_first_plan_of_every_method_and_each_lies_in_the_space(modality):
    space = suited_to(a_space(modality), data("books", setting="transductive", unlabelled=9))
    plans = method_plans(space, space.values("backbone")[0])
    assert sorted(plan.adaptation.name for plan in plans) == sorted(set(METHODS) - {"none"})
    assert all(space.parameters(plan) is not None for plan in plans)


def promised(labels, **source):
    """What a task says of its data before any is read."""
    data = {"target": {"train": "t", "labels": labels}, **({"source": source} if source else {})}
    return Ground.promised_by(task_from_mapping({"data": data}, folder=HERE))


@pytest.mark.parametrize(
    ("promise", "found"),
    [
        (promised("all"), data()),
        (promised({"per_class": 2}), data(unlabelled=9)),
        (promised("none", train="s"), data("s", setting="transductive", unlabelled=9)),
        (promised({"per_class": 2}, train="s"), data("s", setting="cross-domain", unlabelled=9)),
    ],
)
def test_the_task_alone_tells_what_its_data_will_give(promise, found):
    assert promise == found


def test_an_exported_source_is_told_by_the_task():
    assert promised("none", exported="s.zip").is_exported
    assert not promised("none", exported="s.zip").has_source


def test_what_is_left_out_is_told_with_its_reason():
    reasons = left_out(a_space(), promised({"per_class": 2}))
    assert set(reasons) == set(METHODS) - {"none", "mcc", "infomax", "self_training"}
    assert all("needs a source" in reason for reason in reasons.values())
    assert left_out(a_space(), promised("none", train="s")) == {}
    assert set(left_out(a_space(), promised("all"))) == set(METHODS) - {"none"}


def test_learning_together_is_searched_where_there_are_other_tasks_and_nowhere_else():
    assert suited_to(a_space(), data()).values("together") == [None]
    assert suited_to(a_space(), data(companions=("dvd",))).values("together") == [None, "uniform", "uncertainty"]
    assert suited_to(a_space(together="alone"), data(companions=("dvd",))).values("together") == [None]
    refuse_together_alone(a_space(together="alone"), data(), where="here")
    asked = a_space(together="uncertainty")
    assert suited_to(asked, data(companions=("dvd",))).values("together") == ["uncertainty"]
    with pytest.raises(TaskError, match="here: this task is alone. Name the others"):
        refuse_together_alone(asked, data(), where="here")
    plan = Plan(a_space().values("backbone")[0], together="uniform")
    with pytest.raises(TaskError, match="start_with: together: this task is alone"):
        refuse_unsuited([plan], data())
