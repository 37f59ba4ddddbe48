from dataclasses import replace
from pathlib import Path

from autotl.plan.space import parse_space
from autotl.search.history import Likeness, PastRun, PastTrial
from autotl.search.starting import PORTFOLIO, starting_plans

HERE = Likeness("image", "inductive", "validation", examples=500, classes=5, imbalance=0.2, digest="here")
OURS = [{"backbone": "efficientnet_lite0", "learning_rate": rate} for rate in (0.001, 0.002, 0.004)]


def a_space():
    written = {
        "backbone": {"choice": ["efficientnet_lite0", "MobileNetV2"]},
        "learning_rate": {"log": [1e-4, 1e-1]},
        "unfrozen_layers": {"choice": [0, 4]},
    }
    return parse_space(written, where=str, folder=Path())


def a_run(name, *plans, **changes):
    trials = tuple(PastTrial(plan, plan["backbone"], 1.0 - place / 9) for place, plan in enumerate(plans))
    return PastRun(name, name, "2026-11-01", replace(HERE, digest=name, **changes), trials)


def start(runs=(), *, likeness=HERE, portfolio=OURS, trials=100):
    return starting_plans(a_space(), runs=runs, likeness=likeness, portfolio=portfolio, trials=trials)


def rates(found):
    return [each.plan.learning_rate for each in found]


def test_without_history_the_portfolio_is_tried_in_its_order():
    found = start()
    assert rates(found) == [0.001, 0.002, 0.004]
    assert {each.origin for each in found} == {PORTFOLIO}


def test_the_best_plans_of_near_tasks_come_first_in_turn():
    near = a_run(
        "near", {"backbone": "MobileNetV2", "learning_rate": 0.01}, {"backbone": "MobileNetV2", "learning_rate": 0.02}
    )
    far = a_run("far", {"backbone": "MobileNetV2", "learning_rate": 0.03}, examples=1_500)
    found = start([far, near])
    assert rates(found)[:3] == [0.01, 0.03, 0.02]
    assert [each.origin for each in found] == ["near", "far", "near", PORTFOLIO, PORTFOLIO, PORTFOLIO]


def test_the_history_of_other_modalities_is_not_asked_and_none_where_it_shall_not():
    run = a_run("near", {"backbone": "MobileNetV2", "learning_rate": 0.01})
    assert rates(start([replace(run, likeness=replace(run.likeness, modality="text"))])) == [0.001, 0.002, 0.004]
    assert rates(start([run], likeness=None)) == [0.001, 0.002, 0.004]


def test_the_same_plan_comes_once():
    assert rates(start([a_run("near", OURS[1])])) == [0.002, 0.001, 0.004]


def test_half_of_the_trials_are_left_to_the_search():
    assert len(start(trials=4)) == 2
    assert len(start(trials=1)) == 1


def test_plans_that_this_version_cannot_read_are_left_out():
    strange = a_run(
        "near", {"backbone": "MobileNetV2", "head": "of another day"}, {"backbone": "gone", "learning_rate": 0.05}
    )
    found = start([strange], portfolio=[])
    assert [(each.plan.backbone.label, each.plan.learning_rate) for each in found] == [("efficientnet_lite0", 0.05)]


def test_the_same_history_gives_the_same_plans():
    runs = [
        a_run(name, {"backbone": "MobileNetV2", "learning_rate": 0.01 * place}) for place, name in enumerate("abc", 1)
    ]
    assert start(runs) == start(list(reversed(runs)))
