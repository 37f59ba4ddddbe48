import json
import pickle
import subprocess
import sys
import time

import numpy as np
import pytest

from autotl.data.records import (
    MAX_CATEGORIES,
    Schema,
    feature_columns,
    fit_schema,
    join_records,
    leak_findings,
    misfit_findings,
    records_from_table,
)
from autotl.data.tables import Table, TableError, read_table
from autotl.errors import DataError, StorageError
from autotl.task.model import Columns


def table_of(**columns) -> Table:
    texts = {name: list(map(str, cells)) for name, cells in columns.items()}
    return Table(texts, range(2, 2 + len(next(iter(texts.values())))))


def records_of(**columns):
    table = table_of(**columns)
    return records_from_table(table, tuple(table.columns), origin="t.csv")


def everything(records):
    return np.arange(len(records), dtype=np.int64)


def fitted(records, **options):
    return fit_schema(records, everything(records), where="task.yaml:3:12", **options)


def kinds(**columns) -> list[str]:
    return [column.kind for column in fitted(records_of(**columns)).schema.columns]


def values(cells, **more) -> list[float]:
    """The numbers of one column beside another that keeps the table alive."""
    records = records_of(x=cells, other=["a", "b"] * (len(cells) // 2) + ["a"] * (len(cells) % 2), **more)
    schema = fitted(records).schema
    return records.with_schema(schema).read(everything(records))[:, 0].tolist()


def codes_of(findings) -> list[str]:
    return [finding.code for finding in findings]


def test_decimal_points_exponents_and_signs_are_numbers():
    assert values(["1", "-2.5", "1e3", "+.5", " 7 "]) == [1, -2.5, 1000, 0.5, 7]


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (["1,5", "2,25", "3"], [1.5, 2.25, 3]),
        (["1,234.5", "12", "1,234,567.0"], [1234.5, 12, 1234567]),
        (["1.234,5", "12", "7,25"], [1234.5, 12, 7.25]),
        (["1 234,5", "12", "2\u202f000,0"], [1234.5, 12, 2000]),
        (["1'234.5", "12", "7.25"], [1234.5, 12, 7.25]),
        (["1,234,567", "12", "3,000,000"], [1234567, 12, 3000000]),
        (["−5", "3", "2"], [-5, 3, 2]),
    ],
)
def test_each_column_has_its_own_way_of_writing_numbers(cells, numbers):
    assert values(cells) == numbers


def test_a_comma_that_may_mean_two_things_is_read_as_decimals_and_told():
    found = fitted(records_of(x=["1,234", "999", "5,678"], other=["a", "b", "a"]))
    assert found.schema.columns[0].notation == "1234,5"
    assert codes_of(found.findings) == ["ambiguous_numbers"]
    assert "line 2: '1,234', may stand before decimals or thousands" in found.findings[0].message


def test_words_for_missing_and_infinity_are_missing_numbers():
    read = values(["1.5", "NaN", "", "inf", "-Infinity", "n/a", "NULL", "?", "2", "1e999", "1e39"])
    assert np.isnan(read).tolist() == [False, *[True] * 7, False, True, True]


def test_in_a_column_of_text_only_the_empty_cell_is_missing():
    records = records_of(x=["NA", "NO", "nan", "😀", "", "null", "1e3"])
    schema = fitted(records).schema
    assert schema.columns[0].categories == ("1e3", "NA", "NO", "nan", "null", "😀")
    assert records.with_schema(schema).read(everything(records))[:, 0].tolist() == [2, 3, 4, 6, 0, 5, 1]


def test_the_kinds_of_columns():
    assert kinds(
        few=[0, 1, 2] * 10,
        truth=["true", "False", "1"] * 10,
        flag=["0", "1", "1"] * 10,
        code=["007", "012", "100"] * 10,
        word=["L", "M", "M"] * 10,
        day=["2024-01-31", "2024-02-29", ""] * 10,
    ) == ["numeric", "numeric", "numeric", "categorical", "categorical", "date"]


def test_true_and_false_are_one_and_zero():
    assert values(["true", "FALSE", "0", "1", ""])[:4] == [1, 0, 0, 1]


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


def test_strays_among_numbers_are_missing_and_told_by_line_and_cell():
    cells = [f"{index}.5" for index in range(10_000)]
    cells[16], cells[500], cells[9_000] = "abc", "12V", "abc"
    records = records_of(torque=cells)
    found = fitted(records)
    assert found.findings[0].message == (
        "task.yaml:3:12: column 'torque': 3 of 10,000 cells are no numbers, such as line 18: 'abc'. Read as missing."
    )
    assert np.isnan(records.with_schema(found.schema).read(np.array([16, 17]))).ravel().tolist() == [True, False]


