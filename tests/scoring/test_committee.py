"""The committee keeps broken models out, believes clear improvements, and falls back to source-only else."""

import math
from dataclasses import replace

import numpy as np
import pytest
from pretend_models import CLASSES, ROWS, broken, candidate, evidence, source_only

from autotl.scoring import LABEL_FREE_SCORES
from autotl.scoring.committee import (
    CHANGED,
    MEMBERS,
    PASSED,
    RULE,
    WITNESSES,
    classes_predicted,
    deviations,
    in_draws,
    judge,
    percentile_ranks,
)


def decide(*candidates, **more):
    return judge(candidates, seed=0, **more)


def test_every_member_ranks_and_knows_its_noise():
    assert set(WITNESSES) < set(MEMBERS)
    for name in MEMBERS:
        assert LABEL_FREE_SCORES[name].ranks
        assert LABEL_FREE_SCORES[name].of_draws is not None


def test_a_clear_improvement_wins():
    found = decide(source_only(), candidate(1, sureness=0.9, clear=0.95), candidate(2, sureness=0.6, clear=0.7))
    assert found.pick == 1
    assert not found.fell_back
    assert found.better == {"infomax": 1.0, "mixval": 1.0}
    assert found.values == {0: 0.25, 1: 0.75, 2: 0.5}, "two of four scores are the same for all"
    assert found.order == (1, 2, 0)
    assert "InfoMax in 100 %" in found.reason
    assert all(words == PASSED for guards in found.guards.values() for words in guards.values())


def test_a_gain_within_the_noise_falls_back_to_source_only_and_says_why():
    found = decide(source_only(), candidate(1, sureness=0.8, clear=0.605))
    assert found.pick == 0
    assert found.fell_back
    assert found.order == (0, 1)
    assert "not clearly better" in found.reason
    assert "99 % are asked for" in found.reason
    assert found.better["infomax"] == 1.0
    assert found.better["mixval"] < 0.99


def test_source_only_that_ranks_highest_wins_without_a_fall_back():
    found = decide(source_only(sureness=0.9, clear=0.9), candidate(1, sureness=0.5, clear=0.5))
    assert (found.pick, found.fell_back) == (0, False)
    assert found.reason == "no other trial ranks higher"


def test_a_collapse_is_rejected_however_sure():
    said = np.zeros(ROWS, dtype=int)
    found = decide(
        source_only(), candidate(1, sureness=1.0, clear=1.0, said=said), candidate(2, sureness=0.7, clear=0.9)
    )
    assert found.pick == 2
    assert found.values[1] is None
    assert found.guards[1]["classes"] == f"names 1 of {CLASSES} classes on the target, source-only names them all"
    assert "class_shares" in found.guards[1]
    assert found.rejected == (1,)


def test_a_collapse_that_still_names_every_class_once_is_rejected_too():
    said = np.zeros(ROWS, dtype=int)
    said[:3] = [1, 2, 3]
    found = decide(source_only(), candidate(1, sureness=1.0, clear=1.0, said=said))
    assert found.guards[1]["classes"] == PASSED
    assert "classes' shares" in found.guards[1]["class_shares"]
    assert found.pick == 0


def test_class_shares_that_the_source_explains_are_no_collapse_where_source_only_is_a_poor_guide():
    skewed = np.where(np.arange(ROWS) < 0.8 * ROWS, 0, np.arange(ROWS) % CLASSES)
    found = decide(source_only(said=skewed), candidate(1, sureness=0.9, clear=0.95))
    assert found.guards[1]["class_shares"] == PASSED
    assert found.pick == 1


def test_a_model_that_forgot_the_source_is_rejected():
    found = decide(
        source_only(source=0.9), candidate(1, sureness=1.0, clear=1.0, source=0.79), candidate(2, source=0.81)
    )
    assert "0.79" in found.guards[1]["source_accuracy"]
    assert found.guards[2]["source_accuracy"] == PASSED
    assert found.rejected == (1,)


