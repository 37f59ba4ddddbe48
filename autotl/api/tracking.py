"""Runs and promoted versions in MLflow's tracking and registry, where somebody asks for it: nothing is sent otherwise.

What MLflow shows is read off the run folder and the registry afterwards: neither search nor sign-off depends on it.
"""

import csv
import importlib.util
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from autotl.api.signing_off import Promotion
from autotl.api.standing import read_leaderboard
from autotl.errors import EnvironmentProblemError, UsageError
from autotl.production.bundle import CARD
from autotl.production.registry import Registry, Version
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
        with _told(self.place):
            experiment = self._experiment(str(content["task"]))
            name = folder.path.resolve().name
            if self._run_called(experiment, name) is not None:
                return f"{name} is in MLflow at {self.place} already."
            parent = self._begin(experiment, name, {RUN: name, "autotl.metric": content["metric"]})
            self._log(parent, _parameters(content), _figures(_winner(content)))
            for artifact in ARTIFACTS:
                if folder.has(artifact):
                    self.client.log_artifact(parent, str(folder.path / artifact))
            for row in content["trials"]:
                self._add_trial(experiment, parent, folder, row)
            self.client.set_terminated(parent)
        count = len(content["trials"])
        trials = "1 trial" if count == 1 else f"{count:,} trials"
        return f"{name} is in MLflow at {self.place}: {trials}, experiment {content['task']}."

    def add_promotion(self, done: Promotion) -> str:
        """The version in MLflow's registry with its reason, and the alias on it.

        MLflow numbers versions itself, so they may differ from ours; the tag `autotl.version` bears ours.

        Returns:
            What was done, in a sentence.
        Raises:
            EnvironmentProblemError: MLflow does not answer any more.
        """
        version = done.version
        with _told(self.place):
            number = self._registered(version) or self._register(version)
            self.client.set_registered_model_alias(version.model, done.alias, number)
            move = Registry().history(version.model)[-1]
            words = f"{move.event} to {done.alias} by {move.by} at {move.at}: {move.reason}"
            self.client.set_model_version_tag(
                version.model, number, f"autotl.{move.event}.{done.alias}", words[:LONGEST]
            )
        return f"{version.model}@{done.alias} is version {number} in MLflow's registry at {self.place}."

    def _experiment(self, task: str) -> str:
        found = self.client.get_experiment_by_name(task)
        return self.client.create_experiment(task) if found is None else str(found.experiment_id)

    def _run_called(self, experiment: str, name: str) -> str | None:
        quoted = name.replace("'", "")
        found = self.client.search_runs([experiment], f"tags.`{RUN}` = '{quoted}'", max_results=1)
        return found[0].info.run_id if found else None

    def _begin(self, experiment: str, name: str, tags: Mapping[str, Any]) -> str:
        run = self.client.create_run(experiment, run_name=name, tags={key: str(value) for key, value in tags.items()})
        return str(run.info.run_id)

    def _add_trial(self, experiment: str, parent: str, folder: RunFolder, row: Mapping[str, Any]) -> None:
        tags = {PARENT: parent, TRIAL: row["trial"], "autotl.status": row["status"], "autotl.winner": row["winner"]}
        tags |= {f"autotl.{name}": row[name] for name in ("baseline", "failure") if row.get(name)}
        child = self._begin(experiment, f"trial {row['trial']}", {key: str(tag)[:LONGEST] for key, tag in tags.items()})
        self._log(child, dict(_flat(row["plan"])), _figures(row), _curve(folder.trial(row["trial"]) / CURVE))
        self.client.set_terminated(child, status="FINISHED" if row["status"] in ("complete", "pruned") else "FAILED")

    def _log(
        self,
        run: str,
        parameters: Mapping[str, Any],
        figures: Mapping[str, float],
        curve: Sequence[tuple[str, float, int]] = (),
    ) -> None:
        from mlflow.entities import Metric, Param

        values = [Param(key, str(value)[:LONGEST]) for key, value in parameters.items()]
        metrics = [Metric(key, value, 0, 0) for key, value in figures.items()]
        metrics += [Metric(key, value, 0, step) for key, value, step in curve]
        for start in range(0, max(len(values), len(metrics)), AT_ONCE):
            chosen = slice(start, start + AT_ONCE)
            self.client.log_batch(run, metrics=metrics[chosen], params=values[chosen])

    def _registered(self, version: Version) -> str | None:
        """MLflow's number of a version that is there."""
        found = self.client.search_model_versions(f"name = '{version.model}'")
        return next((str(each.version) for each in found if each.tags.get(VERSION) == str(version.number)), None)

    def _register(self, version: Version) -> str:
        if not self.client.search_registered_models(f"name = '{version.model}'"):
            self.client.create_registered_model(version.model)
        record = version.record
        experiment = self.client.get_experiment_by_name(str(record["task"]))
        name = record["source"]["run"]
        run = None if experiment is None else self._run_called(str(experiment.experiment_id), name)
        made = self.client.create_model_version(
            version.model,
            source=version.bundle_folder.resolve().as_uri(),
            run_id=run,
            description=str(record["sign_off"]["reason"]),
            tags={VERSION: str(version.number), RUN: name, TRIAL: str(record["source"]["trial"])},
        )
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
    """Whatever goes wrong inside is the environment's fault, told in a line."""
    try:
        yield
    except Exception as error:
        words = str(error).strip().splitlines() or [type(error).__name__]
        raise EnvironmentProblemError(f"MLflow at {place}: {words[0][:LONGEST]}") from error


def _public(place: str) -> str:
    """The address without a password."""
    parts = urlsplit(place)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl() if "@" in parts.netloc else place


def _winner(content: Mapping[str, Any]) -> Mapping[str, Any]:
    return next((row for row in content["trials"] if row["winner"]), {})


def _parameters(content: Mapping[str, Any]) -> dict[str, Any]:
    """Of a search: what it was about, and the plan that won."""
    facts = {"task": content["task"], "metric": content["metric"], "regime": content.get("regime")}
    plan = dict(_flat(_winner(content).get("plan", {})))
    return {**{key: value for key, value in facts.items() if value is not None}, **plan}


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
