"""The figures that `python -m benchmarks.audit` prints, on fewer examples."""

import numpy as np
import pytest

from benchmarks.audit import planted
from benchmarks.audit.__main__ import as_row
from benchmarks.audit.class_names import CIFAR_100, slip, written_otherwise


def shares(found: planted.Found) -> tuple[float, float]:
    return found.found / found.planted, found.alarms / found.honest


def test_typos_of_words_are_found_and_honest_names_left_in_peace(monkeypatch):
    monkeypatch.setattr(planted, "REPEATS", 5)
    figures = {found.what: shares(found) for found in planted.label_names(np.random.default_rng(0))}
    for title in ("CIFAR-100", "diagnoses"):
        caught, alarms = figures[f"{title}: slip of a letter"]
        assert caught >= 0.94
        assert alarms <= 0.02
    assert all(figure == (1.0, 0.0) for what, figure in figures.items() if "another case" in what)
    assert all(alarms <= 0.02 for _, alarms in figures.values())


def test_slips_and_other_writings_are_never_the_name_itself():
    draws = np.random.default_rng(0)
    for name in CIFAR_100.split():
        assert slip(name, draws) != name
        assert written_otherwise(name, draws) != name


def test_exact_copies_and_texts_typed_anew_are_all_found():
    draws = np.random.default_rng(0)
    assert shares(planted.exact_copies(draws)) == (1.0, 0.0)
    assert shares(planted.typed_anew(draws)) == (1.0, 0.0)


@pytest.mark.parametrize(("rows", "agreement", "least"), [(100, 0.9, 0.9), (400, 0.8, 0.95)])
def test_hospitals_are_found_and_luck_is_not_taken_for_one(monkeypatch, rows, agreement, least):
    monkeypatch.setattr(planted, "REPEATS", 8)
    caught, alarms = shares(planted.hospitals(rows, agreement, np.random.default_rng(0)))
    assert caught >= least
    assert alarms <= 0.02


def test_a_row_shows_shares_and_leaves_out_what_was_not_planted():
    assert as_row(planted.Found("typos", 100, 95, 50, 1)) == "| typos | 95 | 100 | 95.0% | 50 | 1 | 2.0% |"
    assert as_row(planted.Found("as it is", 0, 0, 50, 0)) == "| as it is |  |  |  | 50 | 0 | 0.0% |"
