import numpy as np
import pytest

from autotl.data.augmentation import POLICIES, Change, draw_change
from autotl.data.examples import View

DIGEST = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize("policy", POLICIES)
def test_view_zero_is_the_plain_image_whatever_the_policy(policy):
    assert draw_change(View(policy, 0), DIGEST) == Change()


@pytest.mark.parametrize("policy", POLICIES)
def test_the_same_content_and_view_draw_the_same_change(policy):
    assert draw_change(View(policy, 3), DIGEST) == draw_change(View(policy, 3), DIGEST)


@pytest.mark.parametrize("policy", POLICIES)
def test_a_change_stays_within_its_policy(policy):
    allowed = POLICIES[policy]
    for number in range(1, 200):
        change = draw_change(View(policy, number), DIGEST)
        left, top, right, bottom = change.box
        assert 0 <= left < right <= 1 + 1e-9
        assert 0 <= top < bottom <= 1 + 1e-9
        # a crop that is cut off at the border may fall below its drawn area by the side ratio, never further
        assert (right - left) * (bottom - top) >= allowed.smallest_crop * 0.75 - 1e-9
        assert allowed.flips or not change.flip
        assert abs(change.brightness) <= allowed.brightness
        assert abs(change.contrast - 1) <= allowed.contrast + 1e-9


def test_other_views_and_other_content_draw_other_changes():
    changes = [draw_change(View("crop_flip", number), DIGEST) for number in range(1, 20)]
    assert len(set(changes)) == 19
    assert draw_change(View("crop_flip", 1), "f" * 32) != changes[0]


def test_flips_come_up_about_half_of_the_time():
    flips = [draw_change(View("flip", number), DIGEST).flip for number in range(1, 401)]
    assert 150 < sum(flips) < 250


def test_relighting_moves_the_mean_by_the_brightness_and_keeps_the_type():
    pixels = np.full((4, 4, 3), 100, dtype=np.uint8)
    brighter = Change(brightness=0.1).relight(pixels)
    assert brighter.dtype == np.uint8
    assert brighter.mean() == pytest.approx(100 + 25.5, abs=0.5)
    assert Change().relight(pixels) is pixels
