import shutil

import numpy as np
import pytest
from PIL import Image

from autotl.data import check_quickly, domains, images, load_data
from autotl.errors import DataError, TaskError


def codes_of(task) -> dict[str, str]:
    return {finding.code: finding.severity for finding in check_quickly(task)}


def message_of(task, code: str) -> str:
    return next(finding.message for finding in check_quickly(task) if finding.code == code)


def refused(task) -> str:
    with pytest.raises(DataError) as caught:
        load_data(task)
    assert caught.value.exit_code == 4
    return str(caught.value)


def test_sound_data_has_no_findings(write_images, make_task):
    write_images("photos", {"a": 12, "b": 12})
    assert check_quickly(make_task("photos")) == []


def test_all_trouble_is_told_together(make_task):
    words = refused(make_task({"train": "nowhere", "test": "nothing"}))
    assert [line.split(":")[0] for line in words.splitlines()] == ["data.target.train", "data.target.test"]


def test_an_empty_class_is_dropped_with_a_warning(write_images, make_task):
    write_images("photos", {"a": 12, "b": 12, "c": 0})
    task = make_task("photos")
    assert codes_of(task) == {"empty_class": "warning"}
    assert "'c' holds no image and was dropped" in message_of(task, "empty_class")
    assert load_data(task).classes == ("a", "b")


def test_one_class_only_is_refused_with_its_name(write_images, make_task):
    write_images("photos", {"cat": 12})
    assert "data.target.train: needs ≥ 2 classes, found only 'cat'." in refused(make_task("photos"))


def test_a_class_with_one_example_is_refused_or_dropped(write_images, make_task):
    write_images("photos", {"a": 12, "b": 12, "c": 1})
    assert "the class 'c' of target has a single example" in refused(make_task("photos"))
    data = load_data(make_task("photos", audit={"rare": "drop"}))
    assert data.classes == ("a", "b")
    assert len(data.inputs[0]) == 24


def test_small_classes_are_warned_of(write_images, make_task):
    write_images("photos", {"a": 12, "b": 5})
    assert codes_of(make_task("photos")) == {"few_examples": "warning"}


@pytest.mark.parametrize("twin", ["cat", "Cat ", "CAT", "C\u0061t\u00a0"])
def test_names_that_differ_only_in_writing_are_refused_with_the_line_to_paste(make_task, tmp_path, twin):
    pixels = np.random.default_rng(0).integers(0, 256, (24, 4, 4), dtype=np.uint8)
    np.savez(tmp_path / "d.npz", x=pixels, y=["Cat"] * 12 + [twin] * 5 + ["dog"] * 7)
    words = refused(make_task("d.npz"))
    assert "the classes 'Cat' (12) and" in words
    start = words.index("merge: {") + len("merge: ")
    merge = __import__("yaml").safe_load(words[start : words.index("}", start) + 1])
    assert merge == {twin: "Cat"}
    assert load_data(make_task("d.npz", audit={"merge": merge})).classes == ("Cat", "dog")
    assert len(load_data(make_task("d.npz", audit={"allow": ["label_twins"]})).classes) == 3


def test_a_composed_and_a_decomposed_name_are_twins(make_task, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (24, 4, 4), dtype=np.uint8)
    np.savez(tmp_path / "d.npz", x=pixels, y=["caf\u00e9"] * 12 + ["cafe\u0301"] * 12)
    assert "label_twins" in codes_of(make_task("d.npz"))


def test_a_rare_name_near_a_common_one_is_warned_of(make_task, tmp_path):
    pixels = np.zeros((104, 4, 4), dtype=np.uint8)
    np.savez(tmp_path / "d.npz", x=pixels, y=["tulip"] * 50 + ["rose 1"] * 50 + ["tulpi"] * 2 + ["rose 2"] * 2)
    warned = [finding.examples for finding in check_quickly(make_task("d.npz")) if finding.code == "near_names"]
    assert warned == [("tulpi", "tulip")]


