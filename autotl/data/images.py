"""Images from files and arrays as uint8 RGB squares. Searching, exporting and predicting decode through here.

Content is not trusted: the header is checked before a pixel is decoded, and only formats on the list are opened.
"""

import io
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import xxhash
from numpy.typing import NDArray

from autotl.data.augmentation import Change, draw_change
from autotl.data.content import Box, content_bounds, square_around
from autotl.data.examples import PLAIN, Rows, View
from autotl.data.looks import GLANCE_SIDE, Look, look_at
from autotl.errors import DataError, in_one_line

if TYPE_CHECKING:
    from PIL import Image as Pillow

Pixels = NDArray[np.uint8]
Item = TypeVar("Item")
Result = TypeVar("Result")

SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff"})
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")
MAX_PIXELS = 80_000_000  # 320 MB with four channels
MAX_BYTES = 200_000_000
_ORIENTATION = 0x0112  # EXIF
_SIDEWAYS = (5, 6, 7, 8)  # its values for images that lie on their side
DRAFT_MARGIN = 3  # a JPEG is decoded at a reduced scale that keeps this many times the wanted side
_FEWEST_PIXELS = 2  # of a crop, in wanted sides; a reduced JPEG that has fewer is decoded at its full scale
_SEARCHED_SIDE = 256  # content is looked for in images reduced to about this many pixels a side


class BrokenImageError(Exception):
    """These bytes are no image that we decode; the message completes the sentence 'the file …'."""


@dataclass(frozen=True)
class Inspection:
    """What one look into a file tells: its digest, and its size in pixels and its look, or why it cannot be used."""

    digest: str
    width: int = 0
    height: int = 0
    broken: str | None = None
    look: Look | None = None


def digest_of(content: bytes) -> str:
    """xxh3-128 of the bytes, hexadecimal."""
    return xxhash.xxh3_128_hexdigest(content)


def decode_image(source: bytes | str | Path, size: int, *, view: View = PLAIN, crop: str = "none") -> Pixels:
    """An encoded image, or the file that holds it, as uint8 RGB of shape (size, size, 3).

    Turned as its EXIF says, transparency over white, 16 bits to 8, first frame of an animation, stretched to the
    square with antialiased bilinear resampling.

    Args:
        crop: `none`, or `content`: the square around what stands out from the border (`autotl.data.content`) takes the
            place of the image, and a random view is drawn inside it.
    Raises:
        BrokenImageError: no image, a format not on the list, too many pixels or damaged content.
    """
    content = source if isinstance(source, bytes) else _read(source)
    change = draw_change(view, digest_of(content)) if view.number else Change()
    image = _open(content)
    whole_width = image.size[0]
    try:
        image.draft(None, (size * DRAFT_MARGIN, size * DRAFT_MARGIN))
        area = _area(image, crop)
        if image.size[0] < whole_width and area.right - area.left < size * _FEWEST_PIXELS:
            image = _open(content)
            area = _area(image, crop)
        return _square(image, size, change, area)
    except Exception as error:  # decoders meet hostile bytes and raise nearly anything
        raise BrokenImageError(f"cannot be decoded: {_reason(error)}") from error


def pixels_declared(content: bytes) -> int:
    """Width times height of an encoded image, by its header alone: what decoding it would take.

    Raises:
        BrokenImageError: no image, a format not on the list, or more than `MAX_PIXELS`.
    """
    width, height = _open(content).size
    return width * height


def inspect_file(path: str) -> Inspection:
    """Reads and decodes the whole file once, at the cheapest scale, so that later reading meets no surprise."""
    try:
        content = _read(path)
    except BrokenImageError as error:
        return Inspection(digest="", broken=str(error))
    digest = digest_of(content)
    try:
        image = _open(content)
        width, height = image.size
        image.draft(None, (GLANCE_SIDE, GLANCE_SIDE))
        image.load()
        if image.getexif().get(_ORIENTATION, 1) in _SIDEWAYS:
            width, height = height, width
        glance = _glance(image)
        look = look_at(glance, upright=(width, height), size_in_bytes=len(content), header=image)
    except BrokenImageError as error:
        return Inspection(digest, broken=str(error))
    except Exception as error:
        return Inspection(digest, broken=f"cannot be decoded: {_reason(error)}")
    return Inspection(digest, width, height, look=look)


