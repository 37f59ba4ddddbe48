"""How true the winner's probabilities are, when it had better not answer, and which inputs it has seen nothing like."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autotl.report import wording
from autotl.report.entries import Interval
from autotl.report.values import Json
from autotl.report.wording import NOTHING

FRESH = {"test": "test inputs", "target inputs": "target inputs"}
"""Splits that nothing was chosen by, and what to call their inputs."""

MANY_UNLIKE = 0.1  # share of inputs that is surely more than chance: 5 % are expected
UNTRUE = 0.07  # calibration error
ENOUGH_TO_TELL = 300  # examples: over fewer, 15 bins differ from the truth by chance alone

MEASURES = (
    ("error", "Expected calibration error"),
    ("nll", "Negative log likelihood"),
    ("brier", "Brier score"),
)


@dataclass(frozen=True)
class Scaled:
    """A measure of calibration before and after temperature scaling."""

    name: str
    split: str
    before: float | None
    after: float | None


@dataclass(frozen=True)
class Rule:
    """Answer from a confidence on, so that so many answers are right; on each split what comes of it."""

    wanted: str
    threshold: str
    on: Sequence[tuple[str, str, Interval | None]]  # split, share that is answered, how many of these are right

    def of(self, split: str) -> tuple[str, Interval | None]:
        """What comes of it on one split."""
        return next(((answered, right) for name, answered, right in self.on if name == split), (NOTHING, None))


@dataclass(frozen=True)
class Abstaining:
    """What not answering is worth."""

    split: str  # that the rules are made on
    splits: Sequence[str]
    rules: Sequence[Rule]
    areas: Sequence[tuple[str, float, float, float]]  # split, accuracy of all answers, AURC, the least there could be


@dataclass(frozen=True)
class Distant:
    """A split's inputs beyond what is known from training."""

    split: str
    examples: int
    outside: Interval | None
    inside_right: Interval | None
    outside_right: Interval | None


@dataclass(frozen=True)
class Unlike:
    """How many inputs are unlike the training data."""

    features: str
    neighbours: int
    training: int
    expected: str
    splits: Sequence[Distant]


def scaled(calibration: Json | None, evidence: Json) -> list[Scaled]:
    """Every measure that was taken before and after, on validation and on test."""
    given = [("validation", calibration), ("test", evidence.get("calibration_on_test"))]
    return [
        Scaled(words, split, figures.get(f"{name}_before"), figures.get(f"{name}_after"))
        for split, figures in given
        for name, words in MEASURES
        if figures and figures.get(f"{name}_before") is not None
    ]


def abstaining(evidence: Json) -> Abstaining | None:
    """Rules and areas; None where no labelled example was held out."""
    figures = evidence.get("abstaining")
    if not figures:
        return None
    rules = [_rule(each) for each in figures["rules"]]
    return Abstaining(
        str(figures["split"]),
        list(dict.fromkeys(split for rule in rules for split, _, _ in rule.on)) or [str(figures["split"])],
        rules,
        [(str(curve["split"]), curve["accuracy"], curve["aurc"], curve["least_aurc"]) for curve in figures["curves"]],
    )


def unlike(evidence: Json) -> Unlike | None:
    """Shares beyond the threshold; None where they were not measured."""
    figures = evidence.get("unlike")
    if not figures:
        return None
    return Unlike(
        str(figures["features"]),
        figures["neighbours"],
        figures["training"],
        wording.percent(figures["expected"]),
        [
            Distant(
                str(each["split"]),
                each["examples"],
                Interval.read(each["outside"]),
                Interval.read(each["accuracy_inside"]),
                Interval.read(each["accuracy_outside"]),
            )
            for each in figures["splits"]
        ],
    )


def misgivings(evidence: Json) -> list[str]:
    """What speaks against trusting the winner, in sentences."""
    return [*_of_unlike_inputs(evidence.get("unlike") or {}), *_of_probabilities(evidence.get("calibration_on_test"))]


def _of_unlike_inputs(figures: Json) -> list[str]:
    found = []
    for each in figures.get("splits", []):
        outside = Interval.read(each["outside"])
        if each["split"] in FRESH and outside is not None and (outside.low or 0.0) > MANY_UNLIKE:
            share, inputs = wording.percent(outside.value), FRESH[each["split"]]
            found.append(f"{share} of the {inputs} are unlike anything that it was trained on: see When to trust it.")
    return found


def _of_probabilities(tested: Json | None) -> list[str]:
    if not tested or tested.get("examples", 0) < ENOUGH_TO_TELL or tested["error_after"] <= UNTRUE:
        return []
    apart = f"{tested['error_after']:.2f}"
    return [f"Its probabilities are not to be taken at their word: on test confidence and accuracy are {apart} apart."]


def _rule(given: Mapping[str, Any]) -> Rule:
    threshold = given["threshold"]
    words = "none is enough" if threshold is None else "answer all" if threshold == 0 else f"{threshold:.3f}"
    return Rule(
        wording.percent(given["wanted"]),
        words,
        [
            (str(each["split"]), wording.percent(each["coverage"]["value"]), Interval.read(each["accuracy"]))
            for each in given["on"]
        ],
    )
