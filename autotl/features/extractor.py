"""Stored activations of divided networks, by the fastest engine at hand, with nothing computed twice."""

import logging
import math
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import keras
import numpy as np

from autotl.backbones.cut import Division
from autotl.backbones.network import Network
from autotl.backbones.places import Crossing, Places
from autotl.backbones.reading import padding_id_of
from autotl.backbones.size import count_parameters
from autotl.data.examples import PLAIN, Inputs, Rows, View
from autotl.features.engine import (
    Engine,
    KerasEngine,
    UnfitEngineError,
    engine_name,
    needed_length,
    uses_gpu,
)
from autotl.features.extraction import ExtractionProgress, Pass, extraction, to_the_end
from autotl.features.feature_set import FeatureSet
from autotl.features.kept import Kept
from autotl.features.openvino import SHORT_NAMES, OpenVinoEngine, has_free_length
from autotl.features.precision import ComputePrecision, openvino_is_installed
from autotl.features.store import SHARE_ON_THE_WAY, FeatureStore, Tensors
from autotl.features.torch_engine import TorchEngine, name_of_torch

KEPT_WAYS = 4  # compiled parts of networks, each with its weights
FEWEST_PARAMETERS = 500_000  # a smaller network is computed sooner than OpenVINO has converted it
FLOPS_PER_BYTE = 20  # a cut is worth reading where computing it anew takes at least so many operations a stored byte

_log = logging.getLogger(__name__)


class Extractor:
    """Computes what networks' frozen parts give, and stores it.

    A cut is computed from the nearest earlier one that is stored. Where the cuts are known that will be asked for
    later, one pass gives them all. OpenVINO computes where it is installed and Keras would compute on a CPU; a network
    that it cannot convert, or on whose first batch it does not agree with Keras, is left to Keras; the log says so.

    Args:
        precision: what OpenVINO computes in; each has blocks of its own.
    """

    def __init__(self, store: FeatureStore, precision: ComputePrecision = "float32") -> None:
        self.store = store
        self._precision: ComputePrecision = precision
        self._places: Kept[str, Places] = Kept(KEPT_WAYS)
        self._ways: Kept[tuple[str, int, tuple[int, ...], str], FrozenWay] = Kept(KEPT_WAYS)
        self._left_to_keras: set[str] = set()  # digests of networks

    def features(
        self,
        division: Division,
        inputs: Inputs,
        *,
        view: View = PLAIN,
        later_cuts: Sequence[int] = (),
        on_block: Callable[[], None] = lambda: None,
    ) -> FeatureSet:
        """Activations of every example at a cut; see `extraction`."""
        return to_the_end(self.extraction(division, inputs, view=view, later_cuts=later_cuts, on_block=on_block))

    def extraction(
        self,
        division: Division,
        inputs: Inputs,
        *,
        view: View = PLAIN,
        later_cuts: Sequence[int] = (),
        on_block: Callable[[], None] = lambda: None,
    ) -> Generator[ExtractionProgress, None, FeatureSet]:
        """The same, telling after each block how far it is. Layers before the cut must have their pretrained weights.

        Args:
            later_cuts: places of the same network that will be asked for too; those before this cut are stored with it.
            on_block: called before each block; may raise to stop.
        """
        try:
            prefix = self._prefix(division, later_cuts, examples=len(inputs))
            return (yield from extraction(self.store, prefix, inputs, view=view, on_block=on_block))
        except UnfitEngineError as unfit:
            _log.warning("backbone %s is computed by Keras: %s", division.network.spec.label, unfit)
            self.leave_to_keras(division.network)
        prefix = self._prefix(division, later_cuts, examples=len(inputs))
        return (yield from extraction(self.store, prefix, inputs, view=view, on_block=on_block))

    def leave_to_keras(self, network: Network) -> None:
        """Computes a network by Keras from here on."""
        self._left_to_keras.add(network.digest)

    def prefix(self, division: Division) -> "FrozenPrefix":
        """What computes a cut, and nothing beside it."""
        return self._prefix(division, (), examples=0)

    def _prefix(self, division: Division, later_cuts: Sequence[int], *, examples: int) -> "FrozenPrefix":
        places = self._places_of(division.network)
        largest = self.store.limit_bytes * SHARE_ON_THE_WAY / max(examples, 1)
        sizes = places.bytes_per_example
        on_the_way = sorted({cut for cut in later_cuts if 0 < cut < division.position and sizes[cut] <= largest})
        return FrozenPrefix(places, division.position, tuple(on_the_way), self._engine_of(places.network), self._way)

    def _engine_of(self, network: Network) -> str:
        """The name of the engine that computes a network, which is part of its blocks' names."""
        if network.encoder is not None:
            return name_of_torch(network.encoder)
        if (
            keras.backend.backend() != "tensorflow"
            or uses_gpu()
            or network.digest in self._left_to_keras
            or not openvino_is_installed()
            or count_parameters(network.whole) < FEWEST_PARAMETERS
            or has_free_length(network.whole)
        ):
            return engine_name()
        return f"openvino-{SHORT_NAMES[self._precision]}"

    def _places_of(self, network: Network) -> Places:
        if network.digest not in self._places or self._places[network.digest].network is not network:
            self._places[network.digest] = Places(network)
        return self._places[network.digest]

    def _way(self, places: Places, start: int, ends: tuple[int, ...], engine: str) -> "FrozenWay":
        key = (places.network.digest, start, ends, engine)
        if key not in self._ways or self._ways[key].places is not places:
            model = places.way(start, ends)
            if not any(known[0] == key[0] for known in self._ways):
                _log.info("backbone %s is computed by %s", places.network.spec.label, engine)
            self._ways[key] = FrozenWay(places, start, ends, engine, self._engine(engine, model, places.network))
        return self._ways[key]

    def _engine(self, name: str, model: keras.Model, network: Network) -> Engine:
        if network.encoder is not None:
            return TorchEngine(model, network.encoder)
        return KerasEngine(model) if name == engine_name() else OpenVinoEngine(model, self._precision)


