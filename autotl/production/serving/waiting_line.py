"""Who is computed now, who waits, and who is sent away before a byte of the request is read."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from autotl.production.serving.limits import Limits
from autotl.production.serving.refusal import RefusalError

RETRY_SECONDS = 1

Payload = TypeVar("Payload")
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Deadline:
    """When a request's time is up, by the monotonic clock."""

    at: float
    allowed: float

    @classmethod
    def after(cls, seconds: float) -> "Deadline":
        """So many seconds from now."""
        return cls(time.monotonic() + seconds, seconds)

    @property
    def left(self) -> float:
        """Seconds; 0 where it has passed."""
        return max(self.at - time.monotonic(), 0.0)

    def check(self) -> None:
        """Raises a RefusalError (408) where it has passed."""
        if not self.left:
            raise self.refusal()

    def refusal(self) -> RefusalError:
        """What is answered then."""
        words = f"No answer within {self.allowed:g} seconds. Send fewer instances, or send them faster."
        return RefusalError(408, words)


class WaitingLine:
    """Computes requests, `at_once` at a time.

    A request holds its place until its computation has really ended: one that was given up is still computed, and
    would crowd the machine if its place were given away.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._executor = ThreadPoolExecutor(limits.at_once, thread_name_prefix="predict")
        self._inside = 0
        self._lock = threading.Lock()

    @property
    def inside(self) -> int:
        """Requests that are being read, wait or are computed."""
        return self._inside

    async def answer(
        self, read: Callable[[], Awaitable[Payload]], compute: Callable[[Payload, Deadline], Answer]
    ) -> Answer:
        """Reads a request and computes its answer on a thread.

        Raises:
            RefusalError: nobody else is let in (429), or its time is up (408).
        """
        deadline = Deadline.after(self._limits.seconds)
        self._enter()
        try:
            async with _until(deadline):
                payload = await read()
        except BaseException:
            self._leave()
            raise
        started = self._executor.submit(compute, payload, deadline)
        started.add_done_callback(lambda _: self._leave())
        async with _until(deadline):
            return await asyncio.wrap_future(started)

    def close(self) -> None:
        """Waits for what is being computed; what waits is dropped."""
        self._executor.shutdown(cancel_futures=True)

    def _enter(self) -> None:
        most = self._limits.at_once + self._limits.waiting
        with self._lock:
            if self._inside >= most:
                words = f"{most} requests are being served already. Ask again in a moment."
                raise RefusalError(429, words, retry_after=RETRY_SECONDS)
            self._inside += 1

    def _leave(self) -> None:
        with self._lock:
            self._inside -= 1


@asynccontextmanager
async def _until(deadline: Deadline) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(deadline.left):
            yield
    except TimeoutError:
        raise deadline.refusal() from None
