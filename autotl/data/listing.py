"""What the paths of a task hold, told from folders, tables and array headers alone: no example is opened here."""

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

import numpy as np

from autotl.data.arrays import NAMES, ArrayError, array_names, read_array, read_header, read_names
from autotl.data.examples import Finding, Inputs
from autotl.data.exported import ExportedError, ExportedSource, exported_of
from autotl.data.images import SUFFIXES
from autotl.data.label_lists import from_marks
from autotl.data.labels import LABELS
from autotl.data.modality import guess_of, modality_of
from autotl.data.row_listing import found_column, list_rows, refuse_strangers, with_label_column, written_labels
from autotl.data.statistics_file import StatisticsError, StatisticsFile, read_statistics
from autotl.data.tables import TABLE_SUFFIXES, LabelError, Table, TableError, read_table
from autotl.data.texts import TEXT_SUFFIXES
from autotl.errors import DataError, suggestion
from autotl.task import PROBLEMS, LabelsOf, Source, Task

SplitName = Literal["train", "validation", "test"]
SPLIT_WORDS = frozenset({"train", "training", "test", "testing", "val", "valid", "validation", "dev"})
INPUT_COLUMNS = ("path", "file", "filename", "file_name", "image", "image_path", "input")
FILES = {"image": ("image", SUFFIXES), "text": ("text", TEXT_SUFFIXES)}  # what folders of a modality hold
_DEEPEST = 16  # folders below a class; deeper is a loop of links
_MEMBERS = {"train": ("train",), "validation": ("validation", "val"), "test": ("test",)}


class ListingError(Exception):
    """A path that holds nothing usable."""

    def __init__(self, code: str, message: str, examples: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.finding = Finding(code, "error", message, tuple(examples[:20]))


@dataclass(frozen=True)
class Listing:
    """The examples that one path names, in a fixed order."""

    given: str  # the path as the task has it
    path: Path
    where: str  # place in the task, the beginning of a message
    names: tuple[str, ...]  # relative file names, or `row 17` of an array
    labels: tuple[str, ...] | None = None  # each as one text (`data.labels`); None: the path knows none
    label: str | None = None  # the column or member that they stand in
    groups: tuple[str, ...] | None = None
    array: str | None = None  # the member of an .npz that holds the inputs; None: files under `root`
    root: Path = Path()
    empty_classes: tuple[str, ...] = ()
    strangers: tuple[str, ...] = ()  # files that are no examples, left alone
    columns: frozenset[str] = frozenset()  # what `data.columns` can name here: columns of a table, members of an .npz
    inputs: Inputs | None = None  # rows of a table that are examples themselves; None: opened later
    findings: tuple[Finding, ...] = ()

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True)
class Survey:
    """All listings of a task by domain and split, with what was wrong on the way."""

    domains: tuple[str, ...]  # "target" first
    splits: Mapping[tuple[str, SplitName], tuple[Listing, ...]]
    findings: tuple[Finding, ...]
    modality: str
    notes: tuple[str, ...] = ()  # what was found and deliberately left alone
    exported: ExportedSource | None = None  # a source that is a model without examples; no domain of its own
    statistics: tuple[tuple[str, StatisticsFile], ...] = ()  # sources of which only sums are here, by name; likewise

    def rows(self, domain: str, split: SplitName) -> int:
        """Number of examples listed; 0 where the split is not given as a path."""
        return sum(len(listing) for listing in self.splits.get((domain, split), ()))

    def labels(self, domain: str, split: SplitName) -> list[str] | None:
        """Class names row by row, or None where the split is not given or a path of it has none."""
        listings = self.splits.get((domain, split), ())
        if not listings or any(listing.labels is None for listing in listings):
            return None
        return [label for listing in listings for label in listing.labels or ()]

    def counts(self, domain: str) -> Counter[str]:
        """Examples per class in the domain's train and validation paths."""
        return Counter([*(self.labels(domain, "train") or ()), *(self.labels(domain, "validation") or ())])