def test_an_unknown_code_to_allow_names_the_nearest(write_images, make_task):
    write_images("photos", {"a": 12, "b": 12})
    with pytest.raises(TaskError, match=r"audit\.allow\[0\]: 'leek' is not known\..*Did you mean 'leak'"):
        load_data(make_task("photos", audit={"allow": ["leek"]}))


def test_domains_with_other_classes_need_a_choice(write_images, make_task):
    write_images("target", {"a": 12, "b": 12, "c": 12})
    write_images("source", {"a": 12, "b": 12, "d": 12}, seed=1)
    words = refused(make_task("target", source={"train": "source"}))
    assert "target lacks 'd'; source lacks 'c'" in words
    assert "Write 'classes: shared' or 'classes: union'" in words
    shared = load_data(make_task("target", source={"train": "source"}, classes="shared"))
    assert shared.classes == ("a", "b")
    assert [len(inputs) for inputs in shared.inputs] == [24, 24]
    assert load_data(make_task("target", source={"train": "source"}, classes="union")).classes == ("a", "b", "c", "d")


def test_named_classes_leave_the_others_out(write_images, make_task):
    write_images("photos", {"a": 12, "b": 12, "c": 12})
    data = load_data(make_task("photos", classes=["c", "a"]))
    assert data.classes == ("a", "c")
    assert len(data.inputs[0]) == 24
    assert "classes[1]: 'd' is no class of the data." in refused(make_task("photos", classes=["a", "d", "b"]))


def test_a_test_class_that_train_lacks_is_refused(write_images, make_task):
    write_images("train", {"a": 12, "b": 12})
    write_images("test", {"a": 3, "z": 3}, seed=1)
    assert "data.target.test: holds the classes 'z'" in refused(make_task({"train": "train", "test": "test"}))


def test_the_positive_class_stands_last_and_must_exist(write_images, make_task):
    write_images("photos", {"bad": 12, "good": 12})
    assert load_data(make_task("photos", positive="bad")).classes == ("good", "bad")
    assert "positive: 'bed' is no class of the data." in refused(make_task("photos", positive="bed"))
    write_images("photos", {"ugly": 12})
    assert "positive: needs two classes, found 3" in refused(make_task("photos", positive="bad"))
    assert "metric: 'f1' is for two classes, found 3. Write macro_f1." in refused(make_task("photos", metric="f1"))


def test_a_few_broken_images_are_skipped_and_listed(write_images, make_task):
    folder = write_images("photos", {"a": 100, "b": 101})
    (folder / "a" / "0007.png").write_bytes(b"\x89PNG broken")
    (folder / "b" / "text.jpg").write_text("I am text")
    data = load_data(make_task("photos"))
    (finding,) = data.findings
    assert (finding.code, finding.severity) == ("broken_image", "warning")
    assert "2 of 202 files" in finding.message
    assert any(line.startswith("b/text.jpg: the file is no JPEG") for line in finding.examples)
    assert len(data.inputs[0]) == 200
    assert data.summary["skipped"] == 2
    assert [name for name, _ in data.summary["broken"]] == ["a/0007.png", "b/text.jpg"]
    assert not {"a/0007.png", "b/text.jpg"} & set(data.inputs[0].ids)


def test_more_than_one_percent_broken_is_refused_unless_allowed(write_images, make_task):
    folder = write_images("photos", {"a": 50, "b": 50})
    for number in range(3):
        (folder / "a" / f"{number:04}.png").write_bytes(b"")
    words = refused(make_task("photos"))
    assert "3 of 100 files (3.0%) are broken, up to 1% are skipped: a/0000.png: the file is empty (0 bytes)" in words
    data = load_data(make_task("photos", audit={"allow": ["broken_image"]}))
    assert len(data.inputs[0]) == 97


def test_a_class_of_broken_images_only_is_refused(write_images, make_task):
    folder = write_images("photos", {"a": 20, "b": 20, "c": 2})
    for file in (folder / "c").iterdir():
        file.write_bytes(b"")
    words = refused(make_task("photos", audit={"allow": ["broken_image"]}))
    assert "the class 'c' has no usable example" in words


