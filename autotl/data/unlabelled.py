"""Inputs to predict on: a folder, one image, a table's path column or an array. Labels are not read."""

import os
import zipfile
from pathlib import Path

import numpy as np

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
from autotl.data.tables import TABLE_SUFFIXES, TableError, read_table
from autotl.errors import DataError

ARRAY_NAMES = ("x", "x_test", "x_validation", "x_train")


def read_unlabelled(path: Path) -> tuple[ImageFiles | ImageArray, tuple[str, ...]]:
    """Images that can be decoded, and a line for each that cannot.

    Raises:
        DataError: nothing at the path, nothing there that is an image, or no image that can be decoded.
    """
    if not path.exists():
        raise DataError(f"{path}: there is nothing here. Name a folder of images, an image, a CSV or an .npz.")
    if path.suffix.lower() == ".npz":
        return _from_array(path), ()
    if path.is_dir():
        return _decodable(path, _images_below(path))
    if path.suffix.lower() in SUFFIXES:
        return _decodable(path.parent, [path.name])
    if path.suffix.lower() in TABLE_SUFFIXES:
        return _decodable(path.parent, _from_table(path))
    raise DataError(f"{path}: not an image, folder, table or array. Images end in {', '.join(sorted(SUFFIXES))}.")


def _decodable(root: Path, names: list[str]) -> tuple[ImageFiles, tuple[str, ...]]:
    if not names:
        raise DataError(f"{root}: holds no image. Images end in {', '.join(sorted(SUFFIXES))}.")
    looks = inspect_files([str(root / name) for name in names])
    skipped = tuple(f"{name}: the file {look.broken}" for name, look in zip(names, looks, strict=True) if look.broken)
    kept = [(name, look.digest) for name, look in zip(names, looks, strict=True) if not look.broken]
    if not kept:
        raise DataError([f"{root}: none of {len(names)} files can be decoded.", *skipped[:20]])
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


def _from_table(path: Path) -> list[str]:
    try:
        table = read_table(path, encoding="utf-8")
    except TableError as error:
        raise DataError(f"{path}: {error}") from error
    column = next((name for name in table.columns if name.strip().lower() in INPUT_COLUMNS), None)
    if column is None:
        raise DataError(f"{path}: no column holds paths. Name it one of: {', '.join(INPUT_COLUMNS)}.")
    names = [name.strip().replace("\\", "/") for name in table.columns[column]]
    root = path.parent.resolve()
    for line, name in zip(table.lines, names, strict=True):
        if "\0" in name or not (root / name).resolve().is_relative_to(root):
            raise DataError(f"{path}: line {line}: {name!r} lies outside the table's folder.")
    return names


def _from_array(path: Path) -> ImageArray:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            member = next((name for name in ARRAY_NAMES if name in arrays.files), None)
            if member is None:
                raise DataError(
                    f"{path}: holds {', '.join(arrays.files) or 'nothing'}, none of {', '.join(ARRAY_NAMES)}."
                )
            pixels = pixels_from_array(arrays[member])
    except BrokenImageError as error:
        raise DataError(f"{path}: the array {member!r} {error}.") from error
    except (OSError, ValueError, TypeError, EOFError, zipfile.BadZipFile) as error:  # TypeError: a lone array
        raise DataError(f"{path}: cannot be read as images: {error}") from error
    if not len(pixels):
        raise DataError(f"{path}: the array {member!r} holds no image.")
    return ImageArray(pixels, tuple(f"row {row}" for row in range(len(pixels))), array_digests(pixels))
