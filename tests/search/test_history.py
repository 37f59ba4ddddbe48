import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from autotl.search import history
from autotl.search.history import FOLDER, Likeness, PastRun, PastTrial, nearest, past_trials, recall, remember

HERE = Likeness("image", "inductive", "validation", examples=500, classes=5, imbalance=0.2, digest="a")


def a_run(name, *, ended="2026-11-01", **changes):
    trials = (PastTrial({"backbone": "efficientnet_lite0", "learning_rate": 0.01}, "efficientnet_lite0", 1.0),)
    return PastRun(name, f"task {name}", ended, replace(HERE, **{"digest": name, **changes}), trials)


def test_what_is_remembered_is_recalled_in_the_order_of_names(tmp_path):
    runs = [a_run("b"), a_run("a"), a_run("c")]
    for run in runs:
        remember(run, tmp_path)
    assert recall(tmp_path) == sorted(runs, key=lambda run: run.run)


def test_a_run_that_ends_again_takes_its_own_place(tmp_path):
    remember(a_run("a"), tmp_path)
    remember(a_run("a", examples=600), tmp_path)
    assert [run.likeness.examples for run in recall(tmp_path)] == [600]


def test_many_writers_at_once_lose_nothing(tmp_path):
    names = [f"run{number:03}" for number in range(60)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: remember(a_run(name), tmp_path), names))
    assert [run.run for run in recall(tmp_path)] == names


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": 1}', '{"format": 2, "run": "x"}'])
def test_what_cannot_be_read_is_passed_over(tmp_path, content):
    remember(a_run("a"), tmp_path)
    (tmp_path / FOLDER / "broken.json").write_text(content)
    assert [run.run for run in recall(tmp_path)] == ["a"]


def test_only_the_latest_runs_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(history, "MOST_RUNS", 3)
    for day in (5, 1, 4, 2, 3):
        remember(a_run(f"day{day}", ended=f"2026-11-0{day}"), tmp_path)
    assert [run.run for run in recall(tmp_path)] == ["day3", "day4", "day5"]


def test_a_folder_that_cannot_be_written_ends_no_search(tmp_path, caplog):
    (tmp_path / FOLDER).write_text("a file stands in the way")
    remember(a_run("a"), tmp_path)
    assert "not remembered" in caplog.text


def test_the_same_data_come_first_and_then_those_of_like_size():
    runs = [a_run("far", examples=50_000), a_run("same", digest="a"), a_run("near", examples=400)]
    assert [run.run for run in nearest(runs, HERE, most=3)] == ["same", "near"], "the far one is no likeness"
    assert [run.run for run in nearest(runs, HERE, most=1)] == ["same"]


@pytest.mark.parametrize("change", [{"modality": "text"}, {"setting": "transductive"}, {"regime": "label_free"}])
def test_tasks_of_another_kind_are_no_likeness(change):
    assert nearest([a_run("other", **change)], HERE, most=3) == []


def test_trials_stand_in_the_order_of_their_run_whatever_their_scores():
    def row(number, status="complete", baseline=None):
        plan = {"backbone": "b", "seed": number}
        return {"trial": number, "status": status, "baseline": baseline, "plan": plan, "score": {"value": -number}}

    rows = [row(4), row(2), row(9, "pruned"), row(1, baseline="no_transfer"), row(7, baseline="linear_probe")]
    found = past_trials(rows, dict.fromkeys((4, 2, 7), "b"))
    assert [trial.standing for trial in found] == [1.0, 0.5, 0.0]
    assert all("seed" not in trial.plan for trial in found)


def test_the_files_are_plain_json_without_a_value_of_the_data(tmp_path):
    remember(a_run("a"), tmp_path)
    told = json.loads((tmp_path / FOLDER / "a.json").read_text())
    assert set(told["likeness"]) == {"modality", "setting", "regime", "examples", "classes", "imbalance", "digest"}
