"""Whole searches on Ray Tune with a pretend workshop: no TensorFlow, but the real proposer, journal and database."""

import json
import math
import os
import sys
import time
from dataclasses import replace
from functools import partial

import optuna
import pytest
import ray
from optuna.trial import TrialState

from autotl.backbones import BackboneSpec
from autotl.errors import EnvironmentProblemError, StorageError
from autotl.plan import Plan
from autotl.plan.baselines import Baseline
from autotl.plan.space import Fixed, Options, Range, Space
from autotl.run import RunFolder, Study
from autotl.search.budget import Budget
from autotl.search.events import TrialEnded
from autotl.search.run import SearchOrder, search
from autotl.trial.outcome import Ending, EpochRow, Seconds, Size

EPOCHS = 9
pickled_by_value = ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])


class PretendWorkshop:
    """Scores a plan by its learning rate; some weight decays stand for misfortunes."""

    def __init__(self, seconds_per_epoch: float = 0.0) -> None:
        self.seconds_per_epoch = seconds_per_epoch

    def train(self, packet):
        (job,) = packet
        best = 1.0 - abs(math.log10(job.plan.learning_rate) + 2.5) / 4
        size = Size(params=1, model_mb=1.0, flops=1)
        for epoch in range(1, job.plan.epochs + 1):
            time.sleep(self.seconds_per_epoch)
            score = best * (1 - 0.5**epoch)
            if job.plan.weight_decay in (0.11, 0.12, 0.13) and epoch == 2:
                bad = {0.11: math.nan, 0.12: math.inf, 0.13: -math.inf}[job.plan.weight_decay]
                yield EpochRow(job.number, epoch, bad, bad, Seconds(), size, Ending("failed", f"diverged: {bad}"))
                return
            if job.plan.weight_decay == 0.14:
                os._exit(1)
            ending = None
            if epoch == job.plan.epochs:
                value = {"value": score, "low": None, "high": None, "kind": "validation"}
                ending = Ending("complete", score=value, scores={"accuracy": score})
            yield EpochRow(job.number, epoch, 1 - score, score, Seconds(train=0.01), size, ending)


@pytest.fixture(scope="module")
def four_gpus():
    """A private cluster that believes it has four GPUs."""
    ray.init(
        address="local", num_cpus=8, num_gpus=4, include_dashboard=False, log_to_driver=False, logging_level="ERROR"
    )
    yield
    ray.shutdown()


def a_space(**changes) -> Space:
    backbone = BackboneSpec(origin="scratch", name="small_cnn")
    dimensions = {
        "backbone": Fixed(backbone),
        "unfrozen_layers": Options({0: 0, 4: 4}),
        "learning_rate": Range(1e-5, 1.0, "log"),
        "epochs": Fixed(EPOCHS),
        **changes,
    }
    defaults = {name: getattr(Plan, name) for name in Plan.__dataclass_fields__ if name not in ("backbone", "seed")}
    return Space(
        {
            "backbone": dimensions["backbone"],
            "adaptation": Fixed(Plan.adaptation),
            **{name: Fixed(value) for name, value in defaults.items()},
            **dimensions,
        }
    )


def run_search(tmp_path, *, make_workshop=PretendWorkshop, wall=120.0, name="run", **changes):
    order = {
        "name": "toy",
        "space": a_space(),
        "baselines": [],
        "given": [],
        "unavailable": [],
        "trials": 10,
        "seed": 0,
        "higher_is_better": True,
        "score_kind": "validation",
        "early_stopping": True,
        "deterministic": False,
        "cpus_per_trial": 1,
        "gpus_per_trial": "auto",
        "workers": None,
        **changes,
    }
    run = RunFolder.create(tmp_path / name)
    study = Study(run.path / "study.db")
    events = []
    why = search(SearchOrder(**order), run, study, Budget(wall), make_workshop=make_workshop, listen=events.append)
    rows = study.trials()
    curves = study.curves()
    study.close()
    loaded = optuna.load_study(study_name="toy", storage=f"sqlite:///{run.path / 'study.db'}")
    return why, rows, curves, loaded.get_trials(), events


def a_plan(**values) -> Plan:
    return Plan(BackboneSpec(origin="scratch", name="small_cnn"), epochs=EPOCHS, **values)


def test_a_plan_stopped_early_is_pruned_with_all_its_steps_and_only_complete_plans_carry_a_value(tmp_path, four_gpus):
    why, rows, curves, trials, events = run_search(tmp_path, trials=16)
    assert why == "trials"
    assert len(rows) == 16
    assert sum(isinstance(event, TrialEnded) for event in events) == 16
    stopped = [row for row in rows if row["status"] == "pruned"]
    assert stopped, "early stopping must have stopped some of 16 plans"
    for row in rows:
        trial = trials[row["trial"]]
        steps = [step["epoch"] for step in curves[row["trial"]]]
        assert steps == list(range(1, row["epochs"] + 1))
        assert sorted(trial.intermediate_values) == steps
        if row["status"] == "pruned":
            assert trial.state == TrialState.PRUNED
            assert row["epochs"] < EPOCHS
            assert row["reason"] == f"stopped early after epoch {row['epochs']}"
        else:
            assert (row["status"], trial.state) == ("complete", TrialState.COMPLETE)
            assert row["epochs"] == EPOCHS
    assert not any(trial.state in (TrialState.RUNNING, TrialState.WAITING) for trial in trials)


