"""Label-free scores: a contract for every entry of the table, and what each is blind to."""

import math
from typing import get_args

import numpy as np
import pytest

from autotl.scoring import LABEL_FREE_SCORES
from autotl.scoring.label_free import Reading, scores_at_hand

TARGET = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4]])
EVIDENCE = {
    "target_probabilities": TARGET,
    "source_probabilities": np.array([[0.9, 0.1, 0.0], [0.2, 0.5, 0.3], [0.6, 0.2, 0.2], [0.1, 0.1, 0.8]]),
    "source_labels": np.array([0, 1, 2, 2]),
}


@pytest.mark.parametrize("name", LABEL_FREE_SCORES)
def test_every_score_declares_what_it_reads_and_reads_no_more(name):
    score = LABEL_FREE_SCORES[name]
    assert score.name == name
    assert set(score.reads) <= set(get_args(Reading))
    assert score.blind_to
    assert math.isfinite(score({reading: EVIDENCE[reading] for reading in score.reads}))


def test_no_score_can_be_given_target_labels():
    assert not [reading for reading in get_args(Reading) if "target" in reading and "label" in reading]


def test_only_source_accuracy_ranks_in_this_version():
    assert [name for name, score in LABEL_FREE_SCORES.items() if score.ranks] == ["source_accuracy"]


def test_scores_whose_readings_are_missing_are_left_out():
    assert set(scores_at_hand(LABEL_FREE_SCORES, EVIDENCE)) == {"source_accuracy", "entropy", "infomax"}
    assert set(scores_at_hand(LABEL_FREE_SCORES, {"target_probabilities": TARGET})) == {"entropy", "infomax"}


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
    assert math.isnan(LABEL_FREE_SCORES["entropy"](empty))
