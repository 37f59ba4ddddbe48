"""What an image looks like at one glance: how its file was made, how bright and plain it is, and a grey thumbnail.

Taken while every file is inspected anyway, so that the audit needs no second look.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from autotl.data.content import content_bounds

if TYPE_CHECKING:
    from PIL import Image as Pillow

GLANCE_SIDE = 32  # pixels that a glance is taken at
THUMBNAIL_SIDE = 16
MOST_LOOKED_AT = 100_000  # images of a listing; of more an even part is looked at
NUMBERS = (  # of a look, in this order
    "width",
    "height",
    "bytes",
    "quantisation",
    "brightness",
    "contrast",
    "colour",
    "border",
    "unrest_of_border",
    "filled",
)
_FLAT_QUANTISATION = 57.625  # mean of the JPEG standard's luminance table, which is quality 50
_MAKE, _MODEL = 0x010F, 0x0110  # EXIF


@dataclass(frozen=True)
class Look:
    """One glance at one image.

    Attributes:
        numbers: by `NUMBERS`; NaN where an image has none.
        format, mode, camera: what the file says of itself; empty where it says nothing.
        thumbnail: (256,) grey levels of 16 x 16 places, uint8.
    """

    numbers: NDArray[np.float32]
    format: str
    mode: str
    camera: str
    thumbnail: NDArray[np.uint8]


@dataclass(frozen=True)
class Looks:
    """Looks at many images, found by the digest of their content.

    Attributes:
        numbers: (n, len(NUMBERS)).
        words: (n, 3) codes of format, mode and camera in `vocabulary`.
        thumbnails: (n, 256).
    """

    row_of: Mapping[str, int]
    numbers: NDArray[np.float32]
    words: NDArray[np.int32]
    vocabulary: Sequence[str]
    thumbnails: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.row_of)

    def rows(self, digests: Sequence[str]) -> NDArray[np.int64]:
        """(n,) rows of these images, -1 where one was not looked at."""
        return np.array([self.row_of.get(digest, -1) for digest in digests], dtype=np.int64)


def gathered(looks: Mapping[str, Look]) -> Looks:
    """Looks by digest in one place."""
    vocabulary: dict[str, int] = {}
    words = [
        [vocabulary.setdefault(word, len(vocabulary)) for word in (look.format, look.mode, look.camera)]
        for look in looks.values()
    ]
    return Looks(
        {digest: row for row, digest in enumerate(looks)},
        np.array([look.numbers for look in looks.values()], dtype=np.float32).reshape(len(looks), len(NUMBERS)),
        np.array(words, dtype=np.int32).reshape(len(looks), 3),
        tuple(vocabulary),
        np.array([look.thumbnail for look in looks.values()], dtype=np.uint8).reshape(len(looks), THUMBNAIL_SIDE**2),
    )


def is_looked_at(digest: str, *, of: int) -> bool:
    """Whether an image is among those that are looked at; told by its content, so that no order matters."""
    every = -(-of // MOST_LOOKED_AT)
    return every <= 1 or int(digest[:8], 16) % every == 0


def look_at(glance: "Pillow.Image", *, upright: tuple[int, int], size_in_bytes: int, header: "Pillow.Image") -> Look:
    """What a glance tells.

    Args:
        glance: the whole image as RGB of 32 x 32, turned as its EXIF says.
        upright: width and height in pixels.
        size_in_bytes: of the file; 0 where there is none.
        header: the image that was opened, for what its file says of itself.
    """
    grey = np.asarray(glance.convert("L"), dtype=np.uint8)
    red, green, blue = (np.asarray(band, dtype=np.int16) for band in glance.split())
    border = np.concatenate([grey[0], grey[-1], grey[1:-1, 0], grey[1:-1, -1]])
    content = content_bounds(grey)
    filled = 0.0 if content is None else (content.right - content.left) * (content.bottom - content.top)
    numbers = (
        *upright,
        size_in_bytes or np.nan,
        _quantisation(header),
        grey.mean(),
        grey.std(),
        (np.maximum(np.maximum(red, green), blue) - np.minimum(np.minimum(red, green), blue)).mean(),
        np.median(border),
        border.std(),
        filled / GLANCE_SIDE**2,
    )
    blocks = grey.reshape(THUMBNAIL_SIDE, GLANCE_SIDE // THUMBNAIL_SIDE, THUMBNAIL_SIDE, -1).mean(axis=(1, 3))
    thumbnail = np.rint(blocks).astype(np.uint8).ravel()
    return Look(np.array(numbers, dtype=np.float32), header.format or "", header.mode, _camera(header), thumbnail)


def jpeg_quality(quantisation: NDArray[np.float64]) -> NDArray[np.float64]:
    """The quality, 1 to 100, that the JPEG library calls tables of these means."""
    scale = quantisation / _FLAT_QUANTISATION * 100
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.clip(np.where(scale <= 100, (200 - scale) / 2, 5_000 / scale), 1, 100)


def _quantisation(header: Any) -> float:
    """Mean of the first quantisation table, of JPEGs only."""
    tables = getattr(header, "quantization", None)
    return float(np.mean(tables[min(tables)])) if isinstance(tables, Mapping) and tables else float("nan")


def _camera(header: "Pillow.Image") -> str:
    said = header.getexif()
    return " ".join(str(said.get(tag, "")).strip("\0 ") for tag in (_MAKE, _MODEL)).strip()[:80]
