"""Whether transfer helped: an answer only where something was measured that tells."""

import pytest
from entry_rows import entry_row

from autotl.adaptation import METHODS
from autotl.report.entries import read_entries
from autotl.report.sections import transfer
from autotl.report.sections.transfer import Adapted

WINNER = entry_row(1, winner=True)
WITHOUT = entry_row(2, baseline="no_transfer")


def asked(*rows, higher_is_better=True, **headline):
    found = transfer(read_entries({"trials": rows}), headline, higher_is_better=higher_is_better)
    assert found is not None
    return found


def on_test(row, value):
    return {**row, "test": {"value": value, "low": value - 0.01, "high": value + 0.01}}


@pytest.mark.parametrize(
    ("gain", "answer", "words"),
    [
        ((0.2, 0.1, 0.3), "Yes.", "+0.200 (+0.100 to +0.300)"),
        ((-0.2, -0.3, -0.1), "No.", "−0.200 (−0.300 to −0.100)"),
        ((0.2, -0.1, 0.3), "It cannot be told.", "+0.200 (−0.100 to +0.300)"),
        ((0.2, None, None), "It cannot be told.", "+0.200"),
    ],
)
def test_the_answer_is_that_of_the_corrected_gain(gain, answer, words):
    value, low, high = gain
    found = asked(WINNER, WITHOUT, transfer_gain={"value": value, "low": low, "high": high})
    assert found.answer == answer
    assert f"stands at {words} against" in found.why
    assert [line.gain for line in found.lines] == [words]


def test_a_winner_without_transfer_says_no():
    assert asked({**WITHOUT, "winner": True}).answer == "No."


@pytest.mark.parametrize(
    ("others", "higher_is_better", "answer"),
    [(0.5, True, "Yes."), (0.5, False, "No."), (0.9, True, "No."), (0.705, True, "It cannot be told.")],
)
def test_without_validation_labels_the_test_answers(others, higher_is_better, answer):
    found = asked(on_test(WINNER, 0.7), on_test(WITHOUT, others), higher_is_better=higher_is_better)
    assert found.answer == answer


def test_what_the_winners_method_did_is_told_with_its_paper():
    adapted = asked({**WINNER, "plan": {**WINNER["plan"], "adaptation": {"method": "dann", "weight": 0.3}}}).adapted
    assert adapted == Adapted("dann", METHODS["dann"].in_words, METHODS["dann"].paper)
    assert asked({**WINNER, "plan": {**WINNER["plan"], "adaptation": {"method": "none"}}}).adapted is None
    assert asked({**WINNER, "plan": {**WINNER["plan"], "adaptation": "of_a_later_version"}}).adapted is None


def test_what_was_not_measured_is_not_answered():
    assert asked(WINNER).answer == "Not measured."
    assert "pruned" in asked(WINNER, {**WITHOUT, "status": "pruned", "score": None}).why
    judged = {**WINNER, "guards": {"finite": "passed"}, "score": {"value": 1.0, "kind": "label_free"}}
    assert asked(judged).answer == "Not known."


def test_without_a_winner_there_is_nothing_to_ask():
    assert transfer(read_entries({"trials": [WITHOUT]}), {}, higher_is_better=True) is None
