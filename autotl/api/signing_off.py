"""Sign-off: what people approve becomes a version in the registry, and an alias says which version is in use."""

import getpass
import hashlib
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from autotl.api.bundling import bundle_of_trial
from autotl.api.reopening import facts_of
from autotl.api.run_trial import RunTrial, open_trial
from autotl.api.trial_figures import TrialFigures, figures_of
from autotl.errors import GateNotMetError, StorageError, UsageError
from autotl.leaderboard import read_gate
from autotl.leaderboard.gate import Gate
from autotl.production.bundle import DESCRIPTION, Bundle, open_bundle
from autotl.production.reference import NOTATION, Reference, checked_alias, model_name, read_reference
from autotl.production.registry import Registry, SignOff, Version
from autotl.run.folder import STUDY, TASK, WINNER


@dataclass(frozen=True)
class Promotion:
    """A version that an alias points at now.

    Attributes:
        is_new: whether the version was made by this promotion; else it was there, and only the alias moved.
        sentences: what a person should know, the most important first.
    """

    version: Version
    alias: str
    is_new: bool
    sentences: tuple[str, ...]


def promote(
    what: Path | str,
    *,
    alias: str,
    reason: str,
    require: Sequence[str] = (),
    evaluate: bool = False,
    folder: Path | None = None,
) -> Promotion:
    """Makes a version of a run's winner or of a trial, and points an alias at it.

    Args:
        what: `RUN` (its winner), `RUN/TRIAL`, or a version that is there already (`kitchen:3`, `kitchen@staging`).
        require: gates (`leaderboard.read_gate`), all of which must be met.
        evaluate: open the test set for a trial that was not tested, which is counted.
        folder: where the paths of the run's task start, if its files have moved; for trials that did not win.
    Raises:
        UsageError: no such thing, no reason, an alias that is none, a trial that kept no weights.
        GateNotMetError: a sentence for each gate that is not met; the registry stays as it is.
        StorageError: a file is not the one that was written, or the registry cannot be written to.
    """
    alias, gates = checked_alias(alias), [read_gate(written) for written in require]
    reason = _checked(reason)
    reference = read_reference(str(what))
    if reference is not None:
        if evaluate:
            raise UsageError("--evaluate opens the test set for a trial of a run; a version keeps the figures it has.")
        return _promote_version(Registry(), reference, alias, reason, gates)
    trial = open_trial(str(what))
    if trial.row["status"] != "complete":
        raise UsageError(f"{trial.label} did not finish: it is {trial.row['status']}. Promote another trial.")
    with tempfile.TemporaryDirectory(prefix="autotl-promote-") as place:
        return _promote_trial(trial, Path(place), alias, reason, gates, evaluate=evaluate, folder=folder)


def roll_back(*, alias: str, reason: str, model: str | None = None, to: int | None = None) -> Promotion:
    """Points an alias at the version before, or at an earlier one.

    Args:
        model: may be left out where the registry has just one.
    Raises:
        UsageError: no such model or alias, or nothing to go back to.
        StorageError: a file of that version is not the one that was signed off.
    """
    registry = Registry()
    name = model or _only_model(registry)
    version = registry.roll_back(name, alias=alias, to=to, sign_off=_sign_off(_checked(reason)))
    before = registry.history(name)[-1].previous
    sentence = f"{name}@{alias} is version {version.number} again; it was version {before}."
    return Promotion(version, alias, False, (sentence,))


def list_models() -> list[dict[str, Any]]:
    """Every model of the registry with its versions, aliases and history, as plain JSON values.

    A version whose version.json is not the one that was signed off has `damaged`, in words, and no figures.
    """
    registry = Registry()
    return [_described(registry, name) for name in registry.models()]


def open_model(model: Path | str) -> Bundle:
    """The bundle in a folder, of a run's winner, or of a promoted model (`kitchen@production`, `kitchen:3`), every file
    checked.

    Raises:
        UsageError: there is none.
        StorageError: a file is not the one that was written.
    """
    reference = read_reference(str(model))
    if reference is not None:
        return Registry().open(reference)
    path = Path(model)
    if not path.exists() and str(model) in Registry().models():
        aliases = ", ".join(f"{model}@{alias}" for alias in Registry().aliases(str(model)))
        raise UsageError(f"{model} is a model of the registry. Say which: {aliases}, or {NOTATION}.")
    is_run = (path / STUDY).is_file()
    if is_run and not (path / WINNER / DESCRIPTION).is_file():
        raise UsageError(f"{path} has shipped no winner. For one of its trials: autotl promote {path}/NUMBER")
    return open_bundle(path / WINNER if is_run else path)


def _promote_version(
    registry: Registry, reference: Reference, alias: str, reason: str, gates: Sequence[Gate]
) -> Promotion:
    version = registry.find(reference)
    figures = TrialFigures.of_record(version.record)
    sign_off = _sign_off(reason, _met(gates, figures))
    registry.point(version, alias=alias, sign_off=sign_off)
    return Promotion(version, alias, False, (f"{version.model}@{alias} is version {version.number} now.",))