def test_a_column_half_of_numbers_is_text_and_told():
    found = fitted(records_of(size=["10", "12", "14", "XL"] * 5))
    assert found.schema.columns[0].kind == "categorical"
    assert "75% of its filled cells are numbers, the others are not, such as line 5: 'XL'" in found.findings[0].message


def test_columns_that_tell_nothing_are_left_out_with_a_warning():
    rows = 40
    found = fitted(
        records_of(
            kept=["a", "b"] * 20,
            empty=["", " "] * 20,
            constant=["NA"] * rows,
            same_number=["1", "1.0"] * 20,
            number=range(1000, 1000 + rows),
            name=[f"M{index}" for index in range(rows)],
            copy=["x", "y"] * 20,
            measured=[index + 0.5 for index in range(rows)],
        )
    )
    assert [column.name for column in found.schema.columns] == ["kept", "measured"]
    assert found.left_out == ("empty", "constant", "same_number", "number", "name", "copy")
    assert {finding.severity for finding in found.findings} == {"warning"}
    assert codes_of(found.findings) == [
        "empty_column",
        "constant_column",
        "constant_column",
        "identifier",
        "identifier",
        "duplicate_column",
    ]
    assert "column 'copy' says the same as 'kept' in every row" in found.findings[-1].message


def test_an_identifier_is_found_in_a_part_of_its_rows_and_kept_where_it_is_allowed():
    numbers = np.random.default_rng(0).permutation(10_000)[:3_000]
    records = records_of(number=numbers, measured=np.arange(3_000) % 7)
    assert fitted(records).left_out == ("number",)
    assert fitted(records, allow=["identifier"]).left_out == ()


def test_whole_numbers_from_a_wide_range_are_no_identifier():
    prices = np.random.default_rng(0).integers(0, 10**9, 200)
    assert fitted(records_of(price=prices)).left_out == ()


def test_a_table_without_anything_to_learn_from_is_refused():
    with pytest.raises(DataError, match=r"no column of t\.csv is left to learn from\..*every cell is 'a'"):
        fitted(records_of(x=["a", "a"]))


def test_the_schema_knows_the_training_rows_only():
    records = records_of(x=["1", "3", "1000"], kind=["a", "b", "c"])
    schema = fit_schema(records, np.array([0, 1]), where="t").schema
    assert schema.columns[0].median == 2
    assert schema.columns[1].categories == ("a", "b")
    assert records.with_schema(schema).read(np.array([2])).tolist() == [[1000, 0]]


def test_the_order_of_rows_and_columns_does_not_matter_to_the_schema():
    records = records_of(x=["1", "3", "1000", ""], kind=["b", "a", "c", "a"])
    other = fit_schema(records, np.array([3, 1, 0, 2]), where="t").schema
    assert fitted(records).schema == other
    assert fitted(records).schema.digest == other.digest


def test_rare_categories_share_the_code_of_the_unknown():
    cells = [f"c{index:03}" for index in range(MAX_CATEGORIES + 20) for _ in range(3 if index < MAX_CATEGORIES else 2)]
    found = fitted(records_of(x=cells))
    assert (len(found.schema.columns[0].categories), found.schema.cardinalities) == (MAX_CATEGORIES, (101,))
    assert [(finding.code, finding.severity) for finding in found.findings] == [("many_categories", "info")]


@pytest.fixture
def schema() -> Schema:
    return fitted(
        records_of(
            torque=["1.5", "2.5", "10.5", ""],
            kind=["L", "M", "H", "L"],
            day=["2024-01-01", "2024-01-02", "2024-01-04", ""],
        )
    ).schema


def test_a_schema_reads_a_new_table_whatever_its_order_and_further_columns(schema):
    table = table_of(more=["z", "z"], day=["2024-01-03", ""], kind=["M", "new"], torque=["3", "-"])
    read = schema.encode(table)
    assert (read.dtype, schema.names) == (np.float32, ("torque", "kind", "day: weekday", "day: days"))
    np.testing.assert_array_equal(read, [[3, 3, 2, 2], [np.nan, 0, np.nan, np.nan]])
    assert schema.encode(table, np.array([1]))[0, 1] == 0
    assert (schema.categorical, schema.cardinalities) == ((1,), (4,))


