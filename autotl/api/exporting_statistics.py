"""`statistics`: from the examples of a house to the sums that may leave it, and from several files to one."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autotl.api.asked import versions
from autotl.api.orders import order_of_workshop
from autotl.api.quiet import import_keras
from autotl.backbones import BackboneSpec, offline_by_environment, why_not_at_hand
from autotl.data import load_data
from autotl.data.examples import TaskData
from autotl.data.first_look import Asked
from autotl.data.noising import Noise
from autotl.data.proposal import propose
from autotl.data.statistics_file import (
    FeaturesOf,
    StatisticsError,
    StatisticsFile,
    added,
    read_statistics,
    write_statistics,
)
from autotl.errors import DataError, EnvironmentProblemError, StorageError, TaskError, UsageError, suggestion
from autotl.plan import Plan
from autotl.plan.baselines import sized_like
from autotl.plan.fields import AUTO, parse_plan
from autotl.plan.from_statistics import READING, why_not_public
from autotl.plan.modalities import MODALITIES
from autotl.plan.reading import read_space
from autotl.task import PerClass, Task, read_task, task_from_mapping
from autotl.task.template import as_mapping
from autotl.trial.private.noise import SecretDraws, new_key

TASK_ENDINGS = (".yaml", ".yml", ".json")
RARE = ("refuse", "leave_out")


@dataclass(frozen=True)
class FeaturesAsked:
    """Which features the statistics are to be of; what is left out comes from the task's search space or `like`.

    Attributes:
        backbone, image_size, crop, tap, sequence_length, pooling: as in a plan.
        like: a file of another house, whose features these are to be.
    """

    backbone: str | None = None
    image_size: int | None = None
    crop: str | None = None
    tap: str | None = None
    sequence_length: int | None = None
    pooling: str | None = None
    like: Path | str | None = None

    @property
    def given(self) -> Mapping[str, Any]:
        """Fields of a plan that were given."""
        every = {name: getattr(self, name) for name in ("backbone", *READING)}
        return {name: value for name, value in every.items() if value is not None}


@dataclass(frozen=True)
class WrittenStatistics:
    """A file that was written.

    Attributes:
        sentences: what is in it, for whoever decides whether it may leave.
    """

    path: Path
    file: StatisticsFile
    sentences: tuple[str, ...]


def write_statistics_of(
    data: Path | str,
    *,
    out: Path | str,
    features: FeaturesAsked | None = None,
    name: str | None = None,
    domain: str = "target",
    rare: str = "refuse",
    noise: Noise | None = None,
    about: Asked | None = None,
) -> WrittenStatistics:
    """Sums of the features of a house's labelled examples, per class and over all, into a file of a few megabytes.

    Args:
        data: a task file, or a folder, table or `.npz` of labelled examples.
        out: the file to write; there must be none yet.
        features: of which backbone, and how examples are read.
        name: of the house; the task's name where left out.
        domain: of a task, which of its domains.
        rare: what becomes of classes with fewer than ten examples: `refuse` or `leave_out`.
        noise: with which differential privacy holds for each example; None for none.
        about: of data without a task file, what cannot be told from them.
    Raises:
        UsageError: the file is there already, or an option makes no sense.
        DataError: the data cannot be used, or a sum would tell of single examples.
    """
    path, asked = _free(out), features or FeaturesAsked()
    if rare not in RARE:
        raise UsageError(f"--rare: {rare!r} is not known. {suggestion(rare, RARE)}")
    task = _task_of(Path(data), about or Asked())
    if task.privacy is not None:
        words = (
            "is the budget of a search, and statistics are not counted in it. Leave it out, and add noise by --epsilon."
        )
        raise UsageError(f"{task.where('privacy')}: {words}")
    task = task if noise is None else _without_drawn_rows(task, domain)
    read = load_data(task)
    plan = _plan(task, read, asked)
    import_keras()
    from autotl.production.statistics_export import house_of, statistics_of, without_rare

    order = order_of_workshop(task, read, metric=task.metric or read.metric, offline=offline_by_environment())
    bench = order().bench
    learner = bench.learner(plan, lambda: None)
    learner.trainer.division.activate()
    described = _described(plan, read, learner.trainer.network)
    house = house_of(name or task.name, read, domain, learner.head_inputs)
    if rare == "leave_out" and noise is None:
        house = without_rare(house)
    made = statistics_of(
        house,
        described,
        noise=noise,
        versions=versions(),
        draws=SecretDraws(new_key(), "statistics"),
        leave_out_rare=rare == "leave_out",
    )
    _check_like(asked, made)
    written = _write(path, made)
    left_out = sorted(set(read.classes) - set(written.classes))
    left = f"Left out, with fewer than 10 examples: {', '.join(left_out)}." if left_out else ""
    return WrittenStatistics(path, written, (*statistics_words(path, written), *([left] if left else [])))


def add_statistics(files: Sequence[Path | str], *, out: Path | str) -> WrittenStatistics:
    """Several files as one: the statistics of all their examples together.

    Raises:
        UsageError: fewer than two files, or the output is there already.
        DataError: one cannot be read, or they do not go together.
    """
    path = _free(out)
    if len(files) < 2:
        raise UsageError("--add needs two files or more.")
    try:
        total = added([(str(each), _opened(Path(each))) for each in files])
    except StatisticsError as error:
        raise DataError(str(error)) from error
    written = _write(path, total)
    return WrittenStatistics(path, written, tuple(statistics_words(path, written)))


def statistics_words(path: Path, file: StatisticsFile) -> list[str]:
    """What is in a file, for whoever decides whether it may leave."""
    houses = ", ".join(f"{site.name} ({site.examples:,} examples)" for site in file.sites)
    held_out = (
        "Nothing is held out in it: some class has too few examples to be told of twice."
        if file.held_out is None
        else f"{file.held_out.examples:,.0f} of the examples are held out: they are told of by sums of their own."
    )
    lines = [
        f"{path} holds, of {houses}: counts and feature sums of {len(file.classes)} classes "
        f"({', '.join(file.classes[:5])}{' …' if len(file.classes) > 5 else ''}) and the products of "
        f"{file.features.words}.",
        held_out,
    ]
    lines += [
        f"{site.name}: a discriminant made of the rest reads {site.measured.accuracy:.1%} of "
        f"{site.measured.examples:,} held-out examples right."
        for site in file.sites
        if site.measured is not None
    ]
    noises = {(site.noise.epsilon, site.noise.delta) for site in file.sites if site.noise is not None}
    if len([site for site in file.sites if site.noise is not None]) == len(file.sites):
        told = "; ".join(f"ε = {epsilon:g}, δ = {delta:g}" for epsilon, delta in sorted(noises))
        lines.append(
            f"Noise was added: differential privacy for each example, {told}. The class names are taken as known."
        )
    else:
        lines.append(
            "It holds no example, no features of one, no text and no file name. Without noise that is no guarantee: "
            "two files whose examples differ by one tell that one. docs/statistics.md says when that matters."
        )
    if file.whole.examples < file.features.width:
        lines.append(
            f"There are fewer examples than features ({file.whole.examples:,.0f} and {file.features.width:,}): the "
            "products then tell in which directions all of them lie. An earlier --tap, or another backbone, has fewer."
        )
    lines.append(
        f"Next, in the other house, a task with data: {{target: {{train: PATH, labels: none}}, source: {{statistics: "
        f"{path.name}}}}}"
    )
    return lines


def noise_of(epsilon: float | None, delta: float | None, clip: float | None) -> Noise | None:
    """The noise that a command line asks for; None where it asks for none.

    Raises:
        UsageError: only a part of it is said, or what is said makes no sense.
    """
    given = {"--epsilon": epsilon, "--delta": delta, "--clip": clip}
    if all(value is None for value in given.values()):
        return None
    if epsilon is None or delta is None or clip is None:
        missing = ", ".join(name for name, value in given.items() if value is None)
        raise UsageError(
            f"noise needs --epsilon, --delta and --clip together; {missing} is missing. --clip is the largest norm of "
            "an example's features, and must not be chosen by these data: take the median norm over public ones."
        )
    if not (0 < epsilon < math.inf and 0 < delta < 1 and 0 < clip < math.inf):
        raise UsageError("--epsilon and --clip must be above 0, and --delta between 0 and 1.")
    noise = Noise(epsilon, delta, clip)
    try:
        _ = noise.deviation
    except ValueError as error:
        raise UsageError(f"--epsilon, --delta: {error}. Write larger ones.") from error
    return noise


def _free(out: Path | str) -> Path:
    path = Path(out)
    if path.exists():
        raise UsageError(f"{path} is there already and is not overwritten. Choose another --out, or remove it.")
    if not path.absolute().parent.is_dir():
        raise UsageError(f"{path}: there is no folder {path.parent}. Make it, or choose another --out.")
    return path


def _opened(path: Path) -> StatisticsFile:
    try:
        return read_statistics(path)
    except StatisticsError as error:
        raise DataError(f"{path} {error}") from error


def _write(path: Path, file: StatisticsFile) -> StatisticsFile:
    try:
        return write_statistics(path, file)
    except StatisticsError as error:
        raise DataError(f"{path} {error}") from error
    except OSError as error:
        raise StorageError(f"{path}: cannot be written: {error.strerror}.") from error


def _task_of(path: Path, about: Asked) -> Task:
    """The task of a file, or one made on the spot for examples, of which none is set aside as a test."""
    if path.suffix in TASK_ENDINGS and path.is_file():
        return read_task(path)
    if not path.exists():
        raise UsageError(
            f"{path}: there is nothing. Name a task file, or a folder, table or .npz of labelled examples."
        )
    folder = Path.cwd()
    mapping = as_mapping(list(propose([path], folder=folder, asked=about).lines))
    mapping["data"]["target"]["test"] = 0.0
    return task_from_mapping(mapping, folder=folder)


def _without_drawn_rows(task: Task, domain: str) -> Task:
    """The task without a test that is drawn from all rows: whom noise is to hide may not move others in or out.

    Raises:
        UsageError: the task asks for such a draw.
    """
    target = task.data.target
    if domain != "target":
        return task
    if isinstance(target.labels, PerClass):
        words = "draws some examples of all: with noise one more must move no other. Write 'labels: all'."
        raise UsageError(f"{task.where('data.target.labels')}: {words}")
    if isinstance(target.test, float) and target.test > 0:
        words = "draws a share of all: with noise one more must move no other. Name a path, or write test: none."
        raise UsageError(f"{task.where('data.target.test')}: {words}")
    if target.test is not None:
        return task
    alone = target.model_copy(update={"test": 0.0})
    return task.model_copy(update={"data": task.data.model_copy(update={"target": alone})})


def _plan(task: Task, data: TaskData, asked: FeaturesAsked) -> Plan:
    """A frozen backbone and how it reads examples."""
    if data.problem.no_sums:
        raise DataError(f"statistics {data.problem.no_sums}: 'problem: {data.problem.name}' has none to write.")
    if data.modality == "table":
        raise DataError(
            "tables have no public backbone, and each house would scale their columns in its own way: statistics are "
            "of images, texts and signals."
        )
    like = _opened(Path(asked.like)).features if asked.like is not None else None
    if like is not None and like.modality != data.modality:
        raise DataError(f"{asked.like} tells of {like.modality}s, and the data are {data.modality}s.")
    space = read_space(task, data.modality)
    written: dict[str, Any] = {name: value for name, value in sized_like(space).items() if name in READING and value}
    if written.get("sequence_length") == AUTO:  # by the texts of this house, others would have other lengths
        written["sequence_length"] = MODALITIES[data.modality].own_fields["sequence_length"]
    if like is not None:
        written |= {name: value for name, value in like.reading.items() if name in READING} | {
            "backbone": like.backbone
        }
    written |= asked.given
    if "backbone" not in written:
        written["backbone"] = _first_public(space.values("backbone")).as_plan_value()
    try:
        plan = parse_plan(written, where="features", folder=Path.cwd(), modality=data.modality).canonical()
    except TaskError as error:
        raise UsageError("\n".join(error.mistakes)) from error
    reason = why_not_public(plan.backbone)
    if reason is not None:
        raise UsageError(f"--backbone: {plan.backbone.label!r} {reason}")
    missing = why_not_at_hand(plan.backbone, offline=offline_by_environment())
    if missing is not None:
        raise EnvironmentProblemError(missing)
    return plan


def _first_public(backbones: Sequence[BackboneSpec]) -> BackboneSpec:
    """Of those that a space names, the first whose weights are public and at hand."""
    offline = offline_by_environment()
    public = [spec for spec in backbones if why_not_public(spec) is None]
    at_hand = [spec for spec in public if why_not_at_hand(spec, offline=offline) is None]
    if not at_hand:
        raise UsageError("the search space names no public backbone that is at hand. Name one: --backbone NAME")
    return at_hand[0]


def _described(plan: Plan, data: TaskData, network: Any) -> FeaturesOf:
    from autotl.trial.forms import form_of

    reading = {name: value for name in READING if (value := getattr(plan, name)) is not None}
    window = form_of(plan, data).window
    return FeaturesOf(
        modality=data.modality,  # type: ignore[arg-type]  # a table was refused
        backbone=plan.backbone.as_plan_value(),
        reading=reading if window is None else {**reading, "window": list(window)},
        width=network.feature_width,
        fingerprint=network.digest,
    )


def _check_like(asked: FeaturesAsked, made: StatisticsFile) -> None:
    if asked.like is None:
        return
    try:
        added([(str(asked.like), _opened(Path(asked.like))), ("the new file", made)])
    except StatisticsError as error:
        raise DataError(str(error)) from error
