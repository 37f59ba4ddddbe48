"""What a person is told of the data before and after it is read; plain JSON values, and no hidden label."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import cast

import numpy as np
import xxhash

from autotl.data import audit
from autotl.data.examples import Rows, TaskData
from autotl.data.exported import ExportedSource
from autotl.data.labels import LABELS
from autotl.data.listing import Survey, is_hidden, survey
from autotl.data.records import Records
from autotl.data.setting import setting_of, what_follows
from autotl.data.splits import FEW_IN_CLASS, FEW_VALIDATION
from autotl.data.statistics_file import Site, StatisticsFile, StatisticsSource
from autotl.data.texts import Texts
from autotl.data.windows import Windows
from autotl.task import LabelsOf, PerClass, Task
from autotl.task.values import DEFAULT_SHARE, share_of

TEST_FROM_ROWS = 500  # with fewer given rows no test is set aside unless asked for


def describe(task: Task) -> dict[str, object]:
    """The task's domains, classes, transfer setting and what follows, from listings alone. Plain JSON values."""
    listed = survey(task)
    classes, _ = audit.classes_of(task, listed)
    kind, metric = LABELS[task.problem], audit.metric_of(task, known_counts(task, listed))
    domains: dict[str, object] = {}
    for domain in listed.domains:
        splits: dict[str, object] = {}
        for name in ("train", "validation", "test"):
            if (domain, name) in listed.splits:
                splits[name] = {"rows": listed.rows(domain, name)}
        if not is_hidden(task, domain):
            splits |= kind.listed(listed.counts(domain))
        domains[domain] = splits
    if listed.exported is not None:
        domains[name_of_exported(task)] = dict(_of_exported(listed.exported))
    for name, file in listed.statistics:
        domains[name] = _of_statistics(file)
    return {
        "task": task.name,
        "modality": listed.modality,
        "setting": setting_of(task),
        "follows": list(what_follows(task, metric)),
        "problem": task.problem,
        "metric": metric,
        "classes": list(classes),
        "domains": domains,
        "scored": _scored(task, listed, classes),
        "notes": list(notes(task, listed)),
    }


def _scored(task: Task, listed: Survey, classes: Sequence[str]) -> dict[str, int] | None:
    """Labelled target examples that a plan will be scored on, as far as listings tell; None where it has none.

    Returns:
        `rows`, and `smallest_class`: how many of them the rarest class has; all of them where there are no classes.
    """
    target, kind = task.data.target, LABELS[task.problem]
    if target.labels == "none":
        return None
    if isinstance(target.labels, PerClass):  # how many the hidden labels would really give is not told
        count = target.labels.per_class
        return {"rows": len(classes) * count, "smallest_class": count}
    if ("target", "validation") in listed.splits:
        labels = listed.labels("target", "validation") or []
        return {"rows": len(kind.usable(labels, classes)), "smallest_class": int(kind.per_name(labels, classes).min())}
    labels = listed.labels("target", "train") or []
    rows, smallest = len(kind.usable(labels, classes)), int(kind.per_name(labels, classes).min())
    share = share_of(target.validation)
    if round(rows * share) < FEW_VALIDATION or round(smallest * share) < FEW_IN_CLASS:
        share = 1 - share_of_test(task, listed, rows)
    return {"rows": round(rows * share), "smallest_class": round(smallest * share)}


def share_of_test(task: Task, listed: Survey, rows: int) -> float:
    """The share of the target's training rows that is set aside as the test.

    Args:
        rows: usable rows of the training paths.
    """
    has_labels = listed.labels("target", "train") is not None
    return share_set_aside(task, rows, has_test=("target", "test") in listed.splits, has_labels=has_labels)


def share_set_aside(task: Task, rows: float, *, has_test: bool, has_labels: bool) -> float:
    """The same share, told by whether the target has a test of its own, and labels."""
    written = task.data.target.test
    if written is None and not has_test and rows >= TEST_FROM_ROWS:
        return DEFAULT_SHARE if has_labels else 0.0
    return written if isinstance(written, float) else 0.0


