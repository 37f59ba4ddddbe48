"""The classes of neighbours: information that falls where regions are merged, cut at random, or not there at all."""

import math

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score, mutual_info_score

from autotl.scoring.neighbours import NEIGHBOURS, neighbour_agreement, neighbour_information
from autotl.scoring.panel import Panel

ROWS, CLASSES, COUNT = 120, 4, 5
TRUTH = np.arange(ROWS) % CLASSES
ALL = np.ones((1, ROWS))


def within_classes():
    """Neighbours that are always of the same true class."""
    draws = np.random.default_rng(0)
    others = [draws.choice(np.setdiff1d(np.flatnonzero(TRUTH[row] == TRUTH), row), COUNT, False) for row in range(ROWS)]
    return np.stack(others)


def anywhere():
    return np.random.default_rng(1).integers(0, ROWS, size=(ROWS, COUNT))


def information(said, nearest, classes=CLASSES, weights=ALL):
    return float(neighbour_information(np.asarray(said), nearest, classes)(weights)[0])


def test_information_agrees_with_scikit_learn():
    said, nearest = np.random.default_rng(2).integers(0, CLASSES, ROWS), within_classes()
    expected = mutual_info_score(np.repeat(said, COUNT), said[nearest].reshape(-1)) / math.log(CLASSES)
    assert information(said, nearest) == pytest.approx(expected)


def test_information_in_draws_is_that_of_the_drawn_rows():
    said, nearest = np.random.default_rng(2).integers(0, CLASSES, ROWS), within_classes()
    counts = np.random.default_rng(3).integers(0, 4, ROWS)
    drawn = np.repeat(np.arange(ROWS), counts)
    expected = mutual_info_score(np.repeat(said[drawn], COUNT), said[nearest[drawn]].reshape(-1)) / math.log(CLASSES)
    assert information(said, nearest, weights=counts[None].astype(float)) == pytest.approx(expected)


def test_right_classes_tell_everything_and_one_class_nothing():
    assert information(TRUTH, within_classes()) == pytest.approx(1)
    assert information(np.zeros(ROWS, int), within_classes()) == pytest.approx(0)
    assert information(TRUTH, anywhere()) < 0.1


def test_two_regions_of_one_name_tell_less_though_neighbours_agree():
    merged = np.where(TRUTH == 3, 2, TRUTH)
    assert neighbour_agreement(merged, within_classes()) == neighbour_agreement(TRUTH, within_classes()) == 1
    assert information(merged, within_classes()) < 0.8


def test_a_region_that_is_cut_at_random_tells_less():
    halves = np.where((TRUTH == 2) & (np.random.default_rng(4).random(ROWS) < 0.5), 3, np.where(TRUTH == 3, 2, TRUTH))
    assert information(halves, within_classes()) < information(TRUTH, within_classes()) - 0.1


def test_agreement_is_cohens_kappa_where_shares_are_those_of_the_neighbours():
    said, nearest = TRUTH.copy(), within_classes()
    said[:20] = 0
    assert neighbour_agreement(said, nearest) == pytest.approx(
        cohen_kappa_score(np.repeat(said, COUNT), said[nearest].reshape(-1)), abs=0.02
    )
    assert neighbour_agreement(np.zeros(ROWS, int), nearest) == 0.0


def test_names_of_classes_play_no_part():
    said, nearest = np.random.default_rng(2).integers(0, CLASSES, ROWS), within_classes()
    assert information(CLASSES - 1 - said, nearest) == pytest.approx(information(said, nearest))


def test_where_neighbours_are_not_known_nothing_is_told():
    assert math.isnan(NEIGHBOURS(Panel([np.eye(CLASSES)[TRUTH]], None))[0])


def test_many_classes_and_a_single_one():
    many = np.arange(ROWS)
    assert information(many, within_classes(), classes=200) >= 0
    assert information(np.zeros(ROWS, int), within_classes(), classes=1) == pytest.approx(0)
