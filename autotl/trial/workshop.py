"""Where one worker trains plans, one after the other, keeping everything that the next plan can use again."""

import logging
import math
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autotl.backbones import BackboneSpec
from autotl.backbones.classical import CLASSICAL
from autotl.data.examples import Fold, Rows, TaskData
from autotl.errors import EnvironmentProblemError
from autotl.features import ComputePrecision, FeatureStore
from autotl.features.engine import ran_out_of_memory
from autotl.plan import Choice, Plan
from autotl.plan.packets import packet_key
from autotl.scoring.candidates import CHANGED
from autotl.scoring.mixval import MAJOR_PART, mix_partners
from autotl.trial.classical_learner import ClassicalLearner
from autotl.trial.gpu_memory import gpu_bytes_since_last_asked
from autotl.trial.head_learner import HeadBench
from autotl.trial.learner import Arrays, ExpectsOfSource, Learner, Mixes, Trained, without_check
from autotl.trial.network_bench import NetworkBench
from autotl.trial.outcome import DivergedError, Ending, EpochRow, Job, OutOfMemoryError, OutOfTimeError, Outputs
from autotl.trial.packet import HeadPacket
from autotl.trial.progress import Progress, finite_loss, one_line
from autotl.trial.scorer import Scorer

SECONDS_BETWEEN_WORDS = 5.0  # while features are computed

_log = logging.getLogger(__name__)


