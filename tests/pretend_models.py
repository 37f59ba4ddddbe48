"""Models as the committee sees them: how sure they are, how often right on the source, how clear their boundaries."""

import math

import numpy as np

from autotl.scoring import LABEL_FREE_SCORES
from autotl.scoring.candidates import Candidate
from autotl.scoring.label_free import scores_at_hand
from autotl.scoring.mixval import mix_partners

ROWS, CLASSES = 400, 4


def probabilities(said, sureness, classes=CLASSES):
    return ((1 - sureness) / classes + sureness * np.eye(classes)[said]).astype(np.float32)


def named(wrong, *, mistakes=0, rows=ROWS, classes=CLASSES):
    """The true classes of the target with a share of them, drawn anew by `mistakes`, replaced by the next one."""
    truth = np.arange(rows) % classes
    places = np.random.default_rng([7, mistakes]).permutation(rows)[: round(wrong * rows)]
    truth[places] = (truth[places] + 1) % classes
    return truth


def evidence(
    *, sureness=0.5, clear=0.8, source=0.9, apart=9.0, wrong=0.0, said=None, rows=ROWS, classes=CLASSES, seed=0
):
    """What a model says.

    Args:
        sureness: from 0, even probabilities, to 1.
        clear: share of mixtures read as their major part.
        source: source accuracy.
        apart: how far its features keep the true classes apart, in standard deviations.
        wrong: share of the target that it misnames, which inputs `seed` draws.
        said: its target predictions, in place of these.
    """
    draws = np.random.default_rng(seed)
    labels = np.arange(rows) % classes
    said = named(wrong, mistakes=seed, rows=rows, classes=classes) if said is None else np.asarray(said)
    is_right = np.arange(rows) < round(source * rows)
    order = draws.permutation(rows)
    mixed = np.where(np.arange(rows) < round(clear * rows), said[order], (said[order] + 1) % classes)
    back = np.argsort(order)
    return {
        "target_probabilities": probabilities(said, sureness, classes),
        "target_features": draws.normal(size=(rows, classes)) + apart * np.eye(classes)[labels],
        "mixed_probabilities": probabilities(mixed[back], sureness, classes),
        "mix_partners": mix_partners(rows, 0),
        "source_probabilities": probabilities(np.where(is_right, labels, (labels + 1) % classes), 0.8, classes),
        "source_labels": labels,
        "source_features": draws.normal(size=(rows, classes)) + apart * np.eye(classes)[labels],
        "classifier_weights": np.eye(classes),
    }


def candidate(trial, *, reference=False, optimises=(), cost=1.0, scores=None, without=(), **model):
    """A trial that makes mistakes of its own."""
    seen = evidence(**{"seed": trial, **model})
    found = scores_at_hand(LABEL_FREE_SCORES, seen) | (scores or {})
    kept = {name: value for name, value in found.items() if name not in without}
    return Candidate(trial, kept, seen, frozenset(optimises), is_reference=reference, cost=cost)


def source_only(trial=0, **model):
    return candidate(trial, reference=True, **{"wrong": 0.3, **model})


def broken(trial, **more):
    """A trial whose scores are no numbers."""
    return candidate(trial, scores={"infomax": math.nan}, **more)
