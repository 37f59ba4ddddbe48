"""Regret, harm and the rest by hand; each family and each pair counts the same."""

import math

import numpy as np
import pytest

from autotl.scoring.candidates import Candidate
from benchmarks.selection.measuring import (
    Outcome,
    Outcomes,
    best,
    even_weights,
    figures,
    intervals,
    left_out,
    outcome,
    quantile,
    spearman,
    sub_pools,
)
from benchmarks.selection.pools import Pool, Trial
from benchmarks.selection.rules import Choice


def pool(accuracies, *, family="image", pair="a-to-b", reference=0):
    trials = [
        Trial(Candidate(number, {}, {}, is_reference=number == reference), "none", False, accuracy)
        for number, accuracy in enumerate(accuracies)
    ]
    return Pool(family, pair, 0, tuple(trials))


def one(regret=0.0, gain=0.0, room=0.1, correlation=0.5, *, is_worst=False):
    return Outcome(regret, gain, room, correlation, is_worst)


def outcomes(found, families=None, pairs=None):
    return Outcomes(tuple(found), tuple(families or ["image"] * len(found)), tuple(pairs or ["a-to-b"] * len(found)))


def test_a_pick_is_held_against_the_best_and_against_source_only():
    found = outcome(pool([0.70, 0.90, 0.75]), Choice(2, np.array([0.0, 1.0, 2.0])))
    assert (found.regret, found.gain, found.room) == pytest.approx((0.15, 0.05, 0.20))
    assert found.spearman == pytest.approx(0.5)
    assert not found.is_harm


def test_no_winner_is_source_only():
    found = outcome(pool([0.70, 0.90]), Choice(None))
    assert (found.regret, found.gain) == pytest.approx((0.20, 0.0))
    assert math.isnan(found.spearman)


@pytest.mark.parametrize(("accuracy", "is_harm"), [(0.691, False), (0.69, False), (0.689, True)])
def test_harm_is_more_than_a_point_below_source_only(accuracy, is_harm):
    assert outcome(pool([0.70, accuracy]), Choice(1)).is_harm is is_harm


def test_the_worst_decile_has_nine_tenths_above_it():
    accuracies = np.linspace(0.5, 0.9, 11)
    picks = [outcome(pool(accuracies), Choice(place)).is_worst for place in range(11)]
    assert picks == [True, True, *[False] * 9]
    assert not outcome(pool([0.5, 0.5]), Choice(0)).is_worst


def test_spearman_shares_ranks_and_is_nothing_for_a_constant():
    assert spearman(np.array([-math.inf, 1.0, 2.0]), np.array([0.1, 0.2, 0.3])) == pytest.approx(1.0)
    assert math.isnan(spearman(np.ones(3), np.arange(3.0)))


def test_sub_pools_hold_two_thirds_and_always_source_only():
    drawn = list(sub_pools(pool(np.linspace(0, 1, 18), reference=5)))
    assert len(drawn) == 50
    assert {len(each.trials) for each in drawn} == {12}
    assert all(each.reference.number == 5 for each in drawn)
    assert len({tuple(trial.number for trial in each.trials) for each in drawn}) > 40
    assert {len(each.trials) for each in sub_pools(pool(np.linspace(0, 1, 60)))} == {20}


def test_families_and_pairs_count_the_same_however_many_pools_they_have():
    families = ["image", "text", "text", "text"]
    weights = even_weights(families, ["a", "b", "c", "c"])
    np.testing.assert_allclose(weights, [1 / 2, 1 / 4, 1 / 8, 1 / 8])


def test_figures_by_hand():
    found = [one(0.00, 0.10, 0.10), one(0.12, -0.02, 0.10, math.nan, is_worst=True)]
    told = figures(outcomes(found))
    assert told["mean regret"] == pytest.approx(0.06)
    assert told["median regret"] == 0.0
    assert told["p90 regret"] == pytest.approx(0.12)
    assert told["recovered"] == pytest.approx(0.08 / 0.20)
    assert told["Spearman"] == pytest.approx(0.5)
    assert told["negative transfer"] == told["worst decile"] == 0.5


def test_a_quantile_is_the_least_value_that_reaches_its_share():
    values, weights = np.array([3.0, 1.0, 2.0]), np.array([1.0, 1.0, 2.0])
    assert [quantile(values, weights, level) for level in (0.25, 0.5, 0.75, 0.9)] == [1.0, 2.0, 2.0, 3.0]


def test_intervals_are_over_families_and_pairs_not_over_sub_pools():
    same = outcomes([one(0.05)] * 50)
    assert intervals(same, draws=20)["mean regret"] == pytest.approx((0.05, 0.05))
    two = outcomes([one(0.0)] * 50 + [one(0.10)] * 50, ["image"] * 50 + ["text"] * 50)
    assert intervals(two, draws=200)["mean regret"] == pytest.approx((0.0, 0.10))


def test_the_best_rule_has_least_regret_among_those_that_seldom_harm():
    harmful = outcomes([one(0.0, -0.05)])
    careful, careless = outcomes([one(0.03)]), outcomes([one(0.04)])
    assert best({"harmful": harmful, "careful": careful, "careless": careless}) == "careful"
    assert best({"harmful": harmful, "worse": outcomes([one(0.5, -0.05)])}) == "harmful"


def test_a_rule_is_chosen_without_the_family_that_it_is_reported_on():
    families, pairs = ["image", "signal", "text"], ["a", "b", "c"]
    good_on_text = outcomes([one(0.05), one(0.05), one(0.00)], families, pairs)
    good_elsewhere = outcomes([one(0.01), one(0.01), one(0.09)], families, pairs)
    together, names = left_out({"text": good_on_text, "other": good_elsewhere})
    assert names == {"image": "text", "signal": "text", "text": "other"}
    assert [each.regret for each in together.found] == [0.05, 0.05, 0.09]
