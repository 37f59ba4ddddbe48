"""A plan that cannot meet a limit by its structure is not tried, and one that turned out too large not again."""

import sys
from dataclasses import replace

import pytest
import ray
from pretend_search import ALONE, PretendWorkshop, a_plan, a_space, an_order, run_search

from autotl.backbones import BackboneSpec
from autotl.plan import Choice, Plan
from autotl.plan.space import Fixed, Options
from autotl.search.limits import PlanLimits, least_mb, limits_of, too_large
from autotl.task.model import Limits
from autotl.trial.outcome import Size

for module in ("pretend_search", __name__):  # workers cannot import test files
    ray.cloudpickle.register_pickle_by_value(sys.modules[module])

pytestmark = pytest.mark.usefixtures("two_cores")


LITE0, LITE2 = BackboneSpec("package", "efficientnet_lite0"), BackboneSpec("package", "efficientnet_lite2")
MINE = BackboneSpec("saved", "/models/mine.keras")


def test_what_a_backbone_takes_at_least_is_told_by_the_table():
    assert least_mb(LITE0, "last") == pytest.approx(13.5, rel=0.06)  # 3.4 million weights, and statistics
    assert least_mb(LITE0, "P4") < least_mb(LITE0, "last") < least_mb(LITE2, "last")
    assert least_mb(MINE, "last") == 0


def test_backbones_that_are_too_large_are_named_and_taps_of_others_as_well():
    space = a_space(backbone=Options({"lite0": LITE0, "lite2": LITE2, "mine": MINE}), tap=Options({"last": "last"}))
    left_out, sentences = too_large(space, Limits(model_mb=16.0))
    assert list(left_out) == [LITE2]
    assert left_out[LITE2].startswith("efficientnet_lite2 takes ")
    assert "limits.model_mb is 16" in left_out[LITE2]
    assert not sentences
    both = a_space(backbone=Fixed(LITE0), tap=Options({"last": "last", "P4": "P4"}))
    left_out, (sentence,) = too_large(both, Limits(model_mb=10.0))
    assert not left_out
    assert sentence.startswith("Not tried: efficientnet_lite0 takes ")
    assert too_large(space, Limits(latency_ms=1.0)) == ({}, [])


def test_a_network_that_no_table_knows_is_tried_once():
    limits = PlanLimits(Limits(model_mb=10.0))
    plan = Plan(MINE)
    assert limits.why_not(plan) is None
    limits.learn(plan, 25.0)
    assert "takes 25 MB" in (limits.why_not(plan) or "")
    assert limits.why_not(Plan(MINE, head=Choice("hidden", {"units": 8}))) is None, "its head may be what is large"


def test_how_far_a_model_is_over_each_limit():
    limits = PlanLimits(Limits(model_mb=10.0, latency_ms=20.0), latency_of=lambda flops: flops / 1e6)
    assert limits.excess(15.0, 10_000_000) == {"model_mb": pytest.approx(0.5), "latency_ms": pytest.approx(-0.5)}
    assert limits.excess(None, None) == {"model_mb": 0, "latency_ms": 0}, "nothing is held against what is not known"
    assert PlanLimits(Limits(model_mb=10.0)).excess(5.0, 10_000_000) == {"model_mb": -0.5}
    assert limits_of(Limits(model_mb=10.0)) == {"model_mb": 10.0}


class LargeHeads(PretendWorkshop):
    """Models with a hidden head take 30 MB, the others 1."""

    def rows_of(self, job):
        for row in super().rows_of(job):
            size = 30.0 if job.plan.head.name == "hidden" else 1.0
            yield type(row)(**{**vars(row), "size": Size(params=1, model_mb=size, flops=1_000)})


def test_a_search_keeps_away_from_models_over_the_limit(tmp_path):
    space = a_space(
        backbone=Options({"lite0": LITE0, "lite2": LITE2}),
        head=Options({"hidden": ALONE, "linear": Choice("linear")}),
    )
    order = an_order(
        space=space,
        baselines=[],
        given=[a_plan(head=ALONE)],
        trials=12,
        limits=PlanLimits(Limits(model_mb=16.0)),
        early_stopping=False,
    )
    _, rows, _ = run_search(tmp_path / "run", order, make_workshop=LargeHeads)
    assert len(rows) == 12
    assert "efficientnet_lite2" not in {row["plan"]["backbone"] for row in rows}
    large = [row for row in rows if row["plan"]["head"]["name"] == "hidden"]
    assert 1 <= len(large) <= 3, "each structure was tried once"
    import optuna

    stored = optuna.load_study(study_name="toy", storage=f"sqlite:///{tmp_path / 'run' / 'study.db'}")
    by_number = {trial.number: trial for trial in stored.trials}
    assert all(by_number[row["trial"]].constraints == {"model_mb": 30.0 / 16.0 - 1.0} for row in large)


def test_with_a_cost_as_a_goal_the_sampler_is_told_both_and_the_study_can_be_resumed(tmp_path):
    import optuna

    space = a_space(head=Options({"hidden": ALONE, "linear": Choice("linear")}))
    order = an_order(space=space, baselines=[], given=[], trials=8, costs_as_goals=("model_mb",), early_stopping=False)
    run_search(tmp_path / "run", order, make_workshop=LargeHeads)
    why, rows, _ = run_search(tmp_path / "run", replace(order, trials=12), make_workshop=LargeHeads)
    assert (why, len(rows)) == ("trials", 12)
    stored = optuna.load_study(study_name="toy", storage=f"sqlite:///{tmp_path / 'run' / 'study.db'}")
    sizes = {row["trial"]: 30.0 if row["plan"]["head"]["name"] == "hidden" else 1.0 for row in rows}
    told = {trial.number: trial.values for trial in stored.trials if trial.values}
    assert told == {row["trial"]: [row["score"]["value"], sizes[row["trial"]]] for row in rows}
    assert {sizes[trial.number] for trial in stored.best_trials} <= {1.0, 30.0}