def test_the_wide_encoding_fills_medians_and_spreads_categories(schema):
    assert schema.wide_names() == ("torque", "kind=H", "kind=L", "kind=M", "day: weekday", "day: days")
    wide = schema.wide(schema.encode(table_of(torque=["3", ""], kind=["M", "new"], day=["2024-01-03", ""])))
    assert wide.dtype == np.float32
    assert wide.tolist() == [[3, 0, 0, 1, 2, 2], [2.5, 0, 0, 0, 1, 1]]


def test_a_schema_survives_json_and_keeps_its_digest(schema):
    again = Schema.from_dict(json.loads(json.dumps(schema.as_dict())))
    assert (again, again.digest) == (schema, schema.digest)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda content: content.pop("columns"), "schema.columns: Field required"),
        (lambda content: content.update(more=1), "schema.more: Extra inputs"),
        (lambda content: content.update(format=2), "schema.format"),
        (lambda content: content.update(columns=[]), "schema.columns"),
        (lambda content: content["columns"][0].update(kind="numbr"), "numbr"),
        (lambda content: content["columns"][0].update(median="1"), "median"),
        (lambda content: content["columns"][0].update(median=float("nan")), "median"),
        (lambda content: content["columns"][0].update(notation="5.4321"), "notation"),
        (lambda content: content["columns"][1].update(categories=["b", "a"]), "are not sorted"),
        (lambda content: content["columns"][1].update(name="torque"), "two columns are called 'torque'"),
        (lambda content: content["columns"][2].update(origin="yesterday"), "columns.2.date"),
        (lambda content: content["columns"][2].update(medians=[1.0]), "one median for each"),
        (lambda content: content["columns"][2].update(median={1}), "JSON"),
    ],
)
def test_a_schema_that_was_tampered_with_is_refused(schema, change, words):
    content = schema.as_dict()
    change(content)
    with pytest.raises(StorageError, match="schema") as caught:
        Schema.from_dict(content)
    assert words in str(caught.value)


def test_a_new_table_tells_all_its_mistakes_by_line_and_column(schema):
    table = table_of(torque=["1", "1,5"], kind=["L", "L"], day=["tomorrow", "2024-01-01"])
    with pytest.raises(DataError) as caught:
        schema.encode(table, where="new.csv: ")
    assert caught.value.mistakes == (
        "new.csv: line 2: 'day': 'tomorrow' does not fit. Expected a date written as 2024-01-31, with or without a "
        "time such as 14:30, or an empty cell.",
        "new.csv: line 3: 'torque': '1,5' does not fit. Expected a number written as 1234.5, or an empty cell.",
    )


def test_a_new_table_without_a_column_names_the_nearest(schema):
    with pytest.raises(DataError) as caught:
        schema.encode(table_of(torqe=["1"], kind=["L"]), where="new.csv: ")
    assert "new.csv: has no numeric column 'torque'. Its columns: torqe, kind. Did you mean 'torqe'?" in str(
        caught.value
    )
    assert len(caught.value.mistakes) == 2


def test_a_thousand_cells_that_do_not_fit_are_counted(schema):
    with pytest.raises(DataError, match=r"980 more cells do not fit"):
        schema.encode(table_of(torque=["x"] * 1000, kind=["L"] * 1000, day=[""] * 1000))


def test_other_rows_are_held_against_the_schema(schema):
    count = 500
    torque = ["bad" if row < 4 else "1" for row in range(count)]
    records = records_of(torque=torque, kind=["Q"] * 100 + ["L"] * 400, day=["no"] * 100 + ["2024-01-01"] * 400)
    found = misfit_findings(records, schema, where="books")
    assert [(finding.code, finding.severity) for finding in found] == [
        ("mixed_types", "warning"),
        ("unseen_categories", "warning"),
        ("mixed_types", "error"),
    ]
    assert "4 of 500 cells do not fit, such as line 2: 'bad'. Read as missing." in found[0].message
    assert "20% of the cells hold categories that training has not: 'Q'" in found[1].message


def test_records_take_rename_and_pickle():
    records = records_of(x=["1", "2", "3"], kind=["a", "b", "a"])
    assert records.ids == ("row 0", "row 1", "row 2")
    bound = records.with_schema(fitted(records).schema)
    taken = pickle.loads(pickle.dumps(bound.take(np.array([2, 0])).renamed(["p", "q"])))
    assert (taken.ids, taken.digests, len(taken)) == (("p", "q"), (records.digests[2], records.digests[0]), 2)
    assert taken.read(np.array([0])).tolist() == [[3, 1]]
    assert taken.cells["kind"].texts == ("a",)  # the texts of other rows are let go
    assert taken.lines.tolist() == [4, 2]


