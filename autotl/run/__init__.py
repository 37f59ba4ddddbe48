"""The run folder and its database; nothing else writes either."""

from autotl.run.folder import RunFolder, default_path
from autotl.run.study import Study

__all__ = ["RunFolder", "Study", "default_path"]
