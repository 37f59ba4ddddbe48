"""Models of several labels per example: each label is learnt alone, and what is kept predicts the same again."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from autotl.errors import StorageError
from autotl.trial.classical.bag_of_words import BagOfWordsPerLabel, cross_fitted_logits
from autotl.trial.classical.one_vs_rest import BoostedTreesPerLabel, RandomForestPerLabel
from autotl.trial.learner import without_check

WORDS = (("pump", "leak"), ("belt", "noise"), ("fan", "heat"))


def examples(kind, *, n=240, seed=0):
    """Examples of which each of three labels is told by something of its own; some bear none."""
    draws = np.random.default_rng(seed)
    sets = (draws.random((n, 3)) < (0.5, 0.3, 0.15)).astype(np.int64)
    if kind is BagOfWordsPerLabel:
        said = [[draws.choice(WORDS[index]) for index in np.flatnonzero(row)] for row in sets]
        return [" ".join([*words, "the", f"machine{draws.integers(9)}"]) for words in said], sets
    table = draws.normal(size=(n, 5)).astype(np.float32)
    table[:, :3] += 3.0 * sets
    if kind is BoostedTreesPerLabel:
        return table, sets
    waves = np.sin(np.arange(64)[:, None] * np.array([0.2, 0.7, 1.6]))
    noise = 0.3 * draws.normal(size=(n, 64))
    return (noise + sets @ waves.T)[:, :, None].astype(np.float32), sets


def fit(kind, given, sets, **options):
    settings = {"class_weights": np.ones(sets.shape[1], np.float32), "seed": 0, "threads": 1, "check": without_check}
    return kind.fit(given, sets, classes=sets.shape[1], **settings | options)


KINDS = (BagOfWordsPerLabel, BoostedTreesPerLabel, RandomForestPerLabel)


@pytest.mark.parametrize("kind", KINDS)
def test_every_label_is_learnt_and_rows_need_not_add_up(kind):
    model = fit(kind, *examples(kind))
    given, sets = examples(kind, seed=1)
    said = model.predict(given)
    assert said.shape == (240, 3)
    assert said.dtype == np.float32
    assert average_precision_score(sets, said, average="macro") > 0.9
    assert np.ptp(said.sum(axis=1)) > 0.5
    assert model.size().params > 0


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_kept_predicts_the_same_again(kind):
    given, sets = examples(kind)
    model = fit(kind, given, sets)
    told = model.predict(given)
    assert (kind.from_arrays(model.arrays(), 3).predict(given) == told).all()
    assert (kind.from_native_files(model.native_files()).predict(given) == told).all()


@pytest.mark.parametrize("kind", KINDS)
def test_labels_that_nobody_or_everybody_bears_are_no_trouble(kind):
    given, sets = examples(kind, n=60)
    sets[:, 0], sets[:, 1] = 0, 1
    said = fit(kind, given, sets).predict(given)
    assert said[:, 0].max() < 0.1
    assert said[:, 1].min() > 0.9
    assert np.isfinite(np.log(said)).all()


@pytest.mark.parametrize("kind", KINDS)
def test_a_label_that_counts_more_is_said_more_often(kind):
    given, sets = examples(kind)
    if kind is BoostedTreesPerLabel:
        given = given + np.random.default_rng(5).normal(scale=4.0, size=given.shape).astype(np.float32)
    plain = fit(kind, given, sets).predict(given)[:, 2]
    heavy = fit(kind, given, sets, class_weights=np.array([1, 1, 8], np.float32)).predict(given)[:, 2]
    assert heavy.mean() > plain.mean()


def test_files_of_another_model_are_refused():
    given, sets = examples(BoostedTreesPerLabel)
    files = fit(BoostedTreesPerLabel, given, sets).native_files()
    with pytest.raises(StorageError, match="a model a label is kept as files"):
        BoostedTreesPerLabel.from_native_files({name: files[name] for name in files if not name.startswith("0001")})
    with pytest.raises(StorageError, match="kept as 8 arrays; there are 6"):
        BoostedTreesPerLabel.from_arrays(fit(BoostedTreesPerLabel, given, sets).arrays(), 4)


def test_held_out_logits_of_sets_say_what_those_of_new_texts_would():
    texts, sets = examples(BagOfWordsPerLabel)
    fitted = cross_fitted_logits(
        texts,
        sets,
        classes=3,
        class_weights=np.ones(3, np.float32),
        seed=0,
        check=without_check,
        kind=BagOfWordsPerLabel,
    )
    assert fitted.logits.shape == (240, 3)
    assert isinstance(fitted.model, BagOfWordsPerLabel)
    assert average_precision_score(sets, fitted.logits, average="macro") > 0.9


def test_keras_layers_say_what_the_bag_of_labels_says():
    texts, sets = examples(BagOfWordsPerLabel)
    model = fit(BagOfWordsPerLabel, texts, sets)
    rebuilt = np.asarray(model.keras_model()(np.array(texts[:20], dtype=object)))
    assert rebuilt == pytest.approx(model.predict(texts[:20]), abs=1e-5)
