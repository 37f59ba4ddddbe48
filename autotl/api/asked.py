"""What was asked of a run, written down before its first trial: the resolved task, the space, the data as found."""

import importlib.metadata
import math
import platform
import re
import shlex
from dataclasses import asdict
from pathlib import Path
from typing import Any

from autotl import __version__
from autotl.api.opening import OpenedTask, trial_seconds, wall_seconds, wanted_baselines
from autotl.data import TaskData
from autotl.run import RunFolder, Study
from autotl.run.folder import SPACE, TASK
from autotl.run.known_inputs import known_inputs, write_known_inputs
from autotl.task import Task, write_yaml
from autotl.task.values import DEFAULT_SHARE, PRICE

ASKED = "asked"  # the fact by which a run is resumed
OVERRIDES = (  # kept in it
    "trials",
    "wall",
    "trial_wall",
    "workers",
    "early_stopping",
    "stops_when_done",
    "baselines",
    "refit",
    "require",
    "offline",
    "history",
)

LIBRARIES = ("keras", "tensorflow", "keras-hub", "ray", "optuna", "numpy", "scikit-learn")


def write_what_was_asked(task: OpenedTask, data: TaskData, run: RunFolder, study: Study) -> None:
    """task.yaml and space.yaml with every default filled in, and what is known of the data before any training."""
    digest = f"# resolved by autotl {__version__}; data digest {data.summary['fingerprint']}\n"
    trials = task.task.budget.trials if task.overrides.trials is None else task.overrides.trials
    wall = f"{wall_seconds(task.task, task.overrides):.0f}s"
    budget = {"trials": trials, "wall": wall, "seeds": task.task.budget.seeds}
    of_a_trial = trial_seconds(task.task, task.overrides)
    if math.isfinite(of_a_trial):
        budget["trial_wall"] = f"{of_a_trial:.0f}s"
    baselines = wanted_baselines(task.task, task.overrides)
    resolved = task.task.as_yaml(
        data=_with_test_share(task.task, data),
        modality=data.modality,
        metric=task.metric,
        budget=budget,
        baselines=baselines if isinstance(baselines, str) else list(baselines),
    )
    run.write(TASK, digest + resolved)
    run.write(SPACE, write_yaml(task.space.as_mapping()))
    if task.task.privacy is None:  # names and digests would tell who is among the examples
        write_known_inputs(run, known_inputs(data))
    facts = {
        "task": {
            "name": task.task.name,
            "modality": data.modality,
            "metric": task.metric,
            "budget": budget,
            "seed": task.task.seed,
            "class_weights": task.task.weights,
        },
        "regime": "few_labels" if data.has_few_labels else data.score_kind,
        "higher_is_better": task.higher_is_better,
        "setting": {"name": data.setting, "sentences": task.description["follows"]},
        "data": dict(data.summary),
        "findings": [{**asdict(found), "examples": list(found.examples)} for found in data.findings],
        "space": task.space.as_mapping(),
        "versions": versions(),
        "folder": str(task.task.folder),  # where the task's relative paths start; no report shows it
        "reproduce": [_command(task), f"autotl leaderboard {told_path(run.path)}"],
        ASKED: as_asked(task),
    }
    if task.task.resources.price_per_hour is not None:
        facts["price"] = price_of(task.task.resources.price_per_hour)
    with study.transaction():
        for name, value in facts.items():
            study.put_fact(name, value)


def as_asked(task: OpenedTask) -> dict[str, Any]:
    """What a run was begun with, before data and machine have settled anything, as plain JSON values."""
    return {
        "task_file": str(task.path.absolute()),
        "task": task.task.as_yaml(),
        "space": task.asked_space.as_mapping(),
        "given": [plan.as_dict() for plan in task.given],
        "overrides": {name: getattr(task.overrides, name) for name in OVERRIDES},
    }


def _with_test_share(task: Task, data: TaskData) -> object:
    """The data section with the test share that was decided by the number of rows."""
    target = task.data.target
    if target.test is not None or (data.test is not None and data.test.protocol != "share"):
        return task.data
    decided = target.model_copy(update={"test": DEFAULT_SHARE if data.test is not None else 0.0})
    return task.data.model_copy(update={"target": decided})


def price_of(written: str) -> dict[str, object]:
    """`2.40 EUR` as `{"an_hour": 2.4, "currency": "EUR"}`; a bare amount has no currency."""
    found = re.fullmatch(PRICE, written)
    assert found is not None, "the task was checked"
    return {"an_hour": float(found["amount"]), "currency": found["currency"] or ""}


def versions() -> dict[str, str]:
    """What computes this run."""
    found = {"autotl": __version__, "python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def told_path(path: Path) -> Path:
    """A path as the report may show it: whoever gets the report learns of no folder outside the current one."""
    if not path.is_absolute():
        return path
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else Path(path.name)


def _command(task: OpenedTask) -> str:
    """The command line that searches the same again."""
    overrides = task.overrides
    words = ["autotl", "search", str(told_path(task.path)), "--out", "NEW_FOLDER"]
    for option in ("trials", "wall", "trial_wall", "workers", "start_with", "baselines", "require"):
        value = getattr(overrides, option)
        if value is not None:
            words += [f"--{option.replace('_', '-')}", str(told_path(value) if isinstance(value, Path) else value)]
    words += [] if overrides.early_stopping else ["--no-early-stop"]
    words += [] if overrides.stops_when_done else ["--all-trials"]
    words += [] if overrides.refit else ["--no-refit"]
    words += [] if overrides.history else ["--no-history"]
    words += ["--offline"] if overrides.offline else []
    return shlex.join(words)