def notes(task: Task, listed: Survey) -> Iterator[str]:
    """What a person should know before a search: whether there is a test, what was noticed, which metric suits."""
    target, rows = task.data.target, _usable_rows(task, listed)
    if ("target", "test") in listed.splits or isinstance(target.test, LabelsOf):
        pass
    elif target.labels == "none" and listed.labels("target", "train") is None:
        yield "No test: the target has no labels to test with."
    elif target.test is None and rows < TEST_FROM_ROWS:
        yield f"No test set: {rows:,} target rows are fewer than {TEST_FROM_ROWS}. Name one with data.target.test."
    elif target.test is None:
        yield f"{DEFAULT_SHARE:.0%} of the {rows:,} target rows are set aside as the test, read once at the end."
    elif target.test == 0.0:
        yield "No test set, as data.target.test says."
    yield from listed.notes
    if isinstance(target.test, LabelsOf):
        yield "Transductive protocol: the model is tested on the very inputs that it may adapt to."
    if task.metric is None and task.privacy is None:
        counts = known_counts(task, listed)
        if audit.suggested_metric(counts) == "balanced_accuracy":
            most, least = max(counts.values()), min(counts.values())
            yield f"Classes are imbalanced ({most:,} against {least:,}): measured by balanced_accuracy."


def _usable_rows(task: Task, listed: Survey) -> int:
    """Target rows of the train paths, less those of classes that are left out."""
    labels = listed.labels("target", "train")
    if labels is None or is_hidden(task, "target"):
        return listed.rows("target", "train")
    return len(LABELS[task.problem].usable(labels, audit.classes_of(task, listed)[0]))


def known_counts(task: Task, listed: Survey) -> Counter[str]:
    """Examples per class as far as the search may know them: of the target, else of the sources together."""
    known = listed.domains[:1] if task.data.target.labels == "all" else listed.domains[1:]
    classes = audit.classes_of(task, listed)[0]
    if listed.exported is not None:
        counts = zip(classes, listed.exported.description.class_counts, strict=True)
        return Counter({name: count for name, count in counts if count})
    together: Counter[str] = sum((listed.counts(domain) for domain in known), Counter())
    if task.data.target.labels != "all":
        together = sum((_counts_of(file) for _, file in listed.statistics), together)
    return Counter({name: together[name] for name in classes if together[name]})


def summarise(
    task: Task,
    listed: Survey,
    data: TaskData,
    *,
    splits: Mapping[str, Mapping[str, Rows]],
    sizes: Sequence[tuple[int, int]],
    broken: Mapping[str, str],
) -> dict[str, object]:
    """What the report tells of the data.

    Args:
        splits: per domain and split the rows of `data`.
        sizes: (width, height) of images; none for other modalities.
        broken: the examples that were left out, by a name that tells no hidden label, and why.
    """
    domains: dict[str, dict[str, object]] = {}
    for domain, parts in splits.items():
        domains[domain] = {name: _counted(data, rows) for name, rows in parts.items()}
    if data.exported is not None:
        domains[name_of_exported(task)] = {"exported": _of_exported(data.exported)}
    for source in data.statistics:
        domains[source.name] = {"statistics": _of_statistics(source.file)}
    if data.test is not None:
        domains["target"]["test"] = {"rows": len(data.test.inputs), "protocol": data.test.protocol}
    said = list(notes(task, listed))
    said += [] if data.exported is None else [_when_it_left(data.exported)]
    said += [sentence for source in data.statistics for sentence in _what_sums_tell(source)]
    if data.score_kind == "cross_validation":
        heads, suffixes = len(data.folds), len(data.suffix_folds)
        said.append(
            f"Few examples: scored by {heads}-fold cross-validation ({suffixes}-fold where layers are trained)."
        )
    if len(data.adaptation_rows) and np.isin(data.target_rows, data.adaptation_rows).any():
        said.append("Scored on the inputs it adapted to: too few target inputs to hold some out.")
    return {
        "modality": data.modality,
        "setting": data.setting,
        "follows": list(what_follows(task, data.metric)),
        "problem": data.problem.name,
        "metric": data.metric,
        "classes": list(data.classes),
        "domains": domains,
        "score": {"kind": data.score_kind, "folds": len(data.folds), "suffix_folds": len(data.suffix_folds)},
        "examples": _described(data, sizes),
        "skipped": len(broken),
        "broken": [[name, reason] for name, reason in broken.items()],
        "notes": said,
        "houses": [_house(source, site) for source in data.statistics for site in source.file.sites],
        "fingerprint": _fingerprint(data),
    }


