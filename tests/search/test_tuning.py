"""Whole searches on Ray Tune with a pretend workshop: no TensorFlow, but the real proposer, journal and database."""

import json
import math
import os
import sys
import time
from dataclasses import replace
from functools import partial
from importlib import import_module

import optuna
import pytest
import ray
from optuna.trial import TrialState

from autotl.backbones import BackboneSpec
from autotl.errors import EnvironmentProblemError, StorageError
from autotl.features import ExtractionProgress
from autotl.plan import Choice, Plan
from autotl.plan.baselines import Baseline
from autotl.plan.space import Fixed, Options, Range, Space
from autotl.run import RunFolder, Study
from autotl.search.budget import Budget
from autotl.search.events import FeaturesComputed, TrialEnded
from autotl.search.run import SearchOrder, search
from autotl.trial.halving import left_behind
from autotl.trial.outcome import Ending, EpochRow, OutOfMemoryError, Seconds, Size

EPOCHS = 9
ALONE = Choice("hidden", {"units": 8})  # a head that is not trained beside others
pickled_by_value = ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])


class PretendWorkshop:
    """Scores a plan by its learning rate; some weight decays stand for misfortunes."""

    def __init__(self, seconds_per_epoch: float = 0.0) -> None:
        self.seconds_per_epoch = seconds_per_epoch

    def train(self, packet, *, rungs=()):
        """Epoch by epoch, as heads side by side are; the best third goes on."""
        under_way = {job.number: self.rows_of(job) for job in packet}
        for epoch in range(1, 1000):
            if not under_way:
                return
            rows = {number: next(rows) for number, rows in under_way.items()}
            under_way = {number: under_way[number] for number, row in rows.items() if row.ending is None}
            if len(packet) > 1 and epoch in rungs:
                scores = {number: rows[number].score for number in under_way}
                for number in left_behind(scores, higher_is_better=True):
                    rows[number] = replace(rows[number], ending=Ending("pruned", f"stopped early after epoch {epoch}"))
                    del under_way[number]
            yield from rows.values()

    def rows_of(self, job):
        best = 1.0 - abs(math.log10(job.plan.learning_rate) + 2.5) / 4
        size = Size(params=1, model_mb=1.0, flops=1)
        for epoch in range(1, job.plan.epochs + 1):
            time.sleep(self.seconds_per_epoch)
            score = best * (1 - 0.5**epoch)
            if job.plan.weight_decay in (0.11, 0.12, 0.13) and epoch == 2:
                bad = {0.11: math.nan, 0.12: math.inf, 0.13: -math.inf}[job.plan.weight_decay]
                yield EpochRow(job.number, epoch, bad, bad, Seconds(), size, Ending("failed", f"diverged: {bad}"))
                return
            if job.plan.weight_decay == 0.14 and epoch == 3:
                os._exit(1)
            ending = None
            if epoch == job.plan.epochs:
                value = {"value": score, "low": None, "high": None, "kind": "validation"}
                ending = Ending("complete", score=value, scores={"accuracy": score})
            yield EpochRow(job.number, epoch, 1 - score, score, Seconds(train=0.01), size, ending)


class WaitingWorkshop(PretendWorkshop):
    """Says twice that the features of its packet are on their way."""

    def train(self, packet, *, rungs=()):
        """Before the first epoch of the first plan, which stands for all."""
        for done in (256, 512):
            told = ExtractionProgress(done, 600, done, 1.0)
            yield EpochRow(packet[0].number, 0, math.nan, math.nan, Seconds(), None, features=told)
        yield from super().train(packet, rungs=rungs)


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
        "head": Fixed(ALONE),
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


@pytest.mark.parametrize("head", [ALONE, Choice("linear")], ids=["one by one", "packets"])
def test_trials_that_wait_for_their_features_say_so_and_go_on_like_others(tmp_path, four_gpus, head):
    space = a_space(head=Fixed(head), unfrozen_layers=Fixed(0))
    _, rows, curves, _, events = run_search(tmp_path, make_workshop=WaitingWorkshop, space=space, trials=6)
    told = [event for event in events if isinstance(event, FeaturesComputed)]
    assert {(event.done, event.rows) for event in told} == {(256, 600), (512, 600)}
    assert {event.number for event in told} <= {row["trial"] for row in rows}
    assert {row["status"] for row in rows} <= {"complete", "pruned"}
    assert all(step["epoch"] > 0 for steps in curves.values() for step in steps)


