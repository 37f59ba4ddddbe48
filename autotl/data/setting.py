"""Which transfer setting a task is, and what follows from it, in words for its user."""

from typing import Literal

from autotl.task import PROBLEMS, PerClass, Task

Setting = Literal["inductive", "transductive", "cross-domain"]


def setting_of(task: Task) -> Setting:
    """Inductive: target labels alone. Transductive: labels from the source only. Cross-domain: labels of both."""
    if not task.data.source:
        return "inductive"
    return "transductive" if task.data.target.labels == "none" else "cross-domain"


def what_follows(task: Task, metric: str) -> tuple[str, ...]:
    """How plans will be trained and chosen in this task's setting."""
    setting, labels = setting_of(task), task.data.target.labels
    if any(source.exported is not None for source in task.data.source):
        return (
            "The source is a model without examples: it is adapted to the target's inputs, and nothing is learnt anew.",
            "Plans are picked by scores that need no labels; the model as it came stays unless one is clearly better.",
            "Target labels, where there are any, are opened once, by the final test.",
        )
    if any(source.statistics is not None for source in task.data.source):
        return _over_statistics(setting, labels, metric)
    if setting == "transductive" and not PROBLEMS[task.problem].has_committee:
        return (
            "Only the source has labels: models learn from it and are adapted to the target's inputs.",
            f"Plans are ranked by {metric} on held-out source examples, for no score without labels is known to tell "
            "which fits the target: whether adaptation helps there, only the test shows.",
            "Target labels, where there are any, are opened once, by the final test.",
        )
    if setting == "transductive":
        return (
            "Only the source has labels: models learn from it and are adapted to the target's inputs.",
            "Plans are picked by scores that need no target label; source-only stays unless one is clearly better.",
            "Target labels, where there are any, are opened once, by the final test.",
        )
    few = labels if isinstance(labels, PerClass) else None
    known = "Target labels are known" if few is None else f"{few.per_class} target labels a class are known"
    lines = [f"{known}: plans are ranked by {metric} on target examples that they were not trained on."]
    if few is not None:
        lines.append("The other target labels stay hidden; those inputs may be adapted to.")
    if few is not None and setting == "cross-domain":
        if metric in ("accuracy", "balanced_accuracy"):
            lines.append("Scores that need no labels have a say beside the few, and guard against broken models.")
        else:
            words = f"{metric} is no share of right answers, so the few labels rank alone"
            lines.append(f"Scores that need no labels guard against broken models; {words}.")
    if setting == "cross-domain":
        lines.append("The labelled source joins the training part of every fold, never the part that is scored on.")
    else:
        lines.append("Knowledge comes from the pretrained backbone alone; there is no source domain.")
    return tuple(lines)


def _over_statistics(setting: Setting, labels: object, metric: str) -> tuple[str, ...]:
    solved = (
        "Of the source only counts, sums and products of features are here: heads are solved from them, and the "
        "features are aligned by them."
    )
    if setting == "transductive":
        return (
            solved,
            "Plans are picked by scores that need no target label; source-only stays unless one is clearly better.",
            "Target labels, where there are any, are opened once, by the final test.",
        )
    known = "Target labels are known" if labels == "all" else "A few target labels are known"
    return (
        solved,
        f"{known}: sums over them join the source's, and plans are ranked by {metric} on other target examples.",
    )
