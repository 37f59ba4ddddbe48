"""A schema knows the training rows alone: rows that are scored on, and hidden labels, change nothing in it."""

import csv

import numpy as np
import pytest

from autotl.data.domains import load_data
from autotl.data.records import Records
from autotl.data.table_fitting import fitted_on
from autotl.errors import DataError


def columns(rows, *, seed=0, names=("good", "bad")):
    draws = np.random.default_rng(seed)
    number = draws.integers(len(names), size=rows)
    return {
        "speed": [f"{value:.5f}" for value in draws.normal(size=rows) + number],
        "load": [f"{value:.5f}" for value in draws.normal(size=rows)],
        "grade": [("L", "M", "H")[index] for index in draws.integers(3, size=rows)],
        "made": [f"2024-0{month}-{day:02}" for month, day in draws.integers(1, [10, 29], size=(rows, 2))],
        "label": [names[index] for index in number],
    }


def write(path, cells):
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(cells)
        writer.writerows(zip(*cells.values(), strict=True))


def rewritten(cells, rows):
    """The same table with values in some rows that no other row has."""
    changed = {name: list(values) for name, values in cells.items()}
    for number, row in enumerate(rows):
        changed["speed"][row] = f"{1e6 + number}"
        changed["load"][row] = ""
        changed["grade"][row] = f"X{number}"
        changed["made"][row] = "1901-12-31"
    return changed


def schema_of(data):
    assert {records.schema for records in data.inputs} == {data.inputs[0].schema}
    return data.inputs[0].schema


def codes(data):
    return {found.code for found in data.findings}


def row_numbers(inputs):
    return [int(name.removeprefix("row ")) for name in inputs.ids]


@pytest.mark.parametrize("split", ["validation", "test"])
def test_values_that_only_a_given_split_has_change_nothing_in_the_schema(tmp_path, make_task, split):
    write(tmp_path / "t.csv", columns(120))
    task = make_task({"train": "t.csv", split: "v.csv"}, modality="table")
    write(tmp_path / "v.csv", columns(100, seed=1))
    usual = load_data(task)
    write(tmp_path / "v.csv", rewritten(columns(100, seed=1), range(100)))
    strange = load_data(task)
    assert schema_of(strange) == schema_of(usual)
    assert "unseen_categories" in codes(strange) - codes(usual)
    if split == "test":
        assert strange.test.inputs.schema == schema_of(strange)
        numbers = strange.test.inputs.read(np.arange(100))
        grade = schema_of(strange).names.index("grade")
        assert set(numbers[:, grade]) == {0.0}, "an unseen category is unknown"
        assert np.isnan(numbers[:, schema_of(strange).names.index("load")]).all()


def test_values_that_only_held_out_rows_have_change_nothing_in_the_schema(tmp_path, make_task):
    """Validation and test dealt by share: which rows they are is known only after the table was read."""
    cells = columns(2_600)
    write(tmp_path / "t.csv", cells)
    task = make_task({"train": "t.csv", "test": 0.2, "validation": 0.2}, modality="table")
    usual = load_data(task)
    assert usual.score_kind == "validation"
    held_out = [row_numbers(usual.inputs[0])[row] for row in usual.folds[0].validation]
    held_out += row_numbers(usual.test.inputs)
    write(tmp_path / "t.csv", rewritten(cells, held_out))
    strange = load_data(task)
    assert schema_of(strange) == schema_of(usual)
    np.testing.assert_array_equal(strange.folds[0].train, usual.folds[0].train)
    assert strange.inputs[0].ids == usual.inputs[0].ids
    rows = usual.folds[0].train
    np.testing.assert_array_equal(strange.inputs[0].read(rows), usual.inputs[0].read(rows))


def test_values_of_training_rows_do_change_it(tmp_path, make_task):
    write(tmp_path / "t.csv", columns(120))
    task = make_task({"train": "t.csv", "validation": "v.csv"}, modality="table")
    write(tmp_path / "v.csv", columns(100, seed=1))
    usual = load_data(task)
    write(tmp_path / "t.csv", rewritten(columns(120), range(70)))
    assert schema_of(load_data(task)) != schema_of(usual)