def sources_of_examples(task: Task) -> dict[str, tuple[int, Source]]:
    """The sources that have examples, by name, with their place in the task; a single one may have none in the file."""
    places = enumerate(task.data.source)
    return {source.name or "source": (index, source) for index, source in places if source.train is not None}


def survey(task: Task) -> Survey:
    """Lists every path of the task once; trouble becomes findings, so that all of it is told together.

    Raises:
        TaskError: nothing says whether these are images, texts, tables or signals.
    """
    modality = modality_of(task)
    findings: list[Finding] = []
    splits: dict[tuple[str, SplitName], tuple[Listing, ...]] = {}
    for domain, split, place, paths in _given_splits(task):
        listings: list[Listing] = []
        for index, given in enumerate(paths):
            where = task.where(f"{place}[{index}]" if len(paths) > 1 else place)
            try:
                labelled = _needs_labels(task, domain, split)
                listings.append(_list(task, given, where, split, modality, labelled=labelled))
            except ListingError as error:
                findings.append(error.finding)
        splits[domain, split] = tuple(listings)
    notes: list[str] = []
    for beside in _splits_beside(task):
        _list_beside(task, beside, splits, findings, notes)
    if not findings:
        findings += _names_of_nothing(task, [listing for listings in splits.values() for listing in listings])
    noticed = [finding for listings in splits.values() for listing in listings for finding in listing.findings]
    domains = ("target", *sources_of_examples(task))
    exported, complaints = _exported(task)
    statistics, more = _statistics(task, modality)
    findings += [*complaints, *more, *noticed]
    return Survey(domains, splits, tuple(findings), modality, tuple(notes), exported, statistics)


def _exported(task: Task) -> tuple[ExportedSource | None, list[Finding]]:
    """The task's exported source, or what is wrong with it."""
    given = next((source.exported for source in task.data.source if source.exported is not None), None)
    if given is None:
        return None, []
    where, path = task.where("data.source[0].exported"), task.resolve(given)
    if not path.exists():
        return None, [Finding("missing_path", "error", f"{where}: there is no {given!r}.{_nearest(path)}")]
    try:
        exported = exported_of(task)
    except ExportedError as error:
        return None, [Finding("bad_export", "error", f"{where}: {given!r} {error}")]
    assert exported is not None
    return exported, [Finding("bad_export", "error", words) for words in _unlike(task, exported, f"{where}: {given!r}")]


def _statistics(task: Task, modality: str) -> tuple[tuple[tuple[str, StatisticsFile], ...], list[Finding]]:
    """The task's sources of statistics, and what is wrong with them."""
    found: list[tuple[str, StatisticsFile]] = []
    wrong: list[Finding] = []
    seen: dict[str, str] = {}
    for index, source in enumerate(task.data.source):
        if source.statistics is None:
            continue
        given = source.statistics
        where, path = task.where(f"data.source[{index}].statistics"), task.resolve(given)
        if not path.exists():
            wrong.append(Finding("missing_path", "error", f"{where}: there is no {given!r}.{_nearest(path)}"))
            continue
        try:
            file = read_statistics(path)
        except StatisticsError as error:
            wrong.append(Finding("bad_statistics", "error", f"{where}: {given!r} {error}"))
            continue
        words = _why_not_together(file, modality, found, seen)
        wrong += [Finding("bad_statistics", "error", f"{where}: {given!r} {words}")] if words else []
        seen |= {site.digest: given for site in file.sites}
        found.append((source.name or "source", file))
    return tuple(found), wrong


