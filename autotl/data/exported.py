"""What may leave the house of a source: one file with its model and what is known of its data, and no example.

The file is a zip of a few members with fixed names. `source.json` describes it and holds the others' digests;
`statistics.json` the mean and deviation of the features that the model's head reads; `network.keras` the model;
`tokenizer.json` the tokenizer of a language network. `autotl.production.source_export` writes it; here it is read
again, as bytes from a stranger: names and sizes first, then digests, and nothing in it can run.
"""

import hashlib
import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from autotl.data.file_digest import sha256_of
from autotl.errors import in_one_line
from autotl.task import Task

ENDING = ".source.zip"
FORMAT = 1
DESCRIPTION, STATISTICS, NETWORK, TOKENIZER = "source.json", "statistics.json", "network.keras", "tokenizer.json"
LARGEST: Mapping[str, int] = {DESCRIPTION: 2**22, STATISTICS: 2**24, NETWORK: 10 * 2**30, TOKENIZER: 100 * 2**20}
INFLATION = 4  # weights hardly compress; a file that grows more than this is a bomb
SPARED = 2**22  # bytes that small texts may grow to whatever the file's size
FEWEST_EXAMPLES = 10  # a statistic over fewer would be an example

Positive = Annotated[int, Field(gt=0)]
_UNREADABLE = (OSError, ValueError, KeyError, RuntimeError, EOFError, zipfile.BadZipFile, zlib.error)


class ExportedError(Exception):
    """A file that is no exported source, or a damaged one; completes the sentence 'FILE …'."""


class Description(BaseModel):
    """What `source.json` says: nothing unknown, nothing converted.

    Attributes:
        class_counts: labelled examples that the model was trained on, by class in the order of its outputs.
        preprocessing: how examples are read, as in a bundle.
        image_size, sequence_length: of the form that the network is fixed to; None where it has none.
        hidden_units: of the head's hidden layer; None for a linear head.
        layers: how many layers of the network can be unfrozen.
        temperature: what logits are divided by to be calibrated on the source.
        scores: of the model on labelled examples that it was not trained on, by metric.
        plan: how it was trained.
        files: SHA-256 of the other members.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    format: Literal[1]
    task: str
    modality: Literal["image", "text", "table", "signal"]
    classes: Annotated[tuple[str, ...], Field(min_length=2)]
    class_counts: tuple[Annotated[int, Field(ge=0)], ...]
    preprocessing: dict[str, Any]
    image_size: Positive | None
    sequence_length: Positive | None
    hidden_units: Positive | None
    feature_width: Positive
    layers: Annotated[int, Field(ge=0)]
    temperature: Annotated[float, Field(gt=0)]
    metric: str
    scores: dict[str, float]
    plan: dict[str, Any]
    versions: dict[str, str]
    files: dict[str, str]

    @model_validator(mode="after")
    def _agrees(self) -> "Description":
        if len(set(self.classes)) < len(self.classes) or len(self.class_counts) != len(self.classes):
            raise ValueError("its classes are not distinct, or not one count each")
        if sum(self.class_counts) < FEWEST_EXAMPLES:
            raise ValueError(f"its model was trained on fewer than {FEWEST_EXAMPLES} examples")
        if {STATISTICS, NETWORK} - set(self.files) or set(self.files) - {STATISTICS, NETWORK, TOKENIZER}:
            raise ValueError("it does not name the members that it comes with")
        return self


@dataclass(frozen=True, eq=False)
class FeatureStatistics:
    """Of the features that a head reads, over the examples that it was trained on.

    Attributes:
        mean, deviation: (d,); the deviation is divided by the count.
        count: how many examples they are over.
    """

    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]
    count: int

    @classmethod
    def of(cls, features: NDArray[np.floating]) -> "FeatureStatistics":
        """Of rows (n, d).

        Raises:
            ExportedError: fewer than 10 rows.
        """
        if len(features) < FEWEST_EXAMPLES:
            raise ExportedError(
                f"would hold a statistic over {len(features)} examples, and over fewer than {FEWEST_EXAMPLES} it would "
                "be an example."
            )
        exact = features.astype(np.float64)
        return cls(exact.mean(axis=0), exact.std(axis=0), len(features))

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"count": self.count, "mean": self.mean.tolist(), "deviation": self.deviation.tolist()}

    @classmethod
    def from_dict(cls, content: Any, *, width: int) -> "FeatureStatistics":
        """What `as_dict` wrote.

        Raises:
            ExportedError: it is none, or over fewer than 10 examples.
        """
        try:
            if set(content) != {"count", "mean", "deviation"}:
                raise ValueError("other keys than count, mean, deviation")
            mean, deviation = (np.array(content[name], dtype=np.float64) for name in ("mean", "deviation"))
            count = content["count"]
            if mean.shape != (width,) or deviation.shape != (width,) or not isinstance(count, int):
                raise ValueError("other shapes than the network's features have")
            if not np.isfinite([mean, deviation]).all() or (deviation < 0).any():
                raise ValueError("numbers that no statistic can have")
        except (TypeError, ValueError, KeyError) as error:
            raise ExportedError(f"is damaged: its {STATISTICS} makes no sense: {error}.") from error
        if count < FEWEST_EXAMPLES:
            raise ExportedError(
                f"holds a statistic over {count} examples: over fewer than {FEWEST_EXAMPLES} it would be an example."
            )
        return cls(mean, deviation, count)


@dataclass(frozen=True, eq=False)
class ExportedSource:
    """A checked file. Two with equal `digest` are the same file.

    Attributes:
        digest: SHA-256 of the whole file, hexadecimal.
    """

    path: Path
    digest: str
    description: Description
    statistics: FeatureStatistics

    @property
    def classes(self) -> tuple[str, ...]:
        """Names in the order of the model's outputs."""
        return self.description.classes

    @property
    def prior(self) -> NDArray[np.float64]:
        """(classes,) shares of the classes among the examples that the model was trained on."""
        counts = np.array(self.description.class_counts, dtype=np.float64)
        return counts / counts.sum()

    def member(self, name: str) -> bytes:
        """The content of a member, checked against its digest.

        Raises:
            ExportedError: the file has changed since it was checked.
        """
        try:
            with zipfile.ZipFile(self.path) as archive:
                content = archive.read(name)
        except _UNREADABLE as error:
            raise ExportedError(f"cannot be read any more ({in_one_line(error)}).") from error
        if hashlib.sha256(content).hexdigest() != self.description.files.get(name):
            raise ExportedError(f"has changed since it was checked: {name} is another one.")
        return content


