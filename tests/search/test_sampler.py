"""TPE that sees the best and the latest trials of a long search."""

import warnings

import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.trial import TrialState, create_trial

from autotl.search.sampler import BEST_SEEN, LATEST_SEEN, WindowedTPE, _seen

SPACE = {"x": FloatDistribution(0.0, 1.0), "kind": CategoricalDistribution(("a", "b"))}


def a_study(trials, direction="maximize"):
    """A study of so many trials, every fifth of them pruned, and two under way."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction=direction, sampler=optuna.samplers.RandomSampler(seed=0))
    chance = np.random.default_rng(0)
    for number in range(trials):
        values = {"x": float(chance.uniform()), "kind": "ab"[number % 2]}
        if number % 5 == 0:
            state, value, told = TrialState.PRUNED, None, {1: values["x"]}
        else:
            state, value, told = TrialState.COMPLETE, -((values["x"] - 0.7) ** 2), {}
        study.add_trial(
            create_trial(params=values, distributions=SPACE, state=state, value=value, intermediate_values=told)
        )
    for _ in range(2):
        study.ask(SPACE)
    return study


def sampler(kind, seed=1):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return kind(multivariate=True, group=True, constant_liar=True, n_startup_trials=5, seed=seed)


def drawn(kind, trials):
    study = a_study(trials)
    study.sampler = sampler(kind)
    return study.ask(SPACE).params


def test_up_to_three_hundred_trials_it_draws_what_tpe_draws():
    assert drawn(WindowedTPE, 300) == drawn(optuna.samplers.TPESampler, 300)


def test_of_more_it_sees_the_best_the_latest_and_those_under_way():
    trials = 700
    study = a_study(trials)
    seen = _seen(study)._get_trials(deepcopy=False)
    numbers = [trial.number for trial in seen]
    assert numbers == sorted(set(numbers))
    assert len(numbers) == BEST_SEEN + LATEST_SEEN + 2
    assert set(range(trials - LATEST_SEEN, trials + 2)) <= set(numbers)
    earlier = [trial for trial in study.trials[: trials - LATEST_SEEN] if trial.value is not None]
    best = sorted(earlier, key=lambda trial: -trial.value)[:BEST_SEEN]
    assert {trial.number for trial in best} <= set(numbers)


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
def test_the_best_are_told_by_the_direction(direction):
    study = a_study(400, direction)
    sign = 1 if direction == "minimize" else -1
    earlier = [trial for trial in study.trials[:200] if trial.value is not None]
    best = min(earlier, key=lambda trial: sign * trial.value)
    assert best.number in {trial.number for trial in _seen(study)._get_trials(deepcopy=False)}


def test_it_still_draws_near_the_best_in_a_long_search():
    values = []
    for seed in range(20):
        study = a_study(700)
        study.sampler = sampler(WindowedTPE, seed)
        values.append(study.ask(SPACE).params["x"])
    assert np.median(np.abs(np.array(values) - 0.7)) < 0.1


def test_of_several_goals_it_sees_the_best_of_each():
    study, chance = optuna.create_study(directions=["maximize", "minimize"]), np.random.default_rng(0)
    for _ in range(400):
        x = float(chance.uniform())
        study.add_trial(create_trial(params={"x": x, "kind": "a"}, distributions=SPACE, values=[x, chance.uniform()]))
    seen = {trial.number for trial in _seen(study)._get_trials(deepcopy=False)}
    earlier = study.trials[:200]
    assert max(earlier, key=lambda trial: trial.values[0]).number in seen
    assert min(earlier, key=lambda trial: trial.values[1]).number in seen
    assert LATEST_SEEN < len(seen) <= BEST_SEEN + LATEST_SEEN
