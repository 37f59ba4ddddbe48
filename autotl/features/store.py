"""Activations on disk: each block computed once, whoever asks, and checked whenever it is opened.

A block is a folder of `.npy` files (one a tensor) and a sidecar with shapes, types and checksums. It appears under its
final name by one rename and goes by another, so a reader sees all of it or nothing. Blocks are named by what they hold
(see `extraction.block_key`), so the folder may be shared by runs, tasks and processes, and may be deleted at any time.
Who computes a block holds its file lock, which the operating system takes back when the process dies.
"""

import contextlib
import errno
import io
import json
import logging
import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import xxhash
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from autotl.errors import StorageError

Tensors = list[NDArray[Any]]
Precision = Literal["float16", "float32"]

SIDECAR = "block.json"
FORMAT = 1
LARGEST_FLOAT16 = 3e4  # beyond it float16 has lost too much, or is infinite
LARGEST_RELATIVE_ERROR = 2e-3  # of a tensor, against its largest magnitude
SHARE_OF_FREE_DISK = 0.25
SHARE_OF_ONE_SET = 1 / 4  # of the limit: a plan whose cut would take more is cut elsewhere, or not stored
SHARE_ON_THE_WAY = 1 / 16  # of the limit that a set may take that nobody has asked for yet
LARGEST_DEFAULT_LIMIT = 50 << 30
TROUBLE = "the feature store"  # how each of its errors begins
BLOCKS_BETWEEN_COUNTS = 64  # other processes write too, so what is used is counted again now and then

_log = logging.getLogger(__name__)


class BrokenBlockError(Exception):
    """A block on disk is not what its sidecar says."""


class OtherVersionError(Exception):
    """A block on disk was written by a version of autotl that keeps blocks in another way."""


@dataclass(frozen=True)
class Claim:
    """The right to compute a block, which no other process has meanwhile. To be released, kept or not."""

    key: str
    _lock: FileLock

    def release(self) -> None:
        """Lets others have it."""
        self._lock.release()


