"""Our ids are those of transformers' fast tokenizer, on real reviews and on nasty texts."""

import csv
import json
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from nasty_texts import NASTY, tiny_vocabulary

from autotl.backbones import text_package
from autotl.backbones.tokenizer import MAX_WORD_BYTES, WordPiece, read_wordpiece, sequence_lengths
from autotl.errors import TaskError

TINY = WordPiece(tiny_vocabulary(), lowercase=True, strip_accents=True)


@pytest.fixture(scope="module")
def minilm() -> Path:
    missing = text_package.why_text_package_not_at_hand("all_minilm_l6_v2")
    if missing:
        pytest.skip(missing)
    return text_package.text_package_folder("all_minilm_l6_v2")


def ids_of_transformers(folder: Path, texts: list[str], length: int) -> np.ndarray:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, split_special_tokens=True)
    encoded = tokenizer(texts, padding="max_length", truncation=True, max_length=length, return_tensors="np")
    return encoded["input_ids"]


def test_ids_equal_those_of_transformers_on_real_reviews(minilm: Path, shared_data: Path) -> None:
    with (shared_data / "imdb_reviews" / "train.csv").open(encoding="utf-8", newline="") as file:
        texts = [row["text"] for row in csv.DictReader(file)][:1_000]
    assert len(texts) == 1_000
    wordpiece = read_wordpiece(minilm)
    for length in (16, 256):
        np.testing.assert_array_equal(wordpiece.encode(texts, length), ids_of_transformers(minilm, texts, length))


def test_ids_equal_those_of_transformers_on_nasty_texts(minilm: Path) -> None:
    wordpiece = read_wordpiece(minilm)
    np.testing.assert_array_equal(wordpiece.encode(NASTY, 64), ids_of_transformers(minilm, NASTY, 64))


def test_minilm_strips_accents_though_its_setting_is_null(minilm: Path) -> None:
    wordpiece = read_wordpiece(minilm)
    assert (wordpiece.lowercase, wordpiece.strip_accents, wordpiece.split_cjk) == (True, True, True)
    assert len(wordpiece.vocabulary) == 30522
    assert wordpiece.unknown_id not in wordpiece.encode(["Café déjà-vu, müde"], 16)


def test_tokenizer_json_alone_gives_the_same(minilm: Path, tmp_path: Path) -> None:
    shutil.copy(minilm / "tokenizer.json", tmp_path)
    assert read_wordpiece(tmp_path) == read_wordpiece(minilm)


def test_ids_have_start_end_and_padding() -> None:
    ids = TINY.encode(["the cat", "", "the the the the the"], 5)
    assert ids.dtype == np.int32
    the, cat = TINY.ids["the"], TINY.ids["cat"]
    cls, sep, pad = TINY.start_id, TINY.end_id, TINY.padding_id
    assert ids.tolist() == [[cls, the, cat, sep, pad], [cls, sep, pad, pad, pad], [cls, the, the, the, sep]]


def test_lengths_count_whole_texts() -> None:
    counts = TINY.lengths(["the cat", "", "the " * 100_000])
    assert counts.dtype == np.int64
    assert counts.tolist() == [4, 2, 100_002]
    assert TINY.lengths([]).shape == (0,)
    assert TINY.encode([], 8).shape == (0, 8)


def test_special_tokens_written_by_a_user_are_text() -> None:
    ids = TINY.encode(["[MASK] [SEP] [PAD] [CLS] [UNK]"], 32)[0].tolist()
    assert ids.count(TINY.end_id) == 1
    assert ids.count(TINY.start_id) == 1
    assert ids.index(TINY.padding_id) == ids.index(TINY.end_id) + 1


def test_words_too_long_in_bytes_are_unknown_and_their_neighbours_are_not() -> None:
    def tokens(text: str) -> list[str]:
        return [TINY.vocabulary[number] for number in TINY.encode([text], 200)[0] if number != TINY.padding_id][1:-1]

    assert tokens("a" * MAX_WORD_BYTES) == ["a", *["##a"] * (MAX_WORD_BYTES - 1)]
    assert tokens("a" * (MAX_WORD_BYTES + 1)) == ["[UNK]"]
    assert tokens("ж" * 50) == ["ж", *["##ж"] * 49]
    assert tokens("the " + "ж" * 51 + " cat") == ["the", "[UNK]", "cat"]
    assert tokens("the cat's " + "ж" * 51 + ", CAT") == ["the", "cat", "'", "s", "[UNK]", ",", "cat"]


