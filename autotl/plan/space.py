"""The search space: YAML on one side, Optuna's suggestions on the other, plans between.

A plain value fixes a field; `{choice: [...]}` and `{choice: {name: {parameters}}}` pick one of several;
`{log: [a, b]}`, `{linear: [a, b]}` and `{whole: [a, b]}` draw from a range. Parameters under a choice exist only where
it is picked.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, Protocol

from autotl.adaptation import METHODS
from autotl.adaptation.method import Parameter
from autotl.backbones import BackboneSpec, has_tap, own_image_size, smallest_image_size, why_frozen
from autotl.backbones.classical import CLASSICAL
from autotl.backbones.pretrained import NAME as PRETRAINED
from autotl.errors import TaskError, unknown_name
from autotl.plan.fields import ALONE, AUTO, Field, Parse, fields, like, most_layers, parse_plan, too_small
from autotl.plan.modalities import defaults_of
from autotl.plan.plan import Choice, Plan, idle_fields, needs_frozen_layers

Where = Callable[[str], str]  # path inside the space -> file, line and column of it
Scale = Literal["log", "linear", "whole"]
SCALES: tuple[Scale, ...] = ("log", "linear", "whole")

# Fields that have an effect only beside certain values of another one: not suggested otherwise, so that the sampler
# does not learn from noise.
ONLY_WITH: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "backbone_rate_ratio": ("unfrozen_layers", lambda layers: layers != 0),
    "augmentation": ("views", lambda views: views > 0),
}


TOGETHER_FIELD = "together"


class Suggester(Protocol):
    """The part of `optuna.Trial` that a space needs."""

    def suggest_categorical(self, name: str, choices: Any, /) -> Any: ...

    def suggest_float(self, name: str, low: float, high: float, /, *, log: bool = ...) -> float: ...

    def suggest_int(self, name: str, low: int, high: int, /, *, log: bool = ...) -> int: ...


@dataclass(frozen=True)
class Fixed:
    """One value, nothing to search."""

    value: Any

    def suggest(self, trial: Suggester, name: str) -> Any:  # noqa: ARG002 - the interface of a dimension
        return self.value

    def parameters(self, value: Any, name: str) -> dict[str, Any] | None:  # noqa: ARG002
        return {} if value == self.value else None


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, both ends included."""

    low: float
    high: float
    scale: Scale

    def suggest(self, trial: Suggester, name: str) -> float | int:
        if self.scale == "whole":
            return trial.suggest_int(name, int(self.low), int(self.high))
        return trial.suggest_float(name, self.low, self.high, log=self.scale == "log")

    def parameters(self, value: Any, name: str) -> dict[str, Any] | None:
        inside = isinstance(value, int | float) and self.low <= value <= self.high
        return {name: value} if inside else None


@dataclass(frozen=True)
class Options:
    """One of several values, known to Optuna by their labels."""

    values: Mapping[str | int | float | bool, Any]  # label -> value

    def suggest(self, trial: Suggester, name: str) -> Any:
        return self.values[trial.suggest_categorical(name, list(self.values))]

    def parameters(self, value: Any, name: str) -> dict[str, Any] | None:
        return next(({name: label} for label, option in self.values.items() if option == value), None)


@dataclass(frozen=True)
class Alternatives:
    """One of several named alternatives, each with dimensions of its own."""

    options: Mapping[str, Mapping[str, "Dimension"]]

    def suggest(self, trial: Suggester, name: str) -> Choice:
        picked = (
            trial.suggest_categorical(name, list(self.options)) if len(self.options) > 1 else next(iter(self.options))
        )
        inner = self.options[picked]
        return Choice(picked, {key: inner[key].suggest(trial, f"{name}.{picked}.{key}") for key in inner})

    def parameters(self, value: Any, name: str) -> dict[str, Any] | None:
        if not isinstance(value, Choice) or value.name not in self.options:
            return None
        found: dict[str, Any] = {name: value.name} if len(self.options) > 1 else {}
        for key, dimension in self.options[value.name].items():
            inner = dimension.parameters(value.parameters.get(key), f"{name}.{value.name}.{key}")
            if inner is None:
                return None
            found.update(inner)
        return found


Dimension = Fixed | Range | Options | Alternatives


