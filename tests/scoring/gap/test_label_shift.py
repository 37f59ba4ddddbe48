"""Label shift between domains."""

import numpy as np
import pytest
from gap_domains import clusters

from autotl.scoring.gap.label_shift import LARGEST_CONDITION, label_shift
from autotl.scoring.gap.probe import Probe


def shift_of(target, *, apart=4.0, classes=3):
    source, labels = clusters(0, apart=apart)
    return label_shift(Probe.fit(source, labels, target, classes=classes))


def test_skewed_shares_are_found_with_an_interval_around_them():
    target, labels = clusters(1, rows=500, shares=(0.7, 0.2, 0.1))
    true = np.bincount(labels) / len(labels)
    found = shift_of(target)
    assert found.can_be_told
    np.testing.assert_allclose(found.target, true, atol=0.04)
    np.testing.assert_allclose(found.black_box, true, atol=0.05)
    assert found.low is not None
    assert found.high is not None
    assert (found.low <= found.target).all()
    assert (found.target <= found.high).all()
    assert found.total_variation == pytest.approx(np.abs(found.source - found.target).sum() / 2)


def test_equal_shares_stay_equal():
    assert shift_of(clusters(0)[0]).total_variation < 0.03


def test_classes_that_look_alike_cannot_be_told():
    assert not shift_of(clusters(1)[0], apart=0.0).can_be_told


def test_the_condition_is_numpys():
    source, labels = clusters(0, apart=2.0)
    probe = Probe.fit(source, labels, source, classes=3)
    said = probe.source.argmax(axis=1)
    rows = np.array([[np.mean(said[labels == i] == j) for j in range(3)] for i in range(3)])
    found = label_shift(probe)
    assert found.condition == pytest.approx(np.linalg.cond(rows))
    assert 1 <= found.condition < LARGEST_CONDITION