def test_source_only_is_never_rejected():
    found = decide(source_only(source=0.5), candidate(1, sureness=0.9, clear=0.95, source=0.95))
    assert all(words == PASSED for words in found.guards[0].values())
    assert 0 not in found.rejected


def test_a_score_that_is_no_number_rejects():
    found = decide(source_only(), broken(1, sureness=1.0, clear=1.0), candidate(2, sureness=0.8, clear=0.9))
    assert found.guards[1]["finite"] == "infomax cannot be computed for it"
    assert found.pick == 2


def test_one_class_predicted_has_no_mixval_and_is_rejected_even_where_source_only_names_few():
    few = np.arange(ROWS) % 2
    found = decide(source_only(said=few), candidate(1, said=np.zeros(ROWS, dtype=int), sureness=1.0))
    assert "mixval" in found.guards[1]["finite"]
    assert found.guards[1]["classes"] == PASSED
    assert found.pick == 0


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
    found = decide(candidate(1, sureness=0.5, clear=0.7), candidate(2, sureness=0.9, clear=0.95))
    assert found.pick == 2
    assert "no source-only model" in found.reason


@pytest.mark.parametrize("seed", range(3))
def test_a_source_whose_labels_are_shuffled_names_no_winner(seed):
    draws = np.random.default_rng(seed)
    candidates = []
    for trial in range(20):
        model = candidate(trial, reference=trial == 0, sureness=0.9, clear=0.9)
        said = np.eye(CLASSES)[draws.integers(0, CLASSES, ROWS)]
        candidates.append(replace(model, evidence={**model.evidence, "source_probabilities": said}))
    found = decide(*candidates)
    assert found.pick is None
    assert found.groups == ()
    assert "teaches nothing" in found.reason
    assert set(found.values.values()) == {None}
    assert all("teaches nothing" in guards["source"] for guards in found.guards.values())


def test_a_rare_class_that_is_found_is_no_useless_source():
    """95 % right where 95 % are of one class: useless if it names only that, not if it finds half of the others."""
    labels = (np.arange(1000) < 50).astype(int)
    finds = np.where(np.arange(1000) % 40 == 0, 1 - labels, labels)
    assert (finds == labels).mean() < 0.98
    model = evidence(rows=1000, classes=2)
    for said, is_useless in ((labels * 0, True), (finds, False)):
        one = candidate(0, reference=True)
        seen = {**model, "source_labels": labels, "source_probabilities": np.eye(2)[said]}
        assert ("teaches nothing" in decide(replace(one, evidence=seen)).reason) is is_useless


def test_a_method_is_not_judged_by_the_score_that_it_drives_up():
    given = {"sureness": 1.0, "clear": 0.5}
    judged, own = candidate(1, **given), candidate(1, optimises=["infomax"], **given)
    others = (source_only(), candidate(2, sureness=0.7, clear=0.9))
    two = replace(RULE, members=("infomax", "mixval"))
    assert decide(judged, *others, rule=two).values[1] == 0.5
    found = decide(own, *others, rule=two)
    assert found.values[1] == 0.0
    assert found.values[2] == 1.0, "nor are the others measured against it by that score"
    better = decide(source_only(), candidate(1, sureness=1.0, clear=0.9, optimises=["infomax"]))
    assert better.pick == 1
    assert set(better.better) == {"mixval"}


def test_a_method_that_drives_up_every_member_cannot_be_judged():
    found = decide(source_only(), candidate(1, sureness=1.0, clear=1.0, optimises=WITNESSES))
    assert "no score can judge it" in found.guards[1]["finite"]
    assert found.pick == 0


def test_where_a_member_cannot_judge_a_model_is_as_good_as_source_only():
    """A tree is very sure and cannot mix; judged by InfoMax alone it would win every table."""
    tree, adapted = candidate(1, sureness=1.0, without=["mixval"]), candidate(2, sureness=0.8, clear=0.9)
    found = decide(source_only(), tree)
    assert found.guards[1]["finite"] == PASSED
    assert found.better == {"infomax": 1.0, "mixval": 0.0}
    assert (found.pick, found.fell_back) == (0, True)
    assert decide(source_only(), tree, adapted).pick == 2
    assert decide(tree, adapted).pick is not None


