"""Laws that every transform obeys, whatever the domains look like."""

import numpy as np
import pytest
from two_domains import domain, fit

from autotl.adaptation import METHODS
from autotl.adaptation.method import FitsToStatistics, Transform
from autotl.data.statistics import Statistics

TRANSFORMS = {name: method for name, method in METHODS.items() if method.stage == "transform"}

# Pairs that closed forms stumble over, by what is odd about them.
ODD_PAIRS = {
    "one source example": (domain(0, rows=1), domain(1)),
    "one target example": (domain(0), domain(1, rows=1)),
    "one example each": (domain(0, rows=1), domain(1, rows=1)),
    "two examples each": (domain(0, rows=2), domain(1, rows=2)),
    "fewer source examples than columns": (domain(0, rows=4), domain(1)),
    "fewer target examples than columns": (domain(0), domain(1, rows=4)),
    "constant columns": (domain(0) * np.float32([1, 1, 0, 1, 1, 1]) + 5, domain(1) * np.float32([1, 1, 1, 1, 0, 1])),
    "constant to rounding": (domain(0, scale=1e-7, shift=1.0), domain(1)),
    "all alike": (np.full((9, 6), 0.1, np.float32), domain(1)),
    "all zero": (domain(0), np.zeros((9, 6), np.float32)),
    "one column": (domain(0, width=1), domain(1, width=1)),
    "repeated columns": (domain(0)[:, [0, 0, 1, 1, 2, 2]], domain(1)),
    "half precision": (domain(0).astype(np.float16), domain(1).astype(np.float16)),
    "unequal sizes": (domain(0, rows=37), domain(1, rows=911)),
    "tiny and huge": (domain(0, scale=1e-6), domain(1, scale=1e6)),
}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_a_transform_keeps_the_interface(name):
    assert isinstance(TRANSFORMS[name], Transform)
    assert TRANSFORMS[name].paper
    assert TRANSFORMS[name].in_words


@pytest.mark.parametrize("odd", ODD_PAIRS)
@pytest.mark.parametrize("name", TRANSFORMS)
def test_maps_are_finite_square_and_in_single_precision(name, odd):
    source, target = ODD_PAIRS[odd]
    alignment = fit(TRANSFORMS[name], source, target)
    width = source.shape[1]
    for mapping, features in ((alignment.source, source), (alignment.target, target)):
        assert mapping.matrix.shape == (width, width)
        assert mapping.offset.shape == (width,)
        assert mapping.matrix.dtype == mapping.offset.dtype == np.float32
        assert np.isfinite(mapping(features)).all()


@pytest.mark.parametrize("name", TRANSFORMS)
def test_the_order_of_examples_is_immaterial(name):
    source, target = domain(0, rows=120), domain(1, rows=90, shift=2.0)
    shuffle = np.random.default_rng(5).permutation
    straight, shuffled = fit(TRANSFORMS[name], source, target), fit(TRANSFORMS[name], shuffle(source), shuffle(target))
    np.testing.assert_allclose(shuffled.source(source), straight.source(source), atol=1e-4)
    np.testing.assert_allclose(shuffled.target(target), straight.target(target), atol=1e-4)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_fitting_twice_gives_the_same_maps_bit_for_bit(name):
    source, target = domain(0), domain(1)
    one, other = fit(TRANSFORMS[name], source, target), fit(TRANSFORMS[name], source, target)
    np.testing.assert_array_equal(one.source.matrix, other.source.matrix)
    np.testing.assert_array_equal(one.target.matrix, other.target.matrix)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_the_targets_map_is_the_same_for_every_source(name):
    target = domain(1)
    one, other = (fit(TRANSFORMS[name], source, target).target for source in (domain(0), domain(2, rows=3, shift=4.0)))
    np.testing.assert_array_equal(one.matrix, other.matrix)
    np.testing.assert_array_equal(one.offset, other.offset)


@pytest.mark.parametrize("name", TRANSFORMS)
@pytest.mark.parametrize("rows", [3, 200])
def test_equal_domains_are_mapped_alike(name, rows):
    features = domain(3, rows=rows)
    alignment = fit(TRANSFORMS[name], features, features)
    np.testing.assert_allclose(alignment.source(features), alignment.target(features), atol=2e-4)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_means_agree_after_the_maps(name):
    source, target = domain(0, rows=50, shift=-3.0), domain(1, rows=300, shift=2.0)
    alignment = fit(TRANSFORMS[name], source, target)
    np.testing.assert_allclose(alignment.source(source).mean(axis=0), alignment.target(target).mean(axis=0), atol=1e-4)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_inputs_are_left_as_they_are(name):
    source, target = domain(0).astype(np.float64), domain(1).astype(np.float64)
    before = source.copy(), target.copy()
    fit(TRANSFORMS[name], source, target)
    np.testing.assert_array_equal(source, before[0])
    np.testing.assert_array_equal(target, before[1])


@pytest.mark.parametrize("name", [name for name, method in METHODS.items() if isinstance(method, FitsToStatistics)])
def test_sums_of_a_source_give_the_maps_of_its_examples(name):
    """Two houses' sums are enough: the maps are those of the pooled examples."""
    source, target = domain(0, shift=1.0), domain(1, rows=300, scale=2.0)
    source[:, 3] = 0.1  # constant, but for rounding
    houses = [Statistics.of(rows, np.arange(len(rows)) % 2, classes=2) for rows in (source[:150], source[150:])]
    method = METHODS[name]
    from_sums = method.fit_to_statistics(houses[0] + houses[1], target, method.defaults)
    from_examples = fit(method, source, target)
    for side in ("source", "target"):
        one, other = getattr(from_sums, side), getattr(from_examples, side)
        np.testing.assert_allclose(one.matrix, other.matrix, rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(one.offset, other.offset, rtol=1e-6, atol=1e-6)
    assert from_sums.notes == from_examples.notes