@dataclass
class FeatureStore:
    """A folder of blocks with a size limit; the least recently used blocks go first.

    Args:
        folder: where blocks are kept; created when missing.
        limit_bytes: most that the blocks may take together.
        precision: how floating tensors are kept. `float32` is exact. `float16` halves the disk at a relative error of
            up to 6e-4 in features and 3e-3 in first-step gradients (measured on EfficientNet-Lite0 and a small
            network), and falls back to float32 for a tensor that it cannot hold; other types are kept as they are. A
            folder holds blocks of one precision only.
    """

    folder: Path
    limit_bytes: int
    precision: Precision = "float32"
    computed_blocks: int = field(default=0, init=False)  # by this process, for tests and for the report
    _verified: set[str] = field(default_factory=set, init=False, repr=False)
    _used_bytes: int | None = field(default=None, init=False, repr=False)  # as last counted, and written since
    _written_since: int = field(default=0, init=False, repr=False)
    _told_of_other_version: bool = field(default=False, init=False, repr=False)

    def __post_init__(self) -> None:
        try:
            (self.folder / "locks").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"{TROUBLE} {self.folder} cannot be created: {error.strerror}") from error

    def find(self, key: str) -> Tensors | None:
        """The block where it is on disk and whole, else None. A damaged block is said so."""
        folder = self._folder_of(key)
        try:
            tensors = _open(folder, verify=key not in self._verified)
        except FileNotFoundError:
            return None
        except OtherVersionError:
            self._tell_of_other_version()
            return None
        except BrokenBlockError as broken:
            _log.warning("feature block %s is damaged (%s): it is computed again", key, broken)
            self._verified.discard(key)  # removed when it is written anew, under the lock
            return None
        self._verified.add(key)
        _touch(folder / SIDECAR)
        return tensors

    def is_stored(self, key: str) -> bool:
        """Whether there is such a block; it has not been looked into."""
        return (self._folder_of(key) / SIDECAR).exists()

    def claim(self, key: str) -> Claim | None:
        """The right to compute a block; None where another process has it. See whether it is stored by now."""
        lock = FileLock(self.folder / "locks" / f"{key}.lock", timeout=0)
        try:
            lock.acquire()
        except Timeout:
            return None
        except OSError as error:
            raise StorageError(f"{TROUBLE} {self.folder} cannot be written: {error.strerror}") from error
        return Claim(key, lock)

    def keep(self, claim: Claim, tensors: Sequence[NDArray[Any]]) -> Tensors:
        """Stores what was computed under a claim and gives it back as it is read from now on.

        Raises:
            StorageError: it cannot be written, also not after making room at the cost of older blocks.
        """
        key, narrow = claim.key, [narrowed(tensor, self.precision) for tensor in tensors]
        needed = sum(tensor.nbytes for tensor in narrow)
        try:
            self._write_making_room(key, narrow, needed)
        except OSError as error:
            raise StorageError(
                f"{TROUBLE} {self.folder} could not take a block of {needed:,} bytes: "
                f"{error.strerror or error}. Free some disk, or point AUTOTL_CACHE_DIR to a larger one."
            ) from error
        self.computed_blocks += 1
        self._evict(keep=key, written=needed)
        return self.find(key) or narrow  # another process may have made room at its cost already

    def bytes_used(self) -> int:
        """Disk taken by all blocks."""
        return sum(size for _, size, _ in self._blocks())

    def _write_making_room(self, key: str, tensors: Sequence[NDArray[Any]], needed: int) -> None:
        try:
            self._write(key, tensors)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT) or not self._make_room(needed):
                raise
            self._write(key, tensors)

    def _write(self, key: str, tensors: Sequence[NDArray[Any]]) -> None:
        final = self._folder_of(key)
        unfinished = final.with_name(f".{key}.{os.getpid()}")
        try:
            for left_behind in final.parent.glob(f".{key}.*"):  # by a process that was killed while it wrote
                shutil.rmtree(left_behind, ignore_errors=True)
            unfinished.mkdir(parents=True)
            entries = []
            for index, tensor in enumerate(tensors):
                path = unfinished / f"{index}.npy"
                checksum = _save(path, tensor)
                entries.append({"shape": list(tensor.shape), "dtype": str(tensor.dtype), "xxh3": checksum})
            content = {"format": FORMAT, "key": key, "tensors": entries}
            (unfinished / SIDECAR).write_text(json.dumps({**content, "xxh3": _checksum_of_json(content)}))
            self._remove(final)  # what is left of a block that lost a file
            unfinished.rename(final)
        except OSError:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise

    def _make_room(self, needed: int) -> bool:
        """Gives up the least recently used blocks for as many bytes; False where there are none left."""
        freed = 0
        for folder, size, _ in sorted(self._blocks(), key=lambda block: block[2]):
            if freed >= 2 * needed:
                break
            self._remove(folder)
            freed += size
        self._used_bytes = None
        if freed:
            _log.warning("the disk of the feature store %s is full: %s bytes of it are given up", self.folder, freed)
        return freed > 0

    def _evict(self, *, keep: str, written: int) -> None:
        self._written_since += 1
        if self._used_bytes is not None:
            self._used_bytes += written
            if self._used_bytes <= self.limit_bytes and self._written_since < BLOCKS_BETWEEN_COUNTS:
                return
        blocks = sorted(self._blocks(), key=lambda block: block[2])
        used = sum(size for _, size, _ in blocks)
        for folder, size, _ in blocks:
            if used <= self.limit_bytes:
                break
            if folder.name != keep:
                self._remove(folder)  # whoever has it mapped keeps reading: the file lives on
                used -= size
        self._used_bytes, self._written_since = used, 0

    def _remove(self, folder: Path) -> None:
        """Takes a block away at once, so that nobody finds half of it; two processes may try."""
        self._verified.discard(folder.name)
        going = folder.with_name(f".{folder.name}.going.{os.getpid()}")
        with contextlib.suppress(OSError):
            folder.rename(going)
            shutil.rmtree(going, ignore_errors=True)

    def _tell_of_other_version(self) -> None:
        if not self._told_of_other_version:
            self._told_of_other_version = True
            _log.warning(
                "the feature store %s holds blocks of another version of autotl: they are not read, and make room when "
                "it is needed",
                self.folder,
            )

    def _blocks(self) -> list[tuple[Path, int, float]]:
        """(folder, bytes, time of last use) of every block."""
        blocks = []
        for sidecar in self.folder.glob(f"??/*/{SIDECAR}"):
            try:
                size = sum(file.stat().st_size for file in sidecar.parent.iterdir())
                blocks.append((sidecar.parent, size, sidecar.stat().st_mtime))
            except FileNotFoundError:
                continue  # evicted by another process meanwhile
        return blocks

    def _folder_of(self, key: str) -> Path:
        return self.folder / key[:2] / key


