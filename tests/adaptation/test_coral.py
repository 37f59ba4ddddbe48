"""The source gets the target's mean and covariance, by the paper's whitening and colouring."""

import numpy as np
import pytest
from scipy.linalg import fractional_matrix_power
from two_domains import covariance, domain, fit, shrunk

from autotl.adaptation.coral import Coral


def test_mapped_source_has_the_targets_moments():
    source, target = domain(0, rows=90, shift=3.0), domain(1, scale=2.0)
    mapped = fit(Coral(), source, target, shrinkage=0.0).source(source)
    np.testing.assert_allclose(covariance(mapped), covariance(target), atol=1e-4)
    np.testing.assert_allclose(mapped.mean(axis=0), target.mean(axis=0), atol=1e-4)


@pytest.mark.parametrize("shrinkage", [1e-4, 0.01, 1.0])
def test_shrunk_covariances_agree_after_the_map(shrinkage):
    source, target = domain(0), domain(1, scale=2.0)
    matrix = fit(Coral(), source, target, shrinkage=shrinkage).source.matrix.astype(np.float64)
    np.testing.assert_allclose(matrix.T @ shrunk(source, shrinkage) @ matrix, shrunk(target, shrinkage), atol=1e-3)


@pytest.mark.parametrize(("source_rows", "target_rows", "share"), [(400, 400, 0.01), (4, 400, 0.015), (400, 1, 0.01)])
def test_the_matrix_agrees_with_scipy(source_rows, target_rows, share):
    source, target = domain(0, rows=source_rows), domain(1, rows=target_rows)
    fitted = fit(Coral(), source, target).source.matrix
    if target_rows == 1:
        by_hand = np.eye(6)
    else:
        whiten = fractional_matrix_power(shrunk(source, share), -0.5)
        by_hand = whiten @ fractional_matrix_power(shrunk(target, share), 0.5)
    np.testing.assert_allclose(fitted, by_hand, atol=1e-4)


@pytest.mark.parametrize("rows", [3, 400])
def test_equal_domains_stay_where_they_are(rows):
    features = domain(0, rows=rows, shift=2.0)
    alignment = fit(Coral(), features, features)
    np.testing.assert_allclose(alignment.source.matrix, np.eye(6), atol=1e-4)
    np.testing.assert_allclose(alignment.source(features), features, atol=1e-3)


def test_the_target_stays_as_it_is():
    target = domain(1)
    np.testing.assert_array_equal(fit(Coral(), domain(0), target).target(target), target)


def test_a_singular_covariance_is_shrunk_more_and_a_note_says_so():
    notes = fit(Coral(), domain(0, rows=3), domain(1), shrinkage=1e-4).notes
    assert notes == (
        "the source's covariance is singular (3 examples of 6 features): a share of 0.02, not 0.0001 as asked, of the "
        "mean variance was added to its diagonal",
    )


def test_a_shrinkage_that_suffices_is_kept():
    (note,) = fit(Coral(), domain(0, rows=3), domain(1), shrinkage=0.5).notes
    assert "a share of 0.5 of the mean variance" in note


def test_very_few_examples_cannot_ask_for_more_than_a_tenth():
    (note,) = fit(Coral(), domain(0, rows=2, width=200), domain(1, width=200), shrinkage=1e-4).notes
    assert "a share of 0.1, not 0.0001 as asked" in note


def test_an_example_alone_is_moved_and_a_note_says_so():
    source, target = domain(0, rows=1), domain(1)
    alignment = fit(Coral(), source, target)
    assert alignment.notes == ("the source does not vary: only the mean was moved",)
    np.testing.assert_allclose(alignment.source(source)[0], target.mean(axis=0), atol=1e-5)


def test_usual_domains_need_no_note():
    assert fit(Coral(), domain(0), domain(1)).notes == ()
