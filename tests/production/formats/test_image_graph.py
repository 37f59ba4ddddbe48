"""TensorFlow's operations read images to the bit as Pillow does, whatever their mode, size and turn."""

import numpy as np
import pytest
import tensorflow as tf
from odd_examples import encoded, odd_images
from PIL import Image

from autotl.data.images import decode_image
from autotl.production.formats.image_graph import orientation, square

SIZE = 48


@pytest.fixture(scope="module")
def graph():
    return tf.function(lambda content: square(content, SIZE), input_signature=[tf.TensorSpec((), tf.string)])


@pytest.mark.parametrize("name", odd_images())
def test_an_image_is_read_to_the_bit(graph, name):
    content = odd_images()[name]
    np.testing.assert_array_equal(graph(tf.constant(content)).numpy(), decode_image(content, SIZE))


@pytest.mark.parametrize(
    "shape", [(47, 48), (96, 96), (143, 145), (700, 333), (333, 700), (97, 70), (2, 900), (900, 2)]
)
def test_sides_around_every_step_of_reduction_are_read_to_the_bit(graph, shape):
    draws = np.random.default_rng(sum(shape))
    image = Image.fromarray(draws.integers(0, 256, (*shape, 3)).astype(np.uint8))
    for kind in ("PNG", "JPEG"):
        content = encoded(image, kind)
        np.testing.assert_array_equal(graph(tf.constant(content)).numpy(), decode_image(content, SIZE))


def test_a_turn_is_found_in_either_order_of_bytes_and_in_no_broken_directory():
    image = Image.new("RGB", (20, 10))
    exif = Image.Exif()
    exif[0x0112] = 6
    plain = encoded(image, "JPEG", exif=exif)
    start = plain.index(b"Exif\0\0") + 6
    assert orientation(tf.constant(plain)).numpy() == 6
    one_entry = {"<": b"II*\0\x08\0\0\0\x01\0", ">": b"MM\0*\0\0\0\x08\0\x01"}
    entry = {"<": b"\x12\x01\x03\0\x01\0\0\0\x08\0\0\0", ">": b"\x01\x12\0\x03\0\0\0\x01\0\x08\0\0"}
    for order in "<>":
        tiff = one_entry[order] + entry[order] + b"\0" * 4
        content = b"\xff\xd8\xff\xe1" + (len(tiff) + 8).to_bytes(2, "big") + b"Exif\0\0" + tiff + b"\xff\xda"
        assert orientation(tf.constant(content)).numpy() == 8
        for cut in range(4, len(content), 3):  # whatever is lost, there is an answer and no error
            assert orientation(tf.constant(content[:cut])).numpy() in (1, 8)
    assert orientation(tf.constant(plain[: start + 9])).numpy() == 1


def test_what_tensorflow_cannot_read_is_an_error(graph):
    content = encoded(Image.new("RGB", (20, 10)), "TIFF")
    with pytest.raises(tf.errors.InvalidArgumentError, match="image"):
        graph(tf.constant(content))
