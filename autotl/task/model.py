"""What a user can ask for: `task.yaml` as frozen values, every default filled in.

Each class is one mapping of the file. Past this door nobody asks whether a key is there.
"""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, PrivateAttr, model_validator

from autotl.task.duration import format_duration
from autotl.task.problem import PROBLEMS
from autotl.task.section import ContradictionError, Section
from autotl.task.values import (
    Baselines,
    Classes,
    Count,
    Duration,
    DurationIfGiven,
    Encoding,
    Goals,
    Gpus,
    KnownLabels,
    LabelColumns,
    LabelsOf,
    Metric,
    Name,
    Paths,
    PathsIfGiven,
    PerClass,
    Positive,
    Price,
    ProblemName,
    SearchSpace,
    ShareOrPaths,
    StartWith,
    TestPart,
    Text,
    Texts,
    share_of,
)
from autotl.task.yaml_reader import Document, as_path, as_text, write_yaml


class Target(Section):
    """The domain that the model will be used on."""

    train: Paths
    validation: ShareOrPaths | None = None  # None: what an .npz holds beside its training rows, else a share of 0.2
    # None: what an .npz holds, else a share of 0.2 from 500 rows on, else no test
    test: TestPart = None
    labels: KnownLabels = "all"

    @model_validator(mode="after")
    def _agrees(self) -> "Target":
        wrong: list[tuple[tuple[str | int, ...], str]] = []
        if isinstance(self.test, LabelsOf) and self.labels != "none":
            wrong.append((("test",), "{labels_of: train} needs labels: none, for known labels cannot test anything."))
        if self.labels == "all" and self.validation == 0.0:
            wrong.append((("validation",), "0 leaves no example to choose a model by. Write a share such as 0.2."))
        share = share_of(self.validation)
        if isinstance(self.test, float) and share + self.test >= 1:
            wrong.append((("test",), f"{self.test:g} beside validation: {share:g} leaves nothing to train on."))
        if wrong:
            raise ContradictionError(wrong)
        return self


class Source(Section):
    """A labelled domain that helps: its examples, or what may leave its house."""

    name: Text | None = None
    train: PathsIfGiven = None
    validation: ShareOrPaths | None = None  # as the target's
    exported: Text | None = None
    statistics: Text | None = None

    @model_validator(mode="after")
    def _has_one_origin(self) -> "Source":
        given = [key for key in ("train", "exported", "statistics") if getattr(self, key) is not None]
        if len(given) != 1:
            seen = f"has {' and '.join(given)}" if given else "has no examples"
            raise ContradictionError([((), f"{seen}. Write exactly one of train, exported, statistics.")])
        if self.train is None and self.validation is not None:
            what = "an exported source" if self.exported is not None else "a source of statistics"
            raise ContradictionError([(("validation",), f"{what} has no examples to hold out. Leave it out.")])
        return self


class Columns(Section):
    """Which column of a table holds what."""

    input: Text | None = None
    # of several labels per example also columns of 0 and 1, each called after its label
    label: LabelColumns = None
    group: Text | None = None
    time: Text | None = None
    unit: Text | None = None
    drop: Texts = ()

    @property
    def labels(self) -> tuple[str, ...]:
        """The label columns that are named: none, one, or one a label."""
        return (self.label,) if isinstance(self.label, str) else self.label or ()


