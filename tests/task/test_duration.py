from datetime import timedelta

import pytest

from autotl.task.duration import format_duration, parse_duration


@pytest.mark.parametrize(
    ("written", "seconds"), [("90s", 90), ("30m", 1800), ("2h", 7200), ("1h30m", 5400), ("1d2h3m4s", 93_784)]
)
def test_a_duration_is_read_and_written_back(written, seconds):
    duration = parse_duration(written)
    assert duration == timedelta(seconds=seconds)
    assert parse_duration(format_duration(duration)) == duration


def test_the_shortest_words_are_written():
    assert format_duration(timedelta(minutes=90)) == "1h30m"
    assert format_duration(timedelta(seconds=60)) == "1m"


@pytest.mark.parametrize("written", ["", "30", 30, None, True, "m", "30 m", "1.5h", "30m1h", "-5m", [1], "0s", "9999d"])
def test_what_is_no_duration_is_refused_in_words(written):
    with pytest.raises(ValueError, match=r"Write 90s, 30m, 2h|out of range"):
        parse_duration(written)
