"""Tables whose rows are the examples themselves: texts, records, or the samples of signals."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from autotl.data.examples import Finding, Inputs
from autotl.data.label_lists import as_one_column
from autotl.data.labels import LABELS
from autotl.data.number_text import READ_AS_DECIMALS
from autotl.data.records import feature_columns, records_from_table
from autotl.data.tables import TABLE_SUFFIXES, LabelError, Table, TableError, read_table
from autotl.data.texts import texts_of
from autotl.data.windows import SignalColumns, cut_table, mixed_findings
from autotl.errors import DataError, suggestion
from autotl.task import Task

TEXT_COLUMNS = ("text", "sentence", "review", "comment", "document", "content", "body", "message", "input")
LABEL_COLUMNS = ("label", "class", "category", "target", "y")
TIME_COLUMNS = ("time", "timestamp", "seconds")
UNIT_COLUMNS = ("unit", "machine", "record")


@dataclass(frozen=True)
class Listed:
    """The examples of one table.

    Attributes:
        labels, groups: a text per example; None where the table has none.
        label: the column that the labels stand in.
        findings: what was noticed on the way.
    """

    inputs: Inputs
    labels: tuple[str, ...] | None
    groups: tuple[str, ...] | None
    columns: frozenset[str]
    label: str | None
    findings: tuple[Finding, ...] = ()


def list_rows(task: Task, path: Path, given: str, where: str, modality: str, *, labelled: bool) -> Listed:
    """Reads a table of texts, records or samples.

    Args:
        labelled: whether it must have a label column.
    Raises:
        TableError: the table cannot be read, or a column is not there.
        DataError: samples that cannot be cut into windows.
    """
    written = read_table(path, encoding=task.encoding)
    if not written.lines:
        raise TableError("holds no rows below its header.")
    table, label = with_label_column(task, written, required=labelled)
    known = frozenset(written.columns)
    if modality == "signal":
        return replace(_windows(task, table, given, where, label, is_secret=not labelled), columns=known)
    columns = task.data.columns
    labels = None if label is None else written_labels(task, table, label)
    groups = None if columns.group is None else tuple(table.column(columns.group, meaning="group"))
    if modality == "text":
        name = text_column(task, table)
        inputs: Inputs = texts_of(
            table.column(name, meaning="input"), (f"row {row}" for row in range(len(table.lines)))
        )
    else:
        inputs = records_from_table(table, feature_columns(table, columns, label=label), origin=given)
    findings = _doubts(task, table, label, where) if labelled else ()
    return Listed(inputs, labels, groups, known, label, findings)


def _doubts(task: Task, table: Table, label: str | None, where: str) -> tuple[Finding, ...]:
    """That the labels can be read in two ways."""
    cells = [] if label is None else table.column(label, meaning="label")
    at = LABELS[task.problem].doubtful(cells)
    if at is None:
        return ()
    words = f"column {label!r}: its commas, such as line {table.lines[at]}: {cells[at]!r}, {READ_AS_DECIMALS}"
    return (Finding("ambiguous_numbers", "warning", f"{where}: {words}"),)


def text_column(task: Task, table: Table) -> str:
    """The column with the texts. Raises `TableError` where none is named and none has a usual name."""
    return found_column(table, task.data.columns.input, TEXT_COLUMNS, "input")


def with_label_column(task: Task, table: Table, *, required: bool) -> tuple[Table, str | None]:
    """The table with all that labels its rows in one column, and that column; None as for `label_column`.

    Raises:
        TableError: a column is not there.
        LabelError: columns of 0 and 1 that hold something else.
    """
    several = task.data.columns.labels
    if len(several) < 2:
        return table, label_column(task, table, required=required)
    missing = [name for name in several if name not in table.columns]
    if missing and not required:  # what is there of them is no feature either
        return Table({name: cells for name, cells in table.columns.items() if name not in several}, table.lines), None
    return as_one_column(table, several)


def label_column(task: Task, table: Table, *, required: bool) -> str | None:
    """The label column; where it is not required (of an unlabelled target), only if the table has it at all: under the
    name that the task or its sources give it, so that no feature is taken for it."""
    try:
        named = next(iter(task.data.columns.labels), None) or (None if required else _label_of_source(task))
        name = found_column(table, named, LABEL_COLUMNS, "label")
    except TableError:
        if required:
            raise
        return None
    if name not in table.columns and not required:
        return None
    table.column(name, meaning="label")
    return name


def _label_of_source(task: Task) -> str | None:
    """What the first source that is a table calls its label; None where none is."""
    for source in task.data.source:
        for given in source.train or ():
            path = task.resolve(given)
            if path.suffix.lower() in TABLE_SUFFIXES and path.is_file():
                try:
                    return found_column(read_table(path, encoding=task.encoding), None, LABEL_COLUMNS, "label")
                except TableError:
                    return None  # told where the source is listed
    return None


def found_column(table: Table, wanted: str | None, usual: Sequence[str], meaning: str) -> str:
    """The column that is wanted, or the first with a usual name."""
    if wanted is not None:
        return wanted
    by_lower = {name.strip().lower(): name for name in table.columns}
    for name in usual:
        if name in by_lower:
            return by_lower[name]
    have = ", ".join(table.columns)
    raise TableError(f"no {meaning} column is named. Its columns: {have}. Write data.columns: {{{meaning}: NAME}}.")


def signal_columns(task: Task, table: Table, *, label: str | None) -> SignalColumns:
    """Which columns of a long table hold what, as the task says or by their usual names."""
    columns = task.data.columns
    return SignalColumns(
        time=columns.time or _usual(table, TIME_COLUMNS),
        unit=columns.unit or _usual(table, UNIT_COLUMNS),
        label=label,
        group=columns.group,
        drop=columns.drop,
    )


def _usual(table: Table, names: Sequence[str]) -> str | None:
    return next((name for name in table.columns if name.strip().lower() in names), None)


def _windows(task: Task, table: Table, given: str, where: str, label: str | None, *, is_secret: bool) -> Listed:
    if task.window is None:
        raise DataError(f"{where}: {given}: holds single samples. Write 'window: N', the samples of one example.")
    columns = signal_columns(task, table, label=label)
    kind = LABELS[task.problem]
    cut = cut_table(table, columns, window=task.window, stride=task.stride, where=where, origin=given, kind=kind)
    if cut.labels is not None and label is not None:
        refuse_strangers(task, cut.labels, cut.windows.ids, column=label)
    findings = cut.findings
    if not is_secret:
        findings = (*findings, *mixed_findings(cut, where=where), *_doubts(task, table, label, where))
    return Listed(cut.windows, cut.labels, cut.groups, frozenset(table.columns), label, findings)


def written_labels(task: Task, table: Table, label: str) -> tuple[str, ...]:
    """The labels of a table's rows, each as it travels.

    Raises:
        LabelError: a cell is no label; names the line.
    """
    labels = LABELS[task.problem].written(table.column(label, meaning="label"), table.lines, column=label)
    refuse_strangers(task, labels, [f"line {line}" for line in table.lines], column=label)
    return tuple(labels)


def refuse_strangers(task: Task, labels: Sequence[str], places: Sequence[str], *, column: str) -> None:
    """Raises a LabelError for a label that is none of those that `classes` names, where that must not be.

    Args:
        places: what a message about each label begins with.
    """
    if isinstance(task.classes, tuple):
        known = [*task.classes, *task.audit.merge]
        found = LABELS[task.problem].stranger(labels, known)
        if found is not None:
            words = f"{found[1]!r} in {column!r} is none of the task's classes. {suggestion(found[1], known)}"
            raise LabelError("unknown_class", f"{places[found[0]]}: {words}")
