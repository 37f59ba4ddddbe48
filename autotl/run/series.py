"""The folder of tasks that one command searches: a run folder each, what was asked, and a page that leads to them."""

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from autotl.errors import StorageError
from autotl.run.folder import make_empty, slug, write_whole

SERIES = "series.json"
INDEX = "index.html"
SCHEMA = 1


@dataclass(frozen=True)
class SeriesTask:
    """One task of a series.

    Attributes:
        file: its task.yaml.
        listed: whether that lists several tasks, of which this is one.
        folder: of its run, inside the series' folder.
        error: why its search could not be done, in words; None where it was, or has not been tried.
    """

    file: str
    name: str
    folder: str
    error: str | None = None
    listed: bool = False


class SeriesFolder:
    """A folder with the runs of several tasks, in the order in which they are searched."""

    def __init__(self, path: Path, tasks: Sequence[SeriesTask], asked: dict[str, Any]) -> None:
        self.path = path
        self.tasks = list(tasks)
        self.asked = asked

    @classmethod
    def create(
        cls, path: Path, tasks: Sequence[tuple[Path, str]], asked: dict[str, Any], *, listed: Collection[Path] = ()
    ) -> "SeriesFolder":
        """A new series of `(task.yaml, name)`, each of which gets a folder by its name.

        Args:
            listed: files that list several tasks.
            asked: of all its searches, by which they go on; plain JSON values.
        Raises:
            UsageError: the folder is not empty.
            StorageError: it cannot be made.
        """
        make_empty(path)
        folders = _folders([name for _, name in tasks])
        entries = [
            SeriesTask(str(file.absolute()), name, folder, listed=file in listed)
            for (file, name), folder in zip(tasks, folders, strict=True)
        ]
        series = cls(path, entries, asked)
        series._write()
        return series

    @classmethod
    def open(cls, path: Path) -> "SeriesFolder":
        """A series that was begun.

        Raises:
            StorageError: its series.json cannot be read, or is of a later version.
        """
        try:
            content = json.loads((path / SERIES).read_bytes())
            if content["schema"] > SCHEMA:
                raise StorageError(f"{path / SERIES} was written by a later version of autotl: install that one.")
            tasks = [SeriesTask(**each) for each in content["tasks"]]
            if any(slug(each.folder) != each.folder for each in tasks):
                raise ValueError("a folder of a run lies elsewhere")
            return cls(path, tasks, dict(content["asked"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StorageError(f"{path / SERIES} cannot be read: {error}") from error

    def run_path(self, task: SeriesTask) -> Path:
        """Where the task's run is, or will be."""
        return self.path / task.folder

    def note_error(self, index: int, error: str | None) -> None:
        """Writes down why the search of a task could not be done, or that it was."""
        self.tasks[index] = SeriesTask(**{**asdict(self.tasks[index]), "error": error})
        self._write()

    def _write(self) -> None:
        content = {"schema": SCHEMA, "asked": self.asked, "tasks": [asdict(task) for task in self.tasks]}
        write_whole(self.path / SERIES, json.dumps(content, indent=1).encode())


def is_series(path: Path) -> bool:
    """Whether the folder holds the runs of several tasks."""
    return (path / SERIES).is_file()


def _folders(names: Sequence[str]) -> list[str]:
    """A folder's name for each task's name, no two the same on a disk that does not tell capitals."""
    taken: set[str] = set()
    folders = []
    for name in names:
        plain = slug(name)
        folder, number = plain, 1
        while folder.lower() in taken:
            number += 1
            folder = f"{plain}-{number}"
        taken.add(folder.lower())
        folders.append(folder)
    return folders
