"""What each field of a plan may hold, whether it stands in a search space or in a plan given by hand."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autotl.adaptation import METHODS, OTHER_NAMES
from autotl.adaptation.method import Parameter
from autotl.backbones import BackboneSpec, layer_count, parse_spec, smallest_image_size, why_frozen
from autotl.backbones.classical import CLASSICAL, DESCRIPTIONS
from autotl.backbones.pretrained import INSTEAD
from autotl.backbones.pretrained import NAME as PRETRAINED
from autotl.backbones.text_package import TEXT_PACKAGES
from autotl.data.augmentation import POLICIES
from autotl.data.content import CROPS
from autotl.errors import TaskError, unknown_name
from autotl.plan.modalities import MODALITIES, OWN_FIELDS, defaults_of
from autotl.plan.plan import HEADS, LEARNS_FROM, TOGETHER, Choice, Plan
from autotl.plan.source_free import brought_fields

AUTO = "auto"
ALONE = "alone"  # a plan that learns its task without others
JOINS = ("none", "bag_of_words")  # what the head sees beside a text's features
POOLINGS = ("mean", "cls")  # of a sequence: over its tokens, or its first one

Parse = Callable[
    [object, str], Any
]  # (value as written, where it stands) -> value in a plan; TaskError when it may not


@dataclass(frozen=True)
class Field:
    """One field of a plan: how a value is read, and the parameters of named alternatives where it has such.

    Attributes:
        other_names: what the alternatives are called elsewhere → their names; for error messages.
    """

    parse: Parse
    alternatives: Mapping[str, Mapping[str, Parameter]] | None = None
    other_names: Mapping[str, str] | None = None


def fields(folder: Path, modality: str = "image") -> dict[str, Field]:
    """The fields that a search space of a modality may range over.

    Args:
        folder: what relative paths of backbones are relative to.
    """
    own = MODALITIES[modality].own_fields
    heads = {name: {key: Parameter(default) for key, default in inner.items()} for name, inner in HEADS.items()}
    methods = {name: method.parameters for name, method in METHODS.items()}
    every = {
        "backbone": Field(backbone_for(modality, folder)),
        "adaptation": Field(
            alternative(methods, name_key="method", other_names=OTHER_NAMES),
            alternatives=methods,
            other_names=OTHER_NAMES,
        ),
        "image_size": Field(whole_number(16, 2048)),
        "crop": Field(one_of(CROPS)),
        "sequence_length": Field(sequence_length),
        "pooling": Field(one_of(POOLINGS)),
        "join": Field(one_of(JOINS)),
        "tap": Field(text),
        "unfrozen_layers": Field(unfrozen_layers),
        "head": Field(alternative(heads, name_key="name"), alternatives=heads),
        "learning_rate": Field(number(1e-8, 10.0)),
        "backbone_rate_ratio": Field(number(0.0, 10.0)),
        "dropout": Field(number(0.0, 0.95)),
        "label_smoothing": Field(number(0.0, 0.9)),
        "weight_decay": Field(number(0.0, 1.0)),
        "batch_size": Field(whole_number(2, 4096)),
        "epochs": Field(whole_number(1, 10_000)),
        "views": Field(whole_number(0, 64)),
        "augmentation": Field(one_of(POLICIES)),
        "learns_from": Field(one_of(LEARNS_FROM)),
        "together": Field(together),
    }
    return {name: field for name, field in every.items() if name not in OWN_FIELDS or name in own}


def parse_plan(written: object, *, where: str, folder: Path, modality: str = "image") -> Plan:
    """A plan given by hand; what it leaves out has its default.

    Raises:
        TaskError: with every mistake in it.
    """
    if not isinstance(written, Mapping):
        raise TaskError(f"{where}: a plan is a mapping such as {{backbone: MobileNetV2}}, not {written!r}.")
    known = fields(folder, modality)
    mistakes: list[str] = []
    values: dict[str, Any] = {}
    for name, value in written.items():
        try:
            if name == "seed":
                values[name] = whole_number(0, 2**63 - 1)(value, f"{where}.seed")
            elif name not in known:
                raise unknown_name(where, str(name), [*known, "seed"])
            else:
                values[name] = known[name].parse(value, f"{where}.{name}")
        except TaskError as error:
            mistakes.extend(error.mistakes)
    if "backbone" not in written:
        mistakes.append(f"{where}: a plan needs a 'backbone'.")
    layers, backbone = values.get("unfrozen_layers", 0), values.get("backbone")
    if backbone is not None and backbone.has_head:
        brought = brought_fields(backbone)
        mistakes += [
            f"{where}.{name}: {written[name]!r} is not possible: the exported source brings its own."
            for name, value in brought.items()
            if values.get(name, value) != value
        ]
        values |= brought
    owned = None if backbone is None else most_layers(backbone, [values.get("tap", Plan.tap)])
    size = {**defaults_of(modality), **values}["image_size"]
    if backbone is not None and size is not None and size < smallest_image_size(backbone):
        mistakes.append(too_small(f"{where}.image_size", size, backbone))
    frozen = None if backbone is None else why_frozen(backbone)
    if backbone is not None and frozen is not None and layers != 0:
        mistakes.append(f"{where}.unfrozen_layers: {layers} is not possible with {backbone.label!r}: {frozen}.")
    elif owned is not None and layers != "all" and layers > owned:
        mistakes.append(
            f"{where}.unfrozen_layers: {layers} is more than {written['backbone']!r} has: {owned} layers own weights. "
            f"Write a number up to {owned}, or all."
        )
    if mistakes:
        raise TaskError(mistakes)
    return Plan(**{**defaults_of(modality), **values})


def most_layers(backbone: BackboneSpec, taps: Iterable[str]) -> int | None:
    """How many layers with weights a backbone has up to the tap that leaves it most; None where only loading tells."""
    whole = layer_count(backbone)
    if whole is None:
        return None
    counts = [layer_count(backbone, tap) for tap in taps]
    return max(whole if count is None else count for count in counts)


def too_small(where: str, size: int, backbone: BackboneSpec) -> str:
    """The complaint about an image size that a backbone cannot take."""
    needed = smallest_image_size(backbone)
    return f"{where}: {size} px are too few for {backbone.label!r}: it needs at least {needed} a side."


def backbone_for(modality: str, folder: Path) -> Parse:
    """A backbone by name, path or mapping; what can only be made of other data is refused."""

    def parse(value: object, where: str) -> BackboneSpec:
        spec = parse_spec(value, folder=folder, where=where)
        if spec.origin == PRETRAINED and modality in INSTEAD:
            raise TaskError(f"{where}: {PRETRAINED} is for tables and signals; {INSTEAD[modality]}.")
        if spec.origin == CLASSICAL and DESCRIPTIONS[spec.name].modality != modality:
            known = [name for name, described in DESCRIPTIONS.items() if described.modality == modality]
            hint = f"For {modality}s there is {', '.join(known)}." if known else f"There is none for {modality}s."
            raise TaskError(f"{where}: {spec.name!r} does not read {modality}s. {hint}")
        if spec.name in TEXT_PACKAGES and modality != "text":
            raise TaskError(f"{where}: {spec.name!r} reads texts, not {modality}s.")
        return spec

    return parse


def number(low: float, high: float) -> Parse:
    """A number from `low` to `high`."""

    def parse(value: object, where: str) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise TaskError(f"{where}: {value!r} is not a number from {low:g} to {high:g}.")
        return float(value)

    return parse


def whole_number(low: int, high: int) -> Parse:
    """A whole number from `low` to `high`."""

    def parse(value: object, where: str) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise TaskError(f"{where}: {value!r} is not a whole number from {low} to {high}.")
        return value

    return parse


def text(value: object, where: str) -> str:
    """A word; the network that it names checks it."""
    if not isinstance(value, str):
        raise TaskError(f"{where}: {value!r} is not a name.")
    return value


def sequence_length(value: object, where: str) -> int | str:
    """Tokens, or `auto`: from the lengths of the task's own texts."""
    return AUTO if value == AUTO else whole_number(8, 4096)(value, where)


