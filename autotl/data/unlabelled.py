"""Inputs to predict on: a folder, one image, a table's path column or an array. Labels are not read."""

import os
from collections.abc import Sequence
from pathlib import Path

from autotl.data.arrays import ArrayError, read_array
from autotl.data.images import (
    SUFFIXES,
    BrokenImageError,
    ImageArray,
    ImageFiles,
    array_digests,
    inspect_files,
    pixels_from_array,
)
from autotl.data.listing import INPUT_COLUMNS
from autotl.data.tables import TABLE_SUFFIXES
from autotl.data.unlabelled_sources import member_holding_inputs, table_at
from autotl.errors import DataError


def read_unlabelled(
    path: Path, *, input_column: str | None = None, encoding: str = "utf-8"
) -> tuple[ImageFiles | ImageArray, tuple[str, ...]]:
    """Images that can be decoded, and a line for each that cannot.

    Args:
        input_column: the column of a table with the paths, or the member of an `.npz`; the usual names are looked
            for where it is None or not there.
        encoding: of a CSV.
    Raises:
        DataError: nothing at the path, nothing there that is an image, or no image that can be decoded.
    """
    if not path.exists():
        raise DataError(f"{path}: there is nothing here. Name a folder of images, an image, a CSV or an .npz.")
    if path.suffix.lower() == ".npz":
        return _from_array(path, input_column), ()
    if path.is_dir():
        return _decodable(path, _images_below(path))
    if path.suffix.lower() in SUFFIXES:
        return _decodable(path.parent, [path.name])
    if path.suffix.lower() in TABLE_SUFFIXES:
        return _decodable(path.parent, _from_table(path, input_column, encoding))
    raise DataError(f"{path}: not an image, folder, table or array. Images end in {', '.join(sorted(SUFFIXES))}.")


def read_listed(paths: Sequence[str], *, where: str) -> tuple[ImageFiles, tuple[str, ...]]:
    """Images that can be decoded of these files, which may lie anywhere, and a line for each that cannot.

    Args:
        where: the paths come from, the beginning of a message.
    Raises:
        DataError: no path, or no image that can be decoded.
    """
    if not paths:
        raise DataError(f"{where}: holds no path. Write the path of an image on each line.")
    return _decodable(Path(), list(paths), where=where)


def _decodable(root: Path, names: list[str], *, where: str | None = None) -> tuple[ImageFiles, tuple[str, ...]]:
    where = str(root) if where is None else where
    if not names:
        raise DataError(f"{where}: holds no image. Images end in {', '.join(sorted(SUFFIXES))}.")
    looks = inspect_files([str(root / name) for name in names])
    skipped = tuple(f"{name}: the file {look.broken}" for name, look in zip(names, looks, strict=True) if look.broken)
    kept = [(name, look.digest) for name, look in zip(names, looks, strict=True) if not look.broken]
    if not kept:
        raise DataError([f"{where}: none of {len(names)} files can be decoded.", *skipped[:20]])
    good, digests = zip(*kept, strict=True)
    return ImageFiles(str(root), good, good, digests), skipped


def _images_below(root: Path) -> list[str]:
    found = []
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if not name.startswith(".") and Path(name).suffix.lower() in SUFFIXES:
                found.append(Path(folder, name).relative_to(root).as_posix())
    return found


def _from_table(path: Path, input_column: str | None, encoding: str) -> list[str]:
    table = table_at(path, encoding)
    usual = (name for name in table.columns if name.strip().lower() in INPUT_COLUMNS)
    column = input_column if input_column in table.columns else next(usual, None)
    if column is None:
        wanted = ", ".join((*(() if input_column is None else (input_column,)), *INPUT_COLUMNS))
        have = f"Its columns: {', '.join(table.columns)}."
        raise DataError(f"{path}: no column holds paths. {have} Name it one of: {wanted}.")
    names = [name.strip().replace("\\", "/") for name in table.columns[column]]
    root = path.parent.resolve()
    for line, name in zip(table.lines, names, strict=True):
        if "\0" in name or not (root / name).resolve().is_relative_to(root):
            raise DataError(f"{path}: line {line}: {name!r} lies outside the table's folder.")
    return names


def _from_array(path: Path, input_member: str | None) -> ImageArray:
    try:
        member = member_holding_inputs(path, input_member)
        pixels = pixels_from_array(read_array(path, member))
    except BrokenImageError as error:
        raise DataError(f"{path}: the array {member!r} {error}.") from error
    except ArrayError as error:
        raise DataError(f"{path}: {error}") from error
    if not len(pixels):
        raise DataError(f"{path}: the array {member!r} holds no image.")
    return ImageArray(pixels, tuple(f"row {row}" for row in range(len(pixels))), array_digests(pixels))