@dataclass(frozen=True)
class Space:
    """What is searched: a dimension for every field of a plan."""

    dimensions: Mapping[str, Dimension]
    start_with: tuple[Plan, ...] = ()
    modality: str = "image"

    def suggest(self, trial: Suggester, *, seed: int) -> Plan:
        """The plan that this Optuna trial stands for."""
        values: dict[str, Any] = {}
        for name, dimension in self.dimensions.items():
            if self._has_effect(name, values):
                values[name] = dimension.suggest(trial, name)
        return Plan(**{**defaults_of(self.modality), **values}, seed=seed).canonical()

    def parameters(self, plan: Plan) -> dict[str, Any] | None:
        """Optuna's parameters of a plan, or None where the plan lies outside the space."""
        found: dict[str, Any] = {}
        values: dict[str, Any] = {name: getattr(plan, name) for name in self.dimensions}
        for name, dimension in self.dimensions.items():
            if self._has_effect(name, values):
                here = dimension.parameters(values[name], name)
                if here is None:
                    return None
                found.update(here)
        return found

    def values(self, name: str) -> list[Any]:
        """Every value of a field that is fixed or chosen from a list; the two ends of a range."""
        dimension = self.dimensions[name]
        if isinstance(dimension, Fixed):
            return [dimension.value]
        if isinstance(dimension, Options):
            return list(dimension.values.values())
        if isinstance(dimension, Range):
            return [dimension.low, dimension.high]
        return [Choice(option) for option in dimension.options]

    def longest_plan(self) -> int:
        """Epochs of the longest plan, those of a method that goes on after the supervised ones included."""
        adaptation = self.dimensions["adaptation"]
        adapting = [0]
        if isinstance(adaptation, Alternatives):
            inner = [Space(part).values("epochs") for part in adaptation.options.values() if "epochs" in part]
            adapting += [int(epochs) for values in inner for epochs in values]
        return max(int(epochs) for epochs in self.values("epochs")) + max(adapting)

    def with_backbones(self, backbones: list[BackboneSpec]) -> "Space":
        """The same space over these backbones only (those whose weights are at hand)."""
        kept: Dimension = (
            Fixed(backbones[0])
            if len(backbones) == 1
            else Options({backbone.label: backbone for backbone in backbones})
        )
        return replace(self, dimensions={**self.dimensions, "backbone": kept})

    def with_fixed(self, values: Mapping[str, Any]) -> "Space":
        """The same space with these fields fixed, None for one without a value."""
        fixed: dict[str, Dimension] = {
            name: Alternatives({value.name: _fixed(value.parameters)}) if isinstance(value, Choice) else Fixed(value)
            for name, value in values.items()
        }
        return replace(self, dimensions={**self.dimensions, **fixed})

    def with_values(self, name: str, values: list[Any]) -> "Space":
        """The same space with these values to choose from in one field."""
        kept: Dimension = Fixed(values[0]) if len(values) == 1 else Options({_label(value): value for value in values})
        return replace(self, dimensions={**self.dimensions, name: kept})

    def halves(self) -> tuple["Space", ...]:
        """The space of plans that learn the task alone, then that of plans that learn it together with others; one of
        them, or both. What plans of the second kind have no use for is not drawn in theirs."""
        ways = self.values(TOGETHER_FIELD) if TOGETHER_FIELD in self.dimensions else [None]
        shared = [way for way in ways if way is not None]
        if not shared:
            return (self,)
        unused = {"adaptation": Choice("none"), "join": "none", "learns_from": "all"}
        used = [name for name in unused if self.dimensions.get(name, Fixed(None)) != Fixed(None)]
        bare = self.with_fixed({name: unused[name] for name in used})
        alone = (self.with_fixed({TOGETHER_FIELD: None}),) if None in ways else ()
        return (*alone, bare.with_values(TOGETHER_FIELD, shared))

    def as_mapping(self) -> dict[str, Any]:
        """The space as YAML would hold it, every default filled in; `parse_space` reads it back from any folder."""
        return {
            name: _as_written(dimension)
            for name, dimension in self.dimensions.items()
            if name != TOGETHER_FIELD or dimension != Fixed(None)  # of a task that has no other beside it
        }

    @staticmethod
    def _has_effect(name: str, values: Mapping[str, Any]) -> bool:
        if name not in ("backbone", "learns_from") and values["backbone"].origin == CLASSICAL:
            return False  # such a model has no layers, rates or head to choose
        if name == "image_size" and values["backbone"].origin == PRETRAINED:
            return False  # it reads rows and windows as they are
        if name not in ("backbone", "adaptation") and values["backbone"].has_head:
            return name not in idle_fields(values["adaptation"]) and Space._is_read(name, values)
        if name == "unfrozen_layers" and (
            needs_frozen_layers(values["adaptation"]) or why_frozen(values["backbone"]) is not None
        ):
            return False
        return Space._is_read(name, values)

    @staticmethod
    def _is_read(name: str, values: Mapping[str, Any]) -> bool:
        if name not in ONLY_WITH:
            return True
        other, has_effect = ONLY_WITH[name]
        return has_effect(values.get(other, getattr(Plan, other)))


