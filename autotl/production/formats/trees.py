"""LightGBM's trees as an ONNX graph: gaps filled, trees summed, probabilities calibrated, all as `autotl predict` does.
Of several labels there is a part of the graph for each; of numbers the sum is the answer.

ONNX trees compare float32 with float32, LightGBM float32 with doubles: each threshold is rounded down to float32, which
changes no decision on a float32 input. They know no sets of categories either: for each set that a tree asks for, the
graph looks up a column that is 0 inside the set and 1 outside, and the tree compares that.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autotl.errors import UsageError
from autotl.production.exportable import Exportable
from autotl.scoring.metrics import LEAST_PROBABILITY
from autotl.trial.classical import model_named
from autotl.trial.classical.kept_trees import DESCRIPTION, KeptTrees
from autotl.trial.classical.one_vs_rest import DIGITS, OneVsRest

OPSETS = {"": 17, "ai.onnx.ml": 3}
IR_VERSION = 8  # of the file itself; readers of the last years know it
CATEGORICAL, DEFAULT_LEFT = 1, 2  # bits of a decision type
MISSING_IS_ZERO, MISSING_IS_NAN = 1, 2  # the two bits above them
SMALLEST = 1e-12  # probability whose logarithm is taken

Numbers = NDArray[np.int64]


def onnx_of_trees(model: Exportable) -> bytes:
    """The model as an ONNX file: `columns` float32 (n, d) in; `probabilities` float32 (n, classes) out, or `number`
    float32 (n, 1).

    Raises:
        UsageError: it has no trees, since training had one class or one number alone, or no label both borne and not.
    """
    bundle = model.bundle
    files = {name: model.native_file(name) for name in _names(model)}
    kept = model_named(bundle.description["native"], bundle.problem).from_native_files(files)  # checks the whole text
    parts = [_Part.of(one, files, prefix) for one, prefix in _forests(kept)]
    columns = {part.text.columns for part in parts if part.text is not None}
    if not columns:
        raise UsageError(f"{bundle.path} says the same of everything and has no trees.")
    graph = _Graph(columns.pop(), float(bundle.description["temperature"]))
    return ANSWERING[bundle.problem.name](graph, parts, model.answers.output)


def _forests(kept: Any) -> list[tuple[KeptTrees, str]]:
    """Trees, with what the names of their files begin with."""
    if isinstance(kept, OneVsRest):
        return [(member, f"{index:0{DIGITS}d}.") for index, member in enumerate(kept.members)]
    return [(kept, "")]


def _names(model: Exportable) -> list[str]:
    prefix = "native/"
    return [name.removeprefix(prefix) for name in model.bundle.description["files"] if name.startswith(prefix)]


@dataclass(frozen=True)
class _Part:
    """Trees that answer one thing.

    Attributes:
        about: their description: classes, or the one number that was said in training.
        text: None where there was one answer alone, and nothing to grow.
    """

    about: Mapping[str, Any]
    text: "_Text | None"

    @classmethod
    def of(cls, kept: KeptTrees, files: Mapping[str, bytes], prefix: str) -> "_Part":
        about = json.loads(files[f"{prefix}{DESCRIPTION}"])
        return cls(about, None if kept.trees is None else _read(kept.trees.text))


@dataclass(frozen=True)
class _Text:
    """LightGBM's text, divided: lines of the head, and of each tree, by key."""

    head: Mapping[str, str]
    trees: list[Mapping[str, str]]

    @property
    def columns(self) -> int:
        return int(self.head["max_feature_idx"]) + 1

    @property
    def outputs(self) -> int:
        return int(self.head["num_tree_per_iteration"])


def _read(text: bytes) -> _Text:
    head, *trees = text.decode("ascii").split("\nTree=")
    return _Text(_pairs(head), [_pairs(f"Tree={tree}".partition("\nend of trees")[0]) for tree in trees])


def _pairs(lines: str) -> dict[str, str]:
    return {key: value for key, _, value in (line.partition("=") for line in lines.splitlines())}