def read_exported(path: Path) -> ExportedSource:
    """The exported source in a file; imports no Keras.

    Raises:
        ExportedError: it is none, is damaged, or was written by another version.
    """
    try:
        facts = path.stat()
    except OSError as error:
        raise ExportedError(f"cannot be read ({error.strerror}).") from error
    return _read(path, facts.st_mtime_ns, facts.st_size)


def exported_of(task: Task) -> ExportedSource | None:
    """The exported source of a task; None where it has none.

    Raises:
        ExportedError: it cannot be read.
    """
    source = next((source for source in task.data.source if source.exported is not None), None)
    return None if source is None else read_exported(task.resolve(str(source.exported)))


@lru_cache(maxsize=8)
def _read(path: Path, modified: int, size: int) -> ExportedSource:  # noqa: ARG001 - a changed file is read anew
    try:
        with zipfile.ZipFile(path) as archive:
            _check_members(archive, size)
            contents = {name: archive.read(name) for name in archive.namelist()}
    except _UNREADABLE as error:
        raise ExportedError(
            f"is no exported source ({in_one_line(error)}). `autotl export-source RUN --out FILE{ENDING}` writes one."
        ) from error
    description = _description(contents[DESCRIPTION])
    for name, digest in description.files.items():
        if name not in contents or hashlib.sha256(contents[name]).hexdigest() != digest:
            raise ExportedError(f"is damaged: {name} in it is missing or not the one that was written.")
    if set(contents) != {DESCRIPTION, *description.files}:
        raise ExportedError("is damaged: it holds a member that no digest vouches for.")
    statistics = FeatureStatistics.from_dict(_json(contents, STATISTICS), width=description.feature_width)
    return ExportedSource(path, sha256_of(path), description, statistics)


def _check_members(archive: zipfile.ZipFile, size: int) -> None:
    """Refuses what is not a plain, small enough member with one of our names."""
    members = archive.infolist()
    names = [member.filename for member in members]
    strangers = sorted(set(names) - set(LARGEST))
    if strangers or len(names) != len(set(names)) or not {DESCRIPTION, STATISTICS, NETWORK} <= set(names):
        seen = f"it holds {strangers[0]!r}" if strangers else f"it holds {', '.join(names) or 'nothing'}"
        raise ExportedError(f"is no exported source: {seen}.")
    if any(member.file_size > LARGEST[member.filename] for member in members):
        raise ExportedError("is no exported source: one of its members would be too large unpacked.")
    if sum(member.file_size for member in members) > INFLATION * size + SPARED:
        raise ExportedError("is no exported source: unpacked it would be many times as large.")


def _description(content: bytes) -> Description:
    raw = _json({DESCRIPTION: content}, DESCRIPTION)
    if isinstance(raw, dict) and raw.get("format") != FORMAT:
        raise ExportedError(f"was written in format {raw.get('format')!r}; this version of autotl reads {FORMAT}.")
    try:
        return Description.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise ExportedError(f"is damaged: {DESCRIPTION}{f': {place}' if place else ''}: {first['msg']}.") from error


def _json(contents: Mapping[str, bytes], name: str) -> Any:
    def refuse(constant: str) -> float:
        raise ValueError(f"{constant} is no number")

    try:
        return json.loads(contents[name], parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise ExportedError(f"is damaged: {name} in it is not JSON ({in_one_line(error)}).") from error
