"""Bundles of small trained models with the portrait of what they were trained for."""

import numpy as np
from pretend_rows import MODELS, a_task_of_rows

from autotl.backbones import BackboneSpec
from autotl.backbones.classical import CLASSICAL
from autotl.backbones.reading import own_reading
from autotl.plan import Plan
from autotl.production.bundle import write_bundle
from autotl.production.portrait import portrait_of
from autotl.production.serving_model import serving_model
from autotl.trial.classical_learner import ClassicalLearner
from autotl.trial.forms import form_of
from autotl.trial.outcome import Outputs
from autotl.trial.scorer import Scorer


def trained(modality, *, ask=lambda task: task):
    """A model as it ships, its data, and what it said of the rows that it was scored on.

    Args:
        ask: makes another task of the same examples.
    """
    data = ask(a_task_of_rows(modality))
    plan = Plan(BackboneSpec(CLASSICAL, MODELS[modality])).canonical()
    learner = ClassicalLearner(plan, data, Scorer(data.metric or "accuracy"))
    learner.start(data.folds[0], fold_number=0)
    learner.train_epoch(data.folds[0], fold_number=0, epoch=0, check=lambda: None)
    rows = data.folds[0].validation
    said, features = learner.predict(rows)
    names = np.array([str(row) for row in rows])
    outputs = Outputs(rows, names, names, said, said, features)
    return serving_model(learner, own_reading(form_of(plan, data)), temperature=1.0), data, outputs


def portrayed_bundle(folder, modality, *, ask=lambda task: task):
    """The bundle, the data that its model was trained on, and its portrait."""
    model, data, outputs = trained(modality, ask=ask)
    portrait = portrait_of(model, data, outputs, temperature=1.0)
    description = {
        "classes": list(data.classes),
        "modality": modality,
        "problem": data.problem.name,
        "temperature": 1.0,
        "thresholds": [0.5] * len(data.classes),
    }
    bundle = write_bundle(folder, model, description=description, metrics={}, card="", evidence={}, portrait=portrait)
    return bundle, data, portrait
