"""Where inputs to predict on come from, whatever they are: a table, or a member of an `.npz`."""

from pathlib import Path

from autotl.data.arrays import array_names
from autotl.data.tables import EncodingError, Table, TableError, read_table
from autotl.errors import DataError

ARRAY_ENDINGS = ("", "_test", "_validation", "_val", "_train")


def table_at(path: Path, encoding: str) -> Table:
    """A CSV or Parquet.

    Raises:
        DataError: it cannot be read.
    """
    try:
        return read_table(path, encoding=encoding)
    except EncodingError as error:
        raise DataError(f"{path}: {error.seen} Save the table as {encoding}.") from error
    except TableError as error:
        raise DataError(f"{path}: {error}") from error


def member_holding_inputs(path: Path, wanted: str | None) -> str:
    """The member of an `.npz` with the inputs: the one wanted or else `x`, of whichever split.

    Raises:
        ArrayError: the file cannot be read.
        DataError: it holds none of these.
    """
    looked_for = [base + ending for base in (*((wanted,) if wanted else ()), "x") for ending in ARRAY_ENDINGS]
    members = array_names(path)
    found = next((name for name in looked_for if name in members), None)
    if found is None:
        raise DataError(f"{path}: holds {', '.join(members) or 'nothing'}, none of {', '.join(looked_for)}.")
    return found
