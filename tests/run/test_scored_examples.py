"""The examples of a run come back as written, and are found by the rows that trials count by."""

import numpy as np
import pytest

from autotl.errors import StorageError
from autotl.run import RunFolder
from autotl.run.scored_examples import (
    EXAMPLES,
    ScoredExamples,
    read_scored_examples,
    split_of,
    write_scored_examples,
)
from autotl.run.trial_files import write_arrays


def examples(*, groups=None, test=None):
    validation = split_of(["a", "b", "c"], np.array([0, 1, 1]), groups)
    return ScoredExamples(("cat", "dog"), 1, np.array([4, 7, 9]), validation, test)


@pytest.mark.parametrize("groups", [None, np.array([5, 5, 6])])
@pytest.mark.parametrize("test", [None, split_of(["x"], np.array([-1]), np.array([2]))])
def test_they_come_back_as_written(tmp_path, groups, test):
    run, written = RunFolder(tmp_path), examples(groups=groups, test=test)
    write_scored_examples(run, written)
    read = read_scored_examples(run)
    assert (read.classes, read.positive) == (written.classes, written.positive)
    assert (read.test is None) == (test is None)
    for split, before in ((read.validation, written.validation), (read.test, test)):
        if before is not None:
            assert split.digests.tolist() == before.digests.tolist()
            assert split.labels.tolist() == before.labels.tolist()
            assert (split.groups is None) == (before.groups is None)


def test_rows_find_their_label_digest_and_group():
    found = examples(groups=np.array([5, 5, 6]))
    assert found.labels_by_row.tolist() == [-1, -1, -1, -1, 0, -1, -1, 1, -1, 1]
    assert found.groups_by_row[[4, 7, 9]].tolist() == [5, 5, 6]
    some = found.validation_at(np.array([9, 4]))
    assert (some.digests.tolist(), some.labels.tolist(), some.groups.tolist()) == (["c", "a"], [1, 0], [6, 5])
    assert examples().groups_by_row is None


def test_no_row_is_no_trouble(tmp_path):
    nothing = np.empty(0, dtype=np.int64)
    write_scored_examples(RunFolder(tmp_path), ScoredExamples(("a", "b"), 1, nothing, split_of([], nothing, None)))
    assert len(read_scored_examples(RunFolder(tmp_path)).labels_by_row) == 0


def test_a_run_that_has_not_come_so_far_has_none(tmp_path):
    assert read_scored_examples(RunFolder(tmp_path)) is None


def test_a_file_that_lacks_something_is_named(tmp_path):
    write_arrays(tmp_path / EXAMPLES, {"classes": np.array(["a"])})
    with pytest.raises(StorageError, match=r"examples\.npz cannot be read: it lacks"):
        read_scored_examples(RunFolder(tmp_path))
