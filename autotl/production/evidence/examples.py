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

from autotl.data.examples import Inputs
from autotl.data.records import Records
from autotl.data.texts import Texts
from autotl.data.windows import Windows
from autotl.production.bundle import EXAMPLES_FORMAT
from autotl.production.evidence import cells, pictures, stretches, words
from autotl.production.evidence.choosing import costliest_mistakes, plainly_right
from autotl.production.evidence.covering import Predict
from autotl.production.evidence.figures import Said
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
        look: place and class → what that class's probability hangs on; is added to what is shown.
    """

    method: str
    paper: str
    show: Callable[[int], Json]
    look: Callable[[int, int], Json]


def examples_of(
    asked: Said, inputs: Inputs, classes: Sequence[str], looking: Looking, *, is_over: Callable[[], bool]
) -> Json:
    """The costliest mistakes and some right answers, each with what the named class's probability hangs on.

    Args:
        asked: what the model says of the inputs, in their order, with labels.
        is_over: whether the time for explaining is up; examples that were not reached are shown all the same.
    Returns:
        Plain JSON values: `format`, `split`, `mistakes` (how many there are), `method`, `paper`, `explained` (how many
        were) and `examples`, mistakes first.
    """
    labels, probabilities = asked.labels, asked.probabilities
    assert labels is not None, "examples are picked where labels are known"
    said = predicted_labels(probabilities)
    wrong, right = costliest_mistakes(labels, probabilities), plainly_right(labels, probabilities)
    shown = {
        place: {
            "id": inputs.ids[place][:LONGEST_ID],
            "true": classes[labels[place]],
            "said": classes[said[place]],
            "right": place in right,
            "probability": float(probabilities[place, said[place]]),
            "probability_of_true": float(probabilities[place, labels[place]]),
            **looking.show(place),
        }
        for place in (*wrong, *right)
    }
    explained = 0
    for place in _in_turn(wrong, right):
        if is_over():
            break
        shown[place] |= looking.look(place, int(said[place]))
        explained += 1
    known = labels >= 0
    return {
        "format": EXAMPLES_FORMAT,
        "split": asked.split,
        "mistakes": int((said[known] != labels[known]).sum()),
        "method": looking.method,
        "paper": looking.paper,
        "explained": explained,
        "examples": list(shown.values()),
    }


def looking_at(inputs: Inputs, model: "ServingModel", others: NDArray[np.float32] | None) -> Looking:
    """How the examples of a split are shown and explained.

    Args:
        model: asked about covered examples; its reading gives them as it takes them.
        others: of a table, the rows whose cells replace those of an example.
    """
    predict = model.predict
    if isinstance(inputs, Texts):
        return _texts(inputs, predict)
    if isinstance(inputs, Windows):
        return _signals(inputs, predict)
    if isinstance(inputs, Records):
        assert others is not None, "of a table there are other rows"
        return _rows(inputs, others, predict)

    def read(place: int) -> NDArray[np.uint8]:
        return cast(NDArray[np.uint8], model.reading(inputs, np.array([place]))[0])

    return Looking(
        pictures.METHOD,
        "Zeiler & Fergus, “Visualizing and understanding convolutional networks”, ECCV 2014",
        lambda place: pictures.shown(read(place)),
        lambda place, index: pictures.looked_at(read(place), predict, index),
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


def _texts(inputs: Texts, predict: Predict) -> Looking:
    return Looking(
        words.METHOD,
        "Li, Monroe & Jurafsky, “Understanding neural networks through representation erasure”, 2016",
        lambda place: words.shown(inputs.texts[place]),
        lambda place, index: words.looked_at(inputs.texts[place], predict, index),
    )


def _signals(inputs: Windows, predict: Predict) -> Looking:
    def read(place: int) -> NDArray[np.float32]:
        return np.asarray(inputs.read(np.array([place]))[0], dtype=np.float32)

    return Looking(
        stretches.METHOD,
        "after Zeiler & Fergus, “Visualizing and understanding convolutional networks”, ECCV 2014",
        lambda place: stretches.shown(read(place), inputs.channels),
        lambda place, index: stretches.looked_at(read(place), predict, index),
    )


def _rows(inputs: Records, others: NDArray[np.float32], predict: Predict) -> Looking:
    return Looking(
        cells.METHOD,
        "Robnik-Šikonja & Kononenko, “Explaining classifications for individual instances”, IEEE TKDE 2008",
        lambda place: cells.shown(inputs, place),
        lambda place, index: cells.looked_at(inputs, place, others, predict, index),
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
