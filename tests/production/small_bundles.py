"""Real bundles of every kind, as small as they get, and the examples they learnt from."""

from dataclasses import replace

import numpy as np
from pretend import a_plan, a_task, a_workshop
from pretend_rows import a_task_of_rows
from text_toys import toy_text_network

from autotl.backbones import BackboneSpec
from autotl.backbones.classical import CLASSICAL
from autotl.backbones.pretrained import PretrainedNetwork, described_form, untrained, weights_of, write_pretrained
from autotl.backbones.reading import own_reading
from autotl.backbones.residual_mlp import number_statistics
from autotl.data.records import records_from_table
from autotl.data.schema_fitting import fit_schema
from autotl.data.tables import Table
from autotl.plan import Plan
from autotl.plan.modalities import defaults_of
from autotl.production.bundle import open_bundle, write_bundle
from autotl.production.serving_model import serving_model
from autotl.task.problem import MULTILABEL, REGRESSION
from autotl.trial import network_bench
from autotl.trial.classical_learner import ClassicalLearner
from autotl.trial.forms import form_of
from autotl.trial.scorer import Scorer

TEMPERATURE = 1.7
INTERVAL = {"level": 0.9, "half_width": 2.5}
CLASSICAL_MODELS = {"words": "text", "trees": "table", "forest": "signal"}
NAMES = {"words": "bag_of_words", "trees": "boosted_trees", "forest": "random_forest"}


def dated_records(rows: int, *, seed: int):
    """Numbers with gaps in a notation of their own, a category, whether, and when."""
    draws = np.random.default_rng(seed)
    label = np.arange(rows) % 3
    level = draws.normal(size=rows) + 2 * label
    cells = {
        "Level [mm]": [f"{value:.4f}".replace(".", ",") if value < 5 else "" for value in level],
        "noise": [f"{value:.4f}" for value in draws.normal(size=rows)],
        "kind": [("x", "y", "NA", "ü")[index] for index in (label + (draws.random(rows) < 0.3)) % 4],
        "open": [("true", "False")[index] for index in draws.integers(0, 2, rows)],
        "seen": [
            f"{draws.integers(1, 29):02}.{1 + index}.20{draws.integers(10, 25)} {draws.integers(24)}:30"
            for index in (label * 3 + draws.integers(0, 3, rows)).tolist()
        ],
    }
    records = records_from_table(Table(cells, range(2, 2 + rows)), tuple(cells))
    return records.with_schema(fit_schema(records, np.arange(rows), where="data").schema)


def a_table_task(rows: int = 150):
    task = a_task_of_rows("table")
    return replace(
        task,
        domains=("target",),
        inputs=(dated_records(rows, seed=3),),
        labels=np.arange(rows) % 3,
        folds=(replace(task.folds[0], train=np.arange(rows - 30), validation=np.arange(rows - 30, rows)),),
        suffix_folds=(replace(task.folds[0], train=np.arange(rows - 30), validation=np.arange(rows - 30, rows)),),
        target_rows=np.arange(rows - 30, rows),
    )


def of_numbers(task):
    """The same, whose labels are numbers that follow from the classes."""
    numbers = 40.0 + 10.0 * task.labels + np.random.default_rng(0).uniform(-1.0, 1.0, len(task.labels))
    return replace(task, labels=numbers, classes=("length",), problem=REGRESSION, metric="rmse")


def of_sets(task):
    """The same, whose examples bear their class's label and the one before it; nobody bears the last."""
    own = np.eye(len(task.classes), dtype=np.int64)[task.labels]
    sets = np.maximum(own, np.roll(own, 1, axis=1))
    return replace(
        task,
        labels=np.pad(sets, ((0, 0), (0, 1))),
        classes=(*task.classes, "never"),
        problem=MULTILABEL,
        metric="average_precision",
    )


ASKED = {"": lambda task: task, "number": of_numbers, "set": of_sets}


def a_bundle(kind, folder, monkeypatch):
    """A bundle of a kind, and its task; `number trees` and `set trees` are those that answer with numbers and sets."""
    asked, _, kind = kind.rpartition(" ")
    if kind in CLASSICAL_MODELS:
        return _classical(kind, folder, ASKED[asked])
    if kind == "image":
        longer = {"epochs": 8, "learning_rate": 3e-2} if asked else {"epochs": 2}
        data, plan = ASKED[asked](a_task()), a_plan(**longer).canonical()
    elif kind == "table":
        data = a_table_task()
        plan = _on_a_pretrained_network(data, folder.parent)
    elif kind == "signal":
        data = a_task_of_rows("signal")
        plan = _on_a_pretrained_network(data, folder.parent)
    else:
        monkeypatch.setattr(network_bench, "build_network", lambda *_, **__: toy_text_network(length=16))
        data = a_task_of_rows("text")
        own = {**defaults_of("text"), "sequence_length": 16}
        plan = Plan(BackboneSpec("saved", "/nowhere/toy"), epochs=2, learning_rate=0.1, **own).canonical()
    workshop = a_workshop(folder.parent, data, metric=data.metric or "accuracy")
    learner = workshop.trained(plan, workshop.fit(plan, workshop.folds(plan)[0]).weights())  # as a winner ships
    model = serving_model(learner, own_reading(form_of(plan, data)), temperature=_temperature(data))
    return _written(folder, model, data, plan), data


def _on_a_pretrained_network(data, place):
    form = form_of(Plan(BackboneSpec("scratch", "small_cnn")), data)
    numbers = None
    if data.modality == "table":
        numbers = number_statistics(data.inputs[0].read(np.arange(len(data.inputs[0]))), data.inputs[0].schema)
    network = untrained(form, numbers=numbers, seed=0)
    write_pretrained(place / "p.npz", PretrainedNetwork(described_form(form), weights_of(network), numbers, {}))
    backbone = BackboneSpec("pretrained_on_source", "pretrained_on_source", weights=str(place / "p.npz"))
    return Plan(backbone, epochs=2, **defaults_of(data.modality)).canonical()


def _classical(kind, folder, ask):
    data = ask(a_table_task() if kind == "trees" else a_task_of_rows(CLASSICAL_MODELS[kind]))
    plan = Plan(BackboneSpec(CLASSICAL, NAMES[kind])).canonical()
    learner = ClassicalLearner(plan, data, Scorer(data.metric))
    learner.start(data.folds[0], fold_number=0)
    learner.train_epoch(data.folds[0], fold_number=0, epoch=0, check=lambda: None)
    model = serving_model(learner, own_reading(form_of(plan, data)), temperature=_temperature(data))
    return _written(folder, model, data, plan), data


def _temperature(data):
    return 1.0 if data.problem is REGRESSION else TEMPERATURE


def _written(folder, model, data, plan):
    beside = {"multilabel": {"thresholds": [0.5] * len(data.classes)}, "regression": {"interval": INTERVAL}}
    description = {
        **beside.get(data.problem.name, {}),
        "task": f"small {data.modality}",
        "problem": data.problem.name,
        "classes": list(data.classes),
        "modality": data.modality,
        "temperature": _temperature(data),
        "plan": plan.as_dict(),
        "schema": {"input": None, "encoding": "utf-8"},
        "versions": {"autotl": "0.1.0"},
    }
    write_bundle(folder, model, description=description, metrics={}, card="# card\n", evidence={})
    return open_bundle(folder)
