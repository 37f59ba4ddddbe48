"""`leaderboard.json` keeps its contract, and `leaderboard.csv` opens in a spreadsheet without running anything."""

import csv
import io
import json
import math

import numpy as np
import pytest
from board_trials import LABELS, row, trial
from leaderboard_contract import problems

from autotl.leaderboard import as_csv, as_json, name_baselines, rank

HEAD = {"task": "flowers", "metric": "accuracy", "higher_is_better": True, "regime": "validation", "versions": {}}


def whole_board():
    trials = [trial(number, wrong=60 + 20 * number, first=30 * number) for number in range(4)]
    trials += [trial(number, wrong=150, baseline="linear_probe") for number in (4, 5)]
    rows = [row for row, _ in trials]
    rows += [row(6, status="failed"), row(7, 0.3, status="pruned"), row(8, status="skipped"), row(9, status="running")]
    ranked = rank(
        rows,
        metric="accuracy",
        higher_is_better=True,
        outputs={row["trial"]: said for row, said in trials},
        labels=LABELS,
        groups=None,
        seed=0,
    )
    return name_baselines(ranked, higher_is_better=True)


def read(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_a_whole_leaderboard_keeps_the_contract():
    assert problems(as_json(whole_board(), **HEAD)) == []


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda rows: rows[0].update(winner=False), "winners: []"),
        (lambda rows: rows[1].update(winner=True), "winners"),
        (lambda rows: rows.reverse(), "not best first"),
        (lambda rows: rows[0].pop("seconds"), "missing key: seconds"),
        (lambda rows: rows[0].update(colour="red"), "unknown key: colour"),
        (lambda rows: rows[0].update(score=None), "complete without a score"),
        (lambda rows: rows[0]["score"].update(low=0.99), "outside of its interval"),
        (lambda rows: rows[0].update(trial=True), "trial is True"),
    ],
)
def test_the_contract_notices(change, complaint):
    content = as_json(whole_board(), **HEAD)
    change(content["trials"])
    assert any(complaint in problem for problem in problems(content))


def test_the_head_is_as_designed():
    content = as_json([], **HEAD | {"versions": {"keras": "3.15.1"}})
    assert list(content) == ["schema", "task", "metric", "higher_is_better", "regime", "versions", "trials"]
    assert content["schema"] == 1


def test_what_is_no_number_is_null_and_numpy_is_plain():
    given = row(np.int64(3), math.nan, scores={"log_loss": math.inf, "f1": np.float32(0.5)}, params=np.int64(7))
    (written,) = json.loads(json.dumps(as_json([given], **HEAD), allow_nan=False))["trials"]
    assert written["trial"] == 3
    assert written["score"]["value"] is None
    assert written["scores"] == {"log_loss": None, "f1": 0.5}


def test_csv_has_a_line_per_row_and_columns_for_nested_values():
    lines = read(as_csv(whole_board()))
    assert len(lines) == 10
    assert lines[0]["plan.backbone"] == "MobileNetV2"
    assert float(lines[0]["score.value"]) == 0.85
    assert lines[0]["winner"] == "true"
    assert lines[-1]["score.value"] == ""
    assert "score" not in lines[0]


def test_csv_guards_what_a_spreadsheet_would_run_but_not_numbers():
    evil = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"]
    rows = [row(number, -0.25, failure=text) for number, text in enumerate(evil)]
    lines = read(as_csv(rows))
    assert [line["failure"] for line in lines] == [f"'{text}".replace("\r", "\n") for text in evil]
    assert {line["score.value"] for line in lines} == {"-0.25"}
    header = as_csv([row(0, 0.5, scores={"=cmd()": 1.0})]).splitlines()[0].split(",")
    assert not any(cell.startswith("=") for cell in header)


def test_csv_keeps_commas_quotes_and_line_breaks_in_their_cell():
    text = 'out of memory, "twice"\nbatch 64'
    (line,) = read(as_csv([row(0, 0.5, failure=text)]))
    assert line["failure"] == text


def test_no_rows_give_a_file_that_opens():
    assert as_csv([]).strip() == ""
