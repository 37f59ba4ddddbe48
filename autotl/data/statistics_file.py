"""The one file by which the statistics of a house leave it: what is in it, how it is written, read and added up.

It is a zip of a few members with fixed names. `statistics.json` describes them and holds the others' digests;
`learn.f64` and `held_out.f64` are the numbers themselves, little-endian 64-bit floats one after the other: the counts,
the sums row by row, the upper triangle of the products row by row. A reader takes them as bytes from a stranger: names
and sizes first, then digests, then whether such numbers can be statistics; nothing in the file can run.
"""

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from autotl.data.exported import FEWEST_EXAMPLES
from autotl.data.statistics import Statistics
from autotl.errors import in_one_line
from autotl.task import Task

ENDING = ".statistics.zip"
FORMAT = 1
DESCRIPTION, LEARN, HELD_OUT = "statistics.json", "learn.f64", "held_out.f64"
LARGEST_DESCRIPTION = 2**22  # bytes
WIDEST, MOST_CLASSES = 8192, 10_000  # features and classes of a file; 0.3 GB of products
WHEN = (1980, 1, 1, 0, 0, 0)  # of every member, so that equal statistics make equal files
ROUNDING = 1e-6  # relative, by which a sum of squares may lie below what the sums demand

Positive = Annotated[int, Field(gt=0)]
_UNREADABLE = (OSError, ValueError, KeyError, RuntimeError, EOFError, zipfile.BadZipFile, zlib.error)