def inspect_files(paths: Sequence[str]) -> list[Inspection]:
    """`inspect_file` for each, in this order, on all cores."""
    return _on_all_cores(inspect_file, paths)


@dataclass(frozen=True, eq=False)
class ImageFiles:
    """Image files of one folder, named relative to it. Pickles as names, never as pixels."""

    root: str
    names: tuple[str, ...]
    ids: tuple[str, ...]
    digests: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.names)

    def read(self, rows: Rows, *, size: int, view: View = PLAIN, crop: str = "none") -> Pixels:
        """Decoded images, uint8 (len(rows), size, size, 3), cropped as `decode_image` does.

        Raises:
            DataError: a file that was fine when the data was loaded is gone or broken now.
        """

        def decode(row: int) -> Pixels:
            path = os.path.join(self.root, self.names[row])  # noqa: PTH118 - a Path a row would cost more than it tells
            try:
                return decode_image(path, size, view=view, crop=crop)
            except BrokenImageError as error:
                raise DataError(f"{path}: the file {error}. It was fine when the data was loaded.") from error

        return _stacked(_on_all_cores(decode, rows.tolist()), size)

    def take(self, rows: Rows) -> "ImageFiles":
        """These rows only, in this order."""
        return replace(
            self, names=_chosen(self.names, rows), ids=_chosen(self.ids, rows), digests=_chosen(self.digests, rows)
        )

    def renamed(self, ids: Sequence[str]) -> "ImageFiles":
        """The same images under other ids."""
        return replace(self, ids=tuple(ids))


@dataclass(frozen=True, eq=False)
class ImageArray:
    """Images held in memory as uint8, (n, height, width) grey or (n, height, width, 3) RGB."""

    pixels: Pixels
    ids: tuple[str, ...]
    digests: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.pixels)

    def read(self, rows: Rows, *, size: int, view: View = PLAIN, crop: str = "none") -> Pixels:
        """Resized images, uint8 (len(rows), size, size, 3), cropped as `decode_image` does."""
        from PIL import Image

        def resize(row: int) -> Pixels:
            change = draw_change(view, self.digests[row])
            image = Image.fromarray(self.pixels[row])
            return _square(image, size, change, _area(image, crop))

        return _stacked([resize(row) for row in rows.tolist()], size)

    def take(self, rows: Rows) -> "ImageArray":
        """These rows only, in this order."""
        return ImageArray(self.pixels[rows], _chosen(self.ids, rows), _chosen(self.digests, rows))

    def renamed(self, ids: Sequence[str]) -> "ImageArray":
        """The same images under other ids."""
        return replace(self, ids=tuple(ids))


