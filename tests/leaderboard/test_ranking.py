"""Best first; ties to the cheaper model; nothing broken wins."""

import math

import numpy as np
import pytest
from board_trials import LABELS, ROWS, outputs, row, trial

from autotl.leaderboard import name_baselines, pareto_front, rank, standing


def ranked(rows, said=None, **more):
    given = {"metric": "accuracy", "higher_is_better": True, "labels": LABELS, "groups": None, "seed": 0} | more
    return rank(rows, outputs=said or {}, **given)


def ranked_trials(*trials, **more):
    return ranked([row for row, _ in trials], {row["trial"]: said for row, said in trials}, **more)


def numbers(rows):
    return [row["trial"] for row in rows]


def winners(rows):
    return [row["trial"] for row in rows if row["winner"]]


def test_best_first_with_the_winner_on_top():
    rows = ranked([row(0, 0.5), row(1, 0.9), row(2, 0.7)])
    assert numbers(rows) == [1, 2, 0]
    assert winners(rows) == [1]
    assert [each["tie_group"] for each in rows] == [1, 2, 3]


def test_lower_is_better_for_a_loss():
    rows = ranked([row(0, 0.5), row(1, 0.9)], metric="log_loss", higher_is_better=False)
    assert winners(rows) == [0]


def test_complete_before_pruned_before_failed_before_skipped():
    rows = ranked(
        [
            row(0, status="skipped"),
            row(1, status="failed"),
            row(2, 0.99, status="pruned", epochs=2),
            row(3, 0.60, status="pruned", epochs=4),
            row(4, 0.5),
            row(5, status="running"),
        ]
    )
    assert numbers(rows) == [4, 3, 2, 1, 0, 5]
    assert winners(rows) == [4]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("higher_is_better", [True, False])
def test_a_score_that_is_no_number_never_wins(value, higher_is_better):
    metric = "accuracy" if higher_is_better else "log_loss"
    rows = ranked([row(0, value), row(1, 0.1)], metric=metric, higher_is_better=higher_is_better)
    assert numbers(rows) == [1, 0]
    assert winners(rows) == [1]


def test_without_a_complete_trial_nobody_wins():
    rows = ranked([row(0, 0.9, status="pruned"), row(1, status="failed"), row(2, math.nan)])
    assert winners(rows) == []
    assert {each["tie_group"] for each in rows} == {None}


def test_a_tie_goes_to_the_cheaper_model():
    best, cheap = trial(0, wrong=80, flops=900), trial(1, wrong=85, first=200, flops=100)
    rows = ranked_trials(best, cheap)
    assert winners(rows) == [1]
    assert [each["tie_group"] for each in rows] == [1, 1]


def test_a_tie_of_equal_cost_goes_to_the_earlier_trial():
    assert winners(ranked_trials(trial(7, wrong=80), trial(3, wrong=85, first=200))) == [3]


def test_a_cost_that_is_not_known_is_the_highest():
    rows = ranked_trials(trial(0, wrong=80, flops=None), trial(1, wrong=85, first=200, flops=10**9))
    assert winners(rows) == [1]


def test_a_cheaper_model_that_can_be_told_apart_does_not_win():
    rows = ranked_trials(trial(0, wrong=80, flops=900), trial(1, wrong=160, first=0, flops=100))
    assert winners(rows) == [0]
    assert [each["tie_group"] for each in rows] == [1, 2]


def test_a_model_that_errs_on_a_few_examples_more_and_nowhere_less_is_told_apart():
    # 12 examples decide between the two, all for one side: unpaired intervals of 80 and 92 mistakes would overlap
    rows = ranked_trials(trial(0, wrong=80, flops=900), trial(1, wrong=92, flops=100))
    assert winners(rows) == [0]


def test_ties_are_against_the_best_of_the_group_so_they_do_not_chain():
    trials = [trial(0, wrong=60), trial(1, wrong=75, first=100), trial(2, wrong=90, first=200)]
    rows = ranked_trials(*trials)
    assert [(each["trial"], each["tie_group"]) for each in rows] == [(0, 1), (1, 1), (2, 2)]


def test_trials_without_outputs_are_tied_only_when_equal():
    rows = ranked([row(0, 0.8, flops=9), row(1, 0.8, flops=1), row(2, 0.7999, flops=0)])
    assert numbers(rows) == [1, 0, 2]
    assert [each["tie_group"] for each in rows] == [1, 1, 2]


def test_trials_are_compared_on_the_examples_that_all_were_scored_on():
    shuffled = np.random.default_rng(0).permutation(ROWS)[:300]
    said = {0: outputs(wrong=80), 1: outputs(wrong=0, rows=shuffled)}
    rows = ranked([row(0, 0.8, flops=1), row(1, 1.0, flops=9)], said)
    assert winners(rows) == [1]
    elsewhere = {0: outputs(wrong=80, rows=ROWS[:200]), 1: outputs(wrong=0, rows=ROWS[200:])}
    assert winners(ranked([row(0, 0.8), row(1, 1.0)], elsewhere)) == [1]