def test_the_schema_is_that_of_the_training_rows_by_themselves(tmp_path, make_task):
    write(tmp_path / "t.csv", columns(120))
    write(tmp_path / "v.csv", columns(100, seed=1))
    data = load_data(make_task({"train": "t.csv", "validation": "v.csv"}, modality="table"))
    write(tmp_path / "alone.csv", columns(120))
    alone = load_data(make_task("alone.csv", modality="table"))  # scored in folds: every row trains in one
    assert schema_of(data) == schema_of(alone)
    medians = {column.name: column.median for column in schema_of(data).columns if column.kind == "numeric"}
    assert medians["speed"] == pytest.approx(np.median([float(cell) for cell in columns(120)["speed"]]))


def test_a_running_number_hides_no_duplicate(tmp_path, make_task):
    once = columns(40)
    cells = {"id": [f"{number}" for number in range(80)], **{name: values * 2 for name, values in once.items()}}
    write(tmp_path / "t.csv", cells)
    data = load_data(make_task("t.csv", modality="table"))
    assert {"identifier", "duplicate"} <= codes(data)
    assert "id" not in schema_of(data).names
    digests = np.array(data.inputs[0].digests)
    assert len(set(digests)) == 40
    for fold in data.folds:
        assert not set(digests[fold.train]) & set(digests[fold.validation]), "copies stay on one side"


@pytest.mark.parametrize("how", ["source", "paths"])
@pytest.mark.parametrize("written", ["{}", "machine {}"])
def test_a_number_that_begins_anew_in_each_table_is_a_running_number(tmp_path, make_task, how, written):
    for name, seed, rows in (("a.csv", 0, 60), ("b.csv", 1, 90)):
        write(tmp_path / name, {"id": [written.format(row) for row in range(rows)], **columns(rows, seed=seed)})
    if how == "source":
        data = load_data(make_task("a.csv", {"train": "b.csv"}, modality="table"))
    else:
        data = load_data(make_task({"train": ["a.csv", "b.csv"]}, modality="table"))
    assert [found.code for found in data.findings] == ["identifier"]
    assert "id" not in data.inputs[0].cells


def test_a_running_number_hides_no_leak_between_splits(tmp_path, make_task):
    once = columns(60)
    write(tmp_path / "t.csv", {"id": [f"{number}" for number in range(60)], **once})
    write(tmp_path / "v.csv", {"id": [f"{number}" for number in range(100, 160)], **once})
    with pytest.raises(DataError, match=r"examples both in target train and in target test: 60"):
        load_data(make_task({"train": "t.csv", "test": "v.csv"}, modality="table"))


def test_columns_left_out_are_left_out_of_every_split(tmp_path, make_task):
    extra = {"same": ["1"] * 60, "none": [""] * 60, "name": [f"machine {row}" for row in range(60)]}
    write(tmp_path / "t.csv", {**extra, **columns(60)})
    write(tmp_path / "v.csv", {**{name: values[::-1] for name, values in extra.items()}, **columns(60, seed=1)})
    data = load_data(make_task({"train": "t.csv", "test": "v.csv"}, modality="table"))
    assert {"constant_column", "empty_column", "identifier"} <= codes(data)
    for records in (*data.inputs, data.test.inputs):
        assert isinstance(records, Records)
        assert set(records.cells) == {"speed", "load", "grade", "made"}


def test_copied_rows_make_no_column_a_leak(tmp_path, make_task):
    """An oversampled class: every one of its values stands on rows of one class only, because they are copies."""
    once = columns(300, names=("usual", "rare"))
    once["flag"] = ["1" if row == once["label"].index("rare") else "0" for row in range(300)]
    rare = [row for row, label in enumerate(once["label"]) if label == "rare"]
    cells = {name: [*values, *(values[row] for row in rare for _ in range(11))] for name, values in once.items()}
    write(tmp_path / "t.csv", cells)
    assert "leak" not in codes(load_data(make_task("t.csv", modality="table")))


def test_an_identifier_that_is_allowed_stays(tmp_path, make_task):
    write(tmp_path / "t.csv", {"id": [f"{number}" for number in range(60)], **columns(60)})
    data = load_data(make_task("t.csv", modality="table", audit={"allow": ["identifier"]}))
    assert "id" in schema_of(data).names