def test_a_duplicate_on_both_sides_of_a_given_split_is_refused_unless_allowed(write_images, make_task):
    train = write_images("train", {"a": 12, "b": 12})
    test = write_images("test", {"a": 3, "b": 3}, seed=1)
    shutil.copy(train / "a" / "0003.png", test / "b" / "copy.png")
    paths = {"train": "train", "test": "test"}
    words = refused(make_task(paths))
    assert "examples both in target train and in target test: 1, such as a/0003.png = b/copy.png." in words
    assert "audit: {allow: [leak]}" in words
    data = load_data(make_task(paths, audit={"allow": ["leak"]}))
    assert [finding.severity for finding in data.findings if finding.code == "leak"] == ["warning"]


def test_a_source_that_holds_a_given_test_example_is_refused(write_images, make_task):
    write_images("train", {"a": 12, "b": 12})
    write_images("test", {"a": 3, "b": 3}, seed=1)
    write_images("source", {"a": 12, "b": 12}, seed=2)
    shutil.copytree(write_images("test", {}) / "a", write_images("source", {}) / "a", dirs_exist_ok=True)
    words = refused(make_task({"train": "train", "test": "test"}, source={"train": "source"}))
    assert "examples both in target test and in source train: 3" in words


def test_a_group_on_both_sides_of_a_given_split_is_refused(write_images, make_task, tmp_path):
    write_images(".", {"a": 20, "b": 20})
    for name, rows in (("train", range(10)), ("test", range(10, 20))):
        lines = [f"{kind}/{row:04}.png,{kind},patient {row % 10}" for kind in "ab" for row in rows]
        (tmp_path / f"{name}.csv").write_text("\n".join(["path,label,who", *lines]))
    task = make_task({"train": "train.csv", "test": "test.csv"}, columns={"group": "who"})
    assert "groups both in target train and in target test: 10, such as 'patient 0'" in refused(task)


def test_duplicates_with_different_labels_are_warned_of(write_images, make_task):
    folder = write_images("photos", {"a": 12, "b": 12})
    shutil.copy(folder / "a" / "0000.png", folder / "b" / "0000.png")
    findings = {finding.code: finding.message for finding in load_data(make_task("photos")).findings}
    assert (
        "equal examples under different labels: 1, such as b/0000.png is 'b', a/0000.png is 'a'"
        in (findings["label_conflict"])
    )
    assert "duplicate" in findings


def test_images_inside_an_array_that_are_none_are_refused(make_task, tmp_path):
    np.savez(tmp_path / "d.npz", x=np.full((20, 4, 4), -5.0), y=np.arange(20) % 2)
    assert "the array 'x' holds values from -5 to -5" in refused(make_task("d.npz"))


def test_ten_thousand_files_are_checked_without_opening_one(make_task, tmp_path, monkeypatch):
    Image.new("RGB", (2, 2)).save(tmp_path / "one.png")
    content = (tmp_path / "one.png").read_bytes()
    for kind in "ab":
        (tmp_path / "photos" / kind).mkdir(parents=True)
        for number in range(5_000):
            (tmp_path / "photos" / kind / f"{number}.png").write_bytes(content)
    task = make_task("photos")
    monkeypatch.setattr(Image, "open", None)
    monkeypatch.setattr("pathlib.Path.read_bytes", None)
    assert check_quickly(task) == []


def test_every_broken_image_is_listed_however_many_there_are(write_images, make_task, caplog):
    folder = write_images("photos", {"a": 60, "b": 60})
    for number in range(30):
        (folder / "a" / f"{number:04}.png").write_bytes(b"")
    with caplog.at_level("INFO", logger="autotl"):
        data = load_data(make_task("photos", audit={"allow": ["broken_image"]}))
    assert data.summary["broken"] == [[f"a/{number:04}.png", "is empty (0 bytes)"] for number in range(30)]
    assert [record.name for record in caplog.records] == ["autotl.data.domains"] * 30
    (finding,) = [found for found in data.findings if found.code == "broken_image"]
    assert len(finding.examples) == 20


