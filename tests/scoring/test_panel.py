"""Neighbours are the nearest others in one model's features, found the same way for any number of rows."""

import numpy as np
import pytest

from autotl.scoring.panel import NEIGHBOURS_EACH, Panel, nearest_rows


def clouds(rows=60, classes=3, width=5, apart=20.0):
    draws = np.random.default_rng(0)
    return draws.normal(size=(rows, width)) + apart * np.eye(classes, width)[np.arange(rows) % classes]


def test_neighbours_are_those_of_the_largest_cosine():
    features = clouds(width=4)
    found = nearest_rows(features)
    centred = features / np.linalg.norm(features, axis=1, keepdims=True)  # few columns: they are compared as they are
    distances = np.linalg.norm(centred[:, None] - centred[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    expected = np.sort(np.sort(distances, axis=1)[:, :NEIGHBOURS_EACH], axis=1)
    np.testing.assert_allclose(np.take_along_axis(distances, found, axis=1), expected, atol=1e-6)
    assert not (found == np.arange(len(features))[:, None]).any(), "none is its own neighbour"


def test_length_does_not_count():
    features = clouds()
    scaled = features * np.random.default_rng(1).uniform(1, 100, size=(len(features), 1))
    np.testing.assert_array_equal(nearest_rows(features), nearest_rows(scaled))


@pytest.mark.parametrize("rows", [2, 5, 11])
def test_few_rows_have_few_neighbours(rows):
    assert nearest_rows(clouds(rows)).shape == (rows, min(NEIGHBOURS_EACH, rows - 1))


@pytest.mark.parametrize("features", [np.zeros((1, 3)), np.zeros((0, 3)), np.zeros((5, 0)), np.full((5, 3), np.inf)])
def test_nothing_to_compare(features):
    assert nearest_rows(features) is None


def test_constant_features_are_no_error():
    assert nearest_rows(np.ones((30, 4))).shape == (30, NEIGHBOURS_EACH)


def test_wide_features_of_a_large_target_are_sampled():
    assert nearest_rows(np.random.default_rng(0).normal(size=(5_200, 70)).astype(np.float32)).shape == (5_000, 10)


def test_a_panel_knows_what_each_trial_names():
    panel = Panel([np.eye(3)[[0, 2, 1]], np.eye(3)[[1, 1, 1]]], None)
    assert [each.tolist() for each in panel.said] == [[0, 2, 1], [1, 1, 1]]
    assert (panel.rows, panel.classes) == (3, 3)
