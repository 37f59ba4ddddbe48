"""Labels of each problem: read as they are written, refused with their line, dealt into strata."""

from collections import Counter

import numpy as np
import pytest

from autotl.data.examples import UNKNOWN, is_known, unknown_labels
from autotl.data.labels import LABELS, are_continuous
from autotl.data.splits import deal
from autotl.data.tables import LabelError

NUMBERS, CLASSES = LABELS["regression"], LABELS["classification"]


def written(texts, *, unit="line"):
    return NUMBERS.written(texts, range(2, 2 + len(texts)), column="torque", unit=unit)


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        (["1.5", "-2", "3e1"], [1.5, -2.0, 30.0]),
        (["1,5", "2,25", "-3,0"], [1.5, 2.25, -3.0]),
        (["1.234,5", "2.000,0", "7,25"], [1234.5, 2000.0, 7.25]),
        (["1,234.5", "2,000.0", "7.25"], [1234.5, 2000.0, 7.25]),
        (["0", "1", "1"], [0.0, 1.0, 1.0]),
        ([" 4 ", "−5"], [4.0, -5.0]),
    ],
)
def test_numbers_are_read_as_people_write_them(texts, values):
    assert NUMBERS.read(written(texts), ["torque"]).tolist() == values


def test_a_number_keeps_its_last_digit():
    value = 0.1 + 0.2
    assert NUMBERS.read(written([repr(value), "1"]), ["torque"])[0] == value


@pytest.mark.parametrize(
    ("texts", "code", "words"),
    [
        (["1", "two", "3"], "no_number", "line 3: column 'torque' holds 'two' where numbers are learnt (in 1 row)"),
        (["true", "false"], "no_number", "line 2: column 'torque' holds 'true'"),
        (["1", "", " "], "empty_label", "line 3: column 'torque' is empty (in 2 rows). Fill in a number"),
        (["1", "nan"], "empty_label", "line 3: column 'torque' holds 'nan', which is no number to learn"),
        (["inf", "1"], "empty_label", "line 2: column 'torque' holds 'inf'"),
        (
            ["1e300", "1"],
            "empty_label",
            "line 2: column 'torque' holds '1e300', which is too large for a 32-bit float (in 1 row)",
        ),
    ],
)
def test_what_is_no_number_is_refused_with_its_line(texts, code, words):
    with pytest.raises(LabelError) as caught:
        written(texts)
    assert caught.value.code == code
    assert str(caught.value).startswith(words)


def test_a_row_of_an_array_is_named_as_such():
    with pytest.raises(LabelError, match="^row 3: "):
        written(["1", "nan"], unit="row")


def test_every_split_gets_its_share_of_large_and_small_numbers():
    labels = np.random.default_rng(0).lognormal(0.0, 2.0, 600)
    bins = deal(NUMBERS.strata(labels), np.arange(600), [0.8, 0.2], np.random.default_rng(1))
    tenth = np.quantile(labels, [0.1, 0.9])
    for low, high in ((-np.inf, tenth[0]), (tenth[1], np.inf)):
        within = (labels >= low) & (labels <= high)
        assert within[bins == 1].mean() == pytest.approx(0.1, abs=0.01)


def test_few_and_unknown_numbers_are_one_stratum():
    assert set(NUMBERS.strata(np.arange(8.0))) == {UNKNOWN}
    assert set(NUMBERS.strata(NUMBERS.unknown(50, ["torque"]))) == {UNKNOWN}


@pytest.mark.parametrize("kind", LABELS.values(), ids=LABELS.keys())
def test_unknown_labels_are_known_as_such(kind):
    unknown = kind.unknown(3, ["a", "b"])
    assert not is_known(unknown).any()
    again = unknown_labels(2, like=unknown)
    assert (again.dtype, len(again)) == (unknown.dtype, 2)
    assert not is_known(again).any()
    assert is_known(unknown[:0]).shape == (0,)


def test_known_labels_are_known():
    assert is_known(np.array([0, UNKNOWN, 2])).tolist() == [True, False, True]
    assert is_known(np.array([0.0, np.nan, -1.0])).tolist() == [True, False, True]
    assert is_known(np.array([[0, 0], [UNKNOWN, UNKNOWN]])).tolist() == [True, False]


def test_a_window_bears_the_mean_of_its_numbers_and_the_commonest_of_its_classes():
    windows = [np.array([0, 1, 2]), np.array([2, 3])]
    assert NUMBERS.of_windows(["1.0", "2.0", "6.0", "0.0"], windows) == (("3.0", "3.0"), ())
    assert CLASSES.of_windows(["a", "a", "b", "b"], windows) == (("a", "b"), (0,))


def test_all_alike_is_nothing_to_learn():
    assert NUMBERS.nothing_to_learn(np.array([2.0, 2.0]), ["torque"]).startswith("needs ≥ 2 different values of 'torq")
    assert NUMBERS.nothing_to_learn(np.array([2.0, 3.0]), ["torque"]) is None


def test_a_report_is_told_where_the_numbers_lie():
    told = NUMBERS.counted(np.array([1.0, 2.0, 3.0, np.nan]), ["torque"])["numbers"]
    assert (told["least"], told["median"], told["most"], told["mean"]) == (1.0, 2.0, 3.0, 2.0)
    assert NUMBERS.listed(Counter(["1.0", "2.0", "3.0"]))["numbers"] == told


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ([f"{value:.3f}" for value in np.random.default_rng(0).normal(size=100)], True),
        ([f"{value:.3f}".replace(".", ",") for value in np.random.default_rng(0).normal(size=100)], True),
        ([str(value) for value in range(100)], True),
        ([str(value % 10) for value in range(100)], False),
        ([str(value % 50) for value in range(1000)], False),
        ([f"v{value}.5" for value in range(100)], False),
        (["NA", *(str(value) for value in range(100))], False),
        (["0.5", "1.5"] * 50, False),
    ],
)
def test_quantities_are_told_from_classes(texts, expected):
    assert are_continuous(Counter(texts)) is expected
