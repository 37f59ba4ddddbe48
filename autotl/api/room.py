"""What a task's search will write to which folder, as far as task and data tell before anything is loaded."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from autotl.api.opening import OpenedTask, wanted_baselines
from autotl.data import TaskData
from autotl.features import FeatureStore, default_limit_bytes, features_folder
from autotl.plan.baselines import baselines
from autotl.run import written_in
from autotl.run.folder import STUDY, default_path
from autotl.run.study import reading
from autotl.search.disk import Need, Scale, bytes_of_features, bytes_of_run

RUNS = Path("runs")


def run_path(task: OpenedTask) -> Path | str:
    """The run folder of a search that begins, or goes on; or its URL."""
    if task.begun is not None:
        return task.begun.run.path
    return task.overrides.out or default_path(task.task.name, RUNS, now=datetime.now())


def needs_of(task: OpenedTask, data: TaskData, run: Path | str) -> list[Need]:
    """What the search that begins, or goes on, will write."""
    scored = np.union1d(data.target_rows, np.concatenate([fold.validation for fold in data.folds]))
    examples = sum(len(inputs) for inputs in data.inputs)
    return _needs(
        task, Scale(examples, len(scored), len(data.classes), _trials_left(task, data.setting)), written_in(run)
    )


def needs_as_listed(task: OpenedTask) -> list[Need]:
    """What a search would write, before the data are read."""
    described = task.description
    rows = {name: _rows(domain) for name, domain in described["domains"].items()}
    scale = Scale(
        sum(rows.values()),
        rows.get("target", 0),
        len(described["classes"]),
        _trials_left(task, described["setting"]),
    )
    return _needs(task, scale, RUNS)


def _needs(task: OpenedTask, scale: Scale, run: Path) -> list[Need]:
    folder = features_folder()
    stored = FeatureStore(folder, limit_bytes=0).bytes_used() if folder.exists() else 0
    limit = default_limit_bytes(folder)
    features = bytes_of_features(task.space, scale.examples, store_limit=limit, stored=stored)
    return [
        Need(run, bytes_of_run(task.space, scale), "trials and models", "--out"),
        Need(folder, features, "stored features", "AUTOTL_CACHE_DIR"),
    ]


def _rows(domain: Mapping[str, Any]) -> int:
    return sum(domain[split]["rows"] for split in ("train", "validation") if split in domain)


def _trials_left(task: OpenedTask, setting: str) -> int:
    trials = task.task.budget.trials if task.overrides.trials is None else task.overrides.trials
    wanted = wanted_baselines(task.task, task.overrides)
    return trials + len(baselines(task.space, setting=setting, wanted=wanted)) - _trials_before(task)


def _trials_before(task: OpenedTask) -> int:
    if task.begun is None:
        return 0
    with reading(task.begun.run.path / STUDY) as study:
        return len(study.trials())
