"""Images: a thumbnail, and a map of where the model looks."""

import base64
import io
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from autotl.production.evidence.covering import Effect, Question, cover

METHOD = "occlusion: squares of the image are painted over in the colour of its border"
SIDE = 96  # pixels of a thumbnail
QUALITY = 72  # of its JPEG
CELLS = 7  # a side of the map
SQUARE = 2  # cells a side that are covered together

Pixels = NDArray[np.uint8]  # (side, side, 3)


def shown(pixels: Pixels) -> dict[str, Any]:
    """The image as the model sees it, small."""
    return {"kind": "picture", "thumbnail": thumbnail(pixels)}


def thumbnail(pixels: Pixels) -> str:
    """A small JPEG as a data address."""
    from PIL import Image

    image = Image.fromarray(pixels)
    if max(image.size) > SIDE:
        image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, format="JPEG", quality=QUALITY, optimize=True)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"


def looked_at(pixels: Pixels, question: Question, index: int) -> dict[str, Any]:
    """What an answer hangs on.

    Returns:
        `map`, what is lost per cell (as `Effect` says), rows from the top; `before` and `after`, the answer with
        nothing covered and with the square that matters most; `place`, where that is in words.
    """
    corners = [(row, column) for row in range(CELLS - SQUARE + 1) for column in range(CELLS - SQUARE + 1)]
    effect = cover(question, pixels[None], _covered(pixels, corners), index)
    most = effect.most
    return {
        "map": [[effect.written(lost) for lost in line] for line in _per_cell(effect, corners).tolist()],
        "before": effect.before,
        "after": float(effect.after[most]),
        "place": _in_words(*corners[most]),
    }


def _covered(pixels: Pixels, corners: list[tuple[int, int]]) -> Pixels:
    heights, widths = (np.linspace(0, side, CELLS + 1).round().astype(int) for side in pixels.shape[:2])
    covered = np.repeat(pixels[None], len(corners), axis=0)
    for image, (row, column) in zip(covered, corners, strict=True):
        image[heights[row] : heights[row + SQUARE], widths[column] : widths[column + SQUARE]] = _background(pixels)
    return covered


def _background(pixels: Pixels) -> NDArray[np.uint8]:
    """The border's median colour: on a plain ground the covered part is gone, and no new shape has come."""
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    return cast(NDArray[np.uint8], np.median(border, axis=0).astype(np.uint8))


def _per_cell(effect: Effect, corners: list[tuple[int, int]]) -> NDArray[np.float64]:
    """Each cell's mean over the squares that covered it."""
    total, times = np.zeros((CELLS, CELLS)), np.zeros((CELLS, CELLS))
    for lost, (row, column) in zip(effect.lost, corners, strict=True):
        total[row : row + SQUARE, column : column + SQUARE] += lost
        times[row : row + SQUARE, column : column + SQUARE] += 1
    return total / times


def _in_words(row: int, column: int) -> str:
    last = CELLS - SQUARE
    vertical = ("top", "middle", "bottom")[min(3 * row // (last + 1), 2)]
    horizontal = ("left", "centre", "right")[min(3 * column // (last + 1), 2)]
    return "the centre" if (vertical, horizontal) == ("middle", "centre") else f"the {vertical} {horizontal}"
