"""Classical models of numbers: better than the mean, kept and read back, robust where that is asked for."""

import json

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import Ridge

from autotl.errors import StorageError
from autotl.scoring.metrics import METRICS
from autotl.task.problem import REGRESSION
from autotl.trial.classical import MODELS_FOR, model_named
from autotl.trial.learner import without_check
from tests.trial.classical.test_models import table, texts, windows

MAKERS = {"bag_of_words": texts, "boosted_trees": table, "random_forest": windows}
NAMES = list(MODELS_FOR["regression"])


def examples(name, *, rows=200):
    """Examples of one to four, and numbers around 10, 20, 30 and 40 that these stand for."""
    draws = np.random.default_rng(0)
    kinds = np.arange(rows) % 4
    return MAKERS[name](4, kinds, draws), 10.0 * (kinds + 1) + draws.normal(0.0, 1.0, rows)


def fit(name, given, labels, **settings):
    return model_named(name, REGRESSION).fit(
        given,
        labels,
        classes=1,
        class_weights=np.ones(1, np.float32),
        seed=0,
        threads=1,
        check=without_check,
        **settings,
    )


def of(given, rows):
    return [given[row] for row in rows] if isinstance(given, list) else given[rows]


@pytest.mark.parametrize("name", NAMES)
def test_numbers_are_learnt(name):
    given, labels = examples(name)
    train, held_out = np.arange(150), np.arange(150, 200)
    said = fit(name, of(given, train), labels[train]).predict(of(given, held_out))
    assert said.shape == (50, 1)
    assert said.dtype == np.float32
    assert METRICS["r2"](labels[held_out], said) > 0.8


@pytest.mark.parametrize("name", NAMES)
def test_a_model_is_kept_as_arrays_and_as_files(name):
    given, labels = examples(name)
    kind = model_named(name, REGRESSION)
    model = fit(name, given, labels)
    assert model.classes == 1
    assert (kind.from_arrays(model.arrays(), 1).predict(given) == model.predict(given)).all()
    assert (kind.from_native_files(model.native_files()).predict(given) == model.predict(given)).all()
    assert model.size().params > 0


@pytest.mark.parametrize("name", NAMES)
def test_equal_numbers_are_said_of_everything(name):
    given, _ = examples(name, rows=40)
    model = fit(name, given, np.full(40, 7.5))
    again = model_named(name, REGRESSION).from_native_files(model.native_files())
    assert again.predict(given) == pytest.approx(np.full((40, 1), 7.5), rel=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_no_example_is_refused(name):
    given, labels = examples(name)
    with pytest.raises(ValueError, match=r"at least one|no |empty"):
        fit(name, of(given, np.arange(0)), labels[:0])


def test_large_errors_do_not_lead_where_absolute_ones_are_measured():
    given, labels = examples("boosted_trees", rows=400)
    spoilt = np.where(np.arange(400) % 10 == 0, labels + 1000.0, labels)
    squared, absolute = (
        METRICS["mae"](labels, fit("boosted_trees", given, spoilt, loss=loss).predict(given))
        for loss in ("squared_error", "huber")
    )
    assert absolute < 0.5 * squared


def test_words_agree_with_scikit_learns_ridge():
    given, labels = examples("bag_of_words", rows=300)
    vectoriser = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2)
    other = Ridge(alpha=0.1).fit(vectoriser.fit_transform(given[:200]), labels[:200])
    theirs = METRICS["rmse"](labels[200:], other.predict(vectoriser.transform(given[200:]))[:, None])
    ours = METRICS["rmse"](labels[200:], fit("bag_of_words", given[:200], labels[:200]).predict(given[200:]))
    assert ours < 1.1 * theirs


@pytest.mark.parametrize("constant", ["1", "NaN", "true", "1e999"])
def test_a_constant_that_is_no_number_is_refused(constant):
    given, _ = examples("boosted_trees", rows=40)
    files = fit("boosted_trees", given, np.full(40, 7.5)).native_files()
    files["model.json"] = files["model.json"].replace(b'"constant": 7.5', f'"constant": {constant}'.encode())
    assert json.loads(files["model.json"])["constant"] != 7.5
    with pytest.raises(StorageError, match="constant is"):
        model_named("boosted_trees", REGRESSION).from_native_files(files)
