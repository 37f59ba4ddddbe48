"""`gap`: how far the domains of a task are apart, without a search."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autotl.api.checking import with_lengths_of
from autotl.api.opening import OpenedTask, Overrides, open_task
from autotl.api.orders import workshop_order
from autotl.data import TaskData, load_data
from autotl.errors import DataError, TaskError
from autotl.scoring.gap import TooFewRowsError, sentences

if TYPE_CHECKING:
    from autotl.trial.workshop import Workshop


@dataclass(frozen=True)
class Gap:
    """What lies between the sources and the target of a task.

    Attributes:
        features: what they are compared by, in words.
        panels: a source's name → its panel, as `autotl.scoring.gap.measure` describes it, with `columns` for tables; of
            several sources `all sources` comes first.
    """

    task: str
    features: str
    panels: Mapping[str, Mapping[str, Any]]

    def sentences(self, source: str) -> list[str]:
        """One source's panel in words."""
        return sentences(self.panels[source])

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        sources = [{"source": name, "sentences": self.sentences(name), **panel} for name, panel in self.panels.items()]
        return {"schema": 1, "task": self.task, "features": self.features, "sources": sources}


def gap(path: Path | str) -> Gap:
    """Measures how far each source is from the target. Trains nothing but small linear probes, reads no target label.

    Raises:
        TaskError: the task has no source, or one without examples, or its examples are protected.
        DataError: a domain has too few examples.
    """
    opened = open_task(Path(path), Overrides())
    _refuse_without_source(opened)
    _refuse_private(opened)
    data = load_data(opened.task)
    from autotl.trial.comparing_domains import compare_each_source
    from autotl.trial.reference import reference

    by = reference(data, with_lengths_of(opened.space, data), lambda: _workshop(opened, data))
    try:
        panels = compare_each_source(data, by.of, data.domains[1:])
    except TooFewRowsError as error:
        raise DataError(f"{opened.task.where('data')}: {error}") from error
    return Gap(opened.task.name, by.words, panels)


def _refuse_private(opened: OpenedTask) -> None:
    if opened.task.privacy is not None:
        words = "a gap is measured on protected examples, and nothing pays for that. Measure it on public ones."
        raise TaskError(f"{opened.task.where('privacy')}: {words}")


def _refuse_without_source(opened: OpenedTask) -> None:
    task = opened.task
    if not task.data.source:
        words = "has no source, so there is no gap to measure. Name a labelled domain: source: [{name: …, train: …}]"
        raise TaskError(f"{task.where('data')}: {words}")
    if all(source.train is None for source in task.data.source):
        words = "the source's examples are not here, so there is nothing to compare the target with."
        raise TaskError(f"{task.where('data.source')}: {words}")


def _workshop(opened: OpenedTask, data: TaskData) -> "Workshop":
    from autotl.api.quiet import import_keras

    import_keras()
    return workshop_order(opened, data)()
