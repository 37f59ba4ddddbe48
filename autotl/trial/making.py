"""The order for a workshop: small, sent to every worker, and free of Keras until it is carried out."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from autotl.backbones.availability import stay_offline
from autotl.data.examples import TaskData
from autotl.features import (
    ComputePrecision,
    FeatureStore,
    Neighbours,
    SharedFeatureStore,
    default_limit_bytes,
    features_folder,
)
from autotl.trial.outcome import EpochRow, Job
from autotl.trial.scorer import Scorer

if TYPE_CHECKING:
    from autotl.trial.workshop import Workshop


class Trains(Protocol):
    """What a worker needs of a workshop."""

    def train(self, packet: Sequence[Job], *, rungs: Collection[int] = ()) -> Iterator[EpochRow]:
        """A row per plan and epoch; see `autotl.trial.workshop.Workshop.train`."""
        ...


MakeWorkshop = Callable[[], Trains]  # called once in each worker process


@dataclass(frozen=True)
class WorkshopOrder:
    """What a workshop is made of; calling it makes one in this process.

    Attributes:
        neighbours: the stores of other machines. With them each machine keeps its features where it says itself, and
            not where the search's own machine does.
    """

    data: TaskData
    scorer: Scorer
    store_folder: Path
    store_limit_bytes: int
    offline: bool = False
    precision: ComputePrecision = "float32"
    unfrozen_choices: tuple[int, ...] = ()  # numbers of unfrozen layers that plans will ask for
    taps: tuple[str, ...] = ()  # that plans will ask for; none where one backbone gives one kind of features
    neighbours: Neighbours | None = None

    def __call__(self) -> "Workshop":
        """A new workshop; imports Keras."""
        if self.offline:
            stay_offline()  # in the worker's process; the driver's has it for the whole search
        from autotl.trial.workshop import Workshop

        return Workshop(
            self.data,
            self._store(),
            self.scorer,
            precision=self.precision,
            unfrozen_choices=self.unfrozen_choices,
            taps=self.taps,
        )

    def _store(self) -> FeatureStore:
        if self.neighbours is None:
            return FeatureStore(self.store_folder, limit_bytes=self.store_limit_bytes)
        folder = features_folder()
        return SharedFeatureStore(folder, limit_bytes=default_limit_bytes(folder), neighbours=self.neighbours)
