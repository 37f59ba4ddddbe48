"""The run folder and its database; nothing else writes either."""

from autotl.run.folder import RunFolder, default_path
from autotl.run.remote import create_run, run_to_resume, written_in
from autotl.run.study import Study

__all__ = ["RunFolder", "Study", "create_run", "default_path", "run_to_resume", "written_in"]
