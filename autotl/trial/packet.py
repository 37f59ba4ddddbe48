"""Several plans with linear heads trained at once, epoch by epoch; each is still a trial of its own."""

import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from autotl.data.examples import Rows
from autotl.trial.halving import left_behind
from autotl.trial.head_learner import HeadBench, HeadLearner
from autotl.trial.outcome import DivergedError, Ending, EpochRow, Job, OutOfTimeError
from autotl.trial.progress import Progress, finite_loss

if TYPE_CHECKING:
    from autotl.trial.workshop import Workshop


class HeadPacket:
    """Jobs whose plans share stored features.

    Args:
        rungs: the epochs after which only the best third goes on; none where nobody is stopped early.
        feature_seconds: what it took to make `shared`; the jobs share it, too.
        extracted: examples whose activations were computed meanwhile.
    """

    def __init__(
        self,
        workshop: "Workshop",
        shared: HeadBench,
        jobs: Sequence[Job],
        rungs: Collection[int],
        *,
        feature_seconds: float,
        extracted: int,
    ) -> None:
        self._workshop = workshop
        self._shared = shared
        self._rungs = rungs
        self._members = [_Member(workshop, shared, job) for job in jobs]
        self._active = self._members  # those that are at the epoch under way; of a resumed packet some may be further
        for member in self._members:
            member.progress.spend("features", feature_seconds / len(self._members))
            member.progress.extracted = round(extracted / len(self._members))

    @property
    def unfinished(self) -> list[Job]:
        """Jobs whose last row has not been given."""
        return [member.progress.job for member in self._members]

    def rows(self) -> Iterator[EpochRow]:
        """A row per plan and epoch, in the order of the jobs; the last row of a plan carries its ending."""
        for member in self._members:
            yield from member.start()
        epoch = min(member.progress.epochs for member in self._members)
        while self._members:
            self._active = [member for member in self._members if member.progress.epochs == epoch]
            try:
                losses = self._train_epoch(epoch)
            except OutOfTimeError:
                out_of_time, self._members = self._members, []
                yield from (member.progress.ended(Ending("pruned", reason="budget")) for member in out_of_time)
                return
            endings = {
                member.number: ending
                for member, loss, said in zip(self._active, losses, self._predict(), strict=True)
                if (ending := self._ending(member, loss, said, epoch)) is not None
            }
            endings |= self._stopped(epoch, exempt=endings)
            self._members = [member for member in self._members if member.number not in endings]
            for member in self._active:
                ending = endings.get(member.number)
                yield member.row() if ending is None else member.progress.ended(ending)
            epoch += 1

    def _train_epoch(self, epoch: int) -> list[float]:
        """Mean loss of each active member over its folds."""
        with self._shared_clock("train"):
            heads = [head for member in self._active for head in member.learner.heads]
            batches = [
                each
                for member in self._active
                for each in member.learner.batches(epoch, member.progress.check_deadline)
            ]
            losses = iter(self._shared.train_epoch(heads, batches))
            return [float(np.mean([next(losses) for _ in member.learner.heads])) for member in self._active]

    def _predict(self) -> list[NDArray[np.float32]]:
        """Probabilities by each active member of the rows that trials are scored on, each by a head not trained on it.

        The members share their folds.
        """
        with self._shared_clock("score"):
            of_folds = [
                self._shared.predict([member.learner.heads[number] for member in self._active], fold.validation)
                for number, fold in enumerate(self._active[0].folds)
            ]
            return list(np.concatenate(of_folds, axis=1))

    @contextmanager
    def _shared_clock(self, what: str) -> Iterator[None]:
        """What takes time for all active members at once counts in equal parts for each."""
        started = time.perf_counter()
        yield
        for member in self._active:
            member.progress.spend(what, (time.perf_counter() - started) / len(self._active))

    def _ending(self, member: "_Member", loss: float, probabilities: NDArray[np.float32], epoch: int) -> Ending | None:
        """Scores a member's epoch; how its trial ended, None where it goes on."""
        try:
            with member.progress.clock("score"):
                score = self._workshop.score(member.rows, probabilities)
                member.progress.advance(finite_loss(loss, epoch), score)
                if epoch + 1 < member.plan.epochs:
                    return None
                features = member.learner.features_of(member.rows) if len(member.folds) == 1 else None
                return self._workshop.ending(member.learner, member.rows, probabilities, features, as_it_came=None)
        except DivergedError as diverged:
            return Ending("failed", reason=str(diverged))

    def _stopped(self, epoch: int, *, exempt: Collection[int]) -> dict[int, Ending]:
        if epoch + 1 not in self._rungs:
            return {}
        scores = {member.number: member.progress.score for member in self._active if member.number not in exempt}
        better = self._workshop.scorer.of_task.higher_is_better
        reason = f"stopped early after epoch {epoch + 1}"
        return {number: Ending("pruned", reason=reason) for number in left_behind(scores, higher_is_better=better)}


class _Member:
    """One job of a packet."""

    def __init__(self, workshop: "Workshop", shared: HeadBench, job: Job) -> None:
        self.plan = job.plan.canonical()
        self.progress = Progress(job)
        self.folds = workshop.folds(self.plan)
        self.rows: Rows = np.concatenate([fold.validation for fold in self.folds])
        self.learner = HeadLearner(shared, self.plan, self.folds)
        self.progress.size = self.learner.size()

    @property
    def number(self) -> int:
        return self.progress.job.number

    def start(self) -> Iterator[EpochRow]:
        """New heads, or those of its checkpoint, whose epochs are told again."""
        done = self.progress.job.checkpoint
        if done is None or not done.fits(self.plan, "side by side", folds=len(self.folds)):
            with self.progress.clock("train"):
                self.learner.start()
            return
        with self.progress.clock("train"):
            self.learner.resume(done.states)
        yield from self.progress.take_up(done)

    def row(self) -> EpochRow:
        """Its epoch, of a trial that goes on."""
        if self.progress.needs_checkpoint:
            return self.progress.checkpointed(self.learner.states(), kind="side by side")
        return self.progress.row()
