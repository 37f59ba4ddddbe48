"""From inputs to stored activations: which block holds what, and who computes it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import xxhash
from numpy.typing import NDArray

from autotl.data.examples import PLAIN, Inputs, Rows, View
from autotl.features.store import FeatureStore, Tensors

FORMAT = 1  # raised when decoding or the drawing of views changes what a block would hold
BLOCK_ROWS = 256
BATCH_ROWS = 64
RESIDENT_BYTES = 64 << 20  # a set smaller than this is read into memory once instead of gathered from the maps


class Prefix(Protocol):
    """The frozen part of a divided network: what is computed once and stored."""

    @property
    def digest(self) -> str:
        """Names weights, graph and preprocessing; equal digests compute equal activations."""
        ...

    def read(self, inputs: Inputs, rows: Rows, view: View) -> NDArray[Any]:
        """These examples as it takes them, (len(rows), ...)."""
        ...

    def order(self, examples: NDArray[Any]) -> Rows:
        """The order in which examples are best computed, those of one length beside each other."""
        ...

    def __call__(self, examples: NDArray[Any]) -> Tensors:
        """Crossing tensors, each (n, ...), of n examples."""
        ...


@dataclass(frozen=True)
class FeatureSet:
    """Activations of a whole domain: blocks of up to BLOCK_ROWS rows, read through memory maps."""

    blocks: tuple[Tensors, ...]
    rows: int

    def __len__(self) -> int:
        return self.rows

    def take(self, rows: Rows) -> Tensors:
        """The tensors of these rows, in this order, as float32 (or their own integer type)."""
        block_of, row_in_block = np.divmod(rows, BLOCK_ROWS)
        gathered: Tensors = []
        for index, first in enumerate(self.blocks[0]):
            wide = np.float32 if np.issubdtype(first.dtype, np.floating) else first.dtype
            result = np.empty((len(rows), *first.shape[1:]), dtype=wide)
            for block in np.unique(block_of):
                here = block_of == block
                result[here] = self.blocks[block][index][row_in_block[here]]
            gathered.append(result)
        return gathered

    @property
    def bytes(self) -> int:
        """Stored size."""
        return sum(tensor.nbytes for block in self.blocks for tensor in block)

    def resident(self) -> "FeatureSet":
        """The same set, in memory where it is small enough for that."""
        if self.bytes > RESIDENT_BYTES:
            return self
        return FeatureSet(tuple([np.array(tensor) for tensor in block] for block in self.blocks), self.rows)


def extract(
    store: FeatureStore,
    prefix: Prefix,
    inputs: Inputs,
    *,
    view: View = PLAIN,
    on_block: Callable[[], None] = lambda: None,
) -> FeatureSet:
    """Activations of every example; only blocks that no process has stored yet are computed.

    Several processes that ask for the same set divide its blocks between them: each takes the blocks that nobody is
    working on and waits only for the rest. `on_block` is called before each block, and may raise to stop (a budget).
    """
    spans = list(_spans(len(inputs)))
    keys = [block_key(prefix.digest, inputs.digests[span.start : span.stop], view) for span in spans]
    blocks: dict[int, Tensors] = {}

    def computation(index: int) -> Callable[[], Tensors]:
        return lambda: _run(prefix, inputs, spans[index], view)

    for index, key in enumerate(keys):
        on_block()
        block = store.block_unless_busy(key, computation(index))
        if block is not None:
            blocks[index] = block
    for index, key in enumerate(keys):
        if index not in blocks:
            on_block()
            blocks[index] = store.block(key, computation(index))
    return FeatureSet(tuple(blocks[index] for index in range(len(spans))), len(inputs))


def block_key(prefix_digest: str, example_digests: Sequence[str], view: View) -> str:
    """Names a block by what it holds: network up to the cut, the examples' contents in order, the random view."""
    digest = xxhash.xxh3_128(f"{FORMAT} {prefix_digest}".encode())
    digest.update(b"plain" if view.number == 0 else f"{view.policy}/{view.number}".encode())
    for example in example_digests:
        digest.update(example.encode())
    return digest.hexdigest()


def _spans(rows: int) -> Iterator[slice]:
    for start in range(0, rows, BLOCK_ROWS):
        yield slice(start, min(start + BLOCK_ROWS, rows))


def _run(prefix: Prefix, inputs: Inputs, span: slice, view: View) -> Tensors:
    examples = prefix.read(inputs, np.arange(span.start, span.stop), view)
    order = prefix.order(examples)
    parts: list[Tensors] = []
    for start in range(0, len(order), BATCH_ROWS):
        parts.append([np.asarray(tensor) for tensor in prefix(examples[order[start : start + BATCH_ROWS]])])
    places = np.argsort(order)
    return [np.concatenate(tensors)[places] for tensors in zip(*parts, strict=True)]
