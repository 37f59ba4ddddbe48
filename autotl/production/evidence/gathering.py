"""What backs a winner, gathered after it was chosen: nothing here changes what wins or what ships."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from autotl.backbones.reading import own_reading
from autotl.data import Inputs, Rows, TaskData
from autotl.data.examples import Labels, is_known
from autotl.data.joining import join_inputs
from autotl.data.records import Records
from autotl.plan import Plan
from autotl.production.evidence.cells import MOST_ROWS, REPLACEMENTS, SHUFFLES, columns_that_matter
from autotl.production.evidence.covering import Predict, Question
from autotl.production.evidence.examples import (
    Picked,
    both_ways,
    classes_asked,
    examples_of,
    looking_at,
    numbers_asked,
    picked_of_classes,
    picked_of_numbers,
    picked_of_sets,
    seconds_to_explain,
    timer,
)
from autotl.production.evidence.familiarity import MOST_ROWS as MOST_OF_A_SPLIT
from autotl.production.evidence.familiarity import Group, familiarity, space_of
from autotl.production.evidence.figures import (
    ELSEWHERE,
    NOTHING,
    OVER_EXAMPLES,
    SOURCE_VALIDATION,
    TARGET,
    TEST,
    Said,
    figures_of,
    name_of_validation,
)
from autotl.production.evidence.numbers import numbers_of
from autotl.production.evidence.sets import calibration_of_sets, sets_of
from autotl.production.serving_model import ServingModel, serving_model
from autotl.production.shipping import Shipped
from autotl.production.tries import Tries
from autotl.scoring.components import sampled
from autotl.scoring.metrics import METRICS
from autotl.trial.forms import form_of
from autotl.trial.outcome import Outputs
from autotl.trial.workshop import Workshop

Json = dict[str, Any]


@dataclass(frozen=True)
class Evidence:
    """What was gathered.

    Attributes:
        figures: plain JSON values, each of `NOTHING`'s keys None where it was not measured.
        examples: single examples with what the model's answers hang on. They hold content of the data.
        failed: sentences on what could not be had.
    """

    figures: Json
    examples: Json | None
    failed: Sequence[str] = ()


@dataclass(frozen=True)
class Winner:
    """The winning trial and what ships of it.

    Attributes:
        outputs, weights: of the trial.
        positive: index of the class that a two-class task asks for.
        bench: a workshop that may be given any weights; the model that ships shares no layer with it.
    """

    number: int
    plan: Plan
    data: TaskData
    outputs: Outputs
    weights: list[NDArray[Any]]
    shipped: Shipped
    metric: str
    positive: int
    seed: int
    bench: Callable[[], Workshop]

    @property
    def temperature(self) -> float:
        """That of the model that ships."""
        return float(self.shipped.calibration["temperature"])

    @property
    def asks_of_target(self) -> bool:
        """Whether its answers to unlabelled target inputs say something that those to the test inputs do not."""
        test = self.shipped.test
        return self.data.score_kind == "label_free" and (test is None or test.protocol != "labels_of_train")

    @property
    def on_validation(self) -> Said:
        """By models that did not learn from it."""
        labels, raw = self.data.labels[self.outputs.rows], self.outputs.validation
        return Said.of(
            name_of_validation(self.data), raw, labels, temperature=self.temperature, problem=self.data.problem.name
        )

    @property
    def on_test(self) -> Said | None:
        """By the weights that ship; None where the test was not opened."""
        test = self.shipped.test
        if test is None:
            return None
        raw = test.probabilities.get("refit", test.probabilities[str(self.number)])
        return self._said(TEST, raw, test.labels)

    @property
    def on_target(self) -> Said | None:
        """By the trial, of inputs without labels."""
        raw = self.outputs.target
        if not self.asks_of_target or not len(raw):
            return None
        return self._said(TARGET, raw, None)

    def _said(self, split: str, raw: NDArray[np.float32], labels: Labels | None) -> Said:
        return Said.of(split, raw, labels, temperature=self.temperature, problem=self.data.problem.name)

    @property
    def held_out(self) -> tuple[Rows, Said]:
        """The rows that the trial's own model, that of its first fold, was scored on, and what it said of them."""
        fold, said = self.bench().folds(self.plan)[0].validation, self.on_validation
        places = np.flatnonzero(np.isin(self.outputs.rows, fold))
        return self.outputs.rows[places], said.at(places)


