"""A budget's division: nobody spends more than there is."""

import pytest

pytest.importorskip("dp_accounting")

from autotl.trial.private.accountant import epsilon_of
from autotl.trial.private.division import FINAL_SHARE, MOST_PAID_TRIALS, divided, rehearsed


@pytest.mark.parametrize(
    ("epsilon", "train", "validation"), [(0.5, 800, 200), (3.0, 6_400, 1_600), (8.0, 20_000, 5_000)]
)
def test_no_example_can_spend_more_than_the_budget(epsilon, train, validation):
    found = divided(epsilon, 1e-6, trials=5, train=train, validation=validation)
    of_training = [*found.final.looks(), *(found.trial.looks() * found.trials)]
    of_validation = [*found.final.looks(), *([found.score] * found.trials)]
    for looks in (of_training, of_validation, [found.test]):
        assert 0.95 * epsilon < epsilon_of(looks, 1e-6) <= epsilon


def test_the_model_that_ships_gets_most_of_it():
    found = divided(3.0, 1e-5, trials=4, train=4_000, validation=1_000)
    assert found.epsilon_of_final == pytest.approx(FINAL_SHARE * 3.0, rel=0.01)
    assert found.trial.noise_multiplier > 2 * found.final.noise_multiplier


def test_more_trials_leave_less_to_each_and_nobody_gets_next_to_nothing():
    few, many = (divided(3.0, 1e-5, trials=trials, train=4_000, validation=1_000) for trials in (2, 40))
    assert many.trials == MOST_PAID_TRIALS
    assert many.epsilon_of_trial < few.epsilon_of_trial
    assert many.score.epsilon < few.score.epsilon


def test_one_plan_gets_the_whole_budget():
    found = divided(3.0, 1e-5, trials=1, train=4_000, validation=1_000)
    assert found.ships_the_trial
    assert found.epsilon_of_trial == pytest.approx(3.0, rel=0.01)
    assert found.protected == 4_000, "validation examples are kept to score on"


def test_a_rehearsal_spends_nothing_and_has_the_noise_of_the_real_training_in_its_mean_gradient():
    found = rehearsed(3.0, 1e-5, trials=30, protected=8_000, public=2_000)
    assert (found.trials, found.epsilon_of_trial, found.score) == (30, 0.0, None)
    assert found.epsilon_of_final == pytest.approx(3.0, rel=0.01)
    assert found.trial.noise_multiplier / 2_000 == pytest.approx(found.final.noise_multiplier / 8_000)


def test_the_terms_are_plain_and_whole():
    terms = divided(3.0, 1e-5, trials=2, train=40_000, validation=10_000).as_dict()
    assert terms["accountant"].startswith("dp-accounting ")
    assert "place is empty" in terms["relation"]
    assert "Poisson" in terms["sampling"]
