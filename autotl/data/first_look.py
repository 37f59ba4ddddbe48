"""What data seem to be that nobody has described yet: modality, input, label, groups. What cannot be told is asked."""

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from autotl.data import audit
from autotl.data.arrays import NAMES, ArrayError, array_names, read_array, read_header, read_names
from autotl.data.column_roles import (
    MOST_CLASSES,
    Columns,
    LongSignal,
    Role,
    candidates,
    choose_window,
    group_columns,
    is_quantity,
    is_split,
    label_by_name,
    long_signal,
    only_class_like,
    why_not_divided,
)
from autotl.data.draft import Draft
from autotl.data.label_lists import look_like_lists
from autotl.data.layout import Layout
from autotl.data.listing import FILES, INPUT_COLUMNS
from autotl.data.modality import (
    ArrayFacts,
    Facts,
    Guess,
    folder_facts,
    guess_modality,
    path_columns,
    prose_columns,
    table_facts,
)
from autotl.data.row_listing import TEXT_COLUMNS
from autotl.data.tables import TABLE_SUFFIXES, EncodingError, Table, TableError, read_table
from autotl.data.texts import BrokenTextError, read_text_file
from autotl.errors import DataError, suggestion
from autotl.task.model import Columns as NamedColumns

ENCODINGS = ("utf-8", "cp1252", "latin-1")  # tried in this order; the last one reads everything
BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff")  # of UTF-16


@dataclass(frozen=True)
class Asked:
    """What a person says of the data beside where they are; None where it is to be told from the data."""

    label: str | None = None
    modality: str | None = None
    input: str | None = None


def describe_data(draft: Draft, domains: Sequence[Layout], asked: Asked) -> str:
    """Puts modality, columns and window into the draft; returns the modality.

    Args:
        domains: the target and its sources.
    Raises:
        DataError: something cannot be told; says what to name.
    """
    first = domains[0].train[0]
    if first.is_dir():
        return _describe_folders(draft, domains, asked)
    if first.suffix.lower() == ".npz":
        return _describe_arrays(draft, domains, asked)
    return _describe_tables(draft, domains, asked)


# Folders --------------------------------------------------------------------------------------------------------------


def _describe_folders(draft: Draft, domains: Sequence[Layout], asked: Asked) -> str:
    for option in ("label", "input"):
        if (name := getattr(asked, option)) is not None:
            words = f"{domains[0].train[0]} is a folder, whose class folders are the labels: it has no {name!r}."
            raise DataError(f"{words} Leave out --{option}, or name a table.")
    trains = [path for layout in domains for path in layout.train]
    files = {path: [name for _, _, names in os.walk(path) for name in names] for path in trains if path.is_dir()}
    modality = _put_modality(draft, asked, trains[0], [folder_facts(names) for names in files.values()])
    if modality not in FILES:
        raise DataError(
            f"{trains[0]}: a folder holds images or texts. For modality {modality} name a table or an array."
        )
    suffixes = FILES[modality][1]
    if modality == "text":
        texts = [
            root / name for path in trains for root, name in _files_below(path) if Path(name).suffix.lower() in suffixes
        ]
        _put_encoding(draft, [_text_encoding(texts)])
    target = domains[0]
    if len(domains) > 1 and not any(_has_class_folders(path, suffixes) for path in target.train):
        draft.put("data.target.labels", "none", "the target's labels are not known: all is learnt from the sources")
    if target.test and not any(_has_class_folders(path, suffixes) for path in target.test):
        draft.forget_test(f"{target.test[0]} holds no class folders, so nothing says what is right")
    return modality


def _files_below(path: Path) -> Iterator[tuple[Path, str]]:
    for root, _, names in os.walk(path):
        yield from ((Path(root), name) for name in sorted(names))


def _has_class_folders(path: Path, suffixes: frozenset[str]) -> bool:
    return any(root != path and Path(name).suffix.lower() in suffixes for root, name in _files_below(path))