def test_ties_go_to_the_cheaper_model_and_then_to_the_earlier_trial():
    twins = [candidate(trial, sureness=0.9, clear=0.95, cost=cost) for trial, cost in ((1, 9.0), (2, 3.0), (3, 3.0))]
    found = decide(source_only(), *twins)
    assert found.pick == 2
    assert found.groups == ((2, 3, 1), (0,))


def test_of_a_tie_the_cheapest_that_beats_source_only_wins():
    cheap = candidate(1, sureness=0.9, clear=0.95, cost=1.0, scores={"mixval": 0.95})
    cheap = replace(
        cheap, evidence={**cheap.evidence, "mixed_probabilities": evidence(clear=0.6)["mixed_probabilities"]}
    )
    dear = candidate(2, sureness=0.9, clear=0.95, cost=9.0)
    found = decide(source_only(), cheap, dear)
    assert found.pick == 2


def test_every_witness_must_agree_and_source_accuracy_is_none():
    reference, better = source_only(source=0.9, apart=0.0), {"source": 0.85, "sureness": 0.9}
    assert decide(reference, candidate(1, clear=0.95, **better)).pick == 1
    assert decide(reference, candidate(1, clear=0.605, **better)).pick == 0
    most = replace(RULE, beaten_witnesses=0.5)
    assert decide(reference, candidate(1, clear=0.605, **better), rule=most).pick == 1


def test_a_witness_that_finds_both_the_same_is_silent():
    alike = candidate(1, sureness=0.9, clear=0.6)
    assert decide(source_only(clear=0.6), alike).better == {"infomax": 1.0}


def test_ties_help_no_model_whose_better_does_not_beat_source_only():
    """Many that nearly win are no evidence that one of them does."""
    reference = source_only(clear=0.6, sureness=0.5)
    best = candidate(1, clear=0.61, sureness=0.9, source=0.95, cost=9.0)
    tied = candidate(2, clear=0.70, sureness=0.8, source=0.90, cost=1.0)
    loose = replace(RULE, tie_level=1.0)
    assert decide(reference, tied, rule=loose).pick == 2
    assert decide(reference, best, tied, rule=loose).pick == 0


def test_scores_that_were_drawn_before_are_taken_as_they_are():
    pool = [source_only(), candidate(1, sureness=0.9, clear=0.95), candidate(2, sureness=0.6, clear=0.7)]
    drawn = {name: in_draws([each.evidence for each in pool], name, seed=0) for name in MEMBERS}
    before = [
        replace(each, drawn={name: values[place] for name, values in drawn.items()}) for place, each in enumerate(pool)
    ]
    assert decide(*before) == decide(*pool)


def test_the_same_candidates_in_any_order_give_the_same_verdict():
    pool = [source_only(), *(candidate(n, sureness=0.4 + 0.05 * n, clear=0.6 + 0.03 * n) for n in range(1, 7))]
    one, other = decide(*pool), decide(*reversed(pool))
    assert one == other


def test_trials_without_outputs_are_ranked_by_their_scores_but_cannot_beat_source_only():
    bare = [replace(each, evidence={}) for each in (source_only(), candidate(1, sureness=0.9, clear=0.95))]
    found = decide(*bare)
    assert found.values == {0: 0.25, 1: 0.75}
    assert (found.pick, found.fell_back) == (0, True)


@pytest.mark.parametrize(("rows", "classes"), [(3, 10), (1, 3), (600, 200)])
def test_few_rows_and_many_classes(rows, classes):
    pool = [candidate(n, reference=n == 0, rows=rows, classes=classes, sureness=0.5 + 0.1 * n) for n in range(3)]
    found = decide(*pool)
    assert found.pick is not None or "teaches nothing" in found.reason


