"""How raw examples become the one array that a network takes. Searching, predicting and measuring read through here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from autotl.backbones.form import Form
from autotl.backbones.subword_tokenizer import SubwordTokenizer
from autotl.backbones.tokenizer import WordPiece
from autotl.data.content import CROPS
from autotl.data.examples import PLAIN, Inputs, Rows, View
from autotl.data.images import Images
from autotl.data.records import Records
from autotl.data.schema import Schema
from autotl.data.texts import Texts
from autotl.data.windows import Windows
from autotl.errors import StorageError


class Reading(Protocol):
    """Reads examples for a network."""

    @property
    def shape(self) -> tuple[int | None, ...]:
        """Of one example as the network takes it; None for an axis that may be shorter in some batches."""
        ...

    @property
    def dtype(self) -> str: ...

    @property
    def digest(self) -> str:
        """Names what it does beyond shape and dtype; empty where that is all."""
        ...

    def __call__(self, inputs: Inputs, rows: Rows, *, view: View = PLAIN) -> NDArray[Any]:
        """The examples of these rows, (len(rows), ...). An example and a view always give the same values."""
        ...

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values from which `reading_from` makes it again: a bundle carries them."""
        ...


@dataclass(frozen=True)
class PixelReading:
    """Images as uint8 RGB squares: all of each, or cropped to its content (`autotl.data.content`)."""

    size: int
    crop: str = "none"
    dtype: str = "uint8"

    @property
    def shape(self) -> tuple[int | None, ...]:
        return (self.size, self.size, 3)

    @property
    def digest(self) -> str:
        return "" if self.crop == "none" else f"crop {self.crop}"

    def __call__(self, inputs: Inputs, rows: Rows, *, view: View = PLAIN) -> NDArray[Any]:
        return cast(Images, inputs).read(rows, size=self.size, view=view, crop=self.crop)

    def as_dict(self) -> dict[str, Any]:
        return {
            "reads": "pixels",
            "image_size": self.size,
            "crop": self.crop,
            "resize": "stretch, antialiased bilinear",
            "channels": "RGB, uint8",
            "orientation": "as EXIF says",
        }


class Tokenizer(Protocol):
    """Texts to token ids."""

    @property
    def padding_id(self) -> int: ...

    @property
    def digest(self) -> str: ...

    def encode(self, texts: Sequence[str], length: int) -> NDArray[np.int32]:
        """(n, length), padded."""
        ...


@dataclass(frozen=True)
class _IdReading:
    """Texts as token ids, int32, padded to `length` with the tokenizer's padding id."""

    tokenizer: Tokenizer
    length: int
    dtype: str = "int32"

    @property
    def shape(self) -> tuple[int | None, ...]:
        return (None,)

    @property
    def padding_id(self) -> int:
        return self.tokenizer.padding_id

    @property
    def digest(self) -> str:
        return f"{self.tokenizer.digest}/{self.length}"

    def __call__(self, inputs: Inputs, rows: Rows, *, view: View = PLAIN) -> NDArray[Any]:  # noqa: ARG002
        return self.tokenizer.encode(cast(Texts, inputs).read(rows), self.length)

    def as_dict(self) -> dict[str, Any]:
        return {"reads": "tokens", "sequence_length": self.length, "tokenizer": self.tokenizer.digest}


@dataclass(frozen=True)
class TokenReading(_IdReading):
    """Token ids by a tokenizer of our own, which a Keras model can hold."""

    tokenizer: WordPiece


@dataclass(frozen=True)
class SubwordReading(_IdReading):
    """Token ids by a Hugging Face checkpoint's own tokenizer."""

    tokenizer: SubwordTokenizer


@dataclass(frozen=True)
class StringReading:
    """Texts as they are: a model that ships has its tokenizer inside."""

    dtype: str = "string"
    digest: str = ""

    @property
    def shape(self) -> tuple[int | None, ...]:
        return ()

    def __call__(self, inputs: Inputs, rows: Rows, *, view: View = PLAIN) -> NDArray[Any]:  # noqa: ARG002
        return np.array(cast(Texts, inputs).read(rows), dtype=object)

    def as_dict(self) -> dict[str, Any]:
        return {"reads": "strings"}


@dataclass(frozen=True)
class ColumnReading:
    """Rows of a table as float32: numbers with NaN where missing, category codes from 1, 0 for unknown."""

    schema: Schema
    dtype: str = "float32"

    @property
    def shape(self) -> tuple[int | None, ...]:
        return (len(self.schema.names),)

    @property
    def digest(self) -> str:
        return self.schema.digest

    def __call__(self, inputs: Inputs, rows: Rows, *, view: View = PLAIN) -> NDArray[Any]:  # noqa: ARG002
        return cast(Records, inputs).read(rows)

    def as_dict(self) -> dict[str, Any]:
        return {"reads": "columns", "schema": self.schema.as_dict()}


@dataclass(frozen=True)
class SampleReading:
    """Windows of a signal as float32 (samples, channels)."""

    window: tuple[int, int]
    dtype: str = "float32"
    digest: str = ""

    @property
    def shape(self) -> tuple[int | None, ...]:
        return self.window

    def __call__(self, inputs: Inputs, rows: Rows, *, view: View = PLAIN) -> NDArray[Any]:  # noqa: ARG002
        return np.asarray(cast(Windows, inputs).read(rows), dtype=np.float32)

    def as_dict(self) -> dict[str, Any]:
        return {"reads": "samples", "window": list(self.window)}


def padding_id_of(reading: Reading) -> int:
    """What stands behind the tokens of a sequence; 0 where a reading gives none."""
    return reading.padding_id if isinstance(reading, _IdReading) else 0


def own_reading(form: Form) -> Reading:
    """How a form is read where the model has no way of its own (a tokenizer)."""
    if form.schema is not None:
        return ColumnReading(form.schema)
    if form.window is not None:
        return SampleReading(form.window)
    return PixelReading(form.side, form.crop) if form.modality == "image" else StringReading()


def reading_from(described: Mapping[str, Any]) -> Reading:
    """The reading that `as_dict` described.

    Raises:
        StorageError: it describes none.
    """
    try:
        match described["reads"]:
            case "pixels":
                crop = described.get("crop", "none")  # bundles of the first version know no other
                if crop not in CROPS:
                    raise StorageError(f"its preprocessing crops by {crop!r}, which this version does not know.")
                return PixelReading(int(described["image_size"]), crop)
            case "strings":
                return StringReading()
            case "columns":
                return ColumnReading(Schema.from_dict(described["schema"]))
            case "samples":
                samples, channels = described["window"]
                return SampleReading((int(samples), int(channels)))
            case other:
                raise StorageError(f"its preprocessing reads {other!r}, which this version does not know.")
    except (KeyError, TypeError, ValueError) as error:
        raise StorageError(f"its preprocessing makes no sense: {error!r}") from error
