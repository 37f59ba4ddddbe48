import numpy as np
import pytest

from autotl.data.column_roles import (
    group_columns,
    is_class_like,
    is_quantity,
    is_split,
    label_by_name,
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
