"""The commands of those who review, on runs that nobody trained."""

import csv
import io
import json

import pytest
from pretend_runs import pretend_run

from autotl.cli.app import run


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """The folder `runs` in the current folder, with three runs of two tasks."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    slow = {"latency_ms": 50.0, "model_mb": 40.0, "flops": 9000}
    pretend_run(tmp_path / "runs" / "kitchen-1", wrong=(40, 200), t1={"latency_ms": 9.0})
    pretend_run(tmp_path / "runs" / "kitchen-2", wrong=(20, 200, 300), t1=slow, t2={"latency_ms": 1.0})
    pretend_run(tmp_path / "runs" / "zoo-1", task="zoo", data="d2")
    return tmp_path / "runs"


def output(capsys, *arguments):
    assert run(list(arguments)) == 0
    return capsys.readouterr().out


def test_without_a_run_the_best_of_every_task_is_shown(runs, capsys):
    content = json.loads(output(capsys, "leaderboard", "--json"))
    assert [(best["task"], best["run"], best["runs"]) for best in content["tasks"]] == [
        ("kitchen", "runs/kitchen-2", 2),
        ("zoo", "runs/zoo-1", 1),
    ]
    table = output(capsys, "leaderboard")
    assert "runs/kitchen-2" in table
    assert "runs/kitchen-1" not in table
    rows = list(csv.DictReader(io.StringIO(output(capsys, "leaderboard", str(runs), "--csv"))))
    assert [row["task"] for row in rows] == ["kitchen", "zoo"]


def test_a_run_that_just_began_stands_there_without_a_model(runs, capsys):
    pretend_run(runs / "ants-1", task="ants", wrong=(), finished=False)
    assert "no model yet" in output(capsys, "leaderboard")


def test_the_pareto_front_leaves_out_what_is_beaten_in_everything(runs, capsys):
    content = json.loads(output(capsys, "leaderboard", str(runs / "kitchen-2"), "--pareto", "--json"))
    assert [row["trial"] for row in content["trials"]] == [0, 2], "1 is worse, slower and larger than 0"
    assert "1 other trial not shown" in output(capsys, "leaderboard", str(runs / "kitchen-2"), "--pareto")


def test_of_a_long_run_the_first_hundred_are_shown_and_all_where_they_are_asked_for(runs, capsys):
    folder = str(pretend_run(runs / "long-1", task="long", wrong=tuple(range(40, 145))).path)
    short = output(capsys, "leaderboard", folder)
    assert short.count("MobileNetV2") == 100
    assert "5 lower trials not shown" in short
    assert "--all" in short
    every = output(capsys, "leaderboard", folder, "--all")
    assert every.count("MobileNetV2") == 105
    assert "--all" not in every
    assert len(json.loads(output(capsys, "leaderboard", folder, "--json"))["trials"]) == 105


def test_sorting_orders_every_form_and_keeps_the_ranks(runs, capsys):
    folder = str(runs / "kitchen-2")
    content = json.loads(output(capsys, "leaderboard", folder, "--sort", "latency_ms", "--json"))
    assert [row["trial"] for row in content["trials"]] == [2, 0, 1]
    rows = list(csv.DictReader(io.StringIO(output(capsys, "leaderboard", folder, "--sort", "ms", "--csv"))))
    assert [row["trial"] for row in rows] == ["2", "0", "1"]
    lines = [line.split() for line in output(capsys, "leaderboard", folder, "--sort", "ms").splitlines()]
    assert [line[:2] for line in lines if "MobileNetV2" in line] == [["3", "2"], ["★", "1"], ["2", "1"]]


def test_the_csv_is_the_one_in_the_run_folder(runs, capsys):
    folder = runs / "kitchen-1"
    assert output(capsys, "leaderboard", str(folder), "--csv") == (folder / "leaderboard.csv").read_text()


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["leaderboard", "--pareto"], "Name it"),
        (["leaderboard", "--sort", "score"], "Name it"),
        (["leaderboard", "runs/kitchen-1", "--json", "--csv"], "exclude"),
        (["leaderboard", "runs/kitchen-1", "--sort", "beauty"], "'beauty' is no column"),
        (["leaderboard", "runs/nowhere"], "no run folder"),
    ],
)
def test_wrong_usage_is_told(runs, capsys, arguments, word):
    assert run(arguments) == 2
    assert word in capsys.readouterr().err


def test_a_folder_without_runs_says_how_to_get_one(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(["leaderboard"]) == 2
    assert "autotl search task.yaml" in capsys.readouterr().err


@pytest.fixture
def tested(runs):
    """Two more runs of one task, both tested on the same examples."""
    pretend_run(runs / "a", wrong=(40, 90), tested={0: 30, 1: 90}, t1={"plan": {"backbone": "VGG16", "tap": "P4"}})
    pretend_run(runs / "b", wrong=(50, 60), tested={0: 80})
    return runs


def test_winners_and_trials_are_compared_on_the_same_test_examples(tested, capsys):
    content = json.loads(output(capsys, "compare", "runs/a", "runs/b", "runs/a/1", "--json"))
    assert [(side["label"], side["trial"]) for side in content["sides"]] == [
        ("runs/a", 0),
        ("runs/b", 0),
        ("runs/a/1", 1),
    ]
    assert [(test["on"], test["better"]) for test in content["tests"]] == [("test", "runs/a"), ("test", "runs/a")]
    assert content["plan_differences"]["backbone"] == ["MobileNetV2", "MobileNetV2", "VGG16"]
    words = output(capsys, "compare", "runs/a", "runs/b/")
    assert "On the same 400 test examples runs/a is better than" in words


def test_untested_trials_are_compared_where_they_were_chosen(tested, capsys):
    words = output(capsys, "compare", "runs/a", "runs/b/trials/1")
    assert "400 validation examples" in words
    assert "no test outputs of runs/b/trials/1" in words


def test_runs_on_other_data_are_shown_and_not_tested(tested, capsys):
    words = output(capsys, "compare", "runs/a", "runs/zoo-1")
    assert "were not tested against each other" in words
    assert "different tasks: kitchen, zoo" in words


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["runs/a"], "two or more"),
        (["runs/a", "runs/nowhere"], "no run folder"),
        (["runs/a", "runs/b/7"], "has no trial 7: its trials are 0 to 1"),
        (["runs/a", "runs/nowhere/7"], "no run folder"),
    ],
)
def test_a_comparison_needs_two_trials_that_are_there(tested, capsys, arguments, word):
    assert run(["compare", *arguments]) == 2
    assert word in capsys.readouterr().err


def test_a_run_without_a_winner_asks_for_a_trial(tested, capsys):
    pretend_run(tested / "ants", task="ants", wrong=(), finished=False)
    assert run(["compare", "runs/a", "runs/ants"]) == 2
    assert "Name a trial: runs/ants/NUMBER" in capsys.readouterr().err
