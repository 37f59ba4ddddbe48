"""What array files seem to hold: the inputs, and beside them labels and groups, a name or a row of marks each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from autotl.data.arrays import NAMES, ArrayError, array_names, read_array, read_header, read_names
from autotl.data.column_roles import MOST_CLASSES
from autotl.data.draft import Draft
from autotl.data.first_look.telling import Asked, put_group, put_modality, put_problem
from autotl.data.layout import Layout
from autotl.data.modality import ArrayFacts, guess_modality
from autotl.errors import DataError, suggestion


def describe_arrays(draft: Draft, domains: Sequence[Layout], asked: Asked) -> str:
    """Puts the modality, and which members hold inputs, labels and groups."""
    arrays = [_Array.of(path, asked) for path in domains[0].train]
    first = arrays[0]
    guess = guess_modality([ArrayFacts(first.inputs, first.shape, first.kind, first.itemsize)])
    modality = put_modality(draft, asked, guess, first.path)
    if modality not in ("image", "signal"):
        raise DataError(f"{first.path}: an array holds images or signals. For modality {modality} name a table.")
    draft.put("data.columns.input", first.input_name, f"a member of the .npz, shape {_shape(first.shape)}")
    sources = [_Array.of(path, Asked(label=asked.label)) for layout in domains[1:] for path in layout.train]
    label = first.label or next((array.label for array in sources if array.label is not None), None)
    if label is None:
        members = ", ".join(first.members)
        raise DataError(f"{first.path}: no member is surely the labels. It holds {members}. Name them: --label MEMBER.")
    draft.put("data.columns.label", label, "a member of the .npz")
    if first.label is None:
        draft.put("data.target.labels", "none", "the target's labels are not known: all is learnt from the sources")
    labelled = next((array for array in (first, *sources) if array.label == label), first)
    if labelled.label_is_marks:
        draft.put("problem", "multilabel", f"{label} holds marks 0 and 1, a column for each label")
        draft.say("The labels are marks: an example may bear several labels, or none.")
        are_classes = False
    else:
        are_classes = put_problem(draft, label, labelled.names())
    put_group(draft, first.one_a_row(), first.names() if are_classes and first.label else None, lacking={})
    tests = domains[0].test
    if tests and f"{label}_test" not in (held := array_names(tests[0])) and label not in held:
        draft.forget_test(f"{tests[0]} has no labels {label!r}")
    return modality


@dataclass(frozen=True)
class _Array:
    """An array file as its headers tell: the inputs `x` or `x_train`, and the members of as many rows beside them."""

    path: Path
    members: tuple[str, ...]
    inputs: str
    shape: tuple[int, ...]
    kind: str
    itemsize: int
    label: str | None = None  # without the ending of the split
    label_is_marks: bool = False

    @property
    def ending(self) -> str:
        return "_train" if self.inputs.endswith("_train") else ""

    @property
    def input_name(self) -> str:
        return self.inputs.removesuffix("_train")

    @classmethod
    def of(cls, path: Path, asked: Asked) -> "_Array":
        """Raises `DataError` where nothing says which member holds the inputs."""
        try:
            members = array_names(path)
            headers = {name: read_header(path, name) for name in members}
        except ArrayError as error:
            raise DataError(f"{path}: {error}") from error
        bases = [asked.input] if asked.input is not None else ["x"]
        wanted = [f"{base}{ending}" for base in bases for ending in ("_train", "")]
        found = next((name for name in wanted if name in members), None)
        if found is None and asked.input is None:
            wide = [name for name in members if len(headers[name].shape) >= 2 and headers[name].shape[1] > 1]
            wide = [name for name in wide if not name.endswith(("_test", "_val", "_validation"))]
            found = wide[0] if len(wide) == 1 else None
        if found is None:
            raise DataError(f"{path}: holds {', '.join(members) or 'nothing'}. Name the inputs: --input MEMBER.")
        header = headers[found]
        array = cls(path, members, found, header.shape, header.dtype.kind, header.dtype.itemsize)
        flat = [name.removesuffix(array.ending) for name in array._flat(headers)]
        marks = [name.removesuffix(array.ending) for name in array._marks(headers)]
        if asked.label is not None:
            if asked.label not in (*flat, *marks):
                what = "no member of one name or number a row, nor of marks 0 and 1, (rows, labels)"
                known = suggestion(asked.label, [*flat, *marks])
                raise DataError(f"{path}: --label {asked.label!r} is {what}. {known}")
            label: str | None = asked.label
        else:
            label = "y" if "y" in (*flat, *marks) else flat[0] if len(flat) == 1 else None
            label = label or next((name for name in flat if name in ("label", "labels", "class", "target")), None)
        return replace(array, label=label, label_is_marks=label in marks)

    def _flat(self, headers: Mapping[str, Any]) -> list[str]:
        """Members with one name or number for each row of the inputs."""
        same = [name for name in self._beside(headers) if headers[name].shape[1:] in ((), (1,))]
        return [name for name in same if headers[name].dtype.kind in NAMES + "f"]

    def _marks(self, headers: Mapping[str, Any]) -> list[str]:
        """Members of 0 and 1, (rows, labels), by their values."""
        wide = [name for name in self._beside(headers) if len(headers[name].shape) == 2 and headers[name].shape[1] > 1]
        wide = [name for name in wide if headers[name].dtype.kind in "iub" and headers[name].shape[1] <= MOST_CLASSES]
        try:
            return [name for name in wide if np.isin(read_array(self.path, name), (0, 1)).all()]
        except ArrayError as error:
            raise DataError(f"{self.path}: {error}") from error

    def _beside(self, headers: Mapping[str, Any]) -> list[str]:
        """Members of as many rows as the inputs."""
        same = [name for name in self.members if name != self.inputs and headers[name].rows == self.shape[0]]
        return [name for name in same if name.endswith(self.ending)]

    def names(self) -> list[str]:
        """A name or number per row, where the labels are no marks."""
        return [] if self.label is None else self._texts(self.label, NAMES + "f")

    def one_a_row(self) -> dict[str, Sequence[str]]:
        """Members beside the inputs and labels that hold a name for each row."""
        headers = {name: read_header(self.path, name) for name in self.members}
        names = [name for name in self._flat(headers) if headers[name].dtype.kind in NAMES]
        names = [name.removesuffix(self.ending) for name in names]
        return {name: self._texts(name, NAMES) for name in names if name != self.label}

    def _texts(self, name: str, kinds: str) -> list[str]:
        try:
            return read_names(self.path, f"{name}{self.ending}", meaning="labels", kinds=kinds)
        except ArrayError as error:
            raise DataError(f"{self.path}: {error}") from error


def _shape(shape: Sequence[int]) -> str:
    return f"({', '.join(f'{length:,}' for length in shape)})"
