"""Pretend inputs and a pretend network whose activations tell their rows."""

import time

import numpy as np

from autotl.data.examples import PLAIN


class Numbers:
    """Inputs whose pixels tell their row."""

    def __init__(self, rows: int) -> None:
        self.ids = tuple(f"row {row}" for row in range(rows))
        self.digests = tuple(f"{(row * 2654435761) % 2**32:032x}" for row in range(rows))

    def __len__(self) -> int:
        return len(self.ids)

    def read(self, rows, *, size, view=PLAIN):
        pixels = ((rows + view.number) % 251)[:, None, None, None]
        return np.broadcast_to(pixels, (len(rows), size, size, 3)).astype(np.uint8)


class Doubling:
    """A prefix of two crossing tensors that counts the images it saw."""

    starts: tuple[str, ...] = ()
    on_the_way: tuple[str, ...] = ()
    batch_rows = 64

    def __init__(self, digest: str = "doubling", *, seconds_per_batch: float = 0.0) -> None:
        self.digest = digest
        self.gives = (digest,)
        self.images = 0
        self._seconds = seconds_per_batch

    def read(self, inputs, rows, view):
        return [inputs.read(rows, size=2, view=view)]

    def from_start(self, start):
        return self

    def order(self, tensors):
        return np.arange(len(tensors[0]))[::-1]  # any order gives the same blocks

    def __call__(self, tensors):
        time.sleep(self._seconds)
        [pixels] = tensors
        self.images += len(pixels)
        return [[2.0 * pixels.mean(axis=(1, 2)).astype(np.float32), pixels[:, 0, 0, 0].astype(np.int32)]]


class Early(Doubling):
    """The first half of `Late`."""

    def __init__(self) -> None:
        super().__init__("early")


class Late(Doubling):
    """A prefix that gives an earlier cut as well, or goes on from it; it counts what it computes from images."""

    starts = ("early",)
    on_the_way = ("early",)

    def __init__(self) -> None:
        super().__init__("late")
        self.gives = ("early", "late")

    def is_worth(self, start):
        return True

    def from_start(self, start):
        return self if start is None else Continuing()

    def __call__(self, tensors):
        [early] = super().__call__(tensors)
        return [early, early]


class Continuing(Doubling):
    """From the earlier cut to the later one."""

    def __init__(self) -> None:
        super().__init__("late")

    def __call__(self, tensors):
        return [tensors]