class Workshop:
    """Trains plans on one task's data.

    Args:
        precision, unfrozen_choices, taps: as `NetworkBench` takes them.
    """

    def __init__(
        self,
        data: TaskData,
        store: FeatureStore,
        scorer: Scorer,
        *,
        precision: ComputePrecision = "float32",
        unfrozen_choices: Sequence[int] = (),
        taps: Sequence[str] = (),
    ) -> None:
        self.data = data
        self.scorer = scorer
        self.bench = NetworkBench(
            data, store, scorer, precision=precision, unfrozen_choices=unfrozen_choices, taps=taps
        )
        self._untouched: dict[BackboneSpec, NDArray[np.float32]] = {}
        self._kept_heads: tuple[str | None, HeadBench] | None = None

    def train(self, packet: Sequence[Job], *, rungs: Collection[int] = ()) -> Iterator[EpochRow]:
        """Trains a packet of plans; a row per plan and epoch.

        Linear heads on the same stored features are trained side by side, anything else one after the other. The last
        row of a plan carries its ending; whatever goes wrong inside a plan ends it as `failed` with a reason. Closing
        the iterator early is allowed at any row.

        Args:
            rungs: epochs after which only the best third of the plans that are trained side by side goes on.
        Raises:
            OutOfMemoryError: nothing more should be trained in this process.
        """
        for row in self._trained(packet, rungs):
            yield row if row.ending is None else replace(row, gpu_bytes=gpu_bytes_since_last_asked())

    def _trained(self, packet: Sequence[Job], rungs: Collection[int]) -> Iterator[EpochRow]:
        shares = {packet_key(job.plan) for job in packet}
        was_one_of_several = any(job.checkpoint is not None and job.checkpoint.kind == "side by side" for job in packet)
        if (len(packet) > 1 or was_one_of_several) and len(shares) == 1 and None not in shares:
            yield from self._train_side_by_side(packet, rungs)
        else:
            for job in packet:
                yield from self._train_one(job)

    def _train_one(self, job: Job) -> Iterator[EpochRow]:
        progress = Progress(job)
        try:
            yield from self._epochs(job, progress)
        except Exception as error:  # a crashed trial is a row with its reason, never the end of a search
            _refuse_to_go_on_without_memory(error)
            yield progress.ended(_failing(error, job.number))

    def _train_side_by_side(self, packet: Sequence[Job], rungs: Collection[int]) -> Iterator[EpochRow]:
        left = list(packet)
        try:
            started, waiting = time.perf_counter(), Progress(packet[0])
            yield from self._waiting_for_features(packet[0].plan.canonical(), waiting)
            shared = self._heads(packet[0])
            if shared is not None:
                spent = time.perf_counter() - started
                together = HeadPacket(self, shared, packet, rungs, feature_seconds=spent, extracted=waiting.extracted)
                for row in together.rows():
                    left = together.unfinished
                    yield row
                return
        except (OutOfTimeError, EnvironmentProblemError) as error:
            yield from (Progress(job).ended(_failing(error, job.number)) for job in left)
            return
        except Exception as error:  # whatever one of them did, the others can still be trained
            _refuse_to_go_on_without_memory(error)
            _log.exception("%d plans could not be trained side by side: one after the other, then", len(left))
        for job in left:
            yield from self._train_one(job)

    def _heads(self, job: Job) -> HeadBench | None:
        """What the heads of a packet share, kept for the next packet of the same kind."""
        plan = job.plan.canonical()
        key = packet_key(plan)
        if self._kept_heads is None or self._kept_heads[0] != key:
            self._kept_heads = None  # before the next features are read: two sets need not fit into memory
            shared = HeadBench.of(plan, self.bench, Progress(job).check_deadline)
            self._kept_heads = None if shared is None else (key, shared)
        return None if self._kept_heads is None else self._kept_heads[1]

    def _epochs(self, job: Job, progress: Progress) -> Iterator[EpochRow]:
        plan = job.plan.canonical()
        folds = self.folds(plan)
        yield from self._waiting_for_features(plan, progress)
        with progress.clock("features"):  # loading and dividing the network included
            as_it_came = self._as_it_came(plan, progress.check_deadline)
            learner = self._learner(plan, progress.check_deadline)
        rows = np.concatenate([fold.validation for fold in folds])
        probabilities = np.zeros((0, len(self.data.classes)), dtype=np.float32)
        features: NDArray[np.float32] | None = None
        states: list[Arrays] = []
        done = job.checkpoint
        if done is not None and done.fits(plan, "alone", folds=len(folds)):
            with progress.clock("train"):
                for index, (fold, state) in enumerate(zip(folds, done.states, strict=True)):
                    learner.resume(fold, fold_number=index, epochs=done.epochs, state=state)
            states = list(done.states)
            yield from progress.take_up(done)
        for epoch in range(progress.epochs, plan.all_epochs):
            predicted: list[NDArray[np.float32]] = []
            losses: list[float] = []
            for index, fold in enumerate(folds):
                with progress.clock("train"):
                    if epoch == 0:
                        learner.start(fold, fold_number=index)
                    elif len(folds) > 1:
                        learner.load_state(states[index])
                    losses.append(_train_epoch(learner, fold, index, epoch, progress))
                with progress.clock("score"):
                    said, features = self._said(learner, fold.validation)
                    predicted.append(said)
                    progress.size = progress.size or learner.size()
                if len(folds) > 1:
                    with progress.clock("train"):
                        states[index : index + 1] = [learner.state()]
            probabilities = np.concatenate(predicted)
            with progress.clock("score"):
                progress.advance(float(np.mean(losses)), self.score(rows, probabilities))
            if epoch == plan.all_epochs - 1:
                break
            if progress.needs_checkpoint:
                yield progress.checkpointed(states if len(folds) > 1 else [learner.state()], kind="alone")
            else:
                yield progress.row()
        if not plan.all_epochs:  # a network that came with its head, and nothing of it is trained
            with progress.clock("train"):
                learner.start(folds[0], fold_number=0)
            progress.size = learner.size()
        if len(folds) > 1:
            learner.load_state(states[0])  # the first fold's model stands for the trial
        with progress.clock("score"):
            features = features if len(folds) == 1 else None
            ending = self.ending(learner, rows, probabilities, features, as_it_came=as_it_came)
        yield progress.ended(ending)

    def _waiting_for_features(self, plan: Plan, progress: Progress) -> Iterator[EpochRow]:
        """Has everything stored that the plan starts from; a row now and then tells how far that is."""
        steps = iter(()) if plan.backbone.origin == CLASSICAL else self.bench.extraction(plan, progress.check_deadline)
        told = time.monotonic()
        while True:
            with progress.clock("features"):
                step = next(steps, None)
            if step is None:
                return
            progress.extracted = step.rows_computed
            if step.rows_done < step.rows and time.monotonic() - told >= SECONDS_BETWEEN_WORDS:
                told = time.monotonic()
                yield progress.waiting(step)

    def _said(self, learner: Learner, rows: Rows) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
        """Probabilities and features of the rows that a trial is scored on; none where the source's examples are not
        here."""
        return learner.predict(rows) if len(rows) else (np.zeros((0, len(self.data.classes)), dtype=np.float32), None)

    def score(self, rows: Rows, probabilities: NDArray[np.float32]) -> float | None:
        """The task's metric; None without a row to score on."""
        return self.scorer.value(self.data.labels[rows], probabilities) if len(rows) else None

    def _as_it_came(self, plan: Plan, check: Callable[[], None]) -> NDArray[np.float32] | None:
        """What an exported source's model says of the target rows untouched; None of other networks.

        It is asked once: plans share their networks' layers, so it must be before a plan is put on the bench.
        """
        if not plan.backbone.has_head:
            return None
        if plan.backbone not in self._untouched:
            untouched = replace(plan, adaptation=Choice("none")).canonical()
            learner = self._learner(untouched, check)
            learner.start(self.data.folds[0], fold_number=0)
            self._untouched[plan.backbone] = learner.predict(self.data.target_rows)[0]
        return self._untouched[plan.backbone]

    def folds(self, plan: Plan) -> tuple[Fold, ...]:
        """Heads and classical models are cheap and get all folds; plans that train backbone layers may get fewer."""
        folds = self.data.folds if plan.unfrozen_layers == 0 else self.data.suffix_folds
        return tuple(replace(fold, train=self.taught(plan, fold.train)) for fold in folds)

    def taught(self, plan: Plan, rows: Rows) -> Rows:
        """Those of the rows that the plan learns from."""
        if plan.learns_from == "all" or (len(self.data.domains) == 1 and not self.data.statistics):
            return rows
        of_target = self.data.domain_of[rows] == 0
        return rows[of_target] if plan.learns_from == "target" else rows[~of_target]

    def fit(self, plan: Plan, fold: Fold, *, deadline: float = math.inf) -> Learner:
        """Trains a plan on one fold's training rows for all its epochs, without scoring it."""
        plan = plan.canonical()
        progress = Progress(Job(-1, plan, deadline))
        learner = self._learner(plan, progress.check_deadline)
        learner.start(fold, fold_number=0)
        for epoch in range(plan.all_epochs):
            _train_epoch(learner, fold, 0, epoch, progress)
        return learner

    def trained(self, plan: Plan, weights: Sequence[NDArray[Any]]) -> Learner:
        """The model that a trial left behind, from its stored weights."""
        learner = self._learner(plan.left_behind(), without_check)
        learner.load_weights(list(weights))
        return learner

    def _learner(self, plan: Plan, check: Callable[[], None]) -> Learner:
        if plan.backbone.origin == CLASSICAL:
            return ClassicalLearner(plan, self.data, self.scorer)
        return self.bench.learner(plan, check)

    def ending(
        self,
        learner: Trained,
        rows: Rows,
        probabilities: NDArray[np.float32],
        features: NDArray[np.float32] | None,
        *,
        as_it_came: NDArray[np.float32] | None,
    ) -> Ending:
        """What a plan that was trained to its end leaves behind.

        Args:
            rows, probabilities: what it is scored on.
            features: of these rows by this model; None where there are several folds, for then each has a model of its
                own that did not train on its rows, and their features do not fit together.
            as_it_came: what an exported source's model said of the target untouched.
        """
        target, target_features = learner.predict(self.data.target_rows)
        mixed, partners = self._mixed(learner)
        order = np.argsort(rows)
        outputs = Outputs(
            rows=rows[order],
            validation_ids=ids_of(self.data, rows[order]),
            target_ids=ids_of(self.data, self.data.target_rows),
            validation=probabilities[order],
            target=target,
            features=target_features,
            mixed=mixed,
            mix_partners=partners,
            problem=self.data.problem.name,
            **self._of_source_elsewhere(learner),
            **self._read_by_scores(learner, features, order),
        )
        score = self.scorer.score(self.data, outputs)
        if score["value"] is not None and not math.isfinite(score["value"]):
            return Ending("failed", reason=f"diverged: the score is {score['value']}")
        return Ending(
            "complete",
            score=score,
            scores={**self.scorer.all_scores(self.data, outputs), **_changed(as_it_came, target)},
            outputs=outputs,
            weights=learner.weights(),
        )

    def _of_source_elsewhere(self, learner: Trained) -> dict[str, Any]:
        """What stands for examples of a source that are not here."""
        if self.data.exported is not None:
            return {"source_shares": self.data.exported.prior}
        if not self.data.statistics or not self.data.is_judged_without_labels:
            return {}
        assert isinstance(learner, ExpectsOfSource), "over statistics alone no other is made"
        confusion = learner.expected_confusion()
        return {"source_shares": confusion.sum(axis=1) / confusion.sum(), "source_confusion": confusion}

    def _read_by_scores(
        self, learner: Trained, features: NDArray[np.float32] | None, order: NDArray[np.int64]
    ) -> dict[str, Any]:
        """What label-free scores read beyond what every trial keeps, where it is judged by them."""
        if not self.data.is_judged_without_labels:
            return {}
        found: dict[str, Any] = {"classifier_weights": learner.classifier_weights()}
        if not self.data.has_few_labels:
            return {**found, "source_features": None if features is None else features[order]}
        rows = self.data.source_validation
        said, of_source = learner.predict(rows)
        return {**found, "source_rows": rows, "source": said, "source_features": of_source}

    def _mixed(self, learner: Trained) -> tuple[NDArray[np.float32] | None, NDArray[np.int64] | None]:
        """What a network says of mixtures of two target inputs each, where it is judged without labels."""
        rows = self.data.target_rows
        if not self.data.is_judged_without_labels or not isinstance(learner, Mixes) or len(rows) < 2:
            return None, None
        partners = mix_partners(len(rows), seed=self.scorer.seed)
        return learner.predict_mixed(rows, rows[partners], MAJOR_PART), partners