def test_a_column_that_tells_the_label_is_an_error_and_a_warning_where_it_is_allowed(tmp_path, make_task):
    cells = columns(60)
    write(tmp_path / "t.csv", {"verdict": [f"{name == 'bad'}" for name in cells["label"]], **cells})
    with pytest.raises(DataError, match=r"column 'verdict' copies the label.*drop: \[verdict\]"):
        load_data(make_task("t.csv", modality="table"))
    data = load_data(make_task("t.csv", modality="table", audit={"allow": ["leak"]}))
    assert [found.severity for found in data.findings if found.code == "leak"] == ["warning"]
    assert "verdict" in schema_of(data).names


def test_a_leak_is_found_in_the_source_alone_where_the_target_hides_its_labels(tmp_path, make_task):
    """What copies a hidden label is not looked at: the finding itself would tell the label."""
    cells, source = columns(60), columns(60, seed=1)
    tells = [f"{name == 'bad'}" for name in cells["label"]]
    silent = [("True", "False")[row % 2] for row in range(60)]
    target = {"train": "t.csv", "labels": "none", "test": {"labels_of": "train"}}
    write(tmp_path / "t.csv", {"verdict": tells, **cells})
    write(tmp_path / "s.csv", {"verdict": silent, **source})
    assert "leak" not in codes(load_data(make_task(target, {"train": "s.csv"}, modality="table")))
    write(tmp_path / "s.csv", {"verdict": [f"{name == 'bad'}" for name in source["label"]], **source})
    with pytest.raises(DataError, match="copies the label"):
        load_data(make_task(target, {"train": "s.csv"}, modality="table"))


@pytest.mark.parametrize("permuted", ["order", "one class alone", "classes of no source"])
def test_hidden_labels_change_nothing_but_the_sealed_test(tmp_path, make_task, permuted):
    cells = columns(80)
    write(tmp_path / "s.csv", columns(120, seed=1))
    task = make_task(
        {"train": "t.csv", "labels": "none", "test": {"labels_of": "train"}}, {"train": "s.csv"}, modality="table"
    )
    write(tmp_path / "t.csv", cells)
    true = load_data(task)
    labels = {
        "order": cells["label"][::-1],
        "one class alone": ["bad"] * 80,
        "classes of no source": [f"kind {row}" for row in range(80)],
    }
    write(tmp_path / "t.csv", {**cells, "label": labels[permuted]})
    other = load_data(task)
    assert schema_of(other) == schema_of(true)
    assert "label" not in schema_of(true).names
    for one, two in zip(true.inputs, other.inputs, strict=True):
        assert (one.ids, one.digests) == (two.ids, two.digests)
    np.testing.assert_array_equal(true.labels, other.labels)
    assert true.findings == other.findings
    assert true.summary == other.summary
    assert true.classes == other.classes
    for name in ("target_rows", "adaptation_rows", "source_validation"):
        np.testing.assert_array_equal(getattr(true, name), getattr(other, name))
    assert true.test.fingerprint != other.test.fingerprint
    assert not np.array_equal(true.test.open_labels(), other.test.open_labels())


def test_unlabelled_rows_that_may_be_adapted_to_are_fitted_on_too(tmp_path, make_task):
    """Their inputs are the population that the model is for; a category of theirs is no surprise in production."""
    cells = columns(80)
    write(tmp_path / "s.csv", columns(120, seed=1))
    write(tmp_path / "t.csv", {**cells, "grade": ["Z"] * 40 + cells["grade"][40:]})
    target = {"train": "t.csv", "labels": "none", "test": {"labels_of": "train"}}
    data = load_data(make_task(target, {"train": "s.csv"}, modality="table"))
    grade = next(column for column in schema_of(data).columns if column.name == "grade")
    assert grade.categories == ("H", "L", "M", "Z")


def test_fitting_reads_no_row_but_those_of_the_folds(tmp_path, make_task):
    write(tmp_path / "t.csv", columns(120))
    data = load_data(make_task("t.csv", modality="table"))
    from autotl.data.examples import Fold

    records = data.inputs[0].without(())
    fold = Fold(np.arange(50), np.arange(50, 120))
    alone = fitted_on([records.take(np.arange(50))], [Fold(np.arange(50), np.arange(0))], np.arange(0), where="data")
    assert fitted_on([records], [fold], np.arange(0), where="data") == alone
