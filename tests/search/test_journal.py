"""What workers report is on disk before anybody sees it, whatever became of the trial."""

import json
import math
import sqlite3

import pytest

from autotl.backbones import BackboneSpec
from autotl.plan import Plan
from autotl.plan.fields import parse_plan
from autotl.run import RunFolder, Study
from autotl.run.trial_row import new_row
from autotl.search.events import EpochEnded, FeaturesComputed, TrialEnded, TrialStarted
from autotl.search.journal import Journal
from autotl.search.proposer import Proposal
from autotl.task.yaml_reader import read_yaml

PLAN = Plan(BackboneSpec("scratch", "small_cnn"), epochs=3, seed=11)
SIZE = {"params": 10, "model_mb": 0.5, "flops": 100}
SCORE = {"value": 0.9, "low": 0.8, "high": 0.95, "kind": "validation"}


class Desk:
    """A journal with its folder and database, and what it told."""

    def __init__(self, folder) -> None:
        self.run = RunFolder.create(folder / "run")
        self.study = Study(self.run.path / "study.db")
        self.events = []
        self.on_disk = []
        self.journal = Journal(self.run, self.study, self._listen, score_kind="validation", spent=lambda: 12.5)

    def _listen(self, event) -> None:
        self.events.append(event)
        with sqlite3.connect(self.run.path / "study.db") as second:
            self.on_disk.append([json.loads(row) for (row,) in second.execute("SELECT row FROM autotl_trials")])

    def start(self, number=0, baseline=None):
        self.journal.started(Proposal(number, PLAN, baseline, propose_seconds=0.25))

    def epochs(self, *scores, number=0):
        for epoch, score in enumerate(scores, start=1):
            self.journal.epoch(number, report(epoch, score))

    def curve(self, number=0) -> list[str]:
        return (self.run.trial(number) / "curve.csv").read_text().splitlines()


@pytest.fixture
def desk(tmp_path):
    found = Desk(tmp_path)
    yield found
    found.study.close()


def report(epoch, score, **more):
    seconds = {"features": 1.0, "train": 2.0 * epoch, "score": 0.5, "propose": 0.0, "overhead": 0.1}
    return {"epoch": epoch, "train_loss": 1.0 / max(epoch, 1), "score": score, "seconds": seconds, "size": SIZE, **more}


def final(epoch, score):
    return report(epoch, score, final={"score": {**SCORE, "value": score}, "scores": {"accuracy": score}})


def test_a_trial_that_begins_is_written_with_its_plan_before_it_is_told(desk):
    desk.start(baseline="linear_probe")
    assert desk.events == [TrialStarted(0, PLAN.as_dict(), "linear_probe")]
    assert [(row["trial"], row["status"], row["baseline"]) for row in desk.on_disk[0]] == [
        (0, "running", "linear_probe")
    ]
    written = read_yaml(desk.run.trial(0) / "plan.yaml").value
    assert parse_plan(written, where="plan.yaml", folder=desk.run.path) == PLAN


def test_a_complete_trial_has_score_curve_size_and_time(desk):
    desk.start()
    desk.epochs(0.5, 0.7)
    desk.journal.epoch(0, final(3, 0.9))
    row = desk.journal.ended(0, "complete", reason=None, report=final(3, 0.9))
    assert (row["status"], row["score"], row["scores"]) == ("complete", SCORE, {"accuracy": 0.9})
    assert (row["epochs"], row["failure"], row["reason"]) == (3, None, None)
    assert {name: row[name] for name in SIZE} == SIZE
    assert row["seconds"] == {"features": 1.0, "train": 6.0, "score": 0.5, "propose": 0.25, "overhead": 0.1}
    assert desk.study.trials() == [row]
    assert desk.curve() == ["epoch,train_loss,score", "1,1,0.5", "2,0.5,0.7", "3,0.333333,0.9"]
    assert [step["score"] for step in desk.study.curves()[0]] == [0.5, 0.7, 0.9]