def _why_not_together(
    file: StatisticsFile,
    modality: str,
    others: Sequence[tuple[str, StatisticsFile]],
    seen: Mapping[str, str],
) -> str | None:
    """Why a file of statistics cannot be used beside the others of a task; None where it can."""
    if file.features.modality != modality:
        return f"tells of {file.features.modality}s, and the target's data are {modality}s."
    if others and file.features.fingerprint != others[0][1].features.fingerprint:
        return (
            f"holds {file.features.words}, and {others[0][0]!r} {others[0][1].features.words}: they must be the same."
        )
    twice = next((site for site in file.sites if site.digest in seen), None)
    return f"holds the house {twice.name!r}, which {seen[twice.digest]!r} holds already." if twice else None


def _unlike(task: Task, exported: ExportedSource, which: str) -> Iterator[str]:
    """Where what the task says differs from what the model was made for."""
    made_for = exported.description.modality
    guessed = guess_of(task).modality if task.modality is None else task.modality
    if guessed not in (None, made_for):
        says = f"the task says modality: {guessed}" if task.modality else f"the target's data look like {guessed}"
        yield f"{which} is a model for modality {made_for}, and {says}."
    if isinstance(task.classes, tuple) and set(task.classes) != set(exported.classes):
        names = ", ".join(map(repr, exported.classes))
        yield f"{task.where('classes')}: the exported source tells apart {names}, and no others. Leave classes out."


@dataclass(frozen=True)
class _SplitBeside:
    """A split that an array file may hold beside its training rows: `x_test` next to `x_train`."""

    domain: str
    split: SplitName
    place: str  # in the task
    written: str | None  # what the task says there; None: nothing, so that the file's own split is taken


def _splits_beside(task: Task) -> Iterator[_SplitBeside]:
    target = task.data.target
    yield _SplitBeside("target", "validation", "data.target.validation", _in_words(target.validation))
    test = "{labels_of: train}" if isinstance(target.test, LabelsOf) else _in_words(target.test)
    yield _SplitBeside("target", "test", "data.target.test", "none" if test == "0" else test)
    for name, (index, source) in sources_of_examples(task).items():
        yield _SplitBeside(name, "validation", f"data.source[{index}].validation", _in_words(source.validation))


def _in_words(written: float | tuple[str, ...] | None) -> str | None:
    if isinstance(written, tuple):
        return ", ".join(written)
    return None if written is None else f"{written:g}"


def _list_beside(
    task: Task,
    beside: _SplitBeside,
    splits: dict[tuple[str, SplitName], tuple[Listing, ...]],
    findings: list[Finding],
    notes: list[str],
) -> None:
    """Adds the split that every array file of a domain brings, or a note for each member that is left alone."""
    training = splits[beside.domain, "train"]
    named = {(listing.path, listing.array) for listing in splits.get((beside.domain, beside.split), ())}
    members = [_member_beside(listing, beside.split) for listing in training]
    bring = [
        (listing, member)
        for listing, member in zip(training, members, strict=True)
        if member is not None and (listing.path, member) not in named
    ]
    if beside.written is not None or len(bring) < len(training):
        why = f"not every path of {beside.domain} brings one"
        if beside.written is not None:
            why = f"{task.where(beside.place)} says {beside.written}"
        notes += [f"{listing.given} holds {member!r}, which is left alone: {why}." for listing, member in bring]
        return
    labelled = _needs_labels(task, beside.domain, beside.split)
    try:
        splits[beside.domain, beside.split] = tuple(
            _list_array(task, listing.path, listing.given, listing.where, beside.split, labelled=labelled)
            for listing, _ in bring
        )
    except ListingError as error:
        findings.append(error.finding)


def _names_of_nothing(task: Task, listings: Sequence[Listing]) -> Iterator[Finding]:
    """Columns that the task names and that no path has: silence would look as if they had been obeyed."""
    columns = task.data.columns
    named = [("input", columns.input), *(("label", name) for name in columns.labels)]
    named += [("drop", name) for name in columns.drop]
    known = sorted(set().union(*(listing.columns for listing in listings)))
    for key, name in named:
        if name is not None and name not in known:
            hint = suggestion(name, known) if known else "Class folders have no columns. Leave it out, or name a CSV."
            words = f"{task.where(f'data.columns.{key}')}: {name!r} names nothing in the data. {hint}"
            yield Finding("unknown_column", "error", words, (name,))


