"""A trial goes on from its checkpoint to exactly where it would have come without a kill."""

from dataclasses import replace

import numpy as np
import pytest
from pretend import a_plan, a_task, a_workshop
from pretend_domains import two_domains

from autotl.adaptation import METHODS
from autotl.plan import Choice
from autotl.run import trial_files
from autotl.trial import progress
from autotl.trial.outcome import Job


@pytest.fixture(autouse=True)
def after_every_epoch(monkeypatch):
    monkeypatch.setattr(progress, "SECONDS_BETWEEN", 0.0)


def trained(workshop, *jobs, rungs=()):
    """Rows by trial number."""
    rows = {job.number: [] for job in jobs}
    for row in workshop.train(list(jobs), rungs=rungs):
        if row.features is None:
            rows[row.number].append(row)
    return rows


def through_a_file(checkpoint, folder):
    trial_files.write_checkpoint(folder, checkpoint)
    return trial_files.read_checkpoint(folder)


def curve(rows):
    return [(row.epoch, row.train_loss, row.score) for row in rows]


def assert_same(rows, whole):
    np.testing.assert_array_equal(curve(rows), curve(whole))
    for ours, theirs in zip(rows[-1].ending.weights, whole[-1].ending.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert rows[-1].ending.score == whole[-1].ending.score


@pytest.mark.parametrize("folds", [1, 3])
def test_the_rest_of_a_trial_is_the_same_in_another_process(tmp_path, folds):
    hidden = Choice("hidden", {"units": 8})
    plan = a_plan(epochs=4, unfrozen_layers=2, head=hidden, dropout=0.3, label_smoothing=0.1)
    data = a_task(folds=folds)
    whole = trained(a_workshop(tmp_path, data), Job(0, plan))[0]
    assert [row.checkpoint is not None for row in whole] == [True, True, True, False]
    for done in (1, 3):
        checkpoint = through_a_file(whole[done - 1].checkpoint, tmp_path)
        assert checkpoint.epochs == done
        other = a_workshop(tmp_path / str(done), data)
        assert_same(trained(other, Job(0, plan, checkpoint=checkpoint))[0], whole)


@pytest.mark.parametrize(("method", "epochs", "last"), [("dann", {}, 2), ("shot", {"epochs": 2}, 3)])
def test_adaptation_goes_on_in_whatever_phase_it_was(tmp_path, method, epochs, last):
    data = two_domains()
    plan = a_plan(epochs=3, unfrozen_layers=2, adaptation=Choice(method, {**METHODS[method].defaults, **epochs}))
    whole = trained(a_workshop(tmp_path, data), Job(0, plan))[0]
    other = a_workshop(tmp_path / "other", data)
    for done in (1, last, last + 1)[: len(whole) - 2]:
        checkpoint = through_a_file(whole[done - 1].checkpoint, tmp_path)
        assert_same(trained(other, Job(0, plan, checkpoint=checkpoint))[0], whole)


def heads(count):
    return [a_plan(epochs=5, learning_rate=1e-3 * (1 + number), dropout=0.2) for number in range(count)]


def test_heads_side_by_side_go_on_together(tmp_path):
    jobs = [Job(number, plan) for number, plan in enumerate(heads(4))]
    whole = trained(a_workshop(tmp_path), *jobs)
    taken = [replace(job, checkpoint=through_a_file(whole[job.number][1].checkpoint, tmp_path)) for job in jobs]
    for number, rows in trained(a_workshop(tmp_path / "other"), *taken).items():
        assert_same(rows, whole[number])


def test_one_that_is_left_of_a_packet_goes_on_as_a_packet(tmp_path):
    jobs = [Job(number, plan) for number, plan in enumerate(heads(4))]
    whole = trained(a_workshop(tmp_path), *jobs)
    left = replace(jobs[2], checkpoint=whole[2][2].checkpoint)
    assert_same(trained(a_workshop(tmp_path / "other"), left)[2], whole[2])


def test_checkpoints_of_different_epochs_meet_again(tmp_path):
    """A kill between two files leaves some of a packet an epoch behind, or without any."""
    jobs = [Job(number, plan) for number, plan in enumerate(heads(3))]
    whole = trained(a_workshop(tmp_path), *jobs)
    taken = [jobs[0], *(replace(job, checkpoint=whole[job.number][job.number].checkpoint) for job in jobs[1:])]
    for number, rows in trained(a_workshop(tmp_path / "other"), *taken).items():
        assert_same(rows, whole[number])


def test_a_checkpoint_of_another_plan_is_not_gone_on_from(tmp_path):
    plan = a_plan(epochs=3, unfrozen_layers=2)
    checkpoint = trained(a_workshop(tmp_path), Job(0, plan))[0][1].checkpoint
    for other in (replace(plan, seed=8), replace(plan, batch_size=8)):
        rows = trained(a_workshop(tmp_path / str(other.seed)), Job(0, other, checkpoint=checkpoint))[0]
        assert_same(rows, trained(a_workshop(tmp_path), Job(0, other))[0])


def test_between_two_checkpoints_some_time_passes(tmp_path, monkeypatch):
    monkeypatch.setattr(progress, "SECONDS_BETWEEN", 1e9)
    rows = trained(a_workshop(tmp_path), Job(0, a_plan(epochs=3, unfrozen_layers=2)))[0]
    assert all(row.checkpoint is None for row in rows)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut off", b"\x80\x04N."], ids=["empty", "cut off", "a pickle"])
def test_a_damaged_checkpoint_is_passed_over(tmp_path, content):
    (tmp_path / trial_files.CHECKPOINT).write_bytes(content)
    assert trial_files.read_checkpoint(tmp_path) is None
