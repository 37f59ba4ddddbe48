"""`autotl export`: a model in a format that runs without autotl."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich import box
from rich.table import Table

from autotl.cli.arguments import ModelName
from autotl.cli.screen import say, screen
from autotl.report.wording import score, visible

if TYPE_CHECKING:
    from autotl.production.exporting import Exported

LEAST_AGREEMENT = 0.95  # of labels, or concordance of numbers, below which a quantized model is called another one


def add_to(app: typer.Typer) -> None:
    """Adds the command of this file."""
    app.command(
        epilog="Examples: autotl export runs/first --format onnx --out kitchen-onnx · "
        "autotl export kitchen@production --format litert --quantize int8 --out phone · "
        "next: python kitchen-onnx/predict.py FILE"
    )(export)


def export(
    model: ModelName,
    format: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="saved_model, litert, onnx, openvino or native.")
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="The folder to write; must be empty.")],
    quantize: Annotated[
        str | None, typer.Option(metavar="int8", help="For litert: 8 bits a number, with what that costs.")
    ] = None,
    examples: Annotated[
        Path | None,
        typer.Option(metavar="DATA", help="What to compare both on; the run's data where they are at hand."),
    ] = None,
) -> None:
    """Writes a model in another format and compares both, from raw files to answers, before it is yours."""
    from autotl import api

    done = api.export(model, format=format, out=out, quantize=quantize, examples=examples)
    for sentence in parity_sentences(done):
        say(visible(sentence))
    screen().print(parity_table(done.record))
    say(visible(f"Next: python {done.path / 'predict.py'} FILE (needs no autotl; its first lines say what it needs)"))


def parity_sentences(done: "Exported") -> list[str]:
    """What was written, and whether it is still the model."""
    from autotl.scoring.answers import ANSWERS

    parity, answers = done.record["parity"], ANSWERS[done.record["problem"]]
    kind = f"{done.format}, {done.record['quantized']}" if done.record["quantized"] else done.format
    sentences = [
        f"Written to {done.path}/: {kind}.",
        f"Compared on {parity['examples']} examples {parity['of']}, from raw files to answers: they differ by "
        f"{parity['max_difference']:.2g} {answers.apart} at most, and {answers.agreeing(parity['agreement'])}.",
    ]
    figure = parity[answers.figure]
    if figure is not None:
        before, after = (score(figure[which]) for which in ("bundle", "export"))
        known = f"on {figure['examples']} of these whose label is known"
        sentences.append(f"{answers.figure} {known}: {before} before, {after} after.")
    if parity["agreement"] < LEAST_AGREEMENT:
        sentences.append(
            "That is not the model that was approved: judge it by its own figures, or export it without --quantize."
        )
    return sentences


def parity_table(record: Mapping[str, Any]) -> Table:
    """Latency and size of both, beside each other."""
    table = Table("", "the model", record["format"], box=box.SIMPLE_HEAD)
    for column in table.columns[1:]:
        column.justify = "right"
    latency, size = record["latency_ms"], record["size_mb"]
    for name, words in (("p50", "latency, half are below"), ("p95", "latency, 95 % are below")):
        table.add_row(words, *(f"{latency[which][name]:.2f} ms" for which in ("bundle", "export")))
    table.add_row("size", *(f"{size[which]:.1f} MB" for which in ("bundle", "export")))
    table.caption = "One example at a time on one core, from the raw example in memory to its answer."
    table.caption_justify = "left"
    return table
