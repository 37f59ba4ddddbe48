"""Every metric of numbers is scikit-learn's or SciPy's, for plain and for repeated examples."""

import math

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as sk

from autotl.scoring.comparison import paired_difference
from autotl.scoring.intervals import interval
from autotl.scoring.metrics import METRICS, compute_all
from autotl.scoring.selection import corrected_interval
from autotl.task.problem import REGRESSION

ORACLES = {
    "rmse": lambda true, said: math.sqrt(sk.mean_squared_error(true, said)),
    "mae": sk.mean_absolute_error,
    "r2": sk.r2_score,
    "median_absolute_error": sk.median_absolute_error,
    "spearman": lambda true, said: stats.spearmanr(true, said).statistic,
}


def examples(*, n=60, seed=0, noise=1.0, decimals=None):
    """Numbers and what a model says of them, (n,) and (n, 1); rounded, many are equal."""
    draws = np.random.default_rng(seed)
    true = draws.normal(50.0, 10.0, n)
    said = true + draws.normal(0.0, noise, n) * 5
    return (true, said[:, None]) if decimals is None else (np.round(true, decimals), np.round(said[:, None], decimals))


def test_each_metric_of_a_regression_has_an_oracle():
    assert set(ORACLES) == set(REGRESSION.metrics)


@pytest.mark.parametrize("decimals", [None, -1])
@pytest.mark.parametrize("n", [60, 61])
@pytest.mark.parametrize("name", ORACLES)
def test_agrees_with_its_oracle(name, n, decimals):
    true, said = examples(n=n, decimals=decimals)
    assert METRICS[name](true, said) == pytest.approx(ORACLES[name](true, said[:, 0]))


@pytest.mark.parametrize("decimals", [None, -1])
@pytest.mark.parametrize("name", ORACLES)
def test_a_weight_is_a_number_of_copies(name, decimals):
    true, said = examples(decimals=decimals)
    copies = np.random.default_rng(1).integers(0, 4, size=(3, len(true)))
    found = METRICS[name].of_draws(true, said)(copies.astype(float))
    expected = [ORACLES[name](np.repeat(true, count), np.repeat(said[:, 0], count)) for count in copies]
    assert found == pytest.approx(expected)


@pytest.mark.parametrize("name", ORACLES)
def test_a_better_model_gains_and_a_worse_one_loses(name):
    metric = METRICS[name]
    (true, good), (_, poor) = examples(noise=0.3), examples(noise=1.0)
    assert metric.gain(metric(true, good), metric(true, poor)) > 0
    assert metric.gain(metric(true, poor), metric(true, good)) < 0


@pytest.mark.parametrize("name", ORACLES)
def test_its_interval_holds_it_and_narrows_with_more_examples(name):
    few, many = (interval(METRICS[name], *examples(n=n), seed=0, draws=400) for n in (40, 640))
    assert few.low < few.value < few.high
    assert many.high - many.low < few.high - few.low


@pytest.mark.parametrize("name", ORACLES)
def test_the_better_of_two_is_told_and_its_luck_is_taken_off(name):
    (true, good), (_, poor) = examples(n=200, noise=0.2), examples(n=200, noise=2.0)
    assert paired_difference(METRICS[name], true, good, poor, seed=0, draws=300).low > 0
    corrected = corrected_interval(METRICS[name], true, [poor, good], seed=0)
    assert corrected.low <= METRICS[name](true, good) <= corrected.high


def test_the_mean_explains_nothing_and_a_constant_cannot_be_explained():
    true = np.array([1.0, 2.0, 3.0, 6.0])
    assert METRICS["r2"](true, np.full((4, 1), 3.0)) == pytest.approx(0.0)
    assert math.isnan(METRICS["r2"](np.full(4, 0.1), np.arange(4.0)[:, None]))
    assert math.isnan(METRICS["spearman"](true, np.full((4, 1), 3.0)))


@pytest.mark.parametrize("name", ORACLES)
def test_not_a_number_and_no_example_give_no_score(name):
    true, said = examples()
    said[3, 0] = math.nan
    assert math.isnan(METRICS[name](true, said))
    assert math.isnan(METRICS[name](np.zeros(0), np.zeros((0, 1))))


def test_numbers_and_classes_are_not_mixed_up():
    with pytest.raises(ValueError, match="accuracy is for classes, not for numbers"):
        METRICS["accuracy"](*examples())
    with pytest.raises(ValueError, match="mae has no meaning for one class"):
        METRICS["mae"](np.array([0, 1]), np.eye(2))
    assert set(compute_all(*examples())) == set(ORACLES)
