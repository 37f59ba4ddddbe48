"""Reverse validation: what the target's predicted labels teach must read the source."""

import math

import numpy as np
import pytest

from autotl.scoring.reverse_validation import SHRINKAGE, reverse_validation


def by_hand(target, said, source, labels):
    """A linear discriminant with equal priors, a class and an example at a time."""
    classes = sorted(set(said.argmax(axis=1).tolist()))
    means = {label: target[said.argmax(axis=1) == label].mean(axis=0) for label in classes}
    width = target.shape[1]
    spread = np.zeros((width, width))
    for point, label in zip(target, said.argmax(axis=1).tolist(), strict=True):
        spread += np.outer(point - means[label], point - means[label]) / len(target)
    spread = (1 - SHRINKAGE) * spread + SHRINKAGE * np.trace(spread) / width * np.eye(width)
    inverse = np.linalg.inv(spread)
    right = 0
    for point, label in zip(source, labels, strict=True):
        distances = {each: (point - mean) @ inverse @ (point - mean) for each, mean in means.items()}
        right += min(distances, key=distances.__getitem__) == label
    return right / len(labels)


def domains(rows=200, classes=4, width=6, apart=4.0, shift=0.0, seed=0):
    draws = np.random.default_rng(seed)
    centres = apart * draws.normal(size=(classes, width))
    labels = [draws.integers(0, classes, rows) for _ in range(2)]
    target, source = (centres[each] + draws.normal(size=(rows, width)) for each in labels)
    return target + shift, labels[0], source, labels[1]


def test_the_formula_by_hand():
    for seed in range(3):
        target, _, source, labels = domains(apart=0.7, seed=seed)
        said = np.random.default_rng(seed).dirichlet(np.ones(4), len(target))
        assert reverse_validation(target, said, source, labels) == pytest.approx(by_hand(target, said, source, labels))


def test_right_predictions_lead_home_and_random_ones_do_not():
    target, truth, source, labels = domains()
    draws = np.random.default_rng(1)
    assert reverse_validation(target, np.eye(4)[truth], source, labels) > 0.95
    assert reverse_validation(target, np.eye(4)[draws.permutation(truth)], source, labels) < 0.6


def test_a_class_that_is_never_predicted_costs_its_share_of_the_source():
    target, truth, source, labels = domains()
    said = np.eye(4)[np.where(truth == 3, 0, truth)]
    assert reverse_validation(target, said, source, labels) == pytest.approx((labels != 3).mean(), abs=0.1)


def test_classes_that_are_few_on_the_target_are_still_read():
    target, truth, source, labels = domains(rows=400)
    kept = (truth != 0) | (np.arange(400) % 20 == 0)
    assert reverse_validation(target[kept], np.eye(4)[truth[kept]], source, labels) > 0.95


def test_a_collapse_reads_the_share_of_its_class():
    target, _, source, labels = domains()
    assert reverse_validation(target, np.eye(4)[np.zeros(200, int)], source, labels) == (labels == 0).mean()


def test_swapped_classes_go_unseen_where_features_swap_them_too():
    target, truth, source, labels = domains()
    swapped = np.array([1, 0, 2, 3])
    centres = np.stack([source[labels == label].mean(axis=0) for label in range(4)])
    moved = target - centres[truth] + centres[swapped[truth]]
    assert reverse_validation(moved, np.eye(4)[swapped[truth]], source, labels) > 0.95


def test_points_without_spread_are_no_error():
    said = np.eye(2)[np.arange(10) % 2]
    assert 0 <= reverse_validation(np.ones((10, 3)), said, np.ones((10, 3)), np.arange(10) % 2) <= 1


def test_components_that_are_missing_give_no_score():
    target, truth, source, labels = domains()
    said = np.eye(4)[truth]
    assert math.isnan(reverse_validation(target[:0], said, source, labels))
    assert math.isnan(reverse_validation(target, said, source[:0], labels))
    assert math.isnan(reverse_validation(target[:, :0], said, source[:, :0], labels))
