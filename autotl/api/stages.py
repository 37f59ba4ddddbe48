"""The stages of one command, told to whoever listens and timed for the report."""

import time
from typing import Any

from autotl.search.events import Listener, StageStarted


class Stages:
    """The command's stages: told to the listener, and timed."""

    def __init__(self, listen: Listener) -> None:
        self.listen = listen
        self._seconds: dict[str, float] = {}
        self._current: str | None = None
        self._since = time.perf_counter()

    def start(self, stage: str, words: str) -> None:
        """Ends the stage before and begins this one."""
        self._end()
        self._current = stage
        self.listen(StageStarted(stage, words))

    def timing(self) -> list[dict[str, Any]]:
        """`[{stage, seconds}]` in their order, the current one up to now."""
        self._end()
        return [{"stage": stage, "seconds": seconds} for stage, seconds in self._seconds.items()]

    def _end(self) -> None:
        now = time.perf_counter()
        if self._current is not None:
            self._seconds[self._current] = self._seconds.get(self._current, 0.0) + now - self._since
        self._since = now
