"""Arguments that several commands take."""

from pathlib import Path
from typing import Annotated

import typer

TaskPath = Annotated[Path, typer.Argument(metavar="task.yaml", help="What you want, as a YAML file.")]
RunPath = Annotated[Path, typer.Argument(metavar="RUN", help="A run folder that `autotl search` wrote.")]
ModelName = Annotated[
    str, typer.Argument(metavar="MODEL", help="A run (its winner), or a promoted model: kitchen@production.")
]
