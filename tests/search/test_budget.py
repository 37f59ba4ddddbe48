"""The wall time is divided before it is spent: something is always left to retrain, test and report."""

import time

import pytest

from autotl.backbones import BackboneSpec
from autotl.backbones.classical import CLASSICAL
from autotl.plan import Plan
from autotl.search.budget import Budget

NETWORK = Plan(BackboneSpec("bundled", "mobilenet_v2_050"))
WORDS = Plan(BackboneSpec(CLASSICAL, "bag_of_words"))


@pytest.mark.parametrize(
    ("wall", "reserved"),
    [(3600, 540), (200, 30), (120, 20), (60, 20), (30, 15), (2, 1)],
    ids=["a share", "a share of little", "at least 20 s", "20 s of a minute", "at most half", "half of very little"],
)
def test_the_search_ends_early_enough_to_finish(wall, reserved):
    assert Budget(wall, started=1000.0).search_ends == pytest.approx(1000 + wall - reserved)


def test_probes_may_take_all_the_time_and_other_baselines_together_a_quarter():
    budget = Budget(1000, started=time.monotonic() - 100)
    budget.start_search()
    for probe in ("linear_probe", "source_only", None):
        assert budget.deadline_of(probe, NETWORK) == budget.search_ends
    for other in ("no_transfer", "full_finetune"):
        assert budget.deadline_of(other, NETWORK) == pytest.approx(time.monotonic() + 250, abs=5), (
            "from the search's own beginning"
        )


def test_a_classical_baseline_takes_seconds_and_is_never_cut_off_for_the_others():
    budget = Budget(1000, started=time.monotonic() - 100)
    assert budget.deadline_of("no_transfer", WORDS) == budget.search_ends


def test_baselines_count_from_the_commands_beginning_until_the_search_starts():
    assert Budget(1000, started=5000.0).deadline_of("no_transfer", NETWORK) == 5250


def test_no_baseline_may_run_past_the_search():
    budget = Budget(100, started=time.monotonic() - 70)
    budget.start_search()
    assert budget.deadline_of("full_finetune", NETWORK) == budget.search_ends


def test_trials_stop_when_the_time_is_up_or_the_user_says_so():
    assert not Budget(100).is_spent()
    assert Budget(100, started=time.monotonic() - 81).is_spent()
    assert Budget(100, interrupted_by=2).is_spent()


def test_a_resumed_search_has_what_is_left_of_its_time():
    budget = Budget(1000, spent_before=600)
    assert budget.ends == pytest.approx(time.monotonic() + 400, abs=5)
    assert budget.search_ends == pytest.approx(time.monotonic() + 400 - 150, abs=5)
    assert budget.left == pytest.approx(400, abs=5)
    assert budget.spent == pytest.approx(600, abs=5)
    assert not budget.is_spent()


def test_what_is_reserved_for_the_end_is_there_again_in_every_sitting():
    budget = Budget(1000, spent_before=990, started=time.monotonic() - 1)
    assert budget.is_spent(), "no trial is begun"
    assert budget.ends - budget.search_ends == pytest.approx(150)
    assert budget.ends == pytest.approx(time.monotonic() + 149, abs=5)


def test_baselines_share_a_quarter_of_the_time_over_all_sittings():
    budget = Budget(1000, spent_before=200)
    budget.start_search()
    assert budget.deadline_of("full_finetune", NETWORK) == pytest.approx(time.monotonic() + 50, abs=5)


def test_a_clock_that_is_set_changes_nothing(monkeypatch):
    budget = Budget(1000)
    for jump in (-86_400, 3_600, 10**9):
        monkeypatch.setattr(time, "time", lambda jump=jump: jump)
        assert not budget.is_spent()
        assert 0 <= budget.spent < 60
        assert budget.deadline_of(None, NETWORK) == budget.search_ends > time.monotonic()
