"""A search is simulated in the order in which it would try its plans."""

from dataclasses import replace

import pytest
from pretend_search import EXAMPLES, a_plan, a_space

from autotl.plan.baselines import Baseline
from autotl.plan.space import Fixed, Options
from autotl.search.cost import Afterwards, CostModel, forecast
from autotl.search.cost.forecast import AFTERWARDS, afterwards_seconds, epochs_of
from autotl.search.cost.model import TYPICAL_GFLOPS

BASELINES = [Baseline("linear_probe", a_plan(learning_rate=2e-3)), Baseline("full_finetune", None)]
MODEL = CostModel(gflops=TYPICAL_GFLOPS)


def told(**changes):
    given = {
        "trials": 20,
        "wall_seconds": 36_000.0,
        "workers": 1,
        "baselines": BASELINES,
        "early_stopping": False,
        **changes,
    }
    return forecast(given.pop("space", a_space()), EXAMPLES, given.pop("model", MODEL), **given)


def test_all_trials_fit_into_a_long_time():
    found = told()
    assert (found.trials, found.asked, found.baselines) == (20, 20, 2)
    assert found.seconds == pytest.approx(14 + found.of_baselines + found.of_trials + found.afterwards)
    low, middle, high = found.trial_seconds
    assert 0 < low <= middle <= high


def test_a_short_time_ends_it_earlier():
    whole = told()
    found = told(wall_seconds=whole.seconds / 2)
    assert 0 < found.trials < 20
    assert found.seconds <= whole.seconds / 2


def test_two_workers_take_about_half_the_time_for_trials():
    one, two = told(), told(workers=2)
    assert two.of_trials == pytest.approx(one.of_trials / 2)
    assert two.seconds < one.seconds
    assert two.memory_mb > one.memory_mb


def test_early_stopping_and_what_is_stored_save_time():
    found = told()
    assert told(early_stopping=True).of_trials < found.of_trials
    keys = frozenset(key for plan in (a_plan(), a_plan(unfrozen_layers=4)) for key in _sets(plan))
    again = told(stored=keys)
    assert again.seconds < found.seconds
    assert (again.disk_bytes, found.disk_bytes > 0) == (0, True)


def test_a_plan_that_goes_on_half_the_time_at_each_rung():
    space = a_space(epochs=Fixed(9))
    assert epochs_of(a_plan(epochs=9), space) == 3 + 6 / 2
    assert epochs_of(a_plan(epochs=1), space) == 1


def test_what_follows_the_trials_is_what_it_took_before():
    assert afterwards_seconds([], 5.0) == AFTERWARDS + 5
    before = [Afterwards({"rank": 1.0, "retrain": 29.0, "report": 5.0}, 8.0, 12.0)] * 4
    assert afterwards_seconds(before, 10.0) == pytest.approx(35 - 2.5 * 8 + 10)


def test_a_network_that_nothing_tells_of_is_named():
    saved = replace(a_plan().backbone, origin="saved", name="/models/mine.keras")
    space = a_space(backbone=Options({"small_cnn": a_plan().backbone, "mine": saved}))
    assert told(space=space).unknown == ("models/mine.keras",)
    assert told(space=space, flops={saved: 1e9}).unknown == ()


def _sets(plan):
    from autotl.search.cost import work_of

    return work_of(plan, EXAMPLES).sets
