import shutil

import numpy as np
import pytest
from PIL import Image

from autotl.data import load_data
from autotl.errors import StorageError
from autotl.run import RunFolder
from autotl.run.known_inputs import INPUTS, known_inputs, read_known_inputs, what_changed, write_known_inputs
from autotl.task import task_from_mapping


@pytest.fixture
def photos(tmp_path):
    draws = np.random.default_rng(0)
    for label in "ab":
        (tmp_path / "photos" / label).mkdir(parents=True)
        for number in range(20):
            pixels = draws.integers(0, 256, (6, 6, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "photos" / label / f"{number:02}.png")
    return tmp_path / "photos"


def known(photos, **target):
    data = {"target": {"train": "photos", **target}}
    if target.get("labels") == "none":
        data["source"] = {"train": "photos"}
    return known_inputs(load_data(task_from_mapping({"data": data}, folder=photos.parent)))


def lines_after(photos, change, **target):
    before = known(photos, **target)
    change()
    return list(what_changed(before, known(photos, **target)))


def repaint(path):
    Image.new("RGB", (6, 6), (1, 2, 3)).save(path)


CHANGES = {
    "nothing": (lambda folder: None, []),
    "a pixel": (lambda folder: repaint(folder / "a" / "03.png"), ["examples with other content: 1, such as a/03.png"]),
    "a file less": (lambda folder: (folder / "b" / "07.png").unlink(), ["examples gone: 1, such as b/07.png"]),
    "a file more": (lambda folder: repaint(folder / "b" / "99.png"), ["examples new: 1, such as b/99.png"]),
    "another name": (
        lambda folder: (folder / "a" / "00.png").rename(folder / "a" / "z.png"),
        ["examples under another name or in another place: 1, such as a/00.png, now a/z.png"],
    ),
    "another class": (
        lambda folder: (folder / "a" / "00.png").rename(folder / "b" / "moved.png"),
        ["examples under another name or in another place: 1, such as a/00.png, now b/moved.png"],
    ),
    "names swapped": (
        lambda folder: [
            (folder / "a" / "00.png").rename(folder / "spare"),
            (folder / "a" / "01.png").rename(folder / "a" / "00.png"),
            (folder / "spare").rename(folder / "a" / "01.png"),
        ],
        ["examples under another name or in another place: 2, such as a/00.png, now a/01.png; a/01.png, now a/00.png"],
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_has_changed_is_named(photos, change):
    do, lines = CHANGES[change]
    assert lines_after(photos, lambda: do(photos)) == lines


def test_a_table_with_other_labels_names_the_rows(tmp_path, photos):
    def write(odd: str) -> None:
        rows = [f"photos/{label}/{number:02}.png,{label}" for label in "ab" for number in range(20)]
        rows[3] = f"photos/a/03.png,{odd}"
        (tmp_path / "rows.csv").write_text("\n".join(["path,label", *rows]))

    write("a")
    task = task_from_mapping({"data": {"target": {"train": "rows.csv"}}}, folder=tmp_path)
    before = known_inputs(load_data(task))
    write("b")
    lines = list(what_changed(before, known_inputs(load_data(task))))
    assert lines == ["examples with another label: 1, such as photos/a/03.png: 'a' there, 'b' now"]


def test_examples_that_were_drawn_as_the_test_count_as_well(photos):
    removed = lines_after(
        photos, lambda: [(photos / "a" / f"{number:02}.png").unlink() for number in range(5)], test=0.5
    )
    assert [line.partition(",")[0] for line in removed if "gone" in line] == ["examples gone: 5"]
    assert not [line for line in removed if "new" in line]


def test_names_of_hidden_labels_are_not_kept(photos):
    found = known(photos, labels="none")
    assert "" in found.names
    assert not any(name.startswith("target") for name in found.names)
    assert lines_after(photos, lambda: repaint(photos / "a" / "03.png"), labels="none") == [
        "examples with other content: 1, such as source: a/03.png",
        "examples gone: 1",
        "examples new: 1",
    ]


def test_it_is_read_as_it_was_written_and_damage_is_told(photos, tmp_path):
    run = RunFolder.create(tmp_path / "run")
    assert read_known_inputs(run) is None
    found = known(photos, test=0.2)
    assert len(found.tests) == 8
    write_known_inputs(run, found)
    assert read_known_inputs(run) == found
    (run.path / INPUTS).write_bytes(b"torn")
    with pytest.raises(StorageError, match="cannot be read"):
        read_known_inputs(run)
    shutil.rmtree(run.path)
