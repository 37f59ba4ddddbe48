"""Activations on disk: each block computed once, whoever asks, and checked whenever it is opened.

A block is a folder of `.npy` files (one a tensor) and a sidecar with shapes, types and checksums. It appears under its
final name by one rename, so a reader sees all of it or nothing. Blocks are named by what they hold (see
`extraction.block_key`), so the folder may be shared by runs, tasks and processes, and may be deleted at any time.
"""

import json
import logging
import os
import shutil
import time
from collections.abc import Callable, Sequence
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
LARGEST_DEFAULT_LIMIT = 50 << 30

_log = logging.getLogger(__name__)


class BrokenBlockError(Exception):
    """A block on disk is not what its sidecar says."""


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

    def __post_init__(self) -> None:
        try:
            (self.folder / "locks").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"the feature store {self.folder} cannot be created: {error.strerror}") from error

    def block(self, key: str, compute: Callable[[], Tensors]) -> Tensors:
        """The tensors of a block as read-only memory maps; computed under a lock when no process has yet done so."""
        found = self.find(key)
        if found is not None:
            return found
        with self._lock(key):
            return self._find_or_make(key, compute)

    def block_unless_busy(self, key: str, compute: Callable[[], Tensors]) -> Tensors | None:
        """Like `block`, but None at once where another process is computing it, so that workers share the work."""
        found = self.find(key)
        if found is not None:
            return found
        try:
            with self._lock(key, timeout=0):
                return self._find_or_make(key, compute)
        except Timeout:
            return None

    def find(self, key: str) -> Tensors | None:
        """The block where it is on disk and whole, else None. A damaged block is said so."""
        folder = self._folder_of(key)
        try:
            tensors = _open(folder, verify=key not in self._verified)
        except FileNotFoundError:
            return None
        except BrokenBlockError as broken:
            _log.warning("feature block %s is damaged (%s): it is computed again", key, broken)
            self._verified.discard(key)  # removed when it is written anew, under the lock
            return None
        self._verified.add(key)
        _touch(folder / SIDECAR)
        return tensors

    def bytes_used(self) -> int:
        """Disk taken by all blocks."""
        return sum(size for _, size, _ in self._blocks())

    def _find_or_make(self, key: str, compute: Callable[[], Tensors]) -> Tensors:
        found = self.find(key)  # another process may have been faster
        if found is not None:
            return found
        tensors = [narrowed(tensor, self.precision) for tensor in compute()]
        self._write(key, tensors)
        self.computed_blocks += 1
        self._evict(keep=key)
        return self.find(key) or tensors  # another process may have made room at its cost already

    def _write(self, key: str, tensors: Sequence[NDArray[Any]]) -> None:
        final = self._folder_of(key)
        unfinished = final.with_name(f".{key}.{os.getpid()}")
        try:
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir(parents=True)
            entries = []
            for index, tensor in enumerate(tensors):
                path = unfinished / f"{index}.npy"
                np.save(path, tensor, allow_pickle=False)
                entries.append(
                    {"shape": list(tensor.shape), "dtype": str(tensor.dtype), "xxh3": _checksum_of_file(path)}
                )
            content = {"format": FORMAT, "key": key, "tensors": entries}
            (unfinished / SIDECAR).write_text(json.dumps({**content, "xxh3": _checksum_of_json(content)}))
            shutil.rmtree(final, ignore_errors=True)  # what is left of a block that lost a file
            unfinished.rename(final)
        except OSError as error:
            shutil.rmtree(unfinished, ignore_errors=True)
            needed = sum(tensor.nbytes for tensor in tensors)
            raise StorageError(
                f"the feature store {self.folder} could not take a block of {needed:,} bytes: {error.strerror}. Free "
                "some disk, or point AUTOTL_CACHE_DIR to a larger one."
            ) from error

    def _evict(self, *, keep: str) -> None:
        blocks = sorted(self._blocks(), key=lambda block: block[2])
        used = sum(size for _, size, _ in blocks)
        for folder, size, _ in blocks:
            if used <= self.limit_bytes:
                return
            if folder.name != keep:
                shutil.rmtree(folder, ignore_errors=True)  # whoever has it mapped keeps reading: the file lives on
                self._verified.discard(folder.name)
                used -= size

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

    def _lock(self, key: str, timeout: float = -1) -> FileLock:
        return FileLock(self.folder / "locks" / f"{key}.lock", timeout=timeout)


def default_limit_bytes(folder: Path) -> int:
    """A quarter of the disk that is free, at most 50 GiB."""
    existing = next(parent for parent in [folder, *folder.parents] if parent.exists())
    return min(LARGEST_DEFAULT_LIMIT, int(shutil.disk_usage(existing).free * SHARE_OF_FREE_DISK))


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
            tensor = np.load(path, mmap_mode="r", allow_pickle=False)
        except ValueError as error:
            raise BrokenBlockError(f"{path.name}: {error}") from error
        if list(tensor.shape) != entry["shape"] or str(tensor.dtype) != entry["dtype"]:
            raise BrokenBlockError(f"{path.name} has another shape or type than its sidecar says")
        tensors.append(tensor)
    return tensors


def _read_sidecar(folder: Path) -> list[dict[str, Any]]:
    text = (folder / SIDECAR).read_bytes()
    try:
        content = json.loads(text)
        checksum = content.pop("xxh3")
        if checksum != _checksum_of_json(content) or content["format"] != FORMAT or content["key"] != folder.name:
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
