"""A share that was counted with noise."""

import numpy as np
import pytest

from autotl.scoring.intervals import wilson
from autotl.scoring.noisy_share import noisy_share


def test_with_hardly_any_noise_it_is_wilsons_interval():
    found = noisy_share(90, 100, epsilon=1e6)
    assert (found.low, found.high) == pytest.approx(wilson(90, 100), abs=1e-4)


@pytest.mark.parametrize(("counted", "value"), [(-4, 0.0), (130, 1.0)])
def test_noise_never_leads_out_of_what_is_possible(counted, value):
    found = noisy_share(counted, 100, epsilon=0.2)
    assert found.value == value
    assert 0 <= found.low <= found.value <= found.high <= 1


def test_the_interval_covers_the_truth_as_often_as_it_says():
    draws, epsilon, covered = np.random.default_rng(0), 0.1, 0
    for _ in range(2_000):
        right = draws.binomial(400, 0.8)
        noise = draws.geometric(1 - np.exp(-epsilon)) - draws.geometric(1 - np.exp(-epsilon))
        found = noisy_share(int(right + noise), 400, epsilon=epsilon)
        covered += found.low <= 0.8 <= found.high
    assert 0.94 <= covered / 2_000 <= 0.99


def test_the_note_says_how_far_off_it_may_be():
    assert "within 0.030" in (noisy_share(80, 100, epsilon=1.0).note or "")
