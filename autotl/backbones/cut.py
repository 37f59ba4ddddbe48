"""Dividing a network into a frozen prefix, computed once, and a suffix that may be trained."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import keras
import numpy as np
import xxhash

from autotl.backbones.graph import crossings, nodes_in_order, own_trainable_variables, rerun, sublayers
from autotl.backbones.network import Network
from autotl.backbones.reading import TokenReading
from autotl.errors import TaskError

LAYERS_LOOKED_BACK = 6  # how many weight-owning layers earlier than needed a cheaper cut may lie


@dataclass(frozen=True)
class Crossing:
    """One tensor of one example at the cut."""

    shape: tuple[int, ...]  # without the batch axis
    dtype: str


@dataclass(frozen=True, eq=False)
class Division:
    """A network divided at a place: `suffix(prefix(examples))` is the whole network, with no difference.

    Attributes:
        prefix: an example as it is read → the crossing tensors, a list where there are several (Keras gives a
            single one bare); nothing in it is trained.
        suffix: the crossing tensors → pooled features. Call it with `training=False` also while training it, from a
            `call` of your own (a functional model around it overrides the argument in `fit`): an unfrozen batch
            normalisation then learns gamma and beta and keeps its statistics.
        unfrozen: the layers a trial may train, in forward order.
        digest: of everything that decides the crossing tensors, the examples apart.
        place: the layer whose output is the last to cross, or the input's own name.
        bytes_per_example: of the crossing tensors together.
    """

    network: Network
    prefix: keras.Model
    suffix: keras.Model
    unfrozen: list[keras.layers.Layer]
    digest: str
    crossing: tuple[Crossing, ...]
    place: str
    bytes_per_example: int

    @property
    def tokens_at(self) -> int | None:
        """Which crossing tensor holds the token ids of sequences; None where only what is pooled crosses."""
        length = self.network.form.sequence_length
        whole = (Crossing((length,), "int32"),) if length is not None else ()
        return next((index for index, crossing in enumerate(self.crossing) if crossing in whole), None)

    @property
    def padding_id(self) -> int:
        """What stands behind the tokens of a sequence."""
        reading = self.network.reading
        return reading.wordpiece.padding_id if isinstance(reading, TokenReading) else 0

    @property
    def stores_inputs(self) -> bool:
        """Whether the cut lies before the first layer: nothing is computed, examples are stored as they are read."""
        return self.place == self.network.whole.inputs[0].name

    def activate(self) -> None:
        """Puts the pretrained weights back and makes exactly `unfrozen` trainable, whatever other divisions did."""
        self.network.restore_pretrained_weights()
        _freeze_all_but(self.unfrozen, self.network)


def divide(
    network: Network, unfrozen_layers: int | Literal["all"], *, max_bytes_per_example: int | None = None
) -> Division:
    """Divides a network so that its last layers can be trained on stored activations.

    The cut is the cheapest place at or shortly before the first unfrozen layer, ties going to the later one; `all` cuts
    at the input, 0 behind the pooling. The division is active on return.

    Args:
        network: as `build_network` gives it.
        unfrozen_layers: how many of `network.layers`, counted from the end, or `all`.
        max_bytes_per_example: where the cut would store more, the nearest smaller place before it is taken, or the
            smallest of all where none is that small.
    Raises:
        TaskError: more layers than the network has.
    """
    unfrozen = _unfrozen(network, unfrozen_layers)
    nodes = nodes_in_order(network.whole)
    places = crossings(network.whole)
    sizes = [_bytes_per_example(place, network.form.sequence_length) for place in places]
    if not unfrozen:
        position = len(nodes)
    elif unfrozen_layers == "all":
        position = 0
    else:
        position = _cheapest_place(network, unfrozen[0], sizes, max_bytes_per_example)
    crossing = places[position]
    division = Division(
        network=network,
        prefix=keras.Model(network.whole.inputs[0], list(crossing), name="prefix"),
        suffix=_suffix(network, nodes[position:], crossing),
        unfrozen=unfrozen,
        digest=_joined(network.tensor_digests[id(tensor)] for tensor in crossing),
        crossing=tuple(
            Crossing(_closed(tensor.shape[1:], network.form.sequence_length), tensor.dtype) for tensor in crossing
        ),
        place=nodes[position - 1].operation.name if position > 0 else network.whole.inputs[0].name,
        bytes_per_example=int(sizes[position]),
    )
    division.activate()
    return division


def _unfrozen(network: Network, unfrozen_layers: int | Literal["all"]) -> list[keras.layers.Layer]:
    count = len(network.layers)
    wanted = count if unfrozen_layers == "all" else unfrozen_layers
    if not 0 <= wanted <= count or (unfrozen_layers == "all" and count == 0):
        choice = f"0 to {count}, or 'all'" if count else "0 only: it can be run, but not trained"
        raise TaskError(
            f"unfrozen_layers: {unfrozen_layers!r} is not possible with backbone {network.spec.label} "
            f"(tap {network.tap}), which has {count} layers that own weights. Allowed: {choice}."
        )
    return network.layers[count - wanted :]


def _cheapest_place(
    network: Network, first_unfrozen: keras.layers.Layer, sizes: Sequence[float], max_bytes: int | None
) -> int:
    """The place with the smallest crossing among those shortly before a layer; ties go to the later one."""
    latest = network.positions[id(first_unfrozen)]
    number = next(index for index, layer in enumerate(network.layers) if layer is first_unfrozen)
    looked_back = network.layers[number - LAYERS_LOOKED_BACK] if number > LAYERS_LOOKED_BACK else None
    earliest = 0 if looked_back is None else network.positions[id(looked_back)]
    cheapest = min(range(latest, earliest - 1, -1), key=lambda place: sizes[place])
    if max_bytes is None or sizes[cheapest] <= max_bytes:
        return cheapest
    small_enough = (place for place in range(latest, -1, -1) if sizes[place] <= max_bytes)
    return next(small_enough, min(range(latest, -1, -1), key=lambda place: sizes[place]))


def _suffix(network: Network, nodes: Sequence[object], crossing: Sequence[keras.KerasTensor]) -> keras.Model:
    inputs = [
        keras.Input(batch_shape=tensor.shape, dtype=tensor.dtype, name=f"crossing_{number}")
        for number, tensor in enumerate(crossing)
    ]
    values = dict(zip(map(id, crossing), inputs, strict=True))
    rerun(nodes, values)
    outputs = values[id(network.whole.outputs[0])]
    return keras.Model(inputs, outputs if nodes else keras.layers.Identity(name="features")(outputs), name="suffix")


def _freeze_all_but(unfrozen: Sequence[keras.layers.Layer], network: Network) -> None:
    """Makes exactly these layers trainable, also inside composite layers."""
    chosen = {id(layer) for layer in unfrozen}
    for outer in network.whole.layers:
        outer.trainable = True  # a frozen outer layer would hide the variables of those inside
        for layer in [*sublayers(outer), outer]:
            if sublayers(layer):
                for variable in own_trainable_variables(layer):
                    variable.trainable = id(layer) in chosen
            else:
                layer.trainable = id(layer) in chosen


def _closed(shape: Sequence[int | None], length: int | None) -> tuple[int, ...]:
    """A shape whose open axis, that of a sequence, has its full length."""
    return tuple(size or length or 0 for size in shape)


def _bytes_per_example(crossing: Iterable[keras.KerasTensor], length: int | None) -> float:
    """Infinite where a size is open or bound to the batch: such tensors cannot be stored per example.

    Args:
        length: what the first open axis, that of a sequence, is stored at; None where there are no sequences.
    """
    total = 0.0
    for tensor in crossing:
        is_open = [size is None for size in tensor.shape[1:]]
        if tensor.shape[0] is not None or any(is_open if length is None else is_open[1:]):
            return float("inf")
        itemsize = 2 if tensor.dtype == "bfloat16" else np.dtype(tensor.dtype).itemsize
        total += itemsize * float(np.prod(_closed(tensor.shape[1:], length)))
    return total


def _joined(digests: Iterable[str]) -> str:
    """One digest stays as it is, so that a place with a single crossing tensor is named by it."""
    listed = list(digests)
    return listed[0] if len(listed) == 1 else xxhash.xxh3_128_hexdigest("-".join(listed).encode())
