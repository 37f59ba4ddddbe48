"""Plans with a network: a head and unfrozen layers, trained on stored activations, alone or with companions."""

import logging
import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from autotl.adaptation.method import RAMPED_SHARE, AffineMap, Joint
from autotl.backbones.network import Network
from autotl.data.examples import UNKNOWN, Fold, Inputs, Rows
from autotl.data.statistics import Statistics
from autotl.data.statistics_file import StatisticsSource
from autotl.errors import TaskError
from autotl.plan import Plan
from autotl.plan.plan import FEWEST_STEPS, SOLVED
from autotl.scoring.expected_outputs import expected_confusion, expected_temperature
from autotl.trial.adapting import Adapting
from autotl.trial.joined_words import ARRAYS, WORDS, JoinedWords, stored
from autotl.trial.learner import Arrays, Features, Probabilities
from autotl.trial.material import PREDICTION_BATCH, Material
from autotl.trial.outcome import Size
from autotl.trial.rows_of_tasks import dealt_by_root, rows_of_tasks
from autotl.trial.solved_head import SOLVERS, SolvedHead
from autotl.trial.trainer import Batch, Trainer, cosine_decay, warm_up

if TYPE_CHECKING:
    from autotl.trial.network_bench import NetworkBench

ROWS_ADDED_TOGETHER = 4_096  # whose features are in memory at once while a head is solved

_log = logging.getLogger(__name__)


