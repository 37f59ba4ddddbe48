import pickle

import numpy as np
import pytest

from autotl.data.arrays import ArrayError, read_array
from autotl.data.tables import Table
from autotl.data.windows import (
    LONGEST,
    BrokenWindowsError,
    SignalColumns,
    Windows,
    cut_table,
    inspect_windows,
    join_windows,
    mixed_findings,
    samples_from_array,
    window_findings,
    windows_from_samples,
)
from autotl.errors import DataError


def noise(count: int = 6, time: int = 8, channels: int = 1, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, time, channels)).astype(np.float32)


def windows_of(values: np.ndarray, **options) -> Windows:
    samples = samples_from_array(values)
    return windows_from_samples(samples, ids=[f"row {row}" for row in range(len(samples))], **options)


def everything(windows: Windows) -> np.ndarray:
    return np.arange(len(windows), dtype=np.int64)


def signal(units: dict[str, int], *, step: float = 0.1, **columns) -> Table:
    """A long table: so many samples a unit, counted from 0 in each."""
    names = [unit for unit, count in units.items() for _ in range(count)]
    numbers = [index for count in units.values() for index in range(count)]
    own = {"time": [f"{index * step:.3f}" for index in numbers], "unit": names, "value": [str(n) for n in numbers]}
    own |= {name: list(map(str, cells)) for name, cells in columns.items()}
    return Table(own, range(2, len(names) + 2))


def cut(table: Table, *, window: int = 4, stride: int | None = None, **columns):
    named = {"time": "time", "unit": "unit"} | columns
    return cut_table(table, SignalColumns(**named), window=window, stride=stride, where="task.yaml:3:9", origin="a.csv")


def spans(windows: Windows) -> list[list[float]]:
    """First and last value of each window's first channel."""
    read = windows.read(everything(windows))
    return read[:, [0, -1], 0].tolist()


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, np.int16, np.uint8, np.int64])
def test_arrays_of_numbers_become_float_windows_with_channels(dtype):
    flat = np.arange(24).reshape(3, 8).astype(dtype)
    windows = windows_of(flat)
    assert (windows.shape, len(windows), windows.read(everything(windows)).dtype) == ((8, 1), 3, np.float32)
    np.testing.assert_array_equal(windows.read(np.array([2, 0]))[..., 0], flat[[2, 0]])
    assert windows_of(np.zeros((2, 8, 3))).shape == (8, 3)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.array([np.zeros(8), np.zeros(9)], dtype=object), "windows of unequal length, from 8 to 9 samples"),
        (np.array([None, None], dtype=object), "Python objects, as NumPy keeps windows of unequal length"),
        (np.array([["a", "b"]]), "values of type <U1"),
        (np.zeros((2, 8), dtype=complex), "values of type complex128"),
        (np.zeros(8), "has shape (8,). Windows are (n, time) or (n, time, channels)"),
        (np.zeros((2, 8, 1, 1)), "has shape (2, 8, 1, 1)"),
        (np.zeros((5, 1)), "windows of 1 samples x 1 channel"),
        (np.zeros((1, 8, 2_000)), "put time before channels"),
        (np.zeros((0, LONGEST + 1)), "cut the windows shorter"),
    ],
)
def test_other_arrays_are_refused_in_words(values, words):
    with pytest.raises(BrokenWindowsError) as caught:
        samples_from_array(values)
    assert words in str(caught.value)


def test_windows_of_unequal_length_in_a_file_are_never_unpickled(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.array([np.zeros(8), np.zeros(9)], dtype=object), allow_pickle=True)
    with pytest.raises(ArrayError, match="'x' holds Python objects"):
        read_array(tmp_path / "a.npz", "x")


def test_windows_that_hold_no_numbers_are_skipped_up_to_one_percent():
    values = noise(200, channels=2)
    values[7, 3, 1] = np.nan
    values[7, 5, 0] = np.nan
    windows = windows_of(values, channels=("x", "y"))
    seen = inspect_windows(windows)
    (found,) = window_findings(windows, seen, where="task.yaml:3:9")
    assert (found.code, found.severity) == ("broken_window", "warning")
    assert found.message == (
        "task.yaml:3:9: 1 of 200 windows (0.50%) cannot be used and were skipped: "
        "row 7 holds values that are no number: 2, the first at sample 3, channel y: NaN."
    )
    assert inspect_windows(windows.take(seen.usable(200))).broken == {}


def test_more_broken_windows_are_an_error():
    values = noise(50)
    values[:3, 0] = np.inf
    windows = windows_of(values)
    (found,) = window_findings(windows, inspect_windows(windows), where="t")
    assert (found.severity, len(found.examples)) == ("error", 3)
    assert "row 0 holds values that are no number: 1, the first at sample 0: infinite" in found.message
    assert "audit: {allow: [broken_window]}" in found.message


