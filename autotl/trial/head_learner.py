"""A plan whose only trained part is a linear head, on features that are all in memory: one of several side by side."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from autotl.data.examples import Fold, Rows
from autotl.plan import Plan
from autotl.trial.adapting import Adapting
from autotl.trial.learner import Arrays, Features, Probabilities
from autotl.trial.losses import Loss
from autotl.trial.material import Material
from autotl.trial.network_bench import NetworkBench
from autotl.trial.network_learner import fold_seed, passes_and_steps
from autotl.trial.outcome import Size
from autotl.trial.side_by_side import SIZES, HeadBatch, HeadState, SideBySide, in_memory, predict
from autotl.trial.trainer import Trainer, cosine_decay

LARGEST_MATRIX_BYTES = 256 << 20  # of features in memory; plans on more of them are trained one by one


class HeadBench:
    """The features of one packet's plans, and the compiled steps that its heads take on them.

    Args:
        features: (views * rows, d): every row of the task's data in its plain view, then in each random one.
    """

    def __init__(
        self, bench: NetworkBench, trainer: Trainer, material: Material, features: Features, *, batch_size: int
    ) -> None:
        self.bench = bench
        self.trainer = trainer
        self.material = material
        self.features = features
        self._batch_size = batch_size
        self._in_memory = in_memory(features)
        self._by_size: dict[int, SideBySide] = {}

    @property
    def loss(self) -> Loss:
        """What the heads learn by."""
        return self.trainer.model.structure.supervised

    @classmethod
    def of(cls, plan: Plan, bench: NetworkBench, check: Callable[[], None]) -> "HeadBench | None":
        """Everything that such plans share; None where their features would not stay in memory."""
        trainer = bench.trainer(plan)
        crossing = trainer.division.crossing
        if len(crossing) != 1 or len(crossing[0].shape) != 1:
            return None
        rows = sum(len(inputs) for inputs in bench.data.inputs) * (1 + plan.views)
        if rows * crossing[0].shape[0] * 4 > LARGEST_MATRIX_BYTES:
            return None
        material = bench.material(plan, trainer, check)
        return cls(bench, trainer, material, material.whole(), batch_size=plan.batch_size)

    def train_epoch(self, heads: Sequence[HeadState], batches: Sequence[Iterator[HeadBatch]]) -> list[float]:
        """One epoch of all the heads, as many at once as there are places; returns the mean loss of each."""
        losses: list[float] = []
        while len(losses) < len(heads):
            start = len(losses)
            size = next((size for size in SIZES if size >= len(heads) - start), SIZES[-1])
            here = slice(start, start + size)
            losses.extend(self._places(size).run_epoch(heads[here], batches[here]).tolist())
        return losses

    def predict(self, heads: Sequence[HeadState], rows: Rows) -> NDArray[np.float32]:
        """Probabilities (heads, n, classes) of rows of the task's data, plain."""
        return predict(heads, self.features[rows], self.loss)

    def _places(self, size: int) -> SideBySide:
        if size not in self._by_size:
            classes = len(self.bench.data.classes)
            self._by_size[size] = SideBySide(
                self._in_memory, self.loss, classes=classes, batch_size=self._batch_size, places=size
            )
        return self._by_size[size]


class HeadLearner:
    """One plan of a packet: a head for each fold.

    It says of rows what the plan's `NetworkLearner` would, and leaves the same weights behind.
    """

    def __init__(self, shared: HeadBench, plan: Plan, folds: Sequence[Fold]) -> None:
        self._shared = shared
        self._plan = plan
        self._folds = folds
        self._fold = 0
        self._weights_of: list[NDArray[np.float32] | None] = []  # of examples, by fold
        self.heads: list[HeadState] = []  # by fold

    def start(self) -> None:
        """A new head for every fold."""
        data, scorer, plan = self._shared.bench.data, self._shared.bench.scorer, self._plan
        classes = len(data.classes)
        for number, fold in enumerate(self._folds):
            self._weights_of.append(Adapting(plan, data, fold).weights(self.features_of))
            self.heads.append(
                HeadState.new(
                    self._shared.features.shape[1],
                    classes,
                    seed=fold_seed(plan, number),
                    dropout=plan.dropout,
                    label_smoothing=plan.label_smoothing,
                    weight_decay=plan.weight_decay,
                    class_weights=scorer.class_weights(data.labels[fold.train], classes=classes),
                    unit=self._shared.loss.unit_of(data.labels[fold.train]),
                )
            )

    def resume(self, states: Sequence[Arrays]) -> None:
        """Goes on from what `states` returned in another process."""
        self.start()
        for head, (kernel, bias, steps, *moments) in zip(self.heads, states, strict=True):
            head.kernel, head.bias, head.steps, head.moments = kernel, bias, int(steps), moments

    def states(self) -> list[Arrays]:
        """By fold, everything that training changes."""
        return [[head.kernel, head.bias, np.array(head.steps), *head.moments] for head in self.heads]

    def batches(self, epoch: int, check: Callable[[], None]) -> list[Iterator[HeadBatch]]:
        """What each fold's head learns from in this epoch; `check` may raise to stop."""
        return [self._batches(number, epoch, check) for number in range(len(self._folds))]

    def _batches(self, number: int, epoch: int, check: Callable[[], None]) -> Iterator[HeadBatch]:
        plan, train = self._plan, self._folds[number].train
        data, weights = self._shared.bench.data, self._weights_of[number]
        passes, steps = passes_and_steps(plan, train)
        rate_at = cosine_decay(plan.learning_rate, steps * plan.epochs)
        draws = np.random.default_rng([plan.seed, number, epoch])
        step = self.heads[number].steps  # counted here: batches are made before the head takes the steps
        for _ in range(passes):
            for rows, views in self._shared.material.dealt(train, plan.batch_size, draws):
                check()
                of_rows = None if weights is None else weights[rows]
                labels = self.heads[number].unit.told(data.labels[rows])
                yield HeadBatch(rows + views * len(data.labels), labels, of_rows, rate_at(step))
                step += 1

    def predict(self, rows: Rows) -> tuple[Probabilities, Features]:
        """Probabilities and features of rows of the task's data, by the first fold's head."""
        features = self.features_of(rows)
        return predict(self.heads[:1], features, self._shared.loss)[0], features

    def predict_mixed(self, rows: Rows, partners: Rows, share: float) -> Probabilities:
        """Probabilities of mixtures of the features of target rows."""
        mixed = share * self.features_of(rows) + (1 - share) * self.features_of(partners)
        return predict(self.heads[:1], mixed.astype(np.float32), self._shared.loss)[0]

    def classifier_weights(self) -> NDArray[np.float32]:
        """(d, classes), of the first fold's head."""
        return self.heads[0].kernel

    def weights(self) -> Arrays:
        """The first fold's head, which answers in the task's own unit."""
        head = self.heads[0]
        return [*head.unit.folded(head.kernel, head.bias, joined=0)]

    def size(self) -> Size:
        """Of the whole model."""
        return self._shared.bench.size_of(self._plan, self._shared.trainer)

    def features_of(self, rows: Rows) -> Features:
        """(n, d) of rows of the task's data, plain."""
        return self._shared.features[rows]
