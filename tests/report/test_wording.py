"""Figures and foreign text as a page and a terminal write them."""

import math

import pytest

from autotl.report import wording


@pytest.mark.parametrize(
    ("value", "written"),
    [(None, "–"), (0.8734, "0.873"), (-0.5, "-0.500"), (12.3456, "12.35"), (1234.5, "1,234"), (123456.0, "123,456")],
)
def test_a_score_keeps_the_digits_that_mean_something(value, written):
    assert wording.score(value) == written


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0.42, "0.4 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (3599.6, "1 h 00 min"),
        (5400, "1 h 30 min"),
    ],
)
def test_a_duration_never_shows_sixty_of_anything(seconds, written):
    assert wording.duration(seconds) == written


@pytest.mark.parametrize(("value", "written"), [(3.41e6, "3.41 M"), (950, "950"), (1.2e9, "1.2 G"), (None, "–")])
def test_a_magnitude_is_short(value, written):
    assert wording.magnitude(value) == written


def test_a_difference_carries_its_sign():
    assert [wording.signed_score(value) for value in (0.1, -0.1, 0.0)] == ["+0.100", "−0.100", "±0.000"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("cat", "cat"),
        ("kočka 猫 🐈‍⬛", "kočka 猫 🐈‍⬛"),
        ("two\nlines", "two\nlines"),
        ("\x1b[31mred", "⟨U+001B⟩[31mred"),
        ("\u202egnp", "⟨U+202E⟩gnp"),
        ("nul\0", "nul⟨U+0000⟩"),
        ("\ud800", "\N{REPLACEMENT CHARACTER}"),
    ],
)
def test_text_that_would_act_is_made_visible(text, shown):
    assert wording.visible(text) == shown
    assert wording.visible(text).encode("utf-8")


def test_a_very_long_text_is_cut_and_says_so():
    assert wording.visible("x" * 5000).endswith("… (4,000 more characters)")


def test_plain_leaves_only_what_json_can_say():
    given = {1: [float("nan"), math.inf, 1.5, True, None], "\u202e": ("a", {"b": object})}
    assert wording.plain(given) == {
        "1": [None, None, 1.5, True, None],
        "⟨U+202E⟩": ["a", {"b": "<class 'object'>"}],
    }


@pytest.mark.parametrize(
    ("size", "words"), [(None, "–"), (0.0268, "27 kB"), (0.1, "0.1 MB"), (13.64, "13.6 MB"), (512.3, "512 MB")]
)
def test_the_size_of_a_model_has_a_unit_that_fits(size, words):
    assert wording.megabytes(size) == words


@pytest.mark.parametrize(
    ("latency", "words"),
    [
        (None, wording.NOTHING),
        (0.0, "0.0 ms"),
        (0.0183, "0.02 ms"),
        (0.06, "0.1 ms"),
        (12.34, "12.3 ms"),
        (1234, "1,234 ms"),
    ],
)
def test_a_model_that_is_nearly_instant_is_not_said_to_take_no_time(latency, words):
    assert wording.milliseconds(latency) == words