def name_of_exported(task: Task) -> str:
    """What an exported source is called."""
    return next(source.name for source in task.data.source if source.exported is not None) or "source"


def _of_exported(exported: ExportedSource) -> dict[str, object]:
    """What the model was trained on, as far as its file tells."""
    counts = dict(zip(exported.classes, exported.description.class_counts, strict=True))
    return {"rows": sum(counts.values()), "classes": dict(sorted(counts.items()))}


def _counts_of(file: StatisticsFile) -> "Counter[str]":
    """Examples per class, by noised counts where there is noise."""
    counts = zip(file.classes, file.whole.counts.tolist(), strict=True)
    return Counter({name: max(round(count), 0) for name, count in counts})


def _of_statistics(file: StatisticsFile) -> dict[str, object]:
    counts = _counts_of(file)
    return {"rows": sum(counts.values()), "classes": dict(sorted(counts.items()))}


def _house(source: StatisticsSource, site: Site) -> dict[str, object]:
    """What is known of one house behind a source of statistics."""
    measured, noise = site.measured, site.noise
    return {
        "source": source.name,
        "house": site.name,
        "examples": site.examples,
        "measured": None if measured is None else {"accuracy": measured.accuracy, "examples": measured.examples},
        "noise": None
        if noise is None
        else f"ε = {noise.epsilon:g}, δ = {noise.delta:g}: {noise.neighbours}, features clipped at {noise.clip:g}",
    }


def _what_sums_tell(source: StatisticsSource) -> Iterator[str]:
    """What a source of statistics is, for the report."""
    file = source.file
    noised = [site.name for site in file.sites if site.noise is not None]
    yield (
        f"Of the source {source.name} there are counts, sums and products of {file.features.words} and no example; "
        f"houses and their examples: {', '.join(f'{site.name} ({site.examples:,})' for site in file.sites)}"
        f"{'; with noise: ' if noised else ''}{', '.join(noised)}."
    )
    if file.held_out is None:
        yield (
            f"{source.name} holds nothing out, so source accuracy is expected from the sums that were learnt from: "
            "it is too high."
        )
    else:
        yield (
            f"Source accuracy is expected, not counted: from {file.held_out.examples:,.0f} held-out examples of "
            f"{source.name}, each class taken for a Gaussian about its mean."
        )


def _when_it_left(exported: ExportedSource) -> str:
    described = exported.description
    figure = described.scores.get(described.metric)
    reached = "" if figure is None else f"; on examples held out there it had {described.metric} {figure:.3f}"
    examples = sum(described.class_counts)
    return f"The source is an exported model, trained on {examples:,} examples that are not here{reached}."


def _described(data: TaskData, sizes: Sequence[tuple[int, int]]) -> dict[str, object]:
    """What the examples are like: sizes of images, lengths of texts, columns of a table, shape of windows."""
    first = data.inputs[0]
    if isinstance(first, Texts):
        lengths = [len(text) for inputs in data.inputs for text in cast(Texts, inputs).texts]
        return {"characters": [min(lengths), int(np.median(lengths)), max(lengths)]}
    if isinstance(first, Records):
        assert first.schema is not None
        return {"columns": {column.name: column.kind for column in first.schema.columns}}
    if isinstance(first, Windows):
        return {"samples": first.shape[0], "channels": list(first.channels) or first.shape[1]}
    widths, heights = zip(*sizes, strict=True)
    return {"width": [min(widths), max(widths)], "height": [min(heights), max(heights)]}


def _counted(data: TaskData, rows: Rows) -> dict[str, object]:
    return {"rows": len(rows), **LABELS[data.problem.name].counted(data.labels[rows], data.classes)}


def _fingerprint(data: TaskData) -> str:
    """Digest of contents and known labels in their order: tells a resumed run whether its data is still the same."""
    content = xxhash.xxh3_128()
    for inputs in data.inputs:
        content.update("\n".join(inputs.digests).encode() + b"\0")
    content.update(data.labels.tobytes())
    content.update("\0".join(data.classes).encode())
    if data.exported is not None:
        content.update(data.exported.digest.encode())
    for source in data.statistics:
        content.update(source.file.digest.encode())
    if data.test is not None:
        content.update("\n".join(sorted(data.test.inputs.digests)).encode())
    return content.hexdigest()
