"""What this machine's trials took before: read by every search, added to unless it is to keep nothing."""

from autotl.api.opening import Overrides
from autotl.production.home import home_folder
from autotl.search.cost import CostLog, ReadOnlyCostLog


def cost_log(overrides: Overrides) -> CostLog:
    """The log in the user's home; with `--no-history` nothing is added to it."""
    return CostLog(home_folder()) if overrides.history else ReadOnlyCostLog(home_folder())
