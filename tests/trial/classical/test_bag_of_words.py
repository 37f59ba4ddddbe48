"""The bag of words agrees with scikit-learn's and with its own rebuild in Keras."""

import csv
import sys
from pathlib import Path

import numpy as np
import pytest

from autotl.errors import StorageError
from autotl.trial.classical import bag_of_words
from autotl.trial.classical.bag_of_words import BagOfWords, cross_fitted_logits, terms_of
from autotl.trial.learner import without_check

ODD = [
    "",
    "   \t\n ",
    "!?! ... '",
    "Don't-stop; it's GREAT, isn't it?",
    "ÉTÉ été Straße \N{GRINNING FACE} naïve",
    "no\u00a0break\u2003em\u2028line\x85next\x1cfile",
    "a\x00b zero\x00",
    "tab\tnew\nline\rreturn\vvertical\ffeed",
    "x" * 5_000,
    "word " * 3_000,
]


def fit(texts: list[str], labels: list[int], classes: int = 2, seed: int = 0) -> BagOfWords:
    return BagOfWords.fit(
        texts,
        np.array(labels),
        classes=classes,
        class_weights=np.ones(classes, np.float32),
        seed=seed,
        threads=1,
        check=without_check,
    )


def reviews(path: Path, count: int) -> tuple[list[str], list[int]]:
    csv.field_size_limit(sys.maxsize)
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row for _, row in zip(range(count), csv.DictReader(file), strict=False)]
    return [row["text"] for row in rows], [int(row["label"]) for row in rows]


def test_words_and_pairs_are_cut_in_plain_sight():
    words = ["its", "a", "movie", "a", "movie"]
    assert terms_of("It's a MOVIE, a movie!") == [*words, "its a", "a movie", "movie a", "a movie"]
    assert terms_of(" \t") == []
    assert terms_of("half \ud83d pair") == ["half", "pair", "half pair"]


@pytest.mark.parametrize("text", ODD)
def test_terms_are_those_that_keras_finds(text):
    from keras import layers

    vectorise = layers.TextVectorization(ngrams=2, vocabulary=["a"])
    cut = [term.decode("utf-8") for term in vectorise._preprocess([text]).to_list()[0]]
    assert terms_of(text) == cut


def test_it_is_scikit_learns_tf_idf_and_logistic_regression():
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    draws = np.random.default_rng(0)
    words = np.array([f"w{index}" for index in range(30)])
    texts = [" ".join(draws.choice(words, 12)) for _ in range(90)]
    labels = draws.integers(0, 3, 90)
    vectoriser = TfidfVectorizer(analyzer=terms_of, sublinear_tf=True, min_df=2)
    weighed = vectoriser.fit_transform(texts)
    model = fit(texts, labels.tolist(), classes=3)
    assert model.terms == tuple(vectoriser.get_feature_names_out())
    np.testing.assert_allclose(model.rarity, vectoriser.idf_, rtol=1e-6)
    found = model.predict(texts)
    gaps = []
    for strength in bag_of_words.STRENGTHS:
        expected = LogisticRegression(C=strength, max_iter=1000).fit(weighed, labels).predict_proba(weighed)
        gaps.append(np.abs(found - expected).max())
    assert min(gaps) < 1e-4


def test_the_rebuild_in_keras_agrees_and_survives_saving(tmp_path):
    import keras
    import tensorflow as tf

    texts = [f"good kind {index % 7} {ODD[index % len(ODD)]}" for index in range(60)]
    texts += [f"bad sort {index % 5} {ODD[index % len(ODD)]}" for index in range(60)]
    texts += [f"plain other {index % 3} {ODD[index % len(ODD)]}" for index in range(60)]
    model = fit(texts, [0] * 60 + [1] * 60 + [3] * 60, classes=4)
    rebuilt = model.keras_model()
    asked = [*texts, *ODD, "never seen words"]
    found = model.predict(asked)
    np.testing.assert_allclose(rebuilt.predict(tf.constant(asked), verbose=0), found, atol=1e-5)
    rebuilt.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras", compile=False, safe_mode=True)
    np.testing.assert_allclose(again.predict(tf.constant(asked), verbose=0), found, atol=1e-5)
    rebuilt.export(tmp_path / "exported", verbose=False)
    served = tf.saved_model.load(tmp_path / "exported")
    np.testing.assert_allclose(served.serve(tf.constant(asked)), found, atol=1e-5)


def test_a_thousand_real_reviews_get_the_same_from_keras(shared_data):
    import tensorflow as tf

    texts, labels = reviews(shared_data / "imdb_reviews" / "train.csv", 1_000)
    asked, truth = reviews(shared_data / "imdb_reviews" / "test.csv", 1_000)
    model = fit(texts, labels)
    found = model.predict(asked)
    np.testing.assert_allclose(model.keras_model().predict(tf.constant(asked), verbose=0), found, atol=1e-5)
    assert (found.argmax(axis=1) == truth).mean() > 0.82


