"""Parameter importance: what mattered is found, what did not is not, and too few trials say nothing."""

import numpy as np
import optuna
import pytest

from autotl.search.importance import FEWEST_TRIALS, importances

DISTRIBUTIONS = {
    "rate": optuna.distributions.FloatDistribution(1e-4, 1e-1, log=True),
    "depth": optuna.distributions.CategoricalDistribution([0, 4, 12]),
    "idle": optuna.distributions.FloatDistribution(0.0, 1.0),
}


def trials(count, score, seed=0):
    """Random plans; those of depth 12 have a setting of their own."""
    chance = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        params = {
            "rate": float(10 ** chance.uniform(-4, -1)),
            "depth": int(chance.choice([0, 4, 12])),
            "idle": float(chance.uniform()),
        }
        distributions = dict(DISTRIBUTIONS)
        if params["depth"] == 12:
            params["depth.12.width"] = float(chance.uniform())
            distributions["depth.12.width"] = optuna.distributions.FloatDistribution(0.0, 1.0)
        value = score(params) + float(chance.normal(0, 0.01))
        found.append(optuna.trial.create_trial(params=params, distributions=distributions, value=value))
    return found


def by_rate(params):
    return -abs(np.log10(params["rate"]) + 2)


def names(found):
    return [each["name"] for each in found["parameters"]]


def test_what_decides_comes_first_and_stands_out():
    found = importances(trials(150, by_rate), higher_is_better=True)
    first, *others = found["parameters"]
    assert first["name"] == "rate"
    assert first["stands_out"]
    assert not any(each["stands_out"] for each in others)
    assert sum(each["share"] for each in found["parameters"]) == pytest.approx(1.0)
    assert set(names(found)) == {"rate", "depth", "idle", "depth.12.width"}


def test_less_is_better_where_it_is():
    turned = importances(trials(150, lambda params: -by_rate(params)), higher_is_better=False)
    assert names(turned)[0] == "rate"


def test_where_nothing_decides_nothing_stands_out():
    found = importances(trials(100, lambda params: 0.0), higher_is_better=True)
    assert not any(each["stands_out"] for each in found["parameters"])


def test_a_share_lies_in_its_range():
    for each in importances(trials(60, by_rate), higher_is_better=True)["parameters"]:
        assert 0 <= each["low"] <= each["share"] <= each["high"] <= 1
        assert each["chance"] > 0


def test_at_least_five_trials_are_the_best():
    found = importances(trials(25, by_rate), higher_is_better=True)
    assert found["best_share"] * found["trials"] == pytest.approx(5)


def test_too_few_trials_say_nothing():
    found = importances(trials(FEWEST_TRIALS - 1, by_rate), higher_is_better=True)
    assert (found["trials"], found["needed"], found["parameters"]) == (FEWEST_TRIALS - 1, FEWEST_TRIALS, [])


def test_plans_outside_the_space_and_equal_scores_say_nothing():
    outside = [optuna.trial.create_trial(value=0.5 + number / 100) for number in range(40)]
    assert importances(outside, higher_is_better=True)["parameters"] == []
    equal = [
        optuna.trial.create_trial(params=t.params, distributions=t.distributions, value=0.5)
        for t in trials(40, by_rate)
    ]
    assert importances(equal, higher_is_better=True)["parameters"] == []


def test_the_same_trials_give_the_same_figures():
    told = trials(40, by_rate)
    assert importances(told, higher_is_better=True) == importances(told, higher_is_better=True)
