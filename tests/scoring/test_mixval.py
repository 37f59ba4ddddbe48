"""MixVal: pairs are drawn fairly, and only those whose predictions differ tell anything."""

import math

import numpy as np
import pytest

from autotl.scoring.mixval import MAJOR_PART, mix_partners, mixval, mixval_of_draws, mixval_same

SAID = np.eye(3)[[0, 0, 1, 2]]
PARTNERS = np.array([1, 2, 3, 0])  # pairs: 0 with 0 (the same), 0 with 1, 1 with 2, 2 with 0


@pytest.mark.parametrize("m", [2, 3, 10, 1001])
def test_everyone_is_the_partner_of_one_other(m):
    partners = mix_partners(m, seed=3)
    assert sorted(partners) == list(range(m))
    assert not (partners == np.arange(m)).any()


def test_partners_depend_on_the_seed_alone():
    np.testing.assert_array_equal(mix_partners(50, seed=1), mix_partners(50, seed=1))
    assert (mix_partners(50, seed=1) != mix_partners(50, seed=2)).any()


def test_a_lone_example_has_no_pair():
    assert mix_partners(0, seed=0).shape == (0,)
    said = SAID[:1]
    assert math.isnan(mixval(said, said, mix_partners(1, seed=0)))
    assert math.isnan(mixval_same(said, said, mix_partners(1, seed=0)))


def test_each_half_by_hand():
    mixed = np.eye(3)[[1, 0, 2, 2]]
    assert mixval(SAID, mixed, PARTNERS) == pytest.approx(2 / 3)  # of the last three, the second is read as its partner
    assert mixval_same(SAID, mixed, PARTNERS) == 0.0


def test_a_constant_model_scores_on_the_same_half_only():
    said = np.eye(3)[[1, 1, 1, 1]]
    assert math.isnan(mixval(said, said, PARTNERS))
    assert mixval_same(said, said, PARTNERS) == 1.0


def test_draws_are_shares_of_the_pairs_that_count():
    mixed = np.eye(3)[[1, 0, 2, 2]]
    weights = np.array([[1.0, 1, 1, 1], [5, 0, 1, 0], [9, 0, 0, 0]])
    values = mixval_of_draws(SAID, mixed, PARTNERS)(weights)
    assert values[:2] == pytest.approx([2 / 3, 0.0])
    assert math.isnan(values[2])


def test_boundaries_between_clusters_score_higher_than_through_them():
    """Two clusters on a line, and a threshold between or inside them."""
    draws = np.random.default_rng(0)
    inputs = np.concatenate([draws.normal(-2, 0.5, 200), draws.normal(2, 0.5, 200)])
    partners = mix_partners(400, seed=0)
    mixtures = MAJOR_PART * inputs + (1 - MAJOR_PART) * inputs[partners]

    def score(threshold):
        said, mixed = (np.eye(2)[(values > threshold).astype(int)] for values in (inputs, mixtures))
        return mixval(said, mixed, partners)

    assert score(0.0) > score(2.0) + 0.1
