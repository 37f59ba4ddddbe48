"""What is reckoned, against figures from elsewhere and formulas of our own."""

import math

import pytest
from scipy.optimize import brentq
from scipy.stats import norm

pytest.importorskip("dp_accounting")

from autotl.errors import EnvironmentProblemError
from autotl.task.private import LEAST_DELTA
from autotl.trial.private import accountant
from autotl.trial.private.accountant import (
    BudgetTooSmallError,
    NoisyCount,
    NoisySums,
    as_mapping,
    epsilon_of,
    least_noise,
    look_from,
    refuse_without_accountant,
)

SUBSAMPLED = NoisySums(count=400, noise_multiplier=1.0, rate=500 / 10_000)  # 20 epochs of 10,000 in batches of 500


def epsilon_of_normal_noise(noise: float, delta: float) -> float:
    """Balle & Wang, ICML 2018, theorem 8: exact, for one sum that an example changes by 1."""

    def beyond(epsilon: float) -> float:
        left, right = 1 / (2 * noise) - epsilon * noise, -1 / (2 * noise) - epsilon * noise
        return norm.cdf(left) - math.exp(epsilon) * norm.cdf(right) - delta

    return brentq(beyond, 0.0, 60.0)


def test_it_agrees_with_the_known_figure_and_is_tighter_than_renyi():
    from dp_accounting import dp_event
    from dp_accounting.rdp import RdpAccountant

    event = dp_event.PoissonSampledDpEvent(0.05, dp_event.GaussianDpEvent(1.0))
    renyi = RdpAccountant().compose(dp_event.SelfComposedDpEvent(event, 400)).get_epsilon(1e-5)
    assert epsilon_of([SUBSAMPLED], 1e-5) == pytest.approx(6.70, abs=0.01)
    assert renyi == pytest.approx(7.43, abs=0.01)


@pytest.mark.parametrize("noise", [4.0, 12.0, 60.0])
def test_sums_over_all_examples_agree_with_the_exact_formula(noise):
    together = epsilon_of([NoisySums(30, noise), NoisySums(31, noise)], 1e-6)
    assert together == pytest.approx(epsilon_of_normal_noise(noise / math.sqrt(61), 1e-6), rel=2e-3)


def test_it_never_says_less_than_the_exact_formula():
    assert epsilon_of([NoisySums(1, 2.0)], 1e-5) >= epsilon_of_normal_noise(2.0, 1e-5)


def test_one_count_costs_its_epsilon():
    assert epsilon_of([NoisyCount(0.7)], 1e-9) == pytest.approx(0.7, abs=1e-3)


def test_more_looks_cost_more():
    assert epsilon_of([SUBSAMPLED, NoisyCount(0.2)], 1e-5) > epsilon_of([SUBSAMPLED], 1e-5)


@pytest.mark.parametrize("epsilon", [0.5, 3.0, 8.0])
def test_the_least_noise_keeps_the_budget_and_hardly_more(epsilon):
    noise = least_noise(lambda noise: [NoisySums(60, noise, 0.4)], epsilon=epsilon, delta=1e-5)
    spent = epsilon_of([NoisySums(60, noise, 0.4)], 1e-5)
    assert 0.98 * epsilon < spent <= epsilon


def test_no_noise_keeps_a_budget_that_is_spent_elsewhere():
    with pytest.raises(BudgetTooSmallError, match="up to 1e\\+06 deviations"):
        least_noise(lambda noise: [NoisyCount(4.0), NoisySums(1, noise)], epsilon=3.0, delta=1e-5)


def test_what_is_reckoned_holds_down_to_the_least_delta_that_a_task_may_ask_for():
    noise = least_noise(lambda noise: [NoisySums(60, noise)], epsilon=3.0, delta=LEAST_DELTA)
    assert 2.9 < epsilon_of([NoisySums(60, noise)], LEAST_DELTA) <= 3.0


@pytest.mark.parametrize("look", [SUBSAMPLED, NoisyCount(0.25)])
def test_a_look_is_read_back_from_a_ledger(look):
    assert look_from(as_mapping(look)) == look


def test_a_missing_extra_is_told_with_what_installs_it(monkeypatch):
    monkeypatch.setattr(accountant.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(EnvironmentProblemError, match=r"task.yaml:3:1: privacy: .*pip install 'autotl\[dp\]'"):
        refuse_without_accountant("task.yaml:3:1: privacy")