def test_diverged_and_dead_trials_fail_with_a_reason_and_never_win(tmp_path, four_gpus):
    given = [a_plan(weight_decay=decay) for decay in (0.11, 0.12, 0.13, 0.14)]
    _, rows, _, trials, _ = run_search(tmp_path, trials=8, given=given, early_stopping=False)
    assert [row["status"] for row in rows[:4]] == ["failed"] * 4
    assert [trial.state for trial in trials[:4]] == [TrialState.FAIL] * 4
    for row, word in zip(rows, ("nan", "inf", "-inf", "the worker process died"), strict=False):
        assert word in row["failure"]
    assert all(row["status"] == "complete" for row in rows[4:])
    best = max((trial for trial in trials if trial.state == TrialState.COMPLETE), key=lambda trial: trial.value)
    assert best.number >= 4
    assert math.isfinite(best.value)


class WithoutLabels(PretendWorkshop):
    """Every trial reports label-free scores; those of small learning rates forget the source."""

    def train(self, packet):
        for row in super().train(packet):
            if row.ending is None or row.ending.scores == {}:
                yield row
                continue
            forgot = packet[0].plan.learning_rate < 1e-3
            scores = {
                "source_accuracy": 0.5 if forgot else 0.9,
                "infomax": row.score,
                "infomax_deviation": 0.02,
                "mixval": 0.7,
                "mixval_deviation": 0.03,
                "classes_predicted": 3.0,
            }
            score = {"value": 0.3, "low": None, "high": None, "kind": "label_free"}
            yield replace(row, ending=replace(row.ending, score=score, scores=scores))


def test_without_target_labels_optuna_is_told_the_gain_over_source_only(tmp_path, four_gpus):
    baselines = [Baseline("source_only", a_plan(learning_rate=0.1))]
    given = [a_plan(learning_rate=1e-5), a_plan(learning_rate=10**-2.5)]
    _, rows, _, trials, _ = run_search(
        tmp_path,
        make_workshop=WithoutLabels,
        trials=5,
        baselines=baselines,
        given=given,
        workers=1,
        score_kind="label_free",
        early_stopping=False,
        higher_is_better=False,  # of a task's loss; of a gain more is better all the same
    )
    values = [trial.value for trial in trials]
    assert values[:2] == [0.0, -1.0]
    assert 0 < values[2] < 1
    assert rows[2]["score"]["value"] == 0.3, "the row keeps what the trial reported"
    assert all(math.isfinite(value) for value in values)


def test_given_plans_come_first_and_equal_plans_run_once(tmp_path, four_gpus):
    plan = a_plan(learning_rate=0.02)
    _, rows, _, _, _ = run_search(tmp_path, trials=3, given=[plan, plan], workers=1)
    assert rows[0]["plan"]["learning_rate"] == 0.02
    assert sum(row["plan"]["learning_rate"] == 0.02 for row in rows) == 1


def test_an_exhausted_space_ends_the_search_and_says_so(tmp_path, four_gpus):
    space = a_space(learning_rate=Fixed(0.01))
    why, rows, _, _, _ = run_search(tmp_path, trials=10, space=space)
    assert why == "the space holds no further plan"
    assert len(rows) == 2


def test_baselines_are_first_marked_uncounted_and_never_stopped_early(tmp_path, four_gpus):
    bad = a_plan(learning_rate=1e-8)
    _, rows, _, _, _ = run_search(tmp_path, trials=9, baselines=[Baseline("linear_probe", bad)], workers=1)
    assert rows[0]["baseline"] == "linear_probe"
    assert rows[0]["status"] == "complete"
    assert sum(row["baseline"] is None for row in rows) == 9


def test_a_finished_short_baseline_does_not_stop_the_plans_that_are_on_their_way(tmp_path, four_gpus):
    """Its final score stands where the others have their third epoch's."""
    perfect = replace(a_plan(learning_rate=10**-2.5), epochs=3)
    baselines = [Baseline("full_finetune", perfect)]
    _, rows, _, _, _ = run_search(
        tmp_path, trials=6, baselines=baselines, workers=1, given=[a_plan(learning_rate=0.05)]
    )
    first = next(row for row in rows if row["baseline"] is None)
    assert first["status"] == "complete", "the first plan on its way has nobody to be compared with"