def unfrozen_layers(value: object, where: str) -> int | str:
    """`all`, or how many trailing layers that own weights are trained."""
    if value == "all":
        return "all"
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise TaskError(f"{where}: {value!r} is not a number of layers. Allowed: 0, 1, 2 … or all.")
    return value


def together(value: object, where: str) -> str | None:
    """How losses are weighed of tasks that are learnt together; None for `alone`."""
    named = ALONE if value is None else one_of((ALONE, *TOGETHER))(value, where)
    return None if named == ALONE else str(named)


def one_of(names: Collection[str]) -> Parse:
    """One of a table's names."""

    def parse(value: object, where: str) -> str:
        if not isinstance(value, str) or value not in names:
            raise unknown_name(where, str(value), names)
        return value

    return parse


def alternative(
    names: Mapping[str, Mapping[str, Parameter]], *, name_key: str, other_names: Mapping[str, str] | None = None
) -> Parse:
    """A named alternative: `linear`, `{name: hidden, units: 64}` (with `name_key`) or `{hidden: {units: 64}}`."""

    def parse(value: object, where: str) -> Choice:
        name, parameters = _name_and_parameters(value, where, name_key)
        if name not in names:
            raise unknown_name(where, name, names, other_names=other_names)
        values = {key: known.default for key, known in names[name].items()}
        for parameter, given in parameters.items():
            if parameter not in names[name]:
                raise unknown_name(f"{where}.{name}", str(parameter), names[name])
            values[parameter] = like(names[name][parameter])(given, f"{where}.{name}.{parameter}")
        return Choice(name, values)

    return parse


def like(parameter: Parameter) -> Parse:
    """A parameter of an alternative takes values of the kind of its default, and only the words that it allows."""
    if isinstance(parameter.default, bool):
        return switch
    if isinstance(parameter.default, str):
        return one_of(parameter.allowed)
    if isinstance(parameter.default, int):
        return whole_number(1, 1_000_000)
    return number(0.0, 1e6)


def switch(value: object, where: str) -> bool:
    """`true` or `false`."""
    if not isinstance(value, bool):
        raise TaskError(f"{where}: {value!r} is neither true nor false.")
    return value


def _name_and_parameters(value: object, where: str, name_key: str) -> tuple[str, Mapping[str, Any]]:
    if isinstance(value, str):
        return value, {}
    if isinstance(value, Mapping):
        if isinstance(value.get(name_key), str):
            return value[name_key], {key: given for key, given in value.items() if key != name_key}
        if len(value) == 1:
            ((name, parameters),) = value.items()
            if parameters is None or isinstance(parameters, Mapping):
                return str(name), parameters or {}
    raise TaskError(f"{where}: {value!r} is neither a name nor {{name: {{parameter: value}}}}.")
