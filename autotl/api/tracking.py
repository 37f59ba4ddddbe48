"""Runs and promoted versions in MLflow's tracking and registry, where somebody asks for it: nothing is sent otherwise.

What MLflow shows is read off the run folder and the registry afterwards: neither search nor sign-off depends on it.
"""

import csv
import importlib.util
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from autotl.api.signing_off import Promotion
from autotl.api.standing import read_leaderboard
from autotl.errors import EnvironmentProblemError, UsageError, first_line
from autotl.leaderboard import winner_of
from autotl.production.bundle import CARD
from autotl.production.registry import Registry
from autotl.run import RunFolder
from autotl.run.folder import LEADERBOARD_JSON, REPORT, TASK, WINNER
from autotl.run.trial_files import CURVE

if TYPE_CHECKING:
    from mlflow import MlflowClient

MISSING = "MLflow is an extra that is not installed: pip install 'autotl[mlflow]'"
NO_TELEMETRY = "MLFLOW_DISABLE_TELEMETRY"  # MLflow tells its makers of its use unless this is set
PARENT, RUN, TRIAL, VERSION = "mlflow.parentRunId", "autotl.run", "autotl.trial", "autotl.version"
AT_ONCE = 90  # values in one request; MLflow takes 100 parameters
LONGEST = 500  # letters of a value
ARTIFACTS = (REPORT, LEADERBOARD_JSON, TASK, f"{WINNER}/{CARD}")


@dataclass(frozen=True)
class Entry:
    """A run of MLflow's, as it is to be written: one for the search, one for each trial.

    Attributes:
        curve: (figure, value, step) in their order.
    """

    name: str
    tags: Mapping[str, str]
    parameters: Mapping[str, str]
    figures: Mapping[str, float]
    curve: Sequence[tuple[str, float, int]] = ()
    status: str = "FINISHED"


@dataclass(frozen=True)
class Tracking:
    """An MLflow that answers. `MLFLOW_TRACKING_URI` says where it is; without it, `mlflow.db` in the current folder."""

    client: "MlflowClient"
    place: str

    def add_run(self, run: Path | str) -> str:
        """A parent run for the search and a child run for every trial; of a run that is there already nothing new.

        Returns:
            What was done, in a sentence.
        Raises:
            EnvironmentProblemError: MLflow does not answer any more.
        """
        folder = RunFolder.open(Path(run))
        content = read_leaderboard(folder)
        searched, task = _entry_of_search(folder, content), str(content["task"])
        trials = [_entry_of_trial(folder, row) for row in content["trials"]]
        artifacts = [str(folder.path / each) for each in ARTIFACTS if folder.has(each)]
        with _told(self.place):
            experiment = self._experiment(task)
            if self._run_called(experiment, searched.name) is not None:
                return f"{searched.name} is in MLflow at {self.place} already."
            parent = self._begin(experiment, searched)
            for artifact in artifacts:
                self.client.log_artifact(parent, artifact)
            for trial in trials:
                child = self._begin(experiment, replace(trial, tags={PARENT: parent, **trial.tags}))
                self.client.set_terminated(child, status=trial.status)
            self.client.set_terminated(parent, status=searched.status)
        counted = "1 trial" if len(trials) == 1 else f"{len(trials):,} trials"
        return f"{searched.name} is in MLflow at {self.place}: {counted}, experiment {task}."

    def add_promotion(self, done: Promotion) -> str:
        """The version in MLflow's registry with its reason, and the alias on it.

        MLflow numbers versions itself, so they may differ from ours; the tag `autotl.version` bears ours.

        Returns:
            What was done, in a sentence.
        Raises:
            EnvironmentProblemError: MLflow does not answer any more.
        """
        model, record = done.version.model, done.version.record
        task, run = str(record["task"]), str(record["source"]["run"])
        tags = {VERSION: str(done.version.number), RUN: run, TRIAL: str(record["source"]["trial"])}
        source, reason = done.version.bundle_folder.resolve().as_uri(), str(record["sign_off"]["reason"])
        move = Registry().history(model)[-1]
        words = f"{move.event} to {done.alias} by {move.by} at {move.at}: {move.reason}"[:LONGEST]
        with _told(self.place):
            number = self._registered(model, tags[VERSION])
            if number is None:
                number = self._register(model, source, reason, tags, run=self._run_of(task, run))
            self.client.set_registered_model_alias(model, done.alias, number)
            self.client.set_model_version_tag(model, number, f"autotl.{move.event}.{done.alias}", words)
        return f"{model}@{done.alias} is version {number} in MLflow's registry at {self.place}."

    def _experiment(self, task: str) -> str:
        found = self.client.get_experiment_by_name(task)
        return self.client.create_experiment(task) if found is None else str(found.experiment_id)

    def _run_called(self, experiment: str, name: str) -> str | None:
        quoted = name.replace("'", "")
        found = self.client.search_runs([experiment], f"tags.`{RUN}` = '{quoted}'", max_results=1)
        return found[0].info.run_id if found else None

    def _run_of(self, task: str, name: str) -> str | None:
        """MLflow's run of a search of ours; None where it was not written there."""
        experiment = self.client.get_experiment_by_name(task)
        return None if experiment is None else self._run_called(str(experiment.experiment_id), name)

    def _begin(self, experiment: str, entry: Entry) -> str:
        """A run with all that is known of it, which has not ended yet."""
        from mlflow.entities import Metric, Param

        run = str(self.client.create_run(experiment, run_name=entry.name, tags=dict(entry.tags)).info.run_id)
        values = [Param(key, value) for key, value in entry.parameters.items()]
        metrics = [Metric(key, value, 0, 0) for key, value in entry.figures.items()]
        metrics += [Metric(key, value, 0, step) for key, value, step in entry.curve]
        for start in range(0, max(len(values), len(metrics)), AT_ONCE):
            chosen = slice(start, start + AT_ONCE)
            self.client.log_batch(run, metrics=metrics[chosen], params=values[chosen])
        return run

    def _registered(self, model: str, version: str) -> str | None:
        """MLflow's number of a version that is there."""
        found = self.client.search_model_versions(f"name = '{model}'")
        return next((str(each.version) for each in found if each.tags.get(VERSION) == version), None)

    def _register(self, model: str, source: str, reason: str, tags: Mapping[str, str], *, run: str | None) -> str:
        if not self.client.search_registered_models(f"name = '{model}'"):
            self.client.create_registered_model(model)
        made = self.client.create_model_version(model, source=source, run_id=run, description=reason, tags=dict(tags))
        return str(made.version)