def parse_space(
    written: Mapping[str, Any],
    *,
    where: Where,
    folder: Path,
    defaults: Collection[str] = (),
    modality: str = "image",
) -> Space:
    """Reads and checks a whole space.

    Args:
        defaults: fields whose values are not the user's own but ours.
        written: field name -> fixed value, choice or range, as YAML gave it; `start_with` may hold a list of plans.
        where: gives file, line and column of a path in it, e.g. `backbone.choice[1]`.
        folder: what relative paths are relative to.
    Raises:
        TaskError: with every mistake, one line each.
    """
    known = fields(folder, modality)
    absent = defaults_of(modality)
    mistakes: list[str] = []
    dimensions: dict[str, Dimension] = {}
    plans: list[Plan] = []
    for name in written:
        if name not in known and name != "start_with":
            mistakes.extend(unknown_name(where(str(name)), str(name), [*known, "start_with"]).mistakes)
    for name, field in known.items():
        if name not in written:
            if name == "backbone":
                mistakes.append(f"{where('')}: a search space needs a 'backbone'.")
            else:
                dimensions[name] = Fixed(absent[name] if name in absent else getattr(Plan, name))
            continue
        value = every_method() if name == "adaptation" and written[name] == AUTO else written[name]
        try:
            dimensions[name] = _dimension(value, name, field, where)
            if dimensions[name] == Fixed(None):  # asked for: what is not said is for the task to settle
                dimensions[name] = Options({ALONE: None})
        except TaskError as error:
            mistakes.extend(error.mistakes)
    given_plans = written.get("start_with") or []
    if not isinstance(given_plans, list | tuple):
        mistakes.append(f"{where('start_with')}: {given_plans!r} is not a list of plans such as [{{backbone: VGG16}}].")
        given_plans = []
    for index, given in enumerate(given_plans):
        try:
            plans.append(parse_plan(given, where=where(f"start_with[{index}]"), folder=folder, modality=modality))
        except TaskError as error:
            mistakes.extend(error.mistakes)
    if "unfrozen_layers" in defaults:
        _without_impossible_cuts(dimensions)
    if "tap" in defaults:
        _without_missing_taps(dimensions)
    if "image_size" in defaults:
        _at_its_own_size(dimensions)
    mistakes.extend(_impossible_cuts(dimensions, where))
    mistakes.extend(_impossible_sizes(dimensions, where))
    if mistakes:
        raise TaskError(mistakes)
    ordered = {name: dimensions[name] for name in known}
    return Space(ordered, tuple(plans), modality)


def every_method() -> dict[str, Any]:
    """What `adaptation: auto` stands for: every method, its parameters in the ranges that it declares itself."""
    return {
        "choice": {
            name: {key: dict(known.searched) for key, known in method.parameters.items() if known.searched is not None}
            for name, method in METHODS.items()
        }
    }


def _as_written(dimension: Dimension) -> Any:
    if isinstance(dimension, Fixed):
        return _plain(dimension.value)
    if isinstance(dimension, Range):
        return {dimension.scale: [dimension.low, dimension.high]}
    if isinstance(dimension, Options):
        return {"choice": [_plain(value) for value in dimension.values.values()]}
    options = {
        name: {key: _as_written(part) for key, part in inner.items()} for name, inner in dimension.options.items()
    }
    return {"choice": options}


def _plain(value: Any) -> Any:
    if value is None:
        return ALONE
    return value.as_plan_value() if isinstance(value, BackboneSpec) else value


