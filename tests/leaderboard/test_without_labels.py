"""A target without labels: the committee orders the board, and its words can be repeated by a reviewer."""

import math
from dataclasses import replace

import numpy as np
import pytest
from board_trials import row
from leaderboard_contract import problems
from pretend_models import CLASSES, ROWS, evidence, named

from autotl.leaderboard import as_json, headline, name_baselines, rank, score_of
from autotl.scoring import LABEL_FREE_SCORES
from autotl.scoring.committee import MEMBERS
from autotl.scoring.label_free import scores_at_hand
from autotl.trial.outcome import Outputs

LABELS = np.arange(ROWS) % CLASSES


def trial(number, *, method="none", baseline=None, scores=None, flops=1000, **model):
    """A row as the search leaves it: its score is the task's metric on the source."""
    seen = evidence(**{"seed": number, **model})
    found = scores_at_hand(LABEL_FREE_SCORES, seen) | (scores or {})
    told = row(number, found["source_accuracy"], baseline=baseline, flops=flops, scores=found)
    told["score"]["kind"] = "label_free"
    told["plan"]["adaptation"] = {"method": method}
    return told, Outputs(
        rows=np.arange(ROWS),
        validation_ids=np.array([f"s{place}" for place in range(ROWS)]),
        target_ids=np.array([f"t{place}" for place in range(ROWS)]),
        validation=seen["source_probabilities"],
        target=seen["target_probabilities"],
        features=seen["target_features"].astype(np.float32),
        mixed=seen["mixed_probabilities"],
        mix_partners=seen["mix_partners"],
    )


def source_only(number=0, **model):
    return trial(number, baseline="source_only", **{"wrong": 0.3, **model})


def given(*trials, metric="accuracy"):
    outputs = {row["trial"]: said for row, said in trials}
    return {"metric": metric, "outputs": outputs, "labels": LABELS, "groups": None, "seed": 0}


def ranked(*trials, rows=(), limits=None, metric="accuracy", higher_is_better=True):
    named = name_baselines([*(row for row, _ in trials), *rows], higher_is_better=higher_is_better)
    return rank(named, higher_is_better=higher_is_better, limits=limits, **given(*trials, metric=metric))


def told(*trials, **more):
    metric = more.get("metric", "accuracy")
    return headline(ranked(*trials, **more), **given(*trials, metric=metric))


def words(*trials, **more):
    return " ".join(told(*trials, **more)["sentences"])


BETTER = {"wrong": 0.05}


def test_the_committee_orders_the_board_and_fills_it_in():
    rows = ranked(
        source_only(),
        trial(1, method="mcc", **BETTER),
        trial(2, sureness=1.0, clear=1.0, said=np.zeros(ROWS, dtype=int)),
        trial(3, wrong=0.2),
        rows=[row(4, status="failed"), row(5, 0.8, status="pruned") | {"scores": {}}],
    )
    assert [each["trial"] for each in rows] == [1, 3, 0, 2, 5, 4]
    assert [each["winner"] for each in rows] == [True, *[False] * 5]
    assert [each["tie_group"] for each in rows] == [1, 2, 3, None, None, None]
    assert rows[0]["score"] == {"value": pytest.approx(1.0), "low": None, "high": None, "kind": "label_free"}
    assert set(rows[0]["guards"].values()) == {"passed"}
    assert rows[0]["scores"]["source_accuracy"] == 0.9
    assert math.isnan(score_of(rows[3]))
    assert rows[3]["reason"].startswith("may not win: names 1 of 4 classes")
    assert rows[4]["score"] is None, "what a pruned trial reached on the source is no rank"
    assert rows[4]["scores"] == {"source_accuracy": 0.8}
    content = as_json(
        rows, task="toy", metric="accuracy", higher_is_better=True, regime="label_free", versions={"autotl": "0"}
    )
    assert problems(content) == []


