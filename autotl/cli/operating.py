"""The commands of those who run a model: serve it, and watch what it is asked."""

import json
from pathlib import Path
from typing import Annotated

import typer

from autotl.cli.arguments import ModelName
from autotl.cli.screen import say, screen, warn, write_data
from autotl.report.wording import visible

MILLION = 1_000_000


def add_to(app: typer.Typer) -> None:
    """Adds the commands of this file."""
    app.command(
        epilog="Examples: autotl serve kitchen@production · autotl serve runs/first --port 8080 · then: "
        "curl -F images=@cat.jpg http://127.0.0.1:8000/v1/predict"
    )(serve)
    app.command(
        epilog="Examples: autotl watch kitchen@production new_photos/ · autotl watch runs/first new.csv --json "
        "· from cron: autotl watch kitchen@production new.csv --require look || echo search again"
    )(watch)


def serve(
    model: ModelName,
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Where to listen; nobody but this machine reaches the default.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8000,
    max_megabytes: Annotated[int, typer.Option(min=1, help="Of one request.")] = 16,
    max_megapixels: Annotated[int, typer.Option(min=1, max=80, help="Of one image.")] = 50,
    max_instances: Annotated[int, typer.Option(min=1, help="Examples in one request.")] = 256,
    max_seconds: Annotated[int, typer.Option(min=1, help="For one request, its wait included.")] = 30,
    max_at_once: Annotated[int, typer.Option(min=1, help="Requests computed at the same time.")] = 2,
    max_waiting: Annotated[int, typer.Option(min=0, help="Requests that may wait beside them.")] = 16,
) -> None:
    """Answers predictions over HTTP, to this machine alone unless told otherwise; Ctrl-C ends it."""
    from autotl.api.serving import Serving
    from autotl.api.serving import serve as serve_model
    from autotl.production.serving.limits import Limits

    def tell(serving: Serving) -> None:
        for sentence in serving.sentences:
            say(visible(sentence))
        say(f"{serving.address}/v1/predict takes requests, {serving.address}/v1/model describes them. Ctrl-C ends it.")

    limits = Limits(
        body_bytes=max_megabytes * MILLION,
        pixels=max_megapixels * MILLION,
        instances=max_instances,
        seconds=max_seconds,
        at_once=max_at_once,
        waiting=max_waiting,
    )
    stopped_by = serve_model(model, host=host, port=port, limits=limits, ready=tell)
    if stopped_by is not None:
        warn("Stopped; requests that had arrived were answered.")
        raise typer.Exit(128 + stopped_by)


def watch(
    model: ModelName,
    data: Annotated[Path, typer.Argument(metavar="DATA", help="Fresh inputs: a folder, a file, a table or an .npz.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print data only.")] = False,
    require: Annotated[
        str | None, typer.Option(metavar="fine|look", help="Exit with 6 where the verdict is worse than this.")
    ] = None,
) -> None:
    """Says whether fresh inputs are still what a model was made for, and when to search again. Reads no label."""
    from autotl.api import watching
    from autotl.cli.watch_tables import figures_table, mix_table

    required = None if require is None else watching.checked_verdict(require)
    watched = watching.watch(model, data)
    for broken in watched.skipped:
        warn(f"skipped: {broken}")
    if as_json:
        write_data(json.dumps(watched.as_dict(), indent=1))
    else:
        say(f"Verdict: {watched.verdict.name}")
        for sentence in watched.sentences:
            say(visible(sentence))
        screen().print(figures_table(watched))
        if watched.found.mix_now:
            screen().print(mix_table(watched))
    if required is not None:
        watching.refuse_unless(watched, required)