class StatisticsError(Exception):
    """A file that holds no statistics, damaged ones, or some that cannot be used; completes the sentence 'FILE …'."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class FeaturesOf(_Strict):
    """What the meaning of a feature depends on. Statistics add up only where all of it agrees.

    Attributes:
        backbone: as a plan names it.
        reading: how examples are read and where features are taken, by names of a plan's fields; of signals `window`.
        width: how many features there are.
        fingerprint: of weights, graph and reading together.
    """

    modality: Literal["image", "text", "signal"]
    backbone: str | dict[str, Any]
    reading: dict[str, Any]
    width: Annotated[int, Field(gt=0, le=WIDEST)]
    fingerprint: Annotated[str, Field(min_length=1)]

    @property
    def words(self) -> str:
        """In a line."""
        read = ", ".join(f"{name} {value}" for name, value in self.reading.items())
        backbone = self.backbone if isinstance(self.backbone, str) else json.dumps(self.backbone)
        return f"{self.width:,} features of {backbone} ({read})"


class NoiseTold(_Strict):
    """The guarantee that noise gives to each example of a house, under adding or removing it."""

    epsilon: Annotated[float, Field(gt=0)]
    delta: Annotated[float, Field(gt=0, lt=1)]
    clip: Annotated[float, Field(gt=0)]
    deviation: Annotated[float, Field(gt=0)]  # of the noise on counts; times clip on sums, times its square on products
    mechanism: Literal["analytic gaussian"] = "analytic gaussian"
    neighbours: Literal["one example added or removed"] = "one example added or removed"


class Measured(_Strict):
    """What a head made from the examples of `learn` reads right of those held out, counted at the house itself."""

    head: Literal["lda"] = "lda"
    shrinkage: Annotated[float, Field(ge=0)]
    accuracy: Annotated[float, Field(ge=0, le=1)]
    examples: Positive


class Site(_Strict):
    """One house.

    Attributes:
        examples: how many of its examples the file tells of; with noise, by the noised counts.
        digest: of its own numbers, so that no house is added twice.
        noise, measured: None where there is none.
    """

    name: Annotated[str, Field(min_length=1, max_length=64)]
    examples: Annotated[int, Field(ge=0)]
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    noise: NoiseTold | None = None
    measured: Measured | None = None


class Described(_Strict):
    """What `statistics.json` says: nothing unknown, nothing converted."""

    format: Literal[1]
    features: FeaturesOf
    classes: Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=2, max_length=MOST_CLASSES)]
    sites: Annotated[tuple[Site, ...], Field(min_length=1)]
    versions: dict[str, str]
    files: dict[str, str]

    @model_validator(mode="after")
    def _agrees(self) -> "Described":
        if len(set(self.classes)) < len(self.classes):
            raise ValueError("its classes are not distinct")
        if len({site.digest for site in self.sites}) < len(self.sites):
            raise ValueError("it counts a house twice")
        if LEARN not in self.files or set(self.files) - {LEARN, HELD_OUT}:
            raise ValueError("it does not name the members that it comes with")
        return self


@dataclass(frozen=True, eq=False)
class StatisticsFile:
    """A checked file, or one that is about to be written.

    Attributes:
        learn: of the examples to learn from.
        held_out: of others, which nothing is learnt from: they tell how well a head does on the source. None where a
            class had too few examples to be told of twice.
    """

    features: FeaturesOf
    classes: tuple[str, ...]
    sites: tuple[Site, ...]
    learn: Statistics
    held_out: Statistics | None
    versions: Mapping[str, str]

    @property
    def digest(self) -> str:
        """SHA-256 of all that it says, numbers included, hexadecimal."""
        described = _described(self)
        return hashlib.sha256(described.model_dump_json().encode()).hexdigest()

    @property
    def is_noised(self) -> bool:
        """Whether noise was added at some house."""
        return any(site.noise is not None for site in self.sites)

    @property
    def whole(self) -> Statistics:
        """Of all examples, held out or not."""
        return self.learn if self.held_out is None else self.learn + self.held_out


@dataclass(frozen=True, eq=False)
class StatisticsSource:
    """A source of which only statistics are here, in the order of a task's classes.

    Attributes:
        name: of the domain.
    """

    name: str
    file: StatisticsFile
    learn: Statistics
    held_out: Statistics | None

    @classmethod
    def of(cls, name: str, file: StatisticsFile, classes: Sequence[str]) -> "StatisticsSource":
        """The file's, for a task with these classes.

        Examples of other classes stay in the products, from which nothing can take them out, so
        `data.domains` refuses a task that leaves a class of the file out.
        """
        places = [file.classes.index(each) if each in file.classes else None for each in classes]
        held_out = None if file.held_out is None else file.held_out.of_classes(places)
        return cls(name, file, file.learn.of_classes(places), held_out)


def statistics_of_task(task: Task) -> tuple[tuple[str, StatisticsFile], ...]:
    """The sources of a task of which only statistics are here, by name.

    Raises:
        StatisticsError: one cannot be read.
    """
    return tuple(
        (source.name or "source", read_statistics(task.resolve(source.statistics)))
        for source in task.data.source
        if source.statistics is not None
    )


def write_statistics(path: Path, file: StatisticsFile) -> StatisticsFile:
    """Writes a file whole, reads it again, and gives what was read.

    Raises:
        StatisticsError: it is none that may be written.
        OSError: it cannot be written.
    """
    content = _zipped(file)
    _parsed(content)  # the same checks as at the other house, before anything lies there
    partial = path.with_name(f".{path.name}.partial")
    partial.write_bytes(content)
    partial.replace(path)
    return read_statistics(path)


def read_statistics(path: Path) -> StatisticsFile:
    """The statistics in a file.

    Raises:
        StatisticsError: it holds none, is damaged, or was written by another version.
    """
    try:
        facts = path.stat()
    except OSError as error:
        raise StatisticsError(f"cannot be read ({error.strerror}).") from error
    return _read(path, facts.st_mtime_ns, facts.st_size)


def added(files: Sequence[tuple[str, StatisticsFile]]) -> StatisticsFile:
    """Several files as one, of which nothing tells any more what came from which house but their sizes.

    Args:
        files: each with what it is called in a message; at least one.
    Raises:
        StatisticsError: their features or classes differ, or a house is in two of them.
    """
    (_, first), *others = files
    seen = {site.digest: name for name, file in files[:1] for site in file.sites}
    total = first
    for name, file in others:
        _refuse_unlike(total, file, name)
        twice = next((site for site in file.sites if site.digest in seen), None)
        if twice is not None:
            raise StatisticsError(f"{name} holds the house {twice.name!r}, which {seen[twice.digest]} holds already.")
        seen |= {site.digest: name for site in file.sites}
        places = [file.classes.index(each) for each in total.classes]
        held_out = None if file.held_out is None else file.held_out.of_classes(places)
        both = [each for each in (total.held_out, held_out) if each is not None]
        total = replace(
            total,
            sites=(*total.sites, *file.sites),
            learn=total.learn + file.learn.of_classes(places),
            held_out=both[0] + both[1] if len(both) == 2 else next(iter(both), None),
        )
    return total


def _refuse_unlike(total: StatisticsFile, file: StatisticsFile, name: str) -> None:
    if file.features.fingerprint != total.features.fingerprint:
        ours, theirs = total.features.words, file.features.words
        seen = f"holds {theirs}, and the first file {ours}" if ours != theirs else "was made with other weights"
        raise StatisticsError(f"{name} cannot be added: it {seen}. Features must mean the same at every house.")
    if set(file.classes) != set(total.classes):
        differing = sorted(set(file.classes) ^ set(total.classes))
        words = f"{', '.join(map(repr, differing[:5]))} {'is' if len(differing) == 1 else 'are'} in one of them only"
        raise StatisticsError(f"{name} cannot be added: the classes differ: {words}.")


def refuse_few(classes: Sequence[str], statistics: Statistics) -> None:
    """Raises a StatisticsError where a class has so few examples that its sum would nearly be one."""
    few = [
        f"{name!r} has {max(count, 0):.0f}"
        for name, count in zip(classes, statistics.counts.tolist(), strict=True)
        if count < FEWEST_EXAMPLES
    ]
    if few:
        raise StatisticsError(
            f"would tell of fewer than {FEWEST_EXAMPLES} examples of a class, which is nearly an example: "
            f"{', '.join(few[:5])}{' …' if len(few) > 5 else ''}."
        )


@lru_cache(maxsize=8)
def _read(path: Path, modified: int, size: int) -> StatisticsFile:  # noqa: ARG001 - a changed file is read anew
    try:
        content = path.read_bytes()
    except OSError as error:
        raise StatisticsError(f"cannot be read ({error.strerror}).") from error
    return _parsed(content)


def _parsed(content: bytes) -> StatisticsFile:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            described = _description(archive)
            raw = {name: _member(archive, name, described) for name in described.files}
    except _UNREADABLE as error:
        words = f"holds no statistics ({in_one_line(error)}). `autotl statistics DATA --out FILE{ENDING}` writes some."
        raise StatisticsError(words) from error
    blocks = {name: _numbers(numbers, described, name) for name, numbers in raw.items()}
    file = StatisticsFile(
        described.features,
        described.classes,
        described.sites,
        blocks[LEARN],
        blocks.get(HELD_OUT),
        described.versions,
    )
    for name, block in blocks.items():
        _check_numbers(file, block, name)
    return file


def _description(archive: zipfile.ZipFile) -> Described:
    members = archive.infolist()
    names = [member.filename for member in members]
    strangers = sorted(set(names) - {DESCRIPTION, LEARN, HELD_OUT})
    if strangers or len(names) != len(set(names)) or not {DESCRIPTION, LEARN} <= set(names):
        seen = f"it holds {strangers[0]!r}" if strangers else f"it holds {', '.join(names) or 'nothing'}"
        raise StatisticsError(f"holds no statistics: {seen}.")
    if archive.getinfo(DESCRIPTION).file_size > LARGEST_DESCRIPTION:
        raise StatisticsError("holds no statistics: its description would be too large unpacked.")
    written = archive.read(DESCRIPTION)
    try:
        raw = json.loads(written)
    except (ValueError, RecursionError) as error:
        raise StatisticsError(f"is damaged: {DESCRIPTION} in it is not JSON ({in_one_line(error)}).") from error
    if isinstance(raw, dict) and raw.get("format") != FORMAT:
        raise StatisticsError(f"was written in format {raw.get('format')!r}; this version of autotl reads {FORMAT}.")
    try:
        described = Described.model_validate_json(written)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise StatisticsError(f"is damaged: {DESCRIPTION}{f': {place}' if place else ''}: {first['msg']}.") from error
    if set(names) != {DESCRIPTION, *described.files}:
        raise StatisticsError("is damaged: it holds a member that no digest vouches for, or lacks one.")
    return described


def _member(archive: zipfile.ZipFile, name: str, described: Described) -> bytes:
    """The bytes of a member, of exactly the size that classes and width demand."""
    expected = 8 * sum(_lengths(described))
    if archive.getinfo(name).file_size != expected:  # before it is unpacked, so that nothing can grow
        raise StatisticsError(f"is damaged: {name} in it is not {expected:,} bytes long.")
    numbers = archive.read(name)
    if hashlib.sha256(numbers).hexdigest() != described.files[name]:
        raise StatisticsError(f"is damaged: {name} in it is not the one that was written.")
    return numbers


def _lengths(described: Described) -> tuple[int, int, int]:
    """How many numbers the counts, the sums and the products are."""
    classes, width = len(described.classes), described.features.width
    return classes, classes * width, width * (width + 1) // 2


def _numbers(raw: bytes, described: Described, name: str) -> Statistics:
    classes, width = len(described.classes), described.features.width
    values = np.frombuffer(raw, dtype="<f8").astype(np.float64)
    if not np.isfinite(values).all():
        raise StatisticsError(f"is damaged: {name} in it holds what is no number.")
    counts, sums, upper = np.split(values, np.cumsum(_lengths(described))[:2])
    products = np.zeros((width, width))
    products[np.triu_indices(width)] = upper
    return Statistics(counts, sums.reshape(classes, width), products + np.triu(products, 1).T)


def _check_numbers(file: StatisticsFile, block: Statistics, name: str) -> None:
    """Refuses numbers that no examples can have, and those of too few examples."""
    try:
        refuse_few(file.classes, block)
    except StatisticsError as error:
        raise StatisticsError(f"{error}".replace("would tell", "tells", 1)) from error
    if file.is_noised:
        return
    needed = (block.sums**2 / block.counts[:, None]).sum(axis=0)  # Cauchy and Schwarz: no sum of squares is smaller
    if (block.counts != np.rint(block.counts)).any() or (np.diag(block.products) < needed * (1 - ROUNDING)).any():
        raise StatisticsError(f"is damaged: {name} in it holds numbers that no examples can have.")


def block_bytes(statistics: Statistics) -> bytes:
    """The numbers as they are written."""
    upper = statistics.products[np.triu_indices(statistics.width)]
    return np.concatenate([statistics.counts, statistics.sums.ravel(), upper]).astype("<f8").tobytes()


def _members(file: StatisticsFile) -> Iterator[tuple[str, bytes]]:
    yield LEARN, block_bytes(file.learn)
    if file.held_out is not None:
        yield HELD_OUT, block_bytes(file.held_out)


def _described(file: StatisticsFile) -> Described:
    return Described(
        format=1,
        features=file.features,
        classes=file.classes,
        sites=file.sites,
        versions=dict(file.versions),
        files={name: hashlib.sha256(numbers).hexdigest() for name, numbers in _members(file)},
    )


def _zipped(file: StatisticsFile) -> bytes:
    try:
        described = _described(file)
    except ValidationError as error:
        raise StatisticsError(f"would be damaged: {error.errors()[0]['msg']}.") from error
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        members = [(DESCRIPTION, described.model_dump_json(indent=1).encode()), *_members(file)]
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name, WHEN), content, compress_type=zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
