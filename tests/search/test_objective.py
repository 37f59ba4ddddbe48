"""What Optuna is told on a target without labels: fixed, finite, 0 for source-only, -1 behind a guard."""

import math
from dataclasses import replace

import pytest

from autotl.backbones import BackboneSpec
from autotl.plan import Plan
from autotl.plan.plan import Choice
from autotl.scoring.candidates import RULE
from autotl.search.objective import AS_GOOD, REJECTED, GainOverSourceOnly, ScoreItself
from autotl.search.proposer import Proposal

BACKBONE = BackboneSpec("application", "MobileNetV2", weights="imagenet")
TWO = replace(RULE, searched_by=("infomax", "mixval"))
REFERENCE = {
    "source_accuracy": 0.9,
    "infomax": 1.0,
    "infomax_deviation": 0.02,
    "mixval": 0.6,
    "mixval_deviation": 0.05,
    "classes_predicted": 4.0,
}


def proposal(number, *, baseline=None, method="none"):
    plan = Plan(BACKBONE, adaptation=Choice(method, {}))
    return Proposal(number, plan, baseline, propose_seconds=0.0)


def final(**changes):
    return {"score": {"value": 0.5}, "scores": {**REFERENCE, **changes}}


def with_reference():
    objective = GainOverSourceOnly(TWO)
    source_only = proposal(0, baseline="source_only")
    objective.started(source_only)
    assert objective.ended(source_only, final()) == AS_GOOD
    return objective


def test_with_labels_it_is_the_score_itself():
    objective = ScoreItself()
    assert objective.ended(proposal(0), final()) == 0.5
    assert objective.ended(proposal(1), None) is None
    assert objective.promise(final()) is None


def test_it_is_the_mean_gain_over_source_only_in_its_deviations():
    found = with_reference().ended(proposal(1), final(infomax=1.2, mixval=0.55))
    assert found == pytest.approx((10 / 20 + -1 / 11) / 2)


def test_more_is_better_and_it_stays_within_its_bounds():
    objective = with_reference()
    values = [objective.ended(proposal(1), final(infomax=value)) for value in (-50.0, 0.9, 1.0, 1.1, 50.0)]
    assert values == sorted(values)
    assert values[2] == AS_GOOD
    assert values[0] > REJECTED
    assert values[-1] < 1


@pytest.mark.parametrize(
    "broken",
    [
        {"source_accuracy": 0.79},
        {"classes_predicted": 3.0},
        {"mixval": math.nan},
        {"infomax": math.inf},
        {"infomax": None},
    ],
    ids=str,
)
def test_behind_a_guard_it_is_the_least_there_is(broken):
    assert with_reference().ended(proposal(1), final(**{"infomax": 3.0, **broken})) == REJECTED


def test_a_score_that_the_method_drives_up_plays_no_part():
    objective = with_reference()
    assert objective.ended(proposal(1, method="mcc"), final(infomax=9.0)) == AS_GOOD
    assert objective.ended(proposal(2, method="dann"), final(infomax=9.0)) > AS_GOOD


def test_a_model_that_cannot_mix_counts_as_source_only_there():
    told = final(infomax=1.2)
    del told["scores"]["mixval"]
    assert with_reference().ended(proposal(1), told) == pytest.approx((0.5 + 0) / 2)


def test_the_reference_is_the_best_source_only_so_far_and_then_stays():
    objective = GainOverSourceOnly(TWO)
    probes = [proposal(number, baseline="source_only") for number in range(3)]
    for probe in probes:
        objective.started(probe)
    assert objective.ended(proposal(7, baseline="no_transfer"), final(infomax=3.0)) == AS_GOOD, "nothing is known yet"
    assert objective.ended(probes[0], final()) == AS_GOOD
    assert objective.ended(probes[1], final(source_accuracy=0.95, infomax=1.1)) == AS_GOOD
    assert objective.ended(probes[2], final(source_accuracy=0.92)) < AS_GOOD
    trial = final(infomax=1.1)
    assert objective.ended(proposal(8), trial) == AS_GOOD
    assert objective.ended(proposal(9), trial) == AS_GOOD, "never re-scaled"


@pytest.mark.parametrize("baselines", [0, 2])
def test_without_a_source_only_trial_it_is_source_accuracy(baselines):
    objective = GainOverSourceOnly(TWO)
    for number in range(baselines):
        failed = proposal(number, baseline="source_only")
        objective.started(failed)
        assert objective.ended(failed, None) is None
    assert objective.ended(proposal(5), final(source_accuracy=0.8)) == 0.8
    assert objective.ended(proposal(6), final(source_accuracy=math.nan)) == AS_GOOD


def test_a_score_that_source_only_lacks_tells_nothing():
    objective = GainOverSourceOnly(TWO)
    source_only = proposal(0, baseline="source_only")
    objective.started(source_only)
    assert objective.ended(source_only, final(mixval=math.nan)) == AS_GOOD
    assert objective.ended(proposal(1), final(infomax=1.2)) == pytest.approx((0.5 + 0) / 2)


def test_a_score_without_noise_gives_a_number():
    objective = GainOverSourceOnly(TWO)
    source_only = proposal(0, baseline="source_only")
    objective.started(source_only)
    objective.ended(source_only, final(mixval=1.0, mixval_deviation=0.0))
    assert -1 < objective.ended(proposal(1), final(mixval=0.9)) < AS_GOOD


def test_backbones_are_ordered_by_source_accuracy():
    assert with_reference().promise(final(source_accuracy=0.7)) == 0.7


def test_where_no_source_example_is_here_too_many_changes_are_rejected():
    scores = {name: value for name, value in REFERENCE.items() if name != "source_accuracy"}
    objective, first = GainOverSourceOnly(TWO), proposal(0, baseline="source_only")
    objective.started(first)
    assert objective.ended(first, {"score": {"value": None}, "scores": {**scores, "changed": 0.0}}) == AS_GOOD
    better = {**scores, "infomax": 1.2, "mixval": 0.7}
    assert objective.ended(proposal(1), {"score": {"value": None}, "scores": {**better, "changed": 0.3}}) > AS_GOOD
    assert objective.ended(proposal(2), {"score": {"value": None}, "scores": {**better, "changed": 0.6}}) == REJECTED
