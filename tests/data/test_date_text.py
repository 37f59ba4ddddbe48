"""Dates in common forms, and what is learnt from them."""

import numpy as np
import pytest
from small_tables import codes_of, everything, fitted, kinds, records_of


@pytest.mark.parametrize(
    ("cells", "days"),
    [
        (["2024-01-31", "2024-02-01"], [0, 1]),
        (["2024/01/31 12:00", "2024/01/31 00:00:00.5"], [0.5 - 0.5 / 86400, 0]),
        (["31.1.2024", "1.2.2024"], [0, 1]),
        (["31/01/2024", "01/02/2024"], [0, 1]),
        (["01/31/2024 11:00 PM", "01/31/2024 11:00 am"], [0.5, 0]),
        (["2024-01-31T12:00:00Z", "2024-01-31T12:00:00+02:00"], [2 / 24, 0]),
    ],
)
def test_dates_in_common_forms_count_days_from_the_first(cells, days):
    records = records_of(x=cells)
    schema = fitted(records).schema
    read = records.with_schema(schema).read(everything(records))
    assert read[:, schema.names.index("x: days")].tolist() == pytest.approx(days, abs=1e-6)


def test_a_date_becomes_the_parts_that_vary():
    records = records_of(sold=["2024-01-29", "2024-03-03", ""])
    schema = fitted(records).schema
    assert schema.names == ("sold: month", "sold: weekday", "sold: days")
    assert records.with_schema(schema).read(everything(records))[:2].tolist() == [[1, 0, 0], [3, 6, 34]]
    assert np.isnan(records.with_schema(schema).read(everything(records))[2]).all()


def test_a_date_of_which_day_and_month_could_change_places_is_told():
    assert codes_of(fitted(records_of(x=["01/02/2024", "03/04/2024"])).findings) == ["ambiguous_dates"]
    assert codes_of(fitted(records_of(x=["31/02/2024", "03/04/2024", "13/04/2024"])).findings) == []


def test_no_date_on_the_calendar_is_no_date():
    assert kinds(x=["2024-02-30", "2024-13-01", "2024-02-30"]) == ["categorical"]
