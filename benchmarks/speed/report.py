"""Leaderboard and report of long searches: seconds, peak memory, size of the page, and how fast a browser opens it.

python -m benchmarks.speed.report [--trials 200 10000] [--repetitions 3] [--keep FOLDER]

Run folders are made by `benchmarks.speed.many_trials`. Every command is a process of its own from its start to its end;
seconds are wall and processor time (a busy machine stretches the former), memory is the process's largest resident set.
The page is opened from a file in a headless Chromium, new for each page, which tells its own times: until the document
is read and its scripts have run (`load`), and until every chart is drawn.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.report.browser import browser_page, find_browser

MEGABYTE = 1e6


def main() -> None:
    """Prints a row per number of trials and command."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--trials", type=int, nargs="+", default=[200, 10_000])
    arguments.add_argument("--repetitions", type=int, default=3)
    arguments.add_argument("--keep", type=Path, help="folder to leave the runs in")
    given = arguments.parse_args()
    with _place(given.keep) as folder:
        runs = [_made(folder / f"trials-{trials}", trials) for trials in given.trials]
        print("| trials | command | seconds | of a processor | peak (MB) |\n|---|---|---|---|---|")
        for trials, run in zip(given.trials, runs, strict=True):
            for command in (["leaderboard"], ["leaderboard", "--pareto"], ["report"]):
                measured = [_measured([*command[:1], str(run), *command[1:]]) for _ in range(given.repetitions)]
                wall, busy, peak = (statistics.median(values) for values in zip(*measured, strict=True))
                print(f"| {trials:,} | `{' '.join(command)}` | {wall:.2f} | {busy:.2f} | {peak / MEGABYTE:.0f} |")
        print("\n| trials | page (MB) | load (s) | every chart drawn (s) |\n|---|---|---|---|")
        for trials, run in zip(given.trials, runs, strict=True):
            page = run / "report.html"
            opened = [_opened(page) for _ in range(given.repetitions)]
            load, drawn = (statistics.median(values) for values in zip(*opened, strict=True))
            print(f"| {trials:,} | {page.stat().st_size / MEGABYTE:.2f} | {load:.2f} | {drawn:.2f} |")


@contextmanager
def _place(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        yield keep
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def _made(run: Path, trials: int) -> Path:
    """The run, made by another process: a child's peak is never told to be less than what its parent holds."""
    subprocess.run([sys.executable, "-m", "benchmarks.speed.many_trials", str(run), str(trials)], check=True)
    return run


def _measured(arguments: list[str]) -> tuple[float, float, float]:
    """Seconds by the clock and of a processor, and the peak in bytes, of one command."""
    started = time.perf_counter()
    with Path(os.devnull).open("wb") as nowhere:
        command = [sys.executable, "-m", "autotl", *arguments]
        actions = [(os.POSIX_SPAWN_DUP2, nowhere.fileno(), 1)]
        process = os.posix_spawn(sys.executable, command, os.environ, file_actions=actions)
        _, status, used = os.wait4(process, 0)
    if status:
        raise SystemExit(f"autotl {' '.join(arguments)} ended with {os.waitstatus_to_exitcode(status)}")
    return time.perf_counter() - started, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024.0


def _opened(page: Path) -> tuple[float, float]:
    """Seconds from the navigation to the end of `load`, and to the last chart."""
    program = find_browser()
    if program is None:
        raise SystemExit("no Chromium or Chrome is installed (apt-get install chromium)")
    with tempfile.TemporaryDirectory() as profile, browser_page(program, Path(profile)) as browser:
        browser.open(page)
        drawn = browser.evaluate("performance.now()") / 1000  # at most 50 ms late: so often the wait looks
        load = browser.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd") / 1000
    return load, drawn


if __name__ == "__main__":
    main()
