"""Encoded images as the model takes them: uint8 RGB (n, size, size, 3).

Turned as EXIF says, transparency over white, 16 bits to 8, the first frame of an animation, stretched to the square
with antialiased bilinear resampling; where the model looks at the content alone, the square around it first.
"""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
ORIENTATION = 0x0112  # EXIF
DRAFT = 3  # a JPEG is decoded at a reduced scale that keeps this many times the wanted side
SEARCHED_SIDE = 256  # content is looked for in images reduced to about this many pixels a side

Box = tuple[float, float, float, float]  # left, top, right, bottom


def preprocess(examples: Sequence[bytes], described: dict[str, Any]) -> Any:
    """Images, decoded and stacked."""
    return np.stack([square(content, described["image_size"], described["crop"]) for content in examples])


def square(content: bytes, size: int, crop: str) -> Any:
    """One image, uint8 (size, size, 3)."""
    image = Image.open(io.BytesIO(content))
    width = image.size[0]
    image.draft(None, (size * DRAFT, size * DRAFT))
    area = looked_at(image, crop)
    if image.size[0] < width and area[2] - area[0] < 2 * size:  # the reduced JPEG has too few pixels of the content
        image = Image.open(io.BytesIO(content))
        area = looked_at(image, crop)
    turn = TURNS.get(image.getexif().get(ORIENTATION, 1))
    stretched = as_rgb(stretch(averageable(image), size, area))
    return np.asarray(stretched if turn is None else stretched.transpose(turn), dtype=np.uint8)


def looked_at(image: Image.Image, crop: str) -> Box:
    """The part of an image that the model sees, in its own pixels; it may reach beyond the image."""
    width, height = image.size
    if crop == "none":
        return (0.0, 0.0, width, height)
    import content  # laid beside this file where it is needed

    factor = -(-max(width, height) // SEARCHED_SIDE)
    reduced = as_rgb(averageable(image).reduce(factor))
    found = content.content_bounds(np.asarray(reduced.convert("L"), dtype=np.uint8))
    if found is None:
        return (0.0, 0.0, width, height)
    left, top, right, bottom = found.scaled(factor)
    inside = content.Box(left, top, min(right, width), min(bottom, height))
    return tuple(content.square_around(inside, width=width, height=height))


def stretch(image: Image.Image, size: int, box: Box) -> Image.Image:
    """A box of an image as (size, size); where it reaches beyond the image there is the median of the border."""
    width, height = image.size
    inner = (max(box[0], 0.0), max(box[1], 0.0), min(box[2], width), min(box[3], height))
    if inner == box:
        return image.resize((size, size), Image.Resampling.BILINEAR, box=inner)
    across, down = size / (box[2] - box[0]), size / (box[3] - box[1])
    left, right = ends((inner[0] - box[0]) * across, (inner[2] - box[0]) * across, size)
    top, bottom = ends((inner[1] - box[1]) * down, (inner[3] - box[1]) * down, size)
    paper = Image.new(image.mode, (size, size), border(image))
    paper.paste(image.resize((right - left, bottom - top), Image.Resampling.BILINEAR, box=inner), (left, top))
    return paper


def ends(start: float, end: float, size: int) -> tuple[int, int]:
    """Whole pixels next to these, at least one of them."""
    first = min(round(start), size - 1)
    return first, max(round(end), first + 1)


def border(image: Image.Image) -> tuple[int, ...]:
    """The median of an image's border, of each of its channels."""
    width, height = image.size
    sides = [(0, 0, width, 1), (0, height - 1, width, height), (0, 0, 1, height), (width - 1, 0, width, height)]
    bands = len(image.getbands())
    values = np.concatenate([np.asarray(image.crop(side), dtype=np.uint8).reshape(-1, bands) for side in sides])
    return tuple(np.median(values, axis=0).astype(np.uint8).tolist())


def averageable(image: Image.Image) -> Image.Image:
    """The same image in a mode whose values may be averaged."""
    if image.mode == "P":
        return image.convert("RGBA" if "transparency" in image.info else "RGB")
    if image.mode == "LA" or (image.mode in ("RGB", "L") and "transparency" in image.info):
        return image.convert("RGBA")
    if image.mode == "1":
        return image.convert("L")
    if image.mode.startswith("I"):  # 16 bits a value
        return as_bytes(image, 1 / 257)
    if image.mode == "F":
        return as_bytes(image, 255.0 if float(np.asarray(image).max()) <= 1.0 else 1.0)
    return image


def as_bytes(image: Image.Image, scale: float) -> Image.Image:
    """Numbers as grey of 8 bits."""
    values = np.asarray(image, dtype=np.float32) * np.float32(scale)
    return Image.fromarray(np.clip(np.rint(np.nan_to_num(values)), 0, 255).astype(np.uint8))


def as_rgb(image: Image.Image) -> Image.Image:
    """Three channels, transparency over white."""
    if image.mode == "RGBA":
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")
