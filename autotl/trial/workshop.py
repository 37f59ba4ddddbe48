"""Where one worker trains plans, one after the other, keeping everything that the next plan can use again."""

import logging
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autotl.backbones import BackboneSpec
from autotl.backbones.cut import Division, divide
from autotl.backbones.network import Network, build_network
from autotl.backbones.size import count_parameters, flops_of_one_prediction
from autotl.data.examples import PLAIN, Fold, Inputs, Rows, TaskData, View
from autotl.errors import AutotlError, EnvironmentProblemError
from autotl.features import FeatureSet, FeatureStore, extract
from autotl.features.engine import KerasPrefix
from autotl.plan import Plan
from autotl.trial.material import Material
from autotl.trial.outcome import Ending, EpochRow, Job, Outputs, Seconds, Size
from autotl.trial.scorer import Scorer
from autotl.trial.trainer import Arrays, Trainer, cosine_decay

KEPT_NETWORKS = 8  # pretrained networks that stay in a worker's memory
KEPT_TRAINERS = 24  # compiled structures
KEPT_FEATURES = 12  # opened feature sets, each with up to 64 MiB in memory

_log = logging.getLogger(__name__)


class DivergedError(Exception):
    """Loss or score is not a finite number."""


class OutOfTimeError(Exception):
    """The plan's deadline passed."""


@dataclass(frozen=True)
class Trained:
    """A fold's trained model on the workshop's bench, valid until the next plan is trained."""

    trainer: Trainer
    material: Material


