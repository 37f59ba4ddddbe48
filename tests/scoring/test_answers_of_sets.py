"""What is done with answers of several labels: kept, calibrated, decided, compared."""

import numpy as np
import pytest

from autotl.scoring.answers import ANSWERS
from autotl.scoring.label_sets import said_sets

OF_SETS = ANSWERS["multilabel"]


def answers(*, n=2_000, seed=0, sharpened=3.0):
    """Sets, and the true probabilities of their labels with odds that are too sure by a power."""
    draws = np.random.default_rng(seed)
    logits = draws.normal(size=(n, 3)) - 1.0
    sets = (draws.random((n, 3)) < 1 / (1 + np.exp(-logits))).astype(np.int64)
    return sets, (1 / (1 + np.exp(-sharpened * logits))).astype(np.float32), 1 / (1 + np.exp(-logits))


def test_one_temperature_makes_all_labels_as_sure_as_they_may_be():
    sets, said, true = answers()
    found = OF_SETS.calibration(sets, said)
    assert found["temperature"] == pytest.approx(3.0, rel=0.15)
    assert OF_SETS.shipped(said, 3.0) == pytest.approx(true, abs=1e-3)
    assert found["error_after"] < found["error_before"]


def test_thresholds_are_for_answers_as_they_ship():
    sets, said, _ = answers()
    found = OF_SETS.calibration(sets, said)
    shipped = OF_SETS.shipped(said, found["temperature"])
    decided = said_sets(shipped, found["thresholds"])
    f1 = 2 * (decided & sets).sum(axis=0) / (decided.sum(axis=0) + sets.sum(axis=0))
    at_even_odds = said_sets(shipped, (0.5, 0.5, 0.5))
    plain = 2 * (at_even_odds & sets).sum(axis=0) / (at_even_odds.sum(axis=0) + sets.sum(axis=0))
    assert (f1 >= plain).all()
    assert (f1 > plain + 0.02).any()


def test_answers_to_unknown_labels_do_not_calibrate():
    sets, said, _ = answers(n=500)
    unknown = np.full((100, 3), -1)
    more = np.concatenate([said, np.random.default_rng(1).random((100, 3)).astype(np.float32)])
    assert OF_SETS.calibration(np.concatenate([sets, unknown]), more) == OF_SETS.calibration(sets, said)
    assert OF_SETS.calibration(unknown, more[:100])["temperature"] == 1.0


def test_what_is_kept_need_not_add_up():
    _, said, _ = answers(n=50)
    assert OF_SETS.restored(OF_SETS.stored(said)) == pytest.approx(said, abs=1e-3)


def test_models_agree_where_they_say_the_same_set():
    first = np.array([[0.9, 0.1], [0.4, 0.6], [0.2, 0.2]])
    second = np.array([[0.6, 0.4], [0.6, 0.6], [0.1, 0.3]])
    assert OF_SETS.agreement(first, second) == pytest.approx(2 / 3)
    assert OF_SETS.agreement(first, first) == 1.0
    assert OF_SETS.confusion(np.zeros((3, 2)), first, 2) is None
