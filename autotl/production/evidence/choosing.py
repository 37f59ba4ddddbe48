"""Which examples a person should look at: the costliest mistakes, and for comparison some that are right."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from autotl.data.examples import is_known
from autotl.scoring.label_sets import LabelSets, said_sets
from autotl.scoring.metrics import LEAST_PROBABILITY, Labels, Probabilities, predicted_labels

MOST_MISTAKES = 12
MOST_RIGHT = 6
MOST_OF_A_PAIR = 3  # mistakes of one class taken for one other, while there are others to show

Places = NDArray[np.int64]
Decision = tuple[int, int]  # place of an example, index of a label: whether it is said of it
Picked = TypeVar("Picked")


def costliest_mistakes(labels: Labels, probabilities: Probabilities) -> list[int]:
    """Places of the mistakes with the greatest log loss, those the model was surest of first; examples of a class that
    it cannot name are left out."""
    said = predicted_labels(probabilities)
    wrong = np.flatnonzero((labels >= 0) & (said != labels))
    loss = -np.log(np.maximum(probabilities[wrong, labels[wrong]].astype(np.float64), LEAST_PROBABILITY))
    order = wrong[np.lexsort((wrong, -probabilities[wrong, said[wrong]], -loss))].tolist()
    return _varied(order, lambda place: (int(labels[place]), int(said[place])))[:MOST_MISTAKES]


def plainly_right(labels: Labels, probabilities: Probabilities) -> list[int]:
    """Places of right answers, the surest of each class; of many classes those that are mistaken most often."""
    said = predicted_labels(probabilities)
    mistakes: Counter[int] = Counter()
    for true, named in zip(labels.tolist(), said.tolist(), strict=True):
        if true >= 0 and true != named:
            mistakes.update((true, named))
    found = []
    for index in sorted(range(probabilities.shape[1]), key=lambda index: (-mistakes[index], index)):
        right = np.flatnonzero((labels == index) & (said == index))
        if len(right):
            found.append(int(right[probabilities[right, index].argmax()]))
    return found[:MOST_RIGHT]


def furthest_off(labels: Labels, said: NDArray[np.floating]) -> list[int]:
    """Places of the numbers that are furthest off, of those whose truth is known; neither too high nor too low ones
    fill the page while there are others.

    Args:
        labels, said: (n,) numbers in one unit.
    """
    known = np.flatnonzero(is_known(labels))
    off = said[known] - labels[known]
    order = known[np.lexsort((known, -np.abs(off)))].tolist()
    return _varied(order, lambda place: bool(said[place] > labels[place]))[:MOST_MISTAKES]


def nearest_by_size(labels: Labels, said: NDArray[np.floating]) -> list[int]:
    """The place that is nearest to the truth in each sixth of the known numbers, small ones first."""
    known = np.flatnonzero(is_known(labels))
    ordered = known[np.lexsort((known, labels[known]))]
    parts = np.array_split(ordered, min(MOST_RIGHT, len(ordered))) if len(ordered) else []
    return [int(part[np.abs(said[part] - labels[part]).argmin()]) for part in parts]


def furthest_decisions(sets: LabelSets, probabilities: Probabilities, thresholds: Sequence[float]) -> list[Decision]:
    """Wrong decisions on a label, those furthest on the wrong side of its threshold first (in log-odds, so that labels
    with a low threshold count like others); no label fills the page, neither missed nor said in vain."""
    wrong, beyond = _wrong_decisions(sets, probabilities, thresholds), _beyond(probabilities, thresholds)
    found = [(int(place), int(index)) for place, index in np.argwhere(wrong)]
    found.sort(key=lambda each: (-abs(beyond[each]), each))
    return _varied(found, lambda each: (each[1], int(sets[each])))[:MOST_MISTAKES]


def plainly_borne(sets: LabelSets, probabilities: Probabilities, thresholds: Sequence[float]) -> list[Decision]:
    """Of each label the example that bears it and of which it is said most surely; of many labels those with the most
    wrong decisions."""
    mistakes = _wrong_decisions(sets, probabilities, thresholds).sum(axis=0)
    borne = (sets == 1) & (said_sets(probabilities, thresholds) == 1)
    ranked = np.where(borne, probabilities, -1.0)
    labels = np.argsort(-mistakes, kind="stable").tolist()
    return [(int(ranked[:, index].argmax()), index) for index in labels if borne[:, index].any()][:MOST_RIGHT]


def _wrong_decisions(sets: LabelSets, probabilities: Probabilities, thresholds: Sequence[float]) -> NDArray[np.bool_]:
    """Whether each label of each example is missed or said in vain, shape (n, labels); of unknown sets neither."""
    return np.asarray((sets >= 0) & (said_sets(probabilities, thresholds) != sets))


def _beyond(probabilities: Probabilities, thresholds: Sequence[float]) -> NDArray[np.float64]:
    """How far above its label's threshold each probability lies, in log-odds, shape (n, labels)."""

    def log_odds(values: NDArray[np.floating]) -> NDArray[np.float64]:
        inside = np.clip(values.astype(np.float64), LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
        return np.asarray(np.log(inside / (1 - inside)))

    return log_odds(probabilities) - log_odds(np.asarray(thresholds, dtype=np.float64))


def _varied(ordered: Iterable[Picked], kind: Callable[[Picked], Hashable]) -> list[Picked]:
    """In their order, but more than `MOST_OF_A_PAIR` of a kind behind all others."""
    seen: Counter[Hashable] = Counter()
    first: list[Picked] = []
    rest: list[Picked] = []
    for each in ordered:
        seen[kind(each)] += 1
        (first if seen[kind(each)] <= MOST_OF_A_PAIR else rest).append(each)
    return [*first, *rest]
