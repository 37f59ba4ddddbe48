"""Listed examples opened once: read, checked and digested; the broken ones noted and left out."""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from autotl.data.arrays import ArrayError, read_array
from autotl.data.examples import Rows
from autotl.data.images import (
    BrokenImageError,
    ImageArray,
    ImageFiles,
    Images,
    array_digests,
    inspect_files,
    join_images,
    pixels_from_array,
)
from autotl.data.listing import Listing, SplitName, Survey
from autotl.errors import DataError


@dataclass(frozen=True)
class Examples:
    """Opened examples of one split: images, with class names and groups where the paths know them."""

    images: Images
    labels: tuple[str, ...] | None
    groups: tuple[str, ...] | None  # "" where a row has none

    def __len__(self) -> int:
        return len(self.images)

    def take(self, rows: Rows) -> "Examples":
        return Examples(self.images.take(rows), _pick(self.labels, rows), _pick(self.groups, rows))


@dataclass(frozen=True)
class Broken:
    """A file that cannot be used."""

    domain: str
    name: str  # with its folders: not to be stored where these tell a hidden label
    reason: str  # completes the sentence 'the file …'


@dataclass
class Opened:
    """Every listed example read once, the broken ones left out."""

    splits: dict[tuple[str, SplitName], Examples] = field(default_factory=dict)
    broken: list[Broken] = field(default_factory=list)
    files: int = 0
    sizes: list[tuple[int, int]] = field(default_factory=list)


def open_all(listed: Survey) -> Opened:
    """Opens every listing of the survey.

    Raises:
        DataError: an array that is no array of images.
    """
    opened = Opened()
    for (domain, split), listings in listed.splits.items():
        if not listings:
            continue
        in_domain = [*listed.splits.get((domain, "train"), ()), *listed.splits.get((domain, "validation"), ())]
        parts = [_open(domain, listing, opened, prefix=_prefix(listing, in_domain)) for listing in listings]
        images = join_images([part for part, _ in parts])
        kept = [(listing, rows) for listing, (_, rows) in zip(listings, parts, strict=True)]
        opened.splits[domain, split] = Examples(
            images.renamed(unique_ids(images.ids)),
            _column([(listing.labels, rows) for listing, rows in kept]),
            _column([(listing.groups or ("",) * len(listing), rows) for listing, rows in kept])
            if any(listing.groups is not None for listing in listings)
            else None,
        )
    return opened


def _column(parts: Sequence[tuple[tuple[str, ...] | None, Rows]]) -> tuple[str, ...] | None:
    columns = [_pick(values, rows) for values, rows in parts]
    if any(column is None for column in columns):
        return None
    return tuple(value for column in columns for value in column or ())


def _prefix(listing: Listing, in_domain: Sequence[Listing]) -> str:
    """What tells this path's rows from those of the domain's other paths: nothing where it is the only one."""
    if len(in_domain) < 2:
        return ""
    same_name = [other for other in in_domain if other.path.name == listing.path.name]
    name = listing.path.name if len(same_name) < 2 else f"{listing.path.parent.name}/{listing.path.name}"
    return f"{name} " if listing.array else f"{name}/"


def unique_ids(ids: Sequence[str]) -> list[str]:
    """The same ids, where a name that came before gets a number behind it."""
    seen: Counter[str] = Counter()
    unique = []
    for name in ids:
        seen[name] += 1
        unique.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return unique


def without_folders(name: str) -> str:
    """The file's own name: all that may be stored of a file whose folder tells a hidden label."""
    return name.rpartition("/")[2]


def _open(domain: str, listing: Listing, opened: Opened, *, prefix: str) -> tuple[ImageFiles | ImageArray, Rows]:
    """The usable images of a listing and their rows in it; the others are noted in `opened`."""
    ids = tuple(prefix + name for name in listing.names)
    if listing.array is not None:
        return _open_array(listing, ids, opened), np.arange(len(listing))
    inspections = inspect_files([os.path.join(listing.root, name) for name in listing.names])  # noqa: PTH118
    opened.files += len(inspections)
    usable = np.array([row for row, seen in enumerate(inspections) if seen.broken is None], dtype=np.int64)
    for name, seen in zip(ids, inspections, strict=True):
        if seen.broken is not None:
            opened.broken.append(Broken(domain, name, seen.broken))
        else:
            opened.sizes.append((seen.width, seen.height))
    digests = tuple(inspections[row].digest for row in usable.tolist())
    names = tuple(listing.names[row] for row in usable.tolist())
    return ImageFiles(str(listing.root), names, tuple(ids[row] for row in usable.tolist()), digests), usable


def _open_array(listing: Listing, ids: tuple[str, ...], opened: Opened) -> ImageArray:
    try:
        pixels = pixels_from_array(read_array(listing.path, str(listing.array)))
    except BrokenImageError as error:
        raise DataError(f"{listing.where}: {listing.given}: the array {listing.array!r} {error}.") from error
    except ArrayError as error:
        raise DataError(f"{listing.where}: {listing.given}: {error}") from error
    opened.sizes.append((pixels.shape[2], pixels.shape[1]))
    return ImageArray(pixels, ids, array_digests(pixels))


def _pick(values: tuple[str, ...] | None, rows: Rows) -> tuple[str, ...] | None:
    return None if values is None else tuple(values[row] for row in rows.tolist())
