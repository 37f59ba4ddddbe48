"""The commands of those who review: who is winning, and the report."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from autotl.cli.arguments import RunPath
from autotl.cli.screen import say, screen, write_data
from autotl.errors import UsageError
from autotl.report.wording import visible

MOST_LINES = 100  # of a table in a terminal: who wants more filters it, or reads the files


def add_to(app: typer.Typer) -> None:
    """Adds the commands of this file."""
    app.command(
        epilog="Examples: autotl leaderboard · autotl leaderboard runs/flowers-20261124-101500 --pareto · "
        "autotl leaderboard RUN --sort latency_ms --json"
    )(leaderboard)
    app.command(
        epilog="Examples: autotl compare runs/first runs/second · autotl compare runs/first/3 runs/first/7 --json"
    )(compare)
    app.command(epilog="Examples: autotl gap task.yaml · autotl gap task.yaml --json · next: autotl search task.yaml")(
        gap
    )
    app.command(epilog="Example: autotl dashboard runs/flowers-20261124-101500 --port 8080")(dashboard)
    app.command(epilog="Example: autotl report runs/flowers-20261124-101500")(report)


def leaderboard(
    run: Annotated[
        Path | None,
        typer.Argument(metavar="[RUN]", help="A run folder, or a folder of runs; `runs` if left out."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print leaderboard.json.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print leaderboard.csv.")] = False,
    pareto: Annotated[
        bool, typer.Option("--pareto", help="Only trials that no other beats in score, latency and size at once.")
    ] = False,
    every_trial: Annotated[bool, typer.Option("--all", help=f"Every trial, not only the first {MOST_LINES}.")] = False,
    sort: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Order by a column, such as latency_ms or learning_rate.")
    ] = None,
) -> None:
    """Shows who is winning, baselines and failures included; without a run, the best of every task."""
    from autotl.api import arranged, read_leaderboard
    from autotl.leaderboard import as_csv as csv_of

    if as_json and as_csv:
        raise UsageError("--json and --csv exclude each other.")
    if run is None or (run.is_dir() and any(run.glob("*/study.db"))):
        if pareto or sort is not None:
            raise UsageError("--pareto and --sort are about the trials of one run. Name it: autotl leaderboard RUN")
        _show_overview(run, as_json=as_json, as_csv=as_csv)
        return
    content = read_leaderboard(run)
    rows = arranged(content, sort=sort, only_pareto=pareto)
    if as_json:
        write_data(json.dumps(content | {"trials": rows}, indent=1))
    elif as_csv:
        write_data(csv_of(rows))
    else:
        limit = None if every_trial else MOST_LINES
        show_leaderboard(content, limit=limit, trials=[row["trial"] for row in rows] if sort or pareto else None)
        if not every_trial and len(rows) > MOST_LINES:
            say(f"The first {MOST_LINES} are shown. Every one: --all, or --csv and --json for other programs.")


def compare(
    trials: Annotated[
        list[str], typer.Argument(metavar="A B…", help="Run folders (their winners), or RUN/TRIAL; two or more.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print data only.")] = False,
) -> None:
    """Shows trials side by side: plans, scores, cost, and a paired test of each against the first."""
    from autotl import api
    from autotl.cli.tables import comparison_table

    comparison = api.compare(trials)
    if as_json:
        write_data(json.dumps(comparison.as_dict(), indent=1))
        return
    screen().print(comparison_table(comparison))
    for sentence in (*(test.sentence for test in comparison.tests), *comparison.notes):
        say(visible(sentence))


def gap(
    task: Annotated[Path, typer.Argument(metavar="task.yaml", help="A task with a source.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print data only.")] = False,
) -> None:
    """Says how far the source is from the target, where, and what to do about it. Trains nothing, reads no target
    label."""
    from autotl.api import gap as measure
    from autotl.cli.gap_tables import column_table, gap_table

    found = measure(task)
    if as_json:
        write_data(json.dumps(found.as_dict(), indent=1))
        return
    say(f"Compared by {found.features}.")
    for name in found.panels:
        say(f"\n{visible(name)} against the target")
        for sentence in found.sentences(name):
            say(f"- {visible(sentence)}")
    screen().print(gap_table(found.panels))
    for name, panel in found.panels.items():
        if panel["columns"]:
            screen().print(column_table(name, panel["columns"]))


def report(
    run: RunPath,
    without_examples: Annotated[
        bool,
        typer.Option(
            "--without-examples", "--anonymise", help="Show no example of the data and no file's name: to pass it on."
        ),
    ] = False,
) -> None:
    """Writes report.html anew from what the run folder holds."""
    from autotl.api import write_report, write_report_without_examples

    say(str(write_report_without_examples(run) if without_examples else write_report(run)))


def dashboard(
    run: RunPath,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Of 127.0.0.1; nobody outside reaches it.")] = 8080,
) -> None:
    """Serves Optuna's dashboard on a copy of the run's database, to this machine alone; Ctrl-C ends it."""
    from autotl.api.dashboard import show_dashboard

    show_dashboard(run, port=port, ready=lambda address: say(f"{address} shows {run} as it is now. Ctrl-C ends it."))


def show_leaderboard(content: dict[str, Any], *, limit: int | None = None, trials: list[int] | None = None) -> None:
    """Prints the table; of `trials`, in their order, where they are given."""
    from autotl.cli.tables import leaderboard_table

    out = screen()
    out.print(leaderboard_table(content, width=out.width, limit=limit, trials=trials))


def _show_overview(folder: Path | None, *, as_json: bool, as_csv: bool) -> None:
    from autotl.api import read_overview
    from autotl.cli.tables import overview_table
    from autotl.leaderboard import as_csv as csv_of

    tasks = read_overview(folder)
    if as_json:
        write_data(json.dumps({"schema": 1, "tasks": [best.as_dict() for best in tasks]}, indent=1))
    elif as_csv:
        write_data(csv_of([best.as_dict() for best in tasks]))
    else:
        screen().print(overview_table(tasks))
