"""How a winner might behave: figures as a search stores them, and examples of each modality."""

import base64
import io
import random
from collections.abc import Sequence
from typing import Any

from PIL import Image

RATIOS = (0.01, 0.1, 1.0, 10.0, 100.0)


def sample_evidence(classes: Sequence[str]) -> dict[str, Any]:
    """Everything that may be measured, at once."""
    return {
        "note": "Intervals are over examples; those of one group are alike, so the truth may lie further off.",
        "per_class": {
            "split": "test",
            "examples": 100 * len(classes),
            "classes": [
                {
                    "class": name,
                    "support": 100,
                    "said": 96,
                    "precision": share(0.81),
                    "recall": share(0.78),
                    "f1": share(0.79),
                }
                for name in classes
            ],
        },
        "thresholds": {"split": "validation", "views": [view(classes[0])], "missing": None},
        "abstaining": {
            "split": "validation",
            "curves": [curve("validation", 0.806), curve("test", 0.791)],
            "rules": [
                {
                    "wanted": 0.9,
                    "threshold": 0.6123,
                    "on": [on("validation", 0.83, 0.902), on("target inputs", 0.61, None)],
                },
                {"wanted": 0.99, "threshold": None, "on": []},
            ],
        },
        "calibration_on_test": {
            f"{name}_{when}": 0.0431 for name in ("error", "nll", "brier") for when in ("before", "after")
        },
        "unlike": {
            "features": "the features that its head reads",
            "training": 1600,
            "neighbours": 10,
            "expected": 0.05,
            "splits": [
                {
                    "split": "validation",
                    "examples": 400,
                    "outside": share(0.0675),
                    "accuracy_inside": share(0.83),
                    "accuracy_outside": share(0.41),
                },
                {
                    "split": "target inputs",
                    "examples": 900,
                    "outside": share(0.31),
                    "accuracy_inside": None,
                    "accuracy_outside": None,
                },
            ],
        },
        "columns": {
            "split": "test",
            "metric": "accuracy",
            "examples": 500,
            "shuffles": 5,
            "columns": [{"column": name, "drop": 0.2, "low": 0.15, "high": 0.25} for name in classes],
        },
    }


def sample_examples(kind: str, names: Sequence[str]) -> dict[str, Any]:
    """Two mistakes, one that was not looked into, and a right answer."""
    looked = {"before": 0.973, "after": 0.412, "place": names[2]}
    told = [
        {"id": names[0], "true": names[1], "said": names[2], "right": False, **SHOWN[kind](names), **looked},
        {"id": names[3], "true": names[4], "said": names[5], "right": False, **SHOWN[kind](names)},
        {"id": names[6], "true": names[7], "said": names[7], "right": True, **SHOWN[kind](names), **looked},
    ]
    return {
        "format": 1,
        "split": "test",
        "mistakes": 217,
        "method": "occlusion: parts are covered",
        "paper": "Zeiler & Fergus, 2014",
        "explained": 2,
        "examples": [{"probability": 0.973, "probability_of_true": 0.011, **each} for each in told],
    }


def share(value: float) -> dict[str, float]:
    """A share with its interval."""
    return {"value": value, "low": value - 0.03, "high": value + 0.03}


def view(name: str) -> dict[str, Any]:
    """One class against the others."""
    points = [
        {"threshold": 1 - step / 20, "recall": step / 20, "precision": 1 - step / 40, "false_alarms": (step / 20) ** 2}
        for step in range(21)
    ]
    costs = [
        {**points[10], "ratio": ratio, "missed": 4, "false": 7, "cost": 5.25, "idle_cost": 10.5}
        | {"best_threshold": None if ratio < 0.1 else 0.31, "best_cost": 5.01, "threshold": 1 / (1 + ratio)}
        for ratio in RATIOS
    ]
    return {
        "class": name,
        "examples": 400,
        "of_class": 42,
        "roc_auc": 0.9321,
        "average_precision": 0.7123,
        "curve": points,
        "marks": [{**points[10], "name": "as it ships"}, {**points[12], "name": "best F1"}],
        "costs": costs,
    }


def curve(split: str, accuracy: float) -> dict[str, Any]:
    """Accuracy by coverage."""
    points = [
        {"coverage": step / 20, "accuracy": 1 - (1 - accuracy) * step / 20, "threshold": 1 - step / 40}
        for step in range(1, 21)
    ]
    return {
        "split": split,
        "examples": 400,
        "accuracy": accuracy,
        "aurc": 0.0712,
        "least_aurc": 0.0213,
        "curve": points,
    }


def on(split: str, answered: float, right: float | None) -> dict[str, Any]:
    """What a rule does on a split."""
    return {
        "split": split,
        "examples": 400,
        "coverage": share(answered),
        "accuracy": None if right is None else share(right),
    }


def _picture(names: Sequence[str]) -> dict[str, Any]:
    buffer = io.BytesIO()
    Image.new("RGB", (48, 48), (90, 120, 40)).save(buffer, format="JPEG")
    chance = random.Random(1)
    return {
        "kind": "picture",
        "thumbnail": f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}",
        "map": [[chance.uniform(-0.5, 2.0) for _ in range(7)] for _ in range(7)],
    }


def _words(names: Sequence[str]) -> dict[str, Any]:
    parts = [[f"{name} ", weight] for name, weight in zip(names, (0.0, 0.3, 2.0, -1.0, 0.9) * 6, strict=False)]
    return {"kind": "words", "parts": parts, "cut_before": True, "cut_after": True}


def _stretches(names: Sequence[str]) -> dict[str, Any]:
    course = [0.5, 1.0, 0.0, 0.25] * 20
    channels = [{"name": name, "course": course, "low": -2.5, "high": 3.25} for name in names[:3]]
    return {"kind": "stretches", "samples": 80, "channels": channels, "more_channels": 2, "lost": [0.0, 1.0, -0.5, 0.2]}


def _cells(names: Sequence[str]) -> dict[str, Any]:
    cells = [{"column": name, "cell": name, "lost": 1.5 - place} for place, name in enumerate(names[:8])]
    return {"kind": "cells", "cells": cells, "more_cells": 4}


SHOWN = {"picture": _picture, "words": _words, "stretches": _stretches, "cells": _cells}


def sample_numbers() -> dict[str, Any]:
    """What a regression leaves instead of figures by class."""
    draws = random.Random(0)
    true = [draws.uniform(0.0, 40.0) for _ in range(60)]
    return {
        "name": "torque <b>",
        "split": "test",
        "examples": 60,
        "points": [[value, value + draws.gauss(0.0, 2.0)] for value in true],
        "scores": {"rmse": 2.0, "r2": 0.96, "spearman": 0.98},
        "of_the_mean": {"rmse": 10.0, "r2": 0.0, "spearman": None},
        "by_size": [
            {"from": 0.1, "to": 19.8, "examples": 30, "mae": 1.6, "bias": 1.5},
            {"from": 20.2, "to": 39.9, "examples": 30, "mae": 1.4, "bias": -0.25},
        ],
        "by_group": None,
        "intervals": [{"level": 0.9, "half_width": 3.3, "held": 0.9}],
    }
