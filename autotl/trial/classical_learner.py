"""A model without a pretrained network on the workshop's bench: fitted in one go, so its plan has one epoch."""

from collections.abc import Callable
from typing import Any, cast

import numpy as np

from autotl.data.examples import Fold, Inputs, Rows, TaskData, is_known
from autotl.data.records import Records
from autotl.data.texts import Texts
from autotl.data.windows import Windows
from autotl.plan import Plan
from autotl.scoring.metrics import METRICS
from autotl.trial.classical import ClassicalModel, model_named
from autotl.trial.learner import Arrays, Features, Probabilities
from autotl.trial.links import LINKS
from autotl.trial.outcome import Size
from autotl.trial.scorer import Scorer

THREADS = 1  # more would give other sums, and so another model, on another machine


class ClassicalLearner:
    """Fits one of the classical models on a fold's training rows."""

    def __init__(self, plan: Plan, data: TaskData, scorer: Scorer) -> None:
        self.name, self.problem = plan.backbone.name, data.problem.name
        self._kind: type[ClassicalModel] = model_named(plan.backbone.name, data.problem)
        self._plan = plan
        self._data = data
        self._scorer = scorer
        self._model: ClassicalModel | None = None

    @property
    def model(self) -> ClassicalModel:
        """The fitted model."""
        assert self._model is not None, "the model was not fitted"
        return self._model

    def start(self, fold: Fold, *, fold_number: int) -> None:  # noqa: ARG002 - a learner's interface
        """Nothing of an earlier model is left."""
        self._model = None

    def resume(self, fold: Fold, *, fold_number: int, epochs: int, state: Arrays) -> None:  # noqa: ARG002
        """The model that was fitted."""
        self.load_state(state)

    def train_epoch(self, fold: Fold, *, fold_number: int, epoch: int, check: Callable[[], None]) -> float:  # noqa: ARG002
        """Fits the model; returns its loss on the training rows."""
        labels, classes = self._data.labels[fold.train], len(self._data.classes)
        known = fold.train[is_known(labels)]
        labels = self._data.labels[known]
        self._model = self._kind.fit(
            _examples(self._rows(known)),
            labels,
            classes=classes,
            class_weights=self._scorer.class_weights(labels, classes=classes),
            seed=int(np.random.SeedSequence([self._plan.seed, fold_number]).generate_state(1)[0] % 2**31),
            threads=THREADS,
            check=check,
            **_settings(self._data),
        )
        return METRICS[self._data.problem.loss_metric](labels, self._model.predict(_examples(self._rows(known))))

    def predict(self, rows: Rows) -> tuple[Probabilities, Features]:
        """What it says; the logits that would give this stand for features."""
        if not len(rows):
            empty = np.zeros((0, len(self._data.classes)), dtype=np.float32)
            return empty, empty
        return self._with_logits(self.model.predict(_examples(self._rows(rows))))

    def predict_inputs(self, inputs: Inputs) -> Probabilities:
        """Probabilities of inputs outside the task's pools."""
        return self.look_at(inputs)[0]

    def look_at(self, inputs: Inputs) -> tuple[Probabilities, Features]:
        """What it says of the same, and its logits."""
        return self._with_logits(self.model.predict(_examples([(inputs, np.arange(len(inputs)))])))

    def _with_logits(self, said: Probabilities) -> tuple[Probabilities, Features]:
        return said, LINKS[self._data.problem.name].logits(said)

    def classifier_weights(self) -> None:
        """No layer reads its features: they are what it says."""

    def state(self) -> Arrays:
        """The fitted model; there is nothing half-trained."""
        return self.weights()

    def load_state(self, state: Arrays) -> None:
        """The model that `state` was taken from."""
        self.load_weights(state)

    def weights(self) -> Arrays:
        """The model as plain arrays."""
        return self.model.arrays()

    def load_weights(self, weights: Arrays) -> None:
        """The model that `weights` was taken from."""
        self._model = self._kind.from_arrays(weights, len(self._data.classes))

    def size(self) -> Size:
        """Of the fitted model."""
        return self.model.size()

    def _rows(self, rows: Rows) -> list[tuple[Inputs, Rows]]:
        """The rows of each domain, for rows in any order given domain by domain or mixed."""
        domain_of = self._data.domain_of[rows]
        starts = np.cumsum([0, *(len(inputs) for inputs in self._data.inputs)])
        parts: list[tuple[Inputs, Rows]] = []
        begins = np.flatnonzero(np.r_[True, domain_of[1:] != domain_of[:-1]])
        for begin, end in zip(begins, [*begins[1:], len(rows)], strict=True):
            domain = int(domain_of[begin])
            parts.append((self._data.inputs[domain], rows[begin:end] - starts[domain]))
        return parts


def _settings(data: TaskData) -> dict[str, Any]:
    """What a model must be told of its examples beyond themselves."""
    first = data.inputs[0]
    settings: dict[str, Any] = {}
    if isinstance(first, Records) and first.schema is not None:
        settings["categorical"] = first.schema.categorical
    if data.problem.losses:  # where a metric decides what is learnt by, a classical model follows it, too
        settings["loss"] = data.problem.loss_for(data.metric)
    return settings


def _examples(parts: list[tuple[Inputs, Rows]]) -> Any:
    """Examples as their model takes them: texts, a matrix of columns, or windows."""
    first = parts[0][0]
    if isinstance(first, Texts):
        return [text for inputs, rows in parts for text in cast(Texts, inputs).read(rows)]
    return np.concatenate([cast(Records | Windows, inputs).read(rows) for inputs, rows in parts])
