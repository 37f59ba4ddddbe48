"""What learning a task together with others brought, beside the best plan that learnt it alone."""

import re
from dataclasses import replace

import pytest
from entry_rows import entry_row
from sample import EVIL_NAMES, sample_values

from autotl.report import render
from autotl.report.entries import read_entries
from autotl.report.sections import together

ROWS = [entry_row(4, winner=True), entry_row(7, plan={"together": "uncertainty"})]
FOUND = {
    "alone": 4,
    "together": 7,
    "kept": "alone",
    "weighing": "uncertainty",
    "metric": "accuracy",
    "validation": {"value": 0.02, "low": -0.01, "high": 0.05, "examples": 1_200},
    "test": None,
    "companions": ["dvd", "kitchen"],
}


def asked(**changes):
    return together(read_entries({"trials": ROWS}), {**FOUND, **changes})


def test_a_task_that_was_learnt_alone_has_no_such_section():
    assert together(read_entries({"trials": ROWS}), None) is None
    assert "Was it worth learning it together?" not in render(sample_values())


@pytest.mark.parametrize(("kept", "answer"), [("alone", "Not clearly"), ("together", "Yes")])
def test_the_answer_is_what_was_kept(kept, answer):
    assert asked(kept=kept).answer.startswith(answer)


def test_both_plans_stand_beside_each_other_with_the_gain():
    found = asked(test={"value": -0.01, "low": None, "high": None, "examples": 80})
    assert [(words, entry.trial) for words, entry in found.lines] == [("learnt alone", 4), ("learnt together", 7)]
    assert [(gain.on, gain.value) for gain in found.gains] == [
        ("1,200 validation examples", "+0.020 (−0.010 to +0.050)"),
        ("80 test examples", "−0.010"),
    ]
    assert found.companions == "dvd, kitchen"
    assert "noisy counts less" in found.weighing


def test_the_page_shows_it_and_foreign_names_are_text():
    values = sample_values()
    trials = [row["trial"] for row in values.leaderboard["trials"][:2]]
    names = {"alone": trials[0], "together": trials[1], "companions": list(EVIL_NAMES[:3])}
    page = render(replace(values, together={**FOUND, **names}))
    words = re.sub(r"\s+", " ", page)
    assert '<a href="#together">' in page
    assert "on 1,200 validation examples: <b>+0.020 (−0.010 to +0.050)</b>" in words
    assert EVIL_NAMES[0] not in page.split("<script")[0]
