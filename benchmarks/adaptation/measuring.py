"""One pair of domains: search without target labels, then compare with what labels would have given."""

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from autotl.api import search
from autotl.api.quiet import import_keras
from autotl.backbones import cache_folder
from autotl.data import TaskData, load_data
from autotl.errors import AutotlError
from autotl.features import default_limit_bytes
from autotl.plan import Choice, Plan
from autotl.plan.fields import parse_plan
from autotl.run import RunFolder, trial_files
from autotl.search.events import Listener
from autotl.task import read_task
from autotl.trial.making import WorkshopOrder
from autotl.trial.outcome import Job, Outputs
from autotl.trial.scorer import Scorer
from benchmarks.adaptation.figures import Measured
from benchmarks.adaptation.hidden_labels import LabelOf, accuracy_on_target, labels_of_target, oracle

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class NoWinner:
    """A search that named no winner."""

    pair: str
    seed: int
    error: AutotlError


def measure(task: Path, labelled: Path, out: Path, *, pair: str, seed: int, listen: Listener) -> Measured | NoWinner:
    """Runs the search of `task` and everything it is compared with.

    Args:
        task: the target has no labels but those of its test, `{labels_of: train}`.
        labelled: the same target with its labels, no source.
        out: the run folder.
    """
    started = time.perf_counter()
    run = search(task, out=out, early_stopping=False, refit=False, listen=listen)
    seconds = time.perf_counter() - started
    for sentence in run.sentences:
        _log.info("%s", sentence)
    winner = run.winner
    if winner is None or run.error is not None:
        assert run.error is not None, "a search without a winner says why"
        return NoWinner(pair, seed, run.error)
    data = load_data(read_task(task))
    label_of = labels_of_target(data)
    plan = unadapted(winner["plan"], folder=task.parent, modality=data.modality)
    complete = [row["trial"] for row in run.leaderboard["trials"] if row["status"] == "complete"]
    return Measured(
        pair=pair,
        seed=seed,
        source_only=accuracy_on_target(outputs_of(plan, data, seed=seed), label_of),
        winner=winner["test"]["value"],
        target_trained=target_trained(plan, labelled, seed=seed),
        oracle=best_of_pool(run.path, complete, label_of),
        method=winner["plan"]["adaptation"]["method"],
        trials=len(complete),
        seconds=seconds,
    )


def unadapted(plan: Mapping[str, Any], *, folder: Path, modality: str) -> Plan:
    """The plan as it would be without adaptation."""
    read = parse_plan(plan, where="the winner", folder=folder, modality=modality)
    return replace(read, adaptation=Choice("none"))


def outputs_of(plan: Plan, data: TaskData, *, seed: int) -> Outputs:
    """What a model of this plan says, trained here and now.

    Raises:
        RuntimeError: it could not be trained.
    """
    import_keras()
    folder = cache_folder() / "features" / "float32"
    scorer = Scorer(metric="accuracy", seed=seed)
    workshop = WorkshopOrder(replace(data, test=None), scorer, folder, default_limit_bytes(folder))()
    *_, last = workshop.train([Job(0, plan)])
    if last.ending is None or last.ending.outputs is None:
        raise RuntimeError(f"{plan.as_dict()}: {last.ending and last.ending.reason}")
    return last.ending.outputs


def target_trained(plan: Plan, labelled: Path, *, seed: int) -> float:
    """Accuracy of the plan on a fifth of the target, taught by the labels of the rest: nothing is chosen by it."""
    data = load_data(read_task(labelled))
    outputs = outputs_of(plan, data, seed=seed)
    return float((outputs.validation.argmax(axis=1) == data.labels[outputs.rows]).mean())


def best_of_pool(run: Path, trials: Sequence[int], label_of: LabelOf) -> float:
    """Accuracy of the run's best trial by the hidden labels."""
    folder = RunFolder.open(run)
    return oracle((trial_files.read_outputs(folder.trial(number)) for number in trials), label_of)
