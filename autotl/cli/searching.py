"""`autotl search` and `autotl demo` on the screen: what is going on, and what was found."""

from collections.abc import Callable, Sequence
from pathlib import Path

from autotl import api
from autotl.cli.progress import Progress
from autotl.cli.review import show_leaderboard
from autotl.cli.screen import errors, say, warn
from autotl.errors import AutotlError, SeveralTasksError, UsageError
from autotl.report.wording import visible

Then = Callable[[Path], object]


def search_and_show(tasks: Sequence[Path], overrides: api.Overrides, *, then: Then | None = None) -> None:
    """Searches one task or several, from their beginning or from where they were left.

    Args:
        then: is given each run that was written.
    Raises:
        AutotlError: why the command must not end with 0.
    """
    resumes_a_series = isinstance(overrides.resume, Path) and api.is_series(overrides.resume)
    if resumes_a_series and tasks:
        raise UsageError(f"{overrides.resume} knows its tasks: autotl search --resume {overrides.resume}")
    if resumes_a_series or len(tasks) > 1 or (overrides.resume is None and any(map(api.names_in, tasks))):
        _search_series(tasks, overrides, then)
        return
    opened = api.open_to_search(tasks[0] if tasks else None, overrides)
    with _progress(opened) as progress:
        finished = api.search(opened, listen=progress)
    _show(finished, then)
    if finished.error is not None:
        if not finished.is_whole:
            say(f"Go on:       autotl search --resume {finished.shown}")
        raise finished.error


def _search_series(tasks: Sequence[Path], overrides: api.Overrides, then: Then | None) -> None:
    if isinstance(overrides.resume, Path) and not tasks:
        series = api.reopen_series(overrides.resume, overrides)
    else:
        series = api.open_series(tasks, overrides)
    errors_of: dict[str, AutotlError] = {}
    is_whole, waiting = True, len(series.opened)
    for turn in api.search_series(series, listen=lambda place, task: _announced(series, place, task)):
        waiting -= 1
        is_whole = is_whole and turn.run is not None and turn.run.is_whole
        if turn.run is not None:
            _show(turn.run, then)
        if turn.error is not None:
            errors_of[turn.task.folder] = turn.error
            warn(visible(f"{turn.task.name}: {turn.error}"))
    say(f"\nIndex:       {series.path / api.INDEX}")
    say(f"The best:    autotl leaderboard {series.path}")
    if waiting or not is_whole:
        say(f"Go on:       autotl search --resume {series.path}")
    if errors_of:
        raise SeveralTasksError(errors_of)


def _announced(series: api.OpenedSeries, place: int, task: api.OpenedTask) -> Progress:
    warn(f"\n{place + 1} of {len(series.folder.tasks)}: {visible(task.task.name)}")
    return _progress(task)


def _progress(task: api.OpenedTask) -> Progress:
    return Progress(errors(), metric=task.metric, higher_is_better=task.higher_is_better)


def _show(run: api.Run, then: Then | None) -> None:
    show_leaderboard(run.leaderboard, limit=12)
    for sentence in run.sentences:
        say(sentence)
    say(f"\nReport:      {run.path / 'report.html'}")
    say(f"Leaderboard: autotl leaderboard {run.path}")
    if (run.path / "winner").is_dir():
        say(f"Predict:     autotl predict {run.path / 'winner'} DATA")
    if "://" in run.shown:
        say(f"Kept at:     {run.shown}")
    if then is not None:
        then(run.path)
