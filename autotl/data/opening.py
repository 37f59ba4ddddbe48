"""Listed examples opened once: read, checked and digested; the broken ones noted and left out."""

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from autotl.data.arrays import ArrayError, read_array
from autotl.data.examples import Finding, Inputs, Rows
from autotl.data.images import (
    BrokenImageError,
    ImageArray,
    ImageFiles,
    array_digests,
    array_looks,
    inspect_files,
    pixels_from_array,
)
from autotl.data.joining import join_inputs
from autotl.data.listing import Listing, SplitName, Survey
from autotl.data.looks import Look, is_looked_at
from autotl.data.texts import BrokenTextError, Texts, is_empty, read_text_file, texts_of
from autotl.data.windows import (
    BrokenWindowsError,
    Windows,
    check_alike,
    inspect_windows,
    samples_from_array,
    window_findings,
    windows_from_samples,
)
from autotl.errors import DataError
from autotl.task import Task


@dataclass(frozen=True)
class Examples:
    """Opened examples of one split, with class names and groups where the paths know them."""

    inputs: Inputs
    labels: tuple[str, ...] | None
    groups: tuple[str, ...] | None  # "" where a row has none
    alike: Mapping[str, str] = field(default_factory=dict)  # what near copies share, by digest

    @property
    def content(self) -> tuple[str, ...]:
        """What each example says, equal for copies and near copies: no split divides them."""
        return tuple(self.alike.get(digest, digest) for digest in self.inputs.digests)

    def __len__(self) -> int:
        return len(self.inputs)

    def take(self, rows: Rows) -> "Examples":
        return Examples(self.inputs.take(rows), _pick(self.labels, rows), _pick(self.groups, rows), self.alike)


@dataclass(frozen=True)
class Broken:
    """An example that cannot be used."""

    domain: str
    name: str  # with its folders: not to be stored where these tell a hidden label
    reason: str  # completes the sentence 'the file …', 'the text …' or 'the window …'


@dataclass
class Opened:
    """Every listed example read once, the broken ones left out."""

    splits: dict[tuple[str, SplitName], Examples] = field(default_factory=dict)
    broken: list[Broken] = field(default_factory=list)
    examples: int = 0  # looked at, the broken ones included
    sizes: list[tuple[int, int]] = field(default_factory=list)  # (width, height) of images
    looks: dict[str, Look] = field(default_factory=dict)  # at images, by the digest of their content
    findings: list[Finding] = field(default_factory=list)


def open_all(task: Task, listed: Survey) -> Opened:
    """Opens every listing of the survey.

    Raises:
        DataError: an array that is none of images or windows, or tables or windows that do not fit together.
    """
    opened = Opened()
    for (domain, split), listings in listed.splits.items():
        if not listings:
            continue
        in_domain = [*listed.splits.get((domain, "train"), ()), *listed.splits.get((domain, "validation"), ())]
        reader = _Reader(domain, listed.modality, task.encoding, opened)
        parts = [reader.open(listing, prefix=_prefix(listing, in_domain)) for listing in listings]
        inputs = join_inputs([part for part, _ in parts])
        kept = [(listing, rows) for listing, (_, rows) in zip(listings, parts, strict=True)]
        opened.splits[domain, split] = Examples(
            inputs.renamed(unique_ids(inputs.ids)),
            _column([(listing.labels, rows) for listing, rows in kept]),
            _column([(listing.groups or ("",) * len(listing), rows) for listing, rows in kept])
            if any(listing.groups is not None for listing in listings)
            else None,
        )
    if listed.modality == "signal":  # one model takes the windows of all domains and splits
        check_alike([cast(Windows, examples.inputs) for examples in opened.splits.values()])
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
    return f"{name} " if listing.array or listing.inputs is not None else f"{name}/"


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


