"""Optuna's dashboard on the trials of a run, for this machine alone."""

import importlib.util
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from autotl.errors import EnvironmentProblemError, StorageError
from autotl.run import RunFolder
from autotl.run.folder import STUDY

HOST = "127.0.0.1"
PORT = 8080
MISSING = "the dashboard is an extra that is not installed: pip install 'autotl[dashboard]'"


def show_dashboard(run: Path | str, *, port: int = PORT, ready: Callable[[str], object]) -> None:
    """Serves the dashboard until it is interrupted.

    It shows a copy of the run's database, made now: the dashboard can delete and rename studies, and a trial that was
    shown as finished is never changed.

    Args:
        ready: is told the address before serving begins.
    Raises:
        UsageError: the folder is no run.
        EnvironmentProblemError: optuna-dashboard is not installed, or the port is taken.
    """
    opened = RunFolder.open(Path(run))
    if importlib.util.find_spec("optuna_dashboard") is None:
        raise EnvironmentProblemError(MISSING)
    import optuna_dashboard

    with tempfile.TemporaryDirectory(prefix="autotl-dashboard-") as place:
        copy = copied_study(opened, Path(place))
        ready(f"http://{HOST}:{port}/")
        try:
            optuna_dashboard.run_server(f"sqlite:///{copy}", host=HOST, port=port)
        except OSError as error:
            words = f"port {port} of {HOST} cannot be served: {error.strerror}. Choose another: --port N"
            raise EnvironmentProblemError(words) from error


def copied_study(run: RunFolder, folder: Path) -> Path:
    """A copy of the run's database as it is now, even while a search is writing it.

    Raises:
        StorageError: it cannot be read.
    """
    path = folder / STUDY
    try:
        source = sqlite3.connect(f"{(run.path / STUDY).absolute().as_uri()}?mode=ro", uri=True, timeout=5)
        with closing(source), closing(sqlite3.connect(path)) as target:
            source.backup(target)
    except sqlite3.Error as error:
        raise StorageError(f"{run.path / STUDY} cannot be read: {error}") from error
    return path
