"""Plans trained side by side end as they would alone, each by its own rules."""

import time
from dataclasses import replace

import keras
import numpy as np
import pytest
from pretend import a_plan, a_task, a_task_of_numbers, a_task_of_sets, a_workshop
from pretend_domains import two_domains

from autotl.adaptation import METHODS
from autotl.errors import EnvironmentProblemError
from autotl.plan import Choice
from autotl.trial import head_learner, network_bench, side_by_side
from autotl.trial.halving import left_behind, rungs_below
from autotl.trial.head_learner import HeadBench
from autotl.trial.outcome import Job, OutOfTimeError
from autotl.trial.side_by_side import SIZES

VARIED = [
    a_plan(seed=1),
    a_plan(learning_rate=3e-2, seed=2),
    a_plan(weight_decay=0.3, seed=3),
    a_plan(dropout=0.4, seed=4),
    a_plan(label_smoothing=0.2, dropout=0.1, seed=5),
    a_plan(epochs=5, seed=6),
]


def train(workshop, plans, **values):
    """The rows of every plan, by its place."""
    rows: dict[int, list] = {}
    deadline = values.pop("deadline", float("inf"))
    for row in workshop.train([Job(number, plan, deadline) for number, plan in enumerate(plans)], **values):
        if row.features is None:  # on a busy machine a plan may say that it waits for them
            rows.setdefault(row.number, []).append(row)
    return [rows[number] for number in range(len(plans))]


def assert_equal(one, other, *, within=1e-4):
    """Rows of a plan trained in two ways."""
    assert [row.epoch for row in one] == [row.epoch for row in other]
    np.testing.assert_allclose([row.train_loss for row in one], [row.train_loss for row in other], atol=within)
    np.testing.assert_allclose([row.score for row in one], [row.score for row in other], atol=within)
    assert one[-1].size == other[-1].size
    mine, theirs = one[-1].ending, other[-1].ending
    assert mine.status == theirs.status == "complete"
    for name in ("validation", "target", "features"):
        np.testing.assert_allclose(getattr(mine.outputs, name), getattr(theirs.outputs, name), atol=within)
    for name in ("mixed", "source_features", "classifier_weights"):
        found, same = getattr(mine.outputs, name), getattr(theirs.outputs, name)
        assert (found is None) == (same is None)
        if found is not None:
            np.testing.assert_allclose(found, same, atol=within)
    for weight, same in zip(mine.weights, theirs.weights, strict=True):
        np.testing.assert_allclose(weight, same, atol=within)


@pytest.mark.parametrize(("folds", "views", "batch_size"), [(1, 0, 16), (1, 2, 16), (5, 0, 16), (3, 1, 7)])
def test_plans_side_by_side_equal_the_same_plans_one_by_one(tmp_path, folds, views, batch_size):
    plans = [replace(plan, views=views, batch_size=batch_size) for plan in VARIED]
    data = a_task(folds=folds, rows=118)  # folds differ in size, and no batch size divides them
    together = train(a_workshop(tmp_path / "together", data), plans)
    one_by_one = a_workshop(tmp_path / "alone", data)
    for plan, packed in zip(plans, together, strict=True):
        assert len(packed) == plan.epochs
        assert_equal(packed, train(one_by_one, [plan])[0])


def test_without_target_labels_they_are_equal_too_with_examples_weighed_and_inputs_mixed(tmp_path):
    data = two_domains()
    weighed = Choice("importance", METHODS["importance"].defaults)
    plans = [a_plan(seed=1), a_plan(adaptation=weighed, seed=2), a_plan(learning_rate=1e-2, adaptation=weighed, seed=3)]
    together = train(a_workshop(tmp_path / "together", data), plans)
    one_by_one = a_workshop(tmp_path / "alone", data)
    for plan, packed in zip(plans, together, strict=True):
        alone = train(one_by_one, [plan])[0]
        assert packed[-1].ending.outputs.mixed is not None
        packed, alone = ([replace(row, score=0.0) for row in rows] for rows in (packed, alone))
        assert_equal(packed, alone)