def _changed(before: NDArray[np.float32] | None, after: NDArray[np.float32]) -> dict[str, float]:
    """The share of predictions that adaptation changed, where there was a model before it."""
    if before is None:
        return {}
    return {CHANGED: float(np.mean(before.argmax(axis=1) != after.argmax(axis=1)))}


def _train_epoch(learner: Learner, fold: Fold, fold_number: int, epoch: int, progress: Progress) -> float:
    loss = learner.train_epoch(fold, fold_number=fold_number, epoch=epoch, check=progress.check_deadline)
    return finite_loss(loss, epoch)


def _refuse_to_go_on_without_memory(error: Exception) -> None:
    if ran_out_of_memory(error):
        raise OutOfMemoryError(f"out of memory: {one_line(error)}") from error


def _failing(error: Exception, number: int) -> Ending:
    """How a trial ends in which this went wrong."""
    if isinstance(error, OutOfTimeError):
        return Ending("pruned", reason="budget")
    if isinstance(error, EnvironmentProblemError):
        return Ending("skipped", reason=one_line(error))
    if isinstance(error, DivergedError):
        return Ending("failed", reason=str(error))
    _log.error("trial %d failed", number, exc_info=error)
    return Ending("failed", reason=one_line(error))


def ids_of(data: TaskData, rows: Rows) -> NDArray[np.str_]:
    """The examples' ids, a source's with its domain in front."""
    names = [
        name if domain == "target" else f"{domain}/{name}"
        for domain, inputs in zip(data.domains, data.inputs, strict=True)
        for name in inputs.ids
    ]
    return np.array([names[row] for row in rows.tolist()], dtype=np.str_)