class DataSection(Section):
    """Where the domains come from."""

    takes_sources: ClassVar[bool] = True
    target: Target
    source: Annotated[tuple[Source, ...], Field(strict=False)] = ()
    columns: Columns = Columns()

    @model_validator(mode="before")
    @classmethod
    def _source_as_list(cls, written: Any) -> Any:
        if isinstance(written, dict) and "source" in written:
            sources = written["source"]
            return {**written, "source": tuple(sources) if isinstance(sources, list) else (sources,)}
        return written

    @model_validator(mode="after")
    def _agrees(self) -> "DataSection":
        wrong: list[tuple[tuple[str | int, ...], str]] = []
        labels = self.target.labels
        if not self.source and labels == "none":
            words = f"'none' needs a labelled source. {self._advice('all or {per_class: N}')}"
            wrong.append((("target", "labels"), words))
        if not self.source and labels == PerClass(per_class=1):
            words = f"one label a class leaves none to score on. {self._advice('{per_class: 2} or more')}"
            wrong.append((("target", "labels"), words))
        seen: set[str] = {"target"}
        for index, source in enumerate(self.source):
            name = source.name or ("source" if len(self.source) == 1 else None)
            if name is None:
                wrong.append((("source", index), "several sources need a name each, such as {name: books, train: …}."))
            elif name in seen:
                why = "is the target's own name" if name == "target" else "names two sources"
                wrong.append((("source", index, "name"), f"{name!r} {why}. Choose another."))
            if labels != "all" and source.validation == 0.0 and source.train is not None:
                words = "0 leaves nothing to check a model by while the target's labels are unknown. Write 0.2."
                wrong.append((("source", index, "validation"), words))
            seen.add(name or "")
        wrong += [*self._wrong_with_exported(), *self._wrong_with_statistics()]
        if wrong:
            raise ContradictionError(wrong)
        return self

    def _advice(self, labels: str) -> str:
        return f"Write {labels}, or add data.source." if self.takes_sources else f"Write {labels}."

    def _wrong_with_exported(self) -> list[tuple[tuple[str | int, ...], str]]:
        """What an exported source, which is a model without examples, does not go together with."""
        exported = [index for index, source in enumerate(self.source) if source.exported is not None]
        if not exported:
            return []
        wrong: list[tuple[tuple[str | int, ...], str]] = []
        if len(self.source) > 1:
            words = "an exported source brings its own model, so it stands alone. Leave the other sources out."
            wrong.append((("source", exported[0], "exported"), words))
        if self.target.labels != "none":
            words = (
                "an exported source needs 'labels: none': its model is adapted to inputs alone. To learn from target "
                "labels leave the source out and search among pretrained networks."
            )
            wrong.append((("target", "labels"), words))
        return wrong

    def _wrong_with_statistics(self) -> list[tuple[tuple[str | int, ...], str]]:
        """What sources of which only statistics are here do not go together with."""
        files = [source.statistics for source in self.source if source.statistics is not None]
        if not files:
            return []
        return [
            (("source", index, "train"), self._how_to_write_statistics(source, like=files[0]))
            for index, source in enumerate(self.source)
            if source.train
        ]

    def _how_to_write_statistics(self, source: Source, *, like: str) -> str:
        """Why a source of examples is refused beside files of sums, and the command after which it is one of them."""
        name, paths = source.name or "source", source.train or ()
        out = f"{name}.statistics.zip"
        command = ["autotl", "statistics", paths[0] if len(paths) == 1 else "DATA", "--like", like, "--name", name]
        for option, column in (("--label", self.columns.label), ("--input", self.columns.input)):
            command += [option, column] if isinstance(column, str) else []
        return (
            "a source of examples does not stand beside sources of statistics, whose head is solved from sums. Sums "
            f"add, so write its own with the same backbone, `{shlex.join([*command, '--out', out])}`, and put "
            f"{{name: {name}, statistics: {out}}} here."
        )


class Budget(Section):
    """When a search must stop: whichever limit is met first."""

    trials: Count = 50
    wall: Duration = timedelta(hours=1)
    seeds: Count = 3  # with how many the best few are trained before one is called the winner; 1: none is repeated
    # of one trial, its features included; one that hangs is ended without it, too
    trial_wall: DurationIfGiven = None


class Resources(Section):
    """What one trial may occupy."""

    cpus_per_trial: Count = 1
    gpus_per_trial: Gpus = "auto"
    precision: Literal["float32", "bfloat16"] = "float32"  # of frozen layers; bfloat16 is faster and off by per cents
    # of the whole machine, such as 2.40 EUR: the report says what the search cost
    price_per_hour: Price = None


class Limits(Section):
    """What the winner must satisfy."""

    latency_ms: Positive | None = None
    model_mb: Positive | None = None


class Audit(Section):
    """What the user knows about the data and accepts."""

    allow: Texts = ()
    rare: Literal["error", "drop"] = "error"  # a class with a single example
    merge: dict[str, Text] = Field(default_factory=dict)  # class as written → class it means


def _filled(written: Any) -> Any:
    """An empty key would leave examples unprotected that somebody meant to protect."""
    if written is None:
        example = "{epsilon: 3, delta: 1.0e-5, protects: target}"
        raise ValueError(f"is empty, and would protect nobody. Write for example {example}, or remove it.")
    return written


class Privacy(Section):
    """A budget of differential privacy for the whole search."""

    epsilon: Positive
    delta: Annotated[float, Field(gt=0, lt=1)]
    protects: Literal["source", "target"]
    # own networks, by their paths, that have never seen a protected example
    public_backbones: Texts = ()