def _dimension(value: object, path: str, field: Field, where: Where) -> Dimension:
    """The dimension of one field."""
    kind, content = _kind(value)
    if kind == "choice" and isinstance(content, Mapping):
        if field.alternatives is None:
            raise TaskError(f"{where(path)}: this field takes a list of choices, not a mapping.")
        return _alternatives(content, f"{path}.choice", field.alternatives, where, field.other_names)
    if kind == "choice":
        options = _options(content, f"{path}.choice", field.parse, where)
        if all(isinstance(option, Choice) for option in options):
            _refuse_twice([option.name for option in options], where(f"{path}.choice"))
            return Alternatives({option.name: _fixed(option.parameters) for option in options})
        labels = [_label(option) for option in options]
        twice = next((label for label in labels if labels.count(label) > 1), None)
        if twice is not None:
            raise TaskError(f"{where(f'{path}.choice')}: two of the choices are called {twice!r}. Leave one out.")
        return Options(dict(zip(labels, options, strict=True)))
    if kind is not None:
        return _range(kind, content, path, field.parse, where)
    parsed = field.parse(value, where(path))
    return Alternatives({parsed.name: _fixed(parsed.parameters)}) if isinstance(parsed, Choice) else Fixed(parsed)


def _alternatives(
    written: Mapping[Any, Any],
    path: str,
    known: Mapping[str, Mapping[str, Parameter]],
    where: Where,
    other_names: Mapping[str, str] | None,
) -> Alternatives:
    mistakes: list[str] = []
    options: dict[str, dict[str, Dimension]] = {}
    if not written:
        raise TaskError(f"{where(path)}: there is nothing to choose from.")
    for name, parameters in written.items():
        if name not in known:
            at = where(f"{path}.{name}")
            mistakes.extend(unknown_name(at, str(name), known, other_names=other_names).mistakes)
            continue
        if not isinstance(parameters, Mapping | None):
            mistakes.append(f"{where(f'{path}.{name}')}: {parameters!r} is not a mapping of parameters.")
            continue
        options[name] = {key: Fixed(parameter.default) for key, parameter in known[name].items()}
        for key, value in (parameters or {}).items():
            at = f"{path}.{name}.{key}"
            try:
                if key not in known[name]:
                    raise unknown_name(where(at), str(key), known[name])
                options[name][key] = _dimension(value, at, Field(like(known[name][key])), where)
            except TaskError as error:
                mistakes.extend(error.mistakes)
    if mistakes:
        raise TaskError(mistakes)
    return Alternatives(options)


def _range(kind: str, content: object, path: str, parse: Parse, where: Where) -> Range:
    at = where(f"{path}.{kind}")
    if not isinstance(content, list) or len(content) != 2:
        raise TaskError(f"{at}: {content!r} is not a range. Write it as [low, high].")
    low, high = (parse(end, where(f"{path}.{kind}[{index}]")) for index, end in enumerate(content))
    if not all(isinstance(end, int | float) for end in (low, high)):
        raise TaskError(f"{at}: this field holds no numbers, so it cannot be a range. Write {{choice: [...]}}.")
    if not low < high:
        raise TaskError(f"{at}: the low end {low:g} must be below the high end {high:g}.")
    if kind == "log" and low <= 0:
        raise TaskError(f"{at}: a logarithmic range starts above 0, not at {low:g}.")
    if (kind == "whole") != (isinstance(low, int) and isinstance(high, int)):
        right = "{whole: [low, high]}" if isinstance(low, int) else "{log: [low, high]} or {linear: [low, high]}"
        raise TaskError(f"{at}: this field wants {right}.")
    scale: Scale = next(name for name in SCALES if name == kind)
    return Range(low, high, scale)


def _kind(value: object) -> tuple[str | None, Any]:
    """`("choice", content)` of `{choice: content}` and so on; `(None, value)` of a plain value."""
    if isinstance(value, Mapping) and len(value) == 1:
        ((key, content),) = value.items()
        if key == "choice" or key in SCALES:
            return str(key), content
    return None, value


def _options(content: object, path: str, parse: Parse, where: Where) -> list[Any]:
    """The values of a list of choices; every mistake in it is told."""
    mistakes: list[str] = []
    options: list[Any] = []
    for option, at in _listed(content, path, where):
        try:
            options.append(parse(option, where(at)))
        except TaskError as error:
            mistakes.extend(error.mistakes)
    if mistakes:
        raise TaskError(mistakes)
    return options


def _listed(content: object, path: str, where: Where) -> Iterator[tuple[object, str]]:
    if not isinstance(content, list) or not content:
        raise TaskError(f"{where(path)}: {content!r} is not a list of choices.")
    for index, option in enumerate(content):
        yield option, f"{path}[{index}]"


