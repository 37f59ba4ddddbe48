"""The commands. Each is a few lines over `autotl.api`; heavy rooms are imported inside them."""

import json
import logging
import os
import signal
import sys
import threading
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer

from autotl import __version__
from autotl.cli import exporting, health, operating, review, sign_off, statistics
from autotl.cli.arguments import ModelName, RunPath, TaskPath
from autotl.cli.screen import say, tell_error, warn
from autotl.errors import AutotlError
from autotl.report.wording import duration, visible

app = typer.Typer(
    name="autotl",
    help="Finds, for one task, the best way to reuse a pretrained network.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def run(arguments: Sequence[str]) -> int:
    """Runs one command line; returns its exit code."""
    _set_up_logging()
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _end_in_order)
    try:
        app(args=list(arguments), prog_name="autotl")
    except SystemExit as ended:  # usage errors, --help and the end of a command arrive here
        return ended.code if isinstance(ended.code, int) else 0
    except KeyboardInterrupt:
        return 130
    except AutotlError as error:
        tell_error(str(error))
        return error.exit_code
    except Exception:
        traceback.print_exc()
        warn("This is a bug in autotl; the lines above say where.")
        return AutotlError.exit_code
    return 0


def _end_in_order(number: int, _: FrameType | None) -> None:
    """What is half-written is taken away, and processes of ours are ended, as after Ctrl-C."""
    raise SystemExit(128 + number)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(__version__)
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """Finds, for one task, the best way to reuse a pretrained network."""


@app.command(
    epilog="Examples: autotl init photos/ · autotl init data.csv --label species · next: the commands that it prints"
)
def init(
    data: Annotated[
        list[Path],
        typer.Argument(metavar="DATA", help="A folder of class folders, a CSV or Parquet, an .npz; or several."),
    ],
    out: Annotated[Path, typer.Option(metavar="FILE", help="The file to write; never overwritten.")] = Path(
        "task.yaml"
    ),
    source: Annotated[
        list[Path] | None, typer.Option(metavar="DATA", help="A labelled domain that helps; may be given again.")
    ] = None,
    label: Annotated[str | None, typer.Option(metavar="COLUMN", help="What to predict.")] = None,
    modality: Annotated[str | None, typer.Option(help="image, text, table or signal.")] = None,
    input_column: Annotated[
        str | None, typer.Option("--input", metavar="COLUMN", help="The column with texts or image paths.")
    ] = None,
) -> None:
    """Looks at your data and writes a commented task.yaml that a search runs as it is. Trains nothing."""
    from autotl.api import write_task

    written = write_task(data, out=out, source=source or (), label=label, modality=modality, input=input_column)
    for sentence in written.sentences:
        say(sentence)
    say(f"{written.path} is written and fits the data. Read it, then: autotl search {written.path}")


@app.command(epilog="Example: autotl validate task.yaml --full · next: autotl search task.yaml")
def validate(
    task: TaskPath,
    full: Annotated[bool, typer.Option("--full", help="Also open every file, look for leaks, load backbones.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print data only.")] = False,
) -> None:
    """Checks a task and its data and says everything that is wrong at once. Trains nothing."""
    from autotl.api import validate as check
    from autotl.cli.tables import findings_words

    result = check(task, full=full)
    if as_json:
        print(json.dumps(result.as_dict(), indent=1))
        return
    for words in [*result.sentences, *findings_words(result.findings)]:
        say(words)
    say(f"{task} is fine. Next: autotl search {task}")