class JointData(DataSection):
    """The data of one of several tasks that are learnt together."""

    takes_sources: ClassVar[bool] = False


class JointTask(Section):
    """One of several tasks that are learnt together: what sets it apart from the others."""

    name: Name
    data: JointData
    metric: Metric | None = None
    positive: Text | None = None


class Task(Section):
    """All that a user asked for. Values compare equal when everything written means the same."""

    name: Name
    modality: Literal["image", "text", "table", "signal"] | None = None  # None: told by the data
    data: DataSection
    problem: ProblemName = "classification"  # what is learnt of an example; `autotl.task.problem` says what each means
    # None: the domains must agree; names: only these, the others are left out
    classes: Classes = None
    positive: Text | None = None
    metric: Metric | None = None  # None: told by the classes' counts
    budget: Budget = Budget()
    search_space: SearchSpace = None  # None: the modality's own
    start_with: StartWith = ()
    baselines: Baselines = "auto"
    weights: Literal["balanced", "none"] = "none"
    resources: Resources = Resources()
    limits: Limits = Limits()
    # what is searched for: the best score alone, or the front of score and costs
    goals: Goals = ("score",)
    audit: Audit = Audit()
    encoding: Encoding = "utf-8"
    window: Count | None = None
    stride: Count | None = None
    deterministic: bool = False
    privacy: Annotated[Privacy | None, BeforeValidator(_filled)] = None
    tasks: Annotated[tuple[JointTask, ...], Field(strict=False)] = ()
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0

    _folder: Path = PrivateAttr(default_factory=Path)
    _document: Document | None = PrivateAttr(default=None)
    _holds_several: bool = PrivateAttr(default=False)
    _places: Mapping[str, tuple[str | int, ...]] = PrivateAttr(default_factory=dict)  # of keys that stand elsewhere
    _companions_at: tuple[int, ...] | None = PrivateAttr(default=None)  # places of `tasks` in a file that lists it, too

    @model_validator(mode="before")
    @classmethod
    def _first_task_stands_for_all(cls, written: Any) -> Any:
        # a file of several tasks has no data of its own; `autotl.task.together` makes a task of each
        if isinstance(written, dict) and "data" not in written and isinstance(written.get("tasks"), list):
            if not written["tasks"]:
                words = "lists no task. Write two or more, or 'data: {target: {train: photos}}' for one."
                raise ContradictionError([(("tasks",), words)])
            first = next(iter(written["tasks"]), None)
            if isinstance(first, dict) and "data" in first:
                return {**written, "data": first["data"]}
        return written

    @model_validator(mode="after")
    def _agrees(self) -> "Task":
        wrong: list[tuple[tuple[str | int, ...], str]] = []
        if not self.data.source and "source_only" in (self.baselines if isinstance(self.baselines, tuple) else ()):
            words = "'source_only' needs a labelled source. Add data.source, or leave it out."
            wrong.append((("baselines", self.baselines.index("source_only")), words))
        wrong += self._wrong_with_problem()
        wrong += self._wrong_together()
        if wrong:
            raise ContradictionError(wrong)
        return self

    def _wrong_with_problem(self) -> list[tuple[tuple[str | int, ...], str]]:
        """Keys that mean nothing for what is learnt, and a metric that cannot measure it."""
        problem = PROBLEMS[self.problem]
        is_written = {
            "positive": self.positive is not None,
            "classes": self.classes is not None,
            "weights": self.weights != "none",
            "audit.merge": bool(self.audit.merge),
            "audit.rare": self.audit.rare != "error",
            "data.target.labels": isinstance(self.data.target.labels, PerClass),
            "tasks": bool(self.tasks),
        }
        wrong: list[tuple[tuple[str | int, ...], str]] = [
            (as_path(key), why) for key, why in problem.no_keys.items() if is_written[key]
        ]
        if problem.no_sums:
            words = f"sums over a source {problem.no_sums}. Give its examples, or leave it out."
            places = [index for index, source in enumerate(self.data.source) if source.statistics is not None]
            wrong += [(("data", "source", index, "statistics"), words) for index in places]
        if isinstance(self.data.columns.label, tuple) and not problem.takes_label_columns:
            words = "several label columns are several labels per example. Write 'problem: multilabel', or name one."
            wrong.append((("data", "columns", "label"), words))
        if problem.name != "classification" and self.privacy is not None:
            words = f"private heads tell classes, and 'problem: {problem.name}' asks for something else. Leave it out."
            wrong.append((("privacy",), words))
        for index, source in enumerate(self.data.source):
            if problem.name != "classification" and source.exported is not None:
                words = f"such a source tells classes, and 'problem: {problem.name}' asks for something else."
                wrong.append((("data", "source", index, "exported"), f"{words} Name its examples with 'train'."))
        if self.metric is not None and self.metric not in problem.metrics:
            fitting = [other.name for other in PROBLEMS.values() if self.metric in other.metrics]
            hint = f"Allowed: {', '.join(problem.metrics)}. Or write 'problem: {fitting[0]}'."
            wrong.append((("metric",), f"{self.metric!r} cannot measure 'problem: {problem.name}'. {hint}"))
        return wrong

    def _wrong_together(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """What tasks that are learnt together cannot have."""
        if not self.tasks:
            return
        named: set[str] = set()
        if vars(self.data) != vars(self.tasks[0].data):  # it has data of its own: the others are learnt beside it
            named.add(self.name.lower())
            yield from _wrong_with_others(("data",), self.data)
        elif len(self.tasks) == 1:
            words = "one task has no other to be learnt together with. Add a second one, or write its data at the top."
            yield ("tasks",), words
        for index, each in enumerate(self.tasks):
            place: tuple[str | int, ...] = ("tasks", index)
            if each.name.lower() in named:
                yield (*place, "name"), f"{each.name!r} names two tasks. Choose another."
            named.add(each.name.lower())
            if each.metric is not None and each.metric not in PROBLEMS[self.problem].metrics:
                yield (*place, "metric"), f"{each.metric!r} cannot measure 'problem: {self.problem}'."
            yield from _wrong_with_others((*place, "data"), each.data)
        if self.privacy is not None:
            words = "the other tasks' labels would be learnt from unprotected. Search the task alone, without 'tasks'."
            yield ("privacy",), words

    @property
    def holds_several(self) -> bool:
        """Whether the file has no data of its own: it is a list of tasks, and no task."""
        return self._holds_several

    @property
    def folder(self) -> Path:
        """Where the file stands: relative paths in it start here."""
        return self._folder

    def resolve(self, path: str | Path) -> Path:
        """The absolute path that a path of the file means."""
        return (self._folder / Path(path).expanduser()).absolute()

    def as_yaml(self, **decided: object) -> str:
        """The task as a file again, every default filled in; `decided` replaces what the data has settled by now.

        Keys without a value are left out.
        """
        return write_yaml(_plain({**{key: getattr(self, key) for key in type(self).model_fields}, **decided}))

    def where(self, path: str | Sequence[str | int]) -> str:
        """`task.yaml:9:13: search_space.backbone.choice[1]`, the beginning of a message about a value of the file."""
        if self._document is None:
            return as_text(self._in_file(path))
        return self._document.where(self._in_file(path))

    def where_key(self, path: str | Sequence[str | int]) -> str:
        """Like `where`, with the line and column of the key; the words name the mapping that holds it."""
        if self._document is None:
            return as_text(self._in_file(path)[:-1])
        return self._document.where_key(self._in_file(path))

    def place_in_file(self, companion: int) -> int:
        """Where in the file's list of tasks one of `tasks` stands."""
        return companion if self._companions_at is None else self._companions_at[companion]

    def _in_file(self, path: str | Sequence[str | int]) -> tuple[str | int, ...]:
        """The path as the file has it: of one of several tasks, what is its own stands further in."""
        parts = as_path(path)
        moved = self._places.get(str(parts[0])) if parts else None
        return parts if moved is None else (*moved, *parts[1:])


def _wrong_with_others(place: tuple[str | int, ...], data: DataSection) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """What the data of a task cannot have that is learnt together with others."""
    if data.source:
        words = "a task that is learnt together with others has no source: the other tasks are what helps it."
        yield (*place, "source"), words
    elif data.target.labels == "none":
        words = "a task that is learnt together with others needs labels. Write all or {per_class: N}."
        yield (*place, "target", "labels"), words


def _plain(value: object) -> object:
    """A value of the model as the file would hold it."""
    if isinstance(value, timedelta):
        return format_duration(value)
    if isinstance(value, Section):
        return _plain({key: getattr(value, key) for key in type(value).model_fields})
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items() if item is not None}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value