def test_percentile_ranks_by_hand():
    values = np.array([[3.0, math.nan], [1.0, 5.0], [3.0, math.nan], [math.nan, math.nan]])
    expected = np.array([[0.75, math.nan], [0.0, 1.0], [0.75, math.nan], [math.nan, math.nan]])
    np.testing.assert_array_equal(percentile_ranks(values), expected)


def test_the_noise_of_a_score_shrinks_with_the_examples():
    few, many = (deviations(evidence(rows=rows), seed=0) for rows in (100, 10_000))
    assert set(few) == {f"{name}_deviation" for name in MEMBERS}
    for name in ("infomax_deviation", "mixval_deviation", "source_accuracy_deviation"):
        assert few[name] > 5 * many[name] > 0
    assert few["mixval_deviation"] == pytest.approx(math.sqrt(0.8 * 0.2 / 100), rel=0.25)


def test_classes_are_counted_where_they_are_favoured():
    assert classes_predicted(evidence()) == CLASSES
    assert classes_predicted(evidence(said=np.zeros(ROWS, dtype=int))) == 1


def source_free(found, *, shares=None, changed=0.0):
    """The same candidate where the source's examples are not here: only its class shares are known."""
    kept = {name: value for name, value in found.evidence.items() if not name.startswith("source_")}
    kept["source_shares"] = np.full(CLASSES, 1 / CLASSES) if shares is None else np.asarray(shares)
    scores = {name: value for name, value in found.scores.items() if name != "source_accuracy"} | {CHANGED: changed}
    return replace(found, evidence=kept, scores=scores)


def test_without_a_source_example_changes_stand_for_source_accuracy():
    found = decide(
        source_free(source_only()),
        source_free(candidate(1, sureness=0.9, clear=0.95), changed=0.51),
        source_free(candidate(2, sureness=0.8, clear=0.9), changed=0.5),
    )
    assert found.pick == 2
    assert found.guards[1]["changes"] == "changed 51 % of the predictions of the model that it started from"
    assert all(words == PASSED for words in found.guards[2].values())
    assert found.rejected == (1,)


def test_a_model_that_started_from_none_may_change_what_it_likes():
    found = decide(source_only(), candidate(1, sureness=0.9, clear=0.95))
    assert found.guards[1]["changes"] == PASSED


def test_class_shares_of_a_source_that_is_not_here_explain_predictions():
    most = np.zeros(ROWS, dtype=int)
    most[: CLASSES * 3] = np.arange(CLASSES * 3) % CLASSES
    one = candidate(1, sureness=0.9, clear=0.95, said=most)
    even = decide(source_free(source_only()), source_free(one))
    assert "shares can explain" in even.guards[1]["class_shares"]
    uneven = decide(source_free(source_only(), shares=[0.94, 0.02, 0.02, 0.02]), source_free(one))
    assert uneven.guards[1]["class_shares"] == PASSED


def test_mixval_compares_only_models_that_were_mixed_at_the_same_place():
    """A linear network reads every mixture well, so it must not keep a deeper one from winning."""
    frozen = source_only(clear=0.99, apart=1.0, mixed_at="the features")
    deep = {"sureness": 0.9, "clear": 0.7}
    apart = judge([frozen, candidate(1, mixed_at="a layer", **deep)], seed=0)
    together = judge([frozen, candidate(1, mixed_at="the features", **deep)], seed=0)
    assert (apart.pick, together.pick) == (1, 0)
    assert "mixval" in together.better
    assert "mixval" not in apart.better


def test_a_trial_that_cannot_be_mixed_is_ranked_beside_source_only():
    frozen = source_only(mixed_at="the features")
    tree = candidate(1, without=("mixval", "mixval_same"), mixed_at="nowhere")
    verdict = judge([frozen, tree, candidate(2, mixed_at="the features")], seed=0)
    assert all(math.isfinite(value) for value in verdict.values.values())
