"""Run folders that every release wrote are opened by this version; `tests/kept_runs/keep.py` keeps them."""

import json
import shutil
import zipfile
from pathlib import Path

import pytest

from autotl.cli.app import run
from autotl.run.folder import FORM, FORMAT

KEPT = sorted((Path(__file__).parents[1] / "kept_runs").glob("*.zip"))
READING = {
    "leaderboard": ["leaderboard", "run"],
    "leaderboard for programs": ["leaderboard", "run", "--json"],
    "leaderboard for spreadsheets": ["leaderboard", "run", "--csv"],
    "Pareto front": ["leaderboard", "run", "--pareto"],
    "comparison": ["compare", "run", "run/0"],
}
REPORTS = {"report": ["report", "run"], "report without examples": ["report", "run", "--without-examples"]}


@pytest.fixture(params=KEPT, ids=[path.stem for path in KEPT])
def kept(request, tmp_path, monkeypatch):
    """A folder with the task, the data and the run of a release, as the current folder."""
    zipfile.ZipFile(request.param).extractall(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AUTOTL_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("AUTOTL_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path


def test_a_run_is_kept_of_this_version():
    from autotl import __version__

    assert __version__ in [path.stem for path in KEPT], "python tests/kept_runs/keep.py"


@pytest.mark.parametrize("what", READING)
def test_whatever_reads_a_run_reads_a_kept_one(kept, capsys, what):
    assert run(READING[what]) == 0
    said = capsys.readouterr()
    assert "bag_of_words" in said.out
    assert said.err == ""


@pytest.mark.parametrize("what", REPORTS)
def test_a_report_of_a_kept_one_is_laid_out_anew(kept, capsys, what):
    assert not (kept / "run" / "report.html").exists()
    assert run(REPORTS[what]) == 0
    page = (kept / "run" / "report.html").read_text(encoding="utf-8")
    assert "bag_of_words" in page
    assert page.rstrip().endswith("</html>")
    assert capsys.readouterr().err == ""


def test_the_overview_of_a_folder_lists_its_task(kept, capsys):
    (kept / "runs").mkdir()
    shutil.move(kept / "run", kept / "runs" / "first")
    assert run(["leaderboard"]) == 0
    assert "moods" in capsys.readouterr().out


def test_a_finished_one_says_why_it_does_not_go_on(kept, capsys):
    assert run(["search", "--resume", "run"]) in (3, 4)  # 4 where the folder is gone in which the task lay
    assert run(["search", "task.yaml", "--resume", "run"]) == 3
    assert "run is finished" in capsys.readouterr().err


@pytest.mark.slow
def test_its_winner_can_be_promoted_and_predicts(kept, capsys):
    assert run(["promote", "run", "--alias", "production", "--reason", "kept"]) == 0
    assert run(["predict", "moods@production", "test.csv", "--out", "said.csv"]) == 0
    assert len((kept / "said.csv").read_text().splitlines()) == 31


@pytest.mark.slow
def test_a_finished_one_goes_on_with_more_trials(kept, capsys):
    before = json.loads((kept / "run" / "leaderboard.json").read_text())["trials"]
    assert run(["search", "task.yaml", "--resume", "run", "--trials", "3", "--offline"]) == 0, capsys.readouterr().err
    after = json.loads((kept / "run" / "leaderboard.json").read_text())["trials"]
    assert {row["trial"] for row in before} <= {row["trial"] for row in after}


@pytest.mark.parametrize(
    "what", [*READING.values(), *REPORTS.values(), ["search", "task.yaml", "--resume", "run", "--trials", "9"]]
)
def test_one_of_a_format_that_is_not_known_yet_is_refused_with_what_to_install(kept, capsys, what):
    (kept / "run" / FORM).write_text(json.dumps({"format": FORMAT + 1, "autotl": "9.8.7"}))
    assert run(what) == 7
    said = capsys.readouterr().err
    assert f"run was written by autotl 9.8.7, in format {FORMAT + 1}" in said
    assert "Install autotl 9.8.7 or a newer one" in said


def test_one_whose_format_cannot_be_told_is_refused(kept, capsys):
    (kept / "run" / FORM).write_text("{}")
    assert run(["leaderboard", "run"]) == 8
    assert "run.json, which says how the run is written, cannot be read" in capsys.readouterr().err


def test_one_of_the_time_before_there_was_a_format_is_opened(kept):
    (kept / "run" / FORM).unlink()
    assert run(["leaderboard", "run"]) == 0
