"""`autotl statistics`: sums over a house's examples, and several houses' sums added up."""

from pathlib import Path
from typing import Annotated, Any

import typer

from autotl.cli.screen import say
from autotl.errors import UsageError
from autotl.report.wording import visible


def add_to(app: typer.Typer) -> None:
    """Adds the command of this file."""
    app.command(
        epilog="Examples: autotl statistics photos/ --backbone MobileNetV2 --out north.statistics.zip · "
        "autotl statistics --add north.statistics.zip south.statistics.zip --out both.statistics.zip · "
        "next: in the other house a task with source: {statistics: both.statistics.zip}"
    )(statistics)


def statistics(
    data: Annotated[
        list[Path],
        typer.Argument(
            metavar="DATA", help="A task.yaml, or labelled examples as init takes them. With --add: statistics files."
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="FILE", help="The file to write, such as north.statistics.zip.")],
    add: Annotated[bool, typer.Option("--add", help="DATA are statistics files: make one of them.")] = False,
    backbone: Annotated[
        str | None, typer.Option(metavar="NAME", help="A public one; the search space's first where left out.")
    ] = None,
    like: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The same features as in another house's statistics.")
    ] = None,
    image_size: Annotated[int | None, typer.Option(help="Pixels a side.")] = None,
    crop: Annotated[str | None, typer.Option(help="none or content.")] = None,
    tap: Annotated[str | None, typer.Option(help="The layer whose output is used; an earlier one is narrower.")] = None,
    sequence_length: Annotated[int | None, typer.Option(help="Tokens of a text.")] = None,
    pooling: Annotated[str | None, typer.Option(help="Of texts: mean or cls.")] = None,
    name: Annotated[str | None, typer.Option(help="What this house is called in the file.")] = None,
    domain: Annotated[str, typer.Option(help="Which domain of a task.")] = "target",
    rare: Annotated[str, typer.Option(help="Classes of fewer than 10 examples: refuse or leave_out.")] = "refuse",
    epsilon: Annotated[float | None, typer.Option(help="Adds noise: differential privacy for each example.")] = None,
    delta: Annotated[float | None, typer.Option(help="With --epsilon, such as 1e-5.")] = None,
    clip: Annotated[
        float | None, typer.Option(help="With --epsilon: the largest norm of features, not chosen by the data.")
    ] = None,
    label: Annotated[str | None, typer.Option(metavar="COLUMN", help="Of a table without a task.")] = None,
    modality: Annotated[str | None, typer.Option(help="Of data without a task: image, text or signal.")] = None,
    input_column: Annotated[str | None, typer.Option("--input", metavar="COLUMN", help="Likewise.")] = None,
) -> None:
    """Writes sums of features, counts and products, and no example: a source for another house's search."""
    from autotl import api

    features: dict[str, Any] = {
        "backbone": backbone,
        "like": like,
        "image_size": image_size,
        "crop": crop,
        "tap": tap,
        "sequence_length": sequence_length,
        "pooling": pooling,
    }
    if add:
        written = api.add_statistics(data, out=out)
    else:
        if len(data) != 1:
            raise UsageError("name one DATA, or several statistics files with --add.")
        written = api.write_statistics_of(
            data[0],
            out=out,
            features=api.FeaturesAsked(**features),
            name=name,
            domain=domain,
            rare=rare,
            noise=api.noise_of(epsilon, delta, clip),
            about=api.Asked(label=label, modality=modality, input=input_column),
        )
    for sentence in written.sentences:
        say(visible(sentence))
