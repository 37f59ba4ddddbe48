import os

import numpy as np
import pytest

from autotl.data.arrays import ArrayError
from autotl.data.modality import (
    ArrayFacts,
    FolderFacts,
    TableFacts,
    array_facts,
    folder_facts,
    guess_modality,
    modality_of,
    table_facts,
)
from autotl.data.tables import read_table
from autotl.errors import TaskError
from autotl.task.model import Columns

REVIEWS = [f"I bought number {index} a week ago and it broke at once" for index in range(40)]
NUMBERS = [str(index % 17 + 0.5) for index in range(40)]
KINDS = ["L", "M", "H", "M"] * 10


def table(**columns) -> TableFacts:
    return TableFacts(columns)


@pytest.mark.parametrize(
    ("facts", "modality", "words"),
    [
        (FolderFacts({".jpg": 90, ".png": 10}), "image", "100 image files"),
        (FolderFacts({".jpg": 990, ".txt": 2}), "image", "990 image files"),
        (FolderFacts({".txt": 40}), "text", "40 .txt files"),
        (FolderFacts({".txt": 40, ".jpg": 40}), None, "40 image files and 40 .txt files"),
        (FolderFacts({".csv": 3}), None, "name the files themselves"),
        (FolderFacts({".wav": 3}), None, "most are .wav"),
        (FolderFacts({}), None, "no file"),
        (ArrayFacts("x", (10, 28, 28), "u", 1), "image", "grey images"),
        (ArrayFacts("x", (10, 32, 32, 3), "u", 1), "image", "3 channels"),
        (ArrayFacts("x", (10, 32, 32, 3), "f"), "image", "3 channels"),
        (ArrayFacts("x", (10, 1024), "f"), "signal", "(n, 1024), windows of 1,024 samples"),
        (ArrayFacts("x", (10, 1024), "i", 2), "signal", "windows"),
        (ArrayFacts("x", (10, 1024, 3), "f"), "signal", "1,024 samples x 3 channels"),
        (ArrayFacts("x", (10, 28, 28), "f"), "image", "square grey images"),
        (ArrayFacts("x", (10, 28, 20), "f"), None, "grey images of 28 x 20 or windows of 28 samples"),
        (ArrayFacts("x", (10, 1024, 2), "u", 1), None, "may be grey images"),
        (ArrayFacts("x", (10, 3, 1024), "f"), None, "more channels than samples"),
        (ArrayFacts("x", (10, 8), "f"), None, "8 values a row"),
        (ArrayFacts("x", (10, 8, 8, 5), "f"), None, "neither"),
        (ArrayFacts("x", (10,), "f"), None, "neither images nor windows"),
        (ArrayFacts("x", (10, 1024), "U"), None, "neither whole numbers nor floats"),
        (table(file=[f"a/{index}.JPG" for index in range(40)], label=KINDS), "image", "column 'file' names files"),
        (table(text=REVIEWS, label=KINDS), "text", "column 'text' holds texts of 12 words"),
        (table(body=REVIEWS, stars=NUMBERS, y=KINDS), "text", "column 'body'"),
        (table(text=[f"how lovely {index}!" for index in range(40)], label=KINDS), "text", "3 words"),
        (table(a=["这个产品非常好我很喜欢它" + str(index) for index in range(40)], label=KINDS), "text", "'a'"),
        (table(speed=NUMBERS, kind=KINDS, label=KINDS), "table", "of numbers (1) and of categories or dates (1)"),
        (table(speed=NUMBERS, label=KINDS), "table", "columns of numbers (1)"),
        (table(day=["2024-01-31 10:00"] * 40, speed=NUMBERS, label=KINDS), "table", "categories or dates (1)"),
        (table(**{f"n{index}": NUMBERS for index in range(6)}, note=REVIEWS), None, "a table with remarks"),
        (table(time=[str(index) for index in range(40)], a=NUMBERS, label=KINDS), None, "a table, or a signal"),
        (table(word=KINDS, label=KINDS), None, "short texts"),
        (table(a=[""] * 40, label=KINDS), None, "no filled cell"),
    ],
)
def test_the_modality_and_its_reason(facts, modality, words):
    guess = guess_modality([facts])
    assert guess.modality == modality
    assert words in guess.reason


def test_what_the_task_says_of_columns_counts():
    facts = table(text=REVIEWS, note=NUMBERS, kind=KINDS)
    assert guess_modality([facts], Columns(drop=["text"])).modality == "table"
    assert guess_modality([facts], Columns(input="text")).modality == "text"
    assert guess_modality([facts], Columns(time="note")).reason == "the task names a time column"
    assert guess_modality([facts], Columns(unit="kind")).modality == "signal"
    assert guess_modality([facts], window=512).reason == "the task names a window"


