"""What is planted is found, and honest data are left in peace."""

import numpy as np
import pytest
from PIL import Image

from autotl.data import load_data
from autotl.data.auditing.properties import Properties, Property
from autotl.data.auditing.shortcut_tests import SHORTCUT_TESTS
from autotl.data.auditing.shortcuts import LOOKED_AT, MOST_CLASSES, balanced_sample, shortcut_findings


def properties(*columns: Property) -> Properties:
    return Properties(columns, examples="images", origin="files", appearance="looks", remedy="Mix them.")


def found(columns, labels, *, groups=None, classes="abcdefghij"):
    return shortcut_findings(properties(*columns), labels, groups, classes=tuple(classes), where="data")


def two_classes(rows: int, agreement: float, draws: np.random.Generator):
    """Labels, and hospitals that agree with them so often."""
    labels = draws.integers(0, 2, rows)
    return labels, np.where(draws.random(rows) < agreement, labels, 1 - labels)


@pytest.mark.parametrize("agreement", [0.75, 0.9, 1.0])
def test_a_hospital_that_shows_in_the_size_of_its_files_is_found(agreement):
    caught = 0
    for seed in range(20):
        draws = np.random.default_rng(seed)
        labels, hospital = two_classes(400, agreement, draws)
        width = Property("the width", 500 + 100.0 * hospital + draws.normal(0, 20, 400), "origin")
        noise = Property("the height", draws.normal(500, 50, 400), "origin")
        findings = found([noise, width], labels)
        caught += len(findings) == 1 and "most by the width" in findings[0].message
    assert caught >= 19


def test_one_class_of_ten_from_elsewhere_is_named():
    draws = np.random.default_rng(0)
    labels = np.repeat(np.arange(10), 60)
    camera = Property("the camera", ["Nikon" if label == 7 else "Canon" for label in labels], "origin")
    (finding,) = found([camera], labels)
    assert (finding.code, finding.severity) == ("shortcut", "warning")
    assert "tell 'h' from the other classes: 100% of 'h' are recognised and 0% of the others" in finding.message
    assert finding.examples == ("the camera (Nikon in 100% of 'h' and in 0% of the others)",)
    assert found([Property("the camera", draws.permutation(camera.values).tolist(), "origin")], labels) == []


@pytest.mark.parametrize("rows", [30, 100, 1_000])
@pytest.mark.parametrize("classes", [2, 10])
def test_properties_that_have_nothing_to_do_with_the_classes_raise_no_alarm(rows, classes):
    for seed in range(50):
        draws = np.random.default_rng(seed)
        columns = [Property(f"number {n}", draws.lognormal(0, 1, rows), "origin") for n in range(6)]
        columns += [Property(f"look {n}", draws.integers(0, 4, rows).astype(float), "appearance") for n in range(6)]
        assert found(columns, draws.integers(0, classes, rows)) == []


def test_looks_that_lean_with_the_class_raise_no_alarm():
    """Flowers and digits differ in brightness a little: 60 % of two classes are told."""
    draws = np.random.default_rng(0)
    labels = draws.integers(0, 2, 2_000)
    brightness = draws.normal(120 + 12.0 * labels, 25)
    assert found([Property("the mean brightness", brightness, "appearance")], labels) == []


def test_day_and_night_are_asked_about_and_not_refused():
    draws = np.random.default_rng(0)
    labels = draws.integers(0, 2, 500)
    brightness = draws.normal(60 + 100.0 * labels, 20)
    (finding,) = found([Property("the mean brightness", brightness, "appearance")], labels)
    assert finding.severity == "warning"
    assert "looks alone tell the classes: 9" in finding.message
    assert "Is that so by nature, or by how and where they were made?" in finding.message


def test_one_class_among_many_that_looks_different_is_a_mild_question():
    draws = np.random.default_rng(0)
    labels = np.repeat(np.arange(10), 100)
    ink = draws.normal(np.where(labels == 1, 20.0, 60.0), 6)
    (finding,) = found([Property("the ink", ink, "appearance")], labels)
    assert finding.severity == "info"
    assert "looks alone tell 'b' from the other classes" in finding.message


def test_groups_count_once_however_many_examples_they_have():
    """Twelve patients, each photographed fifty times in a size of their own, say nothing of two classes."""
    draws = np.random.default_rng(0)
    patients = np.repeat(np.arange(12), 50)
    labels = (patients % 2).astype(np.int64)
    width = Property("the width", draws.integers(300, 900, 12).astype(float)[patients], "origin")
    assert len(found([width], labels)) == 1, "as independent examples they would prove it"
    assert found([width], labels, groups=patients) == []


def test_missing_numbers_are_evidence_too():
    labels = np.repeat(np.arange(2), 50)
    quality = Property("the JPEG quality", np.where(labels == 1, np.nan, 75.0), "origin")
    (finding,) = found([quality], labels)
    assert "the JPEG quality (75 in 0% of 'b' and in 100% of the others)" in finding.message


