"""Dividing a network into a frozen prefix, computed once, and a suffix that may be trained."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import keras

from autotl.backbones.graph import own_trainable_variables, rerun, sublayers
from autotl.backbones.network import Network, encoder_taps, pyramid_maps
from autotl.backbones.places import Crossing, Places, inputs_like
from autotl.backbones.reading import padding_id_of
from autotl.errors import TaskError

LAYERS_LOOKED_BACK = 6  # how many weight-owning layers earlier than needed a cheaper cut may lie


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
        position: of that place in the order of the network's graph.
        bytes_per_example: of the crossing tensors together.
    """

    network: Network
    prefix: keras.Model
    suffix: keras.Model
    unfrozen: list[keras.layers.Layer]
    digest: str
    crossing: tuple[Crossing, ...]
    place: str
    position: int
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
        return padding_id_of(self.network.reading)

    def activate(self) -> None:
        """Puts the pretrained weights back and makes exactly `unfrozen` trainable, whatever other divisions did."""
        self.network.restore_pretrained_weights()
        _freeze_all_but(self.unfrozen, self.network)


def divide(
    network: Network, unfrozen_layers: int | Literal["all"], *, max_bytes_per_example: int | None = None
) -> Division:
    """Divides a network so that its last layers can be trained on stored activations.

    The cut is the cheapest place at or shortly before the first unfrozen layer, ties going to the later one (of an
    encoder on PyTorch right before it); `all` cuts at the input, 0 behind the pooling. The division is active on
    return.

    Args:
        network: as `build_network` gives it.
        unfrozen_layers: how many of `network.layers`, counted from the end, or `all`.
        max_bytes_per_example: where the cut would store more, the nearest smaller place before it is taken, or the
            smallest of all where none is that small.
    Raises:
        TaskError: more layers than the network has.
    """
    places = Places(network)
    unfrozen = _unfrozen(network, unfrozen_layers)
    position = place_of_cut(places, unfrozen_layers, max_bytes_per_example=max_bytes_per_example)
    division = Division(
        network=network,
        prefix=places.way(0, [position]),
        suffix=_suffix(places, position),
        unfrozen=unfrozen,
        digest=places.digest(position),
        crossing=places.crossing(position),
        place=places.name(position),
        position=position,
        bytes_per_example=int(places.bytes_per_example[position]),
    )
    division.activate()
    return division


def place_of_cut(
    places: Places, unfrozen_layers: int | Literal["all"], *, max_bytes_per_example: int | None = None
) -> int:
    """Where `divide` cuts."""
    unfrozen = _unfrozen(places.network, unfrozen_layers)
    if not unfrozen:
        return places.last
    if unfrozen_layers == "all":
        return 0
    return _cheapest_place(places.network, unfrozen[0], places.bytes_per_example, max_bytes_per_example)


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


def places_for_taps(
    places: Places, taps: Collection[str], unfrozen_choices: Collection[int] = (0,), *, max_bytes_per_example: int
) -> list[int]:
    """Where networks of the same backbone with other taps, or another pooling, will be cut or can go on.

    Behind all frozen layers an image network goes on from the cheapest place at or shortly before a tapped map. A
    language network carries more than the sequence from encoder to encoder and lets go of it in the last one, so there
    it is the end of the encoder before a tapped one, or before its own last.

    Args:
        taps: those that plans of this backbone may have.
        unfrozen_choices: how many layers such plans may unfreeze.
    """
    found: set[int] = set()
    for tapped, goes_on in _tapped_places(places, taps):
        network = places.network
        layers = [layer for layer in network.layers if network.positions[id(layer)] < tapped]
        found |= {goes_on} if 0 in unfrozen_choices else set()
        found |= {
            _cheapest_place(network, layers[-count], places.bytes_per_example, max_bytes_per_example)
            for count in unfrozen_choices
            if 0 < count <= len(layers)
        }
    return sorted(found)


def _tapped_places(places: Places, taps: Collection[str]) -> Iterator[tuple[int, int]]:
    """Behind each tensor that a tap pools, and where a network with that tap can go on if nothing of it is trained."""
    form, whole = places.network.form, places.network.whole
    behind = {id(node.outputs[0]): place for place, node in enumerate(places.nodes, start=1)}
    if form.sequence_length is not None:
        ends = [(name, behind[id(tensor)]) for name, tensor in encoder_taps(whole).items()]
        for (_, before), (name, place) in pairwise(ends):
            if name in taps or name == ends[-1][0]:
                yield place, before
    elif form.image_size is not None:
        maps = pyramid_maps(whole, form.side)
        for place in (behind[id(maps[tap])] for tap in taps if tap in maps):
            network = places.network
            layers = [layer for layer in network.layers if network.positions[id(layer)] < place]
            yield place, _cheapest_shortly_before(place, layers, network, places.bytes_per_example)


def _cheapest_shortly_before(
    latest: int, before: Sequence[keras.layers.Layer], network: Network, sizes: Sequence[float]
) -> int:
    """The place with the smallest crossing at or shortly before another; ties go to the later one.

    Args:
        before: the layers that own weights before that other place.
    """
    if network.encoder is not None:  # each of its layers is a whole block, too dear to be computed anew in every epoch
        return latest
    earliest = network.positions[id(before[-LAYERS_LOOKED_BACK])] if len(before) > LAYERS_LOOKED_BACK else 0
    return min(range(latest, earliest - 1, -1), key=lambda place: sizes[place])


def _cheapest_place(
    network: Network, first_unfrozen: keras.layers.Layer, sizes: Sequence[float], max_bytes: int | None
) -> int:
    """The place with the smallest crossing among those shortly before a layer; ties go to the later one."""
    latest = network.positions[id(first_unfrozen)]
    number = next(index for index, layer in enumerate(network.layers) if layer is first_unfrozen)
    cheapest = _cheapest_shortly_before(latest, network.layers[:number], network, sizes)
    if max_bytes is None or sizes[cheapest] <= max_bytes:
        return cheapest
    small_enough = (place for place in range(latest, -1, -1) if sizes[place] <= max_bytes)
    return next(small_enough, min(range(latest, -1, -1), key=lambda place: sizes[place]))


def _suffix(places: Places, position: int) -> keras.Model:
    if position == places.last:
        inputs = inputs_like(places.tensors(position))
        return keras.Model(inputs, keras.layers.Identity(name="features")(inputs[0]), name="suffix")
    inputs = inputs_like(places.tensors(position))
    values = dict(zip(map(id, places.tensors(position)), inputs, strict=True))
    rerun(places.nodes[position:], values)
    return keras.Model(inputs, values[id(places.network.whole.outputs[0])], name="suffix")


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