def gather(winner: Winner, *, spent: float, left: float) -> Evidence:
    """Everything that backs the winner; what cannot be had is left out, logged and told.

    Args:
        spent, left: seconds of the command's time so far, and until its end.
    """
    tries, gathered = Tries(), EVIDENCE[winner.data.problem.name]
    figures = {**NOTHING, **(tries.had("the figures that back the winner", lambda: gathered.figures(winner)) or {})}
    if gathered.is_one_class:
        figures["unlike"] = tries.had("what it says of inputs unlike all others", lambda: _unlike(winner))
    asked = tries.had("single examples with what it says of them", lambda: _asked(winner))
    if asked is None:
        return Evidence(figures, None, tries.failed)
    is_over = timer(seconds_to_explain(spent, left))
    examples = tries.had("what single answers hang on", partial(_examples, winner, asked, gathered.answers, is_over))
    if isinstance(asked.inputs, Records):
        figures["columns"] = tries.had("how much each column matters", lambda: _columns(winner, asked, is_over))
    return Evidence(figures, examples, tries.failed)


def _figures(winner: Winner) -> Json:
    return figures_of(
        winner.on_validation,
        test=winner.on_test,
        target=winner.on_target,
        classes=winner.data.classes,
        positive=winner.positive,
        temperature=winner.temperature,
        grouped=winner.data.groups is not None,
    )


@dataclass(frozen=True)
class _Asked:
    """The examples that single ones are picked from, and the model that said it."""

    inputs: Inputs
    said: Said
    model: ServingModel


def _asked(winner: Winner) -> _Asked | None:
    """The test examples and the model that ships; without a test those of the trial's first fold and its own model."""
    data, shipped, on_test = winner.data, winner.shipped, winner.on_test
    if on_test is not None and data.test is not None:
        return _Asked(data.test.inputs, on_test, shipped.model)
    rows, said = winner.held_out
    if not len(rows):
        return None
    if shipped.refit.shipped == "trial":
        return _Asked(_inputs_of(data, rows), said, shipped.model)
    learner = winner.bench().trained(winner.plan, winner.weights)
    model = serving_model(learner, own_reading(form_of(winner.plan, data)), temperature=winner.temperature)
    return _Asked(_inputs_of(data, rows), said, model)


def _inputs_of(data: TaskData, rows: Rows) -> Inputs:
    """The examples of rows of any domains, in the order of the rows, which is that of the domains."""
    domain_of = data.domain_of[rows]
    starts = np.cumsum([0, *(len(inputs) for inputs in data.inputs)])
    parts = [
        data.inputs[index].take(rows[domain_of == index] - starts[index]) for index in np.unique(domain_of).tolist()
    ]
    joined = join_inputs(parts)
    first = data.inputs[0]
    if isinstance(joined, Records) and isinstance(first, Records) and first.schema is not None:
        return joined.with_schema(first.schema)  # joining lets go of it
    return joined


def _examples(winner: Winner, asked: _Asked, answers: "_Answers", is_over: Callable[[], bool]) -> Json:
    replacements = None
    if isinstance(asked.inputs, Records):
        known = cast(Records, winner.data.inputs[-1])  # a source where there is one, else the target
        replacements = known.read(sampled(len(known), REPLACEMENTS))
    looking = looking_at(asked.inputs, asked.model, replacements, asking=answers.asking)
    return examples_of(asked.said, asked.inputs, answers.pick(winner, asked.said), looking, is_over=is_over)


def _columns(winner: Winner, asked: _Asked, is_over: Callable[[], bool]) -> Json:
    labels = asked.said.labels
    assert labels is not None, "examples are picked where labels are known"
    known = np.flatnonzero(is_known(labels))
    places = known[sampled(len(known), MOST_ROWS)]
    thresholds = winner.shipped.calibration.get("thresholds")
    metric = METRICS[winner.metric].with_positive(winner.positive).with_thresholds(thresholds)
    sign = 1 if metric.higher_is_better else -1
    lines = columns_that_matter(
        cast(Records, asked.inputs.take(places)),
        asked.model.predict,
        lambda said: sign * metric(labels[places], said),
        seed=winner.seed,
        is_over=is_over,
    )
    return {
        "split": asked.said.split,
        "metric": winner.metric,
        "examples": len(places),
        "shuffles": SHUFFLES,
        "columns": lines,
    }