def _given_splits(task: Task) -> Iterator[tuple[str, SplitName, str, tuple[str, ...]]]:
    target = task.data.target
    yield "target", "train", "data.target.train", target.train
    if isinstance(target.validation, tuple):
        yield "target", "validation", "data.target.validation", target.validation
    if isinstance(target.test, tuple):
        yield "target", "test", "data.target.test", target.test
    for name, (index, source) in sources_of_examples(task).items():
        place = f"data.source[{index}]"
        yield name, "train", f"{place}.train", source.train or ()
        if isinstance(source.validation, tuple):
            yield name, "validation", f"{place}.validation", source.validation


def _needs_labels(task: Task, domain: str, split: SplitName) -> bool:
    if domain != "target" or split == "test" or task.data.target.labels != "none":
        return True
    return isinstance(task.data.target.test, LabelsOf) and split == "train"


def _list(task: Task, given: str, where: str, split: SplitName, modality: str, *, labelled: bool) -> Listing:
    path = task.resolve(given)
    if not path.exists():
        raise ListingError("missing_path", f"{where}: there is no {given!r}.{_nearest(path)}")
    kinds = KINDS[modality]
    if path.is_dir() and "folder" in kinds:
        return _list_folder(task, path, given, where, modality, labelled=labelled)
    if path.suffix.lower() == ".npz" and "array" in kinds:
        return _list_array(task, path, given, where, split, labelled=labelled)
    if path.suffix.lower() in TABLE_SUFFIXES:
        return _list_table(task, path, given, where, modality, labelled=labelled)
    allowed = " or ".join(kinds.values())
    words = f"{given!r} is not a kind of data that is read for modality {modality}. Allowed: {allowed}."
    raise ListingError("unknown_kind", f"{where}: {words}")


KINDS: dict[str, dict[str, str]] = {  # what the paths of a modality may be, in words
    "image": {"folder": "a folder of class folders", "table": ".csv, .tsv, .parquet", "array": ".npz"},
    "text": {"folder": "a folder of class folders", "table": ".csv, .tsv, .parquet"},
    "table": {"table": ".csv, .tsv, .parquet"},
    "signal": {"array": ".npz", "table": ".csv, .tsv, .parquet"},
}


def _nearest(path: Path) -> str:
    parent = path.parent
    while not parent.exists():
        path, parent = parent, parent.parent
    near = get_close_matches(path.name, sorted(os.listdir(parent)), n=1)  # noqa: PTH208 - names are wanted, not paths
    return f" Did you mean {near[0]!r} in {parent.name or parent}?" if near else f" Nothing like it in {parent}."