def _text_encoding(files: Sequence[Path]) -> str:
    """The first encoding in which nearly all the texts can be read."""
    for encoding in ENCODINGS:
        broken = sum(_cannot_read(file, encoding) for file in files[:: max(1, len(files) // 1_000)])
        if broken <= audit.MAX_BROKEN_SHARE * min(len(files), 1_000):
            return encoding
    return ENCODINGS[0]


def _cannot_read(file: Path, encoding: str) -> bool:
    try:
        read_text_file(file, encoding)
    except BrokenTextError as error:
        return encoding in str(error)  # too large or gone is no matter of the encoding
    return False


def _put_encoding(draft: Draft, found: Sequence[str]) -> None:
    other = next((encoding for encoding in found if encoding != "utf-8"), None)
    if other is not None:
        draft.put("encoding", other, "the bytes are not UTF-8; is every accent as it should be?")
        draft.say(f"The text is not UTF-8; it is read as {other}. Check a few accents.")


def _put_modality(
    draft: Draft, asked: Asked, path: Path, facts: Sequence[Facts], columns: NamedColumns | None = None
) -> str:
    """The modality as the person says, or as the data tell."""
    guess = guess_modality(facts, columns)
    if asked.modality is not None:
        draft.put("modality", asked.modality)
        return asked.modality
    return _told(draft, guess, path)


def _told(draft: Draft, guess: Guess, path: Path) -> str:
    if guess.modality is None:
        words = f"{path}: the modality is not clear: {guess.reason}"
        raise DataError(f"{words}. Name it: --modality image, text, table or signal.")
    draft.put("modality", guess.modality, guess.reason)
    draft.say(f"Modality: {guess.modality}, because {guess.reason}.")
    return guess.modality


def _put_problem(draft: Draft, label: str, cells: Sequence[str]) -> bool:
    """Says what is to be learnt where the labels are no classes; returns whether they are."""
    if is_quantity(cells):
        draft.put("problem", "regression", f"{label} holds numbers that hardly repeat: a quantity, and no classes")
        draft.say("The labels are numbers that hardly repeat: learnt as numbers, not as classes.")
        return False
    if look_like_lists(cells):
        draft.put(
            "problem", "multilabel", f"{label} holds lists of labels; if each is a class of its own: classification"
        )
        draft.say("The labels are lists of names: an example may bear several of them, or none.")
        return False
    return True


# Arrays ---------------------------------------------------------------------------------------------------------------


def _describe_arrays(draft: Draft, domains: Sequence[Layout], asked: Asked) -> str:
    arrays = [_Array.of(path, asked) for path in domains[0].train]
    first = arrays[0]
    facts = [ArrayFacts(first.inputs, first.shape, first.kind, first.itemsize)]
    modality = _put_modality(draft, asked, first.path, facts)
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
        are_classes = _put_problem(draft, label, labelled.names())
    _put_group(draft, first.one_a_row(), first.names() if are_classes and first.label else None, lacking={})
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


# Tables ---------------------------------------------------------------------------------------------------------------


def _describe_tables(draft: Draft, domains: Sequence[Layout], asked: Asked) -> str:
    target = domains[0]
    tables = _Tables.read(domains)
    _put_encoding(draft, tables.encodings)
    columns = tables.together(target.train)
    of_sources = [tables.columns[path] for layout in domains[1:] for path in layout.train]
    role = _label(asked, columns, of_sources, target.train[0])
    named = NamedColumns(label=role.name, input=asked.input)
    facts = [table_facts(Table(columns, range(len(next(iter(columns.values()), ())))))]
    guess = guess_modality(facts, named)
    labels = columns.get(role.name) if role.name is not None else None
    without_label = {name: cells for name, cells in columns.items() if name != role.name}
    tables_of_rows = [number for number, path in enumerate(target.train) for _ in range(tables.rows(path))]
    signal = None if labels is None else long_signal(without_label, labels, tables_of_rows)
    if asked.modality is not None:
        draft.put("modality", asked.modality)
        modality = asked.modality
    else:
        if guess.modality in ("table", None) and asked.input is None and signal is not None and signal.is_sure:
            seen = f"column {signal.time!r} goes on evenly while the label stays the same for long stretches"
            guess = Guess("signal", seen)
        modality = _told(draft, guess, target.train[0])
        if modality == "signal":
            draft.say("If each row is an example of its own, write --modality table.")
    if modality in ("image", "text"):
        role = _with_input(draft, modality, columns, role, asked, target.train[0])
    if role.name is None:
        words = f"{target.train[0]}: {role.why}. Name the label: --label COLUMN."
        seen = candidates(columns)
        raise DataError(f"{words} Of few repeated values: {seen}." if seen and seen not in words else words)
    label = role.name
    draft.put(
        "data.columns.label", label, f"{role.why}; {_counted(columns.get(label, ()))}" if label in columns else role.why
    )
    draft.say(f"Label: column {label!r}, {role.why}.")
    if label not in columns:
        draft.put("data.target.labels", "none", "the target has no label column: all is learnt from the sources")
    are_classes = _put_problem(draft, label, columns.get(label, ()))
    if target.test and any(label not in tables.columns[path] for path in target.test):
        draft.forget_test(f"{target.test[0]} has no column {label!r}; predict on it when a model is there")
    if modality == "signal":
        unlabelled = [""] * len(tables_of_rows)
        _put_signal(draft, signal or long_signal(without_label, unlabelled, tables_of_rows), target.train)
        return modality
    used = {label, draft.lines["data.columns.input"].value} if modality in ("image", "text") else {label}
    others = {name: cells for name, cells in columns.items() if name not in used}
    lacking = {
        name: next(f"{path} lacks it" for path, held in tables.columns.items() if name not in held)
        for name in others
        if any(name not in held for held in tables.columns.values())
    }
    _put_group(draft, others, columns.get(label) if are_classes else None, lacking)
    for name, cells in others.items():
        if is_split(name, cells):
            draft.say(f"Column {name!r} only says to which split a row belongs. Write a file for each to keep to it.")
            if modality == "table" and name and name not in lacking:
                draft.add("data.columns.drop", name, "says to which split a row belongs, nothing of the row")
    if modality != "table" and others:
        draft.say(f"Columns that are not read: {', '.join(others)}.")
    return modality


@dataclass(frozen=True)
class _Tables:
    """Every table of the data, read as text."""

    columns: Mapping[Path, Columns]
    encodings: tuple[str, ...]

    @classmethod
    def read(cls, domains: Sequence[Layout]) -> "_Tables":
        """Raises `DataError` where a path is no table, or none that can be read."""
        columns: dict[Path, Columns] = {}
        encodings: list[str] = []
        for layout in domains:
            for path in (*layout.train, *layout.validation, *layout.test):
                if path.suffix.lower() not in TABLE_SUFFIXES or path.is_dir():
                    kinds = "class folders, .csv, .tsv, .parquet or .npz"
                    raise DataError(f"{path}: is no table as the first path is. Data are {kinds}, all of one kind.")
                table, encoding = _read(path)
                if not table.lines:
                    raise DataError(f"{path}: holds no rows below its header.")
                columns[path] = table.columns
                encodings.append(encoding)
        return cls(columns, tuple(encodings))

    def rows(self, path: Path) -> int:
        """Rows of one table."""
        return len(next(iter(self.columns[path].values())))

    def together(self, paths: Sequence[Path]) -> dict[str, Sequence[str]]:
        """The rows of several tables, as far as their columns agree."""
        first = self.columns[paths[0]]
        common = [name for name in first if all(name in self.columns[path] for path in paths)]
        return {name: [cell for path in paths for cell in self.columns[path][name]] for name in common}


def _read(path: Path) -> tuple[Table, str]:
    """A table and its encoding: the first in which it can be read."""
    for encoding in _encodings_of(path):
        try:
            return read_table(path, encoding=encoding), encoding
        except EncodingError as error:
            seen = error
        except TableError as error:
            raise DataError(f"{path}: {error}") from error
    raise DataError(f"{path}: {seen}")


def _encodings_of(path: Path) -> tuple[str, ...]:
    with path.open("rb") as file:
        return ("utf-16",) if file.read(2) in BYTE_ORDER_MARKS else ENCODINGS


def _label(asked: Asked, columns: Columns, of_sources: Sequence[Columns], path: Path) -> Role:
    """The label column of target or sources."""
    if asked.label is not None:
        known = {name: None for held in (columns, *of_sources) for name in held}
        if asked.label not in known:
            raise DataError(f"{path}: --label {asked.label!r} is no column. {suggestion(asked.label, known)}")
        return Role(asked.label, "as you say")
    roles = [label_by_name(held) for held in (columns, *of_sources)]
    return next((role for role in roles if role.name is not None), roles[0])


def _counted(labels: Sequence[str]) -> str:
    counts = Counter(labels)
    if is_quantity(labels):
        return f"{len(counts):,} different numbers"
    shown = ", ".join(f"{name} {count:,}" for name, count in counts.most_common(4))
    return f"{len(counts):,} classes: {shown}{', …' if len(counts) > 4 else ''}"


def _with_input(draft: Draft, modality: str, columns: Columns, role: Role, asked: Asked, path: Path) -> Role:
    """Puts the column with texts or paths; returns the label, which may be the one column left."""
    others = {name: cells for name, cells in columns.items() if name != role.name}
    if asked.input is not None:
        if asked.input not in columns:
            raise DataError(f"{path}: --input {asked.input!r} is no column. {suggestion(asked.input, columns)}")
        name: str | None = asked.input
    else:
        usual = TEXT_COLUMNS if modality == "text" else INPUT_COLUMNS
        prose = prose_columns(others) if modality == "text" else dict.fromkeys(path_columns(others), 1.0)
        by_name = [column for column in others if column.strip().lower() in usual]
        by_name = [column for column in by_name if not prose or column in prose]
        first = [*by_name, *sorted(prose, key=lambda column: -prose[column])]
        name = first[0] if first else next(iter(others)) if len(others) == 1 else None
    if name is None:
        what = "texts" if modality == "text" else "paths of images"
        raise DataError(
            f"{path}: no column surely holds the {what}. Its columns: {', '.join(columns)}. Name it: --input COLUMN."
        )
    draft.put(
        "data.columns.input", name, "the texts" if modality == "text" else "paths of images, from the table's folder"
    )
    if role.name is not None:
        return role
    return only_class_like({column: cells for column, cells in others.items() if column != name})


def _put_group(draft: Draft, others: Columns, labels: Sequence[str] | None, lacking: Mapping[str, str]) -> None:
    """The coarsest column of groups that can be divided; one that cannot is shown with the reason."""
    why_not: dict[str, str] = {}
    for name in group_columns(others):
        why = lacking.get(name) or why_not_divided(others[name], labels)
        if why is None:
            count = len(set(others[name]))
            draft.put("data.columns.group", name, f"{count:,} of them: the rows of one stay on one side of every split")
            draft.say(f"Grouped by {name!r} ({count:,}): what is tested on was never trained on in another row.")
            return
        why_not[name] = why
    for name, why in list(why_not.items())[:1]:
        draft.offer("data.columns.group", name, f"keeps what belongs together on one side; not done: {why}")
        draft.say(f"Column {name!r} looks like a group, but {why}: rows of one may stand in training and in test.")


# Long signals ---------------------------------------------------------------------------------------------------------


def _put_signal(draft: Draft, signal: LongSignal | None, paths: Sequence[Path]) -> None:
    path, hint = paths[0], "give a column such as 'record' that tells records apart"
    if signal is None:
        words = f"{path}: is no signal that can be cut: no column holds samples, or time runs back within every record."
        raise DataError(f"{words} Sort the rows by time, and {hint}.")
    if signal.unit is None and len(paths) == 1:
        words = f"{path}: is one single record, which stays on one side of every split: nothing is left to score on."
        raise DataError(f"{words} If it is several, {hint}, or a file for each.")
    if signal.time is not None:
        draft.put("data.columns.time", signal.time)
    if signal.unit is not None:
        draft.put("data.columns.unit", signal.unit)
    for name in signal.not_numbers:
        if name:
            draft.add("data.columns.drop", name, "no samples")
    window = choose_window(signal.runs)
    if window is None:
        raise DataError(f"{path}: its stretches of one label are too short to cut windows of 16 samples from.")
    lasts = f", {window * signal.step:.3g} in {signal.time!r}" if signal.step else ""
    draft.put("window", window, f"samples of one example{lasts}: the longest power of two that leaves enough windows")
    draft.offer("stride", window // 2, "left out: as long as the window. Shorter: overlapping windows, more examples")
    draft.say(f"Windows of {window:,} samples{lasts}.")
