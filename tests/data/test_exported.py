"""An exported source is a stranger's file: read whole and unharmed, or refused in words, and never run."""

import json
import zipfile

import numpy as np
import pytest
from exported_files import CLASSES, STATISTICS, WIDTH, description, write_file

from autotl.data import check_quickly, load_data, told_modality
from autotl.data.exported import ExportedError, FeatureStatistics, read_exported
from autotl.data.summary import describe
from autotl.errors import DataError
from autotl.task import task_from_mapping


def a_task(folder, *, exported="colours.source.zip", **changes):
    target = {"train": "target.npz", "labels": "none", **changes.pop("target", {})}
    source = {"exported": exported, **changes.pop("source", {})}
    return task_from_mapping({"data": {"target": target, "source": source}, **changes}, folder=folder)


@pytest.fixture
def house(tmp_path):
    """The target's: unlabelled images and an exported source."""
    pixels = np.random.default_rng(0).integers(0, 255, size=(40, 16, 16, 3)).astype(np.uint8)
    np.savez(tmp_path / "target.npz", x=pixels)
    write_file(tmp_path / "colours.source.zip")
    return tmp_path


def complaints(folder, **changes):
    return [found.message for found in check_quickly(a_task(folder, **changes)) if found.severity == "error"]


def test_what_was_written_is_read(house):
    source = read_exported(house / "colours.source.zip")
    assert source.classes == CLASSES
    assert source.prior.tolist() == pytest.approx([0.5, 1 / 3, 1 / 6])
    assert source.statistics.count == 60
    assert source.member("network.keras") == b"no network"


def test_equal_files_have_equal_digests_and_a_changed_one_another(house):
    first = read_exported(house / "colours.source.zip").digest
    assert read_exported(write_file(house / "again.zip")).digest == first
    assert read_exported(write_file(house / "other.zip", temperature=2.0)).digest != first


@pytest.mark.parametrize(
    ("spoilt", "words"),
    [
        (
            {"members": {"network.keras": b"another network"}},
            "is damaged: network.keras in it is missing or not the one",
        ),
        ({"members": {"../evil": b""}}, "is no exported source: it holds '../evil'"),
        ({"members": {"examples.npy": b""}}, "is no exported source: it holds 'examples.npy'"),
        ({"members": {"tokenizer.json": b"{}"}}, "holds a member that no digest vouches for"),
        ({"members": {"source.json": b"[" * 100_000}}, "source.json in it is not JSON"),
        ({"members": {"source.json": json.dumps({**description(), "format": 7}).encode()}}, "format 7"),
        ({"surprise": 1}, "source.json: surprise: Extra inputs"),
        ({"class_counts": [30, 20]}, "not one count each"),
        ({"classes": ["red", "red", "blue"]}, "not distinct"),
        ({"class_counts": [3, 3, 3]}, "fewer than 10 examples"),
        ({"temperature": 0.0}, "temperature"),
        ({"statistics": {**STATISTICS, "count": 9}}, "over 9 examples"),
        ({"statistics": {**STATISTICS, "mean": [0.0]}}, "other shapes"),
        ({"statistics": {**STATISTICS, "rows": []}}, "other keys"),
        ({"statistics": {**STATISTICS, "deviation": [-1.0] * WIDTH}}, "no statistic can have"),
        ({"statistics": {**STATISTICS, "mean": [float("nan")] * WIDTH}}, "NaN is no number"),
    ],
)
def test_a_spoilt_file_is_refused_in_words(tmp_path, spoilt, words):
    with pytest.raises(ExportedError, match=words.replace("[", r"\[").replace("..", r"\.\.")):
        read_exported(write_file(tmp_path / "spoilt.zip", **spoilt))


