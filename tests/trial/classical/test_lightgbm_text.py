"""Text of trees is read only where every index in it leads somewhere."""

import re

import numpy as np
import pytest

from autotl.errors import StorageError
from autotl.trial.classical import lightgbm_text
from autotl.trial.classical.lightgbm_text import Trees, trees_from_text, trees_of


@pytest.fixture(scope="module")
def trees() -> Trees:
    import lightgbm

    draws = np.random.default_rng(0)
    table = np.stack([draws.normal(size=400), draws.integers(0, 12, 400), draws.normal(size=400)], axis=1)
    labels = ((table[:, 0] > 0) ^ (table[:, 1] % 3 == 0)).astype(int)
    settings = {"objective": "binary", "verbosity": -1, "num_leaves": 7, "min_data_per_group": 1, "cat_smooth": 0}
    data = lightgbm.Dataset(table, labels, categorical_feature=[1])
    return trees_of(lightgbm.train(settings, data, 4), outputs=2, features=3)


def changed(text: bytes, key: str, row: str, *, tree: int = 1) -> bytes:
    """The text with a row of one tree replaced and the tree's size put right, as one who means harm would."""
    head, *blocks = re.split(rb"(?=Tree=\d+\n)|(?=end of trees)", text)
    line = rb"(?m)^" + key.encode() + rb"=.*$"
    assert re.search(line, blocks[tree])
    blocks[tree] = re.sub(line, key.encode() + b"=" + row.encode(), blocks[tree], count=1)
    sizes = b" ".join(str(len(block)).encode() for block in blocks[:-1])
    return b"".join([re.sub(rb"tree_sizes=.*", b"tree_sizes=" + sizes, head), *blocks])


def row_of(text: bytes, key: str, *, tree: int = 1) -> list[str]:
    block = re.split(rb"(?=Tree=\d+\n)", text)[tree + 1].decode()
    return re.search(rf"(?m)^{key}=(.*)$", block).group(1).split(" ")


def test_a_text_is_read_as_it_was_written(trees):
    again = trees_from_text(trees.text, outputs=2, features=3)
    table = np.random.default_rng(1).normal(size=(20, 3)).astype(np.float32)
    np.testing.assert_array_equal(again.predict(table), trees.predict(table))
    assert again.leaves == trees.leaves == (7, 7, 7, 7)
    assert again.parameters == 4 * (7 + 2 * 6)
    assert again.comparisons == 4 * 3
    assert trees_from_text(changed(trees.text, "shrinkage", "0.1"), outputs=2, features=3).leaves == trees.leaves


def test_nothing_of_the_machine_that_trained_is_in_it(trees):
    assert trees.text.endswith(b"end of trees\n")
    assert b"parameters" not in trees.text


@pytest.mark.parametrize(
    ("key", "place", "value"),
    [
        ("split_feature", 0, "3"),
        ("split_feature", 0, "-1"),
        ("left_child", 0, "6"),
        ("left_child", 2, "1"),  # back to an earlier node: a path without an end
        ("right_child", 1, "1"),  # to itself
        ("right_child", 0, "-8"),
        ("decision_type", 0, "16"),
        ("leaf_value", 0, "nan"),
        ("leaf_value", 0, "0x1p3"),
        ("threshold", 0, "one"),
        ("cat_boundaries", -1, "9"),
        ("cat_threshold", 0, "-5"),
        ("cat_threshold", 0, "4294967296"),
    ],
)
def test_an_index_or_number_that_leads_nowhere_is_refused(trees, key, place, value):
    row = row_of(trees.text, key)
    row[place] = value
    with pytest.raises(StorageError, match=key if key != "left_child" else "left_child|node"):
        trees_from_text(changed(trees.text, key, " ".join(row)), outputs=2, features=3)


def test_a_categorical_split_needs_its_set(trees):
    kinds = row_of(trees.text, "decision_type")
    place = next(index for index, kind in enumerate(kinds) if int(kind) & 1)
    thresholds = row_of(trees.text, "threshold")
    thresholds[place] = "77"
    with pytest.raises(StorageError, match="set that is not there"):
        trees_from_text(changed(trees.text, "threshold", " ".join(thresholds)), outputs=2, features=3)
    kinds = ["1"] * len(kinds)
    with pytest.raises(StorageError, match="set that is not there"):
        trees_from_text(changed(trees.text, "decision_type", " ".join(kinds)), outputs=2, features=3)


@pytest.mark.parametrize("key", ["split_feature", "threshold", "left_child", "leaf_value", "internal_value", "num_cat"])
def test_a_row_of_another_length_is_refused(trees, key):
    for row in (row_of(trees.text, key)[:-1], [*row_of(trees.text, key), "1"]):
        with pytest.raises(StorageError, match="tree 1"):
            trees_from_text(changed(trees.text, key, " ".join(row)), outputs=2, features=3)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"tree\n", b"bush\n"),
        (b"version=v4", b"version=newest"),
        (b"num_class=1\n", b"num_class=3\n"),
        (b"max_feature_idx=2", b"max_feature_idx=9"),
        (b"objective=binary sigmoid:1", b"objective=regression"),
        (b"label_index=0", b"label_index=5"),
        (b"label_index=0", b"label_index=0\nlabel_index=0"),
        (b"label_index=0", b"output_model=somewhere"),
        (b"Column_0 ", b""),
        (b"is_linear=0", b"is_linear=1"),
        (b"tree_sizes=", b"tree_sizes=9 "),
        (b"tree_sizes=", b"tree_sizes=-9 "),
        (b"end of trees\n", b"end of trees\n\nparameters:\n"),
        (b"end of trees\n", b"end of trees\n\0"),
        (b"version", "versión".encode()),
    ],
)
def test_a_header_that_promises_something_else_is_refused(trees, old, new):
    assert old in trees.text
    with pytest.raises(StorageError):
        trees_from_text(trees.text.replace(old, new, 1), outputs=2, features=3)


def test_another_number_of_classes_or_columns_is_refused(trees):
    for outputs, features in ((3, 3), (2, 4), (2, 2)):
        with pytest.raises(StorageError):
            trees_from_text(trees.text, outputs=outputs, features=features)


def test_a_text_that_is_too_long_is_not_even_looked_at(trees, monkeypatch):
    monkeypatch.setattr(lightgbm_text, "LARGEST_TEXT_BYTES", 1_000)
    with pytest.raises(StorageError, match="more than the 1000 allowed"):
        trees_from_text(trees.text, outputs=2, features=3)


def test_any_byte_may_be_flipped_without_harm(trees):
    draws = np.random.default_rng(0)
    table = draws.normal(size=(20, 3)).astype(np.float32)
    for _ in range(500):
        content = bytearray(trees.text)
        content[draws.integers(len(content))] ^= 1 << draws.integers(7)
        try:
            found = trees_from_text(bytes(content), outputs=2, features=3)
        except StorageError:
            continue
        assert found.predict(table).shape == (20, 2)  # another number in a leaf or threshold, which a digest would find