def _list_folder(task: Task, path: Path, given: str, where: str, modality: str, *, labelled: bool) -> Listing:
    noun, suffixes = FILES[modality]
    group = task.data.columns.group
    if group is not None:
        words = f"{given!r} is a folder, which has no columns, so {group!r} of data.columns.group is not in it."
        raise ListingError("no_columns", f"{where}: {words} Name a CSV with a path, a label and that column.", [group])
    folders, files = _entries(path)
    loose = [name for name in files if _ends_in(name, suffixes)]
    found = {folder: list(_walk(path, folder)) for folder in folders}
    by_class = {folder: [name for name in names if _ends_in(name, suffixes)] for folder, names in found.items()}
    everything = (*files, *(name for names in found.values() for name in names))
    strangers = [name for name in everything if not _ends_in(name, suffixes)]
    if not loose and not any(by_class.values()):
        seen = f"its files are such as {strangers[0]!r}" if strangers else "it is empty"
        expected = ", ".join(sorted(suffixes))
        raise ListingError(f"no_{noun}s", f"{where}: {given!r} holds no {noun}: {seen}. Expected {expected}.")
    come_from_folders = LABELS[task.problem].come_from_folders
    if labelled and not come_from_folders:
        words = f"{given!r} is a folder, and names of folders are no labels of 'problem: {task.problem}'."
        raise ListingError("no_label_column", f"{where}: {words} Name a CSV with a column of paths and one of labels.")
    if not labelled and (loose or not come_from_folders):
        names = [*loose, *(name for names in by_class.values() for name in names)]
        return Listing(given, path, where, tuple(names), root=path, strangers=tuple(strangers))
    if loose and not any(by_class.values()):
        words = f"{given!r} holds {noun}s but no class folders. Sort them into {given}/CLASS/, or name a CSV."
        raise ListingError("no_classes", f"{where}: {words}")
    if folders and {folder.lower() for folder in folders} <= SPLIT_WORDS:
        each = ", ".join(f"{given.rstrip('/')}/{folder}" for folder in folders)
        raise ListingError("splits_as_classes", f"{where}: {given!r} holds splits, not classes. Name each: {each}.")
    names = [name for names in by_class.values() for name in names]
    labels = [_merged(task, folder) for folder, names in by_class.items() for _ in names]
    return Listing(
        given,
        path,
        where,
        tuple(names),
        labels=tuple(labels),
        root=path,
        empty_classes=tuple(folder for folder, names in by_class.items() if not names),
        strangers=(*strangers, *loose),
    )


def _entries(path: Path) -> tuple[list[str], list[str]]:
    """Names of folders and files, sorted, without hidden ones and names that are no text."""
    folders: list[str] = []
    files: list[str] = []
    with os.scandir(path) as entries:
        for entry in entries:
            if entry.name.startswith((".", "__MACOSX")) or not entry.name.isprintable():
                continue
            (folders if entry.is_dir() else files).append(entry.name)
    return sorted(folders), sorted(files)


def _walk(root: Path, below: str, depth: int = 1) -> Iterator[str]:
    """All files below a folder, named relative to `root`."""
    folders, files = _entries(root / below)
    yield from (f"{below}/{name}" for name in files)
    for folder in folders if depth < _DEEPEST else ():
        yield from _walk(root, f"{below}/{folder}", depth + 1)


def _ends_in(name: str, suffixes: frozenset[str]) -> bool:
    return os.path.splitext(name)[1].lower() in suffixes  # noqa: PTH122 - called for every file


def _merged(task: Task, label: str) -> str:
    return LABELS[task.problem].merged(label, task.audit.merge)


def _list_table(task: Task, path: Path, given: str, where: str, modality: str, *, labelled: bool) -> Listing:
    try:
        if modality == "image":
            return _list_image_table(task, path, given, where, labelled=labelled)
        rows = list_rows(task, path, given, where, modality, labelled=labelled)
    except DataError as error:
        raise ListingError("bad_signal", str(error)) from error
    except LabelError as error:
        raise ListingError(error.code, f"{where}: {given}: {error}") from error
    except TableError as error:
        code = "unknown_column" if "column" in str(error) else "bad_table"
        raise ListingError(code, f"{where}: {given}: {error}") from error
    return Listing(
        given,
        path,
        where,
        rows.inputs.ids,
        labels=None if rows.labels is None else tuple(_merged(task, label) for label in rows.labels),
        label=rows.label,
        groups=rows.groups,
        columns=rows.columns,
        inputs=rows.inputs,
        findings=rows.findings,
    )


