"""What earlier searches on this machine found: a small JSON file for each finished run.

Several searches may end at once: each writes a file of its own under a name that no other has, which appears whole or
not at all, and readers pass over what they cannot read. Nothing of the data is kept but counts and a digest.
"""

import json
import logging
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from autotl.errors import StorageError
from autotl.plan.baselines import NO_TRANSFER
from autotl.run.folder import write_whole

FOLDER = "history"
FORMAT = 1  # of the files; of another one is passed over
MOST_RUNS = 200  # that are kept, the latest
FARTHEST = 2.0  # distance of a task that is like another: four times the examples, say, or twice the classes
MOST_TRIALS = 200  # that are kept of a run, the best

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Likeness:
    """By what tasks are compared.

    Attributes:
        setting: the transfer setting, see `data.setting`.
        regime: how trials are scored: `label_free`, or with labels.
        examples: labelled ones to learn from.
        imbalance: share of the largest class, as far as it is known.
        digest: of the data: equal for the same task searched again.
    """

    modality: str
    setting: str
    regime: str
    examples: int
    classes: int
    imbalance: float
    digest: str

    def can_be_compared(self, other: "Likeness") -> bool:
        """Whether a plan that did well on one may do so on the other: their plans have the same fields, and were judged
        by the same kind of score."""
        return (self.modality, self.setting, self.regime) == (other.modality, other.setting, other.regime)

    def distance(self, other: "Likeness") -> float:
        """0 for the same data; each doubling of examples or classes, and a tenth more in one class, adds to it."""
        if self.digest == other.digest:
            return 0.0
        examples = abs(math.log2(max(self.examples, 1)) - math.log2(max(other.examples, 1)))
        classes = abs(math.log2(max(self.classes, 1)) - math.log2(max(other.classes, 1)))
        return 1.0 + 0.5 * examples + classes + 5 * abs(self.imbalance - other.imbalance)


@dataclass(frozen=True)
class PastTrial:
    """One trial.

    Attributes:
        plan: as leaderboards write it.
        backbone: its label, by which it is known in another space.
        standing: from 1 for the best of its run to 0 for the worst, by the run's own order. Scores of different tasks
            are never compared, and those without labels do not even mean the same.
    """

    plan: Mapping[str, Any]
    backbone: str
    standing: float


@dataclass(frozen=True)
class PastRun:
    """A finished search.

    Attributes:
        run: a name that no other run has.
        ended: when, in ISO 8601; only to tell which are the latest.
        trials: the best first.
    """

    run: str
    task: str
    ended: str
    likeness: Likeness
    trials: tuple[PastTrial, ...]


def past_trials(rows: Iterable[Mapping[str, Any]], labels: Mapping[int, str]) -> tuple[PastTrial, ...]:
    """The complete trials of a leaderboard, whose rows stand best first; none of a model that transfers nothing.

    Args:
        labels: of the trials' backbones, by number.
    """
    complete = [row for row in rows if row["status"] == "complete" and row["baseline"] != NO_TRANSFER]
    lowest = max(len(complete) - 1, 1)
    return tuple(
        PastTrial(
            {name: value for name, value in row["plan"].items() if name != "seed"},
            labels[row["trial"]],
            1.0 - place / lowest,
        )
        for place, row in enumerate(complete[:MOST_TRIALS])
    )


def remember(run: PastRun, home: Path) -> None:
    """Adds a run, or puts it in the place of what was known of it. Where that cannot be written it is said and let be.

    Args:
        home: `AUTOTL_HOME`.
    """
    folder = home / FOLDER
    try:
        write_whole(folder / f"{run.run}.json", json.dumps({"format": FORMAT, **asdict(run)}, indent=1).encode())
        _forget_oldest(folder)
    except (OSError, StorageError) as error:
        _log.warning("this run is not remembered for searches to come: %s", error)


def recall(home: Path) -> list[PastRun]:
    """All runs that are known, in the order of their names."""
    found = (_read(path) for path in sorted((home / FOLDER).glob("*.json")))
    return [run for run in found if run is not None]


def nearest(runs: Sequence[PastRun], likeness: Likeness, *, most: int) -> list[PastRun]:
    """The runs on the tasks most like one, the nearest first; of equals the latest.

    None of a task so unlike that its plans did worse than a portfolio in replays.
    """
    like = [
        run
        for run in runs
        if run.trials and run.likeness.can_be_compared(likeness) and run.likeness.distance(likeness) <= FARTHEST
    ]
    latest_first = sorted(like, key=lambda run: (run.ended, run.run), reverse=True)
    return sorted(latest_first, key=lambda run: run.likeness.distance(likeness))[:most]


def _read(path: Path) -> PastRun | None:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        if told.pop("format") != FORMAT:
            return None
        trials = tuple(PastTrial(**trial) for trial in told.pop("trials"))
        return PastRun(**{**told, "likeness": Likeness(**told["likeness"]), "trials": trials})
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        _log.warning("%s is passed over: %s", path, error)
        return None


def _forget_oldest(folder: Path) -> None:
    """Keeps the latest; what another process has removed meanwhile is gone already."""
    runs = [(run.ended, run.run) for path in sorted(folder.glob("*.json")) if (run := _read(path)) is not None]
    for _, name in sorted(runs)[:-MOST_RUNS]:
        (folder / f"{name}.json").unlink(missing_ok=True)
