"""What plans and whole searches will cost: work told from structure, seconds from what this machine took before."""

from autotl.search.cost.forecast import Forecast, forecast
from autotl.search.cost.log import Afterwards, CostLog, Observed, ReadOnlyCostLog
from autotl.search.cost.model import CostModel, Seconds
from autotl.search.cost.work import Examples, StoredKey, Work, work_of

__all__ = [
    "Afterwards",
    "CostLog",
    "CostModel",
    "Examples",
    "Forecast",
    "Observed",
    "ReadOnlyCostLog",
    "Seconds",
    "StoredKey",
    "Work",
    "forecast",
    "work_of",
]