@app.command(
    epilog="Examples: autotl plan task.yaml · autotl plan task.yaml --wall 2h --price '2.40 EUR' · "
    "next: autotl search task.yaml"
)
def plan(
    task: TaskPath,
    trials: Annotated[int | None, typer.Option(min=0, help="Trials at most, baselines not counted.")] = None,
    wall: Annotated[str | None, typer.Option(metavar="30m", help="Time for the whole command.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Trials at once.", envvar="AUTOTL_WORKERS")] = None,
    baselines: Annotated[str | None, typer.Option(help="auto, none, or names joined by commas.")] = None,
    no_early_stop: Annotated[bool, typer.Option("--no-early-stop", help="Train every plan to its last epoch.")] = False,
    price: Annotated[
        str | None, typer.Option(metavar="AN_HOUR", help="What an hour of this machine costs, such as '2.40 EUR'.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print data only.")] = False,
) -> None:
    """Says what a search would take: trials, time, disk, memory and money. Trains nothing."""
    from autotl import api

    settings: dict[str, Any] = {"trials": trials, "wall": wall, "workers": workers, "baselines": baselines}
    settings |= {"price": price, "early_stopping": not no_early_stop}
    several = api.plan_each(task, **settings)
    planned = list(several.values()) or [api.plan(task, **settings)]
    if as_json:
        told = {"schema": 1, "tasks": {name: each.as_dict() for name, each in several.items()}}
        print(json.dumps(told if several else planned[0].as_dict(), indent=1))
        return
    for name, each in zip(several or [None], planned, strict=True):
        for sentence in [*([] if name is None else [f"{name}:"]), *each.sentences]:
            say(sentence)
    if several:
        seconds = sum(each.forecast.seconds for each in planned)
        say(f"All {len(several)} tasks, one after the other: about {duration(seconds)}.")


@app.command(
    epilog="Examples: autotl search task.yaml --wall 30m · autotl search task.yaml --trials 24 --out runs/first · "
    "autotl search --resume runs/first · autotl search a.yaml b.yaml --wall 2h"
)
def search(
    tasks: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="task.yaml…",
            help="What you want, as a YAML file, or several to be searched in turn; with --resume it may be left out.",
        ),
    ] = None,
    trials: Annotated[int | None, typer.Option(min=0, help="Trials at most, baselines not counted.")] = None,
    wall: Annotated[
        str | None, typer.Option(metavar="30m", help="Time for the whole command, all tasks together.")
    ] = None,
    trial_wall: Annotated[
        str | None, typer.Option(metavar="10m", help="Time for one trial; one that hangs is ended without it, too.")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Trials at once.", envvar="AUTOTL_WORKERS")] = None,
    out: Annotated[
        str | None,
        typer.Option(
            metavar="DIR",
            help="The run folder, or that of several tasks' runs; must be empty. May be a URL, such as s3://bucket/run.",
        ),
    ] = None,
    start_with: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Plans to train first, a JSON or YAML list.")
    ] = None,
    no_early_stop: Annotated[bool, typer.Option("--no-early-stop", help="Train every plan to its last epoch.")] = False,
    all_trials: Annotated[
        bool, typer.Option("--all-trials", help="Use all trials and time, also when no further gain is expected.")
    ] = False,
    baselines: Annotated[str | None, typer.Option(help="auto, none, or names joined by commas.")] = None,
    no_refit: Annotated[bool, typer.Option("--no-refit", help="Ship the winning trial's own weights.")] = False,
    require: Annotated[
        str | None, typer.Option(metavar="metric>=x", help="Exit with 6 where the winner misses this.")
    ] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Open no socket to the outside.", envvar="AUTOTL_OFFLINE")
    ] = False,
    no_history: Annotated[
        bool, typer.Option("--no-history", help="Ask no earlier search what did well, and keep nothing for later ones.")
    ] = False,
    resume: Annotated[
        str | None,
        typer.Option(metavar="RUN", help="Go on with a run that was stopped or killed, or is to be given more."),
    ] = None,
    address: Annotated[
        str | None,
        typer.Option(metavar="HOST:PORT", help="Run on this Ray cluster; auto for the one that this machine is in."),
    ] = None,
    mlflow: Annotated[
        bool, typer.Option("--mlflow", help="Show the run in MLflow, too: where MLFLOW_TRACKING_URI says.")
    ] = False,
) -> None:
    """Searches, retrains the winner, tests it once, and writes the run folder with its report."""
    from autotl import api
    from autotl.cli.searching import search_and_show

    settings = api.Overrides(
        trials=trials,
        wall=wall,
        trial_wall=trial_wall,
        workers=workers,
        out=_folder_or_url(out),
        start_with=start_with,
        early_stopping=not no_early_stop,
        stops_when_done=not all_trials,
        baselines=baselines,
        refit=not no_refit,
        require=require,
        offline=offline,
        resume=_folder_or_url(resume),
        history=not no_history,
        address=address,
    )
    if not mlflow:
        search_and_show(tasks or [], settings)
        return
    from autotl.api.tracking import open_tracking

    tracking = open_tracking(offline=offline)  # whether it answers is told before the search, not after it
    search_and_show(tasks or [], settings, then=lambda run: say(visible(tracking.add_run(run))))