class Workshop:
    """Trains plans on one task's data.

    Networks, compiled trainers and opened features are kept between plans; each plan still starts from exactly the
    pretrained weights and its own seed, so its result does not depend on what was trained before it.
    """

    def __init__(self, data: TaskData, store: FeatureStore, scorer: Scorer) -> None:
        self.data = data
        self.store = store
        self.scorer = scorer
        self._networks: OrderedDict[tuple[BackboneSpec, int, str], Network] = OrderedDict()
        self._divisions: dict[tuple[int, Any, int], Division] = {}
        self._trainers: OrderedDict[tuple[Any, ...], Trainer] = OrderedDict()
        self._sizes: dict[tuple[Any, ...], Size] = {}
        self._features: OrderedDict[tuple[str, int, View], FeatureSet] = OrderedDict()

    def train(self, packet: Sequence[Job]) -> Iterator[EpochRow]:
        """Trains a packet of plans of one structure (one plan, for now); a row per plan and epoch.

        The last row of a plan carries its ending; whatever goes wrong inside a plan ends it as `failed` with a reason.
        Closing the iterator early is allowed at any row.
        """
        for job in packet:
            yield from self._train_one(job)

    def _train_one(self, job: Job) -> Iterator[EpochRow]:
        progress = _Progress(job)
        try:
            yield from self._epochs(job, progress)
        except OutOfTimeError:
            yield progress.ended(Ending("pruned", reason="budget"))
        except EnvironmentProblemError as missing:
            yield progress.ended(Ending("skipped", reason=_one_line(missing)))
        except DivergedError as diverged:
            yield progress.ended(Ending("failed", reason=str(diverged)))
        except GeneratorExit:
            raise
        except Exception as error:  # a crashed trial is a row with its reason, never the end of a search
            _log.exception("trial %d failed", job.number)
            yield progress.ended(Ending("failed", reason=_one_line(error)))

    def _epochs(self, job: Job, progress: "_Progress") -> Iterator[EpochRow]:
        plan = job.plan.canonical()
        folds = self.folds(plan)
        material, trainer = self._prepare(plan, progress)
        with progress.clock("score"):
            progress.size = self.size_of(plan, trainer)
        rows = np.concatenate([fold.validation for fold in folds])
        states: list[Arrays] = []
        for epoch in range(plan.epochs):
            predicted: list[NDArray[np.float32]] = []
            losses: list[float] = []
            for index, fold in enumerate(folds):
                with progress.clock("train"):
                    if epoch == 0:
                        self.start(trainer, plan, fold, fold_number=index)
                    elif len(folds) > 1:
                        trainer.load_state(states[index])
                losses.append(self._train_epoch(trainer, material, plan, fold, index, epoch, progress))
                with progress.clock("score"):
                    predicted.append(trainer.predict(material.prediction_batches(fold.validation))[0])
                if len(folds) > 1:
                    with progress.clock("train"):
                        states[index : index + 1] = [trainer.state()]
            probabilities = np.concatenate(predicted)
            with progress.clock("score"):
                progress.advance(float(np.mean(losses)), self.scorer.value(self.data.labels[rows], probabilities))
            if epoch < plan.epochs - 1:
                yield progress.row()
        if len(folds) > 1:
            trainer.load_state(states[0])  # the first fold's model stands for the trial
        with progress.clock("score"):
            ending = self._ending(trainer, material, rows, probabilities)
        yield progress.ended(ending)

    def folds(self, plan: Plan) -> tuple[Fold, ...]:
        """Heads are cheap and get all folds; plans that train backbone layers may get fewer."""
        folds = self.data.folds if plan.unfrozen_layers == 0 else self.data.suffix_folds
        return tuple(replace(fold, train=self.taught(plan, fold.train)) for fold in folds)

    def taught(self, plan: Plan, rows: Rows) -> Rows:
        """Those of the rows that the plan learns from."""
        return rows[self.data.domain_of[rows] > 0] if plan.learns_from == "source" else rows

    def start(self, trainer: Trainer, plan: Plan, fold: Fold, *, fold_number: int) -> None:
        """Puts the trainer where a fresh model of this plan and fold would start."""
        seed = int(np.random.SeedSequence([plan.seed, fold_number]).generate_state(1)[0])
        weights = self.scorer.class_weights(self.data.labels[fold.train], classes=len(self.data.classes))
        trainer.reset(plan, seed=seed, class_weights=weights)

    def fit(self, plan: Plan, fold: Fold, *, deadline: float = math.inf) -> Trained:
        """Trains a plan on one fold's training rows for all its epochs, without scoring it."""
        plan = plan.canonical()
        progress = _Progress(Job(-1, plan, deadline))
        material, trainer = self._prepare(plan, progress)
        self.start(trainer, plan, fold, fold_number=0)
        for epoch in range(plan.epochs):
            self._train_epoch(trainer, material, plan, fold, 0, epoch, progress)
        return Trained(trainer, material)

    def trained(self, plan: Plan, weights: Sequence[NDArray[Any]]) -> Trained:
        """The model that a trial left behind, from its stored weights."""
        plan = plan.canonical()
        material, trainer = self._prepare(plan, _Progress(Job(-1, plan)))
        trainer.load_weights(weights)
        return Trained(trainer, material)

    def predict(self, trained: Trained, inputs: Inputs) -> NDArray[np.float32]:
        """Probabilities (n, classes) of inputs outside the task's pools, such as the test set."""
        features = extract(self.store, self._prefix(trained.trainer), inputs)
        batches = Material([[features]], np.zeros(len(inputs), dtype=np.int64))
        return trained.trainer.predict(batches.prediction_batches(np.arange(len(inputs))))[0]

    def trainer(self, plan: Plan) -> Trainer:
        """The compiled trainer of the plan's structure, built on first use."""
        head = (plan.head.name, tuple(sorted(plan.head.parameters.items())))
        key = (plan.backbone, plan.image_size, plan.tap, plan.unfrozen_layers, plan.views, head)
        if key not in self._trainers:
            network = self.network(plan)
            division = self._division(network, plan)
            self._trainers[key] = Trainer(network, division, head=plan.head, classes=len(self.data.classes))
            while len(self._trainers) > KEPT_TRAINERS:
                self._trainers.popitem(last=False)
        self._trainers.move_to_end(key)
        return self._trainers[key]

    def network(self, plan: Plan) -> Network:
        """The pretrained network of a plan, loaded on first use."""
        key = (plan.backbone, plan.image_size, plan.tap)
        if key not in self._networks:
            while len(self._networks) >= KEPT_NETWORKS:
                self._forget(self._networks.popitem(last=False)[1])
            self._networks[key] = build_network(
                plan.backbone, image_size=plan.image_size, tap=plan.tap, seed=self.scorer.seed
            )
        self._networks.move_to_end(key)
        return self._networks[key]

    def size_of(self, plan: Plan, trainer: Trainer) -> Size:
        """Parameters, megabytes and FLOPs of the whole model, head included."""
        head = (plan.head.name, tuple(sorted(plan.head.parameters.items())))
        key = (plan.backbone, plan.image_size, plan.tap, head)
        if key not in self._sizes:
            whole = trainer.network.whole
            in_head = sum(int(np.prod(variable.shape)) for layer in trainer.model.head for variable in layer.weights)
            params = count_parameters(whole) + in_head
            flops = flops_of_one_prediction(whole, (plan.image_size, plan.image_size, 3)) + 2 * in_head
            self._sizes[key] = Size(params=params, model_mb=params * 4 / 1e6, flops=flops)
        return self._sizes[key]

    def _prepare(self, plan: Plan, progress: "_Progress") -> tuple[Material, Trainer]:
        with progress.clock("features"):  # loading and dividing the network included
            trainer = self.trainer(plan)
            views = [PLAIN, *(View(plan.augmentation, number) for number in range(1, plan.views + 1))]
            sets = [
                [self._stored(trainer, index, view, progress.check_deadline) for index in self._domains()]
                for view in views
            ]
        return Material(sets, self.data.labels), trainer

    def _domains(self) -> range:
        return range(len(self.data.domains))

    def _stored(self, trainer: Trainer, domain: int, view: View, check: Callable[[], None]) -> FeatureSet:
        key = (trainer.division.digest, domain, view)
        if key not in self._features:
            trainer.network.restore_pretrained_weights()
            prefix = self._prefix(trainer)
            found = extract(self.store, prefix, self.data.inputs[domain], view=view, on_block=check)
            self._features[key] = found.resident()
            while len(self._features) > KEPT_FEATURES:
                self._features.popitem(last=False)
        self._features.move_to_end(key)
        return self._features[key]

    def _prefix(self, trainer: Trainer) -> KerasPrefix:
        return KerasPrefix(trainer.division, trainer.network.image_size)

    def _train_epoch(
        self,
        trainer: Trainer,
        material: Material,
        plan: Plan,
        fold: Fold,
        fold_number: int,
        epoch: int,
        progress: "_Progress",
    ) -> float:
        draws = np.random.default_rng([plan.seed, fold_number, epoch])
        steps = math.ceil(len(fold.train) / plan.batch_size) * plan.epochs
        with progress.clock("train"):
            batches = material.training_batches(fold.train, batch_size=plan.batch_size, draws=draws)
            loss = trainer.run_epoch(
                _until(batches, progress.check_deadline), rate_at=cosine_decay(plan.learning_rate, steps)
            )
        if not math.isfinite(loss):
            raise DivergedError(f"diverged: the training loss is {loss} in epoch {epoch + 1}")
        return loss

    def _ending(self, trainer: Trainer, material: Material, rows: Rows, probabilities: NDArray[np.float32]) -> Ending:
        target, features = trainer.predict(material.prediction_batches(self.data.target_rows))
        order = np.argsort(rows)
        outputs = Outputs(
            rows=rows[order],
            validation_ids=ids_of(self.data, rows[order]),
            target_ids=ids_of(self.data, self.data.target_rows),
            validation=probabilities[order],
            target=target,
            features=features,
        )
        score = self.scorer.score(self.data, outputs)
        if not math.isfinite(score["value"]):
            return Ending("failed", reason=f"diverged: the score is {score['value']}")
        return Ending(
            "complete",
            score=score,
            scores=dict(self.scorer.all_scores(self.data, outputs)),
            outputs=outputs,
            weights=trainer.weights(),
        )

    def _division(self, network: Network, plan: Plan) -> Division:
        images = max(sum(len(inputs) for inputs in self.data.inputs), 1) * (1 + plan.views)
        key = (id(network), plan.unfrozen_layers, plan.views)
        if key not in self._divisions:
            largest = self.store.limit_bytes // 4 // images
            self._divisions[key] = divide(network, plan.unfrozen_layers, max_bytes_per_example=largest)
        return self._divisions[key]

    def _forget(self, network: Network) -> None:
        self._divisions = {key: value for key, value in self._divisions.items() if key[0] != id(network)}
        for key in [key for key, trainer in self._trainers.items() if trainer.network is network]:
            del self._trainers[key]


