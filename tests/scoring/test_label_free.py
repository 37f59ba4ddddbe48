"""Label-free scores: a contract for every entry of the table, and what each is blind to."""

import math
from typing import get_args

import numpy as np
import pytest

from autotl.scoring import ESTIMATORS, LABEL_FREE_SCORES
from autotl.scoring.components import COMPONENTS, MOST_ROWS
from autotl.scoring.label_free import DERIVED, Reading, derivable, scores_at_hand
from autotl.scoring.mixval import mix_partners

ALL = {**LABEL_FREE_SCORES, **ESTIMATORS}
TARGET = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4]])
EVIDENCE = {
    "target_probabilities": TARGET,
    "target_features": np.array([[0.0, 1.0], [5.0, 1.0], [0.5, 0.0]]),
    "mixed_probabilities": TARGET[[0, 2, 2]],
    "mix_partners": np.array([1, 2, 0]),
    "source_probabilities": np.array([[0.9, 0.1, 0.0], [0.2, 0.5, 0.3], [0.6, 0.2, 0.2], [0.1, 0.1, 0.8]]),
    "source_labels": np.array([0, 1, 2, 2]),
    "source_features": np.array([[0.0, 0.5], [4.0, 1.0], [1.0, 0.0], [0.5, 2.0]]),
    "classifier_weights": np.array([[1.0, 0.0, -1.0], [0.0, 1.0, -1.0]]),
    "pool_probabilities": TARGET[[0, 1, 1]],
}


def a_model(*, rows, classes, sureness, seed=0, width=80, source_rows=50):
    """What a model says of noise: no number of rows or classes is special."""
    draws = np.random.default_rng(seed)

    def said(count):
        powers = np.exp(sureness * draws.normal(size=(count, classes)))
        return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)

    own = said(rows)
    return {
        "target_probabilities": own,
        "target_features": draws.normal(size=(rows, width)).astype(np.float32),
        "mixed_probabilities": said(rows),
        "mix_partners": mix_partners(rows, seed),
        "source_probabilities": said(source_rows),
        "source_labels": draws.integers(0, classes, source_rows),
        "source_features": draws.normal(size=(source_rows, width)).astype(np.float32),
        "classifier_weights": draws.normal(size=(width, classes)).astype(np.float32),
        "pool_probabilities": (own + said(rows)) / 2,
    }


def needed(score):
    """The floating readings of a model that a score is computed from; labels and partners are whole numbers."""
    found = list(score.reads)
    while any(name in DERIVED for name in found):
        found = [each for name in found for each in (DERIVED[name][0] if name in DERIVED else [name])]
    return sorted(set(found) - {"source_labels", "mix_partners"})


def in_another_order(evidence, seed=1):
    """The same model's evidence, its examples shuffled."""
    draws = np.random.default_rng(seed)
    target, source = (draws.permutation(len(evidence[name])) for name in ("mix_partners", "source_labels"))
    places = np.argsort(target)
    shuffled = {
        name: array[source] if name.startswith("source") else array[target]
        for name, array in evidence.items()
        if name != "classifier_weights"
    }
    partners = places[evidence["mix_partners"]][target]
    return {**shuffled, "mix_partners": partners, "classifier_weights": evidence["classifier_weights"]}


@pytest.mark.parametrize("name", ALL)
def test_every_score_declares_what_it_reads_and_reads_no_more(name):
    score = ALL[name]
    assert score.name == name
    assert set(score.reads) <= set(get_args(Reading))
    assert score.blind_to
    evidence = derivable(a_model(rows=60, classes=3, sureness=2.0))
    assert math.isfinite(score({reading: evidence[reading] for reading in score.reads}))


@pytest.mark.parametrize("name", set(ALL) - {"source_accuracy"})
def test_every_score_names_its_paper(name):
    assert ALL[name].paper


