"""`export-source`: from a run to the one file that may leave the house of its data."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autotl.api.asked import versions
from autotl.api.quiet import import_keras
from autotl.api.searching import order_of_workshop
from autotl.api.standing import read_leaderboard
from autotl.data import TaskData, load_data
from autotl.data.exported import ExportedSource
from autotl.errors import StorageError, UsageError
from autotl.plan.fields import parse_plan
from autotl.production.discretion import refuse_unless_it_may_leave
from autotl.run import RunFolder, Study, trial_files
from autotl.run.folder import STUDY, TASK
from autotl.scoring.calibration import calibrate
from autotl.scoring.metrics import METRICS
from autotl.task import Task, read_yaml, task_from_mapping


def export_source(
    run: Path | str, *, out: Path | str, trial: int | None = None, folder: Path | str | None = None
) -> ExportedSource:
    """Writes a trial's model with what may be told of its data, and no example, to be adapted in another house.

    The run's data are read again: statistics of their features go into the file.

    Args:
        out: the file to write; there must be none yet.
        trial: the run's winner where left out.
        folder: where the task's relative paths start, if its files have moved.
    Raises:
        UsageError: no such trial, none whose weights were kept, or one whose model holds examples.
        DataError: the data cannot be read, or a statistic would tell of single examples.
        StorageError: the data are not those of the run.
    """
    path, opened = Path(out), RunFolder.open(Path(run))
    if path.exists():
        raise UsageError(f"{path} is there already and is not overwritten. Choose another --out, or remove it.")
    facts = _facts(opened)
    task = _task_of(opened, Path(folder) if folder is not None else Path(facts.get("folder", ".")))
    row = _row(opened, trial)
    where, modality = f"trial {row['trial']}", facts["task"]["modality"]
    plan = parse_plan(row["plan"], where=where, folder=task.folder, modality=modality).canonical()
    refuse_unless_it_may_leave(plan, trial=row["trial"])
    data = load_data(task)
    if data.summary["fingerprint"] != facts["data"]["fingerprint"]:
        raise StorageError(f"the data in {task.folder} are not those that {opened.path} was searched on.")
    import_keras()
    from autotl.production.exporting import write_exported
    from autotl.trial.network_learner import NetworkLearner

    metric = facts["task"]["metric"]
    workshop = order_of_workshop(task, data, metric=metric, offline=False)()
    learner = workshop.trained(plan, trial_files.read_weights(opened.trial(row["trial"])))
    assert isinstance(learner, NetworkLearner), "refused above"
    return write_exported(
        path,
        learner,
        plan,
        data,
        workshop.taught(plan, workshop.folds(plan)[0].train),
        task=task.name,
        temperature=_temperature(opened, row, data),
        metric=metric,
        scores=_scores(row["scores"]),
        versions=versions(),
    )


def exported_words(exported: ExportedSource) -> list[str]:
    """What is in a file that was written, for whoever decides whether it may leave."""
    described = exported.description
    examples = f"{sum(described.class_counts):,} examples"
    kept = [
        f"the network ({described.plan['backbone']}, head included) and how it reads an example",
        f"the names and counts of {len(described.classes)} classes",
        f"mean and deviation of {described.feature_width:,} features over {exported.statistics.count:,} examples",
        f"{len(described.scores)} validation scores and a temperature",
    ]
    return [
        f"{exported.path} holds {'; '.join(kept)}.",
        "It holds no example, no text, no file name and no features of one. What the weights themselves remember of "
        f"the {examples} that they were trained on is not bounded: that takes differential privacy.",
        "Next, in the other house, a task with data: "
        f"{{target: {{train: PATH, labels: none}}, source: {{exported: {exported.path.name}}}}}",
    ]


def _facts(run: RunFolder) -> dict[str, Any]:
    study = Study(run.path / STUDY)
    try:
        return study.facts()
    finally:
        study.close()


def _task_of(run: RunFolder, folder: Path) -> Task:
    """The task as it was resolved, its relative paths starting where they did."""
    if not folder.is_dir():
        raise UsageError(f"{folder}, where the task of {run.path} lay, is not there any more. Name it: --folder DIR.")
    content = read_yaml(run.path / TASK).value
    assert isinstance(content, dict), "a search wrote it"
    return task_from_mapping(content, folder=folder)


def _row(run: RunFolder, trial: int | None) -> Mapping[str, Any]:
    rows = read_leaderboard(run)["trials"]
    row = next((row for row in rows if (row["winner"] if trial is None else row["trial"] == trial)), None)
    if row is None:
        words = "no trial won. Name one: --trial N" if trial is None else f"there is no trial {trial}"
        raise UsageError(f"{run.path}: {words}.")
    if not (run.trial(row["trial"]) / trial_files.WEIGHTS).is_file():
        kept = [str(each["trial"]) for each in rows if (run.trial(each["trial"]) / trial_files.WEIGHTS).is_file()]
        hint = f"Trials that did: {', '.join(kept)}." if kept else "None did."
        raise UsageError(f"{run.path}: trial {row['trial']} ({row['status']}) kept no weights. {hint}")
    return row


def _temperature(run: RunFolder, row: Mapping[str, Any], data: TaskData) -> float:
    outputs = trial_files.read_outputs(run.trial(row["trial"]))
    return float(calibrate(data.labels[outputs.rows], outputs.validation)["temperature"])


def _scores(scores: Mapping[str, float | None]) -> dict[str, float]:
    """By metric, on labelled examples; where the target had no labels, the source's."""
    found = {name: scores.get(name, scores.get(f"source_{name}")) for name in METRICS}
    return {name: float(value) for name, value in found.items() if value is not None}