@dataclass(frozen=True, eq=False)
class JoinedImages:
    """Images of several origins as one domain, in any order."""

    parts: "tuple[ImageFiles | ImageArray, ...]"
    part_of: NDArray[np.int64]
    row_in_part: NDArray[np.int64]
    ids: tuple[str, ...]

    @property
    def digests(self) -> tuple[str, ...]:
        """Of each example's content, in the joined order."""
        pairs = zip(self.part_of.tolist(), self.row_in_part.tolist(), strict=True)
        return tuple(self.parts[part].digests[row] for part, row in pairs)

    def __len__(self) -> int:
        return len(self.part_of)

    def read(self, rows: Rows, *, size: int, view: View = PLAIN, crop: str = "none") -> Pixels:
        """Images, uint8 (len(rows), size, size, 3), each read by its own part."""
        result = np.empty((len(rows), size, size, 3), dtype=np.uint8)
        for index, part in enumerate(self.parts):
            here = np.flatnonzero(self.part_of[rows] == index)
            if len(here):
                result[here] = part.read(self.row_in_part[rows[here]], size=size, view=view, crop=crop)
        return result

    def take(self, rows: Rows) -> "JoinedImages":
        """These rows only, in this order; the parts let go of the others."""
        part_of, row_in_part = self.part_of[rows], np.empty(len(rows), dtype=np.int64)
        parts: list[ImageFiles | ImageArray] = []
        for index, part in enumerate(self.parts):
            here = part_of == index
            kept, row_in_part[here] = np.unique(self.row_in_part[rows[here]], return_inverse=True)
            parts.append(part.take(kept))
        return JoinedImages(tuple(parts), part_of, row_in_part, _chosen(self.ids, rows))

    def renamed(self, ids: Sequence[str]) -> "JoinedImages":
        """The same images under other ids."""
        return replace(self, ids=tuple(ids))


Images = ImageFiles | ImageArray | JoinedImages


def join_images(several: Sequence[Images]) -> Images:
    """One after the other as one domain."""
    if len(several) == 1:
        return several[0]
    parts: list[ImageFiles | ImageArray] = []
    part_of: list[NDArray[np.int64]] = []
    row_in_part: list[NDArray[np.int64]] = []
    for images in several:
        joined = images if isinstance(images, JoinedImages) else _as_joined(images)
        part_of.append(joined.part_of + len(parts))
        row_in_part.append(joined.row_in_part)
        parts += joined.parts
    ids = tuple(name for images in several for name in images.ids)
    return JoinedImages(tuple(parts), np.concatenate(part_of), np.concatenate(row_in_part), ids)


def _as_joined(images: ImageFiles | ImageArray) -> JoinedImages:
    rows = np.arange(len(images), dtype=np.int64)
    return JoinedImages((images,), np.zeros_like(rows), rows, images.ids)


def array_looks(pixels: Pixels) -> list[Look]:
    """A look at each row of (n, height, width[, 3])."""
    from PIL import Image

    upright = (pixels.shape[2], pixels.shape[1])
    rows = [Image.fromarray(row) for row in pixels]
    return [look_at(_glance(image), upright=upright, size_in_bytes=0, header=image) for image in rows]


def array_digests(pixels: Pixels) -> tuple[str, ...]:
    """A digest per row of (n, height, width[, 3]); the shape is part of the content."""
    header = repr(pixels.shape[1:]).encode()
    return tuple(digest_of(header + np.ascontiguousarray(row).tobytes()) for row in pixels)


def pixels_from_array(values: NDArray[np.generic]) -> Pixels:
    """Image values of any common kind as uint8 (n, height, width) or (n, height, width, 3).

    uint8 is kept, uint16 scaled down, floats mean 0…1 where none is above 1, else 0…255.

    Raises:
        BrokenImageError: not images; the message completes the sentence 'the array …'.
    """
    if values.ndim == 4 and values.shape[3] == 1:
        values = values[..., 0]
    if values.ndim not in (3, 4) or (values.ndim == 4 and values.shape[3] != 3) or 0 in values.shape[1:]:
        raise BrokenImageError(f"has shape {values.shape}. Images are (n, height, width) or (n, height, width, 3)")
    if values.shape[1] * values.shape[2] > MAX_PIXELS:
        raise BrokenImageError(f"holds images of {values.shape[1]} x {values.shape[2]}. At most {MAX_PIXELS:,} pixels")
    if values.dtype == np.uint8:
        return np.asarray(values, dtype=np.uint8)
    if values.dtype == np.uint16:
        return np.rint(values.astype(np.float32) / 257).astype(np.uint8)
    if values.dtype == np.bool_:
        return values.astype(np.uint8) * np.uint8(255)
    if values.dtype.kind not in "iuf":
        raise BrokenImageError(f"holds values of type {values.dtype}. Images are uint8 or float")
    numbers: NDArray[np.float32] = values.astype(np.float32)
    low, high = (float(numbers.min()), float(numbers.max())) if numbers.size else (0.0, 0.0)
    if not np.isfinite(low + high) or low < 0 or high > 255:
        raise BrokenImageError(f"holds values from {low:g} to {high:g}. Pixels are 0…255, or floats 0…1")
    scale = 255.0 if values.dtype.kind == "f" and high <= 1.0 else 1.0
    return np.asarray(np.rint(numbers * scale), dtype=np.uint8)


