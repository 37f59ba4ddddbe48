"""Raw examples that are hard to read alike: images of every mode and turn, cells of every notation and form."""

import io

import numpy as np
from PIL import Image

from autotl.data.cells import cells_of
from autotl.data.date_text import DATE_FORMS
from autotl.data.number_text import NOTATIONS
from autotl.data.schema import CategoricalColumn, DateColumn, NumericColumn, Schema


def encoded(image, kind, **settings):
    content = io.BytesIO()
    image.save(content, kind, **settings)
    return content.getvalue()


def odd_images():
    """Name -> bytes: every mode and turn that people's files have."""
    draws = np.random.default_rng(0)
    coloured = Image.fromarray(draws.integers(0, 256, (5, 7, 4)).astype(np.uint8)).resize((171, 123), Image.BICUBIC)
    plain = coloured.convert("RGB")
    images = {
        "rgb": encoded(plain, "PNG"),
        "jpeg": encoded(plain, "JPEG"),
        "large jpeg": encoded(plain.resize((900, 700)), "JPEG", quality=90),
        "progressive": encoded(plain.resize((400, 300)), "JPEG", progressive=True, subsampling=0),
        "grey jpeg": encoded(plain.convert("L"), "JPEG"),
        "transparent": encoded(coloured, "PNG"),
        "square and transparent": encoded(coloured.resize((48, 48)), "PNG"),
        "grey and alpha": encoded(coloured.convert("LA"), "PNG"),
        "palette": encoded(plain.convert("P"), "PNG"),
        "transparent palette": encoded(plain.convert("P"), "PNG", transparency=3),
        "one bit": encoded(plain.convert("1"), "PNG"),
        "sixteen bits": encoded(Image.fromarray(draws.integers(0, 65536, (60, 80)).astype(np.uint16)), "PNG"),
        "bitmap": encoded(plain, "BMP"),
        "gif": encoded(plain.convert("P"), "GIF"),
        "webp": encoded(plain, "WEBP", lossless=True),
        "narrow": encoded(plain.resize((500, 9)), "PNG"),
        "a dot": encoded(plain.resize((1, 1)), "PNG"),
    }
    for turn in range(1, 9):
        exif = Image.Exif()
        exif[0x0112], exif[0x010F] = turn, "a camera"
        images[f"turned {turn}"] = encoded(plain, "JPEG", exif=exif)
    return images


NUMBERS = [
    "1",
    "-2.5",
    "+3",
    ".5",
    "7.",
    "1e3",
    "-1E-2",
    "1,5",
    "1,234.5",
    "1.234,5",
    "1 234,5",
    "1'234.5",
    "1\u202f234.5",
]
NUMBERS += [
    "",
    " 4 ",
    "\u22125",
    "NA",
    "inf",
    "nan",
    "1e39",
    "x",
    "1.2.3",
    "true",
    "FALSE",
    "0",
    "12,34",
    "\u00a06\u00a0",
]
DATES = ["2024-01-31", "2024/1/5", "2024-02-30", "2024-1/5", "31.01.2024", "1.2.1999 7:05", "31/01/2024", "1-2-2020"]
DATES += ["2024-01-31T23:30:15.25+02:00", "2024-01-01 00:30 -0130", "2024-06-05 12:15 am", "2024-06-05 1:15PM"]
DATES += [
    "2024-06-05 13:15 pm",
    "2024-06-05 24:00",
    "",
    "soon",
    "2024-01-31Z",
    "0000-01-01",
    "2000-02-29",
    "1900-02-29",
]
DATES += ["02/29/2024 5:00 pm", "29.2.2024", "2024-12-31 23:59:59+00:00", " 2024-03-01 ", "2024-01-31 7:5", "١٢.١.٢٠٢٤"]
PARTS = ("year", "month", "weekday", "hour", "days")


def every_column():
    """A column of each notation, of each form of a date, and a category."""
    numeric = [NumericColumn(name=f"in {each}", notation=each, median=1.0) for each in NOTATIONS]
    dates = [
        DateColumn(name=f"as {each}", form=each, origin="1999-05-04T03:02:01", parts=PARTS, medians=(0.0,) * 5)
        for each in DATE_FORMS
    ]
    known = CategoricalColumn(name="kind", categories=("", "0", "NA", "x", "ü"))
    return Schema(columns=(*numeric, *dates, known))


def cells_of_every_column():
    """A table in which every odd cell stands in every column that might read it."""
    count = max(len(NUMBERS), len(DATES))
    kinds = ["x", "ü", "NA", "", "unseen", "X", " x"]
    columns = {}
    for column in every_column().columns:
        odd = {"numeric": NUMBERS, "date": DATES, "categorical": kinds}[column.kind]
        columns[column.name] = [odd[row % len(odd)] for row in range(count)]
    return columns


def expected_numbers():
    """What the schema makes of these cells."""
    columns = cells_of_every_column()
    count = len(next(iter(columns.values())))
    return every_column().encode_cells({name: cells_of(texts) for name, texts in columns.items()}, count)[0]