def test_a_sample_holds_every_class_and_no_unknown_label():
    labels = np.concatenate([np.zeros(20_000), np.ones(30), np.full(5_000, -1)]).astype(np.int64)
    drawn = balanced_sample(labels, np.random.default_rng(0))
    assert np.bincount(labels[drawn]).tolist() == [LOOKED_AT // 2, 30]
    assert len(balanced_sample(np.full(5, -1), np.random.default_rng(0))) == 0
    many = balanced_sample(np.arange(10_000) // 10, np.random.default_rng(0))
    assert len(many) == 10 * MOST_CLASSES, "of a thousand classes thirty are held against each other"


# Planted in files -----------------------------------------------------------------------------------------------------


def noise(draws, *, side=24, low=0, high=256) -> Image.Image:
    """Blotches: what an image shows, the same for both classes."""
    return Image.fromarray(draws.integers(low, high, (6, 6, 3), dtype=np.uint8)).resize((side, side))


def framed(image: Image.Image, colour) -> Image.Image:
    frame = Image.new("RGB", image.size, colour)
    frame.paste(image.resize((image.width - 8, image.height - 8)), (4, 4))
    return frame


def with_camera(model: str) -> Image.Exif:
    said = Image.Exif()
    said[0x0110] = model
    return said


PLANTED = {  # what differs between the classes → (how an image of the second class is saved, what the finding names)
    "size": (lambda draws, path: noise(draws, side=30).save(path), "the width|the height|the number of pixels"),
    "format": (lambda draws, path: noise(draws).save(path, "BMP"), "the file format"),
    "quality": (lambda draws, path: noise(draws).save(path, "JPEG", quality=40), "the JPEG quality"),
    "mode": (lambda draws, path: noise(draws).convert("RGBA").save(path, "PNG"), "the colour mode|the file format"),
    "camera": (lambda draws, path: noise(draws).save(path, "JPEG", exif=with_camera("X1")), "the camera in EXIF"),
    "brightness": (lambda draws, path: noise(draws, low=120).save(path, "JPEG", quality=75), "the mean brightness"),
    "border": (
        lambda draws, path: framed(noise(draws), "black").save(path, "JPEG", quality=75),
        "the brightness of the border|the unrest of the border|the mean brightness|the contrast",
    ),
}


@pytest.mark.parametrize("fault", PLANTED)
def test_what_tells_two_hospitals_apart_is_named(make_task, tmp_path, fault):
    draws, (save, names) = np.random.default_rng(0), PLANTED[fault]
    for label in "ab":
        (tmp_path / "scans" / label).mkdir(parents=True)
    for number in range(60):
        noise(draws).save(tmp_path / "scans" / "a" / f"{number}.jpg", "JPEG", quality=75)
        save(draws, tmp_path / "scans" / "b" / f"{number}.jpg")
    told = [finding for finding in load_data(make_task("scans")).findings if finding.code == "shortcut"]
    assert [finding.severity for finding in told] == ["warning"]
    assert any(f"most by {name}" in told[0].message for name in names.split("|")), told[0].message
    assert told[0].message.startswith("data.target.train: ")
    allowed = load_data(make_task("scans", audit={"allow": ["shortcut"]})).findings
    assert [finding.severity for finding in allowed if finding.code == "shortcut"] == ["info"]


def test_images_of_one_making_raise_no_alarm(make_task, tmp_path):
    draws = np.random.default_rng(0)
    for label in "ab":
        (tmp_path / "scans" / label).mkdir(parents=True)
        for number in range(100):
            size, quality = int(draws.integers(20, 40)), int(draws.integers(50, 95))
            noise(draws, side=size).save(tmp_path / "scans" / label / f"{number}.jpg", "JPEG", quality=quality)
    assert load_data(make_task("scans")).findings == ()


def test_hidden_labels_are_not_held_against_anything(make_task, tmp_path):
    draws = np.random.default_rng(0)
    for domain in ("source", "target"):
        for label, side in (("a", 20), ("b", 30)):
            (tmp_path / domain / label).mkdir(parents=True)
            for number in range(40):
                noise(draws, side=side).save(tmp_path / domain / label / f"{number}.png")
    task = make_task({"train": "target", "labels": "none"}, source={"train": "source"})
    told = [finding.message for finding in load_data(task).findings if finding.code == "shortcut"]
    assert [words.split(":")[0] for words in told] == ["data.source[0].train"]


def test_the_hospitals_of_chest_x_rays_show_in_the_size_of_their_files(shared_data, make_task):
    """COVID-19 images come from another collection than the others: they are not square."""
    train = str(shared_data / "chest_xray" / "train")
    (finding,) = [found for found in load_data(make_task(train)).findings if found.code == "shortcut"]
    assert finding.severity == "warning"
    assert "tell 'covid19' from the other classes" in finding.message


@pytest.mark.parametrize("name", ["flowers", "digits/png/mnist_2000"])
def test_real_photos_and_digits_raise_no_alarm(shared_data, make_task, name):
    folder = shared_data / name
    folder = folder / "train" if (folder / "train").is_dir() else folder
    findings = load_data(make_task(str(folder))).findings
    assert [found.message for found in findings if found.code == "shortcut"] == []


def of_sets(**columns):
    """Findings on 400 texts, of which every third is hot and every other one worn."""
    labels = np.column_stack([np.arange(400) % 3 == 0, np.arange(400) % 2]).astype(np.int64)
    given = Properties(
        [Property(name, values(labels), kind) for name, (kind, values) in columns.items()],
        examples="texts",
        origin="white space",
        appearance="the lengths",
        remedy="Take texts {of_all} from every place.",
    )
    return SHORTCUT_TESTS["multilabel"].findings(given, labels, None, classes=("hot", "worn"), where="data")


def test_of_several_labels_each_is_spoken_of_by_its_name():
    (finding,) = of_sets(spaces=("origin", lambda labels: labels[:, 0].astype(float)))
    assert "data: white space tell 'hot' from those without it: 100% of 'hot' are recognised" in finding.message
    assert "Take texts with and without 'hot' from every place." in finding.message
    assert "class" not in finding.message
    (finding,) = of_sets(length=("appearance", lambda labels: labels[:, 1].astype(float)))
    assert "data: the lengths alone tell which bear 'worn': 100% of each are named rightly" in finding.message
    assert "class" not in finding.message
