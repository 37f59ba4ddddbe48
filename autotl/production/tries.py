"""What goes with a winner is tried: it is no reason to lose the winner where that fails, and why is told."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from autotl.trial.progress import one_line

_log = logging.getLogger(__name__)

Made = TypeVar("Made")


@dataclass(frozen=True)
class Tries:
    """Things that a winner can do without.

    Attributes:
        failed: a sentence for each that could not be had.
    """

    failed: list[str] = field(default_factory=list)

    def had(self, what: str, make: Callable[[], Made]) -> Made | None:
        """What was made; None where that failed."""
        try:
            return make()
        except Exception as error:
            _log.exception("%s could not be had", what)
            self.failed.append(f"{what[0].upper()}{what[1:]} could not be had: {one_line(error).rstrip('.')}.")
            return None