def _unlike(winner: Winner) -> Json | None:
    data, workshop = winner.data, winner.bench()
    training = workshop.folds(winner.plan)[0].train
    training = training[is_known(data.labels[training])]
    space = space_of(workshop.trained(winner.plan, winner.weights), data)
    if space is None or not len(training):
        return None
    rows, said = winner.held_out
    places = sampled(len(rows), MOST_OF_A_SPLIT)
    groups = [Group(said.split, space.of_rows(rows[places]), said.at(places).right)] if len(rows) else []
    on_test = winner.on_test
    if on_test is not None and data.test is not None:
        features = space.of_inputs(data.test.inputs)  # all of them: they are stored already
        places = sampled(len(features), MOST_OF_A_SPLIT)
        groups.append(Group(TEST, features[places], on_test.at(places).right))
    if winner.asks_of_target:
        rows = data.target_rows[sampled(len(data.target_rows), MOST_OF_A_SPLIT)]
        groups.append(Group(TARGET, space.of_rows(rows), None))
    return familiarity(space, space.of_rows(training[sampled(len(training), MOST_OF_A_SPLIT)]), groups)


def _numbers(winner: Winner) -> Json:
    data, test, calibration = winner.data, winner.on_test, winner.shipped.calibration
    said = winner.on_validation if test is None else test
    groups = data.groups if test is None else (None if data.test is None else data.test.groups)
    if test is None and groups is not None:
        groups = groups[winner.outputs.rows]
    assert said.labels is not None, "asked only where labels are known"
    return {
        "note": _note_on_numbers(data),
        "numbers": {
            "split": said.split,
            "name": data.classes[0],
            **numbers_of(said.labels, said.raw, groups, half_widths=calibration["half_widths"], seed=winner.seed),
        },
    }


def _note_on_numbers(data: TaskData) -> str | None:
    """What a reader must know of intervals to read them rightly."""
    elsewhere = ELSEWHERE if name_of_validation(data) == SOURCE_VALIDATION else ""
    return " ".join(filter(None, (OVER_EXAMPLES if data.groups is not None else "", elsewhere))) or None


def _sets(winner: Winner) -> Json:
    data, test, calibration = winner.data, winner.on_test, winner.shipped.calibration
    tuned_on = winner.on_validation
    judged = (tuned_on if test is None else test).known
    if not len(judged.raw):
        return {}
    thresholds = calibration["thresholds"]
    return {
        "note": OVER_EXAMPLES if data.groups is not None else None,
        "per_label": sets_of(judged, data.classes, thresholds=thresholds, tuned_on=tuned_on.split),
        "calibration_on_test": None if test is None else calibration_of_sets(test.known, winner.temperature),
    }


@dataclass(frozen=True)
class _Answers:
    """Which answers are looked at, good and bad ones, and what is asked of the model to explain them."""

    pick: Callable[[Winner, Said], Picked]
    asking: Callable[[Predict], Question]


@dataclass(frozen=True)
class _Gathered:
    """What is gathered of one problem.

    Attributes:
        is_one_class: whether an example is named right or wrong as a whole, so that those unlike all others can be
            counted by it.
    """

    figures: Callable[[Winner], Json]
    answers: _Answers
    is_one_class: bool


_OF_CLASSES = _Answers(lambda winner, said: picked_of_classes(said, winner.data.classes), classes_asked)
_OF_SETS = _Answers(
    lambda winner, said: picked_of_sets(said, winner.data.classes, winner.shipped.calibration["thresholds"]), both_ways
)
_OF_NUMBERS = _Answers(lambda winner, said: picked_of_numbers(said), numbers_asked)  # noqa: ARG005
EVIDENCE: dict[str, _Gathered] = {
    "classification": _Gathered(_figures, _OF_CLASSES, is_one_class=True),
    "multilabel": _Gathered(_sets, _OF_SETS, is_one_class=False),
    "regression": _Gathered(_numbers, _OF_NUMBERS, is_one_class=False),
}
