"""A signal ends a search in order: what had finished is written."""

import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from autotl.errors import InterruptedSearchError
from autotl.search.budget import Budget

_log = logging.getLogger(__name__)


def stopped_by(number: int) -> str:
    """That a signal stopped the search, in words."""
    return f"stopped by {signal.Signals(number).name}"


def interrupted(number: int, words: str) -> InterruptedSearchError:
    """The error with which a command ends that a signal stopped; `words` go on from the signal's name."""
    return InterruptedSearchError(f"{stopped_by(number)}{words}", exit_code=128 + number)


@contextmanager
def stopped_by_signals(budget: Budget) -> Iterator[None]:
    """The first SIGINT or SIGTERM ends the search in order; a second one ends the program."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def stop(number: int, _: FrameType | None) -> None:
        _log.warning("signal %d: the search stops and writes what it has", number)
        for each, handler in before.items():
            signal.signal(each, handler)
        budget.interrupt(number)

    for number in before:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
