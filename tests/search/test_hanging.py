"""Trials that hang are ended from outside and fail with their reason; the others do not notice."""

import os
import signal
import sys
import time

import pytest
import ray
from pretend_search import EPOCHS, LINEAR, PretendWorkshop, a_plan, a_space, an_order, run_search

from autotl.plan.space import Fixed
from autotl.search.budget import Budget
from autotl.search.watchdog import Patience
from autotl.trial.outcome import Ending, OutOfTimeError
from autotl.trial.progress import Progress

for module in ("pretend_search", __name__):
    ray.cloudpickle.register_pickle_by_value(sys.modules[module])

SHORT = Patience(seconds=2.0, seconds_at_the_ends=4.0)
STOPPED, BUSY, SLOW = 0.11, 0.12, 0.13  # weight decays that stand for what happens in the second epoch


class HangingWorkshop(PretendWorkshop):
    """Some plans come to nothing: their process stands still, is busy for ever, or is slow but looks at the clock."""

    def rows_of(self, job):
        progress = Progress(job)
        for row in super().rows_of(job):
            if row.epoch == 2 and job.plan.weight_decay == STOPPED:
                os.kill(os.getpid(), signal.SIGSTOP)
            while row.epoch == 2 and job.plan.weight_decay == BUSY:
                pass
            try:
                while row.epoch == 2 and job.plan.weight_decay == SLOW:
                    time.sleep(0.05)
                    progress.check_deadline()
            except OutOfTimeError:
                progress.advance(1.0, 0.5)
                yield progress.ended(Ending("pruned", reason="budget"))
                return
            yield row


def hanging(tmp_path, given, *, trial_seconds=float("inf"), **changes):
    order = an_order(baselines=[], given=given, early_stopping=False, patience=SHORT, **changes)
    budget = Budget(120.0, trial_seconds=trial_seconds)
    why, rows, curves = run_search(tmp_path / "run", order, budget=budget, make_workshop=HangingWorkshop)
    assert not list((tmp_path / "run").rglob("hung.*"))
    return why, rows, curves


def test_a_trial_that_hangs_fails_with_its_reason_and_is_not_tried_again(tmp_path, two_cores):
    given = [a_plan(weight_decay=decay) for decay in (STOPPED, 0.2, BUSY, 0.3)]
    why, rows, curves = hanging(tmp_path, given, trials=6, workers=2)
    assert why == "trials"
    assert [row["status"] for row in rows] == ["failed", "complete", "failed", *["complete"] * 3]
    for row in (rows[0], rows[2]):
        assert row["failure"].startswith("hung: no step ended for 2s, and its worker was ended (its longest step")
        assert row["attempt"] == 1
        assert [step["epoch"] for step in curves[row["trial"]]] == [1]
    for row in rows:
        if row["status"] == "complete":
            assert [step["epoch"] for step in curves[row["trial"]]] == list(range(1, EPOCHS + 1))


def test_of_a_packet_that_hangs_each_plan_is_tried_by_itself(tmp_path, two_cores):
    given = [a_plan(weight_decay=decay, head=LINEAR) for decay in (0.1, STOPPED, 0.2)]
    _, rows, _ = hanging(tmp_path, given, trials=12, workers=1, space=a_space(head=Fixed(LINEAR)))
    assert [row["status"] for row in rows] == ["complete", "failed", *["complete"] * 10]
    assert [row["attempt"] for row in rows[:3]] == [2, 2, 2]


@pytest.mark.slow
def test_where_two_plans_of_a_packet_hang_by_themselves_the_others_are_spared(tmp_path, two_cores):
    given = [a_plan(weight_decay=STOPPED, head=LINEAR, learning_rate=rate) for rate in (0.1, 0.2, 0.3)]
    _, rows, _ = hanging(tmp_path, given, trials=12, workers=1, space=a_space(head=Fixed(LINEAR)))
    assert [row["status"] for row in rows] == [*["failed"] * 3, *["complete"] * 9]
    assert [row["failure"].startswith("hung: no step ended for 2s") for row in rows[:3]] == [True, True, False]
    assert rows[2]["failure"] == "it hung beside others, 2 of which hung by themselves"


def test_a_trial_has_so_much_time_and_keeps_the_score_that_it_had(tmp_path, two_cores):
    given = [a_plan(weight_decay=decay) for decay in (SLOW, 0.2)]
    _, rows, curves = hanging(tmp_path, given, trials=2, workers=1, trial_seconds=1.0)
    assert (rows[0]["status"], rows[0]["reason"]) == (
        "pruned",
        "stopped after 1s, the limit of a trial (budget.trial_wall)",
    )
    assert rows[0]["score"]["value"] == curves[0][-1]["score"]
    assert rows[1]["status"] == "complete"


def test_a_trial_that_hangs_beyond_its_time_is_ended(tmp_path, two_cores):
    patience = Patience(seconds_to_stop=0.5)
    order = an_order(baselines=[], given=[a_plan(weight_decay=BUSY)], trials=1, workers=1, patience=patience)
    budget = Budget(120.0, trial_seconds=1.0)
    _, rows, _ = run_search(tmp_path / "run", order, budget=budget, make_workshop=HangingWorkshop)
    assert rows[0]["status"] == "failed"
    assert rows[0]["failure"].startswith("hung: it went on for longer than 1s, the limit of a trial")
