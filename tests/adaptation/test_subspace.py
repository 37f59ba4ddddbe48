"""The source is told in the target's principal coordinates, as in the paper."""

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler
from two_domains import domain, fit

from autotl.adaptation.subspace import Subspace


def standardized(features):
    return StandardScaler().fit_transform(features.astype(np.float64))


def axes(features, components):
    return PCA(components, svd_solver="full").fit(standardized(features)).components_.T


@pytest.mark.parametrize("components", [1, 3, 6])
def test_mapped_features_agree_with_the_paper_up_to_signs_of_columns(components):
    source, target = domain(0, rows=90, shift=3.0), domain(1, scale=2.0)
    alignment = fit(Subspace(), source, target, components=components)
    source_axes, target_axes = axes(source, components), axes(target, components)
    by_hand = standardized(source) @ source_axes @ source_axes.T @ target_axes, standardized(target) @ target_axes
    ours = alignment.source(source)[:, :components], alignment.target(target)[:, :components]
    # One sign a column, the same in both domains.
    signs = np.sign(np.sum(ours[1] * by_hand[1], axis=0))
    np.testing.assert_allclose(ours[0], signs * by_hand[0], atol=1e-4)
    np.testing.assert_allclose(ours[1], signs * by_hand[1], atol=1e-4)


def test_components_come_by_variance_and_zeros_fill_the_width():
    target = domain(1)
    mapped = fit(Subspace(), domain(0), target, components=4).target(target)
    variances = mapped.var(axis=0)
    assert (np.diff(variances[:4]) <= 0).all()
    assert (mapped[:, 4:] == 0).all()


def test_the_metric_between_domains_is_the_papers():
    """Products of aligned examples are x_s P_s P_s^T P_t P_t^T x_t, whatever the signs of the axes."""
    source, target = domain(0, rows=50), domain(1, rows=70)
    alignment = fit(Subspace(), source, target, components=3)
    of_source, of_target = (one @ one.T for one in (axes(source, 3), axes(target, 3)))
    by_hand = standardized(source) @ of_source @ of_target @ standardized(target).T
    np.testing.assert_allclose(alignment.source(source) @ alignment.target(target).T, by_hand, atol=1e-4)


def test_equal_domains_are_mapped_to_the_same_place():
    features = domain(0)
    alignment = fit(Subspace(), features, features, components=3)
    np.testing.assert_allclose(alignment.source.matrix, alignment.target.matrix, atol=1e-6)


def test_components_are_capped_by_each_domains_rank_and_notes_say_so():
    alignment = fit(Subspace(), domain(0, rows=4), domain(1))
    assert alignment.notes == (
        "the source's features span 3 directions: 3 components instead of 50",
        "the target's features span 6 directions: 6 components instead of 50",
    )
    assert np.linalg.matrix_rank(alignment.source.matrix, tol=1e-5) == 3
    assert np.linalg.matrix_rank(alignment.target.matrix, tol=1e-5) == 6


def test_no_note_where_the_components_suffice():
    assert fit(Subspace(), domain(0), domain(1), components=3).notes == ()


def test_a_target_of_one_example_does_not_wipe_out_the_source():
    source = domain(0)
    alignment = fit(Subspace(), source, domain(1, rows=1), components=3)
    assert "the target does not vary, so it has no principal axes: its features were only centred" in alignment.notes
    by_hand = standardized(source) @ axes(source, 3) @ axes(source, 3).T
    np.testing.assert_allclose(alignment.source(source), by_hand, atol=1e-4)


def test_constant_columns_take_no_part():
    source = domain(0)
    source[:, 2] = 4.0
    alignment = fit(Subspace(), source, domain(1), components=3)
    np.testing.assert_allclose(alignment.source.matrix[2], 0.0, atol=1e-7)


def test_a_rotated_basis_may_not_be_refitted():
    assert not Subspace().can_be_refitted
