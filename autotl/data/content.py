"""Where the content of an image is: what stands out from its border, in a square that a plan may look at alone.

Images of two domains often differ in their margins first (scans, product photos, digits), and a network that has learnt
one margin is lost in the other.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

CROPS = ("none", "content")  # what of an image a plan looks at
STANDING_OUT = 0.2  # of the largest difference to the background: more is content
FAINTEST = 8  # levels of 255; an image whose largest difference is smaller is blank: what is left is noise
LUMINANCE = (0.299, 0.587, 0.114)  # of red, green and blue
MARGIN = 0.05  # of the content's longer side, on each side of it


class Box(NamedTuple):
    """Left, top, right and bottom in pixels from the image's left upper corner; the last two are outside."""

    left: float
    top: float
    right: float
    bottom: float

    def inside(self, shares: tuple[float, float, float, float]) -> "Box":
        """The part of this box that lies between shares (left, top, right, bottom) of its width and height."""
        width, height = self.right - self.left, self.bottom - self.top
        left, top, right, bottom = shares
        return Box(
            self.left + left * width,
            self.top + top * height,
            self.left + min(right, 1.0) * width,
            self.top + min(bottom, 1.0) * height,
        )

    def scaled(self, factor: float) -> "Box":
        """The same box where every pixel is `factor` pixels wide and high."""
        return Box(*(factor * end for end in self))


def content_bounds(grey: NDArray[np.uint8]) -> Box | None:
    """The tight box around the content; None for a blank image.

    The background is the median of the border's pixels. Content is what differs from it by more than a fifth of the
    largest difference in the image, on either side of it: dark on light and light on dark are the same.

    Args:
        grey: (height, width).
    """
    border = np.concatenate([grey[0], grey[-1], grey[1:-1, 0], grey[1:-1, -1]])
    difference = np.abs(grey.astype(np.float32) - np.float32(np.median(border)))
    largest = float(difference.max())
    if largest < FAINTEST:
        return None
    stands_out = difference > STANDING_OUT * largest
    columns, rows = np.flatnonzero(stands_out.any(axis=0)), np.flatnonzero(stands_out.any(axis=1))
    return Box(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)


def square_around(content: Box, *, width: float, height: float) -> Box:
    """The square that a cropped image shows: the smallest around a box of it, with a small margin.

    It is shifted into the image where it fits there; elsewhere (long content of a narrow image, content up to a border)
    it is centred on the box and reaches beyond, to be filled with background, so that nothing is ever stretched and all
    images get one margin. Content up to all four borders, as in plain photographs, leaves no background to make a
    margin of, and gets none.
    """
    longest = max(content.right - content.left, content.bottom - content.top)
    side = longest if content == (0, 0, width, height) else longest * (1 + 2 * MARGIN)
    left = _shifted((content.left + content.right - side) / 2, width - side)
    top = _shifted((content.top + content.bottom - side) / 2, height - side)
    return Box(left, top, left + side, top + side)


def _shifted(start: float, room: float) -> float:
    """The start nearest to a wanted one at which a side lies in the image; the wanted one where there is no room."""
    return start if room < 0 else min(max(start, 0.0), room)


def filled_shares(pixels: NDArray[np.uint8]) -> tuple[float, float]:
    """The shares of width and height that the content of images (n, height, width, 3) fills, on average; a blank image
    counts as full."""
    height, width = pixels.shape[1:3]
    shares = []
    for grey in (pixels @ np.array(LUMINANCE)).astype(np.uint8):
        found = content_bounds(grey) or Box(0, 0, width, height)
        shares.append(((found.right - found.left) / width, (found.bottom - found.top) / height))
    across, down = np.mean(shares, axis=0).tolist()
    return across, down
