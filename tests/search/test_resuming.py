"""A search that was killed goes on as if nothing had happened: same plans, same scores, same order, nothing twice."""

import os
import signal
import sys
from functools import partial

import optuna
import pytest
import ray
from optuna.trial import TrialState
from pretend_search import LINEAR, PretendWorkshop, a_space, an_order, run_search, snapshot

from autotl.plan.space import Fixed, Options
from autotl.run import Study
from autotl.run.cut_off import NEVER_BEGAN, reopen, trials_marked
from autotl.search.budget import Budget
from autotl.search.earlier import earlier_trials
from autotl.search.events import EpochEnded, TrialEnded, TrialStarted

for module in ("pretend_search", __name__):
    ray.cloudpickle.register_pickle_by_value(sys.modules[module])


pytestmark = pytest.mark.usefixtures("two_cores")


def what_counts(rows):
    names = ("trial", "status", "baseline", "plan", "score", "epochs", "reason")
    return [{name: row[name] for name in names} for row in rows]


KILLED_AFTER = (0.0, 0.3, 0.55, 0.8)  # of the events of a search


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"space": a_space(head=Fixed(LINEAR), unfrozen_layers=Options({0: 0, 4: 4})), "trials": 24},
    ],
    ids=["one by one", "packets and plans that wait"],
)
def test_a_killed_search_goes_on_as_if_it_had_not_been_killed(tmp_path, changes):
    order, events = an_order(**changes), []
    run_search(tmp_path / "dry", order, listen=events.append)
    wanted = [round(share * len(events)) for share in KILLED_AFTER]
    seen = []

    def listen(event):
        if len(seen) in wanted:
            snapshot(tmp_path / "whole", tmp_path / f"killed-{len(seen)}")
        seen.append(event)

    _, whole, curves = run_search(tmp_path / "whole", order, listen=listen)
    for number in wanted:
        killed = tmp_path / f"killed-{number}"
        told = []
        why, rows, again = run_search(killed, order, listen=told.append)
        assert why == "trials"
        assert what_counts(rows) == what_counts(whole), f"killed at event {number}"
        assert again == curves
        ended = [event.row["trial"] for event in told if isinstance(event, TrialEnded)]
        assert len(ended) == len(set(ended)), "no trial ends twice"
        trials = optuna.load_study(study_name="toy", storage=f"sqlite:///{killed / 'study.db'}").get_trials()
        assert not any(trial.state in (TrialState.RUNNING, TrialState.WAITING) for trial in trials)
        assert [trial.number for trial in trials] == list(range(len(trials)))


def test_what_had_ended_is_not_trained_again_and_what_had_not_keeps_its_number(tmp_path):
    order, seen = an_order(), []

    def listen(event):
        seen.append(event)
        if isinstance(event, EpochEnded) and (event.number, event.epoch) == (3, 5):
            snapshot(tmp_path / "whole", tmp_path / "killed")

    run_search(tmp_path / "whole", order, listen=listen)
    told = []
    _, rows, _ = run_search(tmp_path / "killed", order, listen=told.append)
    begun = [event.number for event in told if isinstance(event, TrialStarted)]
    assert begun == list(range(3, 14))
    assert [row["attempt"] for row in rows] == [1] * 3 + [2] + [1] * 10


class Dies(PretendWorkshop):
    """A worker that is killed in the fifth epoch of a plan, the first time or every time."""

    def __init__(self, folder, *, always) -> None:
        super().__init__()
        self.folder = folder
        self.always = always

    def rows_of(self, job):
        for row in super().rows_of(job):
            died = self.folder / f"{job.number}-died"
            if job.plan.dropout == 0.5 and row.epoch == 5 and (self.always or not died.exists()):
                died.touch()
                os.kill(os.getpid(), signal.SIGKILL)
            yield row


@pytest.mark.parametrize(("always", "status"), [(False, "complete"), (True, "failed")])
def test_a_plan_whose_worker_dies_is_tried_once_more_and_then_given_up(tmp_path, always, status):
    order = an_order(trials=4, baselines=[], early_stopping=False)
    _, rows, curves = run_search(tmp_path / "run", order, make_workshop=partial(Dies, tmp_path, always=always))
    assert [row["status"] for row in rows] == [status, "complete", "complete", "complete"]
    assert rows[0]["attempt"] == 2
    assert rows[0]["failure"] == ("the worker process died, 2 times" if always else None)
    told = [step["epoch"] for step in curves[0]]
    assert told == list(range(1, 5 if always else 10)), "no epoch is lost, none is told twice"


def test_a_search_that_was_interrupted_takes_up_what_it_cut_off(tmp_path):
    order = an_order(trials=6, early_stopping=False)
    budget = Budget(300.0)

    def interrupt(event):
        if isinstance(event, EpochEnded) and (event.number, event.epoch) == (3, 5):
            budget.interrupt(2)

    _, whole, curves = run_search(tmp_path / "whole", order)
    why, rows, _ = run_search(tmp_path / "stopped", order, listen=interrupt, budget=budget)
    assert why == "interrupted"
    assert [row["reason"] for row in rows] == [None, None, None, "interrupted"]
    study = Study(tmp_path / "stopped" / "study.db")
    reopen(study, reasons=("interrupted",))
    assert [row["status"] for row in study.trials()] == ["complete"] * 3 + ["running"]
    study.close()
    why, rows, again = run_search(tmp_path / "stopped", order)
    assert why == "trials"
    assert what_counts(rows) == what_counts(whole)
    assert again == curves


def test_more_trials_go_on_where_the_search_had_ended(tmp_path):
    run_search(tmp_path / "run", an_order(trials=4))
    _, longer, _ = run_search(tmp_path / "run", an_order(trials=9))
    assert [row["trial"] for row in longer] == list(range(11))
    assert sum(row["baseline"] is None for row in longer) == 9


def test_baselines_and_plans_that_only_wait_are_taken_up_without_being_asked_for_anew(tmp_path):
    space = a_space(head=Fixed(LINEAR), unfrozen_layers=Options({0: 0, 4: 4}))
    order, budget = an_order(space=space, trials=24, given=[], baselines=[]), Budget(300.0)

    def interrupt(event):
        if isinstance(event, EpochEnded):
            budget.interrupt(15)

    run_search(tmp_path / "run", order, listen=interrupt, budget=budget)
    study = Study(tmp_path / "run" / "study.db")
    waited = trials_marked(study, NEVER_BEGAN)
    assert waited, "plans that did not fit into the first packet"
    reopen(study, reasons=("interrupted",))
    assert not trials_marked(study, NEVER_BEGAN)
    study.close()
    _, rows, _ = run_search(tmp_path / "run", order)
    assert waited <= {row["trial"] for row in rows}
    assert len(rows) == 24


def test_a_row_of_an_older_version_is_read_with_what_it_could_not_tell(tmp_path):
    run_search(tmp_path / "run", an_order(trials=1, baselines=[]))
    study = Study(tmp_path / "run" / "study.db")
    (row,) = study.trials()
    for name in ("attempt", "asked_batch_size", "memory_mb", "gpu_mb"):
        del row[name]
    study.put_trial(0, "running", row)
    (earlier,) = earlier_trials(study, modality="image")
    study.close()
    assert (earlier.row["attempt"], earlier.asked_plan) == (1, earlier.plan)