@pytest.mark.slow
def test_four_thousand_reviews_reach_the_first_look(shared_data):
    model = fit(*reviews(shared_data / "imdb_reviews" / "train.csv", 4_000))
    asked, truth = reviews(shared_data / "imdb_reviews" / "test.csv", 2_000)
    assert (model.predict(asked).argmax(axis=1) == truth).mean() >= 0.89


def test_a_text_without_a_known_word_gets_the_prior():
    model = fit(["good film"] * 30 + ["bad film"] * 10, [1] * 30 + [0] * 10)
    empty, unknown = model.predict(["", "zebra"])
    np.testing.assert_array_equal(empty, unknown)


def test_texts_without_any_word_leave_the_shares_of_the_classes():
    model = fit(["", "...", " ", "!"], [0, 1, 1, 1])
    np.testing.assert_allclose(model.predict(["", "words"]), [[0.25, 0.75]] * 2, atol=1e-6)
    import tensorflow as tf

    rebuilt = model.keras_model().predict(tf.constant(["", "text"]), verbose=0)
    np.testing.assert_allclose(rebuilt, [[0.25, 0.75]] * 2, atol=1e-6)


def test_the_vocabulary_keeps_the_terms_of_most_texts(monkeypatch):
    monkeypatch.setattr(bag_of_words, "MOST_TERMS", 3)
    model = fit(["c b", "c a", "c b", "a c"], [0, 1, 0, 1])
    assert model.terms == ("a", "b", "c")


def test_logits_of_training_texts_come_from_models_that_never_saw_them():
    draws = np.random.default_rng(1)
    words = np.array([f"w{index}" for index in range(200)])
    texts = [" ".join(draws.choice(words, 20)) for _ in range(200)]
    labels = draws.integers(0, 2, 200)  # nothing to learn, so whoever is right has seen the answer
    fitted = cross_fitted_logits(
        texts, labels, classes=2, class_weights=np.ones(2, np.float32), seed=0, check=without_check
    )
    assert (fitted.model.logits(texts).argmax(axis=1) == labels).mean() > 0.85
    assert 0.35 < (fitted.logits.argmax(axis=1) == labels).mean() < 0.65
    assert fitted.logits.shape == (200, 2)
    np.testing.assert_allclose(fitted.logits[:, 0], -fitted.logits[:, 1], atol=1e-6)


@pytest.mark.parametrize("copies", ["equal texts", "groups"])
def test_copies_of_a_text_are_held_out_with_it(copies):
    draws = np.random.default_rng(2)
    words = np.array([f"w{index}" for index in range(200)])
    once = [" ".join(draws.choice(words, 20)) for _ in range(100)]
    labels = np.tile(draws.integers(0, 2, 100), 2)
    texts = [*once, *(once if copies == "equal texts" else [f"{text} again" for text in once])]
    groups = np.tile(np.arange(100), 2) if copies == "groups" else None
    fitted = cross_fitted_logits(
        texts, labels, classes=2, class_weights=np.ones(2, np.float32), seed=0, check=without_check, groups=groups
    )
    assert (fitted.logits.argmax(axis=1) == labels).mean() < 0.7


def test_held_out_logits_rank_as_well_as_new_texts_do(shared_data):
    texts, labels = reviews(shared_data / "imdb_reviews" / "train.csv", 800)
    asked, truth = reviews(shared_data / "imdb_reviews" / "test.csv", 800)
    fitted = cross_fitted_logits(
        texts, np.array(labels), classes=2, class_weights=np.ones(2, np.float32), seed=0, check=without_check
    )
    held_out = (fitted.logits.argmax(axis=1) == labels).mean()
    new = (fitted.model.logits(asked).argmax(axis=1) == truth).mean()
    assert held_out == pytest.approx(new, abs=0.05)


def test_a_vocabulary_with_strange_terms_or_numbers_that_are_none_is_refused():
    files = fit(["good film", "good book", "bad film", "bad book"] * 5, [1, 1, 0, 0] * 5).native_files()
    for terms in (["Good"], ["two  spaces"], ["one two three"], ["same", "same"], [""], ["nul\\u0000"], ["z" * 101]):
        changed = b'{"format": 1, "classes": 2, "terms": [%s]}' % b", ".join(b'"%s"' % term.encode() for term in terms)
        with pytest.raises(StorageError, match="terms"):
            BagOfWords.from_native_files(files | {"vocabulary.json": changed})
    model = BagOfWords.from_native_files(files)
    model.intercept[0] = np.nan
    with pytest.raises(StorageError, match="finite"):
        BagOfWords.from_native_files(model.native_files())
