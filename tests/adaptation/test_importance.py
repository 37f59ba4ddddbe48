"""Source examples that look like the target's count more, and nothing makes a weight infinite."""

import numpy as np
import pytest
from scipy.stats import spearmanr
from two_domains import domain

from autotl.adaptation.importance import Importance, log_density_ratio
from autotl.adaptation.method import Weighting

METHOD = Importance()


def weigh(source, target, seed=0, **values):
    return METHOD.weigh(source, target, {**METHOD.defaults, **values}, seed=seed)


def shifted(*, rows=4000, width=4, by=1.0, seed=0):
    """Standard Gaussians whose first column has its mean moved: the log density ratio is by * x - by² / 2."""
    draws = np.random.default_rng(seed)
    source, target = draws.normal(size=(2, rows, width)).astype(np.float32)
    target[:, 0] += by
    return source, target


def test_it_keeps_the_interface():
    assert isinstance(METHOD, Weighting)
    assert METHOD.stage == "weights"


def test_a_known_ratio_is_recovered():
    source, target = shifted()
    found = log_density_ratio(source, target, classifier_c=1.0)
    np.testing.assert_allclose(found, source[:, 0] - 0.5, atol=0.25)


def test_weights_are_ordered_by_the_known_ratio():
    source, target = shifted()
    assert spearmanr(weigh(source, target), source[:, 0])[0] > 0.98


def test_a_weighted_mean_of_the_source_is_the_targets():
    source, target = shifted(by=0.7)
    weights = weigh(source, target, exponent=1.0, classifier_c=1.0, clip_quantile=0.999)
    np.testing.assert_allclose(np.average(source, axis=0, weights=weights), target.mean(axis=0), atol=0.1)


def test_sizes_of_the_domains_do_not_tilt_the_ratio():
    source, target = shifted()
    few = log_density_ratio(source, target[:500], classifier_c=1.0)
    np.testing.assert_allclose(few.mean(), log_density_ratio(source, target, classifier_c=1.0).mean(), atol=0.15)


def test_equal_domains_weigh_alike():
    draws = np.random.default_rng(0)
    source, target = draws.normal(size=(2, 4000, 6)).astype(np.float32)
    np.testing.assert_allclose(weigh(source, target), 1.0, atol=0.15)  # a deviation of 0.03
    np.testing.assert_allclose(weigh(source, source), 1.0, atol=1e-4)


def test_an_exponent_of_zero_weighs_alike_and_smaller_ones_flatten():
    source, target = shifted()
    spreads = [weigh(source, target, exponent=exponent).std() for exponent in (0.0, 0.3, 1.0)]
    assert spreads[0] == 0
    assert spreads[0] < spreads[1] < spreads[2]


def test_weights_above_the_quantile_are_cut():
    source, target = shifted(by=2.0)
    weights = weigh(source, target, exponent=1.0, clip_quantile=0.9)
    assert np.isclose(weights, weights.max()).mean() == pytest.approx(0.1, abs=0.01)


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (domain(0, rows=1), domain(1, rows=1)),
        (domain(0, rows=1), domain(1)),
        (domain(0), domain(1, rows=1)),
        (domain(0, rows=5, width=40), domain(1, rows=9, width=40)),
        (domain(0), domain(1, shift=1e6)),
        (np.zeros((3, 4), np.float32), np.zeros((2, 4), np.float32)),
        (domain(0).astype(np.float16), domain(1).astype(np.float16)),
    ],
    ids=["one each", "one source", "one target", "few", "disjoint", "no variance", "half precision"],
)
def test_weights_are_finite_and_of_mean_one(source, target):
    weights = weigh(source, target, exponent=1.0, classifier_c=1.0)
    assert weights.shape == (len(source),)
    assert weights.dtype == np.float32
    assert np.isfinite(weights).all()
    assert (weights > 0).all()
    assert weights.mean() == pytest.approx(1.0, abs=1e-5)


def test_weights_follow_their_examples_in_any_order_and_any_seed():
    source, target = shifted(rows=300)
    order = np.random.default_rng(1).permutation(300)
    weights = weigh(source, target)
    np.testing.assert_array_equal(weigh(source, target, seed=9), weights)
    np.testing.assert_allclose(weigh(source[order], target[::-1]), weights[order], atol=1e-3)
