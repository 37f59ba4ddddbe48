"""What is beside the point in images: size, format and quality of the files, and how bright and plain they are."""

from collections.abc import Sequence

import numpy as np

from autotl.data.auditing.properties import Floats, Properties, Property
from autotl.data.looks import NUMBERS, Looks, jpeg_quality


def image_properties(looks: Looks, digests: Sequence[str]) -> Properties:
    """Of images that were looked at.

    Args:
        digests: of their content; `looks` holds all of them.
    """
    rows = looks.rows(digests)
    seen = dict(zip(NUMBERS, looks.numbers[rows].astype(np.float64).T, strict=True))
    said = [[looks.vocabulary[code] for code in column] for column in looks.words[rows].T.tolist()]
    pixels = seen["width"] * seen["height"]
    return Properties(
        (
            Property("the width", seen["width"], "origin"),
            Property("the height", seen["height"], "origin"),
            Property("the aspect (width to height)", _rounded(seen["width"] / seen["height"]), "origin"),
            Property("the number of pixels", pixels, "origin"),
            Property("the file format", [word or "none" for word in said[0]], "origin"),
            Property("the colour mode", said[1], "origin"),
            Property("the camera in EXIF", [word or "none" for word in said[2]], "origin"),
            Property("the JPEG quality", np.rint(jpeg_quality(seen["quantisation"])), "origin"),
            Property("the mean brightness", seen["brightness"], "appearance"),
            Property("the contrast", seen["contrast"], "appearance"),
            Property("the colourfulness", seen["colour"], "appearance"),
            Property("the brightness of the border", seen["border"], "appearance"),
            Property("the unrest of the border", seen["unrest_of_border"], "appearance"),
            Property("the share inside the border", seen["filled"], "appearance"),
            Property("the bytes per pixel", seen["bytes"] / pixels, "appearance"),
        ),
        examples="images",
        origin="file properties (size, format, quality, camera)",
        appearance="brightness, colour, plainness and border of the images",
        remedy="Bring all to one size, format and quality, or take images {of_all} from every place.",
    )


def _rounded(values: Floats) -> Floats:
    return np.round(values, 3)
