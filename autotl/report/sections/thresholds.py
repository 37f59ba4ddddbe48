"""Where to draw the line when a miss and a false alarm do not cost the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autotl.report import wording
from autotl.report.values import Json


@dataclass(frozen=True)
class Price:
    """What a ratio of costs asks for, in figures and in a sentence."""

    ratio: str  # of a miss, in false alarms
    threshold: str
    recall: str
    precision: str
    missed: int
    false: int
    cost: str  # per 100 examples, in false alarms
    idle_cost: str
    best: str  # the cheapest threshold on these examples, and its cost
    sentence: str
    is_even: bool


@dataclass(frozen=True)
class View:
    """One class against the others."""

    name: str  # of its charts
    class_name: str
    examples: int
    of_class: int
    roc_auc: float
    average_precision: float
    prices: Sequence[Price]


@dataclass(frozen=True)
class Thresholds:
    """All that is said of thresholds."""

    split: str
    views: Sequence[View]
    missing: str | None  # why there is no curve


def thresholds(evidence: Json) -> Thresholds | None:
    """Curves and costs of each class that needs a threshold; None where none does."""
    figures = evidence.get("thresholds")
    if not figures:
        return None
    views = [_view(number, each) for number, each in enumerate(figures["views"])]
    return Thresholds(str(figures["split"]), views, figures["missing"])


def _view(number: int, given: Mapping[str, Any]) -> View:
    name = str(given["class"])
    return View(
        f"threshold-{number}",
        name,
        given["examples"],
        given["of_class"],
        given["roc_auc"],
        given["average_precision"],
        [_price(line, name) for line in given["costs"]],
    )


def _price(line: Mapping[str, Any], name: str) -> Price:
    ratio, threshold = f"{line['ratio']:g}", f"{line['threshold']:.3f}"
    asked = "one false alarm" if line["ratio"] == 1 else f"{ratio} false alarms"
    best = "never" if line["best_threshold"] is None else f"from {line['best_threshold']:.3f}"
    precision = wording.percent(line["precision"])
    is_right = "" if line["precision"] is None else f" and {precision} of its alarms are right"
    saved = line["idle_cost"] - line["cost"]
    worth = (
        f"{saved:.1f} less than without a model"
        if saved > 0
        else "no less than always giving the same answer: do without the model at these costs"
    )
    return Price(
        ratio=ratio,
        threshold=threshold,
        recall=wording.percent(line["recall"]),
        precision=precision,
        missed=line["missed"],
        false=line["false"],
        cost=f"{line['cost']:.1f}",
        idle_cost=f"{line['idle_cost']:.1f}",
        best=f"{best}: {line['best_cost']:.1f}",
        sentence=f"A miss costs {asked}: call it “{name}” from a probability of {threshold} on. "
        f"{wording.percent(line['recall'])} are found{is_right}; errors cost {line['cost']:.1f} false alarms per 100 "
        f"examples, {worth}.",
        is_even=line["ratio"] == 1,
    )
