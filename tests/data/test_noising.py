"""The noise is as large as the guarantee asks, no larger, and lies on every number."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import norm
from test_statistics import labelled

from autotl.data.noising import SENSITIVITY, Noise, clipped, noised, smallest_deviation
from autotl.data.statistics import Statistics


def delta_of(deviation, epsilon):
    """What the paper's theorem says, by SciPy's distribution functions."""
    far, near = 1 / (2 * deviation), epsilon * deviation
    return norm.cdf(far - near) - math.exp(epsilon) * norm.cdf(-far - near)


@pytest.mark.parametrize(("epsilon", "delta"), [(0.1, 1e-5), (1.0, 1e-5), (3.0, 1e-6), (8.0, 1e-3), (30.0, 1e-9)])
def test_the_deviation_is_just_enough(epsilon, delta):
    deviation = smallest_deviation(epsilon, delta)
    assert delta_of(deviation, epsilon) == pytest.approx(delta, rel=1e-3)
    assert delta_of(0.99 * deviation, epsilon) > delta


def test_it_needs_less_than_the_classical_mechanism():
    assert smallest_deviation(1.0, 1e-5) < math.sqrt(2 * math.log(1.25 / 1e-5))


def test_one_example_more_moves_the_scaled_numbers_by_no_more_than_the_sensitivity():
    features, labels = labelled()
    rows = clipped(100 * features, 2.0)
    without, whole = (Statistics.of(rows[start:], labels[start:], classes=3) for start in (1, 0))
    moved = [
        np.linalg.norm(whole.counts - without.counts),
        np.linalg.norm(whole.sums - without.sums) / 2.0,
        np.linalg.norm(whole.products - without.products) / 4.0,
    ]
    assert math.hypot(*moved) == pytest.approx(SENSITIVITY, rel=1e-6)  # an example of the full norm takes all of it


def test_rows_within_the_bound_stay_as_they_are():
    features, _ = labelled()
    norms = np.linalg.norm(features.astype(np.float64), axis=1)
    bound = float(np.median(norms))
    short = clipped(features, bound)
    np.testing.assert_allclose(np.linalg.norm(short, axis=1), np.minimum(norms, bound), rtol=1e-6)
    np.testing.assert_array_equal(short[norms <= bound], features[norms <= bound])


def test_every_number_gets_noise_of_the_told_size():
    noise = Noise(1.0, 1e-5, clip=2.0)
    nothing = Statistics.nothing(classes=200, width=100)
    draws = np.random.default_rng(0)
    found = noised(nothing, noise, SimpleNamespace(normal=lambda shape: draws.normal(size=shape)))
    assert found.counts.std() == pytest.approx(noise.deviation, rel=0.2)
    assert found.sums.std() == pytest.approx(2 * noise.deviation, rel=0.05)
    upper = found.products[np.triu_indices(100, 1)]
    assert upper.std() == pytest.approx(4 * noise.deviation / math.sqrt(2), rel=0.05)
    assert np.diag(found.products).std() == pytest.approx(4 * noise.deviation, rel=0.25)
    np.testing.assert_array_equal(found.products, found.products.T)


def test_a_budget_that_no_noise_keeps_is_refused():
    with pytest.raises(ValueError, match="so little that no noise keeps them"):
        smallest_deviation(1e-7, 1e-8)