class NetworkLearner:
    """A plan's head and unfrozen layers, trained on stored activations."""

    def __init__(
        self, bench: "NetworkBench", plan: Plan, trainer: Trainer, material: Material, check: Callable[[], None]
    ) -> None:
        self._bench = bench
        self._plan = plan
        self.trainer = trainer
        self._material = material
        material.tells_domains = trainer.model.domain_maps is not None
        self._check = check
        self._words_of: dict[int, JoinedWords] = {}  # by fold
        self._weights_of: dict[int, NDArray[np.float32] | None] = {}  # of examples, by fold
        self._fold = 0
        self._held_out: Statistics | None = None  # of a head that is solved: what tells how good it is

    @property
    def words(self) -> JoinedWords | None:
        """The bag of words that joins this model's features; None where none does."""
        return self._words_of.get(self._fold)

    def start(self, fold: Fold, *, fold_number: int) -> None:
        """Pretrained weights, the head that came with them or a new one, an empty optimizer, and the method fitted on
        the pretrained features."""
        data = self._bench.data
        self._fold = fold_number
        if self._plan.join == WORDS:
            self._words_of[fold_number] = self._bench.words(fold, self._check)
        self._turn_to(fold_number)
        seed = fold_seed(self._plan, fold_number)
        weights = self._bench.scorer.class_weights(data.labels[fold.train], classes=len(data.classes))
        unit = self.trainer.model.structure.supervised.unit_of(data.labels[fold.train])
        self.trainer.reset(self._plan, seed=seed, class_weights=weights, unit=unit)
        self._turn_to(fold_number)  # once more: what joins is told in the same unit
        method = Adapting(self._plan, data, fold)
        self._weights_of[fold_number] = method.weights(self._pooled)
        self._align(method)
        if self._plan.epochs == 0:
            self._end_learning(method)

    def resume(self, fold: Fold, *, fold_number: int, epochs: int, state: Arrays) -> None:
        """Everything as at the start, what belongs to the phase of the training, and then the state."""
        self.start(fold, fold_number=fold_number)
        if epochs > self._plan.epochs:
            self.trainer.leave_source(self._plan)
        self.load_state(state)

    def train_epoch(self, fold: Fold, *, fold_number: int, epoch: int, check: Callable[[], None]) -> float:
        """One pass over the fold's training rows, shuffled anew; after the supervised epochs, over target rows.

        A head on few rows passes over them several times.
        """
        plan, method = self._plan, Adapting(self._plan, self._bench.data, fold)
        draws = np.random.default_rng([plan.seed, fold_number, epoch])
        if epoch < plan.epochs:
            loss = self._learn_epoch(method, fold, fold_number, epoch, draws, check)
        else:
            loss = self._adapt_epoch(method, epoch, draws, check)
        if plan.unfrozen_layers != 0:
            self._align(method)  # the features under it have moved
        if epoch == plan.epochs - 1:
            self._end_learning(method)
        return loss

    def _learn_epoch(
        self,
        method: Adapting,
        fold: Fold,
        fold_number: int,
        epoch: int,
        draws: np.random.Generator,
        check: Callable[[], None],
    ) -> float:
        """Passes over the labelled rows, target rows beside them where the method's loss wants some; of a head that is
        solved there is nothing to pass over."""
        if self._plan.head.name in SOLVED:
            return self._solve(method, fold)
        passes, steps = passes_and_steps(self._plan, fold.train)
        batches = self._supervised_batches(method, fold, fold_number, epoch, draws, passes)
        total = steps * self._plan.epochs
        return self.trainer.run_epoch(
            _until(batches, check),
            rate_at=cosine_decay(self._plan.learning_rate, total),
            ramp_at=warm_up(math.ceil(RAMPED_SHARE * total)) if self._is_joint else None,
        )

    def _solve(self, method: Adapting, fold: Fold) -> float:
        """Puts the head in its place that sums over all labelled examples give, here or elsewhere.

        Returns:
            The share of examples that it is expected to read wrong.
        """
        bench, plan = self._bench, self._plan
        data, classes = bench.data, len(bench.data.classes)
        rows = fold.train[data.labels[fold.train] != UNKNOWN]
        width = self.trainer.network.feature_width
        refuse_other_features(data.statistics, self.trainer.network)
        learn = Statistics.nothing(classes=classes, width=width)
        for start in range(0, len(rows), ROWS_ADDED_TOGETHER):
            some = rows[start : start + ROWS_ADDED_TOGETHER]
            learn += Statistics.of(self.head_inputs(some), data.labels[some], classes=classes)
        held_out = Statistics.nothing(classes=classes, width=width)
        for source, mapped in zip(data.statistics, method.maps_of_statistics(self._pooled), strict=True):
            if plan.learns_from != "target":
                learn += _through(source.learn, mapped)
            # of a house that holds nothing out, what was learnt from must do
            held_out += _through(source.learn if source.held_out is None else source.held_out, mapped)
        weights = bench.scorer.weights_of_counts(np.maximum(learn.counts, 0.0))
        head = SOLVERS[plan.head.name](learn, **plan.head.parameters, weights=weights)
        if head.note:
            _log.info("head: %s", head.note)
        self._held_out = held_out if held_out.examples > 0 else learn
        means, covariance = _logits_of(self._held_out, head)
        head = head.divided_by(expected_temperature(means, covariance, self._held_out.counts))
        self.trainer.set_head(head.kernel, head.bias)
        confusion = self.expected_confusion()
        return 1.0 - float(np.trace(confusion) / confusion.sum())

    def expected_confusion(self) -> NDArray[np.float64]:
        """(classes, classes) counts, a row per true class: what a solved head is expected to call the examples held out
        elsewhere, or where there are none those that it was solved from."""
        assert self._held_out is not None, "the head was solved"
        kernel, bias = self.trainer.head()
        return expected_confusion(*_logits_of(self._held_out, SolvedHead(kernel, bias)), self._held_out.counts)

    def _end_learning(self, method: Adapting) -> None:
        """What follows the last epoch that learns from labels."""
        shift = method.shift_of_logits(self.predict)
        if shift is not None:
            self.trainer.add_to_logits(shift)

    def _supervised_batches(
        self, method: Adapting, fold: Fold, fold_number: int, epoch: int, draws: np.random.Generator, passes: int
    ) -> Iterator[Batch]:
        plan = self._plan
        if self._is_joint:
            pseudo_labels = method.pseudo_labels(self.predict, progress=epoch / plan.epochs)
        for _ in range(passes):
            if self._is_joint:
                yield from self._material.paired_batches(
                    method.source, method.target, batch_size=plan.batch_size, draws=draws, pseudo_labels=pseudo_labels
                )
            else:
                yield from self._material.training_batches(
                    fold.train, batch_size=plan.batch_size, draws=draws, weights=self._weights_of[fold_number]
                )

    def _adapt_epoch(
        self, method: Adapting, epoch: int, draws: np.random.Generator, check: Callable[[], None]
    ) -> float:
        """One pass over the target rows by the method's own loss; the source is not read."""
        plan = self._plan
        if epoch == plan.epochs:
            self.trainer.leave_source(plan)
        progress = (epoch - plan.epochs) / plan.adapting_epochs
        pseudo_labels = method.pseudo_labels(self.predict, progress=progress)
        rate = plan.learning_rate * float(plan.adaptation.parameters["rate"])
        steps = math.ceil(len(method.target) / plan.batch_size) * plan.adapting_epochs
        batches = self._material.training_batches(
            method.target, batch_size=plan.batch_size, draws=draws, labels=pseudo_labels
        )
        return self.trainer.run_epoch(_until(batches, check), rate_at=cosine_decay(rate, steps))

    @property
    def _is_joint(self) -> bool:
        return isinstance(self.trainer.model.structure.method, Joint)

    def _align(self, method: Adapting) -> None:
        if self.trainer.model.domain_maps is not None:
            self.trainer.align(method.maps(self._pooled))

    def _pooled(self, rows: Rows) -> Features:
        return self.trainer.pooled(self._material.prediction_batches(rows))

    def predict(self, rows: Rows) -> tuple[Probabilities, Features]:
        """Probabilities and pooled features of rows of the task's data."""
        return self.trainer.predict(self._material.prediction_batches(rows))

    def head_inputs(self, rows: Rows) -> Features:
        """What the head reads of rows of the task's data, (n, d), each as its domain's map leaves it."""
        features = self._pooled(rows)
        domain_of = self._bench.data.domain_of[rows]
        for domain in np.unique(domain_of).tolist():
            mapped = self.trainer.model.map_of(domain)
            if mapped is not None:
                features[domain_of == domain] = mapped(features[domain_of == domain])
        return features

    def predict_mixed(self, rows: Rows, partners: Rows, share: float) -> Probabilities:
        """Probabilities of mixtures of target rows: of what crosses the cut, or of pooled features if ids cross it."""
        said = []
        for start in range(0, len(rows), PREDICTION_BATCH):
            ones, others = rows[start : start + PREDICTION_BATCH], partners[start : start + PREDICTION_BATCH]
            mixed = self._material.mixed(ones, others, share)
            if mixed is not None:
                said.append(self.trainer.predict([mixed])[0])
                continue
            pooled = share * self._pooled(ones) + (1 - share) * self._pooled(others)
            beside = self._material.beside
            joined = None if beside is None else share * beside[ones] + (1 - share) * beside[others]
            said.append(self.trainer.predict_pooled(pooled, joined))
        return np.concatenate(said)

    def predict_inputs(self, inputs: Inputs) -> Probabilities:
        """Probabilities of inputs outside the task's pools; they are the target's."""
        return self.look_at(inputs)[0]

    def look_at(self, inputs: Inputs) -> tuple[Probabilities, Features]:
        """Probabilities of the same, and their pooled features."""
        features = self._bench.features_of(self.trainer.division, inputs)
        batches = Material([[features]], np.zeros(len(inputs), dtype=np.int64))
        batches.tells_domains = self._material.tells_domains
        if self.words is not None:
            batches.beside = self.trainer.unit.told(self.words.of_inputs(inputs))
        return self.trainer.predict(batches.prediction_batches(np.arange(len(inputs))))

    def classifier_weights(self) -> NDArray[np.float32]:
        """(d, classes), of the last layer."""
        return self.trainer.classifier_weights()

    def state(self) -> Arrays:
        """Everything that training changes, and whose turn it was."""
        return [*self.trainer.state(), np.array(self._fold)]

    def load_state(self, state: Arrays) -> None:
        """Continues from a state that `state` returned."""
        self.trainer.load_state(state[:-1])
        self._turn_to(int(state[-1]))

    def weights(self) -> Arrays:
        """Head and unfrozen layers, and the bag of words that joins them."""
        return [*self.trainer.weights(), *([] if self.words is None else self.words.model.arrays())]

    def load_weights(self, weights: Arrays) -> None:
        """Makes this the trained model that `weights` was taken from."""
        if self._plan.join == WORDS:
            weights, words = weights[:-ARRAYS], weights[-ARRAYS:]
            self._words_of[0] = stored(words, self._bench.data)
        self.trainer.load_weights(weights)
        if self._plan.join == WORDS:
            self._turn_to(0)

    def _turn_to(self, fold_number: int) -> None:
        self._fold = fold_number
        self._material.beside = None if self.words is None else self.trainer.unit.told(self.words.opinions)

    def size(self) -> Size:
        """Of the whole model."""
        return self._bench.size_of(self._plan, self.trainer)


