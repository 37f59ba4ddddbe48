"""From a task to its search space and given plans, whether written in the task, in files of their own, or shipped."""

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from autotl.adaptation import METHODS
from autotl.backbones import BackboneSpec
from autotl.backbones.exported import spec_of
from autotl.data.exported import exported_of
from autotl.data.statistics_file import FeaturesOf, StatisticsError, statistics_of_task
from autotl.errors import TaskError, unknown_name
from autotl.plan.fields import parse_plan
from autotl.plan.from_statistics import SEARCHED as SEARCHED_OVER_SUMS
from autotl.plan.from_statistics import brought_by, why_not_over
from autotl.plan.plan import SOLVED, Choice, Plan
from autotl.plan.source_free import SEARCHED, brought_fields
from autotl.plan.space import Space, Where, parse_space
from autotl.plan.suiting import why_not_source_free
from autotl.task import PROBLEMS, Task
from autotl.task.yaml_reader import Document, read_yaml

_IN_WHEEL = Path(__file__).parents[1] / "search_spaces"
_IN_CHECKOUT = Path(__file__).parents[2] / "search_spaces"


def shipped_spaces() -> dict[str, Path]:
    """The spaces that come with autotl, by name."""
    folder = _IN_WHEEL if _IN_WHEEL.is_dir() else _IN_CHECKOUT
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def shipped_portfolio(modality: str) -> list[dict[str, Any]]:
    """Plans that do well on most tasks of a modality, the most useful first, as leaderboards write them; fields that
    were the same in all recorded plans are left out.

    `benchmarks.search.portfolio` makes them; of a modality without recorded tasks there are none.
    """
    folder = _IN_WHEEL if _IN_WHEEL.is_dir() else _IN_CHECKOUT
    path = folder / "portfolios" / f"{modality}.yaml"
    written = read_yaml(path).value if path.is_file() else []
    assert isinstance(written, list)
    return [dict(plan) for plan in written]


def read_space(task: Task, modality: str = "image") -> Space:
    """The space that a task searches: a shipped one, a file, or the modality's own with some entries replaced.

    Over an exported source only what adapts it is searched: it brings network and head.

    Raises:
        TaskError: with every mistake in it, each with file, line and column.
    """
    written, where, folder, defaults = _written_space(task, modality)
    over = features_of_statistics(task)
    if over is not None:
        return _over_statistics(task, over, where, folder, modality)
    exported = exported_of(task)
    if exported is None:
        space = parse_space(written, where=where, folder=folder, defaults=defaults, modality=modality)
        named = [*space.values("backbone"), *(plan.backbone for plan in space.start_with)]
        _raise_all(_exported_elsewhere(named, where("backbone")))
        _raise_all(_solved_in_vain([*space.values("head"), *(plan.head for plan in space.start_with)], task, where))
        return space
    _raise_all(_brought_anyway(task))
    backbone = spec_of(exported)
    searched = {name: value for name, value in written.items() if name in SEARCHED}
    searched["backbone"] = backbone.as_plan_value()
    space = parse_space(searched, where=where, folder=folder, defaults=defaults, modality=modality)
    reasons = {name: why_not_source_free(METHODS[name]) for name in (each.name for each in space.values("adaptation"))}
    if None not in reasons.values():
        _raise_all([f"{where('adaptation')}: {name!r} {reason}." for name, reason in reasons.items()])
    return space.with_fixed(brought_fields(backbone))


def _over_statistics(task: Task, over: FeaturesOf, where: Where, folder: Path, modality: str) -> Space:
    """What is searched over a source of which only statistics are here: features are theirs, and the head is solved."""
    asked = task.search_space
    if isinstance(asked, str) and asked not in shipped_spaces():
        words = f"over statistics only {', '.join(SEARCHED_OVER_SUMS)} are searched. Write them here, or leave it out."
        raise TaskError(f"{task.where('search_space')}: {words}")
    given = asked if isinstance(asked, Mapping) else {}
    words = f"statistics bring their own, or nothing reads it. Searched are {', '.join(SEARCHED_OVER_SUMS)}."
    _raise_all([f"{where(name)}: {words}" for name in given if name not in SEARCHED_OVER_SUMS])
    searched = {**SEARCHED_OVER_SUMS, **given, **brought_by(over)}
    space = parse_space(searched, where=where, folder=folder, defaults=tuple(searched), modality=modality)
    trained = [head.name for head in space.values("head") if head.name not in SOLVED]
    words = f"learns from examples, and over statistics heads are solved. Allowed: {', '.join(SOLVED)}."
    _raise_all([f"{where('head')}: {name!r} {words}" for name in trained])
    return space


def _solved_in_vain(heads: Iterable[Choice], task: Task, where: Where) -> list[str]:
    """Heads that are solved from sums over classes, where there are none."""
    why = PROBLEMS[task.problem].no_sums
    names = dict.fromkeys(head.name for head in heads if head.name in SOLVED)
    return [
        f"{where('head')}: {name!r} is solved from sums that {why}. Allowed: linear, hidden." for name in names if why
    ]


