"""No cell of a table that people open in a spreadsheet runs as a formula; numbers stay numbers."""

import csv
import io
import json
import runpy
import sys
from importlib import resources
from types import ModuleType

import numpy as np
import pytest
from pretend_runs import pretend_run

from autotl.api.standing import write_leaderboard
from autotl.production.prediction import Predictions
from autotl.run import Study

FORMULAS = (
    "=1+1",
    "=cmd|' /C calc'!A0",
    "+SUM(A1:A9)",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1)",
    "\t=1",
    "\r=1",
    "\n=1",
    '=HYPERLINK("https://evil.example","x")',
)
STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
PLAIN = ("-1", "+1", "-0.5", "1e-3", "-inf", "cat", "a=b", "NA", "007", "")


@pytest.fixture
def guarded_beside_an_export(monkeypatch):
    """The function of the script that travels with an export, whose neighbours are there only."""
    for name in ("preprocess", "runtime"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    return runpy.run_path(str(resources.files("autotl.production.beside").joinpath("predict.py")))["guarded"]


def rows_of(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


@pytest.mark.parametrize("evil", FORMULAS)
def test_predictions_guard_file_names_and_classes(evil):
    predictions = Predictions((evil,), (evil, "cat"), np.array([[0.9, 0.1]], dtype=np.float32))
    _, row = rows_of(predictions.as_csv())
    assert row[:2] == [f"'{evil}", f"'{evil}"]
    assert predictions.labels == [evil]  # in Python it is as written


@pytest.mark.parametrize("label", PLAIN)
def test_classes_that_are_numbers_or_words_come_back_exactly(label, guarded_beside_an_export):
    predictions = Predictions(("a.png",), (label, "other"), np.array([[0.9, 0.1]], dtype=np.float32))
    assert rows_of(predictions.as_csv())[1][1] == label
    assert guarded_beside_an_export(label) == label


@pytest.mark.parametrize("evil", FORMULAS)
def test_the_script_beside_an_export_guards_them_too(evil, guarded_beside_an_export):
    assert guarded_beside_an_export(evil) == f"'{evil}"


def test_the_leaderboard_of_a_run_holds_no_formula_and_its_json_every_name_as_written(tmp_path):
    run = pretend_run(tmp_path / "run", wrong=tuple(range(40, 40 + len(FORMULAS))), tested={0: 30})
    study = Study(run.path / "study.db")
    rows = study.trials()
    for evil, row in zip(FORMULAS, rows, strict=True):
        row |= {"plan": {**row["plan"], "backbone": evil, evil: evil}, "failure": evil, "baseline": evil}
    write_leaderboard(run, rows, study.facts())
    study.close()
    cells = [cell for row in rows_of((run.path / "leaderboard.csv").read_text()) for cell in row]
    for cell in cells:
        assert not cell.startswith(STARTS) or cell.replace("-", "", 1).replace(".", "").isdigit(), cell
    written = json.loads((run.path / "leaderboard.json").read_text())["trials"]
    assert {row["plan"]["backbone"] for row in written} == set(FORMULAS)
