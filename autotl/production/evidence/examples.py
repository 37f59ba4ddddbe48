"""Single examples with what the model's answer to them hangs on.

They hold content of the user's data, so they stay in the run folder: neither the registry nor an exported source takes
them along.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from autotl.data.examples import Inputs, is_known
from autotl.data.records import Records
from autotl.data.texts import Texts
from autotl.data.windows import Windows
from autotl.production.bundle import EXAMPLES_FORMAT
from autotl.production.evidence import cells, pictures, stretches, words
from autotl.production.evidence.choosing import (
    Decision,
    costliest_mistakes,
    furthest_decisions,
    furthest_off,
    nearest_by_size,
    plainly_borne,
    plainly_right,
)
from autotl.production.evidence.covering import Predict, Question
from autotl.production.evidence.figures import Said
from autotl.scoring.label_sets import said_sets
from autotl.scoring.metrics import predicted_labels

if TYPE_CHECKING:
    from autotl.production.serving_model import ServingModel

SHARE_OF_TIME = 0.05  # of what the search took so far
LEAST_SECONDS, MOST_SECONDS = 3.0, 20.0
LONGEST_ID = 200  # characters


Json = dict[str, Any]


@dataclass(frozen=True)
class Looking:
    """How examples of one modality are shown and explained.

    Attributes:
        method: in words.
        paper: where it is from.
        show: place of an example → what is seen of it.
        look: place and column of what is asked → what that answer hangs on; is added to what is shown.
    """

    method: str
    paper: str
    show: Callable[[int], Json]
    look: Callable[[int, int], Json]


@dataclass(frozen=True)
class Answer:
    """An answer to look at.

    Attributes:
        place: of the example.
        column: of what is asked, whose answer is looked into.
        told: plain JSON values: `true`, `said` and, of names, `probability` of what was said, `probability_of_true`.
    """

    place: int
    column: int
    right: bool
    told: Json


@dataclass(frozen=True)
class Picked:
    """Answers that a person should look at.

    Attributes:
        mistakes: how many there are in all; of numbers, which all are somewhat off, how many are known.
        each: what an answer tells of an example: its `class`, whether it bears a `label`, a `number`.
        wrong, right: those to look at.
    """

    mistakes: int
    each: str
    wrong: list[Answer]
    right: list[Answer]


def picked_of_classes(asked: Said, classes: Sequence[str]) -> Picked:
    """The costliest mistakes and, of each class, the surest right answer."""
    labels, probabilities = asked.labels, asked.probabilities
    assert labels is not None, "examples are picked where labels are known"
    said = predicted_labels(probabilities)

    def answer(place: int) -> Answer:
        told = {
            "true": classes[labels[place]],
            "said": classes[said[place]],
            "probability": float(probabilities[place, said[place]]),
            "probability_of_true": float(probabilities[place, labels[place]]),
        }
        return Answer(place, int(said[place]), bool(said[place] == labels[place]), told)

    known = labels >= 0
    return Picked(
        int((said[known] != labels[known]).sum()),
        "class",
        [answer(place) for place in costliest_mistakes(labels, probabilities)],
        [answer(place) for place in plainly_right(labels, probabilities)],
    )


def picked_of_sets(asked: Said, classes: Sequence[str], thresholds: Sequence[float]) -> Picked:
    """Decisions on single labels: the furthest from right and, of each label, the surest that it is borne.

    The columns that are looked into are those of `both_ways`.
    """
    sets, probabilities = asked.labels, asked.probabilities
    assert sets is not None, "examples are picked where labels are known"
    said = said_sets(probabilities, thresholds)

    def answer(decision: Decision) -> Answer:
        place, index = decision
        both = [float(1 - probabilities[decision]), float(probabilities[decision])]
        words = [f"not {classes[index]}", classes[index]]
        is_said, is_borne = int(said[decision]), int(sets[decision])
        told = {
            "true": words[is_borne],
            "said": words[is_said],
            "probability": both[is_said],
            "probability_of_true": both[is_borne],
        }
        return Answer(place, index if is_said else len(classes) + index, is_said == is_borne, told)

    return Picked(
        int(((sets >= 0) & (said != sets)).sum()),
        "label",
        [answer(each) for each in furthest_decisions(sets, probabilities, thresholds)],
        [answer(each) for each in plainly_borne(sets, probabilities, thresholds)],
    )


def picked_of_numbers(asked: Said) -> Picked:
    """The numbers that are furthest off and, of small to large ones, the nearest."""
    labels, said = asked.labels, asked.raw[:, 0].astype(np.float64)
    assert labels is not None, "examples are picked where labels are known"

    def answer(place: int, *, right: bool) -> Answer:
        return Answer(place, 0, right, {"true": float(labels[place]), "said": float(said[place])})

    furthest = furthest_off(labels, said)
    return Picked(
        int(is_known(labels).sum()),
        "number",
        [answer(place, right=False) for place in furthest],
        [answer(place, right=True) for place in nearest_by_size(labels, said) if place not in furthest],
    )


def classes_asked(predict: Predict) -> Question:
    """A probability for each class, as the model says it."""
    return Question(predict)


def numbers_asked(predict: Predict) -> Question:
    """The number that the model says."""
    return Question(predict, is_number=True)


def both_ways(predict: Predict) -> Question:
    """Of labels: the probability of each, then that it is not borne, shape (n, 2 * labels)."""

    def asked(examples: NDArray[Any]) -> NDArray[np.float32]:
        said = predict(examples)
        return np.concatenate([said, 1 - said], axis=1)

    return Question(asked)


def examples_of(asked: Said, inputs: Inputs, picked: Picked, looking: Looking, *, is_over: Callable[[], bool]) -> Json:
    """Answers to single examples, each with what it hangs on.

    Args:
        asked: what the model says of the inputs, in their order.
        is_over: whether the time for explaining is up; examples that were not reached are shown all the same.
    Returns:
        Plain JSON values: `format`, `split`, `mistakes` (how many there are), `each` (as `Picked` says), `method`,
        `paper`, `explained` (how many were) and `examples`, mistakes first.
    """
    answers = [*picked.wrong, *picked.right]
    shown = [
        {
            "id": inputs.ids[answer.place][:LONGEST_ID],
            "right": answer.right,
            **answer.told,
            **looking.show(answer.place),
        }
        for answer in answers
    ]
    explained = 0
    for number in _in_turn(range(len(picked.wrong)), range(len(picked.wrong), len(answers))):
        if is_over():
            break
        shown[number] |= looking.look(answers[number].place, answers[number].column)
        explained += 1
    return {
        "format": EXAMPLES_FORMAT,
        "split": asked.split,
        "mistakes": picked.mistakes,
        "each": picked.each,
        "method": looking.method,
        "paper": looking.paper,
        "explained": explained,
        "examples": shown,
    }


def looking_at(
    inputs: Inputs, model: "ServingModel", others: NDArray[np.float32] | None, *, asking: Callable[[Predict], Question]
) -> Looking:
    """How the examples of a split are shown and explained.

    Args:
        model: asked about covered examples; its reading gives them as it takes them.
        others: of a table, the rows whose cells replace those of an example.
        asking: what the model says → what is asked of it (`classes_asked`, `both_ways`, `numbers_asked`).
    """
    question = asking(model.predict)
    if isinstance(inputs, Texts):
        return _texts(inputs, question)
    if isinstance(inputs, Windows):
        return _signals(inputs, question)
    if isinstance(inputs, Records):
        assert others is not None, "of a table there are other rows"
        return _rows(inputs, others, question)

    def read(place: int) -> NDArray[np.uint8]:
        return cast(NDArray[np.uint8], model.reading(inputs, np.array([place]))[0])

    return Looking(
        pictures.METHOD,
        "Zeiler & Fergus, “Visualizing and understanding convolutional networks”, ECCV 2014",
        lambda place: pictures.shown(read(place)),
        lambda place, index: pictures.looked_at(read(place), question, index),
    )


def seconds_to_explain(spent: float, left: float) -> float:
    """How long explaining may take: a few seconds even where the time is up, for what nobody can judge is worth little.

    Args:
        spent, left: seconds of the command's time so far, and until its end.
    """
    return max(LEAST_SECONDS, min(MOST_SECONDS, SHARE_OF_TIME * spent, left))


def timer(seconds: float) -> Callable[[], bool]:
    """Whether so many seconds from now have passed."""
    ends = time.monotonic() + seconds
    return lambda: time.monotonic() >= ends


def _texts(inputs: Texts, question: Question) -> Looking:
    return Looking(
        words.METHOD,
        "Li, Monroe & Jurafsky, “Understanding neural networks through representation erasure”, 2016",
        lambda place: words.shown(inputs.texts[place]),
        lambda place, index: words.looked_at(inputs.texts[place], question, index),
    )


def _signals(inputs: Windows, question: Question) -> Looking:
    def read(place: int) -> NDArray[np.float32]:
        return np.asarray(inputs.read(np.array([place]))[0], dtype=np.float32)

    return Looking(
        stretches.METHOD,
        "after Zeiler & Fergus, “Visualizing and understanding convolutional networks”, ECCV 2014",
        lambda place: stretches.shown(read(place), inputs.channels),
        lambda place, index: stretches.looked_at(read(place), question, index),
    )


def _rows(inputs: Records, others: NDArray[np.float32], question: Question) -> Looking:
    return Looking(
        cells.METHOD,
        "Robnik-Šikonja & Kononenko, “Explaining classifications for individual instances”, IEEE TKDE 2008",
        lambda place: cells.shown(inputs, place),
        lambda place, index: cells.looked_at(inputs, place, others, question, index),
    )


def _in_turn(wrong: Sequence[int], right: Sequence[int]) -> list[int]:
    """Two mistakes, one right answer, and so on, so that both are explained however short the time is."""
    order: list[int] = []
    rights = iter(right)
    for number, place in enumerate(wrong):
        order.append(place)
        if number % 2:
            order += [each for each in (next(rights, None),) if each is not None]
    return [*order, *rights]
