"""Corrupted images are still images, and worse ones."""

import numpy as np
import pytest
from PIL import Image

from benchmarks.selection.corruptions import CORRUPTIONS, PER_CLASS, read_images


def photographs(rows=6):
    draws = np.random.default_rng(0)
    coarse = draws.integers(0, 256, size=(rows, 8, 8, 3), dtype=np.uint8)
    return np.stack([np.asarray(Image.fromarray(each).resize((32, 32))) for each in coarse])


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_an_image_stays_an_image_and_changes(name):
    before = photographs()
    kept = before.copy()
    after = CORRUPTIONS[name](before)
    assert after.shape == before.shape
    assert after.dtype == np.uint8
    np.testing.assert_array_equal(before, kept)
    assert np.abs(after.astype(float) - before).mean() > 2
    np.testing.assert_array_equal(after, CORRUPTIONS[name](before))


def test_contrast_and_blur_flatten_and_noise_roughens():
    before = photographs()

    def roughness(images):
        return np.abs(np.diff(images.astype(float), axis=1)).mean()

    assert roughness(CORRUPTIONS["contrast"](before)) < 0.5 * roughness(before)
    assert roughness(CORRUPTIONS["blur"](before)) < roughness(before)
    assert roughness(CORRUPTIONS["noise"](before)) > roughness(before)


def test_images_are_read_class_by_class(tmp_path):
    for name in ("cat", "bird"):
        (tmp_path / name).mkdir()
        for number in range(3):
            Image.new("RGB", (32, 32), (number, 0, 0)).save(tmp_path / name / f"{number}.png")
    images, labels = read_images(tmp_path)
    assert images.shape == (6, 32, 32, 3)
    assert labels.tolist() == [0, 0, 0, 1, 1, 1], "birds first"
    assert PER_CLASS >= 3
