import json
import pickle
import shutil

import numpy as np
import pytest
from PIL import Image

from autotl.data import TaskData, load_data
from autotl.errors import DataError


def everything_but_the_test(data: TaskData) -> tuple:
    return (
        data.classes,
        data.domains,
        [(inputs.ids, inputs.digests) for inputs in data.inputs],
        [inputs.read(np.arange(len(inputs)), size=4).tobytes() for inputs in data.inputs],
        data.labels.tolist(),
        None if data.groups is None else data.groups.tolist(),
        [(fold.train.tolist(), fold.validation.tolist()) for fold in (*data.folds, *data.suffix_folds)],
        data.score_kind,
        data.target_rows.tolist(),
        data.adaptation_rows.tolist(),
        data.source_validation.tolist(),
        data.setting,
        data.metric,
        data.findings,
        json.dumps(data.summary),
    )


@pytest.mark.parametrize("test", [None, 0.3, {"labels_of": "train"}])
def test_permuting_hidden_labels_changes_nothing_but_the_sealed_test(write_images, make_task, tmp_path, test):
    names = ["cat", "dog", "eel"]
    draws = np.random.default_rng(5)
    labels = draws.integers(0, 3, 520)
    images = [Image.fromarray(pixels) for pixels in draws.integers(0, 256, (520, 5, 5, 3), dtype=np.uint8)]
    write_images("source", dict.fromkeys(names, 30), seed=1)
    seen = []
    for hidden in (labels, draws.permutation(labels)):
        shutil.rmtree(tmp_path / "target", ignore_errors=True)
        for name in names:
            (tmp_path / "target" / name).mkdir(parents=True)
        for number, (image, label) in enumerate(zip(images, hidden, strict=True)):
            image.save(tmp_path / "target" / names[label] / f"{number}.png")
        target = {"train": "target", "labels": "none", **({} if test is None else {"test": test})}
        data = load_data(make_task(target, source={"train": "source"}))
        seen.append((data, everything_but_the_test(data)))  # now: the next round moves the files
    (first, of_first), (second, of_second) = seen
    assert of_first == of_second
    assert first.test is not None
    assert second.test is not None
    assert first.test.inputs.ids == second.test.inputs.ids
    assert first.test.inputs.digests == second.test.inputs.digests
    assert (first.test.open_labels() != second.test.open_labels()).any()
    assert first.test.fingerprint != second.test.fingerprint


def test_ids_of_an_unlabelled_target_say_nothing_of_its_folders(write_images, make_task):
    write_images("target", {"cat": 20, "dog": 20})
    write_images("source", {"cat": 20, "dog": 20}, seed=1)
    task = make_task({"train": "target", "labels": "none", "test": 0.2}, source={"train": "source"})
    data = load_data(task)
    assert data.test is not None
    words = " ".join([*data.inputs[0].ids, *data.test.inputs.ids, json.dumps(data.summary["domains"]["target"])])
    assert "cat" not in words
    assert "dog" not in words
    assert len(set(data.inputs[0].ids)) == 32


def test_the_seed_decides_and_nothing_else(write_array, make_task):
    name = write_array("d.npz", np.arange(600) % 3)
    assert everything_but_the_test(load_data(make_task(name))) == everything_but_the_test(load_data(make_task(name)))
    other = load_data(make_task(name, seed=1))
    assert other.folds[0].validation.tolist() != load_data(make_task(name)).folds[0].validation.tolist()


def test_several_paths_of_several_kinds_make_one_domain(write_images, write_array, make_task):
    write_images("photos", {"0": 20, "1": 20})
    write_images("more/photos", {"0": 20, "1": 20}, seed=1)
    write_array("d.npz", np.arange(40) % 2)
    data = load_data(make_task({"train": ["photos", "d.npz", "more/photos"]}))
    assert len(data.inputs[0]) == len(set(data.inputs[0].ids)) == 120
    assert data.inputs[0].read(np.array([0, 50, 119]), size=3).shape == (3, 3, 3, 3)