def test_a_member_that_grows_too_much_is_refused_before_it_is_unpacked(tmp_path):
    path = write_file(tmp_path / "bomb.zip", members={"network.keras": b"0" * 40_000_000})
    assert path.stat().st_size < 100_000
    with pytest.raises(ExportedError, match="many times as large"):
        read_exported(path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not really", b"pickle"])
def test_what_is_no_zip_is_refused(tmp_path, content):
    path = tmp_path / "x.zip"
    path.write_bytes(content)
    with pytest.raises(ExportedError, match="autotl export-source RUN"):
        read_exported(path)


def test_a_truncated_file_is_refused(house):
    path = house / "colours.source.zip"
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(ExportedError):
        read_exported(path)


def test_a_member_is_checked_again_when_it_is_taken_out(house):
    path = house / "colours.source.zip"
    source = read_exported(path)
    write_file(path, members={"network.keras": b"swapped"})
    with pytest.raises(ExportedError, match="has changed since"):
        source.member("network.keras")


def test_statistics_of_few_examples_are_none():
    with pytest.raises(ExportedError, match="it would be an example"):
        FeatureStatistics.of(np.zeros((9, 2)))
    features = np.random.default_rng(0).normal(size=(10, 2))
    found = FeatureStatistics.from_dict(FeatureStatistics.of(features).as_dict(), width=2)
    np.testing.assert_allclose(found.mean, features.mean(axis=0))
    np.testing.assert_allclose(found.deviation, features.std(axis=0))


def test_a_task_takes_classes_and_modality_from_the_file(house):
    task = a_task(house)
    assert told_modality(task) == "image"
    told = describe(task)
    assert told["classes"] == list(CLASSES)
    assert told["setting"] == "transductive"
    assert told["domains"]["source"] == {"rows": 60, "classes": {"blue": 30, "green": 20, "red": 10}}
    assert "nothing is learnt anew" in told["follows"][0]


def test_its_data_are_the_target_alone(house):
    data = load_data(a_task(house))
    assert data.domains == ("target",)
    assert data.classes == CLASSES
    assert data.exported.description.task == "colours"
    assert (data.labels == -1).all()
    assert len(data.adaptation_rows) == len(data.target_rows) == 40
    assert [len(fold.train) + len(fold.validation) for fold in data.folds] == [0]
    assert any("had accuracy 0.900" in note for note in data.summary["notes"])


def test_another_file_makes_other_data(house):
    before = load_data(a_task(house)).summary["fingerprint"]
    write_file(house / "other.zip", temperature=3.0)
    assert load_data(a_task(house, exported="other.zip")).summary["fingerprint"] != before


def test_a_missing_or_damaged_file_is_told_once_and_alone(house):
    assert complaints(house, exported="colour.source.zip") == [
        f"data.source[0].exported: there is no 'colour.source.zip'. Did you mean 'colours.source.zip' in {house.name}?"
    ]
    (house / "colours.source.zip").write_bytes(b"nothing")
    (only,) = complaints(house)
    assert only.startswith("data.source[0].exported: 'colours.source.zip' is no exported source")
    with pytest.raises(DataError):
        load_data(a_task(house))


def test_a_model_for_other_data_is_told(house):
    write_file(house / "colours.source.zip", modality="text", preprocessing={"reads": "strings"})
    (only,) = complaints(house)
    assert only.endswith("is a model for modality text, and the target's data look like image.")
    assert any("says modality: image" in words for words in complaints(house, modality="image"))


def test_other_classes_than_those_of_the_model_are_told(house):
    (only,) = complaints(house, classes=["red", "yellow"])
    assert only == "classes: the exported source tells apart 'blue', 'green', 'red', and no others. Leave classes out."
    (only,) = complaints(house, positive="yellow")
    assert "'yellow' is no class of the data" in only


def test_windows_of_another_shape_are_refused(tmp_path):
    np.savez(tmp_path / "target.npz", x=np.random.default_rng(0).normal(size=(30, 64, 2)))
    reads = {"reads": "samples", "window": [128, 2]}
    write_file(tmp_path / "colours.source.zip", modality="signal", preprocessing=reads, image_size=None)
    with pytest.raises(DataError, match="128 samples and 2 channels, the target's have 64 samples and 2 channels"):
        load_data(a_task(tmp_path))


def columns(*names):
    return {
        "format": 1,
        "columns": [{"kind": "numeric", "name": name, "notation": "1234.5", "median": 1.0} for name in names],
    }


def test_a_table_is_read_by_the_schema_of_the_file(tmp_path):
    (tmp_path / "target.csv").write_text("id,a,b\n" + "".join(f"{row},1.5,{row}.25\n" for row in range(30)))
    reads = {"reads": "columns", "schema": columns("b", "a")}
    write_file(tmp_path / "colours.source.zip", modality="table", preprocessing=reads, image_size=None)
    data = load_data(a_task(tmp_path, target={"train": "target.csv"}))
    assert data.inputs[0].schema.names == ("b", "a")  # `a` is constant here and stays: the model reads it
    assert set(data.inputs[0].cells) == {"a", "b"}
    write_file(
        tmp_path / "colours.source.zip",
        modality="table",
        preprocessing={**reads, "schema": columns("a", "depth")},
        image_size=None,
    )
    with pytest.raises(DataError, match="has no column 'depth'"):
        load_data(a_task(tmp_path, target={"train": "target.csv"}))


def test_nothing_but_the_file_can_be_unpacked(house):
    """Member names are ours alone, so no path of an archive is ever followed."""
    with zipfile.ZipFile(house / "colours.source.zip", "a") as archive:
        archive.writestr("/etc/passwd", b"")
    with pytest.raises(ExportedError, match="holds '/etc/passwd'"):
        read_exported(house / "colours.source.zip")
