"""What trials took on this machine, kept from run to run: lines of JSON that name no example, file or task."""

import hashlib
import json
import logging
import os
import platform
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

FILE = "costs.jsonl"
MOST_LINES = 2_000  # the latest count: machines are upgraded and libraries change
PARTS = ("features", "train", "score", "overhead")

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Observed:
    """One trial that ended.

    Attributes:
        kind: as `Work`'s.
        computed_rows, computed_gflop: what was not stored.
        seconds: by part, as a leaderboard row has them.
        memory_mb: that its worker held; None where unknown.
    """

    kind: str
    steps: float
    trained_gflop: float
    scored_gflop: float
    scored_rows: float
    rows: float
    computed_rows: float
    computed_gflop: float
    seconds: Mapping[str, float]
    memory_mb: float | None = None


@dataclass(frozen=True)
class Afterwards:
    """What a whole command took beside its trials.

    Attributes:
        stages: seconds by stage.
        trial: seconds that the winner's own training took.
        startup: seconds until the first trial told anything.
    """

    stages: Mapping[str, float]
    trial: float
    startup: float


class CostLog:
    """The observations of one machine, in a file that several runs may add to at once.

    Args:
        folder: where the file lies; made when something is added.
        machine: what figures hold for; those of others are left alone.
    """

    def __init__(self, folder: Path, machine: str | None = None) -> None:
        self._path = folder / FILE
        self._machine = this_machine() if machine is None else machine

    def trials(self) -> list[Observed]:
        """The latest observations of this machine, in the order in which they came."""
        return [Observed(**line["trial"]) for line in self._lines() if "trial" in line]

    def afterwards(self) -> list[Afterwards]:
        """What commands took beside their trials."""
        return [Afterwards(**line["afterwards"]) for line in self._lines() if "afterwards" in line]

    def stored(self) -> frozenset[str]:
        """Activations that some run left in the feature store; others may have taken their place since."""
        return frozenset(key for line in self._lines() if "stored" in line for key in line["stored"])

    def latencies(self) -> dict[int, float]:
        """Milliseconds of one prediction, as measured, by its floating point operations."""
        return {int(flops): ms for line in self._lines() if "latency" in line for flops, ms in line["latency"]}

    def add(
        self,
        trials: Sequence[Observed] = (),
        *,
        afterwards: Afterwards | None = None,
        stored: Collection[str] = (),
        latencies: Mapping[int, float] | None = None,
    ) -> None:
        """Adds lines; a home that cannot be written costs the next run an estimate and this one nothing."""
        told: list[dict[str, Any]] = [{"trial": asdict(each)} for each in trials]
        told += [] if afterwards is None else [{"afterwards": asdict(afterwards)}]
        told += [{"stored": sorted(stored)}] if stored else []
        told += [{"latency": sorted(latencies.items())}] if latencies else []
        lines = [{"machine": self._machine, **line} for line in told]
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(self._path.with_suffix(".lock"), timeout=10):
                before = self._path.read_text(encoding="utf-8").splitlines() if self._path.is_file() else []
                kept = [*before, *(json.dumps(line) for line in lines)][-MOST_LINES:]
                partial = self._path.with_suffix(".partial")
                partial.write_text("\n".join(kept) + "\n", encoding="utf-8")
                partial.replace(self._path)
        except (OSError, TimeoutError) as error:
            _log.warning("what trials took is not noted in %s: %s", self._path, error)

    def _lines(self) -> list[dict[str, Any]]:
        try:
            written = self._path.read_text(encoding="utf-8").splitlines()
        except OSError:
            return []
        found = [line for line in map(_read, written) if line is not None]
        return [line for line in found if line["machine"] == self._machine]


class ReadOnlyCostLog(CostLog):
    """The same for a run that keeps nothing for later ones."""

    def add(
        self,
        trials: Sequence[Observed] = (),
        *,
        afterwards: Afterwards | None = None,
        stored: Collection[str] = (),
        latencies: Mapping[int, float] | None = None,
    ) -> None:
        """Adds nothing."""


def this_machine() -> str:
    """Equal where the same work takes the same time: processor, cores at hand, graphics card."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    told = "|".join([_processor(), str(cores), os.environ.get("CUDA_VISIBLE_DEVICES", ""), platform.system()])
    return hashlib.sha256(told.encode()).hexdigest()[:12]


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def _read(line: str) -> dict[str, Any] | None:
    """A line, None where it is damaged or of another version."""
    try:
        found = json.loads(line)
        if "trial" in found:
            Observed(**found["trial"])
        elif "afterwards" in found:
            Afterwards(**found["afterwards"])
        return found if isinstance(found["machine"], str) else None
    except (ValueError, TypeError, KeyError):
        return None
