"""Plans of every kind learn sets of labels: classical models, trained backbone layers, the methods that apply."""

from dataclasses import replace

import numpy as np
import pytest
from pretend import a_plan, a_task_of_sets, a_workshop
from pretend_domains import two_domains
from pretend_rows import MODELS, a_task_of_rows

from autotl.adaptation import METHODS
from autotl.backbones import BackboneSpec
from autotl.backbones.classical import CLASSICAL
from autotl.data.examples import UNKNOWN
from autotl.plan import Choice, Plan
from autotl.task.problem import MULTILABEL
from autotl.trial.outcome import Job

APPLY = [name for name in METHODS if name not in MULTILABEL.no_methods]


def ending_of(workshop, plan):
    *_, last = [row for row in workshop.train([Job(0, plan)]) if row.ending is not None]
    assert last.ending.status == "complete", last.ending.reason
    return last.ending


def with_sets(data, sets):
    known = data.labels != UNKNOWN
    labels = np.where(known[:, None], sets, UNKNOWN)
    return replace(data, labels=labels, problem=MULTILABEL, metric="average_precision", score_kind="validation")


@pytest.mark.parametrize("modality", MODELS)
def test_classical_models_learn_sets(tmp_path, modality):
    data = a_task_of_rows(modality)
    single = np.eye(len(data.classes), dtype=np.int64)[data.labels]
    either = np.maximum(single, np.roll(single, 1, axis=1))  # two of three labels each
    workshop = a_workshop(tmp_path, with_sets(data, either), metric="average_precision")
    ending = ending_of(workshop, Plan(BackboneSpec(CLASSICAL, MODELS[modality])))
    assert ending.score["value"] > 0.8
    assert ending.outputs.validation.sum(axis=1).mean() == pytest.approx(2.0, abs=0.4)
    trained = workshop.trained(Plan(BackboneSpec(CLASSICAL, MODELS[modality])), ending.weights)
    assert trained.predict(data.target_rows)[0] == pytest.approx(ending.outputs.target, abs=1e-6)


def test_trained_layers_and_hidden_heads_learn_sets(tmp_path):
    workshop = a_workshop(tmp_path, a_task_of_sets(rows=150), metric="average_precision")
    plan = a_plan(unfrozen_layers=2, head=Choice("hidden", {"units": 16}), learning_rate=1e-2, epochs=6)
    assert ending_of(workshop, plan).score["value"] > 0.7


@pytest.mark.parametrize(("name", "changed"), [*((name, {}) for name in APPLY), ("dan", {"joint": True})])
def test_methods_that_align_features_learn_sets(tmp_path, name, changed):
    data = two_domains()
    draws = np.random.default_rng(0)
    sets = (draws.random((len(data.labels), len(data.classes))) < 0.4).astype(np.int64)
    workshop = a_workshop(tmp_path, with_sets(data, sets), metric="average_precision")
    plan = a_plan(adaptation=Choice(name, {**METHODS[name].defaults, **changed}), epochs=2)
    ending = ending_of(workshop, plan)
    assert np.isfinite(ending.outputs.target).all()
    assert np.ptp(ending.outputs.target.sum(axis=1)) > 0


def test_the_others_say_why_not():
    assert {"mcc", "shot", "tent", "infomax", "self_training", "cdan", "label_shift"} == set(MULTILABEL.no_methods)
    assert all("one class" in why for why in MULTILABEL.no_methods.values())