def test_broken_files_of_one_name_in_two_domains_are_counted_twice(write_images, make_task):
    for name, seed in (("target", 0), ("source", 1)):
        (write_images(name, {"a": 100, "b": 100}, seed=seed) / "a" / "bad.png").write_bytes(b"")
    data = load_data(make_task("target", source={"train": "source"}))
    assert [name for name, _ in data.summary["broken"]] == ["a/bad.png", "a/bad.png (2)"]


def test_near_names_of_hidden_labels_are_told_without_their_counts(make_task, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (104, 4, 4), dtype=np.uint8)
    np.savez(tmp_path / "d.npz", x=pixels, y=["tulip"] * 102 + ["tulpi"] * 2)
    task = make_task({"train": "d.npz", "labels": {"per_class": 2}})
    assert "the class 'tulpi' of target may be a typo of 'tulip'." in message_of(task, "near_names")


def digits_of(tmp_path, folder, *, rows, margin, seed):
    """Bright strokes on black with a margin of so many pixels on each side."""
    draws = np.random.default_rng(seed)
    for number in range(rows):
        pixels = draws.integers(120, 255, (16, 16), dtype=np.uint8)
        place = tmp_path / folder / "ab"[number % 2]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.pad(pixels, margin)).save(place / f"{number:03}.png")


def margins_told(task) -> list[str]:
    found = [finding for finding in load_data(task).findings if finding.code == "margins_differ"]
    assert all(finding.severity == "info" for finding in found)
    return [finding.message for finding in found]


def test_domains_with_other_margins_are_told_of_the_crop(tmp_path, make_task):
    digits_of(tmp_path, "mnist", rows=60, margin=4, seed=0)
    digits_of(tmp_path, "usps", rows=60, margin=0, seed=1)
    task = make_task({"train": "usps", "labels": "none"}, source={"name": "mnist", "train": "mnist"})
    (words,) = margins_told(task)
    assert words.startswith("data: images differ in their margins. The content fills so much of width x height: ")
    assert "target: 100% x 100%; mnist: " in words
    assert "crop: content in the search space" in words


def test_what_is_told_of_margins_does_not_depend_on_hidden_labels(tmp_path, make_task):
    digits_of(tmp_path, "mnist", rows=60, margin=4, seed=0)
    digits_of(tmp_path, "usps", rows=140, margin=1, seed=1)
    task = make_task({"train": "usps", "labels": "none"}, source={"name": "mnist", "train": "mnist"})
    told = margins_told(task)
    for number in range(0, 140, 4):
        shutil.move(tmp_path / f"usps/a/{number:03}.png", tmp_path / f"usps/b/{number:03}.png")
    assert len(told) == 1
    assert margins_told(task) == told


def test_equal_margins_are_no_trouble_and_a_task_that_has_its_say_on_them_is_not_told(tmp_path, make_task):
    for folder, margin, seed in (("a", 4, 0), ("b", 3, 1), ("c", 0, 2)):
        digits_of(tmp_path, folder, rows=60, margin=margin, seed=seed)
    source = {"name": "a", "train": "a"}
    assert margins_told(make_task({"train": "b", "labels": "none"}, source=source)) == []
    assert margins_told(make_task("c")) == [], "one domain has nothing to differ from"
    told = {"train": "c", "labels": "none"}
    assert len(margins_told(make_task(told, source=source, search_space={"epochs": 3}))) == 1
    assert margins_told(make_task(told, source=source, search_space={"crop": "none"})) == []


def test_margins_are_looked_at_in_few_images_of_each_domain(tmp_path, make_task, monkeypatch):
    digits_of(tmp_path, "a", rows=160, margin=4, seed=0)
    digits_of(tmp_path, "b", rows=160, margin=0, seed=1)
    opened = []
    monkeypatch.setattr(
        images, "decode_image", lambda path, size, **_: opened.append(path) or np.zeros((size, size, 3))
    )
    load_data(make_task({"train": "b", "labels": "none"}, source={"name": "a", "train": "a"}))
    assert len(opened) == len(set(opened)) == 2 * domains.LOOKED_AT