MakeWay = Callable[[Places, int, tuple[int, ...], str], "FrozenWay"]


@dataclass(frozen=True)
class FrozenPrefix:
    """A network up to a place, on one engine; cuts before it are stored on the way.

    Args:
        make_way: compiles a part of the network, or has it compiled already.
    """

    places: Places
    position: int
    cuts_before: tuple[int, ...]
    engine: str
    make_way: MakeWay

    @property
    def digest(self) -> str:
        """Names what is computed, and by what: another engine or device computes slightly other numbers."""
        return digest_at(self.places, self.position, self.engine)

    @cached_property
    def starts(self) -> tuple[str, ...]:
        """Earlier cuts from whose stored activations it could go on, the nearest first."""
        return tuple(self._place_of)

    @property
    def on_the_way(self) -> tuple[str, ...]:
        """Earlier cuts that one pass gives as well."""
        return tuple(digest_at(self.places, place, self.engine) for place in self.cuts_before)

    def is_worth(self, start: str) -> bool:
        """Whether a start is read sooner than it is computed; stored examples always save their decoding."""
        place = self._place_of[start]
        return place == 0 or self.places.flops_before[place] >= FLOPS_PER_BYTE * self.places.bytes_per_example[place]

    def read(self, inputs: Inputs, rows: Rows, view: View) -> Tensors:
        """These examples as the network takes them, (len(rows), ...)."""
        return [self.places.network.reading(inputs, rows, view=view)]

    def from_start(self, start: str | None) -> Pass:
        """The way from one of `starts`, or from the examples themselves."""
        if self.position == 0:
            return AsTheyAre(self.digest)
        first = 0 if start is None else self._place_of[start]
        ends = (*(place for place in self.cuts_before if place > first), self.position)
        return self.make_way(self.places, first, ends, self.engine)

    @cached_property
    def _place_of(self) -> dict[str, int]:
        sizes = self.places.bytes_per_example
        nearest_first = [place for place in range(self.position - 1, -1, -1) if sizes[place] < math.inf]
        return {digest_at(self.places, place, self.engine): place for place in nearest_first}


