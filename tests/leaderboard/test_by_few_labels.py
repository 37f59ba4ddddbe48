"""A few target labels beside a labelled source: labels and committee order the board together, and it says how."""

from dataclasses import replace

import numpy as np
import pytest
from board_trials import row
from leaderboard_contract import problems
from pretend_models import CLASSES, ROWS, evidence, probabilities

from autotl.leaderboard import as_json, headline, name_baselines, rank
from autotl.scoring import LABEL_FREE_SCORES
from autotl.scoring.few_labels import FEW_LABELS
from autotl.scoring.label_free import scores_at_hand
from autotl.trial.outcome import Outputs

FEW = 20  # labelled target examples: the first rows; the source's held-out ones follow
LABELS = np.concatenate([np.arange(FEW) % CLASSES, np.arange(ROWS) % CLASSES])
BETTER = {"wrong": 0.05}
DULL = {"wrong": 0.35}


def trial(number, *, right, method="none", baseline=None, flops=1000, learns_from="all", metric="accuracy", **model):
    """A model that names the first `right` of the few labelled examples rightly, each time unseen."""
    seen = evidence(**{"seed": number, **model})
    known = LABELS[:FEW]
    said = np.where(np.arange(FEW) < right, known, (known + 1) % CLASSES)
    scores = {**scores_at_hand(LABEL_FREE_SCORES, seen), metric: right / FEW}
    told = row(number, right / FEW, baseline=baseline, flops=flops, scores=scores)
    told["score"]["kind"] = "cross_validation"
    told["plan"] |= {"adaptation": {"method": method}, "learns_from": learns_from}
    return told, Outputs(
        rows=np.arange(FEW),
        validation_ids=np.array([f"few {place}" for place in range(FEW)]),
        target_ids=np.array([f"t{place}" for place in range(ROWS)]),
        validation=probabilities(said, 0.7),
        target=seen["target_probabilities"],
        features=seen["target_features"].astype(np.float32),
        mixed=seen["mixed_probabilities"],
        mix_partners=seen["mix_partners"],
        source_rows=np.arange(FEW, FEW + ROWS),
        source=seen["source_probabilities"],
    )


def source_only(number=0, *, right=10, **model):
    return trial(number, right=right, baseline="source_only", **{"wrong": 0.3, **model})


def given(trials, metric="accuracy", labels=LABELS):
    outputs = {row["trial"]: said for row, said in trials}
    return {"metric": metric, "outputs": outputs, "labels": labels, "groups": None, "seed": 0}


def ranked(*trials, metric="accuracy", higher_is_better=True, limits=None, labels=LABELS):
    rows = name_baselines([row for row, _ in trials], higher_is_better=higher_is_better)
    return rank(rows, higher_is_better=higher_is_better, limits=limits, **given(trials, metric, labels))


def told(*trials, metric="accuracy", **more):
    return headline(ranked(*trials, metric=metric, **more), **given(trials, metric))


def order(rows):
    return [each["trial"] for each in rows]


def test_the_posterior_orders_the_board():
    """By its labels trial 1 is one answer ahead; the scores without labels speak for trial 2."""
    trials = (source_only(), trial(1, right=16, **DULL), trial(2, right=15, method="mcc", **BETTER))
    rows = ranked(*trials)
    assert order(rows)[0] == 2
    assert [each["winner"] for each in rows] == [True, False, False]
    facts = {"task": "t", "metric": "accuracy", "higher_is_better": True, "regime": "few_labels", "versions": {}}
    assert problems(as_json(rows, **facts)) == []
    assert {each["score"]["kind"] for each in rows} == {"few_labels"}
    found = told(*trials)["few_labels"]
    worth, strength = FEW, FEW_LABELS.strength
    prior = found["priors"]["2"]
    assert rows[0]["score"]["value"] == pytest.approx((worth * 0.75 + strength * prior) / (worth + strength), abs=2e-3)
    assert rows[0]["score"]["low"] < rows[0]["score"]["value"] < rows[0]["score"]["high"]
    assert found["labels"] == FEW
    assert found["by_labels"] == 1
    assert found["by_committee"] == 2


def test_many_right_answers_outweigh_the_committee():
    rows = ranked(source_only(), trial(1, right=20), trial(2, right=8, method="mcc", **BETTER))
    assert order(rows)[0] == 1


