"""Signals: their course, and the stretch that decides."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autotl.production.evidence.covering import Question, cover

METHOD = "occlusion: stretches of the signal are replaced by a straight line"
STRETCHES = 24
POINTS = 160  # that a course is drawn with, at most
MOST_CHANNELS = 3

Window = NDArray[np.float32]  # (samples, channels)


def shown(window: Window, channels: Sequence[str]) -> dict[str, Any]:
    """The course of the first channels; where samples are many, the lowest and highest of each run."""
    names = [channels[place] if place < len(channels) else f"channel {place + 1}" for place in range(window.shape[1])]
    return {
        "kind": "stretches",
        "samples": len(window),
        "channels": [
            {"name": name, "course": _course(window[:, place]), "low": _end(window, place, np.min)}
            | {"high": _end(window, place, np.max)}
            for place, name in enumerate(names[:MOST_CHANNELS])
        ],
        "more_channels": max(0, len(names) - MOST_CHANNELS),
    }


def looked_at(window: Window, question: Question, index: int) -> dict[str, Any]:
    """What an answer hangs on.

    Returns:
        `lost` per stretch from the start, as `Effect` says; `before` and `after`, the answer to the whole window and
        without the stretch that matters most; `place`, its samples in words. An empty mapping for one sample.
    """
    bounds = np.linspace(0, len(window), min(len(window), STRETCHES) + 1).round().astype(int)
    if len(bounds) < 3:
        return {}
    covered = np.stack([_flattened(window, *ends) for ends in pairwise(bounds)])
    effect = cover(question, window[None], covered, index)
    most = effect.most
    return {
        "lost": [effect.written(lost) for lost in effect.lost.tolist()],
        "before": effect.before,
        "after": float(effect.after[most]),
        "place": f"samples {bounds[most] + 1} to {bounds[most + 1]}",
    }


def _flattened(window: Window, start: int, end: int) -> Window:
    """The window with a stretch of all its channels replaced by a line between the samples beside it."""
    before, after = window[max(start - 1, 0)], window[min(end, len(window) - 1)]
    steps = np.linspace(0, 1, end - start + 2, dtype=np.float32)[1:-1, None]
    flat = window.copy()
    flat[start:end] = before + steps * (after - before)
    return flat


def _course(values: NDArray[np.float32]) -> list[float]:
    """Heights from 0 to 1, rounded: it is only drawn."""
    low, high = float(values.min()), float(values.max())
    scaled = (values - low) / (high - low) if high > low else np.full(len(values), 0.5)
    if len(scaled) > POINTS:
        runs = np.array_split(scaled, POINTS // 2)
        scaled = np.array([end for run in runs for end in (run.min(), run.max())])
    return [round(value, 3) for value in scaled.tolist()]


def _end(window: Window, place: int, end: Any) -> float:
    return float(end(window[:, place]))
