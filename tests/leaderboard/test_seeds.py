"""A plan that was trained with several seeds is ranked by all of them, and its interval covers one training."""

import math

import numpy as np
import pytest
import test_without_labels as without_labels
from board_trials import LABELS, row, trial
from scipy import stats

from autotl.leaderboard import headline, rank
from autotl.leaderboard.seeds import Seeds, own_score


def board(*trials, **changes):
    given = {
        "metric": "accuracy",
        "outputs": {found["trial"]: said for found, said in trials},
        "labels": LABELS,
        "groups": None,
        "seed": 0,
        **changes,
    }
    rows = rank([found for found, _ in trials], higher_is_better=True, **given)
    return rows, headline(rows, **given)


def by_trial(rows):
    return {each["trial"]: each for each in rows}


LUCKY = (
    trial(0, wrong=20, flops=5_000),  # 0.95 once, and worse with two other seeds
    trial(1, wrong=28, flops=5_000),
    trial(2, wrong=60, repeat_of=0),
    trial(3, wrong=64, repeat_of=0),
    trial(4, wrong=27, repeat_of=1),
    trial(5, wrong=29, repeat_of=1),
)


def test_a_lucky_seed_does_not_win():
    assert board(*LUCKY)[1]["winner"] == 1
    assert board(*LUCKY[:2])[1]["winner"] == 0, "without repeats it would"


def test_a_row_tells_mean_spread_and_the_trials():
    rows = by_trial(board(*LUCKY)[0])
    seeds = rows[0]["seeds"]
    assert seeds["trials"] == [0, 2, 3]
    assert seeds["values"] == pytest.approx([0.95, 0.85, 0.84])
    assert rows[0]["score"]["value"] == seeds["mean"] == pytest.approx(0.88)
    squares = [np.var([0.95, 0.85, 0.84]) * 3, np.var([0.93, 0.9325, 0.9275]) * 3]
    deviation = math.sqrt(sum(squares) / 4)
    assert seeds["deviation"] == pytest.approx(deviation)
    assert seeds["half_width"] == pytest.approx(stats.t.ppf(0.975, 4) * deviation)
    assert rows[2].get("seeds") is None
    assert own_score(rows[0]) == pytest.approx(0.95)


def test_the_interval_covers_the_seeds():
    once = by_trial(board(*LUCKY[:2])[0])[1]["score"]
    several = by_trial(board(*LUCKY)[0])[1]["score"]
    assert several["low"] < once["low"]
    assert several["high"] > once["high"]
    assert several["high"] <= 1
    before, after = board(*LUCKY[1:2])[1]["corrected"], board(*LUCKY[1:2], *LUCKY[4:])[1]["corrected"]
    assert after["high"] - after["low"] > before["high"] - before["low"]
    assert after["value"] == pytest.approx(before["value"] + (0.93 + 0.9325 + 0.9275) / 3 - 0.93)


def test_repeats_stand_behind_and_say_whose_they_are():
    rows, told = board(*LUCKY)
    assert {each["trial"] for each in rows[-4:]} == {2, 3, 4, 5}
    assert by_trial(rows)[2]["reason"] == "may not win: trained the plan of trial 0 again, with another seed"
    assert by_trial(rows)[2]["tie_group"] is None
    assert not any("limits" in sentence for sentence in told["sentences"])
    assert any("with 3 seeds it scores 0.930 on average" in sentence for sentence in told["sentences"])


def test_what_was_trained_once_does_not_lead_but_a_cheaper_tie_wins():
    lucky_once = trial(6, wrong=18, flops=9_000)
    assert board(*LUCKY, lucky_once)[1]["winner"] == 1
    cheap = trial(7, wrong=29, flops=10)
    assert board(*LUCKY, cheap)[1]["winner"] == 7, "it cannot be told apart from trial 1, and is cheaper"


def test_ranking_again_changes_nothing():
    given = {"metric": "accuracy", "labels": LABELS, "groups": None, "seed": 0, "higher_is_better": True}
    outputs = {found["trial"]: said for found, said in LUCKY}
    once = rank([found for found, _ in LUCKY], outputs=outputs, **given)
    assert rank(once, outputs=outputs, **given) == once


def test_a_repeat_that_did_not_finish_counts_for_nothing():
    pruned = row(2, 0.5, status="pruned", repeat_of=0)
    rows, _ = board(LUCKY[0], LUCKY[1], (pruned, LUCKY[2][1]))
    assert by_trial(rows)[0].get("seeds") is None
    assert Seeds.of(rows).repeats == {}


def test_two_seeds_that_agree_say_so():
    seeds = by_trial(board(*LUCKY)[0])[1]["seeds"]
    assert seeds["agreement"] == 1.0, "on the five target inputs all of them say the same"


def test_without_labels_a_pick_that_another_seed_spoils_may_not_win():
    steady = without_labels.trial(1, method="mcc", wrong=0.1)
    lucky = without_labels.trial(2, method="mcc", **without_labels.BETTER)
    collapsed, said = without_labels.trial(3, sureness=1.0, clear=1.0, said=np.zeros(without_labels.ROWS, dtype=int))
    again = {**collapsed, "repeat_of": 2}
    assert without_labels.told(without_labels.source_only(), steady, lucky)["winner"] == 2
    rows = by_trial(without_labels.ranked(without_labels.source_only(), steady, lucky, (again, said)))
    assert rows[1]["winner"]
    assert rows[2]["reason"].startswith("may not win: trained with another seed (trial 3) it does not pass the guards")
    assert rows[2]["seeds"]["values"] is None, "a rank is no score of one training"
    assert rows[2]["seeds"]["agreement"] < 0.5


def test_without_labels_a_pick_that_stands_it_wins_and_says_so():
    lucky = without_labels.trial(2, method="mcc", **without_labels.BETTER)
    again, said = without_labels.trial(3, method="mcc", **without_labels.BETTER)
    told = without_labels.told(without_labels.source_only(), lucky, ({**again, "repeat_of": 2}, said))
    assert told["winner"] == 2
    assert any(sentence.startswith("It passes the guards with each of 2 seeds") for sentence in told["sentences"])
