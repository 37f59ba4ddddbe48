"""The graph's wide columns are the schema's, cell by cell, also where it was saved and loaded again."""

import keras
import numpy as np
import pytest

from autotl.backbones.wide_columns import wide_columns
from autotl.data.records import records_from_table
from autotl.data.schema_fitting import fit_schema
from autotl.data.tables import Table

ROWS = 40
DRAWS = np.random.default_rng(0)
COLUMNS = {
    "speed": [f"{value:.3f}" if value < 1 else "" for value in DRAWS.normal(size=ROWS)],
    "grade": [("L", "M", "NA", "")[index] for index in DRAWS.integers(4, size=ROWS)],
    "made": [
        f"2024-{month:02}-{day:02} {hour:02}:00" for month, day, hour in DRAWS.integers(1, [13, 29, 24], (ROWS, 3))
    ],
    "on": [("true", "false", "")[index] for index in DRAWS.integers(3, size=ROWS)],
    "place": [f"town {index}" for index in DRAWS.integers(12, size=ROWS)],
}


def fitted(names):
    cells = {name: COLUMNS[name] for name in names}
    records = records_from_table(Table(cells, range(2, 2 + ROWS)), tuple(names))
    return fit_schema(records, np.arange(ROWS), where="data").schema


def model_of(schema):
    inputs = keras.Input((len(schema.names),))
    return keras.Model(inputs, wide_columns(inputs, schema))


@pytest.mark.parametrize(
    "names", [["speed"], ["grade"], ["made"], ["grade", "place"], ["speed", "on"], list(COLUMNS), list(COLUMNS)[::-1]]
)
def test_they_are_those_of_the_schema(names):
    schema = fitted(names)
    new = {name: [*COLUMNS[name][:20], "", "", ""] for name in names}
    if "grade" in names:
        new["grade"][:2] = ["unseen", "l"]
    matrix = schema.encode(Table(new, range(2, 25)))
    wide = np.asarray(model_of(schema)(matrix))
    assert wide.shape == (23, len(schema.wide_names()))
    assert wide.dtype == np.float32
    assert np.isfinite(wide).all()
    np.testing.assert_array_equal(wide, schema.wide(matrix))


def test_what_is_unknown_or_empty_is_in_no_category():
    schema = fitted(["grade"])
    wide = np.asarray(model_of(schema)(np.array([[0.0], [1.0], [3.0]], np.float32)))
    assert wide.tolist() == [[0, 0, 0], [1, 0, 0], [0, 0, 1]]


def test_a_saved_model_gives_the_same(tmp_path):
    schema = fitted(list(COLUMNS))
    model = model_of(schema)
    model.save(tmp_path / "wide.keras")
    matrix = schema.encode(Table(COLUMNS, range(2, 2 + ROWS)))
    loaded = keras.saving.load_model(tmp_path / "wide.keras", safe_mode=True)
    np.testing.assert_array_equal(np.asarray(loaded(matrix)), np.asarray(model(matrix)))