def open_tracking(*, offline: bool = False) -> Tracking:
    """MLflow, asked once whether it answers: before a search begins, not after it.

    Raises:
        UsageError: it is elsewhere, and nothing may be sent.
        EnvironmentProblemError: the extra is not installed, or it does not answer.
    """
    if importlib.util.find_spec("mlflow") is None:
        raise EnvironmentProblemError(MISSING)
    os.environ.setdefault(NO_TELEMETRY, "true")  # read when MLflow is imported
    import mlflow

    place = str(mlflow.get_tracking_uri())
    if offline and urlsplit(place).scheme in ("http", "https", "databricks"):
        raise UsageError(f"--mlflow would send the run to {_public(place)}, and --offline forbids that.")
    with _told(_public(place)):
        client = mlflow.MlflowClient(tracking_uri=place, registry_uri=place)
        client.search_experiments(max_results=1)
    return Tracking(client, _public(place))


@contextmanager
def _told(place: str) -> Iterator[None]:
    """What goes wrong in MLflow is the environment's fault, told in a line; what goes wrong in autotl is not."""
    try:
        yield
    except _errors_of_mlflow() as error:
        raise EnvironmentProblemError(f"MLflow at {place}: {first_line(error)[:LONGEST]}") from error


def _errors_of_mlflow() -> tuple[type[Exception], ...]:
    """Its own, those of its connection and of its database, whose driver may be missing."""
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    return MlflowException, OSError, SQLAlchemyError, ImportError


def _public(place: str) -> str:
    """The address without a password."""
    parts = urlsplit(place)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl() if "@" in parts.netloc else place


def _entry_of_search(folder: RunFolder, content: Mapping[str, Any]) -> Entry:
    """What the search was about, and the plan that won with its figures."""
    name = folder.path.resolve().name
    winner = winner_of(content["trials"]) or {}
    facts = {"task": content["task"], "metric": content["metric"], "regime": content.get("regime")}
    told = {key: value for key, value in facts.items() if value is not None} | dict(_flat(winner.get("plan", {})))
    return Entry(name, {RUN: name, "autotl.metric": str(content["metric"])}, _as_text(told), _figures(winner))


def _entry_of_trial(folder: RunFolder, row: Mapping[str, Any]) -> Entry:
    tags = {TRIAL: row["trial"], "autotl.status": row["status"], "autotl.winner": row["winner"]}
    tags |= {f"autotl.{name}": row[name] for name in ("baseline", "failure") if row.get(name)}
    return Entry(
        f"trial {row['trial']}",
        _as_text(tags),
        _as_text(dict(_flat(row["plan"]))),
        _figures(row),
        _curve(folder.trial(row["trial"]) / CURVE),
        status="FINISHED" if row["status"] in ("complete", "pruned") else "FAILED",
    )


def _as_text(values: Mapping[str, Any]) -> dict[str, str]:
    """As text, no longer than MLflow takes it."""
    return {name: str(value)[:LONGEST] for name, value in values.items()}


def _figures(row: Mapping[str, Any]) -> dict[str, float]:
    """Every finite figure of a leaderboard row."""
    found: dict[str, Any] = {}
    for name in ("score", "test", "refit_test"):
        found |= {f"{name}.{end}": value for end, value in (row.get(name) or {}).items() if end != "kind"}
    found |= {f"scores.{name}": value for name, value in (row.get("scores") or {}).items()}
    found |= {f"seconds.{name}": value for name, value in (row.get("seconds") or {}).items()}
    found |= {name: row.get(name) for name in ("params", "model_mb", "latency_ms", "epochs")}
    return {name: float(value) for name, value in found.items() if _is_number(value)}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _flat(values: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """`adaptation.method` and so on."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value


def _curve(path: Path) -> list[tuple[str, float, int]]:
    """The learning curve of a trial, an epoch a step."""
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    values = [(name, float(row[name]), int(row["epoch"])) for row in rows for name in ("train_loss", "score")]
    return [value for value in values if math.isfinite(value[1])]
