"""Random views of an image: which changes a policy may draw. The same content and view give the same change, always."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from autotl.data.examples import View


@dataclass(frozen=True)
class Policy:
    """How far a random view may stray from the plain image."""

    smallest_crop: float = 1.0  # share of the image's area that a crop keeps at least
    flips: bool = False  # mirror left and right half of the time
    brightness: float = 0.0  # largest shift, as a share of the full range
    contrast: float = 0.0  # largest change of the contrast, as a share of it


POLICIES: dict[str, Policy] = {
    "none": Policy(),
    "flip": Policy(flips=True),
    "crop": Policy(smallest_crop=0.5),
    "crop_flip": Policy(smallest_crop=0.5, flips=True),
    "crop_light": Policy(smallest_crop=0.5, brightness=0.1, contrast=0.2),
    "crop_flip_light": Policy(smallest_crop=0.5, flips=True, brightness=0.1, contrast=0.2),
}
_WIDEST_RATIO = 4 / 3  # of a crop's sides, relative to the image's


@dataclass(frozen=True)
class Change:
    """One drawn change. The box is in shares of width and height: left, top, right, bottom."""

    box: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)
    flip: bool = False
    brightness: float = 0.0
    contrast: float = 1.0

    def relight(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The pixels with contrast and brightness changed around their mean."""
        if self.brightness == 0.0 and self.contrast == 1.0:
            return pixels
        mean = float(pixels.mean())
        changed = (pixels.astype(np.float32) - mean) * self.contrast + mean + 255.0 * self.brightness
        return np.asarray(np.clip(np.rint(changed), 0, 255), dtype=np.uint8)


def draw_change(view: View, digest: str) -> Change:
    """The change that this view makes to the example with this content digest; view 0 makes none.

    The draws depend on the digest and the view's number alone: neither seed, worker nor order of reading moves them.
    """
    if view.number == 0:
        return Change()
    policy = POLICIES[view.policy]
    draws = np.random.default_rng([int(digest, 16), view.number]).random(7)
    area = 1.0 - draws[0] * (1.0 - policy.smallest_crop)
    ratio = _WIDEST_RATIO ** (2 * draws[1] - 1)
    width, height = min(1.0, (area * ratio) ** 0.5), min(1.0, (area / ratio) ** 0.5)
    if policy.smallest_crop == 1.0:
        width = height = 1.0
    left, top = draws[2] * (1.0 - width), draws[3] * (1.0 - height)
    return Change(
        box=(left, top, left + width, top + height),
        flip=policy.flips and draws[4] < 0.5,
        brightness=policy.brightness * (2 * draws[5] - 1),
        contrast=1.0 + policy.contrast * (2 * draws[6] - 1),
    )