class TogetherLearner(NetworkLearner):
    """A plan that learns the task and its companions: all of them train what lies below their heads.

    An epoch has as many examples as all tasks have to learn from; each task's part goes by the square root of its own,
    so that a large one does not drown a small one. To everyone else this is the task's own model: it predicts the
    task's classes, and its weights are those of a plan that has learnt the task alone.
    """

    def start(self, fold: Fold, *, fold_number: int) -> None:
        """Pretrained weights, new heads and an empty optimizer."""
        data, scorer = self._bench.data, self._bench.scorer
        self._turn_to(fold_number)
        weights = [scorer.class_weights(data.labels[fold.train], classes=len(data.classes))]
        weights += [scorer.class_weights(each.labels, classes=len(each.classes)) for each in data.companions]
        self.trainer.reset(self._plan, seed=fold_seed(self._plan, fold_number), class_weights=np.concatenate(weights))

    def train_epoch(self, fold: Fold, *, fold_number: int, epoch: int, check: Callable[[], None]) -> float:
        """One pass over as many rows as all tasks have; see the class."""
        plan = self._plan
        draws = np.random.default_rng([plan.seed, fold_number, epoch])
        tasks = rows_of_tasks(self._bench.data, fold)
        passes, steps = passes_and_steps(plan, np.concatenate(tasks))
        batches = (
            batch
            for _ in range(passes)
            for batch in self._material.training_batches(
                dealt_by_root(tasks, draws), batch_size=plan.batch_size, draws=draws
            )
        )
        rate_at = cosine_decay(plan.learning_rate, steps * plan.epochs)
        return self.trainer.run_epoch(_until(batches, check), rate_at=rate_at)


