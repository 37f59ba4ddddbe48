"""What of other tasks a task may learn from: their labelled examples, and nothing that it is tested on."""

import csv

import numpy as np
import pytest

from autotl.data import load_data, refuse_unlike
from autotl.errors import DataError, TaskError
from autotl.task import read_task, tasks_of

FILE = """\
{modality}
tasks:
  - {{name: books, data: {{target: {{train: books.csv, test: books_test.csv}}}}}}
  - {{name: dvd, data: {{target: {{train: dvd.csv, labels: {{per_class: 4}}, test: none}}}}}}
"""


def reviews(path, texts, labels):
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        writer.writerows(zip(texts, labels, strict=True))


def sentences(kind, count, *, first=0):
    return [
        f"this {kind} has number {number} and says a thing or two about it" for number in range(first, first + count)
    ]


@pytest.fixture
def tasks(tmp_path):
    """Two tasks on texts; ten of the second one's are in the first one's test, under other labels."""
    marks = ["bad", "good"] * 30
    reviews(tmp_path / "books.csv", sentences("book", 60), marks)
    shared = sentences("test", 10)
    reviews(tmp_path / "books_test.csv", [*sentences("book", 10, first=60), *shared], marks[:20])
    reviews(tmp_path / "dvd.csv", [*sentences("film", 30), *shared], ["dull"] * 20 + ["fine"] * 20)
    (tmp_path / "both.yaml").write_text(FILE.format(modality="modality: text"))
    return lambda: tasks_of(read_task(tmp_path / "both.yaml"))


def test_only_known_labels_are_learnt_from(tasks):
    data = load_data(tasks()[0])
    (dvd,) = data.companions
    assert dvd.name == "dvd"
    assert dvd.classes == ("dull", "fine")
    counts = np.bincount(dvd.labels)
    assert len(dvd.inputs) == len(dvd.labels) == counts.sum()
    assert counts.max() <= 4


def test_what_the_task_is_tested_on_is_not_among_them(tasks, tmp_path):
    text = (tmp_path / "both.yaml").read_text().replace("labels: {per_class: 4}, ", "")
    (tmp_path / "both.yaml").write_text(text)
    books, dvd = (load_data(task) for task in tasks())
    (beside,) = books.companions
    assert len(beside.inputs) == 30
    assert not set(beside.inputs.digests) & set(books.test.inputs.digests)
    assert (
        "Learnt together with dvd: 30 labelled examples; 10 that are also in this task's test are left out."
        in (books.summary["notes"])
    )
    assert len(dvd.companions[0].inputs) == 60  # the tests of others are in nobody's examples


def test_a_changed_companion_changes_what_a_run_is_resumed_by(tasks, tmp_path):
    text = (tmp_path / "both.yaml").read_text().replace("labels: {per_class: 4}, ", "")
    (tmp_path / "both.yaml").write_text(text)
    before, again = (load_data(tasks()[0]).summary for _ in range(2))
    assert (again["fingerprint"], again["together"]) == (before["fingerprint"], before["together"])
    text = (tmp_path / "dvd.csv").read_text()
    (tmp_path / "dvd.csv").write_text(text.replace("film has number 3 ", "film has number three "))
    changed = load_data(tasks()[0]).summary
    assert changed["fingerprint"] != before["fingerprint"]
    assert changed["together"]["dvd"]["digest"] != before["together"]["dvd"]["digest"]


def test_tasks_of_different_kinds_are_refused(tasks, tmp_path):
    (tmp_path / "both.yaml").write_text(FILE.format(modality=""))
    np.savez(tmp_path / "dvd.npz", x=np.zeros((20, 8, 8, 3), dtype=np.uint8), y=np.array(["dull", "fine"] * 10))
    text = (tmp_path / "both.yaml").read_text().replace("dvd.csv", "dvd.npz")
    (tmp_path / "both.yaml").write_text(text)
    with pytest.raises(TaskError, match=r"tasks\[1\]\.data: 'dvd' holds images, 'books' texts\. Tasks learn together"):
        refuse_unlike(tasks()[0], "text")


def test_tables_have_no_network_to_share(tasks):
    with pytest.raises(TaskError, match="tables have columns of their own"):
        refuse_unlike(tasks()[0], "table")


def test_windows_must_be_of_one_shape(tmp_path):
    draws = np.random.default_rng(0)
    for name, samples in (("a", 64), ("b", 32)):
        x = draws.normal(size=(40, samples, 1)).astype(np.float32)
        np.savez(tmp_path / f"{name}.npz", x=x, y=np.array(["on", "off"] * 20))
    written = "modality: signal\ntasks:\n" + "".join(
        f"  - {{name: {name}, data: {{target: {{train: {name}.npz}}}}}}\n" for name in "ab"
    )
    (tmp_path / "both.yaml").write_text(written)
    with pytest.raises(DataError, match=r"windows of 'b' are \(32, 1\), those of this task \(64, 1\)"):
        load_data(tasks_of(read_task(tmp_path / "both.yaml"))[0])