def a_plan(**values) -> Plan:
    return Plan(BackboneSpec(origin="scratch", name="small_cnn"), **{"epochs": EPOCHS, "head": ALONE, **values})


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

    def train(self, packet, *, rungs=()):
        for row in super().train(packet, rungs=rungs):
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

    def train(self, packet, *, rungs=()):
        here = self.folder / f"running-{packet[0].number}"
        here.write_text("")
        self.wait_until_all_places_are_filled()
        for row in super().train(packet, rungs=rungs):
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


class UsesAGPU(SeesDevices):
    """Its trials hold a fifth of a GPU. After the first four each waits until six are under way."""

    def rows_of(self, job):
        give_up = time.monotonic() + 30
        while job.number >= 4 and time.monotonic() < give_up and not (self.folder / "six").exists():
            if len(list(self.folder.glob("running-*"))) >= 6:
                (self.folder / "six").touch()
            time.sleep(0.02)
        for row in super().rows_of(job):
            yield row if row.ending is None else replace(row, gpu_bytes=8_000 << 20)


def test_once_plans_were_measured_they_share_a_gpu(tmp_path, four_gpus, monkeypatch):
    monkeypatch.setattr(import_module("autotl.search.resources"), "gpu_memory_mb", lambda: 40_000.0)
    folder = tmp_path / "seen"
    folder.mkdir()
    make = lambda: UsesAGPU(folder, 4)  # noqa: E731
    space = a_space(unfrozen_layers=Fixed(4))
    _, rows, *_ = run_search(tmp_path, make_workshop=make, trials=30, space=space, early_stopping=False)
    seen = [json.loads((folder / f"ended-{row['trial']}").read_text()) for row in rows]
    assert {row["gpu_mb"] for row in rows} == {8_000.0}
    assert (folder / "six").exists(), "more trials than GPUs at once"
    assert max(entry["running"] for entry in seen) <= 8, "and no more than cores"
    assert {entry["device"] for entry in seen} <= {"0", "1", "2", "3"}, "none sees two"


class WritesDown(PretendWorkshop):
    """Notes which plans came in one packet, and of which rungs it was told."""

    def __init__(self, folder) -> None:
        super().__init__()
        self.folder = folder

    def train(self, packet, *, rungs=()):
        (self.folder / f"{packet[0].number}-{len(list(self.folder.iterdir()))}").write_text(
            json.dumps({"plans": [job.number for job in packet], "rungs": list(rungs)})
        )
        yield from super().train(packet, rungs=rungs)


def run_with_heads(tmp_path, *, name="run", **changes):
    """A search over linear heads alone; its packets, the smallest number first."""
    folder = tmp_path / f"packets-{name}"
    folder.mkdir()
    space = a_space(head=Fixed(Choice("linear")), unfrozen_layers=Fixed(0))
    order = {"space": space, "workers": 1, "trials": 41, **changes}
    found = run_search(tmp_path, make_workshop=partial(WritesDown, folder), name=name, **order)
    notes = [
        json.loads(path.read_text()) for path in sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns)
    ]
    return found, notes


def a_head(**values):
    return a_plan(head=Choice("linear"), **values)


@pytest.fixture(scope="module")
def heads(tmp_path_factory, four_gpus):
    """What `run_with_heads` gives."""
    return run_with_heads(tmp_path_factory.mktemp("heads"))


def test_linear_heads_share_packets_and_stay_trials_of_their_own(heads):
    (why, rows, curves, trials, events), packets = heads
    assert why == "trials"
    assert [row["trial"] for row in rows] == list(range(41))
    assert max(len(packet["plans"]) for packet in packets) == 10, "a quarter of the trials at most"
    assert sorted(number for packet in packets for number in packet["plans"]) == list(range(41))
    assert sum(isinstance(event, TrialEnded) for event in events) == 41
    for row in rows:
        trial = trials[row["trial"]]
        assert sorted(trial.intermediate_values) == [step["epoch"] for step in curves[row["trial"]]]
        assert len(curves[row["trial"]]) == row["epochs"]
        if row["status"] == "pruned":
            assert (trial.state, row["reason"]) == (TrialState.PRUNED, f"stopped early after epoch {row['epochs']}")
        else:
            assert (trial.state, row["epochs"]) == (TrialState.COMPLETE, EPOCHS)
            assert trial.value == row["score"]["value"]
    of_ten = next(packet["plans"] for packet in packets if len(packet["plans"]) == 10)
    assert sorted(rows[number]["epochs"] for number in of_ten) == [3] * 6 + [9] * 4
    assert all(packet["rungs"] == [3] for packet in packets)


