import numpy as np
import pytest

from autotl.data.long_signal import choose_window, long_signal


def machine(*, records=6, samples=400, **more):
    """A long signal in columns: a clock that starts anew in each record, one channel, a label per record."""
    count = records * samples
    columns = {
        "time": [f"{row % samples / 100:.2f}" for row in range(count)],
        "record": [f"r{row // samples}" for row in range(count)],
        "vibration": [str(np.sin(row)) for row in range(count)],
        **{name: [cells(row) for row in range(count)] for name, cells in more.items()},
    }
    return columns, [("ok", "worn")[row // samples % 2] for row in range(count)], [0] * count


def test_an_even_clock_beside_long_stretches_of_one_label_is_a_signal():
    signal = long_signal(*machine())
    assert (signal.time, signal.unit, signal.is_sure) == ("time", "record", True)
    assert signal.step == pytest.approx(0.01)
    assert signal.runs[:2] == (("ok", 400), ("worn", 400))


def test_the_unit_is_the_finest_column_within_which_time_rises():
    columns, labels, tables = machine(operator=lambda row: "ann", machine=lambda row: f"m{row // 800}")
    assert long_signal(columns, labels, tables).unit == "record"  # within a machine the clock starts anew
    assert long_signal(columns, labels, tables).not_numbers == ("operator", "machine")
    del columns["record"], columns["machine"]
    assert long_signal(columns, labels, tables) is None, "nothing tells the records apart"
    columns["attempt_ran"] = [str(row // 400) for row in range(len(labels))]
    assert long_signal(columns, labels, tables).unit == "attempt_ran"


def test_several_tables_are_several_records():
    columns, labels, _ = machine()
    del columns["record"]
    signal = long_signal(columns, labels, [row // 400 for row in range(len(labels))])
    assert signal.unit is None
    assert len(signal.runs) == 6


def test_labels_that_change_from_row_to_row_are_no_signal():
    columns, labels, tables = machine()
    draws = np.random.default_rng(0)
    assert not long_signal(columns, draws.choice(["ok", "worn"], len(labels)).tolist(), tables).is_sure


def test_a_gap_in_time_ends_a_stretch():
    columns, labels, tables = machine(records=2)
    columns["time"] = [
        f"{float(cell) + (5 if row % 400 >= 100 else 0):.2f}" for row, cell in enumerate(columns["time"])
    ]
    assert [length for _, length in long_signal(columns, labels, tables).runs] == [100, 300, 100, 300]


def test_a_clock_of_dates_counts_seconds():
    columns, labels, tables = machine(records=2, samples=60)
    columns["timestamp"] = [f"2024-01-31 10:{row // 60:02}:{row % 60:02}" for row in range(120)]
    del columns["time"]
    assert long_signal(columns, labels, tables).step == 1.0


@pytest.mark.parametrize(
    ("runs", "window"),
    [
        ([("a", 100_000), ("b", 100_000)], 1024),
        ([("a", 2_000)] * 9 + [("b", 2_000)] * 9, 256),  # four windows in a record are wanted
        ([("a", 2_000), ("b", 2_000)], 64),  # 31 windows a class; of 128 samples there were 15
        ([("a", 100), ("b", 100)], 32),
        ([("a", 100), ("b", 12)], None),
    ],
)  # fmt: skip
def test_the_window_leaves_enough_examples(runs, window):
    assert choose_window(runs) == window
