"""Every key of a row is told where people who read `leaderboard.json` look for it."""

import re
from dataclasses import fields
from pathlib import Path

import pytest
from leaderboard_contract import EXTRA, HEAD, ROW

from autotl.leaderboard import as_json
from autotl.run.trial_row import new_row
from autotl.trial.outcome import Seconds

PAGE = (Path(__file__).parents[2] / "docs" / "run-folder.md").read_text(encoding="utf-8")
KEYS = {key for line in PAGE.splitlines() for key in re.findall(r"`(\w+)`", line.split("|")[1] if "|" in line else "")}
BOARD = as_json([], task="t", metric="accuracy", higher_is_better=True, regime="validation", versions={})


@pytest.mark.parametrize("key", [*BOARD, *new_row(0, {}, baseline=None), "epsilon"])
def test_a_key_has_a_line_on_the_page(key):
    assert key in KEYS


def test_the_contract_that_other_tests_hold_rows_against_knows_the_same_keys():
    assert set(BOARD) == set(HEAD)
    assert {*new_row(0, {}, baseline=None), "epsilon"} == {*ROW, *EXTRA}


def test_the_parts_of_a_trials_time_are_told():
    line = next(line for line in PAGE.splitlines() if line.startswith("| `seconds`"))
    assert set(re.findall(r"`(\w+)`", line)) == {"seconds", *(part.name for part in fields(Seconds))}
