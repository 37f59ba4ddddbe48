"""By what a search trains and ships, for whoever wants to see the rest of it go on without that."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from autotl.api.opening import OpenedTask
from autotl.api.orders import search_order, workshop_order
from autotl.api.shipping_winner import ship_winner
from autotl.data import TaskData
from autotl.search.run import SearchOrder
from autotl.search.starting import StartingPlan
from autotl.trial.making import WorkshopOrder

if TYPE_CHECKING:
    from autotl.api.ranking import RankedRun


@dataclass(frozen=True)
class Means:
    """The real ones, unless others are given. A private search has no others.

    Attributes:
        workshop_order: makes the workshops that train plans.
        search_order: what the search is told.
        ship: makes a model of the winner, whose row it is given, and writes it into the run folder.
    """

    workshop_order: Callable[[OpenedTask, TaskData], WorkshopOrder] = workshop_order
    search_order: Callable[[OpenedTask, TaskData, Sequence[StartingPlan]], SearchOrder] = search_order
    ship: Callable[["RankedRun", dict[str, Any]], None] = ship_winner
