"""Components keep what features say of each other, in few dimensions; where nothing tells, nothing is made up."""

import numpy as np
import pytest

from autotl.scoring.components import COMPONENTS, MOST_ROWS, log_importance, on_axes, principal_axes, sampled


def drawn(rows, width, seed=0, shift=0.0):
    return np.random.default_rng(seed).normal(shift, 1.0, size=(rows, width)).astype(np.float32)


@pytest.mark.parametrize(("rows", "width"), [(30, 5), (30, 300), (COMPONENTS, 300), (30, COMPONENTS)])
def test_small_spaces_and_few_examples_keep_every_distance(rows, width):
    features = drawn(rows, width, shift=7.0)
    points = on_axes(features, principal_axes(features))
    assert points.shape[1] <= COMPONENTS
    before, after = (np.linalg.norm(each[:, None] - each[None], axis=2) for each in (features.astype("f8"), points))
    np.testing.assert_allclose(after, before, atol=1e-5)


def test_the_axes_are_those_of_most_variance():
    scales = np.linspace(3, 0.01, 200)
    features = drawn(2000, 200) * scales
    axes = principal_axes(features)
    np.testing.assert_allclose(axes.T @ axes, np.eye(COMPONENTS), atol=1e-9)
    kept = on_axes(features, axes).var(axis=0).sum()
    exact = np.sort(np.linalg.eigvalsh(np.cov(features, rowvar=False, bias=True)))[-COMPONENTS:].sum()
    assert 0.98 * exact < kept < 1.0001 * exact


def test_a_sample_is_the_same_for_all_models_and_in_order():
    assert sampled(10).tolist() == list(range(10))
    rows = sampled(3 * MOST_ROWS)
    assert len(rows) == MOST_ROWS
    assert (np.diff(rows) > 0).all()
    np.testing.assert_array_equal(rows, sampled(3 * MOST_ROWS))


def test_importance_is_the_ratio_of_densities():
    """Two Gaussians a unit apart: the ratio's logarithm is x - 1/2 along the shift."""
    source, target = drawn(5000, 1), drawn(5000, 1, seed=1, shift=1.0)
    found = log_importance(source.astype("f8"), target.astype("f8"))
    slope, offset = np.polyfit(source[:, 0], found, 1)
    assert slope == pytest.approx(1.0, abs=0.1), "a little less: the classifier is penalised"
    assert offset == pytest.approx(-0.5, abs=0.1)


def test_the_same_domain_twice_weighs_every_example_alike():
    points = drawn(200, 3).astype("f8")
    np.testing.assert_allclose(log_importance(points, points), 0.0, atol=1e-9)


@pytest.mark.parametrize("broken", [np.zeros((0, 3)), np.full((4, 3), np.nan), np.zeros((4, 0))], ids=str)
def test_where_nothing_tells_no_weight_is_made_up(broken):
    whole = np.ones((5, broken.shape[1]))
    assert np.isnan(log_importance(whole, broken)).all()
    assert np.isnan(log_importance(broken, whole)).all()


def test_features_that_are_no_numbers_stay_so():
    broken = drawn(10, 100)
    broken[3, 90] = np.nan
    assert np.isnan(on_axes(broken, principal_axes(broken))[3]).all()


def test_features_of_another_width_have_no_components():
    assert on_axes(drawn(5, 3), np.eye(4)).shape == (0, 4)
