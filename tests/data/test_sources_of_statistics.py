"""A task whose sources are statistics: what is read, what is told, and what is refused."""

import numpy as np
import pytest
from PIL import Image
from statistics_files import CLASSES, a_file

from autotl.data import load_data
from autotl.data.statistics_file import write_statistics
from autotl.errors import DataError
from autotl.task import task_from_mapping


@pytest.fixture
def house(tmp_path):
    """Unlabelled images beside the statistics of two houses."""
    draws = np.random.default_rng(0)
    for number in range(45):
        place = tmp_path / "photos" / CLASSES[number % 3]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(draws.integers(0, 255, (8, 8, 3)).astype(np.uint8)).save(place / f"{number}.png")
    write_statistics(tmp_path / "north.zip", a_file(seed=0))
    write_statistics(tmp_path / "south.zip", a_file(seed=1, site="south", classes=("red", "green", "blue")))
    return tmp_path


def a_task(house, *files, labels="none", **changes):
    source = [{"name": file.split(".")[0], "statistics": file} for file in files]
    data = {"target": {"train": "photos", "labels": labels}, "source": source}
    return task_from_mapping({"name": "a", "data": data, **changes}, folder=house)


def complaints(task):
    with pytest.raises(DataError) as caught:
        load_data(task)
    return "\n".join(caught.value.mistakes)


def test_files_become_sources_in_the_order_of_the_tasks_classes(house):
    data = load_data(a_task(house, "north.zip", "south.zip"))
    assert data.domains == ("target",)
    assert data.setting == "transductive"
    north, south = data.statistics
    assert (north.name, south.name) == ("north", "south")
    written = a_file(seed=1, site="south", classes=("red", "green", "blue"))
    places = [("red", "green", "blue").index(name) for name in data.classes]
    np.testing.assert_array_equal(south.learn.sums, written.learn.sums[places])
    assert data.source_is_elsewhere
    assert len(data.folds[0].train) == 0


def test_the_report_is_told_what_the_source_is(house):
    summary = load_data(a_task(house, "north.zip")).summary
    assert summary["domains"]["north"]["statistics"]["rows"] == 90
    assert any("houses and their examples: north (90)" in note for note in summary["notes"])
    assert any("Source accuracy is expected, not counted" in note for note in summary["notes"])
    assert load_data(a_task(house, "south.zip")).summary["fingerprint"] != summary["fingerprint"]


def test_hidden_labels_stay_hidden(house):
    data = load_data(a_task(house, "north.zip"))
    assert (data.labels == -1).all()


def test_known_labels_are_scored_by_cross_validation(house):
    data = load_data(a_task(house, "north.zip", labels={"per_class": 5}))
    assert data.score_kind == "cross_validation"
    assert data.setting == "cross-domain"
    assert not data.has_few_labels


def test_files_that_do_not_fit_are_refused(house):
    write_statistics(house / "other.zip", a_file(seed=2, site="west", fingerprint="another"))
    assert "they must be the same" in complaints(a_task(house, "north.zip", "other.zip"))
    write_statistics(house / "texts.zip", a_file(seed=3, site="west", modality="text"))
    assert "tells of texts, and the target's data are images" in complaints(a_task(house, "texts.zip"))
    (house / "again.zip").write_bytes((house / "north.zip").read_bytes())
    assert "holds the house 'north', which 'north.zip' holds already" in complaints(
        a_task(house, "north.zip", "again.zip")
    )
    assert "Did you mean 'north.zip'" in complaints(a_task(house, "nort.zip"))
    (house / "broken.zip").write_bytes(b"PK")
    assert "'broken.zip' holds no statistics" in complaints(a_task(house, "broken.zip"))


def test_classes_that_differ_are_told_and_cannot_be_taken_out(house):
    write_statistics(
        house / "more.zip", a_file(seed=4, site="west", classes=("blue", "green", "red", "white"), rows=160)
    )
    assert "the domains' classes differ: north lacks 'white'" in complaints(a_task(house, "north.zip", "more.zip"))
    assert "nothing takes a class out of sums again" in complaints(
        a_task(house, "north.zip", "more.zip", classes="shared")
    )
    data = load_data(a_task(house, "north.zip", "more.zip", classes="union"))
    assert data.classes == ("blue", "green", "red", "white")
    assert data.statistics[0].learn.counts[3] == 0