def test_plans_without_weights_stay_visible_as_skipped(tmp_path, four_gpus):
    plan = Plan(BackboneSpec(origin="application", name="VGG16", weights="imagenet"))
    _, rows, _, trials, _ = run_search(tmp_path, trials=1, unavailable=[(plan, "weights are not at hand")])
    assert (rows[0]["status"], rows[0]["failure"]) == ("skipped", "weights are not at hand")
    assert trials[0].state == TrialState.FAIL


def test_a_spent_budget_ends_running_trials_as_pruned(tmp_path, four_gpus):
    slow = lambda: PretendWorkshop(seconds_per_epoch=0.5)  # noqa: E731
    begun = time.monotonic()
    why, rows, _, trials, _ = run_search(tmp_path, make_workshop=slow, trials=500, wall=16.0)
    assert time.monotonic() - begun < 16.0 + 15.0
    assert why == "budget"
    assert any((row["status"], row["reason"]) == ("pruned", "budget") for row in rows)
    assert not any(trial.state == TrialState.RUNNING for trial in trials)
    assert not any(row["status"] == "running" for row in rows)


def test_the_same_seed_and_one_worker_give_the_same_plans_and_scores(tmp_path, four_gpus):
    first, second = (run_search(tmp_path, trials=12, workers=1, name=name)[1] for name in ("a", "b"))
    assert [row["plan"] for row in first] == [row["plan"] for row in second]
    assert [row["score"] for row in first] == [row["score"] for row in second]


class SeesDevices(PretendWorkshop):
    """Writes down which GPUs its process may use. No trial goes on before all places have been filled at once."""

    def __init__(self, folder, at_once) -> None:
        super().__init__()
        self.folder = folder
        self.at_once = at_once

    def train(self, packet):
        here = self.folder / f"running-{packet[0].number}"
        here.write_text("")
        self.wait_until_all_places_are_filled()
        for row in super().train(packet):
            if row.ending is not None:
                running = len(list(self.folder.glob("running-*")))
                entry = {"device": os.environ.get("CUDA_VISIBLE_DEVICES", ""), "pid": os.getpid(), "running": running}
                (self.folder / f"ended-{row.number}").write_text(json.dumps(entry))
                here.unlink()
            yield row

    def wait_until_all_places_are_filled(self) -> None:
        filled = self.folder / "all-places-filled"
        give_up = time.monotonic() + 90
        while not filled.exists() and time.monotonic() < give_up:
            if len(list(self.folder.glob("running-*"))) >= self.at_once:
                filled.write_text("")
            time.sleep(0.02)


@pytest.mark.parametrize(("share", "at_once"), [(1, 4), (0.5, 8)])
def test_trials_spread_over_gpus_each_seeing_its_own_and_none_idle(tmp_path, four_gpus, share, at_once):
    folder = tmp_path / "seen"
    folder.mkdir()
    make = lambda: SeesDevices(folder, at_once)  # noqa: E731
    run_search(tmp_path, make_workshop=make, trials=40, gpus_per_trial=share, early_stopping=False)
    seen = [json.loads(path.read_text()) for path in folder.glob("ended-*")]
    assert len(seen) == 40
    assert (folder / "all-places-filled").exists(), "a place stayed idle while plans waited"
    assert max(entry["running"] for entry in seen) <= at_once
    assert {entry["device"] for entry in seen} == {"0", "1", "2", "3"}, "every GPU works and no trial sees two"
    device_of = {}
    for entry in seen:
        assert device_of.setdefault(entry["pid"], entry["device"]) == entry["device"], "a worker keeps its GPU"
    workers_on = [list(device_of.values()).count(device) for device in "0123"]
    assert workers_on == [at_once // 4] * 4


def test_trouble_on_our_own_side_ends_the_search_by_its_own_name(tmp_path, four_gpus, monkeypatch):
    """A full disk met inside Ray's callbacks is still a full disk, and no trial is left running."""
    put_trial, ended = Study.put_trial, []

    def fills_up(study, number, status, row):
        if status != "running":
            ended.append(number)
            if len(ended) == 3:
                raise StorageError("study.db: database or disk is full")
        put_trial(study, number, status, row)

    monkeypatch.setattr(Study, "put_trial", fills_up)
    with pytest.raises(StorageError, match="disk is full"):
        run_search(tmp_path, trials=200, make_workshop=partial(PretendWorkshop, 0.02), workers=1)
    assert len(ended) < 10, "no further trial was begun"
    rows = Study(tmp_path / "run" / "study.db").trials()
    assert sum(row["status"] != "running" for row in rows) >= 2


def test_a_trial_that_asks_for_more_cores_than_the_machine_has_is_refused_however_many_workers(tmp_path):
    with pytest.raises(EnvironmentProblemError, match=r"resources\.cpus_per_trial"):
        run_search(tmp_path, cpus_per_trial=10_000, workers=1)