def test_agreement_with_all_trials_is_added_when_the_search_has_ended():
    collapsed = trial(2, sureness=0.9, said=np.zeros(ROWS, dtype=int))
    rows = ranked(source_only(wrong=0.0), trial(1, method="mcc", wrong=0.0), collapsed, rows=[row(4, status="failed")])
    agreement = {each["trial"]: each["scores"].get("ensv") for each in rows}
    assert agreement == {0: 1.0, 1: 1.0, 2: 1 / CLASSES, 4: None}
    assert "ensv" not in collapsed[0]["scores"], "no row that is given is changed"


def test_a_model_that_says_no_numbers_spoils_no_agreement():
    told_row, said = trial(2, sureness=0.9)
    nothing = np.full_like(said.target, math.nan)
    rows = ranked(source_only(wrong=0.0), trial(1, wrong=0.0), (told_row, replace(said, target=nothing)))
    agreement = {each["trial"]: each["scores"]["ensv"] for each in rows}
    assert (agreement[0], agreement[1]) == (1.0, 1.0)
    assert math.isnan(agreement[2])


def test_ranking_again_changes_nothing():
    trials = [source_only(), trial(1, **BETTER), trial(2, source=0.3), source_only(3, source=0.8)]
    once = ranked(*trials, rows=[row(4, 0.5, status="pruned")])
    assert rank(once, higher_is_better=True, **given(*trials)) == once
    assert name_baselines(once, higher_is_better=True) == once


def test_the_best_source_only_on_the_source_bears_the_name_before_and_after():
    rows = ranked(source_only(0, source=0.85), source_only(1, source=0.9), trial(2, **BETTER))
    assert {each["trial"]: each["baseline"] for each in rows} == {0: None, 1: "source_only", 2: None}
    assert {each["trial"]: each["baseline_of"] for each in rows} == {0: "source_only", 1: None, 2: None}


def test_without_source_only_the_best_trial_without_adaptation_stands_for_it():
    found = told(trial(0, source=0.95, wrong=0.3), trial(1, source=0.92, wrong=0.3), trial(2, method="dann", **BETTER))
    assert found["committee"]["reference"] == 0
    assert found["winner"] == 2


def test_a_metric_of_which_less_is_better_turns_nothing_around():
    losses = {"source_log_loss": 0.2}
    rows = ranked(source_only(), trial(1, scores=losses, **BETTER), metric="log_loss", higher_is_better=False)
    assert rows[0]["trial"] == 1


def test_a_winner_is_told_with_its_grounds():
    found = told(
        source_only(), trial(1, method="dann", source=0.88, **BETTER), trial(2, source=0.3), trial(3, source=0.2)
    )
    said = " ".join(found["sentences"])
    assert found["sentences"][0] == "Trial 1 won: MobileNetV2 at 160 px, its last 12 layers unfrozen, adapted by dann."
    assert "picked without target labels, by the mean of its ranks in agreement with all trials (weight 0." in said
    assert ") among 2 trials: it scores higher than source-only by agreement with all trials in" in said
    assert "It clearly beats source-only by agreement with all trials and agreement of neighbours." in said
    assert "The guards rejected 2 of 4 trials (too many mistakes on the source: trials 2, 3)." in said
    assert "an accuracy of 0.880, source-only 0.900" in said
    assert "only labels there can tell" in said
    assert "expect" not in said
    assert found["corrected"] is found["raw"] is None
    assert found["committee"]["fell_back"] is False
    assert found["committee"]["members"] == list(MEMBERS)


def test_a_fall_back_is_told_with_its_reason():
    nearly = named(0.3)
    first = np.flatnonzero(nearly != named(0.0))[0]
    nearly[first] = named(0.0)[first]
    found = told(source_only(said=nearly), trial(1, said=named(0.3)))
    said = " ".join(found["sentences"])
    assert found["winner"] == 0
    assert found["committee"]["fell_back"] is True
    assert "It is the source-only model, kept because trial 1, which ranks highest, is not clearly better" in said
    assert "The best of the others clearly beats source-only by neither." in said


