"""What the paths of a task hold, told from folders, tables and array headers alone: no example is opened here."""

import os
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

import numpy as np

from autotl.data.examples import Finding
from autotl.data.images import SUFFIXES
from autotl.data.tables import TABLE_SUFFIXES, Table, TableError, read_table
from autotl.task import LabelsOf, Task

SplitName = Literal["train", "validation", "test"]
SPLIT_WORDS = frozenset({"train", "training", "test", "testing", "val", "valid", "validation", "dev"})
INPUT_COLUMNS = ("path", "file", "filename", "file_name", "image", "image_path", "input")
LABEL_COLUMNS = ("label", "class", "category", "target", "y")
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
    labels: tuple[str, ...] | None = None  # class names exactly as written; None: the path knows none
    groups: tuple[str, ...] | None = None
    array: str | None = None  # the member of an .npz that holds the inputs; None: files under `root`
    root: Path = Path()
    empty_classes: tuple[str, ...] = ()
    strangers: tuple[str, ...] = ()  # files that are no images, left alone

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True)
class Survey:
    """All listings of a task by domain and split, with what was wrong on the way."""

    domains: tuple[str, ...]  # "target" first
    splits: Mapping[tuple[str, SplitName], tuple[Listing, ...]]
    findings: tuple[Finding, ...]

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


def source_names(task: Task) -> tuple[str, ...]:
    """The sources' names; a single one may have none in the file."""
    return tuple(source.name or "source" for source in task.data.source)


def survey(task: Task) -> Survey:
    """Lists every path of the task once; trouble becomes findings, so that all of it is told together."""
    findings: list[Finding] = []
    splits: dict[tuple[str, SplitName], tuple[Listing, ...]] = {}
    for domain, split, place, paths in _given_splits(task):
        listings: list[Listing] = []
        for index, given in enumerate(paths):
            where = task.where(f"{place}[{index}]" if len(paths) > 1 else place)
            try:
                listings.append(_list(task, given, where, split, labelled=_needs_labels(task, domain, split)))
            except ListingError as error:
                findings.append(error.finding)
        splits[domain, split] = tuple(listings)
    if task.data.target.test is None and ("target", "test") not in splits:
        beside = [listing for listing in splits["target", "train"] if listing.array == "x_train"]
        beside = [listing for listing in beside if _member(listing.path, "test")]
        if beside and len(beside) == len(splits["target", "train"]):
            splits["target", "test"] = tuple(
                _list_array(task, listing.path, listing.given, listing.where, "test", labelled=True)
                for listing in beside
            )
    return Survey(("target", *source_names(task)), splits, tuple(findings))


def _given_splits(task: Task) -> Iterator[tuple[str, SplitName, str, tuple[str, ...]]]:
    target = task.data.target
    yield "target", "train", "data.target.train", target.train
    if isinstance(target.validation, tuple):
        yield "target", "validation", "data.target.validation", target.validation
    if isinstance(target.test, tuple):
        yield "target", "test", "data.target.test", target.test
    for index, (name, source) in enumerate(zip(source_names(task), task.data.source, strict=True)):
        place = f"data.source[{index}]"
        yield name, "train", f"{place}.train", source.train or ()
        if isinstance(source.validation, tuple):
            yield name, "validation", f"{place}.validation", source.validation


def _needs_labels(task: Task, domain: str, split: SplitName) -> bool:
    if domain != "target" or split == "test" or task.data.target.labels != "none":
        return True
    return isinstance(task.data.target.test, LabelsOf) and split == "train"


def _list(task: Task, given: str, where: str, split: SplitName, *, labelled: bool) -> Listing:
    path = task.resolve(given)
    if not path.exists():
        raise ListingError("missing_path", f"{where}: there is no {given!r}.{_nearest(path)}")
    if path.is_dir():
        return _list_folder(task, path, given, where, labelled=labelled)
    if path.suffix.lower() == ".npz":
        return _list_array(task, path, given, where, split, labelled=labelled)
    if path.suffix.lower() in TABLE_SUFFIXES:
        return _list_table(task, path, given, where, labelled=labelled)
    allowed = "a folder of class folders, .csv, .tsv, .parquet or .npz"
    raise ListingError("unknown_kind", f"{where}: {given!r} is not a kind of data that is read. Allowed: {allowed}.")


def _nearest(path: Path) -> str:
    parent = path.parent
    while not parent.exists():
        path, parent = parent, parent.parent
    near = get_close_matches(path.name, sorted(os.listdir(parent)), n=1)  # noqa: PTH208 - names are wanted, not paths
    return f" Did you mean {near[0]!r} in {parent.name or parent}?" if near else f" Nothing like it in {parent}."


def _list_folder(task: Task, path: Path, given: str, where: str, *, labelled: bool) -> Listing:
    folders, files = _entries(path)
    images = [name for name in files if _is_image(name)]
    found = {folder: list(_walk(path, folder)) for folder in folders}
    by_class = {folder: [name for name in names if _is_image(name)] for folder, names in found.items()}
    strangers = [
        name for name in (*files, *(name for names in found.values() for name in names)) if not _is_image(name)
    ]
    if not images and not any(by_class.values()):
        seen = f"its files are such as {strangers[0]!r}" if strangers else "it is empty"
        raise ListingError("no_images", f"{where}: {given!r} holds no image: {seen}. Expected {_sorted_suffixes()}.")
    if not labelled and images:
        names = [*images, *(name for names in by_class.values() for name in names)]
        return Listing(given, path, where, tuple(names), root=path, strangers=tuple(strangers))
    if images and not any(by_class.values()):
        words = f"{given!r} holds images but no class folders. Sort them into {given}/CLASS/, or name a CSV."
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
        strangers=(*strangers, *images),
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