@dataclass(frozen=True)
class _Reader:
    """Opens the listings of one domain; what cannot be used is noted in `opened` and left out."""

    domain: str
    modality: str
    encoding: str
    opened: Opened

    def open(self, listing: Listing, *, prefix: str) -> tuple[Inputs, Rows]:
        """The usable examples of a listing, and their rows in it."""
        ids = tuple(prefix + name for name in listing.names)
        if listing.inputs is not None:
            return self._usable(listing.inputs.renamed(ids), listing)
        if listing.array is not None and self.modality == "signal":
            return self._usable(self._windows(listing, ids), listing)
        if listing.array is not None:
            return self._image_array(listing, ids), np.arange(len(listing))
        return self._text_files(listing, ids) if self.modality == "text" else self._image_files(listing, ids)

    def _usable(self, inputs: Inputs, listing: Listing) -> tuple[Inputs, Rows]:
        broken: Mapping[int, str] = {}
        if isinstance(inputs, Texts):
            broken = {row: "is empty" for row, text in enumerate(inputs.texts) if is_empty(text)}
        elif isinstance(inputs, Windows):
            seen = inspect_windows(inputs)
            broken = seen.broken
            self.opened.findings += window_findings(inputs, replace(seen, broken={}), where=listing.where)
        self.opened.examples += len(inputs)
        self.opened.broken += [Broken(self.domain, inputs.ids[row], reason) for row, reason in broken.items()]
        rows = np.array([row for row in range(len(inputs)) if row not in broken], dtype=np.int64)
        return (inputs, rows) if len(rows) == len(inputs) else (inputs.take(rows), rows)

    def _text_files(self, listing: Listing, ids: tuple[str, ...]) -> tuple[Inputs, Rows]:
        texts: dict[int, str] = {}
        for row, name in enumerate(listing.names):
            try:
                texts[row] = read_text_file(listing.root / name, self.encoding)
            except BrokenTextError as error:
                self.opened.broken.append(Broken(self.domain, ids[row], str(error)))
                self.opened.examples += 1
        inputs, rows = self._usable(texts_of(texts.values(), (ids[row] for row in texts)), listing)
        return inputs, np.array(list(texts), dtype=np.int64)[rows]

    def _windows(self, listing: Listing, ids: tuple[str, ...]) -> Inputs:
        samples = _array_of(listing, samples_from_array)
        return windows_from_samples(samples, ids=ids, origin=listing.given)

    def _image_files(self, listing: Listing, ids: tuple[str, ...]) -> tuple[Inputs, Rows]:
        inspections = inspect_files([os.path.join(listing.root, name) for name in listing.names])  # noqa: PTH118
        self.opened.examples += len(inspections)
        usable = np.array([row for row, seen in enumerate(inspections) if seen.broken is None], dtype=np.int64)
        for name, seen in zip(ids, inspections, strict=True):
            if seen.broken is not None:
                self.opened.broken.append(Broken(self.domain, name, seen.broken))
            else:
                self.opened.sizes.append((seen.width, seen.height))
                if seen.look is not None and is_looked_at(seen.digest, of=len(inspections)):
                    self.opened.looks[seen.digest] = seen.look
        digests = tuple(inspections[row].digest for row in usable.tolist())
        names = tuple(listing.names[row] for row in usable.tolist())
        return ImageFiles(str(listing.root), names, tuple(ids[row] for row in usable.tolist()), digests), usable

    def _image_array(self, listing: Listing, ids: tuple[str, ...]) -> Inputs:
        pixels = _array_of(listing, pixels_from_array)
        self.opened.sizes.append((pixels.shape[2], pixels.shape[1]))
        digests = array_digests(pixels)
        rows = [row for row, digest in enumerate(digests) if is_looked_at(digest, of=len(digests))]
        looks = array_looks(pixels[rows] if len(rows) < len(pixels) else pixels)
        self.opened.looks.update(zip((digests[row] for row in rows), looks, strict=True))
        return ImageArray(pixels, ids, digests)


def _array_of(listing: Listing, interpret: Callable[[NDArray[Any]], NDArray[Any]]) -> NDArray[Any]:
    place = f"{listing.where}: {listing.given}"
    try:
        return interpret(read_array(listing.path, str(listing.array)))
    except (BrokenImageError, BrokenWindowsError) as error:
        raise DataError(f"{place}: the array {listing.array!r} {error}.") from error
    except ArrayError as error:
        raise DataError(f"{place}: {error}") from error


def _pick(values: tuple[str, ...] | None, rows: Rows) -> tuple[str, ...] | None:
    return None if values is None else tuple(values[row] for row in rows.tolist())
