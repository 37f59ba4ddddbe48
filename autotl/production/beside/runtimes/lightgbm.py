"""Runs the trees in LightGBM's text by LightGBM: pip install lightgbm."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np

LEAST = 1e-7  # probability of a class that the trees do not know


def load(folder: Path, described: dict[str, Any], threads: int | None) -> Callable[[Any], Any]:
    """Columns or features (n, d) → probabilities, or numbers (n, 1)."""
    if described["output"] == "number":
        return _numbers(folder, threads)
    temperature = described["temperature"]
    if (folder / "model.json").is_file():
        votes = _votes(folder, "", threads)
        return lambda tensor: _divided(votes(tensor), temperature)
    numbers = sorted(path.name.partition(".")[0] for path in folder.glob("*.model.json"))  # a model of two a label
    of_labels = [_votes(folder, f"{number}.", threads) for number in numbers]
    return lambda tensor: np.stack([_divided(votes(tensor), temperature)[:, 1] for votes in of_labels], axis=1)


def _votes(folder: Path, prefix: str, threads: int | None) -> Callable[[Any], Any]:
    """Probabilities as the trees have them; `prefix` begins the names of their files."""
    about = json.loads((folder / f"{prefix}model.json").read_text(encoding="utf-8"))
    present = about["present"]
    filled = _filling(about)
    booster = lightgbm.Booster(model_file=str(folder / f"{prefix}model.txt")) if len(present) > 1 else None

    def run(tensor: Any) -> Any:
        spread = np.full((len(tensor), about["classes"]), LEAST)
        if booster is None:
            spread[:, present] = 1.0
        else:
            raw = np.asarray(booster.predict(filled(tensor), num_threads=threads or 0))
            votes = raw if raw.ndim == 2 else np.stack([1.0 - raw, raw], axis=1)
            spread[:, present] = np.maximum(votes, LEAST)
        return spread / spread.sum(axis=1, keepdims=True)

    return run


def _filling(about: dict[str, Any]) -> Callable[[Any], Any]:
    """Puts the usual number where one is missing, in columns that were never empty in training; a forest has none."""
    usual = [np.nan if value is None else value for value in about.get("usual", [])]
    if not usual:
        return lambda tensor: tensor
    return lambda tensor: np.where(np.isnan(tensor), np.array(usual, dtype=np.float32), tensor)


def _numbers(folder: Path, threads: int | None) -> Callable[[Any], Any]:
    about = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    if about["constant"] is not None:  # training had one number alone
        return lambda tensor: np.full((len(tensor), 1), about["constant"])
    booster = lightgbm.Booster(model_file=str(folder / "model.txt"))
    filled = _filling(about)

    def run(tensor: Any) -> Any:
        return np.asarray(booster.predict(filled(tensor), num_threads=threads or 0))[:, None]

    return run


def _divided(probabilities: Any, temperature: float) -> Any:
    """The same, their logits divided by the temperature."""
    powers = probabilities ** (1.0 / temperature)
    return powers / powers.sum(axis=1, keepdims=True)
