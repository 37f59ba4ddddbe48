"""The box around what stands out from an image's border, against a slow look at every pixel."""

import numpy as np
import pytest

from autotl.data.content import FAINTEST, MARGIN, Box, content_bounds, filled_shares, square_around


def patch(height, width, *, top, left, rows, columns, background=0, value=200):
    grey = np.full((height, width), background, dtype=np.uint8)
    grey[top : top + rows, left : left + columns] = value
    return grey


def content_box(grey):
    """What a cropped image shows: the square around its content; a blank image itself."""
    height, width = grey.shape
    content = content_bounds(grey)
    return Box(0, 0, width, height) if content is None else square_around(content, width=width, height=height)


def bounds_by_looking(grey):
    """Every pixel, one after the other."""
    height, width = grey.shape
    edge = [(y, x) for y in range(height) for x in range(width) if y in (0, height - 1) or x in (0, width - 1)]
    ordered = sorted(int(grey[place]) for place in edge)
    background = (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2
    differing = {(y, x): abs(int(grey[y, x]) - background) for y in range(height) for x in range(width)}
    largest = max(differing.values())
    if largest < FAINTEST:
        return None
    content = [place for place, difference in differing.items() if difference > 0.2 * largest]
    rows, columns = [y for y, _ in content], [x for _, x in content]
    return Box(min(columns), min(rows), max(columns) + 1, max(rows) + 1)


@pytest.mark.parametrize("seed", range(40))
def test_the_bounds_agree_with_a_slow_look_at_every_pixel(seed):
    draws = np.random.default_rng(seed)
    height, width = draws.integers(1, 14, size=2)
    grey = draws.choice([0, 3, 40, 90, 255], p=[0.7, 0.1, 0.1, 0.05, 0.05], size=(height, width)).astype(np.uint8)
    assert content_bounds(grey) == bounds_by_looking(grey)
    assert content_bounds(255 - grey) == bounds_by_looking(grey), "dark on light is found as light on dark"


@pytest.mark.parametrize("seed", range(40))
def test_the_box_is_the_smallest_square_with_its_margin_in_the_image_where_it_fits_there(seed):
    draws = np.random.default_rng(seed)
    height, width = draws.integers(8, 60, size=2)
    rows, columns = draws.integers(1, height - 1), draws.integers(1, width - 1)
    top, left = draws.integers(1, height - rows + 1), draws.integers(1, width - columns + 1)
    found = content_box(patch(height, width, top=top, left=left, rows=rows, columns=columns))
    side = max(rows, columns) * (1 + 2 * MARGIN)
    assert found.right - found.left == pytest.approx(side)
    assert found.bottom - found.top == pytest.approx(side)
    for start, end, whole, first, length in (
        (found.left, found.right, width, left, columns),
        (found.top, found.bottom, height, top, rows),
    ):
        assert start <= first + 1e-9, "all of the content is seen"
        assert end >= first + length - 1e-9
        if side <= whole:
            assert start >= 0, "shifted into the image"
            assert end <= whole + 1e-9
        else:
            assert (start + end) / 2 == pytest.approx(first + length / 2), "centred"


def test_a_centred_digit_is_cut_out_with_its_margin():
    found = content_box(patch(28, 28, top=4, left=9, rows=20, columns=10))
    assert found == pytest.approx((14 - 11, 14 - 11, 14 + 11, 14 + 11))


def test_a_digit_cut_tight_gets_the_same_margin_as_one_in_a_wide_frame():
    wide = content_box(patch(40, 40, top=10, left=15, rows=20, columns=10))
    tight = content_box(patch(20, 20, top=0, left=5, rows=20, columns=10))
    assert wide == pytest.approx(tuple(end + 10 for end in tight))


def test_content_near_an_edge_shifts_the_square_into_the_image():
    assert content_box(patch(40, 40, top=10, left=1, rows=20, columns=4))[0] == 0
    assert content_box(patch(40, 40, top=20, left=10, rows=20, columns=20))[3] == pytest.approx(40)


def test_long_content_of_a_narrow_image_is_filled_up_and_not_stretched():
    left, top, right, bottom = content_box(patch(20, 100, top=2, left=5, rows=8, columns=90))
    assert (left, right) == pytest.approx((50 - 45 * 1.1, 50 + 45 * 1.1))
    assert (top, bottom) == pytest.approx((6 - 45 * 1.1, 6 + 45 * 1.1))


@pytest.mark.parametrize("shape", [(30, 30), (20, 45), (45, 20), (1, 9), (1, 1)])
def test_a_blank_image_is_its_own_box(shape):
    noise = np.random.default_rng(0).integers(0, FAINTEST - 1, size=shape)
    for grey in (np.full(shape, 128), 100 + noise):
        assert content_box(grey.astype(np.uint8)) == (0, 0, shape[1], shape[0])


def test_a_photograph_up_to_its_border_is_kept_whole():
    photograph = np.random.default_rng(0).integers(0, 256, size=(48, 48)).astype(np.uint8)
    assert content_box(photograph) == (0, 0, 48, 48)
    landscape = np.random.default_rng(0).integers(0, 256, size=(30, 48)).astype(np.uint8)
    assert content_box(landscape) == (0, -9, 48, 39), "the square around it"


def test_a_faint_shade_beside_the_content_is_background():
    grey = patch(30, 30, top=10, left=10, rows=8, columns=8)
    grey[2:4, 2:4] = 35  # less than a fifth of 200
    assert content_bounds(grey) == (10, 10, 18, 18)
    grey[2:4, 2:4] = 45
    assert content_bounds(grey) == (2, 2, 18, 18)


def test_shares_of_a_box_lie_inside_it():
    box = Box(10, -4, 30, 16)
    assert box.inside((0.0, 0.0, 1.0, 1.0)) == box
    assert box.inside((0.25, 0.5, 0.75, 1.0 + 1e-16)) == (15, 6, 25, 16)


def test_the_shares_that_content_fills_are_means_over_images():
    small = patch(40, 40, top=10, left=10, rows=20, columns=10)
    pixels = np.stack([small, np.zeros_like(small)])[..., None].repeat(3, axis=-1)
    assert filled_shares(pixels[:1]) == pytest.approx((0.25, 0.5))
    assert filled_shares(pixels) == pytest.approx((0.625, 0.75)), "a blank image counts as full"
