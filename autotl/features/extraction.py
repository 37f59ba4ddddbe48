"""From inputs to stored activations: which block holds what, and who computes it.

A block holds rows that lie beside each other when the examples are ordered by their contents' digests. So each block is
a random draw of the domain whatever the order of its files, and domains that hold the same examples share their blocks.
"""

import logging
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import xxhash

from autotl.data.examples import PLAIN, Inputs, Rows, View
from autotl.errors import StorageError
from autotl.features.feature_set import BLOCK_ROWS, FeatureSet
from autotl.features.store import Claim, FeatureStore, Tensors

FORMAT = 1  # raised when decoding or the drawing of views changes what a block would hold
POLL_SECONDS = 0.2  # between looks at a block that another process computes
HELD_BYTES = 256 << 20  # of activations that may be kept in memory for want of a disk

_log = logging.getLogger(__name__)


class Pass(Protocol):
    """One way through a network, from what was read or stored to one or several cuts."""

    @property
    def gives(self) -> tuple[str, ...]:
        """Digests of the cuts that it computes, the one that was asked for last."""
        ...

    @property
    def batch_rows(self) -> int:
        """How many examples are best computed at once."""
        ...

    def order(self, tensors: Tensors) -> Rows:
        """The order in which examples are best computed, those of one length beside each other."""
        ...

    def __call__(self, tensors: Tensors) -> list[Tensors]:
        """For each cut of `gives` the crossing tensors, each (n, ...), of n examples."""
        ...


class Prefix(Protocol):
    """The frozen part of a divided network: what is computed once and stored."""

    @property
    def digest(self) -> str:
        """Names weights, graph, preprocessing and engine; equal digests compute equal activations."""
        ...

    @property
    def starts(self) -> tuple[str, ...]:
        """Digests of earlier cuts from whose stored activations it could go on, the nearest first."""
        ...

    @property
    def on_the_way(self) -> tuple[str, ...]:
        """Digests of earlier cuts that it computes and stores too."""
        ...

    def is_worth(self, start: str) -> bool:
        """Whether a start is read sooner than it is computed."""
        ...

    def read(self, inputs: Inputs, rows: Rows, view: View) -> Tensors:
        """These examples as it takes them, each (len(rows), ...)."""
        ...

    def from_start(self, start: str | None) -> Pass:
        """The way from one of `starts`, or from what `read` gives."""
        ...


@dataclass(frozen=True)
class ExtractionProgress:
    """How far an extraction is. Blocks that were stored already count as rows done, not as rows computed."""

    rows_done: int
    rows: int
    rows_computed: int
    seconds: float

    @classmethod
    def of_stored(cls, rows: int) -> "ExtractionProgress":
        """A set that is there."""
        return cls(rows, rows, 0, 0.0)

    def with_part(self, part: "ExtractionProgress") -> "ExtractionProgress":
        """This, and how far one of its parts is that had not begun."""
        return ExtractionProgress(
            self.rows_done + part.rows_done,
            self.rows,
            self.rows_computed + part.rows_computed,
            self.seconds + part.seconds,
        )

    @property
    def seconds_left(self) -> float | None:
        """At the pace so far; None before anything was computed."""
        if not self.rows_computed:
            return None
        return self.seconds / self.rows_computed * (self.rows - self.rows_done)


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
    return to_the_end(extraction(store, prefix, inputs, view=view, on_block=on_block))


def extraction(
    store: FeatureStore,
    prefix: Prefix,
    inputs: Inputs,
    *,
    view: View = PLAIN,
    on_block: Callable[[], None] = lambda: None,
) -> Generator[ExtractionProgress, None, FeatureSet]:
    """`extract`, telling after each block how far it is."""
    order = np.argsort(np.array(inputs.digests), kind="stable")
    blocks = _Blocks(store, prefix, inputs, view, order)
    yield from blocks.computed(on_block)
    places = np.empty(len(inputs), dtype=np.int64)
    places[order] = np.arange(len(inputs))
    return FeatureSet(blocks.all(), len(inputs), places)


def to_the_end(steps: Generator[ExtractionProgress, None, FeatureSet]) -> FeatureSet:
    """What an extraction gives, for a caller that does not want to know how far it is."""
    while True:
        try:
            next(steps)
        except StopIteration as ended:
            features: FeatureSet = ended.value
            return features


def block_key(prefix_digest: str, example_digests: Sequence[str], view: View) -> str:
    """Names a block by what it holds: network up to the cut, the examples' contents in order, the random view."""
    digest = xxhash.xxh3_128(f"{FORMAT} {prefix_digest}".encode())
    digest.update(b"plain" if view.number == 0 else f"{view.policy}/{view.number}".encode())
    digest.update("".join(example_digests).encode())
    return digest.hexdigest()


@dataclass(frozen=True)
class _Reading:
    """A block that this process has claimed, and what a thread reads for it."""

    index: int
    claims: dict[str, Claim]  # by the digests of the cuts
    start: str | None
    tensors: "Future[Tensors]"


