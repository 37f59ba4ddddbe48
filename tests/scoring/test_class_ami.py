"""ClassAMI: classes that are clusters score, whatever they are called; a collapse scores nothing."""

import math

import numpy as np
import pytest
from sklearn.metrics import adjusted_mutual_info_score

import autotl.scoring.class_ami as scoring
from autotl.scoring.components import MOST_ROWS, on_axes, principal_axes


def blobs(rows=300, classes=3, width=100, apart=8.0, seed=0):
    draws = np.random.default_rng(seed)
    labels = np.arange(rows) % classes
    centres = apart * np.linalg.qr(draws.normal(size=(width, classes)))[0].T
    return (centres[labels] + draws.normal(size=(rows, width))).astype(np.float32), labels


def class_ami(features, said):
    return scoring.class_ami(on_axes(features, principal_axes(features)), said)


def class_ami_of_draws(features, said):
    return scoring.class_ami_of_draws(on_axes(features, principal_axes(features)), said)


def test_classes_that_are_clusters_score_one_under_any_name():
    features, labels = blobs()
    assert class_ami(features, np.eye(3)[labels]) == pytest.approx(1.0)
    assert class_ami(features, np.eye(3)[(labels + 1) % 3]) == pytest.approx(1.0)


def test_classes_that_have_nothing_to_do_with_the_features_score_about_zero():
    features, labels = blobs(apart=0.0, width=5)
    guesses = np.random.default_rng(1).permutation(labels)
    assert class_ami(features, np.eye(3)[guesses]) < 0.3
    assert abs(class_ami(blobs()[0], np.eye(3)[guesses])) < 0.3


def test_the_more_mistakes_the_lower():
    features, labels = blobs()
    scores = []
    for wrong in (0, 30, 90):
        said = labels.copy()
        said[:wrong] = (said[:wrong] + 1) % 3
        scores.append(class_ami(features, np.eye(3)[said]))
        assert scores[-1] == pytest.approx(adjusted_mutual_info_score(labels, said), abs=1e-6)
    assert scores == sorted(scores, reverse=True)


def test_where_agreement_is_no_evidence_there_is_none():
    features, _ = blobs(rows=20)
    assert class_ami(features, np.eye(3)[np.zeros(20, dtype=int)]) == 0.0
    assert class_ami(features, np.eye(20)) == 0.0  # each example a class of its own
    assert class_ami_of_draws(features, np.eye(20))(np.ones((2, 20))).tolist() == [0.0, 0.0]


def test_features_that_are_missing_or_no_numbers_give_no_score():
    features, labels = blobs(rows=20)
    said = np.eye(3)[labels]
    assert math.isnan(class_ami(features[:0], said))
    assert math.isnan(class_ami(features[:, :0], said)), "as of a tree"
    assert math.isnan(class_ami(np.full_like(features, math.nan), said))
    assert np.isnan(class_ami_of_draws(features[:0], said)(np.ones((2, 20)))).all()


def test_features_without_spread_are_no_error():
    assert class_ami(np.ones((30, 100), dtype=np.float32), np.eye(3)[np.arange(30) % 3]) == pytest.approx(0, abs=0.1)


def test_a_large_target_is_sampled():
    features, labels = blobs(rows=2 * MOST_ROWS + 1, width=4)
    said = np.eye(3)[labels]
    assert class_ami(features, said) > 0.95
    draws = class_ami_of_draws(features, said)(np.ones((1, len(said))))
    assert draws == pytest.approx([class_ami(features, said)])


def test_the_same_evidence_gives_the_same_score():
    features, labels = blobs(apart=2.0)
    said = np.eye(3)[labels]
    assert class_ami(features, said) == class_ami(features, said)
