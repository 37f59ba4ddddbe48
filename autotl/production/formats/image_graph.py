"""From an encoded image to the square that a network takes, in TensorFlow's operations, to the bit as Pillow does it.

A SavedModel that takes files must see what the model saw in training, and a grey level here and there moves
probabilities. Pillow computes with whole numbers: weights of 22 bits, a pass along the rows, rounding, a pass along the
columns (the other way about where an image is tall). Products and sums of these stay below 2**53, so that float64 gives
the very same numbers by a matrix product.

JPEG (turned as EXIF says), PNG, WebP, BMP and GIF (its first frame) are read; TensorFlow knows no TIFF.
"""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from autotl.data.images import DRAFT_MARGIN

BITS = 22  # of Pillow's weights
RATIOS = (1, 2, 4, 8)  # at which a JPEG decoder can reduce
ORIENTATION = 0x0112  # EXIF
SEARCHED_BYTES = 1 << 17  # of a JPEG, for its EXIF segment, which stands at the beginning

Tensor = Any


def square(content: Tensor, size: int) -> Tensor:
    """An encoded image as uint8 (size, size, 3), equal to `autotl.data.images.decode_image`.

    Args:
        content: the file's bytes, a string tensor of shape ().
    """
    is_jpeg = tf.equal(tf.strings.substr(content, 0, 3), b"\xff\xd8\xff")
    is_png = tf.equal(tf.strings.substr(content, 0, 8), b"\x89PNG\r\n\x1a\n")
    pixels = tf.case(
        [(is_jpeg, lambda: _jpeg(content, size)), (is_png, lambda: _png(content))],
        default=lambda: _opaque(tf.io.decode_image(content, channels=3, expand_animations=False)),
    )
    stretched = _over_white(_resized(pixels, size))
    return _turned(stretched, tf.cond(is_jpeg, lambda: orientation(content), lambda: tf.constant(1)))


def _jpeg(content: Tensor, size: int) -> Tensor:
    """(height, width, 4), at the scale that Pillow's draft mode would decode it."""
    shape = tf.image.extract_jpeg_shape(content)
    scale = tf.minimum(shape[0], shape[1]) // (size * DRAFT_MARGIN)
    index = tf.reduce_sum(tf.cast(scale >= tf.constant(RATIOS[1:]), tf.int32))

    def decoded(ratio: int) -> Callable[[], Tensor]:
        return lambda: tf.io.decode_jpeg(content, channels=3, ratio=ratio, dct_method="INTEGER_ACCURATE")

    return _opaque(tf.switch_case(index, [decoded(ratio) for ratio in RATIOS]))


def _png(content: Tensor) -> Tensor:
    """(height, width, 4); grey of 16 bits rounded to 8, colours of 16 bits cut, as Pillow has them."""
    header = tf.io.decode_raw(tf.strings.substr(content, 24, 2), tf.uint8)  # bits a value, and the kind of colours
    is_grey = tf.equal(header[1], 0)
    return tf.case(
        [
            (
                tf.logical_and(is_grey, header[0] > 8),
                lambda: _opaque(tf.repeat(_eight_bits(tf.io.decode_png(content, 1, tf.uint16)), 3, axis=2)),
            ),
            # asked for four channels, TensorFlow makes grey of fewer bits nearly transparent
            (tf.logical_and(is_grey, header[0] < 8), lambda: _opaque(tf.io.decode_png(content, 3))),
        ],
        default=lambda: tf.io.decode_png(content, 4),
    )


def _eight_bits(values: Tensor) -> Tensor:
    return tf.cast(tf.round(tf.cast(values, tf.float32) * tf.constant(1 / 257, tf.float32)), tf.uint8)


def _opaque(pixels: Tensor) -> Tensor:
    return tf.pad(pixels, [[0, 0], [0, 0], [0, 1]], constant_values=255)


def _resized(pixels: Tensor, size: int) -> Tensor:
    """uint8 (height, width, 4) as int32 (size, size, 4): colours weigh as much as they are opaque."""
    shape = tf.shape(pixels)
    is_square = tf.reduce_all(tf.equal(shape[:2], size))  # which Pillow leaves as it is
    return tf.cond(is_square, lambda: tf.cast(pixels, tf.int32), lambda: _stretched(pixels, size))