def test_what_a_reviewer_can_repeat():
    trials = (source_only(), trial(1, right=16, **DULL), trial(2, right=15, method="mcc", **BETTER))
    words = " ".join(told(*trials)["sentences"])
    assert (
        f"picked by few labels: 20 of the target, and label-free scores that count as {FEW_LABELS.strength:g} more"
        in words
    )
    assert "it names 15 of the 20 right without having learnt from them" in words
    assert (
        "The labels alone would have picked trial 1; the label-free committee alone would have picked it, too" in words
    )


def test_a_guard_keeps_a_broken_model_from_winning():
    one_class = np.zeros(ROWS, dtype=int)
    trials = (source_only(), trial(1, right=20, sureness=1.0, clear=1.0, said=one_class), trial(2, right=12))
    rows = ranked(*trials)
    assert rows[0]["trial"] != 1
    broken = next(each for each in rows if each["trial"] == 1)
    assert broken["tie_group"] is None
    assert broken["reason"].startswith("may not win")
    assert "The guards rejected 1 of 3 trials" in " ".join(told(*trials)["sentences"])


def test_a_model_of_the_target_alone_is_not_judged_by_the_source():
    """Its source accuracy is that of chance, and no guard may reject it for that."""
    trials = (source_only(), trial(1, right=19, learns_from="target", source=0.2), trial(2, right=11))
    rows = ranked(*trials)
    assert order(rows)[0] == 1
    found = told(*trials)
    assert "1" not in found["few_labels"]["ranks"]
    assert "never learnt from the source" in " ".join(found["sentences"])


def test_where_the_source_teaches_nothing_the_labels_decide_and_it_is_said():
    trials = (source_only(source=0.2), trial(1, right=15, source=0.2), trial(2, right=18, source=0.2))
    rows = ranked(*trials)
    assert order(rows)[0] == 2
    words = " ".join(told(*trials)["sentences"])
    assert "picked by 20 target labels alone" in words
    assert "Label-free scores had no say: the source teaches nothing" in words


@pytest.mark.parametrize(("metric", "higher"), [("macro_f1", True), ("log_loss", False)])
def test_a_metric_that_is_no_share_of_right_answers_is_ranked_by_labels_alone_behind_the_guards(metric, higher):
    trials = [
        source_only(metric=metric),
        trial(1, right=20, sureness=1.0, clear=1.0, said=np.zeros(ROWS, dtype=int), metric=metric),
        trial(2, right=18, metric=metric),
    ]
    if not higher:
        for each, _ in trials:
            each["score"]["value"] = 1 - each["score"]["value"]
    rows = ranked(*trials, metric=metric, higher_is_better=higher)
    assert rows[0]["trial"] == 2
    assert rows[0]["score"]["kind"] == "cross_validation"
    assert "label-free scores guarded and did not rank" in " ".join(
        headline(rows, **given(trials, metric))["sentences"]
    )


def test_ranking_again_changes_nothing():
    trials = (
        source_only(),
        trial(1, right=16),
        trial(2, right=20, sureness=1.0, clear=1.0, said=np.zeros(ROWS, dtype=int)),
        trial(3, right=15, method="mcc", **BETTER),
    )
    once = ranked(*trials)
    again = rank(once, higher_is_better=True, **given(trials))
    assert again == once
    assert headline(again, **given(trials)) == headline(once, **given(trials))


def test_labels_of_rows_that_are_hidden_play_no_part():
    trials = (source_only(), trial(1, right=16, **DULL), trial(2, right=15, method="mcc", **BETTER))
    hidden = np.full(50, -1)
    more = ranked(*trials, labels=np.concatenate([LABELS, hidden]))
    assert more == ranked(*trials)


def test_a_model_over_a_limit_cannot_win():
    dear, _ = heavy = trial(1, right=20)
    dear["model_mb"] = 400.0
    rows = ranked(source_only(), heavy, trial(2, right=14), limits={"model_mb": 50})
    assert rows[0]["trial"] != 1


def test_without_any_unadapted_model_the_labels_decide():
    trials = (trial(1, right=16, method="mcc", **BETTER), trial(2, right=19, method="coral"))
    assert ranked(*trials)[0]["trial"] == 2
    assert "no source-only model" in " ".join(told(*trials)["sentences"])


def test_trials_without_held_out_source_rows_are_ranked_as_before():
    """A labelled target without a source: no committee, no prior."""
    trials = []
    for each, said in (trial(1, right=16), trial(2, right=19)):
        each["scores"] = {"accuracy": each["score"]["value"]}
        trials.append((each, replace(said, source_rows=None, source=None)))
    rows = ranked(*trials)
    assert {each["score"]["kind"] for each in rows} == {"cross_validation"}
    assert "few_labels" not in headline(rows, **given(trials))
