"""The committee compares trials with each other, believes clear improvements, and falls back to source-only else."""

import math
from dataclasses import replace

import numpy as np
import pytest
from pretend_models import CLASSES, ROWS, broken, candidate, evidence, named, source_only

from autotl.adaptation import METHODS
from autotl.scoring import LABEL_FREE_SCORES
from autotl.scoring.candidates import RULE
from autotl.scoring.committee import MEMBERS, judge, percentile_ranks
from autotl.scoring.guards import PASSED

NOWHERE_APART = 0.0


def decide(*candidates, **more):
    return judge(candidates, seed=0, **more)


def test_no_method_trains_for_what_judges_it():
    assert not any(method.optimises & set(MEMBERS) for method in METHODS.values())
    assert not set(MEMBERS) & set(LABEL_FREE_SCORES), "a score of one trial alone is no member"


def test_a_clear_improvement_wins():
    found = decide(source_only(), candidate(1, wrong=0.05), candidate(2, wrong=0.2))
    assert found.pick == 1
    assert not found.fell_back
    assert found.better == {"consensus": 1.0, "neighbours": 1.0}
    assert found.values == pytest.approx({0: 0.0, 1: 1.0, 2: 0.5})
    assert found.order == (1, 2, 0)
    assert found.reason == (
        "it scores higher than source-only by agreement with all trials in 100 % and by agreement of neighbours in "
        "100 % of the resamples of the examples"
    )
    assert all(words == PASSED for guards in found.guards.values() for words in guards.values())


def test_the_verdict_tells_every_score_of_every_trial():
    found = decide(source_only(), candidate(1, wrong=0.05), candidate(2, wrong=0.2))
    assert set(found.scores) == set(MEMBERS)
    assert list(found.scores["consensus"]) == [0, 1, 2]
    assert found.scores["consensus"][1] > found.scores["consensus"][2] > found.scores["consensus"][0]
    assert found.scores["neighbours"][1] > found.scores["neighbours"][2] > found.scores["neighbours"][0]


def test_neighbours_are_heard_as_far_as_they_agree():
    near, nowhere = (
        decide(source_only(apart=apart), candidate(1, wrong=0.1), candidate(2, wrong=0.1)).weights
        for apart in (9.0, NOWHERE_APART)
    )
    assert near["neighbours"] > 0.6
    assert nowhere["neighbours"] < 0.01
    assert sum(near.values()) == pytest.approx(1) == sum(nowhere.values())


def test_a_model_that_is_better_than_all_together_is_found_by_its_neighbours():
    """Many trials give two classes the same name; one keeps them apart."""
    merged = np.where(named(0.0) == 3, 2, named(0.0))
    crowd = [candidate(n, said=merged, reference=n == 0) for n in range(5)]
    found = decide(*crowd, candidate(5))
    assert found.scores["consensus"][5] < found.scores["consensus"][0]
    assert found.pick == 5
    assert found.better == {"consensus": 0.0, "neighbours": 1.0}


def test_where_classes_are_no_regions_the_consensus_decides():
    found = decide(source_only(apart=NOWHERE_APART), candidate(1, wrong=0.25), candidate(2, wrong=0.1))
    assert found.pick == 2
    assert found.better["consensus"] == 1.0


def test_a_gain_within_the_noise_falls_back_to_source_only_and_says_why():
    nearly = named(0.3)
    first = np.flatnonzero(nearly != named(0.0))[0]
    nearly[first] = named(0.0)[first]
    found = decide(source_only(said=nearly), candidate(1, said=named(0.3)))
    assert found.values[1] > found.values[0]
    assert found.pick == 0
    assert found.fell_back
    assert found.order == (0, 1)
    assert "not clearly better" in found.reason
    assert "95 % are asked for by one of them" in found.reason


def test_source_only_that_ranks_highest_wins_without_a_fall_back():
    found = decide(source_only(wrong=0.02), candidate(1, wrong=0.2))
    assert (found.pick, found.fell_back) == (0, False)
    assert found.reason == "no other trial ranks higher"


def test_a_model_that_forgot_the_source_is_rejected_and_has_no_voice():
    forgetful = [candidate(n, source=0.5, said=(named(0.0) + 1) % CLASSES) for n in (2, 3, 4)]
    found = decide(source_only(), candidate(1, wrong=0.05), *forgetful)
    assert found.pick == 1
    assert found.rejected == (2, 3, 4)
    assert all(found.values[n] is None for n in (2, 3, 4))
    assert found.scores["consensus"][1] > 0.7
    assert 2 not in found.scores["consensus"]


def test_all_rejected_leaves_source_only_with_the_reason():
    found = decide(source_only(), broken(1), candidate(2, source=0.3))
    assert (found.pick, found.fell_back) == (0, True)
    assert found.reason == "every other trial was rejected"
    assert found.order == (0, 1, 2)


