"""Which examples a person should look at: the costliest mistakes, and for comparison some that are right."""

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from autotl.scoring.metrics import LEAST_PROBABILITY, Labels, Probabilities, predicted_labels

MOST_MISTAKES = 12
MOST_RIGHT = 6
MOST_OF_A_PAIR = 3  # mistakes of one class taken for one other, while there are others to show

Places = NDArray[np.int64]


def costliest_mistakes(labels: Labels, probabilities: Probabilities) -> list[int]:
    """Places of the mistakes with the greatest log loss, those the model was surest of first; examples of a class that
    it cannot name are left out."""
    said = predicted_labels(probabilities)
    wrong = np.flatnonzero((labels >= 0) & (said != labels))
    loss = -np.log(np.maximum(probabilities[wrong, labels[wrong]].astype(np.float64), LEAST_PROBABILITY))
    order = wrong[np.lexsort((wrong, -probabilities[wrong, said[wrong]], -loss))].tolist()
    seen: Counter[tuple[int, int]] = Counter()
    first: list[int] = []
    rest: list[int] = []
    for place in order:
        pair = (int(labels[place]), int(said[place]))
        seen[pair] += 1
        (first if seen[pair] <= MOST_OF_A_PAIR else rest).append(place)
    return [*first, *rest][:MOST_MISTAKES]


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
