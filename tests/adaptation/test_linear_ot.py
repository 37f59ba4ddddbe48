"""The source is pushed onto the target's Gaussian, by the map that moves it least."""

import numpy as np
import pytest
from scipy.linalg import sqrtm
from two_domains import covariance, domain, fit, shrunk

from autotl.adaptation.coral import Coral
from autotl.adaptation.linear_ot import LinearOt


def by_the_paper(source, target):
    """S^-1/2 (S^1/2 T S^1/2)^1/2 S^-1/2."""
    root = np.real(sqrtm(source))
    inverse = np.linalg.inv(root)
    return inverse @ np.real(sqrtm(root @ target @ root)) @ inverse


def test_mapped_source_has_the_targets_moments():
    source, target = domain(0, rows=90, shift=3.0), domain(1, scale=2.0)
    mapped = fit(LinearOt(), source, target, shrinkage=0.0).source(source)
    np.testing.assert_allclose(covariance(mapped), covariance(target), atol=1e-4)
    np.testing.assert_allclose(mapped.mean(axis=0), target.mean(axis=0), atol=1e-4)


@pytest.mark.parametrize("shrinkage", [1e-4, 0.01, 1.0])
def test_the_matrix_agrees_with_the_papers_formula(shrinkage):
    source, target = domain(0), domain(1, scale=2.0)
    fitted = fit(LinearOt(), source, target, shrinkage=shrinkage).source.matrix
    np.testing.assert_allclose(fitted, by_the_paper(shrunk(source, shrinkage), shrunk(target, shrinkage)), atol=1e-4)


def test_the_matrix_is_symmetric_and_positive_definite():
    matrix = fit(LinearOt(), domain(0), domain(1)).source.matrix
    np.testing.assert_array_equal(matrix, matrix.T)
    assert np.linalg.eigvalsh(matrix).min() > 0


def test_commuting_covariances_are_scaled_column_by_column():
    source = domain(0, rows=5000, width=1)
    target = 3 * domain(1, rows=5000, width=1)
    ratio = target.std() / source.std()
    assert fit(LinearOt(), source, target).source.matrix[0, 0] == pytest.approx(ratio, rel=1e-3)


def test_it_moves_examples_less_than_coral_does():
    source, target = domain(0), domain(1)
    moved = {
        type(method): np.square(fit(method, source, target, shrinkage=0.0).source(source) - source).sum()
        for method in (LinearOt(), Coral())
    }
    assert moved[LinearOt] < moved[Coral]


def test_the_mean_cost_is_the_gaussian_wasserstein_distance():
    source, target = domain(0, shift=1.0), domain(1, scale=2.0)
    mapped = fit(LinearOt(), source, target, shrinkage=0.0).source(source)
    cost = np.square(mapped - source).sum() / len(source)
    s, t = covariance(source), covariance(target)
    root = np.real(sqrtm(s))
    means = np.square(source.mean(axis=0) - target.mean(axis=0)).sum()
    spread = np.trace(s + t - 2 * np.real(sqrtm(root @ t @ root)))
    assert cost == pytest.approx(means + spread * (len(source) - 1) / len(source), rel=1e-4)


@pytest.mark.parametrize("rows", [3, 400])
def test_equal_domains_stay_where_they_are(rows):
    features = domain(0, rows=rows, shift=2.0)
    np.testing.assert_allclose(fit(LinearOt(), features, features).source.matrix, np.eye(6), atol=1e-4)


def test_a_singular_covariance_is_told():
    (note,) = fit(LinearOt(), domain(0), domain(1, rows=3)).notes
    assert note.startswith("the target's covariance is singular (3 examples of 6 features): a share of 0.02, not 0.01")