def refuse_other_features(sources: Sequence[StatisticsSource], network: Network) -> None:
    """Raises a TaskError where a network's features are not what the sources' statistics are of."""
    for source in sources:
        if source.file.features.fingerprint == network.digest:
            continue
        made_by = ", ".join(f"{name} {version}" for name, version in source.file.versions.items())
        raise TaskError(
            f"the statistics of {source.name!r} are of other features than {network.spec.label} gives here: weights, "
            f"layers or reading differ. They were written by {made_by}."
        )


def _through(statistics: Statistics, mapped: AffineMap | None) -> Statistics:
    return statistics if mapped is None else statistics.mapped(mapped.matrix, mapped.offset)


def _logits_of(statistics: Statistics, head: SolvedHead) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The logits at the mean of each class, (k, k), and their covariance about it, (k, k)."""
    means = statistics.class_means @ head.kernel + head.bias
    return means, head.kernel.T @ statistics.within @ head.kernel


def passes_and_steps(plan: Plan, rows: Rows) -> tuple[int, int]:
    """How often an epoch of a plan passes over its training rows, and how many steps that makes."""
    steps = math.ceil(len(rows) / plan.batch_size)
    passes = math.ceil(FEWEST_STEPS / steps) if plan.unfrozen_layers == 0 else 1
    return passes, steps * passes


def fold_seed(plan: Plan, fold_number: int) -> int:
    """What a plan's model of one fold starts from."""
    return int(np.random.SeedSequence([plan.seed, fold_number]).generate_state(1)[0])


def _until(batches: Iterator[Any], check: Callable[[], None]) -> Iterator[Any]:
    for batch in batches:
        check()
        yield batch
