"""The commands of those who run a model: serve it."""

from typing import Annotated

import typer

from autotl.cli.screen import say, warn
from autotl.report.wording import visible

MILLION = 1_000_000

Model = Annotated[
    str, typer.Argument(metavar="MODEL", help="The `winner/` of a run, or a promoted model: kitchen@production.")
]


def add_to(app: typer.Typer) -> None:
    """Adds the commands of this file."""
    app.command(
        epilog="Examples: autotl serve kitchen@production · autotl serve runs/first/winner --port 8080 · then: "
        "curl -F images=@cat.jpg http://127.0.0.1:8000/v1/predict"
    )(serve)


def serve(
    model: Model,
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
