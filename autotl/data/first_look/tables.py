"""What tables seem to hold: which column is the label, which the input, which says what belongs together."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from autotl.data.column_roles import (
    Columns,
    Role,
    candidates,
    is_quantity,
    is_split,
    label_by_name,
    only_class_like,
)
from autotl.data.draft import Draft
from autotl.data.first_look.long_signals import put_signal
from autotl.data.first_look.telling import ENCODINGS, Asked, put_encoding, put_group, put_modality, put_problem
from autotl.data.layout import Layout
from autotl.data.listing import INPUT_COLUMNS
from autotl.data.long_signal import LongSignal, long_signal
from autotl.data.modality import Guess, guess_modality, path_columns, prose_columns, table_facts
from autotl.data.row_listing import TEXT_COLUMNS
from autotl.data.tables import TABLE_SUFFIXES, EncodingError, Table, TableError, read_table
from autotl.errors import DataError, suggestion
from autotl.task.model import Columns as NamedColumns

BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff")  # of UTF-16


def describe_tables(draft: Draft, domains: Sequence[Layout], asked: Asked) -> str:
    """Puts the modality, what the columns hold, and the window of a long signal."""
    target, path = domains[0], domains[0].train[0]
    tables = _Tables.read(domains)
    put_encoding(draft, tables.encodings)
    columns = tables.together(target.train)
    role = _label(asked, columns, [tables.columns[source] for layout in domains[1:] for source in layout.train], path)
    beside = {name: cells for name, cells in columns.items() if name != role.name}
    numbers = tables.numbers(target.train)
    labels = None if role.name is None else columns.get(role.name)
    signal = None if labels is None else long_signal(beside, labels, numbers)
    modality = put_modality(draft, asked, _guess(columns, role, asked, signal), path)
    if modality == "signal" and asked.modality is None:
        draft.say("If each row is an example of its own, write --modality table.")
    if modality in ("image", "text"):
        role = _with_input(draft, modality, columns, role, asked, path)
    label = _put_label(draft, columns, role, path)
    are_classes = put_problem(draft, label, columns.get(label, ()))
    if target.test and any(label not in tables.columns[test] for test in target.test):
        draft.forget_test(f"{target.test[0]} has no column {label!r}; predict on it when a model is there")
    if modality == "signal":
        put_signal(draft, signal or long_signal(beside, [""] * len(numbers), numbers), target.train)
        return modality
    used = {label, draft.lines["data.columns.input"].value} if modality in ("image", "text") else {label}
    others = {name: cells for name, cells in columns.items() if name not in used}
    lacking = tables.lacking(others)
    put_group(draft, others, columns.get(label) if are_classes else None, lacking)
    _put_splits(draft, others, learnt_from=others.keys() - lacking if modality == "table" else ())
    if modality != "table" and others:
        draft.say(f"Columns that are not read: {', '.join(others)}.")
    return modality


def _guess(columns: Columns, role: Role, asked: Asked, signal: LongSignal | None) -> Guess:
    """The modality by the columns, or by samples that go on evenly."""
    named = NamedColumns(label=role.name, input=asked.input)
    guess = guess_modality([table_facts(Table(columns, range(len(next(iter(columns.values()), ())))))], named)
    if guess.modality in ("table", None) and asked.input is None and signal is not None and signal.is_sure:
        seen = f"column {signal.time!r} goes on evenly while the label stays the same for long stretches"
        return Guess("signal", seen)
    return guess


def _put_label(draft: Draft, columns: Columns, role: Role, path: Path) -> str:
    """Puts the label, which only the sources may hold; raises a `DataError` where nothing tells it."""
    if role.name is None:
        words = f"{path}: {role.why}. Name the label: --label COLUMN."
        seen = candidates(columns)
        raise DataError(f"{words} Of few repeated values: {seen}." if seen and seen not in words else words)
    label = role.name
    draft.put("data.columns.label", label, f"{role.why}; {_counted(columns[label])}" if label in columns else role.why)
    draft.say(f"Label: column {label!r}, {role.why}.")
    if label not in columns:
        draft.put("data.target.labels", "none", "the target has no label column: all is learnt from the sources")
    return label


def _counted(labels: Sequence[str]) -> str:
    counts = Counter(labels)
    if is_quantity(labels):
        return f"{len(counts):,} different numbers"
    shown = ", ".join(f"{name} {count:,}" for name, count in counts.most_common(4))
    return f"{len(counts):,} classes: {shown}{', …' if len(counts) > 4 else ''}"


def _put_splits(draft: Draft, others: Columns, *, learnt_from: Collection[str]) -> None:
    """Says which columns only name splits, and drops those that a model would learn from."""
    for name, cells in others.items():
        if is_split(name, cells):
            draft.say(f"Column {name!r} only says to which split a row belongs. Write a file for each to keep to it.")
            if name and name in learnt_from:
                draft.add("data.columns.drop", name, "says to which split a row belongs, nothing of the row")


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

    def numbers(self, paths: Sequence[Path]) -> list[int]:
        """Which of several tables each of their rows stands in."""
        return [number for number, path in enumerate(paths) for _ in range(self.rows(path))]

    def together(self, paths: Sequence[Path]) -> dict[str, Sequence[str]]:
        """The rows of several tables, as far as their columns agree."""
        first = self.columns[paths[0]]
        common = [name for name in first if all(name in self.columns[path] for path in paths)]
        return {name: [cell for path in paths for cell in self.columns[path][name]] for name in common}

    def lacking(self, names: Iterable[str]) -> dict[str, str]:
        """Of these columns those that some table has not, and which."""
        found: dict[str, str] = {}
        for name in names:
            path = next((path for path, held in self.columns.items() if name not in held), None)
            if path is not None:
                found[name] = f"{path} lacks it"
        return found


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
