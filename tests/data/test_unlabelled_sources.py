"""Tables and arrays to predict on are found and read alike for every kind of input."""

import numpy as np
import pytest

from autotl.data.unlabelled_sources import member_holding_inputs, table_at
from autotl.errors import DataError


@pytest.mark.parametrize(
    ("members", "wanted", "found"),
    [
        (("x_train", "x_test"), None, "x_test"),
        (("x", "waves"), "waves", "waves"),
        (("x", "waves_val"), "waves", "waves_val"),
        (("x_train", "y_train"), "waves", "x_train"),
    ],
    ids=["test before train", "the one wanted", "its split", "the usual one where it is not there"],
)
def test_the_member_wanted_comes_before_the_usual_one_and_test_before_train(tmp_path, members, wanted, found):
    np.savez(tmp_path / "new.npz", **dict.fromkeys(members, np.zeros(2)))
    assert member_holding_inputs(tmp_path / "new.npz", wanted) == found


def test_an_array_file_without_inputs_says_what_it_holds_and_what_was_looked_for(tmp_path):
    np.savez(tmp_path / "new.npz", y=np.zeros(2))
    with pytest.raises(DataError, match=r"new\.npz: holds y, none of waves, .*x_train"):
        member_holding_inputs(tmp_path / "new.npz", "waves")


def test_a_table_in_another_encoding_is_to_be_saved_anew(tmp_path):
    (tmp_path / "new.csv").write_bytes("text\ncafé\n".encode("latin-1"))
    with pytest.raises(DataError, match=r"new\.csv: .*Save the table as utf-8"):
        table_at(tmp_path / "new.csv", "utf-8")
