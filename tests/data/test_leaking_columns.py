"""Columns that were written down after the fact are found, and lucky ones are not."""

import numpy as np
import pytest
from small_tables import everything, fitted, records_of

from autotl.data.leaking_columns import leak_findings
from autotl.data.records import feature_columns, records_from_table
from autotl.data.tables import read_table
from autotl.task.model import Columns


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


def test_machine_failures_show_their_identifiers_and_leaks(shared_data):
    table = read_table(shared_data / "ai4i2020" / "ai4i2020.csv", encoding="utf-8")
    names = feature_columns(table, Columns(), label="Machine failure")
    records = records_from_table(table, names, origin="ai4i2020.csv")
    found = fitted(records)
    labels = np.array([int(label) for label in table.columns["Machine failure"]])
    told = leak_findings(records, found.schema, labels, where="task.yaml:3:12")
    assert found.left_out == ("UDI", "Product ID")
    assert [finding.message.split("'")[1] for finding in told] == ["TWF", "HDF", "PWF", "OSF"]
    assert found.schema.columns[0].categories == ("H", "L", "M")
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