@pytest.mark.parametrize("name", ALL)
def test_the_order_of_the_examples_decides_nothing(name):
    evidence = a_model(rows=200, classes=4, sureness=2.0, width=COMPONENTS)
    assert ALL[name](in_another_order(evidence)) == pytest.approx(ALL[name](evidence), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("name", ALL)
def test_a_large_target_and_a_large_source_are_sampled_the_same_way_each_time(name):
    score = ALL[name]
    evidence = a_model(rows=2 * MOST_ROWS, classes=4, sureness=1.0, width=8, source_rows=2 * MOST_ROWS)
    value = score(evidence)
    assert math.isfinite(value)
    assert score(evidence) == value


def test_what_several_scores_derive_is_computed_once():
    evidence = derivable(a_model(rows=100, classes=3, sureness=2.0))
    assert derivable(evidence) is evidence
    assert all(evidence[name] is evidence[name] for name in DERIVED)
    assert evidence["target_components"].shape == (100, COMPONENTS)


def test_what_follows_from_a_missing_reading_is_missing():
    evidence = derivable({"target_features": np.ones((3, 2))})
    assert "target_components" in evidence
    assert "source_components" not in evidence
    assert list(evidence) == ["target_features"], "it says what was given"
    with pytest.raises(KeyError):
        evidence["source_log_importance"]


def test_no_score_can_be_given_target_labels():
    assert not [reading for reading in get_args(Reading) if "target" in reading and "label" in reading]


def test_scores_that_a_collapsed_model_wins_do_not_rank():
    assert [name for name, score in LABEL_FREE_SCORES.items() if not score.ranks] == ["entropy", "mixval_same", "snd"]


@pytest.mark.parametrize("name", [name for name, score in LABEL_FREE_SCORES.items() if score.of_draws])
def test_draws_that_count_every_example_once_give_the_score_itself(name):
    evidence = a_model(rows=120, classes=4, sureness=2.0)
    score = LABEL_FREE_SCORES[name]
    rows = len(evidence["source_labels"] if score.reads_source else evidence["target_probabilities"])
    values = score.of_draws(*score.readings(evidence))(np.stack([np.ones(rows), np.full(rows, 3.0)]))
    assert values == pytest.approx([score(evidence)] * 2)


# by score the sizes at which it has nothing to go by: no neighbour, or no two examples read differently, or alike
UNTOLD = {"mixval": (1, 2), "mixval_same": (1, 5, 60, 300), "snd": (1, 2), "transfer_score": (1,)}


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize(
    ("rows", "classes"), [(1, 3), (2, 3), (5, 10), (60, 200), (300, 200), (40, 2)], ids=lambda value: str(value)
)
def test_no_size_of_target_breaks_a_score(name, rows, classes):
    score = ALL[name]
    evidence = a_model(rows=rows, classes=classes, sureness=1.0)
    value = score(evidence)
    assert math.isnan(value) if rows in UNTOLD.get(name, ()) else -10 < value < 10
    if score.of_draws is not None and not score.reads_source:
        values = score.of_draws(*score.readings(evidence))(np.ones((2, rows)))
        np.testing.assert_allclose(values, value, atol=1e-6)


@pytest.mark.parametrize("name", ALL)
def test_one_class_predicted_is_no_error_and_wins_nothing_that_ranks(name):
    score = ALL[name]
    evidence = a_model(rows=30, classes=3, sureness=2.0)
    collapsed = {"target_probabilities": np.tile([1.0, 0.0, 0.0], (30, 1))}
    value = score({**evidence, **collapsed, "mixed_probabilities": collapsed["target_probabilities"]})
    if name == "mixval":  # no two examples are read differently, so no mixture tells anything
        assert math.isnan(value)
    elif score.ranks and not score.reads_source:
        assert value < score(evidence)


@pytest.mark.parametrize(
    ("reading", "name"),
    [(reading, name) for name, score in ALL.items() if name != "source_accuracy" for reading in needed(score)],
)
def test_readings_that_are_no_numbers_give_a_score_that_is_none(reading, name):
    evidence = a_model(rows=30, classes=3, sureness=2.0)
    assert math.isnan(ALL[name]({**evidence, reading: np.full_like(evidence[reading], math.nan)}))


def test_scores_whose_readings_are_missing_are_left_out():
    assert set(scores_at_hand(ALL, EVIDENCE)) == set(ALL)
    of_target = {"entropy", "infomax", "bnm", "snd"}
    assert set(scores_at_hand(ALL, {"target_probabilities": TARGET})) == of_target
    without_source = {name: array for name, array in EVIDENCE.items() if not name.startswith("source")}
    more = {"class_ami", "mixval", "mixval_same", "transfer_score", "ensv"}
    assert set(scores_at_hand(ALL, without_source)) == of_target | more
    trees = {name: array for name, array in EVIDENCE.items() if name != "classifier_weights"}
    assert set(ALL) - set(scores_at_hand(ALL, trees)) == {"transfer_score"}


def test_source_accuracy_is_the_share_read_right():
    assert LABEL_FREE_SCORES["source_accuracy"](EVIDENCE) == 0.75


def test_entropy_by_hand_and_zero_at_certainty():
    expected = np.mean([sum(p * math.log(p) for p in row) for row in TARGET])
    assert LABEL_FREE_SCORES["entropy"](EVIDENCE) == pytest.approx(expected)
    assert LABEL_FREE_SCORES["entropy"]({"target_probabilities": np.eye(3)}) == 0.0


def test_entropy_prefers_a_collapsed_model_and_infomax_does_not():
    collapsed = {"target_probabilities": np.tile([1.0, 0.0, 0.0], (6, 1))}
    spread = {"target_probabilities": np.tile(0.94 * np.eye(3) + 0.02, (2, 1))}
    entropy, infomax = LABEL_FREE_SCORES["entropy"], LABEL_FREE_SCORES["infomax"]
    assert entropy(collapsed) > entropy(spread)
    assert infomax(collapsed) == pytest.approx(0.0)
    assert infomax(collapsed) < infomax(spread) < math.log(3)


def test_without_examples_there_is_no_score():
    empty = {"target_probabilities": TARGET[:0]}
    assert all(math.isnan(LABEL_FREE_SCORES[name](empty)) for name in ("entropy", "infomax", "bnm"))
