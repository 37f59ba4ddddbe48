"""Trials of finished searches without target labels, each with the accuracy that the search could not see."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autotl.data import load_data
from autotl.leaderboard.without_labels import NO_METHOD, candidates_of
from autotl.plan.baselines import SOURCE_ONLY
from autotl.run import RunFolder, trial_files
from autotl.scoring.candidates import Candidate
from autotl.scoring.label_free import Reading
from autotl.scoring.panel import Places, nearest_rows
from autotl.task import read_task
from benchmarks.adaptation.hidden_labels import accuracy_on_target, labels_of_target

TASK, RUN, LEADERBOARD = "task.yaml", "run", "leaderboard.json"
KEPT: tuple[Reading, ...] = ("target_probabilities", "source_probabilities", "source_labels")  # what a committee reads
_ABOUT, _HIDDEN, _NEAREST = "about", "hidden_labels", "nearest"

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, eq=False)
class Trial:
    """A trained model as a rule may see it, and how good it really is.

    Attributes:
        method: of adaptation.
        is_baseline: whether it is a `source_only` baseline, as opposed to a searched plan without adaptation.
        accuracy: share of the target's hidden labels that it names.
        nearest: the target's neighbours by its features, where it may be source-only.
    """

    candidate: Candidate
    method: str
    is_baseline: bool
    accuracy: float
    nearest: Places | None = None

    @property
    def number(self) -> int:
        return self.candidate.trial


@dataclass(frozen=True, eq=False)
class Pool:
    """The complete trials of one search.

    Attributes:
        family: of tasks, by what their examples are: image, signal, text.
        pair: of domains, e.g. `books-to-dvd`.
        hidden_labels: of the target examples, in the order of every trial's probabilities; from them a comparison draws
            the few that a user might have. None where the pool keeps none.
    """

    family: str
    pair: str
    seed: int
    trials: tuple[Trial, ...]
    hidden_labels: NDArray[np.int64] | None = None

    @property
    def reference(self) -> Trial:
        """The source-only model that others are compared with."""
        return next(trial for trial in self.trials if trial.candidate.is_reference)

    @property
    def has_reference(self) -> bool:
        return any(trial.candidate.is_reference for trial in self.trials)

    @property
    def accuracies(self) -> NDArray[np.float64]:
        """True ones, shape (trials,)."""
        return np.array([trial.accuracy for trial in self.trials])

    def of(self, places: Iterable[int]) -> "Pool":
        """The pool of only some of its trials."""
        return replace(self, trials=tuple(self.trials[place] for place in places))


def read_pools(folders: Iterable[Path]) -> Iterator[Pool]:
    """A pool of every finished search in the folders or below, each beside the task that it ran."""
    for folder in folders:
        for board in sorted(folder.glob(f"**/{RUN}/{LEADERBOARD}")):
            if is_finished(json.loads(board.read_text())["trials"]):
                yield read_pool(board.parent)


def is_finished(rows: Iterable[Mapping[str, Any]]) -> bool:
    """Whether the committee has spoken about these rows of a leaderboard."""
    return any(row["guards"] for row in rows)


def read_pool(run: Path) -> Pool:
    """The pool of one search.

    Args:
        run: its folder, beside `task.yaml`, whose target's labels are sealed by `test: {labels_of: train}`.
    """
    task = read_task(run.parent / TASK)
    data = load_data(task)
    label_of = labels_of_target(data)
    folder = RunFolder.open(run)
    rows = json.loads(folder.read(LEADERBOARD))["trials"]
    outputs = {
        row["trial"]: trial_files.read_outputs(folder.trial(row["trial"]))
        for row in rows
        if row["status"] == "complete"
    }
    about = {row["trial"]: row for row in rows}
    trials = tuple(
        trial_of(
            candidate,
            method=about[candidate.trial]["plan"]["adaptation"]["method"],
            is_baseline=SOURCE_ONLY in (about[candidate.trial]["baseline"], about[candidate.trial]["baseline_of"]),
            accuracy=accuracy_on_target(outputs[candidate.trial], label_of),
        )
        for candidate in candidates_of(rows, outputs, data.labels)
    )
    return Pool(data.modality, task.name, task.seed, trials)


def trial_of(candidate: Candidate, *, method: str, accuracy: float, is_baseline: bool = False) -> Trial:
    """The trial without the evidence that no rule reads; neighbours stand for features."""
    features = candidate.evidence.get("target_features")
    nearest = nearest_rows(features) if method == NO_METHOD and features is not None else None
    kept = {name: candidate.evidence[name] for name in KEPT if name in candidate.evidence}
    return Trial(replace(candidate, evidence=kept), method, is_baseline, accuracy, nearest)


def save(pools: Sequence[Pool], path: Path) -> None:
    """All of them in one small `.npz`; probabilities as float16."""
    arrays: dict[str, NDArray[Any]] = {}
    about = []
    for place, pool in enumerate(pools):
        facts = [_facts(trial) for trial in pool.trials]
        about.append({"family": pool.family, "pair": pool.pair, "seed": pool.seed, "trials": facts})
        if pool.hidden_labels is not None:
            arrays[f"{place}/{_HIDDEN}"] = pool.hidden_labels.astype(np.int16)
        for trial in pool.trials:
            one, key = trial.candidate, f"{place}/{trial.number}"
            for reading, array in one.evidence.items():
                arrays[f"{key}/evidence/{reading}"] = array.astype(np.int16 if reading.endswith("labels") else "f2")
            if trial.nearest is not None:
                arrays[f"{key}/evidence/{_NEAREST}"] = trial.nearest.astype(np.int16)
    np.savez_compressed(path, **arrays, **{_ABOUT: np.array(json.dumps(about))})  # type: ignore[arg-type]


def load(path: Path) -> list[Pool]:
    """What `save` kept."""
    arrays: dict[str, dict[str, NDArray[Any]]] = {}
    with np.load(path, allow_pickle=False) as file:
        about = json.loads(str(file[_ABOUT]))
        for name in file.files:
            owner, _, reading = name.rpartition("/")
            arrays.setdefault(owner, {})[reading] = file[name]
    return [
        Pool(
            each["family"],
            each["pair"],
            each["seed"],
            tuple(_trial(facts, arrays.get(f"{place}/{facts['trial']}/evidence", {})) for facts in each["trials"]),
            None if _HIDDEN not in (own := arrays.get(str(place), {})) else own[_HIDDEN].astype(np.int64),
        )
        for place, each in enumerate(about)
    ]


def _facts(trial: Trial) -> dict[str, Any]:
    one = trial.candidate
    return {
        "trial": one.trial,
        "scores": dict(one.scores),
        "optimises": sorted(one.optimises),
        "is_reference": one.is_reference,
        "cost": one.cost,
        "method": trial.method,
        "is_baseline": trial.is_baseline,
        "accuracy": trial.accuracy,
    }


def _trial(facts: Mapping[str, Any], evidence: Arrays) -> Trial:
    candidate = Candidate(
        trial=facts["trial"],
        scores=facts["scores"],
        evidence={
            reading: evidence[reading].astype(np.int64 if reading.endswith("labels") else np.float32)
            for reading in KEPT
            if reading in evidence
        },
        optimises=frozenset(facts["optimises"]),
        is_reference=facts["is_reference"],
        cost=facts["cost"],
    )
    nearest = evidence[_NEAREST].astype(np.int64) if _NEAREST in evidence else None
    return Trial(candidate, facts["method"], facts["is_baseline"], facts["accuracy"], nearest)
