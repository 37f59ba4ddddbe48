"""A broken model is kept out, whatever it scores; source-only never is."""

from dataclasses import replace

import numpy as np
import pytest
from pretend_models import CLASSES, ROWS, broken, candidate, evidence, named, source_only

from autotl.scoring.candidates import CHANGED
from autotl.scoring.committee import judge
from autotl.scoring.guards import PASSED, classes_predicted


def decide(*candidates, **more):
    return judge(candidates, seed=0, **more)


def test_a_collapse_is_rejected_however_sure():
    found = decide(
        source_only(), candidate(1, sureness=1.0, clear=1.0, said=np.zeros(ROWS, dtype=int)), candidate(2, wrong=0.1)
    )
    assert found.pick == 2
    assert found.values[1] is None
    assert found.guards[1]["classes"] == f"names 1 of {CLASSES} classes on the target"
    assert "class_shares" in found.guards[1]
    assert found.rejected == (1,)


def test_a_class_that_source_only_names_may_not_be_lost():
    found = decide(source_only(), candidate(1, said=np.where(named(0.0) == 3, 2, named(0.0))))
    assert found.guards[1]["classes"] == f"names 3 of {CLASSES} classes on the target, source-only names them all"


def test_a_collapse_that_still_names_every_class_once_is_rejected_too():
    said = np.zeros(ROWS, dtype=int)
    said[:3] = [1, 2, 3]
    found = decide(source_only(), candidate(1, sureness=1.0, clear=1.0, said=said))
    assert found.guards[1]["classes"] == PASSED
    assert "classes' shares" in found.guards[1]["class_shares"]
    assert found.pick == 0


def test_class_shares_that_the_source_explains_are_no_collapse_where_source_only_is_a_poor_guide():
    skewed = np.where(np.arange(ROWS) < 0.8 * ROWS, 0, np.arange(ROWS) % CLASSES)
    found = decide(source_only(said=skewed), candidate(1))
    assert found.guards[1]["class_shares"] == PASSED
    assert found.pick == 1


def test_a_model_that_forgot_the_source_is_rejected():
    found = decide(source_only(source=0.9), candidate(1, source=0.79), candidate(2, source=0.81))
    assert "0.79" in found.guards[1]["source_accuracy"]
    assert found.guards[2]["source_accuracy"] == PASSED
    assert found.rejected == (1,)


def test_source_only_is_never_rejected():
    found = decide(source_only(source=0.5), candidate(1, source=0.95))
    assert all(words == PASSED for words in found.guards[0].values())
    assert 0 not in found.rejected


def test_a_score_that_is_no_number_rejects():
    found = decide(source_only(), broken(1), candidate(2, wrong=0.1))
    assert found.guards[1]["finite"] == "infomax cannot be computed for it"
    assert found.pick == 2


def test_a_score_that_its_own_training_drives_up_says_nothing_even_where_it_is_no_number():
    found = decide(source_only(), broken(1, optimises=["infomax"]))
    assert found.guards[1]["finite"] == PASSED


def test_predictions_that_are_no_numbers_reject():
    one = candidate(1, wrong=0.05)
    said = one.evidence["target_probabilities"].copy()
    said[0, 0] = np.nan
    found = decide(source_only(), replace(one, evidence={**one.evidence, "target_probabilities": said}))
    assert found.guards[1]["finite"] == "its predictions on the target are no numbers"
    assert found.pick == 0


def test_one_class_predicted_is_rejected_even_where_source_only_names_few():
    few = np.arange(ROWS) % 2
    found = decide(source_only(said=few), candidate(1, said=np.zeros(ROWS, dtype=int), sureness=1.0))
    assert "names 1 of" in found.guards[1]["classes"]
    assert found.pick == 0


@pytest.mark.parametrize("seed", range(3))
def test_a_source_whose_labels_are_shuffled_names_no_winner(seed):
    draws = np.random.default_rng(seed)
    candidates = []
    for trial in range(20):
        model = candidate(trial, reference=trial == 0, wrong=0.1)
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
        source_free(candidate(1, wrong=0.05), changed=0.51),
        source_free(candidate(2, wrong=0.1), changed=0.5),
    )
    assert found.pick == 2
    assert found.guards[1]["changes"] == "changed 51 % of the predictions of the model that it started from"
    assert all(words == PASSED for words in found.guards[2].values())
    assert found.rejected == (1,)


def test_a_model_that_started_from_none_may_change_what_it_likes():
    found = decide(source_only(), candidate(1, wrong=0.05))
    assert found.guards[1]["changes"] == PASSED


def test_class_shares_of_a_source_that_is_not_here_explain_predictions():
    most = np.zeros(ROWS, dtype=int)
    most[: CLASSES * 3] = np.arange(CLASSES * 3) % CLASSES
    one = candidate(1, sureness=0.9, said=most)
    even = decide(source_free(source_only(wrong=0.0)), source_free(one))
    assert "shares can explain" in even.guards[1]["class_shares"]
    uneven = decide(source_free(source_only(), shares=[0.94, 0.02, 0.02, 0.02]), source_free(one))
    assert uneven.guards[1]["class_shares"] == PASSED


@pytest.mark.parametrize(("right", "is_useless"), [(0.26, True), (0.6, False)])
def test_a_source_of_which_only_sums_are_here_can_be_useless_too(right, is_useless):
    """What is expected on held-out examples stands for what was counted."""
    each = 50.0
    confusion = np.full((CLASSES, CLASSES), each * (1 - right) / (CLASSES - 1))
    np.fill_diagonal(confusion, each * right)
    one = source_only(source=right)
    readings = {
        name: value for name, value in one.evidence.items() if name not in ("source_labels", "source_probabilities")
    }
    seen = {**readings, "source_confusion": confusion, "source_shares": np.full(CLASSES, 1 / CLASSES)}
    assert ("teaches nothing" in decide(replace(one, evidence=seen)).reason) is is_useless