@app.command(epilog="Example: autotl demo --out demo · next: the commands that it prints")
def demo(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where data and run go; must be empty.")] = Path(
        "autotl-demo"
    ),
) -> None:
    """Learns handwritten digits from printed ones, without one handwritten label. Needs no download beyond packages."""
    from autotl import api
    from autotl.cli.searching import search_and_show

    task = api.write_demo(out)
    say(f"Data and task written to {task.parent}/. Running: autotl search {task}")
    search_and_show([task], api.Overrides(out=out / "run"))


@app.command(
    epilog="Examples: autotl predict runs/first photos/ --out predictions.csv · "
    "autotl predict kitchen@production new.csv · find . -name '*.jpg' | autotl predict kitchen:3 -"
)
def predict(
    model: ModelName,
    data: Annotated[
        Path,
        typer.Argument(
            metavar="DATA",
            help="A folder, a file, a table or an .npz; - for standard input: a CSV, or an image's path a line.",
        ),
    ],
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where to write; standard output if left out.")
    ] = None,
) -> None:
    """Writes what the model says of every input: a class, labels or a number, and how sure it is."""
    from autotl import api

    given = str(data) == "-"
    predictions = api.predict_given(model, sys.stdin.buffer.read()) if given else api.predict(model, data)
    for broken in predictions.skipped:
        warn(f"skipped: {broken}")
    for caution in predictions.form.cautions():
        warn(caution)
    if out is None:
        print(predictions.as_csv(), end="")
    else:
        predictions.write(out)
        say(f"{len(predictions.ids)} predictions written to {out}")


@app.command(
    epilog="Example: autotl export-source runs/first --out kitchen.source.zip · next: in the other house a task with "
    "source: {exported: kitchen.source.zip}"
)
def export_source(
    run: RunPath,
    out: Annotated[Path, typer.Option(metavar="FILE", help="The file to write, such as kitchen.source.zip.")],
    trial: Annotated[int | None, typer.Option(help="Which trial; the winner if left out.")] = None,
    folder: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the task's paths start, if its files have moved.")
    ] = None,
) -> None:
    """Writes a trial's model and what may be told of its data, without any example, to be adapted elsewhere."""
    from autotl import api

    for sentence in api.exported_words(api.export_source(run, out=out, trial=trial, folder=folder)):
        say(sentence)


def _folder_or_url(given: str | None) -> Path | str | None:
    return Path(given) if given is not None and "://" not in given else given


review.add_to(app)
exporting.add_to(app)
statistics.add_to(app)
sign_off.add_to(app)
operating.add_to(app)
health.add_to(app)


def _set_up_logging() -> None:
    level = os.environ.get("AUTOTL_LOG_LEVEL", "WARNING").upper()
    if level not in logging.getLevelNamesMapping():
        level = "WARNING"
    handler = logging.StreamHandler(sys.stderr)
    handler.setLevel(level)  # of what the screen shows; a run's log.jsonl holds more
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(handlers=[handler], level=level)
