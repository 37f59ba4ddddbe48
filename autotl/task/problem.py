"""What is learnt of an example (one class, a number, or several labels), and what that means for every other room.

`PROBLEMS` is the one place that is asked. A room that must act differently keeps a table of its own, keyed by a word
that stands here (`data.labels.LABELS` by `name`, `trial.losses.LOSSES` by `loss_for(metric)`), and looks into it; no
code asks which problem it has.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Problem:
    """One kind of problem.

    Attributes:
        name: as `problem` in a task has it.
        label: what an example is labelled with, in words that complete "a label is …".
        answer: what a model says of an example, likewise: "an answer is …".
        subjects: what is learnt, in words, from the `count` of what an answer tells and the `first` of it.
        metrics: by which such a task can be measured; the first is the default.
        loss: what a head learns by: a key of `trial.losses.LOSSES`.
        losses: another loss for a task with this metric.
        loss_metric: the metric that is told as the training loss of a model that is fitted in one go.
        no_methods: adaptation methods that cannot be used, and why: completes "'mcc' …".
        fixed: fields of a plan that have no effect, with the value that they keep.
        has_committee: whether the label-free scores apply, so that their committee may choose without target labels;
            else the labels of the source, held out, choose.
        takes_label_columns: whether `data.columns.label` may name a column of 0 and 1 for each label.
        no_sums: why sums over examples of a class can stand for none of its examples; empty where they can.
        no_keys: keys of a task that have no meaning here (dotted), and what to do instead.
    """

    name: str
    label: str
    answer: str
    subjects: str
    metrics: tuple[str, ...]
    loss: str
    losses: Mapping[str, str] = field(default_factory=dict)
    loss_metric: str = "log_loss"
    no_methods: Mapping[str, str] = field(default_factory=dict)
    fixed: Mapping[str, Any] = field(default_factory=dict)
    has_committee: bool = True
    takes_label_columns: bool = False
    no_sums: str = ""
    no_keys: Mapping[str, str] = field(default_factory=dict)

    @property
    def default_metric(self) -> str:
        """What a task is measured by that names no metric; class counts may suggest a better one."""
        return self.metrics[0]

    def subject(self, names: Sequence[str]) -> str:
        """What is learnt, in words.

        Args:
            names: of the columns of an answer.
        """
        return self.subjects.format(count=len(names), first=repr(names[0]) if names else "nothing")

    def loss_for(self, metric: str) -> str:
        """What a head learns by in a task with this metric: a key of `trial.losses.LOSSES`."""
        return self.losses.get(metric, self.loss)


_ARE_CLASSES = "is about classes, and this task has none"
_ONE_CLASS = "is about examples with one class each"
_NOT_TOGETHER = "tasks are learnt together where every example has one class: search others one by one"
_NO_CLASSES = "has no meaning where numbers are learnt: there are no classes"

CLASSIFICATION = Problem(
    name="classification",
    label="the class of an example",
    answer="a probability for each class",
    subjects="{count} classes",
    metrics=(
        "accuracy",
        "balanced_accuracy",
        "macro_f1",
        "f1",
        "roc_auc",
        "average_precision",
        "log_loss",
        "matthews_corrcoef",
        "cohen_kappa",
    ),
    loss="cross_entropy",
)

REGRESSION = Problem(
    name="regression",
    label="a number",
    answer="a number",
    subjects="numbers of {first}",
    metrics=("rmse", "mae", "r2", "median_absolute_error", "spearman"),
    loss="squared_error",
    # whoever counts absolute errors does not want a few large ones to lead
    losses={"mae": "huber", "median_absolute_error": "huber"},
    loss_metric="rmse",
    no_methods={
        "label_shift": f"corrects how frequent classes are; it {_ARE_CLASSES}",
        "cdan": f"aligns features by predicted classes; it {_ARE_CLASSES}",
        "mcc": f"lowers the confusion of classes; it {_ARE_CLASSES}",
        "infomax": f"makes predictions of classes sure and even; it {_ARE_CLASSES}",
        "self_training": f"learns from predicted classes; it {_ARE_CLASSES}",
        "shot": f"learns from predicted classes; it {_ARE_CLASSES}",
        "tent": f"makes predictions of classes sure; it {_ARE_CLASSES}",
    },
    fixed={"label_smoothing": 0.0},
    has_committee=False,
    no_sums="are kept by class, and a number has none",
    no_keys={
        "positive": f"{_NO_CLASSES}. Leave it out.",
        "classes": f"{_NO_CLASSES}. Leave it out.",
        "weights": f"{_NO_CLASSES} to balance. Leave it out.",
        "audit.merge": f"{_NO_CLASSES} to merge. Leave it out.",
        "audit.rare": f"{_NO_CLASSES} that could be rare. Leave it out.",
        "data.target.labels": f"per_class {_NO_CLASSES}. Write all or none.",
        "tasks": f"{_NOT_TOGETHER}.",
    },
)

MULTILABEL = Problem(
    name="multilabel",
    label="a set of names, maybe empty",
    answer="a probability for each label on its own",
    subjects="any of {count} labels",
    metrics=(
        "average_precision",
        "macro_f1",
        "micro_f1",
        "roc_auc",
        "log_loss",
        "micro_average_precision",
        "hamming_loss",
        "subset_accuracy",
    ),
    loss="binary_cross_entropy",
    no_methods={
        "label_shift": f"corrects how frequent classes are; it {_ONE_CLASS}",
        "cdan": f"aligns features by predicted classes; it {_ONE_CLASS}",
        "mcc": f"lowers the confusion of classes; it {_ONE_CLASS}",
        "infomax": f"makes predictions of classes sure and even; it {_ONE_CLASS}",
        "self_training": f"learns from predicted classes; it {_ONE_CLASS}",
        "shot": f"learns from predicted classes; it {_ONE_CLASS}",
        "tent": f"makes predictions of classes sure; it {_ONE_CLASS}",
    },
    has_committee=False,
    takes_label_columns=True,
    no_sums="are kept by class, and here an example may have several",
    no_keys={
        "positive": "has no meaning where every label has a yes and a no of its own. Leave it out.",
        "data.target.labels": "per_class has no meaning where an example has several labels. Write all or none.",
        "tasks": f"{_NOT_TOGETHER}.",
    },
)

# This table is also the menu in error messages and docs.
PROBLEMS: dict[str, Problem] = {problem.name: problem for problem in (CLASSIFICATION, MULTILABEL, REGRESSION)}
# Every metric, once; `autotl.scoring` computes exactly these.
METRIC_NAMES = tuple(dict.fromkeys(name for problem in PROBLEMS.values() for name in problem.metrics))