class _Blocks:
    """The blocks of one set: found, computed here, or waited for."""

    def __init__(self, store: FeatureStore, prefix: Prefix, inputs: Inputs, view: View, order: Rows) -> None:
        self._store = store
        self._prefix = prefix
        self._inputs = inputs
        self._view = view
        self._order = order
        self._digests = inputs.digests
        self._spans = [order[start : start + BLOCK_ROWS] for start in range(0, len(order), BLOCK_ROWS)]
        self._found: dict[int, Tensors] = {}
        self._held_bytes = 0
        self._rows_computed = 0
        self._began = time.perf_counter()

    def all(self) -> tuple[Tensors, ...]:
        return tuple(self._found[index] for index in range(len(self._spans)))

    def computed(self, on_block: Callable[[], None]) -> Iterator[ExtractionProgress]:
        """Computes what nobody has computed or is computing; while it does, the next block is read."""
        with ThreadPoolExecutor(1, "autotl-reading") as reader, ExitStack() as claims:
            busy: list[int] = []
            waiting = iter(range(len(self._spans)))
            coming = self._next_to_compute(waiting, busy, reader, claims, on_block)
            while coming is not None:
                present, coming = coming, self._next_to_compute(waiting, busy, reader, claims, on_block)
                self._found[present.index] = self._compute(present)
                _release(present.claims)
                yield self._progress()
        for index in busy:
            self._found[index] = self._awaited(index, on_block)
            yield self._progress()

    def _next_to_compute(
        self,
        indices: Iterator[int],
        busy: list[int],
        reader: ThreadPoolExecutor,
        claims: ExitStack,
        on_block: Callable[[], None],
    ) -> _Reading | None:
        """Claims the next block that is neither stored nor being computed, and has it read in the background."""
        for index in indices:
            on_block()
            if self._look_up(index):
                continue
            claimed = self._claimed(index)
            if claimed is None:
                busy.append(index)
                continue
            claims.callback(_release, claimed)
            if self._look_up(index):  # another process was faster
                _release(claimed)
                continue
            start, stored = self._start(index)
            tensors = reader.submit(self._read, index) if stored is None else _done(stored)
            return _Reading(index, claimed, start, tensors)
        return None

    def _claimed(self, index: int) -> dict[str, Claim] | None:
        """The right to compute a block and what comes on the way to it: all of it, or None where any is being computed.

        So two processes that want different cuts of the same block do not both compute it from its examples, and since
        nobody waits for one block while it holds another, none can wait for ever.
        """
        claims: dict[str, Claim] = {}
        for digest in (self._prefix.digest, *self._prefix.on_the_way):
            key = self._key(index, digest)
            if digest != self._prefix.digest and self._store.is_stored(key):
                continue
            claim = self._store.claim(key)
            if claim is None:
                _release(claims)
                return None
            claims[digest] = claim
        return claims

    def _look_up(self, index: int) -> bool:
        found = self._store.find(self._key(index))
        if found is not None:
            self._found[index] = found
        return found is not None

    def _start(self, index: int) -> tuple[str | None, Tensors | None]:
        """The nearest earlier cut of which this block is stored, and what is stored of it."""
        for start in self._prefix.starts:
            key = self._key(index, start)
            found = self._store.find(key) if self._store.is_stored(key) and self._prefix.is_worth(start) else None
            if found is not None:
                return start, found
        return None, None

    def _read(self, index: int) -> Tensors:
        return self._prefix.read(self._inputs, self._spans[index], self._view)

    def _compute(self, reading: _Reading) -> Tensors:
        way = self._prefix.from_start(reading.start)
        results = _run(way, reading.tensors.result())
        self._rows_computed += len(self._spans[reading.index])
        for digest, result in zip(way.gives[:-1], results[:-1], strict=True):
            if digest in reading.claims:
                self._keep_on_the_way(reading.claims[digest], result)
        return self._kept(reading.claims[self._prefix.digest], results[-1])

    def _keep_on_the_way(self, claim: Claim, tensors: Tensors) -> None:
        """Stores what another cut will ask for. It costs nothing to compute, so it is no loss where that fails."""
        try:
            self._store.keep(claim, tensors)
        except StorageError as error:
            _log.info("not kept for later: %s", error)

    def _kept(self, claim: Claim, tensors: Tensors) -> Tensors:
        """The block as stored; from memory for this once where the disk is full and the set is not too large."""
        try:
            return self._store.keep(claim, tensors)
        except StorageError as error:
            needed = sum(tensor.nbytes for tensor in tensors)
            if self._held_bytes + needed > HELD_BYTES:
                raise
            if not self._held_bytes:
                _log.warning("%s Until then activations are held in memory, and computed again by every worker.", error)
            self._held_bytes += needed
            return tensors

    def _awaited(self, index: int, on_block: Callable[[], None]) -> Tensors:
        """A block that another process was computing; computed here if that one does not get to its end."""
        while not self._look_up(index):
            on_block()
            claimed = self._claimed(index)
            if claimed is None:
                time.sleep(POLL_SECONDS)
                continue
            try:
                if not self._look_up(index):
                    start, stored = self._start(index)
                    reading = _Reading(index, claimed, start, _done(self._read(index) if stored is None else stored))
                    return self._compute(reading)
            finally:
                _release(claimed)
        return self._found[index]

    def _key(self, index: int, digest: str | None = None) -> str:
        examples = [self._digests[row] for row in self._spans[index].tolist()]
        return block_key(self._prefix.digest if digest is None else digest, examples, self._view)

    def _progress(self) -> ExtractionProgress:
        done = sum(len(self._spans[index]) for index in self._found)
        return ExtractionProgress(done, len(self._order), self._rows_computed, time.perf_counter() - self._began)


def _run(way: Pass, tensors: Tensors) -> list[Tensors]:
    """All examples of a block, batch by batch; for each cut its tensors in the examples' order."""
    order = way.order(tensors)
    parts: list[list[Tensors]] = []
    for start in range(0, len(order), way.batch_rows):
        rows = order[start : start + way.batch_rows]
        parts.append(way([np.asarray(tensor[rows]) for tensor in tensors]))
    places = np.argsort(order)
    return [[np.concatenate(tensors)[places] for tensors in zip(*cut, strict=True)] for cut in zip(*parts, strict=True)]


def _release(claims: dict[str, Claim]) -> None:
    for claim in claims.values():
        claim.release()


def _done(tensors: Tensors) -> "Future[Tensors]":
    future: Future[Tensors] = Future()
    future.set_result(tensors)
    return future
