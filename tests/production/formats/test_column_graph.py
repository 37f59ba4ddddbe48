"""TensorFlow's operations read cells as the schema does: every notation, every form of a date, every odd cell."""

import numpy as np
import tensorflow as tf
from odd_examples import cells_of_every_column, every_column, expected_numbers

from autotl.production.formats.column_graph import columns_graph
from autotl.production.formats.saved_model import input_names


def test_cells_become_the_same_numbers():
    columns = cells_of_every_column()
    graph = tf.function(columns_graph(every_column()), autograph=False)
    read = graph(*(tf.constant(cells) for cells in columns.values())).numpy()
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read, expected_numbers())


def test_every_column_has_an_input_of_its_own():
    names = input_names(["Torque [Nm]", "torque (nm)", "torque_nm_2", "2nd", "Ü", "", "a"])
    assert names == {
        "Torque [Nm]": "torque_nm",
        "torque (nm)": "torque_nm_2",
        "torque_nm_2": "torque_nm_2_2",
        "2nd": "column_2nd",
        "Ü": "column",
        "": "column_2",
        "a": "a",
    }