@dataclass
class _Ensemble:
    """The attributes of ONNX's TreeEnsembleRegressor, filled node by node.

    Attributes:
        sets: categories of a column that some tree asks for → the column beside the table's own that tells them.
    """

    columns: int
    sets: dict[tuple[int, frozenset[int]], int] = field(default_factory=dict)
    nodes: dict[str, Any] = field(default_factory=dict)  # each a list

    def add(self, tree: int, values: Mapping[str, str], *, output: int) -> None:
        """A tree of LightGBM's text. Splits keep their numbers, leaves follow them."""
        leaves = int(values["num_leaves"])
        splits = leaves - 1
        for node in range(splits):
            self._add_split(tree, node, values, splits)
        for leaf, value in enumerate(values["leaf_value"].split()[:leaves]):
            self._append(
                treeids=tree,
                nodeids=splits + leaf,
                featureids=0,
                modes="LEAF",
                values=0.0,
                truenodeids=0,
                falsenodeids=0,
                missing_value_tracks_true=0,
            )
            self._append_target(treeids=tree, nodeids=splits + leaf, ids=output, weights=float(value))

    def _add_split(self, tree: int, node: int, values: Mapping[str, str], splits: int) -> None:
        column, decision = _whole(values["split_feature"])[node], _whole(values["decision_type"])[node]
        threshold = float(values["threshold"].split()[node])
        if decision & CATEGORICAL:
            key = (int(column), _members(values, int(threshold)))
            column = self.sets.setdefault(key, self.columns + len(self.sets))
            limit, missing_is_left = 0.5, False
        else:
            limit, missing_is_left = _rounded_down(threshold), _goes_left(int(decision), threshold)
        left, right = (
            int(child) if child >= 0 else splits + ~int(child)
            for child in (_whole(values["left_child"])[node], _whole(values["right_child"])[node])
        )
        self._append(
            treeids=tree,
            nodeids=node,
            featureids=int(column),
            modes="BRANCH_LEQ",
            values=limit,
            truenodeids=left,
            falsenodeids=right,
            missing_value_tracks_true=int(missing_is_left),
        )

    def _append(self, **values: Any) -> None:
        for name, value in values.items():
            self.nodes.setdefault(f"nodes_{name}", []).append(value)

    def _append_target(self, **values: Any) -> None:
        for name, value in values.items():
            self.nodes.setdefault(f"target_{name}", []).append(value)


def _whole(row: str) -> Numbers:
    return np.array(row.split(), dtype=np.int64)


def _members(values: Mapping[str, str], number: int) -> frozenset[int]:
    """The categories of a set, from its bits."""
    bounds = _whole(values["cat_boundaries"])
    words = _whole(values["cat_threshold"])[bounds[number] : bounds[number + 1]]
    return frozenset(
        32 * place + bit for place, word in enumerate(words.tolist()) for bit in range(32) if word >> bit & 1
    )


def _rounded_down(threshold: float) -> float:
    """The largest float32 that is not above it: no float32 lies between the two."""
    rounded = np.float32(threshold)
    return float(np.nextafter(rounded, np.float32(-np.inf)) if float(rounded) > threshold else rounded)


def _goes_left(decision: int, threshold: float) -> bool:
    """Where a missing number goes: as the tree learnt, or as zero does where it met none in training."""
    kind = decision >> 2 & 3
    if kind == MISSING_IS_NAN:
        return bool(decision & DEFAULT_LEFT)
    if kind == MISSING_IS_ZERO:
        raise UsageError("its trees take zero for missing, which ONNX cannot say.")
    return threshold >= 0


