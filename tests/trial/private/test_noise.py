"""Noise: its distribution, and that nothing but the key decides it."""

import math
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from scipy import stats

from autotl.trial.private.noise import SecretDraws, new_key

KEY = b"a key of thirty-two bytes or more"


def test_the_same_key_and_purpose_give_the_same_noise():
    one, again = SecretDraws(KEY, "training", 3), SecretDraws(KEY, "training", 3)
    np.testing.assert_array_equal(one.normal((5, 2)), again.normal((5, 2)))
    np.testing.assert_array_equal(one.normal((5, 2)), again.normal((5, 2)))


@pytest.mark.parametrize(
    ("key", "purpose"), [(KEY, ("training", 4)), (KEY, ("training", "3")), (new_key(), ("training", 3))]
)
def test_another_key_or_purpose_gives_other_noise(key, purpose):
    assert not np.allclose(SecretDraws(KEY, "training", 3).normal((8,)), SecretDraws(key, *purpose).normal((8,)))


def test_draws_follow_each_other_and_never_repeat():
    draws = SecretDraws(KEY)
    assert not np.allclose(draws.normal((8,)), draws.normal((8,)))


def test_a_short_key_is_refused():
    with pytest.raises(ValueError, match="can be guessed"):
        SecretDraws(b"seed 0")


def test_keys_are_new_each_time():
    assert len({new_key() for _ in range(20)}) == 20


def test_normal_draws_are_normal():
    drawn = SecretDraws(KEY, "normal").normal((200, 500)).ravel()
    assert stats.kstest(drawn, "norm").pvalue > 1e-3
    assert drawn.std() == pytest.approx(1.0, abs=0.01)


def test_neighbouring_draws_have_nothing_to_do_with_each_other():
    drawn = SecretDraws(KEY, "pairs").normal((50_000,))
    assert abs(np.corrcoef(drawn[:-1], drawn[1:])[0, 1]) < 0.02


def test_poisson_sampling_takes_each_row_with_the_rate_whatever_the_others_are():
    draws = SecretDraws(KEY, "sampling")
    taken = np.zeros((400, 50))
    for turn in range(400):
        taken[turn, draws.members(50, 0.3)] = 1
    assert taken.mean() == pytest.approx(0.3, abs=0.02)
    assert taken.sum(axis=1).std() == pytest.approx(math.sqrt(50 * 0.3 * 0.7), rel=0.15)  # the size is not fixed


def test_at_rate_one_every_row_takes_part():
    np.testing.assert_array_equal(SecretDraws(KEY).members(7, 1.0), np.arange(7))


@pytest.mark.parametrize("epsilon", [Fraction(1, 3), Fraction(2), Fraction(0.15)])
def test_whole_numbers_have_the_discrete_laplace_distribution(epsilon):
    draws = SecretDraws(KEY, "counts")
    seen = Counter(draws.discrete_laplace(epsilon) for _ in range(4_000))
    decay = math.exp(-epsilon)
    weight = (1 - decay) / (1 + decay)
    for number in (-2, -1, 0, 1, 2):
        expected = 4_000 * weight * decay ** abs(number)
        assert seen[number] == pytest.approx(expected, abs=4.5 * math.sqrt(expected) + 1)
