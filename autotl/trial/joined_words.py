"""What a bag of words says of texts, as features that join a network's: the words it counts are the ones that a network
cut off, or never met, and its own mistakes are others.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from autotl.backbones.classical import BAG_OF_WORDS
from autotl.data.examples import Fold, Inputs, TaskData, is_known
from autotl.data.texts import Texts
from autotl.trial.classical import model_named
from autotl.trial.classical.bag_of_words import BagOfWords, cross_fitted_logits
from autotl.trial.learner import Arrays
from autotl.trial.scorer import Scorer

WORDS = BAG_OF_WORDS  # as a plan's `join` says
ARRAYS = 4  # that a bag of words is kept as, behind a trial's own weights
Opinions = NDArray[np.float32]  # (n, classes), the logits of its probabilities


@dataclass(frozen=True, eq=False)
class JoinedWords:
    """A bag of words fitted on one fold, and what it says of every row of the task's data.

    Attributes:
        opinions: of training rows by models that did not train on them, so that a network may learn to trust them.
    """

    model: BagOfWords
    opinions: Opinions

    def of_inputs(self, inputs: Inputs) -> Opinions:
        """What it says of inputs outside the task's pools."""
        return opinions_of(self.model, cast(Texts, inputs).texts)


def fitted_on(fold: Fold, data: TaskData, scorer: Scorer, check: Callable[[], None]) -> JoinedWords:
    """Fits on the fold's labelled training rows; no other label is read."""
    texts = _texts(data)
    rows = fold.train[is_known(data.labels[fold.train])]
    labels, classes = data.labels[rows], len(data.classes)
    fitted = cross_fitted_logits(
        [texts[row] for row in rows.tolist()],
        labels,
        classes=classes,
        class_weights=scorer.class_weights(labels, classes=classes),
        seed=scorer.seed,
        check=check,
        groups=None if data.groups is None else data.groups[rows],
        kind=_kind_for(data),
    )
    opinions, link = opinions_of(fitted.model, texts), fitted.model.link
    opinions[rows] = link.logits(link.probabilities(fitted.logits.astype(np.float32)))
    return JoinedWords(fitted.model, opinions)


def stored(arrays: Arrays, data: TaskData) -> JoinedWords:
    """The one that a trial left behind; of training rows too it says what it says of new ones."""
    model = _kind_for(data).from_arrays(arrays, len(data.classes))
    return JoinedWords(model, opinions_of(model, _texts(data)))


def opinions_of(model: BagOfWords, texts: "list[str] | tuple[str, ...]") -> Opinions:
    """What gives the model's probabilities again, (n, classes)."""
    return model.link.logits(model.predict(texts))


def _kind_for(data: TaskData) -> type[BagOfWords]:
    return cast(type[BagOfWords], model_named(BAG_OF_WORDS, data.problem))


def _texts(data: TaskData) -> list[str]:
    return [text for inputs in data.inputs for text in cast(Texts, inputs).texts]
