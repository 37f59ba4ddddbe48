"""Trees in LightGBM's own text format, read only after their structure was checked.

LightGBM trusts its files: a child or feature index out of range would be followed out of memory. So every index is
checked here first, and only the keys that prediction needs may appear.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autotl.errors import StorageError

LARGEST_TEXT_BYTES = 256 << 20
ROWS_FOR_THREADS = 1_000  # fewer are predicted sooner than threads have met, the more so where cores are shared
OF_A_NUMBER = ("regression", "regression_l1")  # objectives
_END = b"end of trees\n"
_HEADER_KEYS = frozenset(
    [
        "version",
        "num_class",
        "num_tree_per_iteration",
        "label_index",
        "max_feature_idx",
        "objective",
        "feature_names",
        "feature_infos",
        "tree_sizes",
    ]
)
_CATEGORICAL = 1  # bit of a decision type
_NODE_KEYS = frozenset({"split_feature", "split_gain", "threshold", "decision_type", "left_child", "right_child"})
_NODE_STATISTICS = frozenset({"internal_value", "internal_weight", "internal_count"})
_LEAF_KEYS = frozenset({"leaf_value", "leaf_weight", "leaf_count"})
_CATEGORY_KEYS = frozenset({"cat_boundaries", "cat_threshold"})
_ONCE_KEYS = frozenset({"Tree", "num_leaves", "num_cat", "is_linear", "shrinkage"})
_WHOLE_NUMBERS = re.compile(r"-?\d{1,10}(?: -?\d{1,10})*")
_NUMBERS = re.compile(r"[-+.\deE]{1,40}(?: [-+.\deE]{1,40})*")
_THRESHOLDS = re.compile(r"(?:[-+.\deE]{1,40}|inf)(?: (?:[-+.\deE]{1,40}|inf))*")  # inf: whatever is not missing


@dataclass(frozen=True)
class Trees:
    """A LightGBM model that gives class probabilities or a number, and the text it was read from.

    Attributes:
        leaves: of each tree.
        outputs: classes; 1 of trees that give a number.
    """

    text: bytes
    leaves: tuple[int, ...]
    booster: Any  # lightgbm.Booster
    outputs: int = 2

    def predict(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """What the trees say of features (n, d), (n, outputs): probabilities, of two classes in two columns; or numbers
        in one."""
        threads = 1 if len(features) < ROWS_FOR_THREADS else 0  # 0: as many as there are cores
        raw = np.asarray(self.booster.predict(features, num_threads=threads))
        if raw.ndim == 2:
            return raw
        return raw[:, None] if self.outputs == 1 else np.stack([1.0 - raw, raw], axis=1)

    @property
    def parameters(self) -> int:
        """A value per leaf; a feature and a threshold per split."""
        return sum(3 * leaves - 2 for leaves in self.leaves)

    @property
    def comparisons(self) -> int:
        """Of one prediction, roughly: a balanced tree's depth, summed over the trees."""
        return sum((leaves - 1).bit_length() for leaves in self.leaves)


def trees_of(booster: Any, *, outputs: int, features: int) -> Trees:
    """A trained booster by way of its text, so that what predicts now is what will be read later."""
    text = booster.model_to_string().encode()
    end = text.index(_END) + len(_END)  # what follows (importances, training parameters) is not needed to predict
    return trees_from_text(text[:end], outputs=outputs, features=features)


def trees_from_text(text: bytes, *, outputs: int, features: int) -> Trees:
    """Reads and checks a model of `outputs` classes, or of a number where that is 1, over `features` columns.

    Raises:
        StorageError: it is not a LightGBM model of this kind, or one of its indices leads nowhere.
    """
    if len(text) > LARGEST_TEXT_BYTES:
        raise StorageError(f"the trees have {len(text)} bytes, more than the {LARGEST_TEXT_BYTES} allowed.")
    if not text.isascii() or b"\0" in text or b"\r" in text:
        raise StorageError("the trees are not LightGBM's text: it is plain ASCII.")
    head, _, body = text.partition(b"\n\n")
    header = _header(head.decode("ascii"))
    per_iteration = 1 if outputs <= 2 else outputs
    objectives = {1: OF_A_NUMBER, 2: ("binary sigmoid:1",)}.get(outputs, (f"multiclass num_class:{outputs}",))
    _expect(header, "num_class", str(per_iteration))
    _expect(header, "num_tree_per_iteration", str(per_iteration))
    _expect(header, "objective", *objectives)
    _expect(header, "max_feature_idx", str(features - 1))
    for key in ("feature_names", "feature_infos"):
        if len(header[key].split(" ")) != features:
            raise StorageError(f"the trees' {key} should name {features} features.")
    leaves = _trees(body, _whole_numbers(header["tree_sizes"], "tree_sizes"), features)
    if len(leaves) % per_iteration:
        raise StorageError(f"there are {len(leaves)} trees; {outputs} classes need a multiple of {per_iteration}.")
    import lightgbm

    try:
        booster = lightgbm.Booster(model_str=text.decode("ascii"))
    except lightgbm.basic.LightGBMError as error:
        raise StorageError(f"LightGBM cannot read the trees: {error}") from error
    return Trees(text, leaves, booster, outputs)


def _header(text: str) -> Mapping[str, str]:
    first, *lines = text.split("\n")
    if first != "tree":
        raise StorageError(f"the trees should begin with the line 'tree'; they begin with {first[:40]!r}.")
    found: dict[str, str] = {}
    for line in lines:
        key, _, value = line.partition("=")
        if line == "average_output":
            continue  # a forest: the trees' mean instead of their sum
        if key not in _HEADER_KEYS or key in found:
            raise StorageError(f"the trees' header holds {line[:40]!r}, which does not belong there.")
        found[key] = value
    missing = _HEADER_KEYS - set(found)
    if missing:
        raise StorageError(f"the trees' header lacks {', '.join(sorted(missing))}.")
    if not re.fullmatch(r"v\d{1,2}", found["version"]):
        raise StorageError(f"the trees' version is {found['version'][:40]!r}.")
    _expect(found, "label_index", "0")
    return found