def test_digests_know_content_but_not_the_order_of_columns():
    one, other = records_of(a=["1", "1", "12"], b=["2", "2", ""]), records_of(b=["2", "2", ""], a=["1", "1", "12"])
    assert one.digests == other.digests
    assert one.digests[0] == one.digests[1] != one.digests[2]
    assert records_of(a=["1"], b=["23"]).digests != records_of(a=["12"], b=["3"]).digests
    numbered = records_of(n=range(3), a=["1", "1", "2"])
    assert len(set(numbered.digests)) == 3
    assert len(set(numbered.without(["n"]).digests)) == 2


def test_joined_records_agree_on_columns_by_name():
    joined = join_records([records_of(a=["1", "2"], b=["x", "y"]), records_of(b=["y", "z"], a=["3", "1"])])
    assert joined.cells["b"].texts == ("x", "y", "z")
    assert joined.take(np.array([2])).cells["a"].texts == ("3",)
    assert joined.lines.tolist() == [2, 3, 2, 3]


def test_records_of_other_columns_are_not_joined():
    table = table_of(a=["1"], c=["2"])
    other = records_from_table(table, ("a", "c"), origin="u.csv")
    with pytest.raises(DataError) as caught:
        join_records([records_of(a=["1"], b=["2"]), other])
    assert "the columns of t.csv and u.csv differ: u.csv lacks 'b'; t.csv lacks 'c'." in str(caught.value)


def test_records_without_a_column_of_the_schema_are_refused(schema):
    with pytest.raises(DataError, match=r"t\.csv: has no column 'torque'.*Did you mean 'torques'"):
        records_of(torques=["1"], kind=["L"], day=[""]).with_schema(schema)


def test_the_features_are_what_the_task_leaves():
    table = table_of(a=["1"], b=["1"], y=["1"], g=["1"])
    assert feature_columns(table, Columns(group="g", drop=["b"]), label="y") == ("a",)
    with pytest.raises(TableError, match=r"no dropped column 'bb'.*Did you mean 'b'"):
        feature_columns(table, Columns(drop=["bb"]), label="y")
    with pytest.raises(TableError, match="no column is left"):
        feature_columns(table, Columns(drop=["a", "b", "g"]), label="y")


def leaks(labels, **columns) -> dict[str, str]:
    records = records_of(**columns)
    schema = fitted(records, allow=["identifier"]).schema
    found = leak_findings(records, schema, np.asarray(labels), where="task.yaml:3:12")
    assert all((finding.code, finding.severity) == ("leak", "error") for finding in found)
    return {finding.message.split("'")[1]: finding.message for finding in found}


def test_a_column_that_copies_the_label_is_a_leak():
    labels = np.arange(20) % 2
    noise = np.random.default_rng(0).normal(size=20)
    found = leaks(labels, answer=np.where(labels, "yes", "no"), noise=noise)
    assert list(found) == ["answer"]
    assert list(leaks(labels, answer=labels * 7, noise=noise)) == ["answer"]
    assert found["answer"] == (
        "task.yaml:3:12: column 'answer' copies the label: each of its 2 values stands for one class in all 20 rows. "
        "If it is not known when predicting, write 'data.columns: {drop: [answer]}'; if it is, "
        "'audit: {allow: [leak]}'."
    )


def test_a_copy_of_many_classes_is_a_leak():
    labels = np.arange(300) % 10
    assert "each of its 10 values" in leaks(labels, x=[f"kind {label}" for label in labels])["x"]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda labels, noise: labels * 3 + np.abs(noise) % 2 + 1, "the one split 'up to"),
        (lambda labels, noise: np.where(labels, "", 1 + noise), "whether it is filled"),
        (lambda labels, noise: np.where(labels == 1, np.arange(400) % 2 + 4, np.arange(400) % 3 + 1), "values alone"),
        (lambda labels, noise: [f"machine {label}{row % 5}" for row, label in enumerate(labels)], "values alone"),
    ],
)
def test_a_rule_on_one_column_that_nearly_always_tells_is_a_leak(make, words):
    labels = np.arange(400) % 2
    noise = np.random.default_rng(0).normal(size=400)
    assert words in leaks(labels, x=make(labels, noise), other=noise)["x"]


def test_a_number_that_separates_many_classes_is_a_leak():
    labels = np.arange(300) % 5
    found = leaks(labels, x=labels * 10 + np.random.default_rng(0).normal(size=300))
    assert "nearest class median" in found["x"]


