"""Promote, list, roll back, predict: as people type it, on runs that nobody trained; and on one small real one."""

import json
import re

import pytest
from bundles import make_bundle
from pretend_runs import pretend_run

from autotl.cli.app import run
from autotl.production.bundle import CARD, MODEL
from autotl.production.home import home_folder


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A current folder with two runs of one task that shipped their winners, and one that could not."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "220")
    measured = {"latency_ms": 9.0, "latency_estimated": False, "test": {"value": 0.92, "low": 0.9, "high": 0.94}}
    for name, wrong in (("a", (40, 200)), ("b", (20, 300))):
        pretend_run(tmp_path / "runs" / name, wrong=wrong, tested={0: 32}, t0=measured)
        make_bundle(tmp_path / "runs" / name / "winner", model=name)
    pretend_run(tmp_path / "runs" / "unshipped", wrong=(40,))
    return tmp_path


def typed(*arguments):
    return run([str(argument) for argument in arguments])


def promote(what, *more, alias="production", reason="beats the old one"):
    return typed("promote", what, "--alias", alias, "--reason", reason, *more)


def models(capsys):
    capsys.readouterr()
    assert typed("models", "--json") == 0
    return json.loads(capsys.readouterr().out)["models"]


def fails(capsys, code, expected, *words):
    assert code == expected
    said = capsys.readouterr().err
    for word in words:
        assert word in said, said


def test_a_story_from_an_empty_registry_to_a_rollback(place, capsys):
    assert typed("models") == 0
    assert "autotl promote RUN" in capsys.readouterr().out
    assert promote("runs/a") == promote("runs/b", reason="fewer mistakes") == 0
    said = capsys.readouterr().out
    assert "kitchen@production is version 1 now: runs/a, trial 0." in said
    assert "autotl predict kitchen@production DATA" in said
    assert typed("models") == 0
    table = capsys.readouterr().out
    for words in ("kitchen:1", "kitchen:2", "fewer mistakes", "beats the old one", "production", "0.920", "b/0"):
        assert words in table
    assert typed("rollback", "--alias", "production", "--reason", "misses pans") == 0
    assert "kitchen@production is version 1 again; it was version 2." in capsys.readouterr().out
    (kitchen,) = models(capsys)
    assert kitchen["aliases"] == {"production": 1}
    assert [(move["event"], move["version"], move["reason"]) for move in kitchen["history"]] == [
        ("promote", 1, "beats the old one"),
        ("promote", 2, "fewer mistakes"),
        ("rollback", 1, "misses pans"),
    ]
    assert promote("kitchen:2", reason="the pans were mislabelled") == 0
    assert promote("kitchen@production", alias="staging") == 0
    assert models(capsys)[0]["aliases"] == {"production": 2, "staging": 2}


def test_a_version_says_where_it_came_from_and_what_it_reached(place, capsys):
    promote("runs/a")
    version = models(capsys)[0]["versions"][0]
    assert version["source"] == {
        "run": "a",
        "path": str(place / "runs" / "a"),
        "trial": 0,
        "winner": True,
        "shipped": "refit",
    }
    assert version["fingerprints"]["data"] == "d1"
    assert re.fullmatch("[0-9a-f]{64}", version["fingerprints"]["task"])
    assert version["figures"]["test"]["value"] == 0.92
    assert version["figures"]["corrected"]["value"] == pytest.approx(0.9, abs=0.02)
    assert version["cost"] == {"latency_ms": 9.0, "model_mb": 4.0}
    assert set(version["files"]) >= {MODEL, CARD}
    assert (version["sign_off"]["reason"], version["sign_off"]["alias"]) == ("beats the old one", "production")


def test_gates_that_are_met_are_kept_with_what_was_seen(place, capsys):
    gates = ["accuracy>=0.85", "test.accuracy>=0.9", "latency_ms<=20", "model_mb<=50", "macro_f1>=0.85"]
    assert promote("runs/a", *(word for gate in gates for word in ("--require", gate))) == 0
    assert "Required and met: test.accuracy>=0.9 (it is 0.9200)." in capsys.readouterr().out
    kept = models(capsys)[0]["versions"][0]["sign_off"]["gates"]
    assert [words.split(" (")[0] for words in kept] == gates


def test_gates_that_are_not_met_each_have_a_sentence_and_nothing_is_promoted(place, capsys):
    gates = ["accuracy>=0.95", "test.accuracy>=0.93", "latency_ms<=5", "model_mb<=1", "log_loss<=0.1"]
    code = promote("runs/a", *(word for gate in gates for word in ("--require", gate)))
    fails(capsys, code, 6, *(f"--require {gate}: it is" for gate in gates), "Nothing was promoted.")
    assert models(capsys) == []