@pytest.mark.parametrize("balanced", [False, True])
def test_with_several_labels_each_they_are_equal_too(tmp_path, balanced):
    data = a_task_of_sets(rows=118, folds=3)
    together = train(a_workshop(tmp_path / "together", data, metric="log_loss", balanced=balanced), VARIED)
    one_by_one = a_workshop(tmp_path / "alone", data, metric="log_loss", balanced=balanced)
    for plan, packed in zip(VARIED, together, strict=True):
        assert_equal(packed, train(one_by_one, [plan])[0])
    learnt = together[1][-1]
    assert learnt.ending.scores["average_precision"] > 0.8
    assert np.ptp(learnt.ending.outputs.validation.sum(axis=1)) > 0.3  # each label alone
    assert learnt.ending.scores["subset_accuracy"] > 0.5


@pytest.mark.parametrize("metric", ["rmse", "mae"])
def test_with_numbers_they_are_equal_too(tmp_path, metric):
    data = a_task_of_numbers(rows=118, folds=3, metric=metric)
    together = train(a_workshop(tmp_path / "together", data, metric=metric), VARIED)
    one_by_one = a_workshop(tmp_path / "alone", data, metric=metric)
    for plan, packed in zip(VARIED, together, strict=True):
        assert_equal(packed, train(one_by_one, [plan])[0], within=1e-3)  # in units of which labels deviate by six
    learnt = together[1][-1].ending
    assert learnt.scores["r2"] > 0.9
    said = one_by_one.trained(VARIED[1].canonical(), learnt.weights).predict(data.target_rows)[0]
    assert said == pytest.approx(learnt.outputs.target, rel=1e-4)  # in the task's own unit without knowing of another


def test_a_packet_says_the_same_whatever_shares_it_and_whatever_came_before(tmp_path):
    plan = a_plan(dropout=0.3, seed=9)
    workshop = a_workshop(tmp_path)
    first = train(workshop, [plan, *VARIED])[0]
    many = [a_plan(learning_rate=1e-3 * (1 + number), seed=number) for number in range(SIZES[-1] + 3)]
    again = train(workshop, [*many, plan])[-1]
    assert_equal(first, again)


def test_one_compiled_step_serves_twenty_packets(tmp_path, monkeypatch):
    traces = []
    original = keras.ops.log_softmax
    monkeypatch.setattr(keras.ops, "log_softmax", lambda *args, **kwargs: traces.append(1) or original(*args, **kwargs))
    workshop = a_workshop(tmp_path)
    for number in range(20):
        rates = [1e-3 * (1 + number), 1e-2]
        train(workshop, [a_plan(learning_rate=rate, dropout=0.02 * number, seed=number, epochs=1) for rate in rates])
        if number == 0:
            first = len(traces)
    assert first > 0
    assert len(traces) == first


def test_steps_in_one_call_are_steps_one_by_one(tmp_path, monkeypatch):
    data = a_task(folds=3, rows=118)
    expected = train(a_workshop(tmp_path / "in one call", data), VARIED)
    monkeypatch.setattr(side_by_side, "in_one_call", side_by_side.one_by_one)
    for one, other in zip(train(a_workshop(tmp_path / "one by one", data), VARIED), expected, strict=True):
        assert_equal(one, other)


def test_a_plan_that_diverges_fails_alone(tmp_path):
    plans = [a_plan(seed=1), a_plan(learning_rate=1e38, seed=2), a_plan(seed=3)]
    one, diverged, other = train(a_workshop(tmp_path / "together"), plans)
    assert diverged[-1].ending.status == "failed"
    assert "diverged" in diverged[-1].ending.reason
    alone = a_workshop(tmp_path / "alone")
    assert_equal(one, train(alone, [plans[0]])[0])
    assert_equal(other, train(alone, [plans[2]])[0])