def test_a_flag_that_stands_on_failures_only_is_a_leak():
    labels = (np.arange(2_000) % 30 == 0).astype(int)
    flag = labels * (np.arange(2_000) % 90 == 0)
    found = leaks(labels, mode=flag, noise=np.random.default_rng(0).normal(size=2_000))
    assert "is '1' in 23 rows, every one of the rarer class" in found["mode"]


def test_a_date_that_is_filled_for_failures_only_is_a_leak():
    labels = (np.arange(1_000) % 30 == 0).astype(int)
    repaired = ["2024-01-0" + str(row % 9 + 1) if label and row % 60 else "" for row, label in enumerate(labels)]
    assert "is filled in 17 rows" in leaks(labels, repaired=repaired, x=np.arange(1_000) % 7)["repaired"]


def test_good_features_and_lucky_ones_are_no_leaks():
    draws = np.random.default_rng(0)
    labels = draws.integers(0, 2, 1_000)
    rare = np.zeros(1_000, dtype=int)
    rare[np.flatnonzero(labels == 0)[:9]] = 1
    assert not leaks(
        labels,
        strong=labels + draws.normal(size=1_000),
        category=np.where(draws.random(1_000) < 0.95, labels, 1 - labels),
        rare=rare,
        unique=[f"name {row}" for row in range(1_000)],
    )


def test_few_labels_prove_no_leak():
    assert not leaks([0, 0, 1, 1], x=["1", "2", "8", "9"], kind=["a", "a", "b", "b"])


def test_labels_that_the_search_may_not_know_are_not_looked_at():
    labels = np.arange(200) % 2
    assert not leaks(np.full(200, -1), x=labels)
    hidden = np.where(np.arange(200) < 100, labels, -1)
    agreeing_where_known = np.where(np.arange(200) < 100, labels, 1 - labels)
    assert leaks(hidden, x=agreeing_where_known)


def test_names_in_the_advice_can_be_pasted():
    labels = np.arange(100) % 2
    records = records_of(**{"Torque [Nm]": labels})
    (found,) = leak_findings(records, fitted(records).schema, labels, where="t")
    assert 'drop: ["Torque [Nm]"]' in found.message


def test_a_table_in_another_encoding_is_read_with_the_tasks_own(tmp_path):
    (tmp_path / "t.csv").write_bytes("größe;art\n1,5;süß\n2,5;mild\n".encode("latin-1"))
    with pytest.raises(TableError, match="line 1: byte 0xf6 is not utf-8"):
        read_table(tmp_path / "t.csv", encoding="utf-8")
    table = read_table(tmp_path / "t.csv", encoding="latin-1")
    assert fitted(records_from_table(table, tuple(table.columns))).schema.names == ("größe", "art")


def test_importing_the_module_loads_nothing_heavy():
    script = "import autotl.data.records, autotl.data.windows, autotl.data.modality, sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert not {"pandas", "sklearn", "scipy", "keras", "tensorflow", "PIL"} & set(loaded)


def test_machine_failures_show_their_identifiers_and_leaks_within_a_second(shared_data):
    start = time.perf_counter()
    table = read_table(shared_data / "ai4i2020" / "ai4i2020.csv", encoding="utf-8")
    names = feature_columns(table, Columns(), label="Machine failure")
    records = records_from_table(table, names, origin="ai4i2020.csv")
    found = fitted(records)
    labels = np.array([int(label) for label in table.columns["Machine failure"]])
    told = leak_findings(records, found.schema, labels, where="task.yaml:3:12")
    seconds = time.perf_counter() - start
    assert found.left_out == ("UDI", "Product ID")
    assert [finding.message.split("'")[1] for finding in told] == ["TWF", "HDF", "PWF", "OSF"]
    assert found.schema.columns[0].categories == ("H", "L", "M")
    assert seconds < 1.0
    np.testing.assert_array_equal(
        found.schema.encode(table), records.with_schema(found.schema).read(everything(records))
    )


@pytest.mark.parametrize("domain", ["books", "kitchen"])
def test_the_rating_of_a_review_gives_its_label_away(shared_data, domain):
    table = read_table(shared_data / "amazon_reviews" / f"{domain}.csv", encoding="utf-8")
    records = records_from_table(table, feature_columns(table, Columns(), label="label"))
    found = fitted(records)
    labels = np.array([int(label) for label in table.columns["label"]])
    told = leak_findings(records, found.schema, labels, where="t")
    assert found.left_out == ("text", "title", "domain")
    assert [finding.message.split("'")[1] for finding in told] == ["rating"]