def test_a_value_too_large_for_float32_is_found_as_infinite():
    values = noise(3).astype(np.float64)
    values[1, 2] = 1e300
    assert list(inspect_windows(windows_of(values)).broken) == [1]


def test_windows_and_channels_that_never_change_are_told():
    values = noise(20, channels=2)
    values[4] = 3.0
    values[:, :, 1] = 7.0
    windows = windows_of(values, channels=("x", "y"))
    seen = inspect_windows(windows)
    assert (seen.constant, seen.dead_channels) == ((4,), ("y",))
    found = window_findings(windows, seen, where="t")
    assert [(finding.code, finding.severity) for finding in found] == [
        ("constant_window", "warning"),
        ("constant_channel", "warning"),
    ]


def test_digests_tell_windows_of_other_values_or_shape_apart():
    values = np.concatenate([noise(2), noise(1)])
    digests = windows_of(values).digests
    assert digests[0] == digests[2] != digests[1]
    assert windows_of(values.reshape(3, 4, 2)).digests[0] != digests[0]


def test_taking_windows_lets_go_of_the_others_samples():
    windows = windows_of(noise())
    taken = pickle.loads(pickle.dumps(windows.take(np.array([4, 1])).renamed(["p", "q"])))
    assert (taken.ids, taken.digests) == (("p", "q"), (windows.digests[4], windows.digests[1]))
    assert taken.samples.shape == (16, 1)
    np.testing.assert_array_equal(taken.read(np.array([0, 1])), windows.read(np.array([4, 1])))
    assert windows.take(np.empty(0, dtype=np.int64)).read(np.empty(0, dtype=np.int64)).shape == (0, 8, 1)


def test_joined_windows_read_as_their_parts():
    one, other = windows_of(noise(seed=1)), windows_of(noise(seed=2))
    joined = join_windows([one, other])
    assert joined.digests == one.digests + other.digests
    np.testing.assert_array_equal(joined.read(np.array([1, 7])), [one.read(np.array([1]))[0], noise(seed=2)[1]])


def test_windows_of_other_shapes_or_channels_are_not_joined():
    one = windows_of(noise(), origin="load0.npz")
    other = windows_of(noise(time=16, channels=2), origin="load3.npz")
    with pytest.raises(DataError) as caught:
        join_windows([one, other])
    assert "those of load0.npz 8 samples x 1 channel and those of load3.npz 16 samples x 2 channels" in str(
        caught.value
    )
    named = [windows_of(noise(channels=2), channels=order, origin=order[0]) for order in (("x", "y"), ("y", "x"))]
    with pytest.raises(DataError, match="x has x, y and y has y, x"):
        join_windows(named)


def test_windows_never_cross_units():
    found = cut(signal({"A": 10, "B": 7}))
    assert spans(found.windows) == [[0, 3], [4, 7], [0, 3]]
    assert found.groups == ("A", "A", "B")
    assert found.windows.ids == ("A sample 0", "A sample 4", "B sample 0")
    assert (found.windows.channels, found.labels, found.findings) == (("value",), None, ())


def test_overlapping_windows_share_samples_and_a_group():
    found = cut(signal({"A": 8, "B": 6}), stride=2)
    assert spans(found.windows) == [[0, 3], [2, 5], [4, 7], [0, 3], [2, 5]]
    assert found.groups == ("A", "A", "A", "B", "B")
    assert found.windows.samples.shape == (14, 1)
    taken = found.windows.take(np.array([1, 2]))
    assert spans(taken) == [[2, 5], [4, 7]]
    assert len(taken.samples) == 6


def test_rows_of_several_units_may_be_mixed():
    table = signal({"A": 8, "B": 8})
    order = [row for pair in zip(range(8), range(8, 16), strict=True) for row in pair]
    mixed = Table({name: [cells[row] for row in order] for name, cells in table.columns.items()}, table.lines)
    assert cut(mixed).windows.digests == cut(table).windows.digests


@pytest.mark.parametrize("times", [[0, 1, 2, 3, 6, 7, 8, 9, 10], [0, 1, 2, 3, 3.2, 4.2, 5.2, 6.2, 7.2]])
def test_missing_or_crowded_samples_end_a_segment_and_are_told(times):
    found = cut(signal({"A": 9}, time=times))
    assert spans(found.windows) == [[0, 3], [4, 7]]
    assert [(finding.code, finding.severity) for finding in found.findings] == [("uneven_time", "warning")]
    assert "evenly: 1, first before line 6 of 'A'. No window reaches across." in found.findings[0].message


def test_times_may_be_dates():
    times = [f"2024-01-31 23:59:{second}" for second in range(50, 60)]
    times += [f"2024-02-01 00:00:0{second}" for second in range(6)]
    assert cut(signal({"A": 16}, time=times)).findings == ()


