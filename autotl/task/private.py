"""What a task under a privacy budget may ask: only what can be reckoned, or needs no look at a protected example."""

from collections.abc import Iterator

from autotl.task.model import Task
from autotl.task.values import PerClass

PRIVATE_METRIC = "accuracy"  # a count of right answers: one example changes it by one
MOST_EPSILON = 20.0  # a larger one lets the odds that somebody took part grow by more than e ** 20
LEAST_DELTA = 1e-12  # below it rounding decides what an accountant reckons


def is_protected(task: Task, domain: str) -> bool:
    """Whether the examples of a domain are under the task's privacy budget."""
    if task.privacy is None:
        return False
    return (domain == "target") == (task.privacy.protects == "target")


def refused_privately(task: Task, modality: str | None) -> list[str]:
    """A line for each thing that a task asks for and that its privacy budget does not allow.

    Args:
        modality: of its data, where that is known.
    """
    if task.privacy is None:
        return []
    lines = [f"{task.where(path)}: {words}" for path, words in _refused(task)]
    if (task.modality or modality) == "table":
        words = "a table's columns are described by its rows, which nothing reckons. Images, texts and signals can be."
        lines.append(f"{task.where('privacy')}: {words}")
    return lines


def _refused(task: Task) -> Iterator[tuple[str, str]]:
    assert task.privacy is not None
    target, protects = task.data.target, task.privacy.protects
    if task.privacy.epsilon > MOST_EPSILON:
        words = f"{task.privacy.epsilon:g} promises nothing to anybody. Write at most {MOST_EPSILON:g}."
        yield "privacy.epsilon", words
    if task.privacy.delta < LEAST_DELTA:
        words = f"{task.privacy.delta:g} is less than can be reckoned with. Write {LEAST_DELTA:g} or more."
        yield "privacy.delta", words
    if "leak" in task.audit.allow:
        words = "'leak' would let an example stand in training and in the test, and pay twice. Leave it out."
        yield "audit.allow", words
    if protects == "source" and not task.data.source:
        yield "privacy.protects", "'source' needs a source, and this task has none. Write target."
    if protects == "target" and target.labels == "none":
        words = "'target' is for a target whose labels are learnt from, and here they are unknown. Write source."
        yield "privacy.protects", words
    if isinstance(target.labels, PerClass):
        yield "data.target.labels", "with 'privacy' write all or none: which few are known is not reckoned."
    for index, source in enumerate(task.data.source):
        given = "exported" if source.exported is not None else "statistics" if source.statistics is not None else None
        if given is not None:
            words = f"'{given}' was made of examples without reckoning. Name the examples: {{train: …}}."
            yield f"data.source[{index}].{given}", words
    if task.metric not in (None, PRIVATE_METRIC):
        words = f"{task.metric!r} is not counted with noise yet; with 'privacy' write accuracy, or leave it out."
        yield "metric", words
    if task.weights == "balanced":
        yield "weights", "'balanced' weighs by how many examples a class has, which nothing reckons. Leave it out."
    if task.problem != "classification":
        yield "problem", f"{task.problem!r} has no head with privacy yet: 'privacy' is for classification."
    if task.limits.latency_ms is not None:
        yield "limits.latency_ms", "is measured on examples of the data. With 'privacy' limit model_mb instead."
    if len(task.goals) > 1:
        yield "goals", "a private search looks for the score alone. Leave it out."
    if isinstance(task.baselines, tuple):
        words = "every baseline would spend of the budget: with 'privacy' all trials are linear heads. Leave it out."
        yield "baselines", words
