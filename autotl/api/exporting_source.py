"""`export-source`: from a run to the one file that may leave the house of its data."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autotl.api.asked import versions
from autotl.api.quiet import import_keras
from autotl.api.reopening import reopen_task
from autotl.api.run_trial import refuse_unless_kept
from autotl.api.standing import read_leaderboard
from autotl.data import TaskData
from autotl.data.exported import ExportedSource
from autotl.errors import UsageError
from autotl.production.discretion import refuse_unless_it_may_leave
from autotl.run import RunFolder, trial_files
from autotl.scoring.calibration import calibrate
from autotl.scoring.metrics import METRICS
from autotl.task import Task
from autotl.task.problem import CLASSIFICATION


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
    reopened = reopen_task(opened, folder=folder)
    _refuse_unless_it_tells_classes(reopened.task)
    row = _row(opened, trial)
    plan = reopened.plan_of(row)
    refuse_unless_it_may_leave(plan, trial=row["trial"])
    data = reopened.read_data()
    import_keras()
    from autotl.production.source_export import write_exported
    from autotl.trial.network_learner import NetworkLearner

    workshop = reopened.workshop_order(data)()
    learner = workshop.trained(plan, trial_files.read_weights(opened.trial(row["trial"])))
    assert isinstance(learner, NetworkLearner), "refused above"
    return write_exported(
        path,
        learner,
        plan,
        data,
        workshop.taught(plan, workshop.folds(plan)[0].train),
        task=reopened.task.name,
        temperature=_temperature(opened, row, data),
        metric=reopened.metric,
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


def _refuse_unless_it_tells_classes(task: Task) -> None:
    """Raises a UsageError where other things than classes are learnt: the other house could not adapt such a model."""
    if task.problem != CLASSIFICATION.name:
        raise UsageError(
            f"{task.name} is a 'problem: {task.problem}': an exported source is adapted by the classes that its model "
            "tells, and this one tells none. To hand on the model as it is: autotl export RUN."
        )


def _row(run: RunFolder, trial: int | None) -> Mapping[str, Any]:
    rows = read_leaderboard(run)["trials"]
    row = next((row for row in rows if (row["winner"] if trial is None else row["trial"] == trial)), None)
    if row is None:
        words = "no trial won. Name one: --trial N" if trial is None else f"there is no trial {trial}"
        raise UsageError(f"{run.path}: {words}.")
    refuse_unless_kept(run, rows, row)
    return row


def _temperature(run: RunFolder, row: Mapping[str, Any], data: TaskData) -> float:
    outputs = trial_files.read_outputs(run.trial(row["trial"]))
    return float(calibrate(data.labels[outputs.rows], outputs.validation)["temperature"])


def _scores(scores: Mapping[str, float | None]) -> dict[str, float]:
    """By metric, on labelled examples; where the target had no labels, the source's."""
    found = {name: scores.get(name, scores.get(f"source_{name}")) for name in METRICS}
    return {name: float(value) for name, value in found.items() if value is not None}
