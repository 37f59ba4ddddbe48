"""In which form a network is to take its examples: what a plan chose, and what the data are like."""

from dataclasses import dataclass

from autotl.data.schema import Schema


@dataclass(frozen=True)
class Form:
    """What a backbone is fixed to before it can be divided. Which values count depends on the modality.

    Attributes:
        modality: `image`, `text`, `table` or `signal`.
        image_size: pixels a side, of images and of the spectrograms that image backbones see of signals.
        sequence_length: tokens of a text, the rest is cut off.
        pooling: how a sequence becomes one vector: `mean` over its tokens, or `cls`, its first.
        schema: the columns of a table as they were fitted on training rows.
        window: samples and channels of a signal's windows.
        crop: what of an image is looked at: `none` of it is left out, or its `content` alone.
    """

    modality: str
    image_size: int | None = None
    sequence_length: int | None = None
    pooling: str = "mean"
    schema: Schema | None = None
    window: tuple[int, int] | None = None
    crop: str = "none"

    @property
    def side(self) -> int:
        """The image size of a form that has one.

        Raises:
            ValueError: it has none; completes the sentence 'the backbone cannot take such examples: …'.
        """
        if self.image_size is None:
            raise ValueError("it reads images.")
        return self.image_size

    @property
    def words(self) -> str:
        """`images of 128 px`, for messages."""
        if self.modality == "image":
            return f"images of {self.image_size} px"
        if self.modality == "text":
            return f"texts of {self.sequence_length} tokens"
        if self.modality == "table":
            return "rows of this table"
        samples, channels = self.window or (0, 0)
        return f"windows of {samples} samples and {channels} channel{'' if channels == 1 else 's'}"


def of_images(size: int, *, crop: str = "none") -> Form:
    """Square images of so many pixels a side."""
    return Form("image", image_size=size, crop=crop)


def shape_taken(form: Form) -> tuple[int, ...]:
    """Of one example as a user's own network is given it: an image, a window, or a table's wide columns."""
    if form.schema is not None:
        return (len(form.schema.wide_names()),)
    return form.window if form.window is not None and form.image_size is None else (form.side, form.side, 3)