def _list_image_table(task: Task, path: Path, given: str, where: str, *, labelled: bool) -> Listing:
    columns = task.data.columns
    written = read_table(path, encoding=task.encoding)
    try:
        table, label = with_label_column(task, written, required=labelled)
    except LabelError as error:
        raise ListingError(error.code, f"{where}: {given}: {error}") from error
    files = table.column(found_column(table, columns.input, INPUT_COLUMNS, "input"), meaning="input")
    groups = table.column(columns.group, meaning="group") if columns.group is not None else None
    if not files:
        raise ListingError("bad_table", f"{where}: {given}: holds no rows below its header.")
    try:
        labels = None if label is None else written_labels(task, table, label)
    except LabelError as error:
        raise ListingError(error.code, f"{where}: {given}: {error}") from error
    _refuse_missing_files(files, table, f"{where}: {given}", path.parent)
    return Listing(
        given,
        path,
        where,
        tuple(name.strip().replace("\\", "/") for name in files),
        labels=tuple(_merged(task, label) for label in labels) if labels is not None else None,
        label=label,
        groups=tuple(groups) if groups is not None else None,
        root=path.parent,
        columns=frozenset(written.columns),
    )


def _refuse_missing_files(files: Sequence[str], table: Table, where: str, root: Path) -> None:
    real_root = os.path.realpath(root)
    inside: dict[str, bool] = {}
    missing: list[str] = []
    for line, name in zip(table.lines, files, strict=True):
        file = Path(name.strip().replace("\\", "/"))
        parent = str(file.parent)
        if parent not in inside:
            real = os.path.realpath(root / parent.replace("\0", ""))
            inside[parent] = real == real_root or real.startswith(real_root + os.sep)
        full = root / file
        if (
            file.is_absolute()
            or "\0" in name
            or not inside[parent]
            or (full.is_symlink() and not full.resolve().is_relative_to(real_root))
        ):
            words = (
                f"line {line}: {name!r} lies outside {root.name}. Paths are relative to the table, below its folder."
            )
            raise ListingError("path_outside", f"{where}: {words}", [name])
        if not full.is_file():
            missing.append(f"line {line}: {name!r}")
    if missing:
        words = f"{missing[0]} is no file below {root}"
        more = f", and {len(missing) - 1:,} more" if len(missing) > 1 else ""
        raise ListingError("missing_file", f"{where}: {words}{more}.", missing)


def _list_array(task: Task, path: Path, given: str, where: str, split: SplitName, *, labelled: bool) -> Listing:
    place, columns = f"{where}: {given}", task.data.columns
    try:
        members = array_names(path)
        found = _inputs_member(members, split, columns.input)
        if found is None:
            words = f"holds {', '.join(members) or 'nothing'}. Expected x and y, or x_{split} and y_{split}."
            raise ListingError("bad_array", f"{place}: {words}")
        inputs, suffix = found
        rows = read_header(path, inputs).rows
        if not rows:
            raise ListingError("bad_array", f"{place}: {inputs!r} has no rows.")
        beside = _Beside(path, members, place, inputs, suffix, rows)
        labels = beside.labels(task, required=labelled)
        groups = beside.names([columns.group], meaning="groups", required=True) if columns.group is not None else None
    except ArrayError as error:
        raise ListingError("bad_array", f"{place}: {error}") from error
    return Listing(
        given,
        path,
        where,
        tuple(f"row {row}" for row in range(rows)),
        labels=tuple(_merged(task, label) for label in labels) if labels is not None else None,
        label=next(iter(columns.labels), "y"),
        groups=tuple(groups) if groups is not None else None,
        array=inputs,
        columns=frozenset(members) | {name.removesuffix(suffix) for name in members if suffix},
    )