def _expect(found: Mapping[str, str], key: str, *allowed: str) -> None:
    if found.get(key) not in allowed:
        wanted = " or ".join(map(repr, allowed))
        raise StorageError(f"the trees' {key} is {found.get(key, 'missing')[:40]!r}; it should be {wanted}.")


def _trees(body: bytes, sizes: NDArray[np.int64], features: int) -> tuple[int, ...]:
    leaves, start = [], 0
    for number, size in enumerate(sizes.tolist()):
        # LightGBM jumps by these sizes without looking where it lands
        if size <= 0 or start + size > len(body):
            raise StorageError(f"tree {number} should have {size} bytes; there are {len(body) - start} left.")
        leaves.append(_leaves_of(body[start : start + size].decode("ascii"), number, features))
        start += size
    if body[start:] != _END:
        raise StorageError("the trees do not end where their sizes say.")
    return tuple(leaves)


def _leaves_of(text: str, number: int, features: int) -> int:
    """Checks one tree; how many leaves it has."""
    values: dict[str, str] = {}
    for line in text.rstrip("\n").split("\n"):
        key, equals, value = line.partition("=")
        if not equals or key in values:
            raise StorageError(f"tree {number} holds {line[:40]!r}, which does not belong there.")
        values[key] = value
    _expect(values, "Tree", str(number))
    _expect(values, "is_linear", "0")
    leaves = _single(values, "num_leaves", number)
    categories = _single(values, "num_cat", number)
    splits = leaves - 1
    if splits < 0 or not 0 <= categories <= splits:
        raise StorageError(f"tree {number} has {leaves} leaves and {categories} categorical splits.")
    lengths = dict.fromkeys(_NODE_KEYS | _NODE_STATISTICS, splits) | dict.fromkeys(_LEAF_KEYS, leaves)
    if categories:
        lengths["cat_boundaries"] = categories + 1
    allowed = _ONCE_KEYS | set(lengths) | (_CATEGORY_KEYS if categories else frozenset())
    if set(values) - allowed:
        raise StorageError(f"tree {number} holds {', '.join(sorted(set(values) - allowed))[:80]}.")
    for key, length in lengths.items():
        _check_row(values, key, length, number, required=key in _NODE_KEYS | _CATEGORY_KEYS or key == "leaf_value")
    _check_row(values, "shrinkage", 1, number, required=False)
    if splits:
        _check_splits(values, number, leaves, categories, features)
    return leaves


def _check_row(values: Mapping[str, str], key: str, length: int, number: int, *, required: bool) -> None:
    row = values.get(key, "")
    if row == "" and (length == 0 or not required):
        return
    numbers = _THRESHOLDS if key == "threshold" else _NUMBERS
    if row.count(" ") + 1 != length or not numbers.fullmatch(row):
        raise StorageError(f"tree {number}: {key} should hold {length} numbers.")


def _check_splits(values: Mapping[str, str], number: int, leaves: int, categories: int, features: int) -> None:
    """Every split names a feature and leads to a later split or a leaf (below zero), so that no path is a circle."""
    where = f"tree {number}: "
    own = np.arange(leaves - 1)
    chosen = _whole_numbers(values["split_feature"], where + "split_feature")
    if chosen.min() < 0 or chosen.max() >= features:
        raise StorageError(f"{where}split_feature names a feature out of range 0..{features - 1}.")
    for side in ("left_child", "right_child"):
        child = _whole_numbers(values[side], where + side)
        if not np.where(child < 0, ~child < leaves, (child > own) & (child < leaves - 1)).all():
            raise StorageError(f"{where}{side} leads to a node that is not there.")
    decisions = _whole_numbers(values["decision_type"], where + "decision_type")
    if decisions.min() < 0 or decisions.max() > 15:
        raise StorageError(f"{where}decision_type is out of range.")
    categorical = (decisions & _CATEGORICAL).astype(bool)
    thresholds = np.array(values["threshold"].split(" "))[categorical]
    if categorical.sum() != categories or not np.isin(thresholds, np.arange(categories).astype(str)).all():
        raise StorageError(f"{where}a categorical split leads to a set that is not there.")
    if categories:
        bounds = _whole_numbers(values["cat_boundaries"], where + "cat_boundaries")
        sets = _whole_numbers(values.get("cat_threshold", ""), where + "cat_threshold")
        if bounds[0] != 0 or (np.diff(bounds) <= 0).any() or bounds[-1] != len(sets):
            raise StorageError(f"{where}cat_boundaries do not divide cat_threshold.")
        if sets.min() < 0 or sets.max() >= 1 << 32:
            raise StorageError(f"{where}cat_threshold holds what is no set of 32 categories.")


def _single(values: Mapping[str, str], key: str, number: int) -> int:
    row = _whole_numbers(values.get(key, ""), f"tree {number}: {key}")
    if len(row) != 1:
        raise StorageError(f"tree {number}: {key} should be one number.")
    return int(row[0])


def _whole_numbers(row: str, what: str) -> NDArray[np.int64]:
    if not _WHOLE_NUMBERS.fullmatch(row):
        raise StorageError(f"{what} should be whole numbers; it is {row[:40]!r}.")
    return np.array(row.split(" "), dtype=np.int64)