def digest_at(places: Places, place: int, engine: str) -> str:
    """Names what crosses at a place, and the engine where anything is computed up to there."""
    if place > 0:
        return f"{engine}-{places.digest(place)}"
    sizes = "x".join(str(size) for size in places.network.example_shape)
    return "-".join(filter(None, (places.name(0), sizes, places.network.reading.digest)))


@dataclass(frozen=True)
class AsTheyAre:
    """The cut before the first layer: nothing is computed, examples are stored as they are read."""

    digest: str
    batch_rows = 1 << 20

    @property
    def gives(self) -> tuple[str, ...]:
        """The examples alone."""
        return (self.digest,)

    def order(self, tensors: Tensors) -> Rows:
        """As they come."""
        return np.arange(len(tensors[0]))

    def __call__(self, tensors: Tensors) -> list[Tensors]:
        """The examples."""
        return [tensors]


class FrozenWay:
    """A network between two places, compiled by one engine."""

    def __init__(self, places: Places, start: int, ends: tuple[int, ...], engine_name: str, engine: Engine) -> None:
        self.places = places
        self._ends = ends
        self._engine_name = engine_name
        self._engine = engine
        self._entering = places.crossing(start)
        self._leaving = [places.crossing(end) for end in ends]
        self._length = places.network.form.sequence_length
        self._padding_id = padding_id_of(places.network.reading)
        self._tokens_at = tokens_at(self._entering, self._length)

    @property
    def batch_rows(self) -> int:
        """As many examples as the engine computes fastest."""
        return self._engine.batch_rows

    @property
    def gives(self) -> tuple[str, ...]:
        """The cuts that it ends at, the last one last."""
        return tuple(digest_at(self.places, end, self._engine_name) for end in self._ends)

    def order(self, tensors: Tensors) -> Rows:
        """Sequences by their length, other examples as they come."""
        if self._tokens_at is None:
            return np.arange(len(tensors[0]))
        return np.argsort((tensors[self._tokens_at] != self._padding_id).sum(axis=1), kind="stable")

    def __call__(self, tensors: Tensors) -> list[Tensors]:
        """Crossing tensors of each end, each (n, ...), of n examples; sequences at their full length again."""
        wide = [np.asarray(tensor, dtype=like.dtype) for tensor, like in zip(tensors, self._entering, strict=True)]
        outputs = self._engine(self._without_padding(wide))
        results: list[Tensors] = []
        for crossing in self._leaving:
            own, outputs = outputs[: len(crossing)], outputs[len(crossing) :]
            padding_at = tokens_at(crossing, self._length)
            results.append(
                [
                    _padded(tensor, like, self._padding_id if index == padding_at else 0)
                    for index, (tensor, like) in enumerate(zip(own, crossing, strict=True))
                ]
            )
        return results

    def _without_padding(self, tensors: Tensors) -> Tensors:
        """Sequences without the padding that all of them share."""
        if self._tokens_at is None:
            return tensors
        needed = needed_length(tensors[self._tokens_at], self._padding_id)
        return [
            tensor[:, :needed] if crossing.shape[:1] == (self._length,) else tensor
            for tensor, crossing in zip(tensors, self._entering, strict=True)
        ]


def tokens_at(crossing: Sequence[Crossing], length: int | None) -> int | None:
    """Which of the tensors holds the token ids of sequences; None where only what is pooled crosses."""
    whole = (Crossing((length,), "int32"),) if length is not None else ()
    return next((index for index, tensor in enumerate(crossing) if tensor in whole), None)


def _padded(tensor: Any, like: Crossing, value: int) -> Any:
    if tensor.shape[1:] == like.shape:
        return tensor
    missing = like.shape[0] - tensor.shape[1]
    return np.pad(tensor, [(0, 0), (0, missing), *([(0, 0)] * (tensor.ndim - 2))], constant_values=value)