@dataclass(frozen=True)
class _Beside:
    """What stands beside the inputs in an array file: `y_train` and `owner_train` beside `x_train`."""

    path: Path
    members: Sequence[str]
    place: str
    inputs: str
    suffix: str  # `_train`, or nothing in a file of one split
    rows: int

    def labels(self, task: Task, *, required: bool) -> list[str] | None:
        """A label per row, as it travels, from the member that the task names, or from `y`."""
        kind, wanted = LABELS[task.problem], [*task.data.columns.labels, "y"]
        member = self._member(wanted, meaning="labels", required=required)
        if member is None:
            return None
        try:
            if PROBLEMS[task.problem].takes_label_columns and len(read_header(self.path, member).shape) == 2:
                found = self._marked(member, task)
            else:
                texts = self._texts(member, meaning="labels", kinds=kind.array_kinds)
                found = kind.written(texts, range(len(texts)), column=wanted[0], unit="row")
            refuse_strangers(task, found, [f"row {row}" for row in range(len(found))], column=wanted[0])
        except LabelError as error:
            raise ListingError(error.code, f"{self.place}: {error}") from error
        return found

    def names(self, wanted: Sequence[str], *, meaning: str, required: bool) -> list[str] | None:
        """A name per row from the first wanted member that is there."""
        member = self._member(wanted, meaning=meaning, required=required)
        return None if member is None else self._texts(member, meaning=meaning, kinds=NAMES)

    def _member(self, wanted: Sequence[str], *, meaning: str, required: bool) -> str | None:
        choices = [name + self.suffix for name in wanted]
        member = next((name for name in choices if name in self.members), None)
        if member is None and required:
            words = f"holds {self.inputs!r} without its {meaning} {choices[0]!r}. It holds {', '.join(self.members)}."
            raise ListingError("bad_array", f"{self.place}: {words}")
        return member

    def _texts(self, member: str, *, meaning: str, kinds: str) -> list[str]:
        """A text per row.

        Args:
            kinds: NumPy's letters for the types that it may have.
        """
        texts = read_names(self.path, member, meaning=meaning, kinds=kinds)
        self._check_rows(member, len(texts))
        return texts

    def _marked(self, member: str, task: Task) -> list[str]:
        """Label sets from marks, (rows, labels), called as `<member>_names` has it, else as `classes` in the task."""
        marks = read_array(self.path, member)
        self._check_rows(member, len(marks))
        wrong = np.argwhere(~np.isin(marks, (0, 1)))
        if len(wrong):
            row, label = wrong[0].tolist()
            seen = repr(marks[row, label].item())
            words = f"row {row}: {member!r} holds {seen} as a mark of label {label}. Marks are 0 and 1."
            raise ListingError("bad_array", f"{self.place}: {words}")
        beside = f"{member.removesuffix(self.suffix)}_names"
        if beside in self.members:
            names = read_names(self.path, beside, meaning="names of labels")
        elif isinstance(task.classes, tuple):
            names = list(task.classes)
        else:
            names = [str(index) for index in range(marks.shape[1])]
        if len(names) != marks.shape[1]:
            words = f"{member!r} has marks of {marks.shape[1]} labels, and {len(names)} are named."
            raise ListingError("bad_array", f"{self.place}: {words}")
        return from_marks(marks, names)

    def _check_rows(self, member: str, rows: int) -> None:
        if rows != self.rows:
            words = f"{self.inputs!r} has {self.rows:,} rows, {member!r} has {rows:,}."
            raise ListingError("bad_array", f"{self.place}: {words}")


def _inputs_member(members: Sequence[str], split: SplitName, named: str | None) -> tuple[str, str] | None:
    """The member with the inputs of a split, and its ending: `x_test`, or `x` with no ending in a file of one split."""
    for base in ("x",) if named is None else (named, "x"):
        for word in _MEMBERS[split]:
            if f"{base}_{word}" in members:
                return f"{base}_{word}", f"_{word}"
        if base in members and not any(name.startswith(f"{base}_") for name in members):
            return base, ""
    return None


def _member_beside(listing: Listing, split: SplitName) -> str | None:
    """The member with the inputs of another split, in the array file that a training path names."""
    stem = (listing.array or "").removesuffix("_train")
    if stem == listing.array:
        return None
    return next((f"{stem}_{word}" for word in _MEMBERS[split] if f"{stem}_{word}" in listing.columns), None)


def is_hidden(task: Task, domain: str) -> bool:
    """Whether the search may not see this domain's labels (all of them, or all but a few a class)."""
    return domain == "target" and task.data.target.labels != "all"