class _Graph:
    """An ONNX graph that grows, from columns to answers."""

    def __init__(self, columns: int, temperature: float) -> None:
        self._columns = columns
        self._temperature = temperature
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def classes(self, parts: Sequence[_Part], output: str) -> bytes:
        """The file of a model that tells classes apart."""
        (part,) = parts
        return self._as_bytes(self._probabilities(part), output, width=part.about["classes"])

    def labels(self, parts: Sequence[_Part], output: str) -> bytes:
        """The file of a model of no and yes for each label, of which yes is told."""
        yes = [self._column(self._probabilities(part), 1) for part in parts]
        return self._as_bytes(self._add("Concat", yes, axis=1), output, width=len(parts))

    def number(self, parts: Sequence[_Part], output: str) -> bytes:
        """The file of a model that gives a number."""
        (part,) = parts
        assert part.text is not None, "a model without trees is refused"
        return self._as_bytes(self._summed(self._filled(part.about.get("usual")), part.text), output, width=1)

    def _probabilities(self, part: _Part) -> str:
        """Calibrated ones of all classes."""
        if part.text is None:
            votes = self._in_every_row(np.ones((1, 1), np.float32))
        else:
            votes = self._votes(self._filled(part.about.get("usual")), part.text)
        return self._calibrated(self._over_all_classes(votes, part.about["present"], part.about["classes"]))

    def _as_bytes(self, answers: str, output: str, *, width: int) -> bytes:
        from onnx import TensorProto, checker, helper

        self._nodes.append(helper.make_node("Identity", [answers], [output]))
        graph = helper.make_graph(
            self._nodes,
            "winner",
            [helper.make_tensor_value_info("columns", TensorProto.FLOAT, ["n", self._columns])],
            [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["n", width])],
            self._constants,
        )
        opsets = [helper.make_opsetid(domain, version) for domain, version in OPSETS.items()]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="autotl")
        checker.check_model(model)
        content: bytes = model.SerializeToString()
        return content

    def _filled(self, usual: list[float | None] | None) -> str:
        """A missing number is the usual one where training had none missing."""
        if usual is None:
            return "columns"
        values = np.array([[np.nan if value is None else value for value in usual]], dtype=np.float32)
        is_missing = self._add("IsNaN", ["columns"])
        return self._add("Where", [is_missing, self._constant("usual", values), "columns"])

    def _column(self, table: str, index: int) -> str:
        return self._add("Gather", [table, self._constant("at", np.array([index]))], axis=1)

    def _in_every_row(self, row: NDArray[np.float32]) -> str:
        """(1, k) numbers as (n, k), n being the examples."""
        rows = self._add(
            "Slice",
            [
                self._add("Shape", ["columns"]),
                self._constant("from", np.array([0])),
                self._constant("to", np.array([1])),
            ],
        )
        shape = self._add("Concat", [rows, self._constant("width", np.array([row.shape[1]]))], axis=0)
        return self._add("Expand", [self._constant("row", row), shape])

    def _summed(self, columns: str, text: _Text) -> str:
        """What the trees say together, (n, outputs)."""
        ensemble = _Ensemble(text.columns)
        for number, tree in enumerate(text.trees):
            ensemble.add(number, tree, output=number % text.outputs)
        inputs = self._add("Concat", [columns, *self._outside(columns, ensemble)], axis=1)
        summed = self._add(
            "TreeEnsembleRegressor",
            [inputs],
            domain="ai.onnx.ml",
            n_targets=text.outputs,
            aggregate_function="SUM",
            post_transform="NONE",
            **ensemble.nodes,
        )
        if "average_output" in text.head:
            rounds = np.array([len(text.trees) / text.outputs], dtype=np.float32)
            summed = self._add("Div", [summed, self._constant("rounds", rounds)])
        return summed

    def _votes(self, columns: str, text: _Text) -> str:
        """Probabilities of the classes that the trees know."""
        summed = self._summed(columns, text)
        if text.outputs > 1:
            return self._add("Softmax", [summed], axis=1)
        second = self._add("Sigmoid", [summed])
        first = self._add("Sub", [self._constant("one", np.ones(1, np.float32)), second])
        return self._add("Concat", [first, second], axis=1)

    def _outside(self, columns: str, ensemble: _Ensemble) -> list[str]:
        """A column for each set of categories: 0 inside it, 1 outside, and for a missing one."""
        found = []
        for (column, members), place in ensemble.sets.items():
            known = self._constant(f"set_{place}", np.array([sorted(members)], dtype=np.float32))
            code = self._column(columns, column)
            equal = self._add("Cast", [self._add("Equal", [code, known])], to=1)
            inside = self._add("ReduceMax", [equal], axes=[1], keepdims=1)
            found.append(self._add("Sub", [self._constant(f"out_{place}", np.ones(1, np.float32)), inside]))
        return found

    def _over_all_classes(self, votes: str, present: list[int], classes: int) -> str:
        """What has no tree, or nearly no vote, gets the least."""
        least = self._constant("least", np.array([LEAST_PROBABILITY], dtype=np.float32))
        spread, rest = np.zeros((len(present), classes), np.float32), np.full((1, classes), LEAST_PROBABILITY)
        spread[np.arange(len(present)), present], rest[:, present] = 1.0, 0.0
        placed = self._add("MatMul", [self._add("Max", [votes, least]), self._constant("places", spread)])
        whole = self._add("Add", [placed, self._constant("absent", rest.astype(np.float32))])
        total = self._add("ReduceSum", [whole, self._constant("over_classes", np.array([1]))], keepdims=1)
        return self._add("Div", [whole, total])

    def _calibrated(self, probabilities: str) -> str:
        floor = self._constant("smallest", np.array([SMALLEST], dtype=np.float32))
        logits = self._add("Log", [self._add("Max", [probabilities, floor])])
        scaled = self._add("Div", [logits, self._constant("temperature", np.array([self._temperature], np.float32))])
        return self._add("Softmax", [scaled], axis=1)

    def _add(self, kind: str, inputs: list[str], **attributes: Any) -> str:
        from onnx import helper

        output = f"{kind.lower()}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def _constant(self, what: str, values: NDArray[Any]) -> str:
        from onnx import numpy_helper

        name = f"{what}_{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(values, name))
        return name


# By a problem's name: how a graph answers, from its parts and the name of its output.
ANSWERING: Mapping[str, Callable[[_Graph, Sequence[_Part], str], bytes]] = {
    "classification": _Graph.classes,
    "multilabel": _Graph.labels,
    "regression": _Graph.number,
}