def test_all_rejected_and_no_source_only_leaves_nobody():
    found = decide(broken(1), broken(2))
    assert found.pick is None
    assert found.groups == ()
    assert "every trial was rejected" in found.reason


def test_without_source_only_the_best_wins_and_the_words_say_so():
    found = decide(candidate(1, wrong=0.3), candidate(2, wrong=0.05))
    assert found.pick == 2
    assert "no source-only model" in found.reason


def test_ties_go_to_the_cheaper_model_and_then_to_the_earlier_trial():
    twins = [candidate(n, said=named(0.05), cost=cost) for n, cost in ((1, 9.0), (2, 3.0), (3, 3.0))]
    found = decide(source_only(), *twins)
    assert found.pick == 2
    assert found.groups == ((2, 3, 1), (0,))


def test_of_a_tie_the_cheapest_that_beats_source_only_wins():
    loose = replace(RULE, tie_level=1.0)
    reference = source_only(wrong=0.3)
    cheap, dear = candidate(1, wrong=0.29, cost=1.0), candidate(2, wrong=0.05, cost=9.0)
    assert decide(reference, cheap, dear, rule=loose).pick == 2


def test_a_model_without_features_is_judged_like_the_others():
    """A tree has no features; neighbours are source-only's."""
    tree = candidate(1, wrong=0.05, without=["mixval", "class_ami"])
    bare = {name: value for name, value in tree.evidence.items() if name != "target_features"}
    found = decide(source_only(), replace(tree, evidence=bare), candidate(2, wrong=0.2))
    assert found.pick == 1


@pytest.mark.parametrize("features", [None, np.zeros((ROWS, 0)), np.full((ROWS, 3), np.nan), np.zeros((ROWS - 1, 3))])
def test_without_usable_features_of_source_only_those_of_another_model_tell_neighbours(features):
    reference = source_only()
    seen = {name: value for name, value in reference.evidence.items() if name != "target_features"}
    if features is not None:
        seen["target_features"] = features
    found = decide(replace(reference, evidence=seen), candidate(1, wrong=0.05), candidate(2, wrong=0.2))
    assert found.weights["neighbours"] > 0.5
    assert found.pick == 1


def test_without_any_features_the_consensus_decides_alone():
    pool = [source_only(), candidate(1, wrong=0.1), candidate(2, wrong=0.1)]
    bare = [
        replace(each, evidence={name: v for name, v in each.evidence.items() if name != "target_features"})
        for each in pool
    ]
    found = decide(*bare)
    assert dict(found.weights) == {"consensus": 1.0}
    assert found.pick in (1, 2)


def test_a_trial_that_spoke_of_other_inputs_cannot_be_compared():
    other = candidate(1, rows=ROWS // 2)
    found = decide(source_only(), other, candidate(2, wrong=0.05))
    assert found.pick == 2
    assert found.values[1] == 0.0


def test_trials_without_outputs_are_rejected_but_for_source_only():
    bare = [replace(each, evidence={}) for each in (source_only(), candidate(1))]
    found = decide(*bare)
    assert found.guards[1]["finite"] == "what it says of the target is not known"
    assert (found.pick, found.fell_back) == (0, True)


def test_the_same_candidates_in_any_order_give_the_same_verdict():
    pool = [source_only(), *(candidate(n, wrong=0.3 - 0.04 * n) for n in range(1, 7))]
    assert decide(*pool) == decide(*reversed(pool))


def test_neighbours_that_are_known_are_not_looked_for():
    nearest = np.tile(np.arange(1, 4), (ROWS, 1))
    found = decide(source_only(), candidate(1, wrong=0.05), nearest=nearest)
    assert found.weights.get("neighbours", 0.0) < 0.1


@pytest.mark.parametrize(
    ("rows", "classes", "pick"), [(1, 3, None), (2, 2, None), (3, 10, 0), (600, 200, 2), (6_000, 3, 2)]
)
def test_few_rows_show_nothing_and_many_show_the_best_whatever_the_classes(rows, classes, pick):
    pool = [
        candidate(n, reference=n == 0, rows=rows, classes=classes, wrong=wrong)
        for n, wrong in enumerate((0.3, 0.2, 0.05))
    ]
    found = decide(*pool)
    assert found.pick == pick
    assert ("teaches nothing" in found.reason) == (pick is None)
    assert all(math.isfinite(value) for value in found.values.values() if value is not None)


def test_a_panel_that_is_large_costs_no_more_than_its_sample():
    found = decide(source_only(rows=20_000), candidate(1, wrong=0.05, rows=20_000))
    assert found.pick == 1
    assert evidence(rows=20_000)["target_probabilities"].shape[0] == 20_000


def test_percentile_ranks_by_hand():
    values = np.array([[3.0, math.nan], [1.0, 5.0], [3.0, math.nan], [math.nan, math.nan]])
    expected = np.array([[0.75, math.nan], [0.0, 1.0], [0.75, math.nan], [math.nan, math.nan]])
    np.testing.assert_array_equal(percentile_ranks(values), expected)
