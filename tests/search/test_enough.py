"""A search stops when its best score could not be told from a better one, and not before."""

import math

import numpy as np
import pytest

from autotl.run.trial_row import new_row
from autotl.search.enough import FEWEST_TRIALS, SMALL, Enough, expected_gain


def noted(merits, *, error=0.02, **settings):
    found = Enough(**settings)
    for merit in merits:
        found.note(*ended(merit, error))
    return found


def ended(merit, error=None, *, baseline=None, repeat_of=None):
    row = {**new_row(0, {}, baseline=baseline), "status": "complete", "repeat_of": repeat_of}
    away = None if error is None else 1.96 * error
    row["score"] = {"value": merit, "low": away and merit - away, "high": away and merit + away, "kind": "validation"}
    return row, merit


def test_the_expected_gain_is_that_of_drawing():
    draws = np.random.default_rng(0)
    merits = draws.normal(0.8, 0.02, size=20)
    width = 0.9 * min(np.std(merits, ddof=1), np.subtract(*np.quantile(merits, [0.75, 0.25])) / 1.34) * 20**-0.2
    best = float(merits.max())
    simulated = [
        max(float((draws.choice(merits, 10) + width * draws.normal(size=10)).max()) - best, 0.0) for _ in range(20_000)
    ]
    assert expected_gain(merits, best, 10) == pytest.approx(np.mean(simulated), rel=0.05)


def test_more_draws_gain_more_and_those_that_cannot_win_gain_nothing():
    merits = np.linspace(0.7, 0.8, 20).tolist()
    gains = [expected_gain(merits, 0.8, draws) for draws in (1, 10, 100)]
    assert gains == sorted(gains)
    assert expected_gain([*merits[:10], *[-math.inf] * 10], 0.8, 10) < expected_gain(merits[:10], 0.8, 10)
    assert expected_gain([0.8] * 20, 0.8, 100) == pytest.approx(0, abs=1e-12)
    assert expected_gain([0.8], 0.8, 1) == math.inf, "one trial tells nothing of the next"


def test_a_flat_search_stops_and_says_what_it_saved():
    reason = noted([0.9 + 1e-4 * (number % 3) for number in range(30)]).reason(70)
    assert reason is not None
    assert reason.startswith("no further gain is expected: 70 more trials would raise the best score by ")


@pytest.mark.parametrize(
    "merits",
    [np.linspace(0.5, 0.9, 30), np.random.default_rng(1).normal(0.8, 0.05, 30), [0.9] * (FEWEST_TRIALS - 1)],
    ids=["it still rises", "it still scatters", "too few to tell"],
)
def test_a_search_that_may_still_gain_goes_on(merits):
    assert noted(list(merits)).reason(50) is None


def test_what_decides_is_the_noise_of_the_best_score():
    merits = np.random.default_rng(2).normal(0.8, 0.01, 30).tolist()
    gain = expected_gain(merits[-20:], max(merits), 20)
    assert noted(merits, error=1.05 * gain / SMALL).reason(20) is not None
    assert noted(merits, error=0.95 * gain / SMALL).reason(20) is None


def test_nothing_stops_a_search_that_is_to_use_all_or_whose_scores_have_no_interval():
    flat = [0.9] * 30
    assert noted(flat, is_wanted=False).reason(10) is None
    assert noted(flat).reason(0) is None, "there is nothing left to save"
    without = Enough()
    for merit in flat:
        without.note(*ended(merit))
    assert without.reason(10) is None


def test_a_baseline_may_be_the_best_and_tells_nothing_of_what_trials_reach():
    found = noted([0.9] * FEWEST_TRIALS)
    assert found.reason(10) is not None
    found.note(*ended(0.95, 0.02, baseline="full_finetune"))
    assert found.reason(10) is not None, "what the others reach is far below it"
    found.note(*ended(0.99, 0.02, repeat_of=3))
    few = noted([0.9] * (FEWEST_TRIALS - 1))
    few.note(*ended(0.9, 0.02, baseline="linear_probe"))
    few.note(*ended(0.9, 0.02, repeat_of=3))
    assert few.reason(10) is None