def _stretched(pixels: Tensor, size: int) -> Tensor:
    values = tf.cast(pixels, tf.int32)
    alpha = values[..., 3:]
    values = tf.concat([_divided(values[..., :3] * alpha + 128), alpha], axis=-1)
    height, width = tf.shape(values)[0], tf.shape(values)[1]

    def rows(lines: Tensor) -> Tensor:
        return _weighed("hwc,ow->hoc", lines, _weights(width, size))

    def columns(lines: Tensor) -> Tensor:
        return _weighed("hwc,oh->owc", lines, _weights(height, size))

    is_tall = height - size > 2 * tf.maximum(width - size, 0)  # Pillow goes along the shorter way first
    down = tf.cond(is_tall, lambda: rows(columns(values)), lambda: columns(rows(values)))
    colours, alpha = down[..., :3], down[..., 3:]
    shown = tf.minimum(255 * colours // tf.maximum(alpha, 1), 255)
    is_mixed = tf.logical_and(alpha > 0, alpha < 255)
    return tf.concat([tf.where(is_mixed, shown, colours), alpha], axis=-1)


def _weighed(along: str, values: Tensor, weights: Tensor) -> Tensor:
    summed = tf.einsum(along, tf.cast(values, tf.float64), weights)
    rounded = tf.floor((summed + 2.0 ** (BITS - 1)) / 2.0**BITS)
    return tf.cast(tf.clip_by_value(rounded, 0.0, 255.0), tf.int32)


def _weights(length: Tensor, size: int) -> Tensor:
    """Whole numbers, float64 (size, length): how much each pixel of a line gives to each of the new ones."""
    step = tf.cast(length, tf.float64) / size
    reach = tf.maximum(step, 1.0)
    centres = (tf.range(size, dtype=tf.float64) + 0.5) * step
    first = tf.maximum(tf.floor(centres - reach + 0.5), 0.0)
    last = tf.minimum(tf.floor(centres + reach + 0.5), tf.cast(length, tf.float64))
    places = tf.range(tf.cast(length, tf.float64), dtype=tf.float64)[None, :]
    triangle = tf.maximum(1.0 - tf.abs((places - centres[:, None] + 0.5) * (1.0 / reach)), 0.0)
    is_near = tf.logical_and(places >= first[:, None], places < last[:, None])
    near = tf.where(is_near, triangle, tf.zeros_like(triangle))
    return tf.floor(near / tf.reduce_sum(near, axis=1, keepdims=True) * 2.0**BITS + 0.5)


def _over_white(pixels: Tensor) -> Tensor:
    """int32 (height, width, 4) as uint8 (height, width, 3), in the whole numbers of Pillow's compositing."""
    colours, alpha = pixels[..., :3], pixels[..., 3:]
    share = alpha * 255 * 128 // 255  # white below is opaque, so that the result is
    mixed = colours * share + 255 * (255 * 128 - share)
    blended = _shifted(_divided(mixed + (0x80 << 7)), 7)
    return tf.cast(tf.where(alpha == 0, 255 * tf.ones_like(colours), blended), tf.uint8)


def _divided(values: Tensor) -> Tensor:
    """By 255, of whole numbers that half of it was added to."""
    return _shifted(_shifted(values, 8) + values, 8)


def _shifted(values: Tensor, bits: int) -> Tensor:
    return tf.bitwise.right_shift(values, bits)


def _turned(pixels: Tensor, how: Tensor) -> Tensor:
    """A square turned as an EXIF orientation says."""
    turned = tf.cond(how >= 5, lambda: tf.transpose(pixels, [1, 0, 2]), lambda: pixels)
    turned = tf.cond(_is_one_of(how, (2, 3, 6, 7)), lambda: turned[:, ::-1], lambda: turned)
    return tf.cond(_is_one_of(how, (3, 4, 7, 8)), lambda: turned[::-1], lambda: turned)


def _is_one_of(value: Tensor, values: tuple[int, ...]) -> Tensor:
    return tf.reduce_any(tf.equal(value, tf.constant(values)))


def orientation(content: Tensor) -> Tensor:
    """A JPEG's EXIF orientation, int32 from 1 to 8; 1 where there is none.

    Segments follow each other, each with a marker and its length; EXIF stands in one of them as a TIFF directory.
    """
    head = tf.strings.substr(content, 0, SEARCHED_BYTES)
    data = tf.cast(tf.io.decode_raw(head, tf.uint8), tf.int32)
    length = tf.size(data)
    data = tf.pad(data, [[0, 16]])  # a directory that is cut off ends in zeros

    def goes_on(at: Tensor, found: Tensor) -> Tensor:
        is_segment = tf.logical_and(data[at] == 0xFF, data[at + 1] != 0xDA)  # 0xDA: the pixels begin
        return tf.logical_and(tf.logical_and(at + 10 < length, found < 0), is_segment)

    def step(at: Tensor, found: Tensor) -> tuple[Tensor, Tensor]:
        is_exif = tf.logical_and(data[at + 1] == 0xE1, tf.equal(tf.strings.substr(head, at + 4, 6), b"Exif\0\0"))
        after = at + 2 + tf.maximum(data[at + 2] * 256 + data[at + 3], 2)
        return tf.minimum(after, length), tf.where(is_exif, at + 10, found)

    _, found = tf.while_loop(goes_on, step, [tf.constant(2), tf.constant(-1)])
    value = tf.cond(found >= 0, lambda: _tag(data, found, length), lambda: tf.constant(1))
    return tf.where(tf.logical_and(value >= 1, value <= 8), value, 1)


def _tag(data: Tensor, start: Tensor, length: Tensor) -> Tensor:
    """The orientation in a TIFF directory; 1 where it has none."""
    is_little = data[start] == 0x49

    def short(at: Tensor) -> Tensor:
        one, two = tf.gather(data, _inside(at)), tf.gather(data, _inside(at + 1))
        return tf.where(is_little, one + 256 * two, 256 * one + two)

    def _inside(at: Tensor) -> Tensor:
        return tf.clip_by_value(at, 0, length)  # behind the end stand zeros

    low, high = short(start + 4), short(start + 6)
    directory = start + tf.where(is_little, low, high)  # of the 32 bits the upper half is never needed
    entries = directory + 2 + 12 * tf.range(tf.minimum(short(directory), 512))
    is_it = short(entries) == ORIENTATION
    return tf.where(tf.reduce_any(is_it), tf.reduce_max(tf.where(is_it, short(entries + 8), 0)), 1)
