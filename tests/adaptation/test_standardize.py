"""Each domain is told in its own units."""

import numpy as np
from two_domains import domain, fit

from autotl.adaptation.standardize import Standardize
from autotl.data.exported import FeatureStatistics


def test_mapped_columns_have_mean_zero_and_deviation_one():
    source, target = domain(0, rows=70, shift=4.0, scale=3.0), domain(1, shift=-1.0)
    alignment = fit(Standardize(), source, target)
    for mapped in (alignment.source(source), alignment.target(target)):
        np.testing.assert_allclose(mapped.mean(axis=0), 0.0, atol=1e-5)
        np.testing.assert_allclose(mapped.std(axis=0), 1.0, atol=1e-5)


def test_mapped_features_agree_with_the_plain_formula():
    source, target = domain(0, shift=4.0), domain(1)
    by_hand = (source - source.mean(axis=0)) / source.std(axis=0)
    np.testing.assert_allclose(fit(Standardize(), source, target).source(source), by_hand, atol=1e-5)


def test_scales_and_places_of_sensors_are_undone():
    """A target that is the source in other units looks the same after it: what AdaBN is for."""
    source = domain(0)
    target = source * np.float32([1, 10, 0.1, 3, 7, 2]) + np.float32([0, 1, 2, 3, 4, 5])
    alignment = fit(Standardize(), source, target)
    np.testing.assert_allclose(alignment.target(target), alignment.source(source), atol=1e-4)


def test_a_constant_column_becomes_zero():
    source = domain(0)
    source[:, 1] = 7.5
    mapped = fit(Standardize(), source, domain(1)).source(source)
    assert (mapped[:, 1] == 0).all()


def test_a_single_example_is_centred_and_a_note_says_so():
    alignment = fit(Standardize(), domain(0), domain(1, rows=1))
    assert alignment.notes == ("the target has one example: it was centred, not scaled",)
    np.testing.assert_array_equal(alignment.target.matrix, np.eye(6))
    np.testing.assert_allclose(alignment.target(domain(1, rows=1)), 0.0)


def test_usual_domains_need_no_note():
    assert fit(Standardize(), domain(0), domain(1)).notes == ()


def test_the_target_takes_the_figures_of_a_source_that_is_not_there():
    source, target = domain(0, rows=70, shift=4.0, scale=3.0), domain(1, shift=-1.0)
    figures = FeatureStatistics.of(source)
    mapped = Standardize().onto(figures, target)(target)
    np.testing.assert_allclose(mapped.mean(axis=0), source.mean(axis=0), atol=1e-4)
    np.testing.assert_allclose(mapped.std(axis=0), source.std(axis=0), atol=1e-4)


def test_it_is_the_target_map_followed_by_the_inverse_of_the_sources():
    source, target = domain(0, rows=70, shift=4.0, scale=3.0), domain(1, shift=-1.0)
    alignment = fit(Standardize(), source, target)
    both = alignment.target.then_undo(alignment.source)
    alone = Standardize().onto(FeatureStatistics.of(source), target)
    np.testing.assert_allclose(alone(target), both(target), atol=1e-4)


def test_a_constant_target_column_takes_the_sources_mean():
    source, target = domain(0, shift=2.0), domain(1)
    target[:, 1] = 7.5
    mapped = Standardize().onto(FeatureStatistics.of(source), target)(target)
    np.testing.assert_allclose(mapped[:, 1], source[:, 1].mean(), atol=1e-5)


def test_equal_figures_leave_the_target_as_it_is():
    target = domain(1)
    np.testing.assert_allclose(Standardize().onto(FeatureStatistics.of(target), target)(target), target, atol=1e-4)
