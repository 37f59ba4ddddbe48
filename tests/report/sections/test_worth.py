"""What came of each choice, checked against trials written by hand."""

import pytest
from entry_rows import entry_row

from autotl.report.entries import read_entries
from autotl.report.sections import worth
from autotl.report.sections.worth import in_order


def dimensions_of(*rows, higher_is_better=True):
    return {each.name: each.lines for each in worth(read_entries({"trials": rows}), higher_is_better=higher_is_better)}


def scored(trial, score, **plan):
    return entry_row(trial, score={"value": score}, plan=plan)


def test_trials_with_a_choice_stand_beside_those_without():
    rows = [
        scored(1, 0.9, unfrozen_layers=4),
        scored(2, 0.7, unfrozen_layers=4),
        scored(3, 0.6, unfrozen_layers=4),
        scored(4, 0.5, unfrozen_layers=0),
        entry_row(5, status="pruned", score={"value": 0.99}, plan={"unfrozen_layers": 0}),
    ]
    frozen, four = dimensions_of(*rows)["unfrozen layers"]
    assert (four.choice, four.tried, four.chosen.scored, four.chosen.best, four.chosen.median) == ("4", 3, 3, 0.9, 0.7)
    assert (four.others.scored, four.others.best, four.others.median) == (1, 0.5, 0.5)
    assert four.difference == pytest.approx(0.2)
    assert (frozen.tried, frozen.chosen.scored, frozen.difference) == (2, 1, pytest.approx(-0.2))


def test_where_less_is_better_a_lower_median_is_a_gain():
    rows = [scored(1, 0.2, unfrozen_layers=0), scored(2, 0.5, unfrozen_layers=4)]
    frozen, four = dimensions_of(*rows, higher_is_better=False)["unfrozen layers"]
    assert (frozen.difference, four.difference) == (pytest.approx(0.3), pytest.approx(-0.3))
    assert frozen.chosen.best == 0.2


def test_baselines_were_not_chosen_and_do_not_count():
    rows = [scored(1, 0.9), scored(2, 0.5), {**scored(3, 0.99, unfrozen_layers="all"), "baseline": "full_finetune"}]
    assert "unfrozen layers" not in dimensions_of(*rows)


def test_fewer_than_five_on_either_side_are_an_anecdote():
    rows = [scored(number, 0.5 + number / 100, unfrozen_layers=0) for number in range(5)]
    assert all(line.is_anecdote for line in dimensions_of(*rows, scored(9, 0.6, unfrozen_layers=4))["unfrozen layers"])
    rows += [scored(number, 0.5, unfrozen_layers=4) for number in range(10, 15)]
    assert not any(line.is_anecdote for line in dimensions_of(*rows)["unfrozen layers"])


def test_learning_rates_fall_into_thirds_of_what_was_tried():
    rows = [scored(number, 0.5, learning_rate=rate) for number, rate in enumerate((0.1, 0.02, 0.003, 0.0001))]
    lines = dimensions_of(*rows)["learning rate of the head"]
    assert [(line.choice, line.tried) for line in lines] == [
        ("0.0001 to 0.001", 1),
        ("0.001 to 0.01", 1),
        ("0.01 to 0.1", 2),
    ]


def test_choices_are_ordered_as_people_count():
    assert in_order({"all", "12", "4", "0", "nan"}) == ["0", "4", "12", "all", "nan"]
