"""The demo's data needs no network, is the same each time and makes a task that is in order."""

import numpy as np
import pytest

from autotl.data.printed_digits import SIZE, printed_digits, write_demo
from autotl.task import read_task


def test_every_digit_is_printed_equally_often():
    images, labels = printed_digits(100, seed=0)
    assert images.shape == (100, SIZE, SIZE)
    assert images.dtype == np.uint8
    assert np.bincount(labels).tolist() == [10] * 10


def test_a_seed_always_draws_the_same_digits_and_another_seed_others():
    first, labels = printed_digits(20, seed=3)
    again, same_labels = printed_digits(20, seed=3)
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(labels, same_labels)
    assert (first != printed_digits(20, seed=4)[0]).any()


def test_no_two_images_are_alike_and_none_is_blank():
    images, _ = printed_digits(100, seed=0)
    assert len({image.tobytes() for image in images}) == 100
    assert images.reshape(100, -1).std(axis=1).min() > 20


def test_digits_of_a_kind_look_alike():
    """The nearest class mean, learnt on some digits, names others far better than the one in ten of chance."""
    images, labels = printed_digits(400, seed=0)
    flat = images.reshape(400, -1).astype(float)
    means = np.stack([flat[:200][labels[:200] == digit].mean(axis=0) for digit in range(10)])
    distances = ((flat[200:, None] - means[None]) ** 2).sum(axis=2)
    assert (distances.argmin(axis=1) == labels[200:]).mean() > 0.6


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    return write_demo(tmp_path_factory.mktemp("demo") / "new")


def test_the_demo_holds_both_domains(demo):
    with np.load(demo.parent / "printed.npz") as printed, np.load(demo.parent / "handwritten.npz") as handwritten:
        assert printed["x"].shape == (1000, SIZE, SIZE)
        assert handwritten["x"].shape == (1797, SIZE, SIZE)
        assert set(printed["y"].tolist()) == set(handwritten["y"].tolist()) == set(range(10))
        assert printed["x"].dtype == handwritten["x"].dtype == np.uint8


def test_the_demos_task_is_in_order(demo):
    assert read_task(demo).name == "printed-to-handwritten"