def test_packets_of_heads_are_the_same_on_every_repetition(heads, tmp_path):
    (first, packets), (second, again) = heads, run_with_heads(tmp_path)
    assert packets == again
    assert [row["plan"] for row in first[1]] == [row["plan"] for row in second[1]]
    assert [row["score"] for row in first[1]] == [row["score"] for row in second[1]]
    assert [row["status"] for row in first[1]] == [row["status"] for row in second[1]]
    ended = [[event.row["trial"] for event in found[4] if isinstance(event, TrialEnded)] for found in (first, second)]
    assert ended[0] == ended[1]


@pytest.mark.parametrize("changes", [{"early_stopping": False}, {"score_kind": "label_free", "early_stopping": False}])
def test_without_early_stopping_every_head_of_a_packet_runs_to_its_end(tmp_path, four_gpus, changes):
    (_, rows, *_), packets = run_with_heads(tmp_path, trials=12, **changes)
    assert [row["status"] for row in rows] == ["complete"] * 12
    assert max(len(packet["plans"]) for packet in packets) == 3
    assert all(packet["rungs"] == [] for packet in packets)


def test_one_that_diverges_leaves_the_others_of_its_packet_alone(tmp_path, four_gpus):
    given = [a_head(weight_decay=decay, learning_rate=0.003) for decay in (0.1, 0.11, 0.13, 0.2)]
    (_, rows, _, trials, _), packets = run_with_heads(tmp_path, trials=16, given=given, early_stopping=False)
    assert packets[0]["plans"] == [0, 1, 2, 3]
    assert [row["status"] for row in rows[:4]] == ["complete", "failed", "failed", "complete"]
    assert [trials[number].state for number in (1, 2)] == [TrialState.FAIL] * 2


def test_when_a_worker_dies_each_plan_of_its_packet_is_tried_by_itself(tmp_path, four_gpus):
    given = [a_head(weight_decay=decay, learning_rate=0.003) for decay in (0.1, 0.14, 0.2, 0.11)]
    (_, rows, curves, trials, events), packets = run_with_heads(tmp_path, trials=16, given=given, early_stopping=False)
    assert packets[0]["plans"] == [0, 1, 2, 3]
    assert [row["status"] for row in rows[:4]] == ["complete", "failed", "complete", "failed"]
    assert rows[1]["failure"] == "the worker process died, 2 times"
    assert "diverged" in rows[3]["failure"], "it had ended before, and is not tried again"
    assert [packet["plans"] for packet in packets if 3 in packet["plans"]] == [[0, 1, 2, 3]]
    for number in (0, 2):
        assert [step["epoch"] for step in curves[number]] == list(range(1, EPOCHS + 1))
        assert trials[number].state == TrialState.COMPLETE
    assert sum(isinstance(event, TrialEnded) for event in events) == 16


def test_a_spent_budget_ends_packets_and_what_was_only_asked_for(tmp_path, four_gpus):
    space = a_space(head=Fixed(Choice("linear")))  # half of the plans train layers, and wait for a worker of their own
    slow = partial(PretendWorkshop, 0.2)
    why, rows, _, trials, _ = run_search(tmp_path, make_workshop=slow, trials=400, wall=16.0, space=space, workers=1)
    assert why == "budget"
    assert not any(trial.state in (TrialState.RUNNING, TrialState.WAITING) for trial in trials)
    assert not any(row["status"] == "running" for row in rows)
    never_began = {trial.number for trial in trials if trial.user_attrs.get("never_began")}
    assert {row["trial"] for row in rows}.isdisjoint(never_began)
    assert len(rows) + len(never_began) == len(trials)


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