def test_an_ended_trial_is_on_disk_before_it_is_told(desk):
    desk.start()
    desk.epochs(0.5)
    desk.journal.ended(0, "pruned", reason="stopped early after epoch 1", report=report(1, 0.5))
    assert [type(event) for event in desk.events] == [TrialStarted, EpochEnded, TrialEnded]
    assert desk.on_disk[-1] == [desk.events[-1].row]
    assert desk.on_disk[-1][0]["status"] == "pruned"


def test_a_pruned_trial_keeps_its_last_score_without_an_interval(desk):
    desk.start()
    desk.epochs(0.5, 0.4)
    row = desk.journal.ended(0, "pruned", reason="budget", report=report(2, 0.4))
    assert row["score"] == {"value": 0.4, "low": None, "high": None, "kind": "validation"}
    assert (row["failure"], row["reason"], row["epochs"]) == (None, "budget", 2)


@pytest.mark.parametrize("status", ["failed", "skipped"])
def test_a_trial_without_an_epoch_keeps_its_reason_and_an_empty_curve(desk, status):
    desk.start()
    desk.journal.epoch(0, {**report(0, math.nan), "size": None})
    row = desk.journal.ended(0, status, reason="the worker process died", report=None)
    assert (row["failure"], row["score"], row["epochs"]) == ("the worker process died", None, 0)
    assert desk.curve() == ["epoch,train_loss,score"]
    assert not any(isinstance(event, EpochEnded) for event in desk.events), "an epoch that was not trained is not told"


def test_a_diverged_trial_is_written_without_harm(desk):
    desk.start()
    desk.epochs(0.5, math.nan)
    row = desk.journal.ended(0, "failed", reason="diverged", report=report(2, math.nan))
    assert math.isnan(row["score"]["value"])
    assert desk.study.trials()[0]["failure"] == "diverged"
    assert desk.curve()[-1] == "2,0.5,nan"


def test_a_plan_that_cannot_be_trained_here_stays_visible(desk):
    desk.journal.skipped(4, PLAN.as_dict(), "weights are not at hand")
    (row,) = desk.study.trials()
    assert (row["trial"], row["status"], row["failure"]) == (4, "skipped", "weights are not at hand")


def test_a_row_shares_nothing_with_the_plan_it_was_made_of():
    plan = PLAN.as_dict()
    new_row(0, plan, baseline=None)["plan"]["epochs"] = 99
    assert plan["epochs"] == 3


def test_waiting_for_features_is_told_and_nothing_is_written_down(tmp_path):
    desk = Desk(tmp_path)
    desk.start()
    desk.journal.features(0, {"done": 256, "rows": 500, "seconds_left": 3.5})
    assert desk.events[-1] == FeaturesComputed(0, 256, 500, 3.5)
    assert desk.on_disk[-1] == desk.on_disk[-2]


@pytest.mark.parametrize(
    ("status", "reason", "is_kept"),
    [("complete", None, False), ("pruned", "stopped early after epoch 1", False), ("pruned", "interrupted", True)],
)
def test_a_checkpoint_goes_when_its_trial_is_at_its_own_end_and_on_disk(desk, status, reason, is_kept):
    desk.start()
    checkpoint = desk.run.trial(0) / "checkpoint.npz"
    checkpoint.touch()
    with desk.journal.together():
        desk.journal.ended(0, status, reason=reason, report=final(3, 0.9) if status == "complete" else None)
        assert checkpoint.exists(), "a kill now would still need it"
    assert checkpoint.exists() is is_kept


def test_a_trial_that_goes_on_keeps_its_row_and_counts_its_attempt(desk):
    desk.start()
    desk.epochs(0.5)
    desk.journal.resumed(Proposal(0, PLAN, None, 0.0))
    (row,) = desk.study.trials()
    assert (row["status"], row["attempt"], row["epochs"], row["seconds"]["train"]) == ("running", 2, 1, 2.0)
    assert isinstance(desk.events[-1], TrialStarted)


def test_seconds_on_the_run_are_written_with_whatever_is_written(desk):
    with desk.journal.together():
        desk.start()
    assert desk.study.facts()["seconds_spent"] == 12.5