def test_groups_widen_ties():
    best, behind = trial(0, wrong=80, flops=900), trial(1, wrong=100, flops=100)
    groups = np.concatenate([np.zeros(100, dtype=int), np.repeat(np.arange(20), 20)])
    assert winners(ranked_trials(best, behind)) == [0]
    assert winners(ranked_trials(best, behind, groups=groups)) == [1]


def test_the_order_of_the_rows_and_the_repetition_change_nothing():
    trials = [trial(number, wrong=70 + 5 * (number % 3), first=40 * number) for number in range(6)]
    expected = ranked_trials(*trials)
    assert ranked_trials(*trials[::-1]) == expected
    assert ranked(expected, {row["trial"]: said for row, said in trials}) == expected


def test_the_rows_given_are_left_alone():
    given = [row(0, 0.5), row(1, 0.9)]
    before = [dict(each) for each in given]
    ranked(given)
    assert given == before


def test_a_baseline_may_win():
    assert winners(ranked([row(0, 0.9, baseline="no_transfer"), row(1, 0.5)])) == [0]


def test_a_model_over_the_limits_may_not_win_and_says_so():
    rows = ranked(
        [row(0, 0.9, latency_ms=31.2), row(1, 0.8, model_mb=80.0), row(2, 0.7), row(3, 0.6)],
        limits={"latency_ms": 20.0, "model_mb": 50.0},
    )
    assert numbers(rows) == [2, 3, 0, 1]
    assert winners(rows) == [2]
    assert rows[2]["reason"] == "may not win: latency 31.2 ms is over the limit of 20 ms"
    assert "80 MB" in rows[3]["reason"]
    assert [each["tie_group"] for each in rows] == [1, 2, None, None]


def test_a_latency_that_nobody_measured_does_not_meet_a_limit():
    rows = ranked([row(0, 0.9, latency_ms=None)], limits={"latency_ms": 20.0, "model_mb": None})
    assert winners(rows) == []
    assert "not measured" in rows[0]["reason"]


def test_lifting_a_limit_lifts_its_reason():
    rows = ranked([row(0, 0.9, latency_ms=31.2)], limits={"latency_ms": 20.0})
    again = ranked(rows)
    assert winners(again) == [0]
    assert again[0]["reason"] is None


def test_other_reasons_stay():
    assert ranked([row(0, 0.9, reason="second attempt, half the batch")])[0]["reason"].startswith("second attempt")


def test_the_best_of_several_probes_bears_the_name():
    rows = [row(number, value, baseline="linear_probe") for number, value in enumerate([0.6, 0.8, 0.7])]
    rows += [row(3, 0.9), row(4, 0.5, baseline="no_transfer"), row(5, status="failed", baseline="linear_probe")]
    named = name_baselines(rows, higher_is_better=True)
    assert [each["baseline"] for each in named] == [None, "linear_probe", None, None, "no_transfer", None]
    assert [each["baseline_of"] for each in named] == ["linear_probe", None, "linear_probe", None, None, "linear_probe"]
    assert name_baselines(named, higher_is_better=True) == named


def test_the_name_goes_to_some_probe_even_if_none_is_complete():
    rows = [row(0, status="failed", baseline="linear_probe"), row(1, 0.2, status="pruned", baseline="linear_probe")]
    assert [each["baseline"] for each in name_baselines(rows, higher_is_better=True)] == [None, "linear_probe"]


def test_pareto_front_holds_what_no_other_beats():
    rows = [
        row(0, 0.9, latency_ms=9.0, model_mb=9.0),
        row(1, 0.8, latency_ms=5.0, model_mb=9.0),
        row(2, 0.8, latency_ms=6.0, model_mb=9.0),  # beaten by 1
        row(3, 0.7, latency_ms=9.0, model_mb=1.0),
        row(4, 0.95, latency_ms=None, model_mb=9.0),
        row(5, 0.6, latency_ms=None, model_mb=9.0),  # beaten by 4
        row(6, 0.99, status="pruned"),
    ]
    assert pareto_front(rows, higher_is_better=True) == [0, 1, 3, 4]
    assert pareto_front(rows, higher_is_better=False) == [1, 3, 5]


def test_while_a_search_is_going_the_best_stands_first_and_nobody_has_won_or_tied():
    rows = [row(0, 0.5), row(1, None, status="running"), row(2, 0.9), row(3, 0.7, status="pruned")]
    stands = standing(rows, higher_is_better=True)
    assert numbers(stands) == [2, 0, 3, 1]
    assert numbers(standing(rows[::-1], higher_is_better=False)) == [0, 2, 3, 1]
    assert not any(each["winner"] or each["tie_group"] for each in stands)