class Hungry(PretendWorkshop):
    """Runs out of memory in the second epoch of a large batch; says which processes trained what."""

    def __init__(self, folder, largest: int) -> None:
        super().__init__()
        self.folder = folder
        self.largest = largest

    def rows_of(self, job):
        note = f"{job.number}-{job.plan.batch_size}-{os.getpid()}"
        (self.folder / note).touch()
        for row in super().rows_of(job):
            if row.epoch == 2 and job.plan.batch_size > self.largest:
                raise OutOfMemoryError(f"out of memory: a batch of {job.plan.batch_size}")
            yield row


def run_hungry(tmp_path, *, largest=16, **changes):
    """A search whose plans ask for batches of 32; what was trained: number, batch and process of each attempt."""
    folder = tmp_path / "attempts"
    folder.mkdir()
    order = {"early_stopping": False, "workers": 2, **changes}
    found = run_search(tmp_path, make_workshop=partial(Hungry, folder, largest), **order)
    notes = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns)
    return found, [tuple(int(part) for part in note.name.split("-")) for note in notes]


def test_a_plan_that_does_not_fit_is_trained_at_half_the_batch_by_another_process(tmp_path, four_gpus):
    (why, rows, curves, trials, events), attempts = run_hungry(tmp_path, trials=1, given=[a_plan(batch_size=32)])
    (row,) = rows
    assert why == "trials"
    assert [(number, batch) for number, batch, _ in attempts] == [(0, 32), (0, 16)]
    assert attempts[0][2] != attempts[1][2], "what the first process held may not be given back"
    assert (row["status"], row["attempt"], row["asked_batch_size"], row["plan"]["batch_size"]) == (
        "complete",
        2,
        32,
        16,
    )
    assert row["reason"] == "trained in batches of 16: 32 did not fit into memory"
    assert row["failure"] is None
    assert [step["epoch"] for step in curves[0]] == list(range(1, EPOCHS + 1))
    assert trials[0].state == TrialState.COMPLETE
    assert sum(isinstance(event, TrialEnded) for event in events) == 1
    assert json.loads((tmp_path / "run" / "trials" / "0" / "plan.yaml").read_text())["batch_size"] == 16
    assert not list((tmp_path / "run" / "trials" / "0").glob("out_of_memory*"))


def test_a_plan_that_does_not_fit_at_half_the_batch_either_fails_and_says_so(tmp_path, four_gpus):
    (_, rows, *_), attempts = run_hungry(tmp_path, trials=2, largest=8, given=[a_plan(batch_size=32)], workers=1)
    assert [(number, batch) for number, batch, _ in attempts[:2]] == [(0, 32), (0, 16)]
    assert (rows[0]["status"], rows[0]["attempt"]) == ("failed", 2)
    assert rows[0]["failure"] == "out of memory: a batch of 16"
    assert rows[1]["status"] == "complete"


def test_what_did_not_fit_is_not_tried_again(tmp_path, four_gpus):
    given = [a_plan(batch_size=32, unfrozen_layers=layers) for layers in (4, 8, "all", 2)]
    (_, rows, *_), attempts = run_hungry(tmp_path, trials=4, given=given, workers=1)
    assert [(number, batch) for number, batch, _ in attempts] == [(0, 32), (0, 16), (1, 16), (2, 16), (3, 32), (3, 16)]
    assert [row["attempt"] for row in rows] == [2, 1, 1, 2]
    assert {row["reason"] for row in rows} == {"trained in batches of 16: 32 did not fit into memory"}
    assert {row["status"] for row in rows} == {"complete"}


def test_heads_that_do_not_fit_side_by_side_are_trained_by_themselves_and_at_half_the_batch_if_need_be(
    tmp_path, four_gpus
):
    space = a_space(head=Fixed(Choice("linear")), unfrozen_layers=Fixed(0), batch_size=Fixed(32))
    (_, rows, *_), attempts = run_hungry(tmp_path, trials=12, space=space, workers=1)
    assert {row["status"] for row in rows} == {"complete"}
    assert {row["plan"]["batch_size"] for row in rows} == {16}
    assert sum(batch == 32 for _, batch, _ in attempts) <= 3 + 3, "the first packet, and each of its plans alone"


def test_every_trial_says_how_much_memory_its_worker_held(tmp_path, four_gpus):
    _, rows, *_ = run_search(tmp_path, trials=3)
    assert all(row["memory_mb"] > 1 for row in rows)
    assert all(row["gpu_mb"] is None for row in rows)
