"""Statistics agree with NumPy's and SciPy's, and tell rounding from variance."""

import numpy as np
import pytest
from scipy.linalg import fractional_matrix_power
from sklearn.decomposition import PCA
from two_domains import covariance, domain, shrunk

from autotl.adaptation.statistics import Columns, Moments, power, principal_axes


def test_columns_agree_with_numpy():
    features = domain(0, shift=3.0)
    columns = Columns.of(features)
    np.testing.assert_allclose(columns.mean, features.mean(axis=0, dtype=np.float64))
    np.testing.assert_allclose(columns.deviation, features.std(axis=0, dtype=np.float64))
    assert not columns.constant.any()


def test_a_column_that_differs_by_rounding_is_constant():
    features = domain(0)
    features[:, 2] = 0.1
    features[::2, 2] = np.nextafter(np.float32(0.1), np.float32(1))
    columns = Columns.of(features)
    assert columns.constant.tolist() == [False, False, True, False, False, False]
    assert columns.deviation[2] == 1
    assert (columns.centred(features)[:, 2] == 0).all()


def test_a_small_deviation_around_zero_is_not_rounding():
    assert not Columns.of(domain(0, scale=1e-12)).constant.any()


def test_moments_agree_with_numpy():
    features = domain(0, rows=30, shift=-1.0)
    moments = Moments.of(features)
    np.testing.assert_allclose(moments.covariance, covariance(features), rtol=1e-10, atol=1e-12)
    assert moments.mean_variance == pytest.approx(features.var(axis=0, ddof=1, dtype=np.float64).mean())
    np.testing.assert_allclose(moments.shrunk(0.3), shrunk(features, 0.3), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    ("features", "singular"),
    [
        (domain(0), False),
        (domain(0, scale=1e-8), False),
        (domain(0, rows=7), False),
        (domain(0, rows=6), True),  # six examples span five directions
        (domain(0, rows=1), True),
        (domain(0)[:, [0, 1, 2, 2]], True),
        (domain(0) * np.float32([1, 0, 1, 1, 1, 1]), True),
    ],
)
def test_singular_covariances_are_known(features, singular):
    assert Moments.of(features).singular is singular


@pytest.mark.parametrize("exponent", [0.5, -0.5])
def test_powers_agree_with_scipy(exponent):
    matrix = covariance(domain(0))
    np.testing.assert_allclose(power(matrix, exponent), fractional_matrix_power(matrix, exponent), atol=1e-10)


def test_principal_axes_agree_with_scikit_learn():
    features = Columns.of(domain(0)).centred(domain(0))
    axes = principal_axes(features, 3)
    theirs = PCA(3, svd_solver="full").fit(features).components_.T
    np.testing.assert_allclose(np.abs(np.sum(axes * theirs, axis=0)), 1.0, atol=1e-10)
    np.testing.assert_allclose(axes.T @ axes, np.eye(3), atol=1e-10)
    assert (axes[np.abs(axes).argmax(axis=0), range(3)] > 0).all()


@pytest.mark.parametrize(("rows", "rank"), [(1, 0), (4, 3), (400, 6)])
def test_there_are_no_more_axes_than_the_rank(rows, rank):
    features = domain(0, rows=rows)
    assert principal_axes(Columns.of(features).centred(features), 50).shape == (6, rank)
