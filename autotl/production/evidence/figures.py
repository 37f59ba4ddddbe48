"""The figures that back a winner, from what it said of examples whose labels are known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autotl.data.examples import Labels, TaskData, is_known
from autotl.scoring.abstaining import WANTED, answered, risk_coverage, threshold_for
from autotl.scoring.answers import ANSWERS
from autotl.scoring.calibration import before_and_after
from autotl.scoring.metrics import predicted_labels
from autotl.scoring.per_class import per_class
from autotl.scoring.thresholds import (
    FEWEST_OF_A_SIDE,
    can_be_drawn,
    classes_that_need_a_threshold,
    thresholds_of,
)
from autotl.task.problem import CLASSIFICATION

TEST, TARGET = "test", "target inputs"  # the latter without their labels
SOURCE_VALIDATION = "source validation"
OVER_EXAMPLES = "Intervals are over examples; those of one group are alike, so the truth may lie further off."
ELSEWHERE = (
    "Intervals are as wide as examples of the source ask for; how often they hold on the target only a test tells."
)

Json = dict[str, Any]
NOTHING: Mapping[str, None] = dict.fromkeys(
    (
        "note",
        "per_class",
        "thresholds",
        "abstaining",
        "calibration_on_test",
        "unlike",
        "columns",
        "numbers",
        "per_label",
    )
)
"""Every figure that may back a winner, where none was measured."""


@dataclass(frozen=True)
class Said:
    """What a model says of some examples.

    Attributes:
        split: `test`, `target inputs` or what `name_of_validation` says.
        raw: probabilities (n, classes) as the model was trained to say them.
        probabilities: the same after temperature scaling, as they ship.
        labels: class index of each, negative for a class that no model can name; None where they are not known.
    """

    split: str
    raw: NDArray[np.float32]
    probabilities: NDArray[np.floating]
    labels: Labels | None

    @classmethod
    def of(
        cls,
        split: str,
        raw: NDArray[np.float32],
        labels: Labels | None,
        *,
        temperature: float,
        problem: str = CLASSIFICATION.name,
    ) -> "Said":
        """Answers as a model was trained to say them and, of probabilities, at the temperature that it ships with."""
        return cls(split, raw, ANSWERS[problem].shipped(raw, temperature), labels)

    def at(self, places: NDArray[np.int64]) -> "Said":
        """Some of the examples."""
        labels = None if self.labels is None else self.labels[places]
        return Said(self.split, self.raw[places], self.probabilities[places], labels)

    @property
    def known(self) -> "Said":
        """The examples of classes that a model can name."""
        assert self.labels is not None, "asked only where labels are known"
        return self.at(np.flatnonzero(is_known(self.labels)))

    @property
    def right(self) -> NDArray[np.bool_]:
        """Whether each is read right."""
        assert self.labels is not None, "asked only where labels are known"
        return np.asarray(predicted_labels(self.raw) == self.labels)


def name_of_validation(data: TaskData) -> str:
    """What the examples are that trials were scored on, in the words of a report."""
    if data.score_kind == "label_free" or data.setting == "transductive":
        return SOURCE_VALIDATION
    if len(data.adaptation_rows):
        return "the labelled target examples"
    return data.score_kind.replace("cross_validation", "cross-validation")


def figures_of(
    validation: Said,
    *,
    test: Said | None,
    target: Said | None,
    classes: Sequence[str],
    positive: int,
    temperature: float,
    grouped: bool,
) -> Json:
    """Figures class by class, thresholds and costs, answers that are better not given, calibration on test.

    Thresholds are drawn on validation alone; what they are worth elsewhere is told beside them.

    Args:
        validation: with its labels; may be empty.
        test: None where it was not opened.
        target: inputs without labels; None where they tell nothing that the others do not.
        positive: index of the class that a two-class task asks for.
        grouped: whether several examples may be of one group.
    Returns:
        Plain JSON values: `per_class`, `thresholds`, `abstaining`, `calibration_on_test`, each None where it could not
        be measured, and `note`.
    """
    told = validation.known
    return {
        "note": OVER_EXAMPLES if grouped else None,
        "per_class": _by_class(told if test is None else test, classes),
        "thresholds": _thresholds(told, classes, positive),
        "abstaining": _abstaining(told, None if test is None else test.known, target),
        "calibration_on_test": None if test is None else _calibration(test.known, temperature),
    }


def _by_class(judged: Said, classes: Sequence[str]) -> Json | None:
    if judged.labels is None or not len(judged.labels):
        return None
    return {
        "split": judged.split,
        "examples": len(judged.labels),
        "classes": per_class(judged.labels, judged.probabilities, classes),
    }


def _thresholds(said: Said, classes: Sequence[str], positive: int) -> Json | None:
    labels = said.labels
    assert labels is not None, "validation has labels"
    asked = [positive] if len(classes) == 2 else classes_that_need_a_threshold(labels, len(classes))
    if not asked or not len(labels):
        return None
    views = [
        {"class": classes[index], **thresholds_of(labels, said.probabilities, index)}
        for index in asked
        if can_be_drawn(labels, index)
    ]
    missing = None if views else f"fewer than {FEWEST_OF_A_SIDE} examples of the class or of the others on {said.split}"
    return {"split": said.split, "views": views, "missing": missing}


def _abstaining(validation: Said, test: Said | None, target: Said | None) -> Json | None:
    labels = validation.labels
    if labels is None or not len(labels):
        return None
    labelled = [validation, *([test] if test is not None and len(test.raw) else [])]
    asked = [*labelled, *([] if target is None else [target])]
    thresholds = {wanted: threshold_for(wanted, labels, validation.probabilities) for wanted in WANTED}
    return {
        "split": validation.split,
        "curves": [{"split": each.split, **_curve(each)} for each in labelled],
        "rules": [
            {
                "wanted": wanted,
                "threshold": threshold,
                "on": []
                if threshold is None
                else [{"split": each.split, **answered(threshold, each.labels, each.probabilities)} for each in asked],
            }
            for wanted, threshold in thresholds.items()
        ],
    }


def _curve(said: Said) -> Mapping[str, Any]:
    assert said.labels is not None, "only labelled examples have one"
    return risk_coverage(said.labels, said.probabilities)


def _calibration(test: Said, temperature: float) -> Json | None:
    if test.labels is None or not len(test.labels):
        return None
    return before_and_after(test.labels, test.raw, temperature)
