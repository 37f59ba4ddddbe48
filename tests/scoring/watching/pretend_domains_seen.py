"""Domains as a model sees them: features around class means, and probabilities as sure as the classes are apart."""

import numpy as np

from autotl.scoring.watching import draw_portrait
from autotl.scoring.watching.sureness import Sureness

CLASSES = 3
WIDTH = 100


def seen(rows, *, seed, shift=0.0, apart=3.0, shares=(1 / 3, 1 / 3, 1 / 3), noise=1.0):
    """Features (rows, 100), calibrated probabilities (rows, 3) and labels.

    Args:
        shift: how far every feature has moved, in deviations.
        apart: distance of the class means; the smaller, the less the model knows.
    """
    draws = np.random.default_rng(seed)
    labels = draws.choice(CLASSES, size=rows, p=shares)
    inside = apart * np.eye(CLASSES)[labels] + draws.normal(size=(rows, CLASSES))
    logits = apart * inside
    probabilities = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    spread = np.random.default_rng(0).normal(size=(CLASSES, WIDTH))
    features = inside @ spread + noise * draws.normal(size=(rows, WIDTH)) + shift
    return features.astype(np.float32), probabilities.astype(np.float32), labels


def portrait(rows=800, **domain):
    features, said, labels = seen(rows, **{"seed": 1, **domain})
    sureness = Sureness.of(said, said, labels, same_examples=True)
    return draw_portrait(features, said, sureness, words="features")