def _written_space(task: Task, modality: str) -> tuple[Mapping[str, Any], Where, Path, Collection[str]]:
    """The fields as they are written, what tells their places, where relative paths start, and which are ours."""
    asked = task.search_space
    own = shipped_spaces()[modality]
    if isinstance(asked, str):
        path = _named(asked, task)
        document = read_yaml(path)
        return _mapping(document), document.where, path.parent, ()
    base = read_yaml(own)
    if asked is None:
        ours = () if exported_of(task) is None else tuple(_mapping(base))  # of a network that is not known to them
        return _mapping(base), base.where, own.parent, ours
    fields = {**_mapping(base), **asked}
    return fields, _inline(task, asked, base), task.folder, [name for name in fields if name not in asked]


def _brought_anyway(task: Task) -> list[str]:
    """Fields of a search space in the task that an exported source brings itself."""
    asked = task.search_space if isinstance(task.search_space, Mapping) else {}
    words = f"an exported source brings its own, or nothing reads it. Searched are {', '.join(SEARCHED)}."
    return [f"{task.where(f'search_space.{name}')}: {words}" for name in asked if name not in SEARCHED]


def features_of_statistics(task: Task) -> FeaturesOf | None:
    """What the task's sources of statistics are of; None where it has none that can be read (told elsewhere)."""
    try:
        files = statistics_of_task(task)
    except StatisticsError:
        return None
    return files[0][1].features if files else None


def _exported_elsewhere(backbones: Iterable[BackboneSpec], where: str) -> list[str]:
    """Exported sources that are named as if they were pretrained networks: they are adapted without examples only."""
    words = "is an exported source. Name it in data.source: {exported: FILE}."
    return [f"{where}: {backbone.label!r} {words}" for backbone in backbones if backbone.has_head]


def _raise_all(mistakes: list[str]) -> None:
    if mistakes:
        raise TaskError(mistakes)


def read_plans(task: Task, file: Path | None, modality: str = "image") -> list[Plan]:
    """Plans to train before any other: of `start_with:` in the task, then of the file given on the command line.

    Raises:
        TaskError: with every mistake in them.
    """
    plans: list[Plan] = []
    mistakes: list[str] = []
    files = [] if file is None else [file]
    if isinstance(task.start_with, str):
        files.insert(0, task.resolve(task.start_with))
    else:
        for index, written in enumerate(task.start_with):
            _collect(written, task.where(f"start_with[{index}]"), task.folder, modality, plans, mistakes)
    for path in files:
        document = read_yaml(path)
        if not isinstance(document.value, list):
            mistakes.append(f"{path}: holds no list of plans. Write one plan after another, each behind a '- '.")
            continue
        for index, written in enumerate(document.value):
            _collect(written, document.where(f"[{index}]"), path.parent, modality, plans, mistakes)
    over = features_of_statistics(task)
    if over is not None:
        known = task.data.target.labels != "none"
        reasons = [words for plan in plans for words in why_not_over(over, plan, has_target_labels=known)]
        mistakes += [f"{task.where('start_with')}: {words}" for words in dict.fromkeys(reasons)]
    mistakes += _solved_in_vain([plan.head for plan in plans], task, lambda _: task.where("start_with"))
    if exported_of(task) is None:
        mistakes += _exported_elsewhere([plan.backbone for plan in plans], task.where("start_with"))
    else:
        words = "the source is an exported model, so every plan starts from it: its backbone is {exported: FILE}."
        others = [plan.backbone.label for plan in plans if not plan.backbone.has_head]
        mistakes += [f"{task.where('start_with')}: {label!r}: {words}" for label in others]
    _raise_all(mistakes)
    return plans


def _collect(written: object, where: str, folder: Path, modality: str, plans: list[Plan], mistakes: list[str]) -> None:
    try:
        plans.append(parse_plan(written, where=where, folder=folder, modality=modality))
    except TaskError as error:
        mistakes.extend(error.mistakes)


def _named(name: str, task: Task) -> Path:
    shipped = shipped_spaces()
    if name in shipped:
        return shipped[name]
    path = task.resolve(name)
    if path.is_file():
        return path
    if "/" in name or name.endswith((".yaml", ".yml", ".json")):
        raise TaskError(f"{task.where('search_space')}: there is no file {name!r} (looked in {task.folder}).")
    raise unknown_name(task.where("search_space"), name, shipped)


def _mapping(document: Document) -> Mapping[str, Any]:
    if not isinstance(document.value, Mapping):
        raise TaskError(f"{document.where('')}: a search space is a mapping of fields such as image_size: 128.")
    return document.value


def _inline(task: Task, written: Mapping[str, Any], base: Document) -> Where:
    """Fields written in the task are complained about there, the others in the shipped file."""

    def where(path: str) -> str:
        field = path.split(".")[0].split("[")[0]
        return (
            task.where(f"search_space.{path}" if path else "search_space")
            if field in written or not path
            else base.where(path)
        )

    return where
