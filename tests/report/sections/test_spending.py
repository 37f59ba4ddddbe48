"""Time and money: both add up, and money is there only with a price."""

import pytest
from entry_rows import entry_row

from autotl.report.entries import read_entries
from autotl.report.sections import Price, spending

TIMING = {"stages": [{"stage": "search", "seconds": 3600.0}, {"stage": "report", "seconds": 1200.0}]}
ENTRIES = read_entries(
    {
        "trials": [
            entry_row(1, seconds={"train": 30.0, "score": 10.0}),
            entry_row(2, status="pruned", seconds={"train": 60.0}),
        ]
    }
)


def test_stages_and_parts_have_their_shares():
    spent = spending(TIMING, ENTRIES, None)
    assert spent is not None
    assert [(each.part, each.time, each.share, each.money) for each in spent.stages] == [
        ("search", "1 h 00 min", "75 %", ""),
        ("report", "20 min 00 s", "25 %", ""),
    ]
    assert (spent.total, spent.total_money, spent.price) == ("1 h 20 min", "", "")
    assert [(each.part, each.share) for each in spent.parts] == [("train", "90 %"), ("score", "10 %")]


def test_what_went_into_trials_that_did_not_count_is_told():
    spent = spending(TIMING, ENTRIES, None)
    assert spent is not None
    assert (spent.unused, spent.unused_share) == ("1 min 00 s", "60 %")


def test_a_price_makes_money_of_time():
    spent = spending(TIMING, ENTRIES, Price.read({"an_hour": 3.0, "currency": "EUR"}))
    assert spent is not None
    assert [each.money for each in spent.stages] == ["3.00 EUR", "1.00 EUR"]
    assert (spent.total_money, spent.price) == ("4.00 EUR", "3.00 EUR")


@pytest.mark.parametrize(("price", "words"), [(Price(3.0, ""), "3.00"), (Price(0.001, "€"), "less than 0.01 €")])
def test_an_amount_is_written_with_what_is_known_of_it(price, words):
    assert price.of(3600.0) == words


def test_a_run_without_any_time_has_no_section():
    assert spending({}, read_entries({"trials": [entry_row(1)]}), None) is None