def test_time_that_goes_back_is_refused():
    with pytest.raises(DataError, match=r"a\.csv: line 4: time 0\.5 of 'A' comes after 1 \(line 3\)\. Sort the rows"):
        cut(signal({"A": 5}, time=[0, 1, 0.5, 2, 3]))
    with pytest.raises(DataError, match="once each"):
        cut(signal({"A": 5}, time=[0, 1, 1, 2, 3]))


def test_a_cell_that_is_no_time_is_refused():
    with pytest.raises(DataError, match=r"line 3: column 'time': 'noon' is no time\. Expected a number of seconds"):
        cut(signal({"A": 5}, time=[0, "noon", 1, 2, 3]))


def test_a_column_of_words_among_the_samples_is_refused_with_the_way_out():
    table = signal({"A": 5}, operator=["", "bob", "bob", "eve", "eve"])
    with pytest.raises(DataError, match=r"line 3: column 'operator': 'bob' is no number \(4 such cells\).*drop"):
        cut(table)
    assert cut(table, drop=("operator",)).windows.channels == ("value",)


def test_an_empty_sample_breaks_its_window_only():
    values = [str(number) for number in range(200 * 4)]
    values[9] = ""
    windows = cut(signal({"A": 800}, value=values)).windows
    assert list(inspect_windows(windows).broken) == [2]


def test_decimal_commas_are_read():
    found = cut(signal({"A": 4}, value=["0,5", "1,5", "2", "3,25"]))
    assert spans(found.windows) == [[0.5, 3.25]]


def test_a_window_bears_the_label_of_most_of_its_samples():
    table = signal({"A": 8, "B": 4}, label=["ok", "ok", "ok", "bad", *["bad"] * 4, "ok", "bad", "bad", "ok"])
    found = cut(table, label="label")
    assert found.labels == ("ok", "bad", "ok")
    assert found.mixed == (0, 2)
    assert found.findings == ()  # nothing that a hidden label would change
    (told,) = mixed_findings(found, where="t")
    assert "2 of 3 windows hold samples of several labels, such as A sample 0" in told.message


def test_rows_without_a_label_are_refused():
    with pytest.raises(DataError, match="line 5: 1 rows have no label"):
        cut(signal({"A": 4}, label=["a", "a", "a", ""]), label="label")


def test_units_stay_in_the_group_that_the_table_names():
    table = signal({"A": 4, "B": 4}, plant=["north"] * 8)
    assert cut(table, group="plant").groups == ("north", "north")
    with pytest.raises(DataError, match="line 4: 'A' belongs to the groups 'north' and 'south'"):
        cut(signal({"A": 4}, plant=["north", "north", "south", "south"]), group="plant")


def test_a_table_without_units_is_one_record():
    table = signal({"A": 9})
    found = cut(table, unit=None, time=None, drop=("time", "unit"))
    assert found.groups == ("a.csv", "a.csv")
    assert found.windows.ids == ("sample 0", "sample 4")


def test_short_units_and_other_rates_are_told():
    times = [*range(8), *range(3), *(index * 4 for index in range(8))]
    found = cut(signal({"A": 8, "B": 3, "C": 8}, time=times))
    assert [finding.code for finding in found.findings] == ["sampling_rate", "short_unit"]
    assert "a step of 1 in 'A', of 4 in 'C'" in found.findings[0].message
    assert "1 of 3 units give no window of 4 samples, such as 'B' (3)" in found.findings[1].message


def test_a_window_that_fits_nowhere_is_refused():
    with pytest.raises(DataError, match="no window of 10 samples fits: the longest stretch without a gap has 6"):
        cut(signal({"A": 6, "B": 5}), window=10)
    for window, stride in ((1, None), (LONGEST + 1, None), (4, 0)):
        with pytest.raises(DataError, match="is not allowed"):
            cut(signal({"A": 6}), window=window, stride=stride)


def test_columns_that_are_not_there_name_the_nearest():
    with pytest.raises(DataError, match=r"has no unit column 'units'.*Did you mean 'unit'"):
        cut(signal({"A": 4}), unit="units")
    with pytest.raises(DataError, match="no column of samples is left"):
        cut(signal({"A": 4}), drop=("value",))


def test_a_million_samples_are_cut():
    table = signal({f"m{index}": 100_000 for index in range(10)})
    assert len(cut(table, window=1024, stride=256).windows) == 3_870


@pytest.mark.parametrize("load", [0, 3])
def test_real_vibrations_are_sound_windows(shared_data, load):
    values = read_array(shared_data / "cwru_bearing" / f"windows_load{load}.npz", "x_train")
    windows = windows_of(values)
    assert windows.shape == (1024, 1)
    assert window_findings(windows, inspect_windows(windows), where="t") == []
    assert len(set(windows.digests)) == len(windows)
    np.testing.assert_array_equal(windows.read(np.array([5]))[0, :, 0], values[5])
