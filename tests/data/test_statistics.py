"""Statistics add up over houses, follow linear maps, and tell what the examples would."""

import numpy as np
import pytest

from autotl.data.statistics import Statistics


def labelled(seed=0, *, rows=90, width=5, classes=3):
    draws = np.random.default_rng(seed)
    features = draws.normal(2.0, 1.0, (rows, width)) @ draws.normal(size=(width, width))
    return features.astype(np.float32), draws.permutation(np.arange(rows) % classes)


def equal(one, other):
    for name in ("counts", "sums", "products"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=1e-10, atol=1e-8)


def test_two_houses_added_are_the_pooled_one():
    (ours, our_labels), (theirs, their_labels) = labelled(0), labelled(1, rows=40)
    both = Statistics.of(ours, our_labels, classes=3) + Statistics.of(theirs, their_labels, classes=3)
    pooled = Statistics.of(np.concatenate([ours, theirs]), np.concatenate([our_labels, their_labels]), classes=3)
    equal(both, pooled)


def test_mapped_statistics_are_those_of_mapped_features():
    features, labels = labelled()
    draws = np.random.default_rng(3)
    matrix, offset = draws.normal(size=(5, 5)), draws.normal(size=5)
    mapped = Statistics.of(features.astype(np.float64) @ matrix + offset, labels, classes=3)
    equal(Statistics.of(features, labels, classes=3).mapped(matrix, offset), mapped)


def test_means_shares_and_spreads_are_numpys():
    features, labels = labelled()
    exact = features.astype(np.float64)
    found = Statistics.of(features, labels, classes=3)
    np.testing.assert_allclose(found.mean, exact.mean(axis=0))
    np.testing.assert_allclose(found.scatter / 89, np.cov(exact, rowvar=False), rtol=1e-9)
    np.testing.assert_allclose(found.class_means, [exact[labels == label].mean(axis=0) for label in range(3)])
    np.testing.assert_allclose(found.shares, np.bincount(labels) / 90)
    centred = exact - found.class_means[labels]
    np.testing.assert_allclose(found.within, centred.T @ centred / 90, rtol=1e-9, atol=1e-9)


def test_a_class_without_examples_has_the_overall_mean_and_changes_nothing():
    features, labels = labelled()
    found = Statistics.of(features, labels, classes=3)
    wider = found.of_classes([2, None, 0, 1])
    assert wider.counts.tolist() == [found.counts[2], 0, *found.counts[:2]]
    np.testing.assert_allclose(wider.class_means[1], found.mean)
    np.testing.assert_allclose(wider.within, found.within, rtol=1e-9, atol=1e-9)


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="do not fit"):
        Statistics(np.zeros(2), np.zeros((3, 4)), np.zeros((4, 4)))
