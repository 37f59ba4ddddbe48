"""Folds take turns on one model: each learns as if it were alone, none from what it is scored on, and the first stays.

Networks from scratch stand for all: every layer of theirs is trained, so whatever is lost on the way shows.
"""

from dataclasses import replace

import numpy as np
import pytest
from pretend import a_plan, a_task, images
from pretend_domains import two_domains

from autotl.adaptation import METHODS
from autotl.data import SealedTest
from autotl.data.examples import Fold
from autotl.features import FeatureStore
from autotl.plan import Choice
from autotl.production.evaluation import evaluate_on_test
from autotl.trial.outcome import Job
from autotl.trial.scorer import Scorer
from autotl.trial.workshop import Workshop

FOLDS = 3
FROM_SCRATCH = {"unfrozen_layers": "all", "backbone_rate_ratio": 1.0, "views": 1, "dropout": 0.2}
KNOWN = 12  # target labels beside a source


def a_balanced_workshop(place, data):
    """Classes are weighed by what each fold trains on, so the weights are another in every fold."""
    return Workshop(data, FeatureStore(place / "store", limit_bytes=1 << 30), Scorer("accuracy", balanced=True))


def ending_of(workshop, plan):
    ending = list(workshop.train([Job(0, plan)]))[-1].ending
    assert ending.status == "complete", ending.reason
    return ending


def trained_alone(workshop, plan, number):
    """The model of one fold, trained from its first epoch to its last without the others."""
    plan = plan.canonical()
    fold = workshop.folds(plan)[number]
    learner = workshop.bench.learner(plan, lambda: None)
    learner.start(fold, fold_number=number)
    for epoch in range(plan.all_epochs):
        learner.train_epoch(fold, fold_number=number, epoch=epoch, check=lambda: None)
    return learner


@pytest.mark.parametrize("own", [FROM_SCRATCH, {"unfrozen_layers": 0}], ids=["every layer", "head"])
def test_every_fold_is_scored_by_a_model_that_was_trained_on_it_alone(tmp_path, own):
    data, plan = a_task(folds=FOLDS), a_plan(**own)
    outputs = ending_of(a_balanced_workshop(tmp_path, data), plan).outputs
    workshop = a_balanced_workshop(tmp_path, data)
    for number, fold in enumerate(data.folds):
        said, _ = trained_alone(workshop, plan, number).predict(fold.validation)
        np.testing.assert_array_equal(outputs.validation[np.searchsorted(outputs.rows, fold.validation)], said)


def test_the_first_fold_is_what_is_kept_restored_and_tested(tmp_path):
    data, plan = a_task(folds=FOLDS), a_plan(**FROM_SCRATCH, epochs=6, batch_size=8)
    ending = ending_of(a_balanced_workshop(tmp_path, data), plan)
    inputs, labels = images(45, seed=5)
    workshop = a_balanced_workshop(tmp_path, data)
    first = trained_alone(workshop, plan, 0)
    meant, _ = first.predict(data.target_rows)
    np.testing.assert_array_equal(ending.outputs.target, meant)
    meant_of_test = first.predict_inputs(inputs)

    ending_of(workshop, a_plan(seed=1))  # leaves another model on the same layers
    test = SealedTest(inputs, labels, fingerprint="45 images", protocol="given")
    tested = evaluate_on_test({"trial": (plan, ending.weights)}, test, workshop)
    np.testing.assert_array_equal(tested.probabilities["trial"], meant_of_test)
    assert tested.figures["trial"]["value"] > 0.6, "a network that forgot its layers would be at a third"

    restored = workshop.trained(plan, ending.weights)
    np.testing.assert_array_equal(restored.predict_inputs(data.inputs[0].take(data.target_rows)), meant)
    np.testing.assert_array_equal(restored.predict(data.target_rows)[0], meant)


@pytest.mark.parametrize("plans", [1, 2], ids=["alone", "side by side"])
@pytest.mark.parametrize("folds", [1, FOLDS])
def test_features_of_the_scored_rows_are_left_by_the_one_model_that_scored_them_all(tmp_path, folds, plans):
    data = two_domains(source=60)
    labelled = np.arange(len(data.inputs[0]), len(data.labels))
    parts = np.array_split(np.random.default_rng(0).permutation(labelled), max(folds, 5))[:folds]
    cut = tuple(Fold(np.setdiff1d(labelled, part), part) for part in parts)
    data = replace(data, folds=cut, suffix_folds=cut)
    workshop = a_balanced_workshop(tmp_path, data)
    jobs = [Job(number, a_plan(seed=number, epochs=1)) for number in range(plans)]
    endings = [row.ending for row in workshop.train(jobs) if row.ending is not None]
    assert [ending.status for ending in endings] == ["complete"] * plans
    for outputs in (ending.outputs for ending in endings):
        assert set(outputs.rows) <= set(labelled)
        if folds > 1:
            assert outputs.source_features is None
            assert "source_features" not in outputs.evidence(data.labels)
        else:
            _, features = workshop.fit(jobs[0].plan, cut[0]).predict(outputs.rows)  # frozen: any plan's are the same
            np.testing.assert_allclose(outputs.evidence(data.labels)["source_features"], features, atol=1e-5)


def few_labels(*, changed=()):
    """Folds over a target's known rows, a source beside them; the labels of the rows `changed` are other ones."""
    data = two_domains(known=KNOWN)
    source = data.folds[0].train[data.folds[0].train >= len(data.inputs[0])]
    parts = np.arange(KNOWN).reshape(FOLDS, -1)
    folds = tuple(
        Fold(np.concatenate([np.setdiff1d(np.arange(KNOWN), part), source]).astype(np.int64), part) for part in parts
    )
    labels = data.labels.copy()
    labels[list(changed)] = (labels[list(changed)] + 1) % len(data.classes)
    return replace(
        data,
        labels=labels,
        folds=folds,
        suffix_folds=folds,
        score_kind="cross_validation",
        setting="cross-domain",
    )


@pytest.mark.parametrize("method", ["importance", "self_training", "shot", "label_shift"])
def test_what_a_fold_says_does_not_depend_on_the_labels_it_is_scored_by(tmp_path, method):
    """Whatever else a method makes of labels: weights, pseudo-labels, prototypes, shares of classes."""
    plan = a_plan(unfrozen_layers=3, adaptation=Choice(method, METHODS[method].defaults), epochs=2)
    workshop = a_balanced_workshop(tmp_path, few_labels())
    held_out = workshop.data.folds[1].validation
    one = ending_of(workshop, plan).outputs.validation
    workshop.data = workshop.bench.data = few_labels(changed=held_out.tolist())  # nothing is compiled twice
    other = ending_of(workshop, plan).outputs.validation
    np.testing.assert_array_equal(one[held_out], other[held_out])
    others = np.setdiff1d(np.arange(KNOWN), held_out)
    assert not np.array_equal(one[others], other[others]), "the folds that train on them do notice"
