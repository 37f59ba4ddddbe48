"""Copies saved anew are found; things that are merely alike are not."""

import numpy as np
import pytest
from PIL import Image

from autotl.data import load_data
from autotl.data.auditing.near_duplicates import alike_images, alike_texts
from autotl.data.images import array_looks, inspect_file
from autotl.data.looks import gathered


def photo(draws, side: int = 72) -> Image.Image:
    """Blotches of colour with some detail: two of them are as different as two photos."""
    coarse = draws.integers(0, 256, (5, 5, 3), dtype=np.uint8)
    image = Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC)
    grain = draws.integers(-20, 21, (side, side, 3))
    return Image.fromarray(np.clip(np.asarray(image).astype(int) + grain, 0, 255).astype(np.uint8))


SAVED_ANEW = {
    "better": lambda image, path: image.save(path, "JPEG", quality=92),
    "worse": lambda image, path: image.save(path, "JPEG", quality=40),
    "smaller": lambda image, path: image.resize((48, 48)).save(path, "PNG"),
    "larger": lambda image, path: image.resize((130, 130)).save(path, "JPEG"),
    "grey": lambda image, path: image.convert("L").save(path, "JPEG"),
    "darker": lambda image, path: image.point(lambda level: level * 0.8).save(path, "WEBP"),
    "stretched": lambda image, path: image.resize((90, 60)).save(path, "BMP"),
}


def looks_at(paths):
    seen = [inspect_file(str(path)) for path in paths]
    return gathered({one.digest: one.look for one in seen}), [one.digest for one in seen]


@pytest.mark.parametrize("how", SAVED_ANEW)
def test_images_that_were_saved_anew_are_found_and_no_others(tmp_path, how):
    draws = np.random.default_rng(0)
    originals, copies = [], []
    for number in range(80):
        image = photo(draws)
        originals.append(tmp_path / f"{number}.png")
        image.save(originals[-1])
        if number < 40:
            copies.append(tmp_path / f"copy of {number}")
            SAVED_ANEW[how](image, copies[-1])
    looks, digests = looks_at([*originals, *copies])
    alike = alike_images(looks)
    found = [alike.get(digests[number]) is not None for number in range(80)]
    right = [alike.get(digests[number]) == alike.get(digests[80 + number], "none") for number in range(40)]
    assert sum(right) >= 38
    assert not any(found[40:])


def test_things_that_are_alike_before_one_camera_are_no_copies_but_a_copy_of_one_is():
    """Parts on a belt: one background, a little noise, a small mark in another place."""
    draws = np.random.default_rng(0)
    belt = draws.integers(0, 256, (48, 48), dtype=np.uint8).astype(int)
    parts = []
    for _ in range(200):
        part = belt + draws.integers(-6, 7, belt.shape)
        top, left = draws.integers(0, 40, 2)
        part[top : top + 8, left : left + 8] = draws.integers(0, 256)
        parts.append(np.clip(part, 0, 255).astype(np.uint8))
    parts.append(np.clip(parts[0].astype(int) + draws.integers(-1, 2, belt.shape), 0, 255).astype(np.uint8))
    alike = alike_images(gathered({f"{row:03}": look for row, look in enumerate(array_looks(np.stack(parts)))}))
    assert alike == {"000": "000", "200": "000"}


def test_blank_images_resemble_each_other_and_say_nothing():
    blank = np.clip(np.random.default_rng(0).normal(200, 2, (30, 32, 32)), 0, 255).astype(np.uint8)
    assert alike_images(gathered({str(row): look for row, look in enumerate(array_looks(blank))})) == {}
    assert alike_images(gathered({})) == {}


def test_what_is_found_does_not_depend_on_the_order():
    draws = np.random.default_rng(0)
    pixels = np.stack([np.asarray(photo(draws)) for _ in range(30)])
    pixels = np.concatenate([pixels, np.clip(pixels[:10].astype(int) + 3, 0, 255).astype(np.uint8)])
    looks = {f"{row:02}": look for row, look in enumerate(array_looks(pixels))}
    backwards = dict(reversed(looks.items()))
    assert alike_images(gathered(looks)) == alike_images(gathered(backwards))
    assert len(alike_images(gathered(looks))) == 20


def test_texts_that_were_typed_anew_are_found():
    texts = {
        "a": "The film was good. I saw it twice!",
        "b": "the film was good\r\n I saw it twice",
        "c": "The film was good. I saw it thrice!",
        "d": "…",
        "e": "!!!",
    }
    assert alike_texts(texts) == {"a": "a", "b": "a"}


def with_copies(tmp_path, *, copies, folder="photos", into="photos"):
    draws = np.random.default_rng(0)
    for label in "ab":
        (tmp_path / folder / label).mkdir(parents=True, exist_ok=True)
        (tmp_path / into / label).mkdir(parents=True, exist_ok=True)
        for number in range(100):
            image = photo(draws, side=40)
            image.save(tmp_path / folder / label / f"{number:03}.png")
            if number < copies:
                image.save(tmp_path / into / label / f"{number:03} again.jpg", quality=70)


def test_near_copies_are_counted_and_stay_on_one_side_of_every_split(make_task, tmp_path):
    with_copies(tmp_path, copies=30)
    data = load_data(make_task("photos"))
    (finding,) = [found for found in data.findings if found.code == "near_duplicate"]
    assert finding.severity == "warning"
    assert "examples that nearly repeat another one: 60, such as a/000" in finding.message
    for fold in (*data.folds, *data.suffix_folds):
        sides = [{data.inputs[0].ids[row][:5] for row in rows} for rows in (fold.train, fold.validation)]
        assert not sides[0] & sides[1]


def test_near_copies_of_training_examples_in_a_given_test_are_told(make_task, tmp_path):
    with_copies(tmp_path, copies=12, folder="train", into="test")
    data = load_data(make_task({"train": "train", "test": "test"}))
    (finding,) = [found for found in data.findings if found.code == "near_leak"]
    assert finding.severity == "warning"
    assert (
        "examples of target test that nearly repeat one of target train: 24, such as a/000.png ~ a/000 again.jpg"
        in (finding.message)
    )
    assert len(finding.examples) == 20


def test_a_source_copy_of_what_is_scored_is_left_out_of_training(make_task, tmp_path):
    with_copies(tmp_path, copies=100, folder="target", into="source")
    data = load_data(make_task("target", source={"train": "source"}))
    names = [name[:5] for inputs in data.inputs for name in inputs.ids]
    for fold in data.folds:
        scored = {names[row] for row in fold.validation}
        assert not scored & {names[row] for row in fold.train}


def test_real_flowers_hold_one_photo_in_two_colours_on_both_sides(shared_data, make_task):
    flowers = shared_data / "flowers"
    findings = load_data(make_task({"train": str(flowers / "train"), "test": str(flowers / "test")})).findings
    near = [found for found in findings if found.code == "near_leak"]
    assert any("34310869690" in line and "33885735373" in line for found in near for line in found.examples)
    assert sum(len(found.examples) for found in findings if found.code.startswith("near")) <= 5