def test_a_useless_source_names_no_winner_and_says_why():
    noise = np.random.default_rng(0)
    trials = []
    for number in range(4):
        told_row, said = source_only() if number == 0 else trial(number, **BETTER)
        shuffled = np.eye(CLASSES)[noise.integers(0, CLASSES, ROWS)].astype(np.float32)
        trials.append((told_row, Outputs(**{**vars(said), "validation": shuffled})))
    rows = ranked(*trials)
    assert not any(each["winner"] for each in rows)
    assert all(each["tie_group"] is None for each in rows)
    assert all(each["reason"].startswith("may not win: the source teaches nothing") for each in rows)
    found = headline(rows, **given(*trials))
    assert found["winner"] is None
    (said,) = found["sentences"]
    assert said.startswith("No model won: the source teaches nothing")
    assert "shuffled?" in said


def test_all_rejected_but_source_only():
    assert "kept because every other trial was rejected" in words(source_only(), trial(1, source=0.2))


def test_limits_hold_here_too():
    heavy = trial(1, **BETTER)
    heavy[0]["model_mb"] = 80.0
    rows = ranked(source_only(), heavy, limits={"model_mb": 50.0})
    assert rows[0]["trial"] == 0
    assert rows[1]["reason"] == "may not win: size 80 MB is over the limit of 50 MB"
    assert rows[1]["guards"] == {}
    assert "not allowed to win: trial 1." in words(source_only(), heavy, limits={"model_mb": 50.0})


def test_nobody_finished():
    rows = [row(0, 0.4, status="pruned"), row(1, status="failed")]
    rows[0]["score"]["kind"] = "label_free"
    assert told(rows=rows)["sentences"] == ["No model won: none finished with a score (1 pruned, 1 failed)."]


def test_the_committees_own_scores_stand_beside_the_others():
    rows = ranked(source_only(), trial(1, **BETTER), trial(2, source=0.3))
    by_trial = {each["trial"]: each["scores"] for each in rows}
    assert by_trial[1]["consensus"] > by_trial[0]["consensus"]
    assert by_trial[1]["neighbours"] > by_trial[0]["neighbours"]
    assert "consensus" not in by_trial[2], "who is rejected is not compared"


@pytest.mark.parametrize("missing", ["mixval", "infomax"])
def test_a_score_stored_as_null_is_no_number(missing):
    rows = ranked(source_only(), trial(1, scores={missing: None}, **BETTER))
    assert [each["trial"] for each in rows] == [0, 1]
    assert "cannot be computed" in rows[1]["guards"]["finite"]


def without_source(found, *, changed=0.0):
    """The same trial where the source's examples are not here: it has no score before the committee gives it one."""
    told, said = found
    told["scores"] = {name: value for name, value in told["scores"].items() if not name.startswith("source_")}
    told["scores"]["changed"] = changed
    told["score"]["value"] = None
    nothing = said.validation[:0]
    shares = np.full(CLASSES, 1 / CLASSES)
    return told, replace(said, rows=said.rows[:0], validation=nothing, source_shares=shares)


def test_a_run_whose_source_is_a_model_alone_is_ranked_and_told_in_words():
    trials = [
        without_source(source_only()),
        without_source(trial(1, method="standardize", wrong=0.1), changed=0.2),
        without_source(trial(2, method="standardize", wrong=0.05), changed=0.7),
    ]
    board = ranked(*trials)
    assert [each["trial"] for each in board] == [1, 0, 2]
    assert board[0]["winner"]
    assert all(math.isfinite(score_of(each)) for each in board[:2])
    assert board[2]["reason"].startswith("may not win: changed 70 % of the predictions")
    sentences = headline(board, **given(*trials))["sentences"]
    assert "(too many predictions changed: trial 2)" in " ".join(sentences)
    assert sentences[-1] == "No source example is here; how good it is on the target, only labels there can tell."
    assert (
        problems(as_json(board, task="t", metric="accuracy", higher_is_better=True, regime="label_free", versions={}))
        == []
    )
