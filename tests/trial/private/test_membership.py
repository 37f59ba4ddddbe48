"""An attack finds members of a head without privacy, and hardly one of a head with it."""

import numpy as np
import pytest

pytest.importorskip("dp_accounting")

from autotl.trial.private.accountant import least_noise
from autotl.trial.private.head import Labelled, Training, train_head
from autotl.trial.private.membership import Shadows, attacked, most_that_may_be_caught
from autotl.trial.private.noise import SecretDraws, new_key

MODELS = 16


def few_examples_in_many_dimensions(rows=160, width=120):
    draws = np.random.default_rng(0)
    labels = draws.integers(3, size=rows)
    return Labelled(draws.normal(size=(rows, width)) + 1.0 * np.eye(width)[labels], labels)


def shadows(training):
    key = new_key()

    def train(members, model):
        return train_head(members, training, SecretDraws(key, model), classes=3)

    return Shadows.of(few_examples_in_many_dimensions(), train, models=MODELS, seed=1)


@pytest.fixture(scope="module")
def without():
    return shadows(Training(0.0, steps=200))


@pytest.fixture(scope="module")
def within():
    def looks(noise):
        return Training.on(80, noise_multiplier=noise).looks()

    noise = least_noise(looks, epsilon=1.0, delta=1e-3)
    return shadows(Training.on(80, noise_multiplier=noise))


def test_a_head_without_privacy_gives_its_members_away(without):
    found = without.attacks()
    assert found.auc > 0.9
    assert found.caught[0.01] > 0.2
    assert without.attacks_by_loss().auc > 0.8


def test_a_head_with_privacy_hardly_does(within, without):
    found = within.attacks()
    assert 0.45 < found.auc < 0.6
    assert within.attacks_by_loss().auc < 0.6
    assert found.auc < without.attacks().auc - 0.25


def test_no_more_are_caught_than_the_budget_allows(within):
    error = 2 / np.sqrt(MODELS * 80)
    for false_alarms, caught in within.attacks().caught.items():
        assert caught <= most_that_may_be_caught(false_alarms, epsilon=1.0, delta=1e-3) + error


def test_a_perfect_suspicion_and_a_useless_one():
    members = np.arange(40) % 2 == 0
    perfect, useless = attacked(members.astype(float), members), attacked(np.zeros(40), members)
    assert (perfect.auc, perfect.advantage, perfect.caught[0.01]) == (1.0, 1.0, 1.0)
    assert (useless.auc, useless.advantage, useless.caught[0.01]) == (0.5, 0.0, 0.0)


def test_without_a_budget_all_may_be_caught_and_with_none_as_many_as_false_alarms():
    assert most_that_may_be_caught(0.1, epsilon=50.0, delta=0.0) == pytest.approx(1.0)
    assert most_that_may_be_caught(0.1, epsilon=0.0, delta=0.0) == pytest.approx(0.1)


def test_half_of_the_models_know_each_example(without):
    assert set(without.members.sum(axis=0).tolist()) == {MODELS // 2}
