"""Runs the trees in LightGBM's text by LightGBM: pip install lightgbm."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np

LEAST = 1e-7  # probability of a class that the trees do not know


def load(folder: Path, described: dict[str, Any], threads: int | None) -> Callable[[Any], Any]:
    """Columns or features (n, d) → probabilities."""
    about = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    present = about["present"]
    usual = [np.nan if value is None else value for value in about.get("usual", [])]
    booster = lightgbm.Booster(model_file=str(folder / "model.txt")) if len(present) > 1 else None

    def run(tensor: Any) -> Any:
        filled = np.where(np.isnan(tensor), np.array(usual, dtype=np.float32), tensor) if usual else tensor
        spread = np.full((len(tensor), about["classes"]), LEAST)
        if booster is None:
            spread[:, present] = 1.0
        else:
            raw = np.asarray(booster.predict(filled, num_threads=threads or 0))
            votes = raw if raw.ndim == 2 else np.stack([1.0 - raw, raw], axis=1)
            spread[:, present] = np.maximum(votes, LEAST)
        powers = (spread / spread.sum(axis=1, keepdims=True)) ** (1.0 / described["temperature"])
        return powers / powers.sum(axis=1, keepdims=True)

    return run