def test_imbalanced_classes_are_measured_by_a_balanced_metric_and_that_is_said(write_array, make_task):
    data = load_data(make_task(write_array("d.npz", [0] * 290 + [1] * 20)))
    assert data.metric == "balanced_accuracy"
    assert any("Classes are imbalanced (290 against 20)" in note for note in data.summary["notes"])
    assert load_data(make_task("d.npz", metric="accuracy")).metric == "accuracy"


def test_classes_keep_their_exact_names(make_task, tmp_path):
    names = ["NA", "NO", "null", "1e3", " padded", "😀"]
    pixels = np.random.default_rng(0).integers(0, 256, (60, 5, 5), dtype=np.uint8)
    np.savez(tmp_path / "d.npz", x=pixels, y=names * 10)
    assert load_data(make_task("d.npz")).classes == tuple(sorted(names))


def test_the_data_pickles_and_stays_equal(write_images, make_task):
    write_images("photos", {"a": 20, "b": 20})
    data = load_data(make_task("photos"))
    assert everything_but_the_test(pickle.loads(pickle.dumps(data))) == everything_but_the_test(data)


@pytest.mark.parametrize("labels", ["none", {"per_class": 3}])
def test_hidden_folder_names_reach_no_finding_and_no_summary(write_images, make_task, tmp_path, labels, caplog):
    """Moving files between the hidden folders changes nothing that is stored, nor does it show where they lie."""
    write_images("source", {"cat": 30, "dog": 30}, seed=1)
    seen = []
    for cat, dog in (("cat", "dog"), ("dog", "cat")):
        shutil.rmtree(tmp_path / "target", ignore_errors=True)
        write_images("target", {"cat": 150, "dog": 150})
        for folder, name, content in (
            (cat, "bad.png", "text"),
            (dog, "bad.png", ""),
            (dog, "also.png", "text"),
            (cat, "notes.txt", "x"),
            (dog, "notes.txt", "x"),
            (cat, "a.md", "x"),
        ):
            (tmp_path / "target" / folder / name).write_text(content)
        with caplog.at_level("INFO", logger="autotl"):
            caplog.clear()
            data = load_data(make_task({"train": "target", "labels": labels}, source={"train": "source"}))
        seen.append((data.findings, data.summary["broken"], [record.getMessage() for record in caplog.records]))
    assert seen[0] == seen[1]
    findings, broken, logged = seen[0]
    assert [name for name, _ in broken] == ["also.png", "bad.png", "bad.png (2)"]
    assert len(logged) == 3
    assert logged[0].startswith("left out: also.png: the file is no JPEG")
    stored = " ".join([*(word for found in findings for word in (found.message, *found.examples)), *logged])
    assert "notes.txt (2)" in stored
    assert "cat/" not in stored
    assert "dog/" not in stored


def test_too_many_broken_files_of_a_hidden_folder_are_told_to_the_user_with_their_place(write_images, make_task):
    folder = write_images("target", {"cat": 20, "dog": 20})
    write_images("source", {"cat": 20, "dog": 20}, seed=1)
    (folder / "cat" / "bad.png").write_text("text")
    with pytest.raises(DataError, match="cat/bad.png: the file is no JPEG"):
        load_data(make_task({"train": "target", "labels": "none"}, source={"train": "source"}))


def test_damaged_pixels_behind_a_sound_header_are_a_data_error(make_task, tmp_path):
    pixels = np.full((40, 5, 5), 77, dtype=np.uint8)
    np.savez(tmp_path / "d.npz", x=pixels, y=np.arange(40) % 2)
    content = (tmp_path / "d.npz").read_bytes()
    (tmp_path / "d.npz").write_bytes(content.replace(bytes([77] * 9), bytes([78] * 9), 1))
    with pytest.raises(DataError, match="data.target.train: d.npz: 'x' cannot be read: Bad CRC"):
        load_data(make_task("d.npz"))
