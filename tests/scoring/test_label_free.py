"""Label-free scores: a contract for every entry of the table, and what each is blind to."""

import math
from typing import get_args

import numpy as np
import pytest

from autotl.scoring import LABEL_FREE_SCORES
from autotl.scoring.label_free import Reading, scores_at_hand
from autotl.scoring.mixval import mix_partners

TARGET = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4]])
EVIDENCE = {
    "target_probabilities": TARGET,
    "target_features": np.array([[0.0, 1.0], [5.0, 1.0], [0.5, 0.0]]),
    "mixed_probabilities": TARGET[[0, 2, 2]],
    "mix_partners": np.array([1, 2, 0]),
    "source_probabilities": np.array([[0.9, 0.1, 0.0], [0.2, 0.5, 0.3], [0.6, 0.2, 0.2], [0.1, 0.1, 0.8]]),
    "source_labels": np.array([0, 1, 2, 2]),
}


def a_model(*, rows, classes, sureness, seed=0):
    """What a model says of noise: no number of rows or classes is special."""
    draws = np.random.default_rng(seed)

    def said(count):
        powers = np.exp(sureness * draws.normal(size=(count, classes)))
        return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)

    return {
        "target_probabilities": said(rows),
        "target_features": draws.normal(size=(rows, 80)).astype(np.float32),
        "mixed_probabilities": said(rows),
        "mix_partners": mix_partners(rows, seed),
        "source_probabilities": said(50),
        "source_labels": draws.integers(0, classes, 50),
    }


@pytest.mark.parametrize("name", LABEL_FREE_SCORES)
def test_every_score_declares_what_it_reads_and_reads_no_more(name):
    score = LABEL_FREE_SCORES[name]
    assert score.name == name
    assert set(score.reads) <= set(get_args(Reading))
    assert score.blind_to
    evidence = a_model(rows=60, classes=3, sureness=2.0)
    assert math.isfinite(score({reading: evidence[reading] for reading in score.reads}))


def test_no_score_can_be_given_target_labels():
    assert not [reading for reading in get_args(Reading) if "target" in reading and "label" in reading]


def test_scores_that_a_collapsed_model_wins_do_not_rank():
    assert [name for name, score in LABEL_FREE_SCORES.items() if not score.ranks] == ["entropy", "mixval_same"]


@pytest.mark.parametrize("name", [name for name, score in LABEL_FREE_SCORES.items() if score.of_draws])
def test_draws_that_count_every_example_once_give_the_score_itself(name):
    evidence = a_model(rows=120, classes=4, sureness=2.0)
    score = LABEL_FREE_SCORES[name]
    rows = len(evidence["source_labels"] if score.reads_source else evidence["target_probabilities"])
    values = score.of_draws(*score.readings(evidence))(np.stack([np.ones(rows), np.full(rows, 3.0)]))
    assert values == pytest.approx([score(evidence)] * 2)


@pytest.mark.parametrize("name", LABEL_FREE_SCORES)
@pytest.mark.parametrize(
    ("rows", "classes"), [(1, 3), (2, 3), (5, 10), (60, 200), (300, 200), (40, 2)], ids=lambda value: str(value)
)
def test_no_size_of_target_breaks_a_score(name, rows, classes):
    score = LABEL_FREE_SCORES[name]
    evidence = a_model(rows=rows, classes=classes, sureness=1.0)
    value = score(evidence)
    assert math.isnan(value) or -10 < value < 10
    if score.of_draws is not None and not score.reads_source:
        values = score.of_draws(*score.readings(evidence))(np.ones((2, rows)))
        np.testing.assert_allclose(values, value, atol=1e-6)


@pytest.mark.parametrize("name", LABEL_FREE_SCORES)
def test_one_class_predicted_is_no_error_and_wins_nothing_that_ranks(name):
    score = LABEL_FREE_SCORES[name]
    evidence = a_model(rows=30, classes=3, sureness=2.0)
    collapsed = {"target_probabilities": np.tile([1.0, 0.0, 0.0], (30, 1))}
    value = score({**evidence, **collapsed, "mixed_probabilities": collapsed["target_probabilities"]})
    if score.ranks and not score.reads_source:
        assert math.isnan(value) or value < score(evidence)


@pytest.mark.parametrize("name", [name for name, score in LABEL_FREE_SCORES.items() if not score.reads_source])
def test_probabilities_that_are_no_numbers_give_a_score_that_is_none(name):
    evidence = a_model(rows=30, classes=3, sureness=2.0)
    broken = np.full((30, 3), math.nan)
    assert math.isnan(LABEL_FREE_SCORES[name]({**evidence, "target_probabilities": broken}))


def test_scores_whose_readings_are_missing_are_left_out():
    assert set(scores_at_hand(LABEL_FREE_SCORES, EVIDENCE)) == set(LABEL_FREE_SCORES)
    assert set(scores_at_hand(LABEL_FREE_SCORES, {"target_probabilities": TARGET})) == {"entropy", "infomax", "bnm"}


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