def test_a_version_keeps_the_figures_that_later_gates_ask_for(place, capsys):
    promote("runs/a", alias="staging")
    fails(capsys, promote("kitchen@staging", "--require", "test.accuracy>=0.95"), 6, "it is 0.9200")
    assert promote("kitchen@staging", "--require", "test.accuracy>=0.9", "--require", "latency_ms<=10") == 0


def test_what_was_not_measured_meets_no_gate(place, capsys):
    make_bundle(place / "runs" / "unshipped" / "winner")
    fails(capsys, promote("runs/unshipped", "--require", "test.accuracy>=0.1"), 6, "it is not measured")
    fails(capsys, promote("runs/unshipped", "--require", "latency_ms<=100"), 6, "it is not measured")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["promote", "runs/a", "--alias", "production"], ["--reason"]),
        (["promote", "runs/a", "--reason", "x"], ["--alias"]),
        (["promote", "runs/a", "--alias", "production", "--reason", "  "], ["--reason is empty"]),
        (["promote", "runs/a", "--alias", "7", "--reason", "x"], ["'7' is no alias"]),
        (["promote", "runs/nowhere", "--alias", "p", "--reason", "x"], ["no run folder"]),
        (["promote", "runs/a/9", "--alias", "p", "--reason", "x"], ["has no trial 9"]),
        (["promote", "runs/a/1", "--alias", "p", "--reason", "x"], ["trial 1", "kept no weights", "--start-with"]),
        (["promote", "runs/a", "--alias", "p", "--reason", "x", "--require", "beauty>=1"], ["is not a gate"]),
        (["promote", "kitchen:1", "--alias", "p", "--reason", "x"], ["no model 'kitchen'"]),
        (["promote", "kitchen:1", "--alias", "p", "--reason", "x", "--evaluate"], ["--evaluate"]),
        (["rollback", "--alias", "production", "--reason", "x"], ["The registry is empty"]),
        (["predict", "kitchen@production", "runs"], ["no model 'kitchen'"]),
    ],
)
def test_wrong_usage_is_told_and_changes_nothing(place, capsys, arguments, words):
    fails(capsys, typed(*arguments), 2, *words)
    assert models(capsys) == []


def test_a_trial_that_failed_is_not_promoted(place, capsys):
    pretend_run(place / "runs" / "broken", wrong=(40, 60), t1={"status": "failed"})
    fails(capsys, promote("runs/broken/1"), 2, "did not finish: it is failed")


def test_the_model_must_be_named_where_there_are_several(place, capsys):
    pretend_run(place / "runs" / "zoo", task="zoo", data="d2", tested={0: 1})
    make_bundle(place / "runs" / "zoo" / "winner")
    assert promote("runs/a") == promote("runs/zoo") == 0
    fails(capsys, typed("rollback", "--alias", "production", "--reason", "x"), 2, "kitchen, zoo", "Name the model")
    code = typed("rollback", "zoo", "--alias", "production", "--reason", "x")
    fails(capsys, code, 2, "has been no other")


def test_predict_lists_aliases_and_refuses_what_was_changed_on_disk(place, capsys):
    promote("runs/a")
    fails(capsys, typed("predict", "kitchen@prod", "runs"), 2, "no alias 'prod'", "production")
    fails(capsys, typed("predict", "kitchen", "runs"), 2, "Say which: kitchen@production")
    path = home_folder() / "registry" / "kitchen" / "versions" / "1" / "bundle" / MODEL
    path.chmod(0o644)
    path.write_bytes(b"something else")
    fails(capsys, typed("predict", "kitchen@production", "runs"), 8, str(path), "signed off as kitchen:1")


def test_a_winner_that_was_changed_in_its_run_folder_is_not_promoted(place, capsys):
    (place / "runs" / "a" / "winner" / MODEL).write_bytes(b"something else")
    fails(capsys, promote("runs/a"), 8, MODEL)
    assert models(capsys) == []


def test_a_damaged_version_is_listed_as_such(place, capsys):
    promote("runs/a")
    (home_folder() / "registry" / "kitchen" / "versions" / "1" / "version.json").unlink()
    assert "version.json is missing" in models(capsys)[0]["versions"][0]["damaged"]
    assert typed("models") == 0
    assert "version.json is missing" in " ".join(capsys.readouterr().out.split())


def test_evaluate_leaves_the_test_set_of_a_tested_winner_closed(place, capsys):
    assert promote("runs/a", "--evaluate") == 0
    assert "the test set stayed closed" in capsys.readouterr().out
    assert not (home_folder() / "test_uses.json").exists()


def test_nobody_else_s_aliases_move(place, capsys):
    promote("runs/a")
    promote("runs/b", alias="staging")
    assert models(capsys)[0]["aliases"] == {"production": 1, "staging": 2}
