"""A first task in the making: its keys with their reasons, what was found, and what only a person can settle."""

import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autotl.data.layout import Layout, name_of
from autotl.data.summary import TEST_FROM_ROWS
from autotl.errors import DataError
from autotl.task import Task, task_from_mapping
from autotl.task.template import Line, as_mapping

BUDGETS = {"image": (30, "30m"), "text": (20, "30m"), "table": (40, "15m"), "signal": (30, "20m")}
LARGE, HUGE = 10_000, 50_000  # target rows; their search gets 1 and 2 hours


@dataclass
class Draft:
    """A task in the making."""

    folder: Path
    lines: dict[str, Line] = field(default_factory=dict)
    sentences: list[str] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)

    def put(self, key: str, value: Any, comment: str = "") -> None:
        """A key that the task has."""
        self.lines[key] = Line(key, value, comment)

    def offer(self, key: str, value: Any, comment: str = "") -> None:
        """A key that is only shown, unless the task has it already."""
        self.lines.setdefault(key, Line(key, value, comment, is_proposed=True))

    def add(self, key: str, item: str, comment: str) -> None:
        """One more item of a list."""
        had = self.lines.get(key, Line(key, []))
        if item not in had.value:
            self.lines[key] = Line(key, [*had.value, item], had.comment, (*had.beside, comment))

    def say(self, *sentences: str) -> None:
        """Adds what was found, for a person."""
        self.sentences += sentences

    def task(self) -> Task:
        """What the draft says by now."""
        return task_from_mapping(as_mapping(list(self.lines.values())), folder=self.folder)

    def put_paths(self, first: Path, domains: Sequence[Layout], source: Sequence[Path]) -> None:
        """Where the domains are."""
        target = domains[0]
        self.put("name", re.sub(r"[^\w.-]+", "-", name_of(first)).strip("-.")[:64] or "task")
        self.put("data.target.train", self._written(target.train))
        if target.validation:
            self.put("data.target.validation", self._written(target.validation), "what a model is chosen by")
        if target.test:
            self.put("data.target.test", self._written(target.test), "read once, at the end")
        names: Counter[str] = Counter(["target"])
        sources: list[dict[str, object]] = []
        for path, layout in zip(source, domains[1:], strict=True):
            name = name_of(path)
            names[name] += 1
            entry = {
                "name": name if names[name] == 1 else f"{name}_{names[name]}",
                "train": self._written(layout.train),
            }
            sources.append({**entry, **({"validation": self._written(layout.validation)} if layout.validation else {})})
            if layout.test:
                self.say(f"{layout.test[0]} is left alone: a source has no test.")
        if sources:
            self.put("data.source", sources)
        self.say(*(note for layout in domains for note in layout.notes))

    def _written(self, paths: Sequence[Path]) -> str | list[str]:
        written = [Path(os.path.relpath(path, self.folder)).as_posix() for path in paths]
        written = [f"./{path}" if path.startswith("~") else path for path in written]
        for path in written:
            if not path.isprintable():
                raise DataError(f"{path!r}: the path holds signs that a task file cannot. Rename it.")
        return written[0] if len(written) == 1 else written

    def forget_test(self, why: str) -> None:
        """Leaves out a test that cannot be one."""
        del self.lines["data.target.test"]
        self.say(f"Not used as the test: {why}.")

    def put_defaults(self, modality: str, rows: int) -> None:
        """What is the same for every task, shown so that a person knows of it."""
        trials, wall = BUDGETS[modality]
        wall = "2h" if rows > HUGE else "1h" if rows > LARGE else wall
        self.put("budget", {"trials": trials, "wall": wall})
        self.offer("data.target.validation", 0.2, "the share of train to choose a model by, or a path")
        test = f"a share, a path, or none; left out: a fifth from {TEST_FROM_ROWS} rows on"
        self.offer("data.target.test", 0.2, test)
        if "data.target.labels" not in self.lines:
            self.put("data.target.labels", "all")
        self.offer("data.source", [{"name": "another", "train": "PATH"}], "labelled domains that help")
        self.offer("weights", "balanced")
        self.offer("search_space", modality)
        self.put("baselines", "auto")
        self.put("seed", 0)
