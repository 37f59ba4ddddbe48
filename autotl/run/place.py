"""Where a run folder may be kept besides this machine's disk: a network file system, or what fsspec reaches by a URL.

SQLite needs a disk of its own: its write-ahead log is no file for several machines, and an object store knows no locks.
So such a run is worked on in a folder of this machine, and `autotl.run.remote` keeps a copy of it at its place.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from autotl.errors import EnvironmentProblemError, StorageError
from autotl.run.folder import write_whole

NETWORK_FILE_SYSTEMS = {
    *("9p", "afs", "beegfs", "ceph", "cifs", "glusterfs", "gpfs", "lustre", "nfs", "nfs4", "smb3", "smbfs", "wekafs"),
    *("fuse.ceph", "fuse.gcsfuse", "fuse.glusterfs", "fuse.goofys", "fuse.juicefs", "fuse.s3fs", "fuse.sshfs"),
}
IN_ONE_STEP = {"abfs", "abfss", "az", "gcs", "gs", "memory", "oss", "s3", "s3a"}  # protocols: a file is there or not
EXTRAS = {"s3": "s3", "s3a": "s3"}  # protocol -> our extra that installs what it needs


class Place(Protocol):
    """A folder somewhere. Names are relative, with slashes."""

    @property
    def name(self) -> str:
        """As a person writes it."""
        ...

    def put(self, name: str, file: Path) -> None:
        """Copies a file there: others see the old one or the new one, and nothing between.

        Raises:
            StorageError: as all of these.
        """
        ...

    def get(self, name: str, to: Path) -> None:
        """Copies a file from there."""
        ...

    def read(self, name: str) -> bytes | None:
        """Content of a small file; None where there is none."""
        ...

    def remove(self, name: str) -> None:
        """Takes a file away, if it is there."""
        ...

    def names(self) -> list[str]:
        """Of all files."""
        ...


class FolderPlace:
    """A folder that is mounted here."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()

    @property
    def name(self) -> str:
        """Its path."""
        return str(self.path)

    def put(self, name: str, file: Path) -> None:
        """By a temporary file beside it."""
        with _told(self.name):
            write_whole(self.path / name, file.read_bytes())

    def get(self, name: str, to: Path) -> None:
        """By one step, too."""
        with _told(self.name):
            write_whole(to, (self.path / name).read_bytes())

    def read(self, name: str) -> bytes | None:
        """The file's bytes."""
        with _told(self.name):
            try:
                return (self.path / name).read_bytes()
            except FileNotFoundError:
                return None

    def remove(self, name: str) -> None:
        """And the folders that it leaves empty."""
        with _told(self.name):
            (self.path / name).unlink(missing_ok=True)
            for parent in PurePosixPath(name).parents:
                folder = self.path / parent
                if folder == self.path or not folder.is_dir() or any(folder.iterdir()):
                    break
                folder.rmdir()

    def names(self) -> list[str]:
        """Without what is being written."""
        with _told(self.name):
            return sorted(
                path.relative_to(self.path).as_posix()
                for path in self.path.rglob("*")
                if path.is_file() and not path.name.startswith(".")
            )


class UrlPlace:
    """A folder of a store that fsspec reaches."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._files, self._root = _file_system(self._url)
        protocols = self._files.protocol
        named = {protocols} if isinstance(protocols, str) else set(protocols)
        self._in_one_step = bool(named & IN_ONE_STEP)

    @property
    def name(self) -> str:
        """The URL."""
        return self._url

    def put(self, name: str, file: Path) -> None:
        """In one step, or under another name first."""
        path = f"{self._root}/{name}"
        with _told(self.name):
            if self._in_one_step:
                self._files.put_file(str(file), path)
                return
            self._files.makedirs(path.rpartition("/")[0], exist_ok=True)
            unfinished = f"{path}.unfinished"
            self._files.put_file(str(file), unfinished)
            self._files.mv(unfinished, path)

    def get(self, name: str, to: Path) -> None:
        """Downloads it."""
        with _told(self.name):
            to.parent.mkdir(parents=True, exist_ok=True)
            self._files.get_file(f"{self._root}/{name}", str(to))

    def read(self, name: str) -> bytes | None:
        """Downloads it, as it is now."""
        with _told(self.name):
            try:
                return bytes(self._files.cat_file(f"{self._root}/{name}"))
            except FileNotFoundError:
                return None

    def remove(self, name: str) -> None:
        """Deletes it."""
        with _told(self.name):
            try:
                self._files.rm_file(f"{self._root}/{name}")
            except FileNotFoundError:
                return

    def names(self) -> list[str]:
        """As the store lists them now."""
        with _told(self.name):
            self._files.invalidate_cache()
            try:
                found = self._files.find(self._root)
            except FileNotFoundError:
                return []
        root = self._root.strip("/")
        names = [path.strip("/").removeprefix(root).strip("/") for path in found]
        return sorted(name for name in names if not PurePosixPath(name).name.startswith("."))


def place_of(where: Path | str) -> Place | None:
    """The place that a run folder's path or URL names; None for a folder on a disk of this machine.

    Raises:
        EnvironmentProblemError: a URL of a kind that nothing here can reach.
    """
    if isinstance(where, str) and is_url(where):
        protocol, _, path = where.partition("://")
        return FolderPlace(Path(path)) if protocol in ("file", "local") else UrlPlace(where)
    return FolderPlace(Path(where)) if _file_system_type(Path(where)) in NETWORK_FILE_SYSTEMS else None


def is_url(where: str) -> bool:
    """Whether this is no path."""
    return "://" in where


def _file_system(url: str) -> tuple[Any, str]:
    import fsspec

    protocol = url.partition("://")[0]
    try:
        files, root = fsspec.core.url_to_fs(url)
    except ImportError as error:
        needed = f"pip install 'autotl[{EXTRAS[protocol]}]'" if protocol in EXTRAS else str(error)
        raise EnvironmentProblemError(f"{url}: {protocol}:// needs another package: {needed}") from error
    except ValueError as error:
        known = "s3://, gs://, abfs://, sftp:// or another that fsspec knows"
        raise EnvironmentProblemError(f"{url}: {protocol}:// is not known ({error}). Write {known}.") from error
    return files, str(root).rstrip("/")


def _file_system_type(path: Path) -> str | None:
    """Of the mount that holds the path, which need not exist yet; None where nobody knows."""
    import psutil

    whole = os.path.realpath(path)
    mounts = [mount for mount in psutil.disk_partitions(all=True) if _is_below(whole, mount.mountpoint)]
    return max(mounts, key=lambda mount: len(mount.mountpoint)).fstype if mounts else None


def _is_below(path: str, mount: str) -> bool:
    return path == mount or path.startswith(mount.rstrip("/") + "/")


@contextmanager
def _told(name: str) -> Iterator[None]:
    """Whatever a store's own client raises is one thing to us: it did not work."""
    try:
        yield
    except StorageError:
        raise
    except Exception as error:
        raise StorageError(f"{name}: {type(error).__name__}: {error}") from error


@contextmanager
def a_file(content: bytes) -> Iterator[Path]:
    """Content as a file for `put`."""
    with tempfile.TemporaryDirectory(prefix="autotl-") as folder:
        path = Path(folder) / "file"
        path.write_bytes(content)
        yield path
