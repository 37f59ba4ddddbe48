"""With no trial the coefficients are typical ones; with a few dozen they are this machine's."""

import numpy as np
import pytest

from autotl.search.cost import CostModel, Observed, Work
from autotl.search.cost.model import TYPICAL_GFLOPS, measured_gflops

WORK = Work("suffix", {"k": (1_000, 300.0)}, steps=250.0, trained_gflop=900.0, scored_gflop=80.0, scored_rows=2_200.0)


def seen(*, slowness=1.0, steps=250.0, noise=1.0, kind="suffix"):
    gflop = 3.6 * steps
    seconds = {
        "features": noise * slowness * 6.0,
        "train": noise * slowness * (0.05 * steps + 0.01 * gflop),
        "score": noise * slowness * 2.0,
        "overhead": 0.4,
    }
    return Observed(kind, steps, gflop, 80.0, 2_200.0, 800.0, 1_000.0, 300.0, seconds)


def test_stored_activations_are_not_computed_again():
    model = CostModel(gflops=TYPICAL_GFLOPS)
    assert model.seconds(WORK, {"k"}).features < 0.3 * model.seconds(WORK).features


def test_a_machine_that_multiplies_half_as_fast_is_expected_to_take_twice_as_long():
    quick, slow = CostModel(gflops=TYPICAL_GFLOPS).seconds(WORK), CostModel(gflops=TYPICAL_GFLOPS / 2).seconds(WORK)
    assert slow.train == pytest.approx(2 * quick.train)
    assert slow.features == pytest.approx(2 * quick.features)


@pytest.mark.parametrize("slowness", [0.25, 1.0, 8.0])
def test_what_this_machine_took_outweighs_what_is_typical(slowness):
    draws = np.random.default_rng(0)
    trials = [
        seen(slowness=slowness, steps=float(draws.integers(50, 500)), noise=float(draws.uniform(0.8, 1.25)))
        for _ in range(40)
    ]
    expected = seen(slowness=slowness)
    found = CostModel(trials).seconds(WORK)
    assert found.train == pytest.approx(expected.seconds["train"], rel=0.25)
    assert found.features == pytest.approx(expected.seconds["features"], rel=0.25)
    assert found.score == pytest.approx(expected.seconds["score"], rel=0.25)


def test_one_trial_moves_the_estimate_and_one_kind_says_nothing_of_another():
    before, after = CostModel(gflops=TYPICAL_GFLOPS), CostModel([seen(slowness=10.0)], gflops=TYPICAL_GFLOPS)
    assert after.seconds(WORK).train > 2 * before.seconds(WORK).train
    head = Work("head", {}, steps=250.0)
    assert after.seconds(head).train == before.seconds(head).train


def test_nothing_is_ever_expected_to_take_less_than_no_time():
    odd = [seen(steps=400.0, slowness=0.01), seen(steps=10.0, slowness=50.0)] * 10
    found = CostModel(odd).seconds(WORK)
    assert min(found.features, found.train, found.score, found.around) >= 0


def test_a_model_that_was_never_seen_gets_the_typical_one():
    assert CostModel([seen()]).seconds(Work("boosted_trees", rows=800.0)).train > 0


def test_the_speed_of_this_machine_can_be_measured():
    assert measured_gflops(size=64, repetitions=2) > 0
