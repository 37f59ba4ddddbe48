import pickle
import subprocess
import sys

import numpy as np
import pytest
import xxhash

from autotl.data import texts as texts_module
from autotl.data.texts import BrokenTextError, cleaned, is_empty, join_texts, read_text_file, text_digests, texts_of

AS_WRITTEN = ["NA", "1e3", "  two  spaces ", "two\r\nlines", "ünï", "😀", "שלום", "a\u200bb", "", "x" * 100_000]


def names(count):
    return [f"row {number}" for number in range(1, count + 1)]


def test_texts_stay_as_they_were_written():
    texts = texts_of(AS_WRITTEN, names(len(AS_WRITTEN)))
    assert len(texts) == len(AS_WRITTEN)
    assert texts.read(np.arange(len(texts))) == AS_WRITTEN
    assert texts.read(np.array([5, 0])) == ["😀", "NA"]


def test_taking_and_renaming_keep_texts_ids_and_digests_together():
    texts = texts_of(["a", "b", "c"], names(3))
    taken = texts.take(np.array([2, 0]))
    assert (taken.texts, taken.ids) == (("c", "a"), ("row 3", "row 1"))
    assert taken.digests == text_digests(["c", "a"])
    assert taken.renamed(["x", "y"]).ids == ("x", "y")
    assert taken.renamed(["x", "y"]).texts == taken.texts


def test_several_are_joined_in_their_order():
    joined = join_texts([texts_of(["a", "b"], ["s/1", "s/2"]), texts_of(["c"], ["t/1"])])
    assert joined.texts == ("a", "b", "c")
    assert joined.ids == ("s/1", "s/2", "t/1")
    assert joined.digests == text_digests("abc")


def test_a_digest_is_that_of_the_utf8_bytes():
    assert text_digests(["né"]) == (xxhash.xxh3_128_hexdigest("né".encode()),)
    assert len(set(text_digests(["né", "ne\u0301", "ne", "ne "]))) == 4


def test_nul_and_lone_surrogates_are_cleaned_so_that_every_text_has_a_utf8_form():
    texts = texts_of(["a\0b", "half \ud83d pair", "\udc00"], names(3))
    assert texts.texts == ("ab", "half \ufffd pair", "\ufffd")
    assert texts.digests == text_digests(texts.texts)
    for text in texts.texts:
        text.encode("utf-8")
    assert pickle.loads(pickle.dumps(texts)).texts == texts.texts
    assert cleaned("whole pair \U0001f600") == "whole pair \U0001f600"


@pytest.mark.parametrize("text", ["", " \t\r\n", "\u00a0\u3000", "\u200b\ufeff\u00ad", "\0\x07", "\ufffd", "\ue000"])
def test_nothing_to_read_is_empty(text):
    assert is_empty(text)


@pytest.mark.parametrize("text", ["a", ".", "😀", " \u200b0 ", "東", "\u0301"])
def test_anything_to_read_is_not_empty(text):
    assert not is_empty(text)


def test_a_file_is_one_text(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes("\ufeffFirst line\r\nsecond: café\0\n".encode())
    assert read_text_file(path, "utf-8") == "First line\r\nsecond: café\n"
    path.write_bytes("café".encode("latin-1"))
    assert read_text_file(path, "latin-1") == "café"


@pytest.mark.parametrize(
    ("content", "encoding", "words"),
    [
        (b"fine\ncaf\xe9\n", "utf-8", "is not utf-8: line 2, byte 0xe9. Write its encoding in the task, for example"),
        ("né".encode("utf-16"), "ascii", "is not ascii: line 1, byte 0xff. Write its encoding in the task"),
        (b"fine", "utf-9", "there is no encoding 'utf-9'. Write one that Python knows in the task"),
    ],
)
def test_a_wrong_encoding_names_line_byte_and_the_setting(tmp_path, content, encoding, words):
    path = tmp_path / "a.txt"
    path.write_bytes(content)
    with pytest.raises(BrokenTextError) as caught:
        read_text_file(path, encoding)
    assert words in str(caught.value)


def test_a_file_that_is_gone_a_folder_or_too_large_is_refused(tmp_path, monkeypatch):
    with pytest.raises(BrokenTextError, match="is not there"):
        read_text_file(tmp_path / "gone.txt", "utf-8")
    with pytest.raises(BrokenTextError, match="cannot be read"):
        read_text_file(tmp_path, "utf-8")
    monkeypatch.setattr(texts_module, "MAX_BYTES", 5)
    (tmp_path / "long.txt").write_text("123456")
    with pytest.raises(BrokenTextError, match="is larger than 5 bytes"):
        read_text_file(tmp_path / "long.txt", "utf-8")


def test_importing_it_imports_nothing_heavy():
    heavy = "{'keras', 'tensorflow', 'pandas', 'sklearn', 'transformers', 'tokenizers'}"
    program = f"import sys, autotl.data.texts; print(sorted({heavy} & set(sys.modules)))"
    seen = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert seen.stdout.strip() == "[]"