def _is_image(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in SUFFIXES  # noqa: PTH122 - called for every file


def _sorted_suffixes() -> str:
    return ", ".join(sorted(SUFFIXES))


def _merged(task: Task, label: str) -> str:
    return task.audit.merge.get(label, label)


def _list_table(task: Task, path: Path, given: str, where: str, *, labelled: bool) -> Listing:
    columns = task.data.columns
    try:
        table = read_table(path, encoding=task.encoding)
        files = table.column(_column(table, columns.input, INPUT_COLUMNS, "input"), meaning="input")
        label_name = _column(table, columns.label, LABEL_COLUMNS, "label") if labelled else _label_if_any(task, table)
        labels = table.column(label_name, meaning="label") if label_name is not None else None
        groups = table.column(columns.group, meaning="group") if columns.group is not None else None
    except TableError as error:
        code = "unknown_column" if "column" in str(error) else "bad_table"
        raise ListingError(code, f"{where}: {given}: {error}") from error
    if not files:
        raise ListingError("bad_table", f"{where}: {given}: holds no rows below its header.")
    _refuse_unusable_rows(files, labels, table, f"{where}: {given}", path.parent)
    return Listing(
        given,
        path,
        where,
        tuple(name.strip().replace("\\", "/") for name in files),
        labels=tuple(_merged(task, label) for label in labels) if labels is not None else None,
        groups=tuple(groups) if groups is not None else None,
        root=path.parent,
    )


def _column(table: Table, wanted: str | None, usual: Sequence[str], meaning: str) -> str:
    if wanted is not None:
        return wanted
    by_lower = {name.strip().lower(): name for name in table.columns}
    for name in usual:
        if name in by_lower:
            return by_lower[name]
    have = ", ".join(table.columns)
    raise TableError(f"no {meaning} column is named. Its columns: {have}. Write data.columns: {{{meaning}: NAME}}.")


def _label_if_any(task: Task, table: Table) -> str | None:
    """The hidden labels of an unlabelled target, if the table has them at all."""
    try:
        name = _column(table, task.data.columns.label, LABEL_COLUMNS, "label")
    except TableError:
        return None
    return name if name in table.columns else None


def _refuse_unusable_rows(
    files: Sequence[str], labels: Sequence[str] | None, table: Table, where: str, root: Path
) -> None:
    if labels is not None:
        bare = [line for line, label in zip(table.lines, labels, strict=True) if not label.strip()]
        if bare:
            raise ListingError(
                "empty_label", f"{where}: line {bare[0]}: {len(bare)} rows have no label. Fill or remove them."
            )
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
    try:
        with zipfile.ZipFile(path) as archive:
            members = [name.removesuffix(".npy") for name in archive.namelist()]
        inputs = _member(path, split)
        if inputs is None:
            words = f"holds {', '.join(members) or 'nothing'}. Expected x and y, or x_{split} and y_{split}."
            raise ListingError("bad_array", f"{where}: {given}: {words}")
        rows = _array_rows(path, inputs)
        name = "y" + inputs[1:]
        labels = _array_labels(path, name) if name in members else None
    except (OSError, ValueError, zipfile.BadZipFile, EOFError, KeyError) as error:
        raise ListingError("bad_array", f"{where}: {given}: is no .npz that can be read: {error}.") from error
    if labels is None and labelled:
        raise ListingError("bad_array", f"{where}: {given}: holds {inputs!r} without its labels {name!r}.")
    if labels is not None and len(labels) != rows:
        raise ListingError(
            "bad_array", f"{where}: {given}: {inputs!r} has {rows:,} rows, {name!r} has {len(labels):,}."
        )
    if not rows:
        raise ListingError("bad_array", f"{where}: {given}: {inputs!r} has no rows.")
    return Listing(
        given,
        path,
        where,
        tuple(f"row {row}" for row in range(rows)),
        labels=tuple(_merged(task, label) for label in labels) if labels is not None else None,
        array=inputs,
    )


def _member(path: Path, split: SplitName) -> str | None:
    """The member that holds the inputs of a split: `x_test`, or `x` in a file of one split."""
    with zipfile.ZipFile(path) as archive:
        members = {name.removesuffix(".npy") for name in archive.namelist()}
    for word in _MEMBERS[split]:
        if f"x_{word}" in members:
            return f"x_{word}"
    return "x" if "x" in members and not any(name.startswith("x_") for name in members) else None


def _array_rows(path: Path, member: str) -> int:
    with zipfile.ZipFile(path) as archive, archive.open(f"{member}.npy") as file:
        version = np.lib.format.read_magic(file)
        read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read_header(file)
    if dtype.hasobject:
        raise ValueError(f"{member!r} holds Python objects, which are never loaded. Save plain numbers")
    if not shape:
        raise ValueError(f"{member!r} is a single number")
    return int(shape[0])


def _array_labels(path: Path, member: str) -> list[str]:
    """Class names of an array of text, whole numbers or truth values."""
    _array_rows(path, member)  # refuses Python objects before anything is loaded
    with np.load(path, allow_pickle=False) as arrays:
        values = arrays[member]
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        raise ValueError(f"{member!r} has shape {values.shape}. Labels are one class name or number a row, shape (n,)")
    if values.dtype.kind == "S":
        return [value.decode("utf-8") for value in values.tolist()]
    if values.dtype.kind not in "Uiub":
        raise ValueError(f"{member!r} holds values of type {values.dtype}. Labels are text or whole numbers")
    return [str(value) for value in values.tolist()]


def is_hidden(task: Task, domain: str) -> bool:
    """Whether the search may not see this domain's labels (all of them, or all but a few a class)."""
    return domain == "target" and task.data.target.labels != "all"