def _refuse_twice(names: list[str], where: str) -> None:
    for name in names:
        if names.count(name) > 1:
            raise TaskError(
                f"{where}: {name!r} stands there twice. Write {{choice: {{{name}: {{PARAMETER: {{choice: [...]}}}}}}}}."
            )


def _fixed(parameters: Mapping[str, Any]) -> dict[str, Dimension]:
    return {key: Fixed(value) for key, value in parameters.items()}


def _label(option: Any) -> str | int | float | bool:
    if option is None:
        return ALONE
    return option.label if isinstance(option, BackboneSpec) else option


def _too_many_layers(dimensions: Mapping[str, Dimension]) -> dict[Any, tuple[BackboneSpec, int]]:
    """Values of `unfrozen_layers` that exceed what some backbone owns, as far as a table tells without loading it.

    Returns:
        The value -> the first such backbone and how many layers with weights it has.
    """
    if "backbone" not in dimensions or "unfrozen_layers" not in dimensions:
        return {}
    space = Space(dimensions)
    taps = space.values("tap") if "tap" in dimensions else [Plan.tap]
    searched = [backbone for backbone in space.values("backbone") if why_frozen(backbone) is None]
    owned = [(backbone, most_layers(backbone, taps)) for backbone in searched]
    return {
        layers: next((backbone, count) for backbone, count in owned if count is not None and layers > count)
        for layers in space.values("unfrozen_layers")
        if layers != "all" and any(count is not None and layers > count for _, count in owned)
    }


def _impossible_cuts(dimensions: Mapping[str, Dimension], where: Where) -> list[str]:
    listed = isinstance(dimensions.get("unfrozen_layers"), Options)
    mistakes = []
    for layers, (backbone, owned) in _too_many_layers(dimensions).items():
        index = Space(dimensions).values("unfrozen_layers").index(layers)
        at = where(f"unfrozen_layers.choice[{index}]" if listed else "unfrozen_layers")
        mistakes.append(
            f"{at}: {layers:g} is more than {backbone.label!r} has: {owned} layers own weights. "
            f"Write a number up to {owned}, or all."
        )
    return mistakes


def _impossible_sizes(dimensions: Mapping[str, Dimension], where: Where) -> Iterator[str]:
    """Image sizes that some backbone cannot take: every plan of the two would fail."""
    if "backbone" not in dimensions or "image_size" not in dimensions:
        return
    space = Space(dimensions)
    listed = isinstance(dimensions["image_size"], Options)
    for index, size in enumerate(space.values("image_size")):
        for backbone in space.values("backbone"):
            if size < smallest_image_size(backbone):
                yield too_small(where(f"image_size.choice[{index}]" if listed else "image_size"), size, backbone)


def _without_impossible_cuts(dimensions: dict[str, Dimension]) -> None:
    """Defaults of ours that a user's smaller backbone cannot follow are left out."""
    depths, impossible = dimensions.get("unfrozen_layers"), _too_many_layers(dimensions)
    if isinstance(depths, Options) and impossible:
        kept = {label: value for label, value in depths.values.items() if value not in impossible}
        dimensions["unfrozen_layers"] = Options(kept) if len(kept) > 1 else Fixed(next(iter(kept.values()), 0))


def _without_missing_taps(dimensions: dict[str, Dimension]) -> None:
    """Taps of ours that some backbone of the user's does not have are left out."""
    taps = dimensions.get("tap")
    if isinstance(taps, Options) and "backbone" in dimensions:
        backbones = Space(dimensions).values("backbone")
        kept = {
            label: tap
            for label, tap in taps.values.items()
            if all(has_tap(spec, tap) is not False for spec in backbones)
        }
        dimensions["tap"] = Options(kept) if len(kept) > 1 else Fixed(next(iter(kept.values()), Plan.tap))


def _at_its_own_size(dimensions: dict[str, Dimension]) -> None:
    """Sizes of ours give way to the one that the user's network was made for."""
    if "backbone" not in dimensions or "image_size" not in dimensions:
        return
    networks = [spec for spec in Space(dimensions).values("backbone") if spec.origin != CLASSICAL]
    sizes = {own_image_size(spec) for spec in networks}
    if len(sizes) == 1 and None not in sizes:
        dimensions["image_size"] = Fixed(sizes.pop())
