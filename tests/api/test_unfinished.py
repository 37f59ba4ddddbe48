"""A run that is still going, or was killed, can be looked at; one that never began leaves nothing behind."""

import json

import numpy as np
import pytest

from autotl.api import standing
from autotl.api.standing import keep_standing, read_leaderboard
from autotl.cli.app import run
from autotl.run import RunFolder, Study
from autotl.run.trial_row import new_row
from autotl.search.events import EpochEnded, TrialEnded, silent

PLAN = {"backbone": "small_cnn", "image_size": 32, "unfrozen_layers": 0}
FACTS = {
    "task": {"name": "pets", "modality": "image", "metric": "accuracy", "budget": {"trials": 3, "wall": "60s"}},
    "regime": "validation",
    "higher_is_better": True,
    "versions": {"autotl": "0"},
}


@pytest.fixture
def killed(tmp_path):
    """A run whose search was killed after one trial, while another was going."""
    folder = RunFolder.create(tmp_path / "run")
    study = Study(folder.path / "study.db")
    for name, value in FACTS.items():
        study.put_fact(name, value)
    listen = keep_standing(folder, study, silent)
    score = {"value": 0.75, "low": 0.7, "high": 0.8, "kind": "validation"}
    done = {**new_row(0, PLAN, baseline="linear_probe"), "status": "complete", "score": score}
    study.put_trial(0, "complete", done)
    study.put_trial(1, "running", new_row(1, PLAN, baseline=None))
    listen(TrialEnded(done))
    study.close()
    return folder.path


def test_the_leaderboard_of_a_killed_run_shows_what_ended_and_what_was_going(killed, capsys):
    content = json.loads((killed / "leaderboard.json").read_text())
    assert [(row["trial"], row["status"]) for row in content["trials"]] == [(0, "complete"), (1, "running")]
    assert not any(row["winner"] for row in content["trials"])
    assert run(["leaderboard", str(killed)]) == 0
    assert "0.750" in capsys.readouterr().out


def test_of_many_trials_the_file_is_written_now_and_then_and_a_reader_sees_all_of_them(killed):
    study = Study(killed / "study.db")
    listen = keep_standing(RunFolder(killed), study, silent)
    for number in range(2, 60):
        row = {**new_row(number, PLAN, baseline=None), "status": "pruned"}
        study.put_trial(number, "pruned", row)
        listen(TrialEnded(row))
    written = json.loads((killed / "leaderboard.json").read_text())["trials"]
    assert 2 < len(written) < 60, "writing every trial's file costs more than training a head"
    assert len(read_leaderboard(RunFolder(killed))["trials"]) == 60, "read while the search is going on"
    study.close()
    assert len(read_leaderboard(RunFolder(killed))["trials"]) == 60


def test_the_file_is_brought_up_to_date_by_whatever_happens_after_the_pause(killed, monkeypatch):
    monkeypatch.setattr(standing, "REST", 0.0)
    study = Study(killed / "study.db")
    listen = keep_standing(RunFolder(killed), study, silent)
    study.put_trial(1, "failed", {**new_row(1, PLAN, baseline=None), "status": "failed"})
    listen(EpochEnded(7, 1, 0.5))
    assert json.loads((killed / "leaderboard.json").read_text())["trials"][1]["status"] == "running", "nothing was told"
    listen(TrialEnded(new_row(1, PLAN, baseline=None)))
    assert json.loads((killed / "leaderboard.json").read_text())["trials"][1]["status"] == "failed"
    study.close()


def test_the_leaderboard_of_a_run_that_ended_is_its_file(killed):
    study = Study(killed / "study.db")
    study.put_fact("ended_because", "trials")
    study.put_trial(2, "failed", {**new_row(2, PLAN, baseline=None), "status": "failed"})
    study.close()
    assert len(read_leaderboard(RunFolder(killed))["trials"]) == 2


def test_without_its_study_a_run_shows_what_its_file_says(killed):
    (killed / "study.db").write_bytes(b"no database, and long enough to be sure of that" * 30)
    assert len(read_leaderboard(RunFolder(killed))["trials"]) == 2


def test_a_killed_run_can_be_reported(killed):
    assert run(["report", str(killed)]) == 0
    page = (killed / "report.html").read_text(encoding="utf-8")
    assert "1 trials had ended and 1 were going, of 3 asked for, when this page was made" in page
    assert "No winner yet: trial 0 leads, with accuracy 0.750" in page


def test_a_report_does_not_write_to_a_database_that_a_search_is_writing(killed):
    study = Study(killed / "study.db")
    with study.transaction():
        study.put_fact("something", 1)
        assert run(["report", str(killed)]) == 0
    study.close()


def test_a_winner_that_could_not_be_shipped_is_told_first(killed):
    study = Study(killed / "study.db")
    study.put_fact("ended_because", "trials")
    study.put_fact("not_shipped", "no space left on device")
    study.close()
    assert run(["report", str(killed)]) == 0
    assert "The winner could not be shipped: no space left on device" in (killed / "report.html").read_text("utf-8")


def test_a_report_of_a_damaged_database_is_refused(killed, capsys):
    (killed / "study.db").write_bytes(b"no database, and long enough to be sure of that" * 30)
    assert run(["report", str(killed)]) == 8
    assert "study.db" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["report", "leaderboard"])
def test_a_folder_that_is_no_run_is_refused(command, tmp_path, capsys):
    (tmp_path / "photos").mkdir()
    for folder in ("photos", "nowhere"):
        assert run([command, str(tmp_path / folder)]) == 2
        assert "no run folder" in capsys.readouterr().err


def test_a_run_that_was_killed_before_its_first_trial_says_so(tmp_path, capsys):
    folder = RunFolder.create(tmp_path / "run")
    Study(folder.path / "study.db").close()
    for command in ("leaderboard", "report"):
        assert run([command, str(folder.path)]) == 8
        assert "before the first trial began" in capsys.readouterr().err


def test_what_the_machine_lacks_is_said_and_no_folder_stays_behind(tmp_path, capsys):
    labels = np.arange(60) % 2
    np.savez(tmp_path / "data.npz", x=np.random.default_rng(0).integers(0, 255, (60, 16, 16)).astype("uint8"), y=labels)
    task = "data: {target: {train: data.npz}}\nsearch_space: {backbone: small_cnn}\nresources: {gpus_per_trial: 8}\n"
    (tmp_path / "task.yaml").write_text(task)
    assert run(["search", str(tmp_path / "task.yaml"), "--out", str(tmp_path / "run")]) == 7
    assert "gpus_per_trial" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
