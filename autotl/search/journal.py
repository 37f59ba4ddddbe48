"""Turns what workers report into rows, curves and events, and puts them on disk before anybody sees them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from autotl.run import RunFolder, Study, trial_files
from autotl.run.cut_off import is_cut_off
from autotl.run.study import SPENT
from autotl.run.trial_row import new_row
from autotl.search.earlier import EarlierTrial
from autotl.search.events import EpochEnded, Event, FeaturesComputed, Listener, TrialEnded, TrialStarted
from autotl.search.proposer import Proposal


class Journal:
    """The driver's record of the run; the only writer of its database.

    Args:
        spent: seconds on the run so far, in all sittings.
    """

    def __init__(
        self, run: RunFolder, study: Study, listen: Listener, *, score_kind: str, spent: Callable[[], float]
    ) -> None:
        self._run = run
        self._study = study
        self._listen = listen
        self._spent = spent
        self._score_kind = score_kind  # of the task's scores; a trial that was not scored to its end has no interval
        self._rows: dict[int, dict[str, Any]] = {}
        self._curves: dict[int, list[dict[str, Any]]] = {}
        self._untold: list[Event] | None = None  # while several things are written together
        self._unsafe: list[tuple[int, TrialEnded]] = []  # not yet wherever else the run is kept

    @contextmanager
    def together(self) -> Iterator[None]:
        """What is written inside is on disk at once, and told when it is."""
        self._untold = []
        try:
            with self._study.transaction():
                yield
                self._study.put_fact(SPENT, self._spent())
            untold = self._untold
        finally:
            self._untold = None
        for event in untold:
            self._tell_now(event)

    def started(self, proposal: Proposal) -> None:
        """A plan goes to a worker."""
        row = new_row(proposal.number, proposal.plan.as_dict(), baseline=proposal.baseline)
        row["seconds"]["propose"] = proposal.propose_seconds
        row["repeat_of"] = proposal.repeat_of
        self._shrunk(row, proposal)
        self._rows[proposal.number] = row
        trial_files.write_plan(self._run.trial(proposal.number), row["plan"])
        self._study.put_trial(proposal.number, "running", row)
        self._tell(TrialStarted(proposal.number, row["plan"], proposal.baseline))

    def again(self, proposal: Proposal) -> None:
        """A plan that did not fit into memory is to be trained from the beginning, at a smaller batch."""
        row = self._rows[proposal.number]
        row["attempt"] += 1
        row["epochs"] = 0
        self._shrunk(row, proposal)
        self._curves.pop(proposal.number, None)
        self._study.drop_epochs(proposal.number)
        trial_files.write_plan(self._run.trial(proposal.number), row["plan"])
        self._study.put_trial(proposal.number, "running", row)

    def last_word(self, number: int) -> trial_files.LastWord | None:
        """What a worker left that was ended while it trained this; asked once."""
        return trial_files.take_last_word(self._run.trial(number))

    def take_up(self, earlier: Sequence[EarlierTrial]) -> None:
        """What was under way in an earlier sitting is so again."""
        for each in earlier:
            if each.is_unfinished:
                self._rows[each.number] = {**each.row, "epochs": each.last_epoch}
                self._curves[each.number] = [dict(step) for step in each.curve]

    def resumed(self, proposal: Proposal) -> None:
        """A plan whose training was cut off goes to a worker once more."""
        row = self._rows[proposal.number]
        row["attempt"] = row["attempt"] + 1
        self._study.put_trial(proposal.number, "running", row)
        self._tell(TrialStarted(proposal.number, row["plan"], proposal.baseline))

    def epoch(self, number: int, report: Mapping[str, Any]) -> None:
        """A running trial ended an epoch."""
        if report["epoch"] == 0:
            return
        step = {name: report[name] for name in ("epoch", "train_loss", "score")}
        self._curves.setdefault(number, []).append(step)
        self._study.put_epoch(number, step["epoch"], step["train_loss"], step["score"])
        self._take_over(number, report)
        self._tell(EpochEnded(number, step["epoch"], step["score"]))

    def features(self, number: int, told: Mapping[str, Any]) -> None:
        """A plan waits for its features."""
        self._tell(FeaturesComputed(number, told["done"], told["rows"], told["seconds_left"]))

    def ended(
        self, number: int, status: str, *, reason: str | None, report: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        """A trial has its final status; the row is on disk when this returns."""
        row = self._rows[number]
        if report is not None:
            self._take_over(number, report)
            if status == "complete":
                row["score"], row["scores"] = report["final"]["score"], report["final"]["scores"]
                if "epsilon" in report["final"]:  # what a private trial spent
                    row["epsilon"] = report["final"]["epsilon"]
        row["status"] = status
        row["failure"] = reason if status in ("failed", "skipped") else None
        row["reason"] = reason or _smaller_batch(row)
        if row["score"] is None and self._curves.get(number):
            row["score"] = {
                "value": self._curves[number][-1]["score"],
                "low": None,
                "high": None,
                "kind": self._score_kind,
            }
        trial_files.write_curve(self._run.trial(number), self._curves.get(number, []))
        self._study.put_trial(number, status, row)
        self._tell(TrialEnded(row))
        return row

    def skipped(self, number: int, plan: Mapping[str, Any], reason: str) -> None:
        """A plan that cannot be trained on this machine stays visible."""
        self._rows[number] = new_row(number, plan, baseline=None)
        trial_files.write_plan(self._run.trial(number), plan)
        self.ended(number, "skipped", reason=reason, report=None)

    def tell_what_is_safe(self) -> None:
        """Trials that have ended are shown once they cannot be lost any more.

        Raises:
            StorageError: where else the run is kept cannot be reached.
        """
        while self._unsafe and self._run.is_safe(self._unsafe[0][0]):
            self._tell_end(self._unsafe.pop(0)[1])

    def tell_the_rest(self) -> None:
        """Waits until all that ended is safe, and shows it."""
        if self._unsafe:
            self._run.wait_for(self._unsafe[-1][0])
            self.tell_what_is_safe()

    @staticmethod
    def _shrunk(row: dict[str, Any], proposal: Proposal) -> None:
        row["plan"] = proposal.plan.as_dict()
        row["asked_batch_size"] = proposal.asked_batch_size

    def _tell(self, event: Event) -> None:
        if self._untold is None:
            self._tell_now(event)
        else:
            self._untold.append(event)

    def _tell_now(self, event: Event) -> None:
        """Of what is on disk."""
        if isinstance(event, TrialEnded):
            self._unsafe.append((self._run.mark(), event))
            self.tell_what_is_safe()
        else:
            self._listen(event)

    def _tell_end(self, event: TrialEnded) -> None:
        """Only then does a trial that has ended need no checkpoint any more."""
        if not is_cut_off(event.row["status"], event.row["reason"]):
            trial_files.drop_checkpoint(self._run.trial(event.row["trial"]))
        self._listen(event)

    def _take_over(self, number: int, report: Mapping[str, Any]) -> None:
        row = self._rows[number]
        row["epochs"] = report["epoch"]
        row["extracted"] = report.get("extracted", 0)
        row["seconds"] |= {name: spent for name, spent in report["seconds"].items() if name != "propose"}
        if report["size"] is not None:
            row |= report["size"]
        for name in ("memory_mb", "gpu_mb"):
            if report.get(name) is not None:
                row[name] = max(report[name], row[name] or 0.0)


def _smaller_batch(row: Mapping[str, Any]) -> str | None:
    """What is said of a trial that ended well, but not as it was asked for."""
    if row["asked_batch_size"] is None:
        return None
    return f"trained in batches of {row['plan']['batch_size']}: {row['asked_batch_size']} did not fit into memory"