def default_limit_bytes(folder: Path) -> int:
    """A quarter of the disk that is free, or would be without this store; at most 50 GiB."""
    existing = next(parent for parent in [folder, *folder.parents] if parent.exists())
    free = shutil.disk_usage(existing).free
    taken = FeatureStore(folder, limit_bytes=0).bytes_used() if folder.exists() else 0
    return min(LARGEST_DEFAULT_LIMIT, int((free + taken) * SHARE_OF_FREE_DISK))


def narrowed(tensor: NDArray[Any], precision: Precision) -> NDArray[Any]:
    """The tensor as the store keeps it: float16 where that is asked for and loses next to nothing, else unchanged."""
    if precision == "float32" or not np.issubdtype(tensor.dtype, np.floating) or tensor.size == 0:
        return tensor
    largest = float(np.max(np.abs(tensor)))
    if not largest <= LARGEST_FLOAT16:  # also when not a number
        return tensor
    half = tensor.astype(np.float16)
    error = float(np.max(np.abs(half.astype(np.float32) - tensor)))
    return half if error <= LARGEST_RELATIVE_ERROR * max(largest, 1e-30) else tensor


def _open(folder: Path, *, verify: bool) -> Tensors:
    entries = _read_sidecar(folder)
    tensors: Tensors = []
    for index, entry in enumerate(entries):
        path = folder / f"{index}.npy"
        if verify and _checksum_of_file(path) != entry["xxh3"]:
            raise BrokenBlockError(f"checksum of {path.name} differs")
        try:
            tensor = _mapped(path)
        except ValueError as error:
            raise BrokenBlockError(f"{path.name}: {error}") from error
        if list(tensor.shape) != entry["shape"] or str(tensor.dtype) != entry["dtype"]:
            raise BrokenBlockError(f"{path.name} has another shape or type than its sidecar says")
        tensors.append(tensor)
    return tensors


def _save(path: Path, tensor: NDArray[Any]) -> str:
    """Writes a `.npy` file and gives its checksum. `np.save` says nothing where a full disk cuts a short file off."""
    beginning = io.BytesIO()
    whole = np.ascontiguousarray(tensor)
    np.lib.format.write_array_header_1_0(beginning, np.lib.format.header_data_from_array_1_0(whole))
    digest = xxhash.xxh3_128()
    with path.open("wb") as file:
        for part in (beginning.getvalue(), whole.reshape(-1).view(np.uint8).data):
            file.write(part)
            digest.update(part)
    return digest.hexdigest()


def _mapped(path: Path) -> NDArray[Any]:
    """A file as a memory map; each is an open file, of which a process may have more than it begins with."""
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except OSError as error:
        if error.errno != errno.EMFILE:
            raise
        import resource  # not on every system, nor is the error

        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        return np.load(path, mmap_mode="r", allow_pickle=False)


def _read_sidecar(folder: Path) -> list[dict[str, Any]]:
    text = (folder / SIDECAR).read_bytes()
    try:
        content = json.loads(text)
        if content["format"] != FORMAT:
            raise OtherVersionError
        checksum = content.pop("xxh3")
        if checksum != _checksum_of_json(content) or content["key"] != folder.name:
            raise BrokenBlockError("the sidecar is not the one that was written")
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise BrokenBlockError("the sidecar cannot be read") from error
    entries: list[dict[str, Any]] = content["tensors"]
    return entries


def _checksum_of_file(path: Path) -> str:
    digest = xxhash.xxh3_128()
    with path.open("rb") as file:
        while chunk := file.read(1 << 22):
            digest.update(chunk)
    return digest.hexdigest()


def _checksum_of_json(content: dict[str, Any]) -> str:
    return xxhash.xxh3_128_hexdigest(json.dumps(content, sort_keys=True).encode())


def _touch(path: Path) -> None:
    try:
        os.utime(path, (time.time(), time.time()))
    except OSError:
        _log.debug("could not mark %s as used", path)
