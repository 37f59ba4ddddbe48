"""A plan that learnt other tasks as well is kept only where it is clearly better than what was learnt alone."""

import numpy as np
import pytest
from board_trials import LABELS, outputs, trial

from autotl import leaderboard
from autotl.leaderboard import best_alone_and_together, rank, sentences_of_together, with_test
from autotl.leaderboard.seeds import Seeds

BY = {"metric": "accuracy", "higher_is_better": True, "labels": LABELS, "groups": None, "seed": 0}


def together(number, *, wrong, weighing="uniform", **more):
    row, said = trial(number, wrong=wrong, **more)
    return row | {"plan": {**row["plan"], "together": weighing}}, said


def ranked(*trials):
    said = {row["trial"]: outputs for row, outputs in trials}
    return rank([row for row, _ in trials], outputs=said, **BY), said


def winner(rows):
    return next(row["trial"] for row in rows if row["winner"])


def test_a_little_better_is_not_enough():
    rows, _ = ranked(trial(0, wrong=60), together(1, wrong=57, first=40))
    assert winner(rows) == 0
    assert {row["trial"]: row["tie_group"] for row in rows} == {0: 1, 1: 1}


def test_not_even_where_its_model_is_cheaper_to_run():
    rows, _ = ranked(trial(0, wrong=60, flops=9_000), together(1, wrong=57, first=40, flops=10))
    assert winner(rows) == 0


def test_clearly_better_is():
    rows, _ = ranked(trial(0, wrong=100), together(1, wrong=40))
    assert winner(rows) == 1


def test_what_is_kept_instead_is_the_very_winner_of_those_learnt_alone():
    """The best of all is tied with a cheap plan that the best alone beats; it is the best alone that stays."""
    best_alone, cheap = trial(0, wrong=60, flops=9_000), trial(1, wrong=90, flops=10)
    alone, _ = ranked(best_alone, cheap)
    both, _ = ranked(best_alone, cheap, together(2, wrong=57, first=200))
    assert winner(both) == winner(alone) == 0


def test_a_lower_plan_learnt_alone_does_not_win_by_a_tie_with_the_best_learnt_together():
    rows, _ = ranked(together(0, wrong=40), trial(1, wrong=100), trial(2, wrong=100, first=20))
    assert winner(rows) == 0
    assert [row["trial"] for row in rows if row["tie_group"] == 1] == [0]


def test_ties_among_plans_learnt_together_go_to_the_cheaper():
    rows, _ = ranked(trial(0, wrong=150), together(1, wrong=40, flops=900), together(2, wrong=42, flops=100))
    assert winner(rows) == 2


@pytest.mark.parametrize(("wrong", "kept"), [(40, "together"), (97, "alone"), (150, "alone")])
def test_the_best_of_either_kind_and_the_interval_that_decides(wrong, kept):
    rows, said = ranked(trial(0, wrong=100), trial(1, wrong=130), together(2, wrong=wrong), together(3, wrong=200))
    found = best_alone_and_together(rows, outputs=said, **BY)
    assert (found["alone"], found["together"], found["kept"]) == (0, 2, kept)
    gain = found["validation"]
    assert gain["value"] == pytest.approx((100 - wrong) / 400)
    assert gain["low"] <= gain["value"] <= gain["high"]
    assert gain["examples"] == 400
    assert (gain["low"] > 0) == (kept == "together")


def test_with_one_kind_alone_there_is_nothing_to_compare():
    rows, said = ranked(trial(0, wrong=100), trial(1, wrong=130))
    assert best_alone_and_together(rows, outputs=said, **BY) is None
    rows, said = ranked(together(0, wrong=100))
    assert best_alone_and_together(rows, outputs=said, **BY) is None


def test_seeds_count_on_both_sides():
    alone, lucky = trial(0, wrong=100), together(1, wrong=40)
    again = [together(number, wrong=wrong, repeat_of=1) for number, wrong in ((2, 110), (3, 130))]
    rows, said = ranked(alone, lucky, *again)
    assert Seeds.of(rows).repeats == {1: (2, 3)}
    found = best_alone_and_together(rows, outputs=said, **BY)
    mean = np.mean([40, 110, 130])
    assert found["validation"]["value"] == pytest.approx((100 - mean) / 400)
    assert found["kept"] == "alone"


def test_the_sentences_say_what_is_kept_and_what_the_test_says():
    rows, said = ranked(trial(0, wrong=100), together(1, wrong=90, first=30))
    found = {**best_alone_and_together(rows, outputs=said, **BY), "companions": ["dvd", "kitchen", "books"]}
    (sentence,) = sentences_of_together(found)
    assert sentence.startswith("Learning it together with dvd, kitchen and books is not clearly better")
    assert "+2.5 points" in sentence
    assert leaderboard.test_sentences_of_together(found) == []
    tested = with_test(
        found, LABELS[100:], {0: outputs(wrong=100).validation, 1: outputs(wrong=50).validation}, None, seed=0
    )
    (sentence,) = leaderboard.test_sentences_of_together(tested)
    assert sentence.startswith("On 400 test examples learning together is better: +12.5 points")
    assert tested["kept"] == "alone"  # the test decides nothing
    assert sentences_of_together(None) == leaderboard.test_sentences_of_together(None) == []
