"""Two domains of tiny images: the target is darker and has another tint, and its labels are not known."""

import numpy as np
from pretend import a_plan, images

from autotl.data.examples import UNKNOWN, Fold, TaskData
from autotl.data.images import ImageArray, array_digests


def two_domains(*, source: int = 120, target: int = 90, known: int = 0, seed: int = 0, **changes) -> TaskData:
    """A labelled source and a target of which the labels of the first `known` rows are known."""
    bright, of_source = images(source, seed=seed)
    plain, of_target = images(target, seed=seed + 1)
    shifted = (0.5 * plain.pixels + np.array([0, 25, 50])).astype(np.uint8)
    dark = ImageArray(shifted, plain.ids, array_digests(shifted))
    labels = np.concatenate([np.where(np.arange(target) < known, of_target, UNKNOWN), of_source])
    rows = target + np.random.default_rng(seed).permutation(source)
    train, held_out = np.sort(rows[source // 5 :]), np.sort(rows[: source // 5])
    few = np.arange(known)
    fold = Fold(np.concatenate([few, train]), held_out)
    values = {
        "modality": "image",
        "classes": ("red", "green", "blue"),
        "domains": ("target", "bright"),
        "inputs": (dark, bright),
        "labels": labels,
        "groups": None,
        "folds": (fold,),
        "suffix_folds": (fold,),
        "score_kind": "label_free",
        "target_rows": np.arange(known, target),
        "setting": "transductive",
        "test": None,
        "adaptation_rows": np.arange(known, target),
        "source_validation": held_out,
    }
    return TaskData(**{**values, **changes})


def true_labels(target: int = 90) -> np.ndarray:
    return np.arange(target) % 3


__all__ = ["a_plan", "true_labels", "two_domains"]
