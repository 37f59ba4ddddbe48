"""The command that says whether this machine has what a search needs."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from autotl.cli.screen import screen, write_data
from autotl.report.wording import visible

COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}


def add_to(app: typer.Typer) -> None:
    """Adds the command of this file."""
    app.command(
        epilog="Examples: autotl doctor · autotl doctor --deep · for a bug report: autotl doctor --deep --json"
    )(doctor)


def doctor(
    deep: Annotated[
        bool, typer.Option("--deep", help="Also start TensorFlow, OpenVINO and Ray; half a minute.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print data only, without anything that names you or this machine.")
    ] = False,
) -> None:
    """Says whether this machine has what a search needs, line by line, and what to do about what it lacks."""
    from autotl.api.doctor import examine

    found = examine(runs=Path("runs"), deep=deep)
    if as_json:
        write_data(json.dumps(found.as_dict(), indent=1))
    else:
        table = Table.grid(padding=(0, 2))
        for finding in found.findings:
            status = Text(finding.status, style=COLOURS[finding.status])
            words = Text(visible(finding.words))
            if finding.fix:
                words.append(f"\n→ {visible(finding.fix)}", style="bold")
            table.add_row(status, Text(finding.name), words)
        screen().print(table)
    found.raise_if_failed()
