"""A file of statistics is written whole, read as bytes from a stranger, and added to others that mean the same."""

import json
import zipfile
from dataclasses import replace
from hashlib import sha256

import numpy as np
import pytest
from statistics_files import a_file, rewritten

from autotl.data.statistics_file import StatisticsError, added, read_statistics, write_statistics


def test_what_is_written_is_read_again(tmp_path):
    made = a_file()
    found = write_statistics(tmp_path / "a.statistics.zip", made)
    assert found.classes == made.classes
    assert found.sites == made.sites
    assert found.features == made.features
    np.testing.assert_array_equal(found.learn.products, made.learn.products)
    np.testing.assert_array_equal(found.held_out.sums, made.held_out.sums)
    assert found.digest == made.digest
    assert found.whole.examples == made.learn.examples + made.held_out.examples
    assert [path.name for path in tmp_path.iterdir()] == ["a.statistics.zip"]


def test_two_files_added_are_the_statistics_of_both(tmp_path):
    one, other = a_file(seed=0), a_file(seed=1, site="south", classes=("red", "green", "blue"))
    total = added([("one", one), ("other", other)])
    assert [site.name for site in total.sites] == ["north", "south"]
    assert total.learn.counts.tolist() == [*(one.learn.counts + other.learn.counts[[2, 1, 0]])]
    np.testing.assert_allclose(total.learn.products, one.learn.products + other.learn.products)
    np.testing.assert_allclose(total.held_out.sums, one.held_out.sums + other.held_out.sums[[2, 1, 0]])
    write_statistics(tmp_path / "both.zip", total)


def test_files_that_do_not_go_together_are_not_added():
    one = a_file()
    with pytest.raises(StatisticsError, match="other holds the house 'north', which one holds already"):
        added([("one", one), ("other", one)])
    others = one.features.model_copy(update={"fingerprint": "another"})
    with pytest.raises(StatisticsError, match="was made with other weights"):
        added([("one", one), ("other", replace(a_file(seed=1), features=others))])
    wider = others.model_copy(update={"reading": {"image_size": 64}})
    with pytest.raises(StatisticsError, match=r"image_size 64.*Features must mean the same at every house"):
        added([("one", one), ("other", replace(a_file(seed=1), features=wider))])
    with pytest.raises(StatisticsError, match="the classes differ: 'green', 'yellow' are in one of them only"):
        added([("one", one), ("other", a_file(seed=1, classes=("blue", "yellow", "red")))])


def test_a_house_without_held_out_examples_leaves_those_of_the_others():
    one, other = a_file(), replace(a_file(seed=1, site="south"), held_out=None)
    assert added([("one", one), ("other", other)]).held_out.examples == one.held_out.examples
    assert added([("other", other), ("one", one)]).held_out.examples == one.held_out.examples


def test_few_examples_are_refused_on_writing_and_on_reading(tmp_path):
    few = a_file(rows=27)
    with pytest.raises(StatisticsError, match=r"tells of fewer than 10 examples of a class.*'blue' has"):
        write_statistics(tmp_path / "few.zip", few)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("spoilt", "words"),
    [
        ({"members": {"evil.pkl": b"cos"}}, "it holds 'evil.pkl'"),
        ({"members": {"learn.f64": b"1234"}}, "is not .* bytes long"),
        ({"members": {"learn.f64": None}}, "holds no statistics"),
        ({"description": {"format": 2}}, "was written in format 2"),
        ({"description": {"classes": ["a", "a", "b"]}}, "classes are not distinct"),
        ({"description": {"more": 1}}, "more"),
        ({"description": {"sites": []}}, "sites"),
    ],
)
def test_a_strangers_file_is_refused_with_the_reason(tmp_path, spoilt, words):
    path = tmp_path / "a.statistics.zip"
    write_statistics(path, a_file())
    rewritten(path, **spoilt)
    with pytest.raises(StatisticsError, match=words):
        read_statistics(path)


def test_numbers_that_no_examples_can_have_are_refused(tmp_path):
    path = tmp_path / "a.statistics.zip"
    made = a_file()
    write_statistics(path, made)
    raw = np.frombuffer(zipfile.ZipFile(path).read("learn.f64"), dtype="<f8").copy()
    for place, value, words in ((0, 29.5, "no examples can have"), (-1, 1e-9, "can have"), (5, np.nan, "no number")):
        wrong = raw.copy()
        wrong[place] = value
        numbers = wrong.tobytes()
        files = {**json.loads(zipfile.ZipFile(path).read("statistics.json"))["files"]}
        files["learn.f64"] = sha256(numbers).hexdigest()
        other = tmp_path / f"{place}.zip"
        other.write_bytes(path.read_bytes())
        rewritten(other, members={"learn.f64": numbers}, description={"files": files})
        with pytest.raises(StatisticsError, match=words):
            read_statistics(other)


def test_what_is_no_zip_and_what_is_not_there_are_refused(tmp_path):
    (tmp_path / "a.zip").write_bytes(b"not a zip")
    with pytest.raises(StatisticsError, match=r"holds no statistics \(.*autotl statistics DATA"):
        read_statistics(tmp_path / "a.zip")
    with pytest.raises(StatisticsError, match="cannot be read"):
        read_statistics(tmp_path / "b.zip")