def ids_of(data: TaskData, rows: Rows) -> NDArray[np.str_]:
    """The examples' ids, a source's with its domain in front."""
    names = [
        name if domain == "target" else f"{domain}/{name}"
        for domain, inputs in zip(data.domains, data.inputs, strict=True)
        for name in inputs.ids
    ]
    return np.array([names[row] for row in rows.tolist()], dtype=np.str_)


class _Progress:
    """A job's epoch counter, clocks and deadline."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.size: Size | None = None
        self._seconds = Seconds()
        self._epoch = 0
        self._loss = math.nan
        self._score = math.nan

    def clock(self, what: str) -> "_Clock":
        return _Clock(self._seconds, what)

    def check_deadline(self) -> None:
        if time.time() > self.job.deadline:
            raise OutOfTimeError

    def advance(self, loss: float, score: float) -> None:
        self._epoch += 1
        self._loss, self._score = loss, score
        if not math.isfinite(score):
            raise DivergedError(f"diverged: the score is {score} in epoch {self._epoch}")

    def row(self, ending: Ending | None = None) -> EpochRow:
        return EpochRow(
            self.job.number, self._epoch, self._loss, self._score, replace(self._seconds), self.size, ending
        )

    def ended(self, ending: Ending) -> EpochRow:
        return self.row(ending)


class _Clock:
    def __init__(self, seconds: Seconds, what: str) -> None:
        self._seconds, self._what = seconds, what

    def __enter__(self) -> None:
        self._start = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        spent = time.perf_counter() - self._start
        setattr(self._seconds, self._what, getattr(self._seconds, self._what) + spent)


def _until(batches: Iterator[Any], check: Callable[[], None]) -> Iterator[Any]:
    for batch in batches:
        check()
        yield batch


def _one_line(error: Exception) -> str:
    first = (str(error).strip() or type(error).__name__).splitlines()[0]
    return first if isinstance(error, AutotlError) else f"{type(error).__name__}: {first}"
