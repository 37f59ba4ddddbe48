import numpy as np
import pytest

from autotl.data.column_roles import (
    choose_window,
    group_columns,
    is_class_like,
    is_quantity,
    is_split,
    label_by_name,
    long_signal,
    only_class_like,
    why_not_divided,
)

ROWS = 600
KINDS = ["L", "M", "H"] * (ROWS // 3)
FAULTS = ["0"] * (ROWS - 20) + ["1"] * 20
NUMBERS = [str(value) for value in np.random.default_rng(0).normal(size=ROWS)]
COUNTER = [str(row) for row in range(ROWS)]


@pytest.mark.parametrize(
    ("columns", "name"),
    [
        ({"label": KINDS, "failure": FAULTS}, "label"),
        ({"Class": KINDS, "x": NUMBERS}, "Class"),
        ({"Machine failure": FAULTS, "Type": KINDS}, "Machine failure"),
        ({"faultCode": FAULTS, "plantFault": FAULTS}, "plantFault"),
        ({"label": NUMBERS, "outcome": FAULTS}, "outcome"),  # a quantity is no class
        ({"fault": FAULTS, "disease": KINDS}, None),  # two would do alike
        ({"failure_time": NUMBERS, "x": KINDS}, None),
    ],
)
def test_the_label_is_told_by_its_name_and_its_cells(columns, name):
    assert label_by_name(columns).name == name


def test_several_possible_labels_are_listed():
    assert "'fault' (2 values), 'disease' (3 values)" in label_by_name({"fault": FAULTS, "disease": KINDS}).why


def test_the_one_column_left_is_the_label():
    assert only_class_like({"kind": KINDS, "patient_id": KINDS, "part": ["train"] * ROWS}).name == "kind"
    assert only_class_like({"kind": KINDS, "sort": KINDS}).name is None


@pytest.mark.parametrize(
    ("cells", "like"),
    [
        (KINDS, True), (FAULTS, True), (["0.0", "1.0"] * 9, True), (NUMBERS, False), (COUNTER, False),
        (["1.5", "2.5"] * 50, False), (["a"] * 9, False),
    ],
)  # fmt: skip
def test_classes_are_few_and_repeat(cells, like):
    assert is_class_like(cells) is like


def test_many_numbers_are_a_quantity():
    assert is_quantity(NUMBERS)
    assert is_quantity([f"{row % 300 / 10}" for row in range(10_000)])
    assert not is_quantity([str(row % 300) for row in range(10_000)])
    assert not is_quantity(KINDS)


def test_groups_are_told_by_name_and_repetition_the_coarsest_first():
    columns = {
        "record_no": [str(row // 4) for row in range(ROWS)],
        "Patient ID": [str(row // 12) for row in range(ROWS)],
        "Product ID": COUNTER,  # every one another: an identifier
        "userAge": [str(row // 12) for row in range(ROWS)],
    }
    assert group_columns(columns) == ["Patient ID", "record_no"]


def test_groups_must_be_many_and_every_class_must_have_some():
    patients = [str(row // 12) for row in range(ROWS)]
    assert why_not_divided(patients, KINDS) is None
    assert "only 3 of them" in (why_not_divided(KINDS, FAULTS) or "")
    assert "the class '1' stands in 2 of them only" in (why_not_divided(patients, FAULTS) or "")


def test_a_column_that_only_names_splits_is_one():
    assert is_split("part", ["train", "Test"])
    assert is_split("fold", ["0", "1", "2"])
    assert not is_split("part", ["left", "right"])


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