def _promote_trial(
    trial: RunTrial,
    place: Path,
    alias: str,
    reason: str,
    gates: Sequence[Gate],
    *,
    evaluate: bool,
    folder: Path | None,
) -> Promotion:
    figures, remarks = figures_of(trial), []
    bundle = _winners_bundle(trial)
    if bundle is not None:
        if evaluate and figures.test is None:
            raise UsageError(f"{trial.run.path} has no test set, so --evaluate has nothing to open.")
        if evaluate:
            remarks.append("It was tested when its search ended, so the test set stayed closed.")
    else:
        made = bundle_of_trial(trial, place, evaluate=evaluate, folder=folder, expected=figures.corrected)
        bundle, figures = made.bundle, figures.measured(made.latency_ms, made.test, made.tested)
    sign_off = _sign_off(reason, _met(gates, figures))
    registry, name = Registry(), model_name(str(trial.content["task"]))
    taken = registry.numbers(name)
    version = registry.add(name, bundle, _record(trial, figures, bundle), alias=alias, sign_off=sign_off)
    is_new = version.number not in taken
    what = f"{trial.label}, trial {trial.number}" if trial.row["winner"] else f"{trial.label}, which did not win"
    first = f"{name}@{alias} is version {version.number} now: {what}."
    if not is_new:
        first += " It was in the registry already, so only the alias moved."
    return Promotion(
        version, alias, is_new, (first, *(f"Required and met: {gate}." for gate in sign_off.gates), *remarks)
    )


def _winners_bundle(trial: RunTrial) -> Bundle | None:
    """What the search shipped, where it is of this trial."""
    folder = trial.run.path / WINNER
    if not trial.row["winner"] or not (folder / DESCRIPTION).is_file():
        return None
    bundle = open_bundle(folder)
    return bundle if bundle.description.get("provenance", {}).get("trial") == trial.number else None


def _record(trial: RunTrial, figures: TrialFigures, bundle: Bundle) -> dict[str, Any]:
    facts = facts_of(trial.run)
    return {
        "task": trial.content["task"],
        "metric": trial.content["metric"],
        "source": {
            "run": trial.run.path.resolve().name,
            "path": str(trial.run.path.resolve()),
            "trial": trial.number,
            "winner": trial.row["winner"],
            "shipped": bundle.description.get("provenance", {}).get("shipped"),
        },
        "fingerprints": {
            "task": hashlib.sha256((trial.run.path / TASK).read_bytes()).hexdigest(),
            "data": facts.get("data", {}).get("fingerprint"),
            "test": (facts.get("test") or {}).get("fingerprint"),
        },
        "figures": {"score": trial.row["score"], "corrected": figures.corrected, "test": figures.test},
        "cost": {"latency_ms": figures.latency_ms, "model_mb": figures.model_mb},
        "versions": trial.content["versions"],
    }


def _met(gates: Sequence[Gate], figures: TrialFigures) -> tuple[str, ...]:
    """The gates with what was seen, in words.

    Raises:
        GateNotMetError: a sentence for each that is not met.
    """
    seen = [(gate, figures.value_of(gate)) for gate in gates]
    complaints = [complaint for gate, value in seen if (complaint := gate.complaint(value)) is not None]
    if any(value is None and not (gate.is_cost or gate.on_test) for gate, value in seen):
        complaints.append("Where the target has no labels only a test can tell: --require test.accuracy>=0.9.")
    if complaints:
        raise GateNotMetError("\n".join([*complaints, "Nothing was promoted."]))
    return tuple(f"{gate} (it is {value:.4f})" for gate, value in seen)


def _checked(reason: str) -> str:
    """The reason on one line: it stands in a card and in a history."""
    words = " ".join(reason.split())
    if not words:
        raise UsageError("--reason is empty. Say in a few words why, for whoever asks later.")
    return words


def _sign_off(reason: str, gates: tuple[str, ...] = ()) -> SignOff:
    return SignOff(_user(), datetime.now().astimezone().isoformat(timespec="seconds"), reason, gates)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container whose user has no name
        return "unknown"


def _only_model(registry: Registry) -> str:
    models = registry.models()
    if len(models) == 1:
        return models[0]
    there = f"The registry has {', '.join(models)}." if models else "The registry is empty."
    raise UsageError(f"{there} Name the model: autotl rollback MODEL --alias ALIAS")


def _described(registry: Registry, name: str) -> dict[str, Any]:
    aliases, history = registry.aliases(name), registry.history(name)
    versions = []
    for number in registry.numbers(name):
        pointing = sorted(alias for alias, version in aliases.items() if version == number)
        entry: dict[str, Any] = {"version": number, "aliases": pointing, "damaged": None}
        try:
            record: Mapping[str, Any] = registry.version(name, number).record
            kept = ("task", "metric", "source", "fingerprints", "figures", "cost", "sign_off", "versions", "files")
            entry |= {field: record[field] for field in kept}
        except StorageError as error:
            entry["damaged"] = str(error)
        versions.append(entry)
    return {"model": name, "aliases": aliases, "versions": versions, "history": [asdict(move) for move in history]}