def test_paths_must_agree():
    image, text = FolderFacts({".jpg": 9}), FolderFacts({".txt": 9})
    assert guess_modality([image, image]).modality == "image"
    guess = guess_modality([image, text])
    assert guess.modality is None
    assert guess.reason.startswith("one path is image, because the folder holds 9 image files; another is text")
    assert guess_modality([image, FolderFacts({})]).modality is None
    assert guess_modality([]).modality is None


def test_facts_come_from_names_and_headers_alone(tmp_path):
    assert folder_facts(["cat/1.JPG", "dog/2.jpg", "x"]) == FolderFacts({".jpg": 2, "": 1})
    np.savez(tmp_path / "a.npz", y=np.zeros(3), x_train=np.zeros((3, 64), dtype=np.float32))
    assert array_facts(tmp_path / "a.npz") == ArrayFacts("x_train", (3, 64), "f", 4)
    np.savez(tmp_path / "b.npz", y=np.zeros(3))
    assert array_facts(tmp_path / "b.npz") is None
    (tmp_path / "c.npz").write_text("no archive")
    with pytest.raises(ArrayError):
        array_facts(tmp_path / "c.npz")


@pytest.mark.parametrize(
    ("path", "modality"),
    [
        ("ai4i2020/ai4i2020.csv", "table"),
        ("cwru_bearing/features.csv", "table"),
        ("cwru_bearing/windows_load0.npz", "signal"),
        ("cwru_bearing/windows_load3.npz", "signal"),
        ("digits/mnist.npz", "image"),
        ("digits/usps.npz", "image"),
        ("digits/png/usps_1800", "image"),
        ("cifar10/train", "image"),
        ("imdb_reviews/train.csv", "text"),
        ("amazon_reviews/books.csv", "text"),
        ("amazon_reviews/dvd.csv", "text"),
        ("amazon_reviews/electronics.csv", "text"),
        ("amazon_reviews/kitchen.csv", "text"),
    ],
)
def test_real_data_sets_are_guessed(shared_data, path, modality):
    full = shared_data / path
    if full.is_dir():
        facts = folder_facts([name for _, _, names in os.walk(full) for name in names])
    else:
        facts = array_facts(full) if full.suffix == ".npz" else table_facts(read_table(full, encoding="utf-8"))
    assert guess_modality([facts]).modality == modality


def a_table(path, **columns):
    lines = [",".join(columns), *(",".join(row) for row in zip(*columns.values(), strict=True))]
    path.write_text("\n".join(lines), encoding="utf-8")


def test_a_task_that_says_what_its_data_are_is_believed(tmp_path, make_task):
    a_table(tmp_path / "t.csv", text=REVIEWS, label=KINDS)
    assert modality_of(make_task("t.csv", modality="table")) == "table"
    assert modality_of(make_task("t.csv")) == "text"


def test_sources_are_looked_at_too_and_must_agree(tmp_path, make_task):
    a_table(tmp_path / "t.csv", text=REVIEWS, label=KINDS)
    a_table(tmp_path / "s.csv", speed=NUMBERS, label=KINDS)
    with pytest.raises(TaskError, match=r"data: the modality is not clear: one path is text.*Write 'modality: image'"):
        modality_of(make_task("t.csv", {"train": "s.csv"}))
    np.savez(tmp_path / "w.npz", x=np.zeros((3, 64)))
    assert modality_of(make_task("w.npz")) == "signal"


def test_columns_and_windows_of_the_task_decide(tmp_path, make_task):
    a_table(tmp_path / "t.csv", time=[str(row) for row in range(40)], force=NUMBERS, label=KINDS)
    with pytest.raises(TaskError, match="a table, or a signal with data.columns"):
        modality_of(make_task("t.csv"))
    assert modality_of(make_task("t.csv", columns={"time": "time"})) == "signal"
    assert modality_of(make_task("t.csv", columns={"unit": "label"})) == "signal"
    assert modality_of(make_task("t.csv", window=8)) == "signal"
    assert modality_of(make_task("t.csv", columns={"drop": ["time"]})) == "table"


@pytest.mark.parametrize("given", ["nowhere", "t.csv", "w.npz", "empty"])
def test_what_cannot_be_read_is_told_elsewhere(tmp_path, make_task, given):
    """The listing tells what is wrong with a path; a complaint about the modality would only hide it."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "t.csv").write_bytes(b"text,label\n\xff,a\n")
    (tmp_path / "w.npz").write_bytes(b"no archive")
    assert modality_of(make_task(given)) == "image"


def test_a_folder_of_neither_kind_is_asked_about(tmp_path, make_task):
    for name in ("a/1.wav", "b/2.wav"):
        (tmp_path / "sounds" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "sounds" / name).touch()
    with pytest.raises(TaskError, match="most are .wav.*Write 'modality: image', 'text', 'table' or 'signal'"):
        modality_of(make_task("sounds"))
