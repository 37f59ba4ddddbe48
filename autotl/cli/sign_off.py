"""The commands of those who decide: what runs in production, and what ran there before."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from autotl.cli.screen import say, screen, write_data
from autotl.report.wording import visible

if TYPE_CHECKING:
    from autotl.api.tracking import Tracking

Alias = Annotated[str, typer.Option(metavar="NAME", help="What points at a version, such as production.")]
Mlflow = Annotated[
    bool, typer.Option("--mlflow", help="Move it in MLflow's registry, too: where MLFLOW_TRACKING_URI says.")
]
Reason = Annotated[str, typer.Option(help="Why, in a few words; it is kept.")]


def add_to(app: typer.Typer) -> None:
    """Adds the commands of this file."""
    app.command(
        epilog='Examples: autotl promote runs/first --alias production --reason "beats the old one" '
        "--require accuracy>=0.9 · autotl promote kitchen@staging --alias production --reason … · next: autotl models"
    )(promote)
    app.command(epilog="Example: autotl models · next: autotl predict kitchen@production DATA")(models)
    app.command(epilog='Example: autotl rollback kitchen --alias production --reason "misses half of the pans"')(
        rollback
    )


def promote(
    what: Annotated[
        str,
        typer.Argument(metavar="RUN[/TRIAL]", help="A run (its winner), a trial, or a version such as kitchen:3."),
    ],
    alias: Alias,
    reason: Reason,
    require: Annotated[
        list[str] | None,
        typer.Option(metavar="figure>=x", help="A figure that must be reached, else exit 6; may be given again."),
    ] = None,
    evaluate: Annotated[
        bool, typer.Option("--evaluate", help="Open the test set for a trial that was not tested; it is counted.")
    ] = False,
    folder: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the task's paths start, if its files have moved.")
    ] = None,
    mlflow: Mlflow = False,
) -> None:
    """Signs a model off: an immutable version in the registry, with who, when and why, and an alias on it."""
    from autotl import api

    tracking = _tracking() if mlflow else None
    done = api.promote(what, alias=alias, reason=reason, require=require or (), evaluate=evaluate, folder=folder)
    for sentence in done.sentences:
        say(visible(sentence))
    if tracking is not None:
        say(visible(tracking.add_promotion(done)))
    say(f"Predict: autotl predict {done.version.model}@{alias} DATA")


def models(as_json: Annotated[bool, typer.Option("--json", help="Print data only.")] = False) -> None:
    """Shows the registry: versions, aliases, figures, and who signed what off when and why."""
    from autotl import api
    from autotl.cli.tables import models_table

    found = api.list_models()
    if as_json:
        write_data(json.dumps({"schema": 1, "models": found}, indent=1))
    elif found:
        screen().print(models_table(found))
    else:
        say('The registry is empty. First: autotl promote RUN --alias production --reason "…"')


def rollback(
    alias: Alias,
    reason: Reason,
    model: Annotated[
        str | None, typer.Argument(metavar="[MODEL]", help="A model of the registry; needed where there are several.")
    ] = None,
    to: Annotated[int | None, typer.Option(metavar="N", help="A version that the alias has pointed at.")] = None,
    mlflow: Mlflow = False,
) -> None:
    """Points an alias at the version before it, or at an earlier one. The history keeps both moves."""
    from autotl import api

    tracking = _tracking() if mlflow else None
    done = api.roll_back(alias=alias, reason=reason, model=model, to=to)
    for sentence in done.sentences:
        say(visible(sentence))
    if tracking is not None:
        say(visible(tracking.add_promotion(done)))


def _tracking() -> "Tracking":
    """MLflow, before anything is signed off: whether it answers is told first."""
    from autotl.api.tracking import open_tracking

    return open_tracking()
