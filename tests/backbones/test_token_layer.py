"""The tokenizer in the graph gives the reference's ids, fresh, reloaded and exported, with nothing of ours inside."""

import csv
import random
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from nasty_texts import NASTY, tiny_vocabulary

from autotl.backbones import text_package
from autotl.backbones.token_layer import token_ids
from autotl.backbones.tokenizer import WordPiece, read_wordpiece

TINY = WordPiece(tiny_vocabulary(), lowercase=True, strip_accents=True)
NASTIER = [*NASTY, "a\0b the", "\U000f0000x the", "\U0010ffff the", "ж" * 50, "ж" * 51, "한국어" * 12]


@pytest.fixture(scope="module")
def minilm() -> WordPiece:
    missing = text_package.why_text_package_not_at_hand("all_minilm_l6_v2")
    if missing:
        pytest.skip(missing)
    return read_wordpiece(text_package.text_package_folder("all_minilm_l6_v2"))


def token_model(wordpiece: WordPiece, length: int) -> keras.Model:
    texts = keras.Input((), dtype="string", name="texts")
    return keras.Model(texts, token_ids(texts, wordpiece, length), name="tokenizer")


def predicted(model: keras.Model, texts: list[str]) -> np.ndarray:
    return model.predict(tf.constant(texts), batch_size=256, verbose=0)


def random_texts(count: int) -> list[str]:
    """Characters of all planes, half of them from the first."""
    draw = random.Random(0)
    ranges = [(1, 0x3000), (32, 127), (1, 0xD800), (0xE000, 0x110000)]
    return ["".join(chr(draw.randrange(*draw.choice(ranges))) for _ in range(40)) for _ in range(count)]


def test_ids_are_equal_on_real_reviews(minilm: WordPiece, shared_data: Path) -> None:
    with (shared_data / "imdb_reviews" / "train.csv").open(encoding="utf-8", newline="") as file:
        texts = [row["text"] for row in csv.DictReader(file)][:1_000]
    assert len(texts) == 1_000
    ids = predicted(token_model(minilm, 256), texts)
    assert ids.dtype == np.int32
    np.testing.assert_array_equal(ids, minilm.encode(texts, 256))


def test_ids_are_equal_on_nasty_texts_and_on_any_character(minilm: WordPiece) -> None:
    texts = [*NASTIER, *random_texts(2_000)]
    np.testing.assert_array_equal(predicted(token_model(minilm, 64), texts), minilm.encode(texts, 64))


@pytest.mark.parametrize(
    "wordpiece",
    [
        TINY,
        WordPiece(tiny_vocabulary(), lowercase=False, strip_accents=False, split_cjk=False),
        WordPiece((*tiny_vocabulary()[::-1], "the", "", "two words", "line\rend"), lowercase=True, strip_accents=False),
    ],
    ids=["uncased", "cased", "odd"],
)
def test_ids_are_equal_for_any_settings_and_vocabulary(wordpiece: WordPiece) -> None:
    texts = [*NASTIER, *random_texts(300)]
    np.testing.assert_array_equal(predicted(token_model(wordpiece, 16), texts), wordpiece.encode(texts, 16))


@pytest.mark.parametrize("length", [3, 4, 512])
def test_any_length_and_a_batch_of_empty_texts(length: int) -> None:
    model = token_model(TINY, length)
    for texts in (["", ""], ["the cat, the cat"]):
        np.testing.assert_array_equal(predicted(model, texts), TINY.encode(texts, length))


def test_a_saved_model_loads_in_safe_mode_without_autotl(tmp_path: Path, elsewhere) -> None:
    token_model(TINY, 16).save(tmp_path / "tokens.keras")
    np.save(tmp_path / "texts.npy", np.array([text.rstrip("\0") for text in NASTIER]))  # NumPy pads with NUL
    program = (
        "import keras, keras_hub, numpy as np, tensorflow as tf\n"
        "model = keras.saving.load_model('tokens.keras', safe_mode=True)\n"
        "texts = np.load('texts.npy').tolist()\n"
        "np.save('ids.npy', model.predict(tf.constant(texts), verbose=0))"
    )
    elsewhere(program, tmp_path)
    np.testing.assert_array_equal(np.load(tmp_path / "ids.npy"), TINY.encode(NASTIER, 16))


def test_an_exported_saved_model_gives_the_same(tmp_path: Path) -> None:
    token_model(TINY, 16).export(tmp_path / "exported", verbose=False)
    served = tf.saved_model.load(str(tmp_path / "exported")).serve(tf.constant(NASTIER))
    np.testing.assert_array_equal(served.numpy(), TINY.encode(NASTIER, 16))


@pytest.mark.parametrize("texts", [["the cat"], ["the", "cat"], [""]])
def test_an_eager_call_fails_rather_than_lose_words(texts: list[str]) -> None:
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError)):
        token_model(TINY, 16)(tf.constant(texts))


def test_a_batch_of_python_strings_is_taken() -> None:
    texts = ["the cat", "", "東 the"]
    ids = token_model(TINY, 16).predict_on_batch(np.array(texts, dtype=object))
    np.testing.assert_array_equal(ids, TINY.encode(texts, 16))


def test_bytes_that_are_no_utf8_do_not_crash_it() -> None:
    ids = token_model(TINY, 8).predict(tf.constant([b"the \xff\xfe cat", b"\xc3"]), verbose=0)
    assert ids[0].tolist()[:2] == [TINY.start_id, TINY.ids["the"]]
    assert TINY.ids["cat"] in ids[0]