def test_the_best_third_goes_on_at_each_rung(tmp_path):
    plans = [a_plan(learning_rate=10.0 ** -(1 + 0.5 * number), epochs=4, seed=number) for number in range(9)]
    rows = train(a_workshop(tmp_path), plans, rungs=(1, 3))
    assert sorted(len(each) for each in rows) == [1] * 6 + [3] * 2 + [4]
    for each in rows:
        ending = each[-1].ending
        if len(each) < 4:
            assert (ending.status, ending.reason) == ("pruned", f"stopped early after epoch {len(each)}")
            assert ending.outputs is None
        else:
            assert ending.status == "complete"
    after_first = [each[0].score for each in rows]
    stopped = [each[0].score for each in rows if len(each) == 1]
    assert max(stopped) <= sorted(after_first, reverse=True)[2]
    everyone = train(a_workshop(tmp_path), plans)
    assert all(each[-1].ending.status == "complete" for each in everyone), "nobody is stopped without rungs"


def test_rungs_are_those_of_plans_that_run_alone_and_ties_go_to_the_earlier_trial():
    assert rungs_below(10) == (3, 9)
    assert rungs_below(9) == (3,)
    assert rungs_below(3) == ()
    assert left_behind({4: 0.5, 7: 0.5, 2: 0.1, 9: 0.5}, higher_is_better=True) == {9, 2}
    assert left_behind({4: 0.5, 7: 0.4}, higher_is_better=False) == {4}
    assert left_behind({}, higher_is_better=True) == frozenset()


def test_a_deadline_prunes_what_is_left_of_a_packet(tmp_path):
    plans = [a_plan(epochs=1, seed=1), a_plan(epochs=100_000, seed=2)]
    short, endless = train(a_workshop(tmp_path), plans, deadline=time.monotonic() + 4)
    assert short[-1].ending.status == "complete"
    assert (endless[-1].ending.status, endless[-1].ending.reason) == ("pruned", "budget")
    assert 1 <= endless[-1].epoch < 100_000


@pytest.mark.parametrize("trouble", ["features too large", "a crash on the way"])
def test_what_cannot_be_trained_side_by_side_is_trained_one_by_one(tmp_path, monkeypatch, trouble):
    alone = a_workshop(tmp_path / "alone")
    expected = [train(alone, [plan])[0] for plan in VARIED]
    if trouble == "features too large":
        monkeypatch.setattr(head_learner, "LARGEST_MATRIX_BYTES", 1000)
        monkeypatch.setattr(HeadBench, "train_epoch", None)
    else:
        monkeypatch.setattr(HeadBench, "train_epoch", lambda *_: 1 / 0)
    for one, other in zip(train(a_workshop(tmp_path / "packet"), VARIED), expected, strict=True):
        assert [row.train_loss for row in one] == [row.train_loss for row in other]
        assert one[-1].ending.status == "complete"


def test_plans_of_several_structures_are_trained_one_after_the_other(tmp_path):
    plans = [a_plan(seed=1), a_plan(unfrozen_layers=3, seed=2), a_plan(head=Choice("hidden", {"units": 8}), seed=3)]
    rows = train(a_workshop(tmp_path), plans)
    assert [each[-1].ending.status for each in rows] == ["complete"] * 3


@pytest.mark.parametrize(
    ("error", "status"), [(EnvironmentProblemError("no weights at hand"), "skipped"), (OutOfTimeError(), "pruned")]
)
def test_what_keeps_a_network_from_being_loaded_ends_the_whole_packet(tmp_path, monkeypatch, error, status):
    def refuse(*_, **__):
        raise error

    monkeypatch.setattr(network_bench, "build_network", refuse)
    rows = train(a_workshop(tmp_path), VARIED)
    assert [each[-1].ending.status for each in rows] == [status] * len(VARIED)


def test_a_packet_closed_halfway_leaves_no_trace_in_the_next(tmp_path):
    workshop = a_workshop(tmp_path / "shared")
    stopped = workshop.train([Job(number, plan) for number, plan in enumerate(VARIED)])
    next(stopped)
    stopped.close()
    after = train(workshop, [a_plan(unfrozen_layers=3, seed=4)])[0]
    alone = train(a_workshop(tmp_path / "alone"), [a_plan(unfrozen_layers=3, seed=4)])[0]
    np.testing.assert_array_equal(after[-1].ending.outputs.validation, alone[-1].ending.outputs.validation)
    assert_equal(train(workshop, VARIED)[0], train(a_workshop(tmp_path / "fresh"), VARIED[:1])[0])