def _read(path: str | Path) -> bytes:
    try:
        with Path(path).open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise BrokenImageError("is not there") from None
    except OSError as error:
        raise BrokenImageError(f"cannot be read: {error.strerror}") from error
    if len(content) > MAX_BYTES:
        raise BrokenImageError(f"is larger than {MAX_BYTES:,} bytes")
    return content


def _open(content: bytes) -> "Pillow.Image":
    """The image by its header alone; not a pixel is decoded yet."""
    from PIL import (  # a format is known once its module is imported; Pillow's own lazy way is not safe in threads
        BmpImagePlugin,  # noqa: F401
        GifImagePlugin,  # noqa: F401
        Image,
        JpegImagePlugin,  # noqa: F401
        MpoImagePlugin,  # noqa: F401 - what some cameras write as JPEG
        PngImagePlugin,  # noqa: F401
        TiffImagePlugin,  # noqa: F401
        UnidentifiedImageError,
        WebPImagePlugin,  # noqa: F401
    )

    Image.MAX_IMAGE_PIXELS = MAX_PIXELS  # Pillow checks it again where a format hides frames of another size
    if not content:
        raise BrokenImageError("is empty (0 bytes)")
    try:
        image: Pillow.Image = Image.open(io.BytesIO(content), formats=FORMATS)
    except UnidentifiedImageError:
        kind = "it holds text" if _looks_like_text(content[:512]) else "its first bytes are unknown"
        raise BrokenImageError(f"is no JPEG, PNG, WebP, BMP, GIF or TIFF: {kind}") from None
    except Image.DecompressionBombError:
        raise BrokenImageError(f"would unpack to more than {MAX_PIXELS:,} pixels") from None
    except Exception as error:
        raise BrokenImageError(f"has a broken header: {_reason(error)}") from error
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise BrokenImageError(f"would unpack to more than {MAX_PIXELS:,} pixels ({width} x {height})")
    return image


def _area(image: "Pillow.Image", crop: str) -> Box:
    """The part of an image that takes its place, in its own pixels; it may reach beyond the image."""
    width, height = image.size
    whole = Box(0, 0, width, height)
    if crop == "none":
        return whole
    factor = -(-max(width, height) // _SEARCHED_SIDE)
    reduced = _as_rgb(_resizable(image).reduce(factor))
    content = content_bounds(np.asarray(reduced.convert("L"), dtype=np.uint8))
    if content is None:
        return whole
    left, top, right, bottom = content.scaled(factor)
    return square_around(Box(left, top, min(right, width), min(bottom, height)), width=width, height=height)


def _square(image: "Pillow.Image", size: int, change: Change, area: Box) -> Pixels:
    """Crop and stretch first and convert after, so that a large image is never held twice."""
    from PIL import Image

    turn = _turn(image)
    image = _stretched(_resizable(image), size, area.inside(change.box))
    if turn is not None:
        image = image.transpose(turn)
    if change.flip:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return change.relight(np.asarray(_as_rgb(image), dtype=np.uint8))


def _glance(image: "Pillow.Image") -> "Pillow.Image":
    """The whole image as a small RGB square, turned as its EXIF says."""
    turn = _turn(image)
    square = _stretched(_resizable(image), GLANCE_SIDE, Box(0, 0, *image.size))
    return _as_rgb(square if turn is None else square.transpose(turn))


def _turn(image: "Pillow.Image") -> "Pillow.Transpose | None":
    """What sets an image upright, by its EXIF."""
    from PIL import Image

    turns = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }
    return turns.get(image.getexif().get(_ORIENTATION, 1))


