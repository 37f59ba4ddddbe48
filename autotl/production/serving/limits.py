"""What one request may cost, and how many may be in the house at once."""

from dataclasses import dataclass, fields

from autotl.data.images import MAX_PIXELS
from autotl.errors import UsageError


@dataclass(frozen=True)
class Limits:
    """Each is answered with a 4xx and a sentence where a request passes it.

    Attributes:
        body_bytes: of a request, read or declared (413).
        pixels: of one image, told by its header before a pixel is decoded (413).
        instances: examples in one request (413).
        seconds: from a request's arrival to its answer, its upload and its wait included (408).
        at_once: requests that are computed at the same time; the model itself uses every core.
        waiting: requests that may wait beside them; the next one is sent away (429 with Retry-After).
    """

    body_bytes: int = 16_000_000
    pixels: int = 50_000_000
    instances: int = 256
    seconds: float = 30.0
    at_once: int = 2
    waiting: int = 16

    def __post_init__(self) -> None:
        for field in fields(self):
            least = 0 if field.name == "waiting" else 1
            if not getattr(self, field.name) >= least:  # not a number, too
                raise UsageError(
                    f"a limit of {getattr(self, field.name)} {field.name} lets nobody in. At least {least}."
                )
        if self.pixels > MAX_PIXELS:
            raise UsageError(
                f"images of more than {MAX_PIXELS:,} pixels are never decoded, so {self.pixels:,} is no limit."
            )
