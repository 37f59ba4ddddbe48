"""Rows of tables: taken, joined, digested."""

import pickle
import subprocess
import sys

import numpy as np
import pytest
from small_tables import a_schema, fitted, records_of, table_of

from autotl.data.records import feature_columns, join_records, records_from_table
from autotl.data.schema import Schema
from autotl.data.tables import TableError, read_table
from autotl.errors import DataError
from autotl.task.model import Columns


@pytest.fixture
def schema() -> Schema:
    return a_schema()


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