def _stretched(image: "Pillow.Image", size: int, box: Box) -> "Pillow.Image":
    """A box of an image as (size, size); where it reaches beyond the image there is the median of the border."""
    from PIL import Image

    width, height = image.size
    inner = Box(max(box.left, 0.0), max(box.top, 0.0), min(box.right, width), min(box.bottom, height))
    if inner == box:
        return image.resize((size, size), Image.Resampling.BILINEAR, box=box)
    across, down = size / (box.right - box.left), size / (box.bottom - box.top)
    left, right = _ends((inner.left - box.left) * across, (inner.right - box.left) * across, size)
    top, bottom = _ends((inner.top - box.top) * down, (inner.bottom - box.top) * down, size)
    square = Image.new(image.mode, (size, size), _background(image))
    square.paste(image.resize((right - left, bottom - top), Image.Resampling.BILINEAR, box=inner), (left, top))
    return square


def _ends(start: float, end: float, size: int) -> tuple[int, int]:
    """Whole pixels next to these, at least one of them."""
    first = min(round(start), size - 1)
    return first, max(round(end), first + 1)


def _background(image: "Pillow.Image") -> tuple[int, ...]:
    """The median of an image's border, of each of its channels."""
    width, height = image.size
    sides = [(0, 0, width, 1), (0, height - 1, width, height), (0, 0, 1, height), (width - 1, 0, width, height)]
    bands = len(image.getbands())
    border = np.concatenate([np.asarray(image.crop(side), dtype=np.uint8).reshape(-1, bands) for side in sides])
    return tuple(np.median(border, axis=0).astype(np.uint8).tolist())


def _resizable(image: "Pillow.Image") -> "Pillow.Image":
    """The same image in a mode whose values may be averaged."""
    if image.mode == "P":
        return image.convert("RGBA" if "transparency" in image.info else "RGB")
    if image.mode in ("RGB", "L") and "transparency" in image.info:
        return image.convert("RGBA")  # one colour stands for transparent
    if image.mode == "1":
        return image.convert("L")
    if image.mode == "LA":
        return image.convert("RGBA")
    if image.mode.startswith("I"):  # 16 bits a value, whatever Pillow calls it
        return _as_bytes(image, scale=1 / 257)
    if image.mode == "F":
        brightest = float(np.asarray(image).max())
        return _as_bytes(image, scale=255.0 if brightest <= 1.0 else 1.0)
    return image


def _as_bytes(image: "Pillow.Image", *, scale: float) -> "Pillow.Image":
    from PIL import Image

    values = np.asarray(image, dtype=np.float32) * np.float32(scale)
    return Image.fromarray(np.clip(np.rint(np.nan_to_num(values)), 0, 255).astype(np.uint8))


def _as_rgb(image: "Pillow.Image") -> "Pillow.Image":
    from PIL import Image

    if image.mode == "RGBA":
        paper = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(paper, image)
    return image if image.mode == "RGB" else image.convert("RGB")


def _looks_like_text(beginning: bytes) -> bool:
    return all(byte >= 32 or byte in b"\t\r\n" for byte in beginning)


def _reason(error: Exception) -> str:
    return in_one_line(error).rstrip(".")


def _chosen(values: tuple[str, ...], rows: Rows) -> tuple[str, ...]:
    return tuple(values[row] for row in rows.tolist())


def _stacked(images: Iterable[Pixels], size: int) -> Pixels:
    return np.concatenate([np.empty((0, size, size, 3), dtype=np.uint8), *(image[None] for image in images)])


def _on_all_cores(work: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """Pillow decodes without holding the interpreter, so threads are enough."""
    workers = min(8, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
    if workers == 1 or len(items) < 16:
        return [work(item) for item in items]
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(work, items, chunksize=16))
