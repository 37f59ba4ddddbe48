"""What is beside the point in tables: which cells are filled, and where in its file a row stands."""

from collections.abc import Sequence

import numpy as np

from autotl.data.auditing.properties import Integers, Properties, Property
from autotl.data.records import Records

MOST_COLUMNS = 200


def table_properties(records: Records) -> Properties:
    """Of rows: how many of their cells are empty, and whether each is.

    That a single cell is empty for one class only is a leak, and found as one (`leaking_columns`); here are patterns.
    """
    empty = {
        name: np.array([not text.strip() for text in cells.texts], dtype=bool)[cells.codes]
        for name, cells in list(records.cells.items())[:MOST_COLUMNS]
    }
    columns = [
        Property(f"column {name!r}", ["empty" if one else "filled" for one in missing.tolist()], "appearance")
        for name, missing in empty.items()
        if missing.any() and not missing.all()
    ]
    if columns:
        count = np.sum(list(empty.values()), axis=0).astype(np.float64)
        columns.insert(0, Property("the number of empty cells", count, "appearance"))
    return Properties(
        tuple(columns),
        examples="rows",
        origin="",
        appearance="the empty cells",
        remedy="Fill cells by the same rule in rows {of_all}.",
    )


def order_properties(lines: Integers, labels: Integers) -> Properties:
    """Of rows: where they stand. Nothing where they are of several files, or simply sorted by class.

    Classes that come and go along a file tell of time, sites or batches: rows near each other are alike, and a random
    split puts some of them on each side.
    """
    is_one_file = bool((np.diff(lines) > 0).all())
    is_sorted_by_class = np.count_nonzero(np.diff(labels)) < len(np.unique(labels))
    place = Property("the place in the file", lines.astype(np.float64), "appearance")
    columns: Sequence[Property] = (place,) if is_one_file and not is_sorted_by_class else ()
    return Properties(
        columns,
        examples="rows",
        origin="",
        appearance="the places of the rows in their file",
        remedy="If the rows are of batches, name the batch as data.columns.group.",
        question="info",
    )