def test_nothing_that_python_can_hold_crashes_it() -> None:
    texts = ["a\0b the", "half \ud83d the", "\U000f0000x the", "\U0010ffff the", "the\u200b\ufeff", "x" * 100_000]
    ids = TINY.encode(texts, 8)
    the = TINY.ids["the"]
    assert all(the in row for row in ids[:5])
    assert ids[5].tolist()[:3] == [TINY.start_id, TINY.unknown_id, TINY.end_id]


def test_a_cased_tokenizer_keeps_case_and_accents(tmp_path: Path) -> None:
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "é", "E", "e"]
    (tmp_path / "vocab.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    (tmp_path / "tokenizer_config.json").write_text('{"do_lower_case": false}')
    wordpiece = read_wordpiece(tmp_path)
    assert not wordpiece.strip_accents
    assert wordpiece.encode(["é E e"], 5).tolist() == [[2, 4, 5, 6, 3]]


def test_the_tokenizer_of_a_kerashub_preset_is_read_with_its_accents_stripped(tmp_path: Path) -> None:
    (tmp_path / "assets" / "tokenizer").mkdir(parents=True)
    (tmp_path / "assets" / "tokenizer" / "vocabulary.txt").write_text("\n".join(TINY.vocabulary), encoding="utf-8")
    config = {"class_name": "BertTokenizer", "config": {"lowercase": True, "strip_accents": False}}
    (tmp_path / "tokenizer.json").write_text(json.dumps(config))
    assert read_wordpiece(tmp_path) == TINY


def test_it_travels_as_json_and_as_a_small_pickle() -> None:
    TINY.encode(["builds the fast tokenizer"], 8)
    assert WordPiece.from_dict(json.loads(json.dumps(TINY.as_dict()))) == TINY
    pickled = pickle.dumps(TINY)
    assert pickle.loads(pickled) == TINY
    assert len(pickled) < sum(len(token.encode()) + 16 for token in TINY.vocabulary) + 500


def test_the_digest_names_everything_that_decides_the_ids() -> None:
    again = WordPiece(TINY.vocabulary, lowercase=True, strip_accents=True)
    assert again.digest == TINY.digest
    others = [
        WordPiece(TINY.vocabulary, lowercase=True, strip_accents=False),
        WordPiece(TINY.vocabulary, lowercase=False, strip_accents=True),
        WordPiece((*TINY.vocabulary, "more"), lowercase=True, strip_accents=True),
        WordPiece(TINY.vocabulary, lowercase=True, strip_accents=True, end="[CLS]"),
    ]
    assert len({TINY.digest, *(other.digest for other in others)}) == 5


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "it has no vocab.txt and no tokenizer.json. autotl reads WordPiece"),
        (
            {"tokenizer.json": '{"model": {"type": "BPE", "vocab": {}}}'},
            "holds a BPE tokenizer. autotl reads",
        ),
        ({"tokenizer.json": '{"class_name": "RobertaTokenizer", "config": {}}'}, "its tokenizer is a RobertaTokenizer"),
        (
            {"tokenizer.json": '{"model": {"type": "WordPiece", "vocab": {"a": 0, "b": 2}}}'},
            "the ids in tokenizer.json",
        ),
        ({"tokenizer.json": "{"}, "tokenizer.json: it is not JSON"),
        ({"vocab.txt": "[UNK]\n[CLS]\nthe\n"}, "its vocabulary of 3 tokens lacks [SEP], [PAD]"),
    ],
)
def test_a_folder_without_a_wordpiece_says_what_was_found(tmp_path: Path, files: dict[str, str], words: str) -> None:
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    with pytest.raises(TaskError) as caught:
        read_wordpiece(tmp_path)
    assert words in str(caught.value)


def test_sequence_lengths_hold_half_four_fifths_and_nearly_all_texts() -> None:
    counts = np.arange(1, 101)
    assert sequence_lengths(counts, max_positions=512) == [64, 80, 96]
    assert sequence_lengths(counts, max_positions=70) == [64, 70]
    assert sequence_lengths([5, 6, 7], max_positions=512) == [16]
    assert sequence_lengths([10_000] * 3, max_positions=2_048) == [512]
    assert sequence_lengths([16] * 9 + [17], max_positions=512) == [16, 32]
    with pytest.raises(ValueError, match="at least one text"):
        sequence_lengths([], max_positions=512)


def test_importing_it_imports_nothing_heavy() -> None:
    heavy = "{'keras', 'tensorflow', 'transformers', 'tokenizers'}"
    program = f"import sys, autotl.backbones.tokenizer; print(sorted({heavy} & set(sys.modules)))"
    seen = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert seen.stdout.strip() == "[]"
