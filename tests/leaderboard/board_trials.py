"""Rows and outputs of pretend trials, for the tests of the leaderboard."""

from typing import Any

import numpy as np

from autotl.scoring.intervals import interval
from autotl.scoring.metrics import METRICS
from autotl.trial.outcome import Outputs

CLASSES = 4
FIRST_ROW = 100  # validation rows stand behind training rows in the task's data
N = 400
LABELS = np.concatenate([np.full(FIRST_ROW, -1), np.arange(N) % CLASSES])
ROWS = np.arange(FIRST_ROW, FIRST_ROW + N)


def outputs(*, wrong: int, first: int = 0, rows: Any = ROWS) -> Outputs:
    """A model that is right but for `wrong` examples from the `first` on."""
    said = LABELS[rows].copy()
    said[first : first + wrong] = (said[first : first + wrong] + 1) % CLASSES
    probabilities = (0.7 * np.eye(CLASSES)[said] + 0.075).astype(np.float32)
    return Outputs(
        rows=rows,
        validation_ids=np.array([f"image {row}" for row in rows]),
        target_ids=np.array([f"image {row}" for row in rows[:5]]),
        validation=probabilities,
        target=probabilities[:5],
        features=np.zeros((5, 2), dtype=np.float32),
    )


def row(trial: int, value: float | None = None, *, status: str = "complete", **more: Any) -> dict[str, Any]:
    """A row as it stands when its trial has ended."""
    score = None if value is None else {"value": value, "low": None, "high": None, "kind": "validation"}
    if score is not None and status != "complete":
        score["low"] = score["high"] = None
    return {
        "trial": trial,
        "status": status,
        "winner": False,
        "baseline": None,
        "baseline_of": None,
        "plan": {
            "backbone": "MobileNetV2",
            "image_size": 160,
            "tap": "last",
            "unfrozen_layers": 12,
            "learning_rate": 1e-3,
            "head": {"name": "linear"},
            "adaptation": {"method": "none"},
        },
        "score": score,
        "scores": {} if value is None else {"accuracy": value},
        "guards": {},
        "tie_group": None,
        "epochs": 12,
        "seconds": {"features": 0.0, "train": 1.0, "score": 0.1, "propose": 0.01, "overhead": 0.1},
        "params": 1000,
        "model_mb": 4.0,
        "flops": 1000,
        "latency_ms": 5.0,
        "latency_estimated": True,
        "failure": "diverged" if status in ("failed", "skipped") else None,
        "reason": None,
        "test": None,
        "refit_test": None,
        **more,
    }


def trial(
    number: int, *, wrong: int, first: int = 0, metric: str = "accuracy", **more: Any
) -> tuple[dict[str, Any], Outputs]:
    """A complete trial whose score follows from what its model said."""
    said = outputs(wrong=wrong, first=first)
    found = interval(METRICS[metric], LABELS[said.rows], said.validation, seed=0)
    score = {"value": found.value, "low": found.low, "high": found.high, "kind": "validation"}
    return row(number, found.value, **more) | {"score": score}, said
