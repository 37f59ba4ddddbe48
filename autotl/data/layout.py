"""Which of the paths that a person names hold training, validation and test examples, told from names alone."""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

from autotl.data.images import SUFFIXES
from autotl.data.listing import SplitName
from autotl.data.tables import TABLE_SUFFIXES
from autotl.data.texts import TEXT_SUFFIXES
from autotl.errors import DataError

ROLES: dict[str, SplitName] = {
    "train": "train",
    "training": "train",
    "test": "test",
    "testing": "test",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "dev": "validation",
}
DATA_SUFFIXES = (TABLE_SUFFIXES - TEXT_SUFFIXES) | {".npz"}  # a .txt is one text among others
_DEEPEST = 4  # folders that hold nothing but one folder, as unpacked archives do


@dataclass(frozen=True)
class Layout:
    """Paths by split; `notes` are sentences on what was left alone."""

    train: tuple[Path, ...]
    validation: tuple[Path, ...] = ()
    test: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()


def lay_out(given: Sequence[Path]) -> Layout:
    """Sorts paths into splits: by their own names, by those of the folders in them, and by those that stand beside.

    `photos/` with `train/` and `test/` in it, `train.csv` beside `test.csv`, and `photos.csv` beside `photos_test.csv`
    are each one set with its test.

    Raises:
        DataError: a path is not there, or a folder holds several tables or arrays of which none is called train.
    """
    missing = [words for path in given if not path.exists() for words in _not_there(path)]
    if missing:
        raise DataError(missing)
    role_of = {path: _given_role(path, given) for path in given}
    if not any(role == "train" for role in role_of.values()):
        role_of = dict.fromkeys(given, "train")  # named test or not, it is all there is to learn from
    found: dict[SplitName, list[Path]] = {"train": [], "validation": [], "test": []}
    notes: list[str] = []
    for path, role in role_of.items():
        if role != "train":
            found[role].append(path)
            continue
        inside = _inside(path)
        notes += inside.notes
        found["train"] += inside.train
        found["validation"] += inside.validation
        found["test"] += inside.test
    for path in tuple(found["train"]):
        for beside, role in _beside(path):
            if beside not in found["train"]:
                found[role].append(beside)
    train, validation, test = (tuple(dict.fromkeys(found[role])) for role in ("train", "validation", "test"))
    return Layout(train, validation, test, tuple(notes))


def name_of(path: Path) -> str:
    """What to call the examples of a path: `photos` for `photos/`, `photos/train`, `photos_train.csv`."""
    words, _ = _split_name(path)
    return "_".join(words) or path.absolute().parent.name or "data"


def _not_there(path: Path) -> Iterator[str]:
    parent = path.absolute().parent
    near = get_close_matches(path.name, os.listdir(parent) if parent.is_dir() else [], n=1)  # noqa: PTH208 - names
    yield f"{path}: there is no such file or folder.{f' Did you mean {near[0]!r}?' if near else ''}"


def _given_role(path: Path, given: Sequence[Path]) -> SplitName:
    """By its name; `dev` means validation only beside another path whose name is otherwise the same."""
    words, role = _split_name(path)
    if role in (None, "train"):
        return "train"
    has_partner = any(other != path and _split_name(other)[0] == words for other in given)
    return role if has_partner or "dev" not in _words(path.stem) else "train"


def _words(name: str) -> list[str]:
    return [word for word in re.split(r"[\W_]+", name.lower()) if word]


def _split_name(path: Path) -> tuple[tuple[str, ...], SplitName | None]:
    """The words of a name without the one that names a split, and that split."""
    words = _words(path.name if path.is_dir() else path.stem)
    named = [word for word in words if word in ROLES]
    if len(named) != 1:
        return tuple(words), None
    return tuple(word for word in words if word not in ROLES), ROLES[named[0]]


def _beside(path: Path) -> Iterator[tuple[Path, Literal["validation", "test"]]]:
    """Validation and test of a training path, which stand beside it under a like name."""
    words, _ = _split_name(path)
    for other in _entries(path.absolute().parent):
        if other.name == path.name or other.is_dir() != path.is_dir() or other.suffix.lower() != path.suffix.lower():
            continue
        same, role = _split_name(other)
        if same == words and role in ("validation", "test"):
            yield path.parent / other.name, role


def _entries(folder: Path) -> list[Path]:
    return sorted(entry for entry in folder.iterdir() if not entry.name.startswith((".", "__MACOSX")))


def _inside(path: Path, depth: int = 0) -> Layout:
    """The splits that a folder holds, or the path itself."""
    if not path.is_dir():
        return Layout((path,))
    entries = _entries(path)
    folders = [entry for entry in entries if entry.is_dir()]
    files = [entry for entry in entries if entry.suffix.lower() in DATA_SUFFIXES and entry.is_file()]
    by_role: dict[SplitName, list[Path]] = {"train": [], "validation": [], "test": []}
    others: list[str] = []
    for folder in folders:
        role = ROLES.get(folder.name.lower())
        by_role[role].append(folder) if role is not None else others.append(folder.name)
    if by_role["train"] and (by_role["test"] or by_role["validation"] or not others):
        left = [f"{path}: the folder {others[0]!r} is left alone beside train."] if others else []
        return Layout(tuple(by_role["train"]), tuple(by_role["validation"]), tuple(by_role["test"]), tuple(left))
    if len(folders) > 1 and sum(map(_holds_examples, folders)) > 1:
        return Layout((path,))
    if files:
        return _of_files(path, files)
    holds_examples = any(entry.suffix.lower() in SUFFIXES | TEXT_SUFFIXES for entry in entries)
    if len(folders) == 1 and not holds_examples and depth < _DEEPEST and _holds_more(folders[0]):
        return _inside(folders[0], depth + 1)
    return Layout((path,))


def _of_files(folder: Path, files: Sequence[Path]) -> Layout:
    if len(files) == 1:
        return Layout((files[0],))
    named = [file for file in files if _split_name(file)[1] == "train"]
    if named:
        first = named[0]
        same = [file for file in files if file.suffix == first.suffix and file in (first, *dict(_beside(first)))]
        left = [file.name for file in files if file not in same]
        words = [f"{folder}: {left[0]!r} is left alone beside {first.name!r}."] if left else []
        return Layout((first,), notes=tuple(words))
    seen = ", ".join(file.name for file in files[:8])
    example = folder / files[0].name
    raise DataError(f"{folder}: holds several tables or arrays: {seen}. Name those to learn from, such as {example}.")


def _holds_more(folder: Path) -> bool:
    """Whether there is anything to sort in it; if not, it is the one class of its parent."""
    return any(entry.is_dir() or entry.suffix.lower() in DATA_SUFFIXES for entry in _entries(folder))


def _holds_examples(folder: Path) -> bool:
    """Whether images or texts lie in it, at any depth."""
    for _, _, names in os.walk(folder):
        if any(Path(name).suffix.lower() in SUFFIXES | TEXT_SUFFIXES for name in names):
            return True
    return False
