"""Between Ray Tune and our proposer and journal: which packet is trained next, and what came of the others."""

import contextlib
import itertools
import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ray.tune.search import Searcher

from autotl.errors import AutotlError
from autotl.plan import Plan
from autotl.run.cut_off import BROKE_OFF, INTERRUPTED, OUT_OF_BUDGET
from autotl.run.trial_files import HUNG
from autotl.search.budget import Budget
from autotl.search.earlier import EarlierTrial
from autotl.search.enough import Enough
from autotl.search.events import counts_as_trial
from autotl.search.journal import Journal
from autotl.search.objective import Objective
from autotl.search.packing import MemoryLimits, Packing
from autotl.search.proposer import Proposal, Proposer
from autotl.search.repeats import Repeats
from autotl.search.returning import BringLastWords, nothing_to_bring
from autotl.trial.halving import grace_of
from autotl.trial.outcome import Job

_log = logging.getLogger(__name__)

WORKER_DIED = "the worker process died"
MOST_DEATHS = 2  # of workers that had a plan to themselves: then it is the plan
MOST_HANGS = 2  # among plans that hung together and then by themselves: the others would, too


class PacketSearcher(Searcher):
    """Hands the proposer's plans to Ray Tune and what comes back to the proposer and the journal.

    Ray's own Optuna searcher tells early-stopped trials as complete and leaves not-a-number running for ever; here the
    trainable says itself how a plan ended, and a plan stopped by the scheduler is pruned with all its steps.

    Attributes:
        trouble: the first error of our own side. It ends the search; thrown into Ray it would lose its name.
    """

    def __init__(
        self,
        proposer: Proposer,
        objective: Objective,
        journal: Journal,
        budget: Budget,
        *,
        at_once: int,
        rungs: Sequence[int],
        higher_is_better: bool,
        packing: Packing,
        repeats: Repeats | None = None,
        enough: Enough | None = None,
        earlier: Sequence[EarlierTrial] = (),
        unfinished: Sequence[list[Proposal]] = (),
        lost_nodes: Callable[[], frozenset[str]] = frozenset,
        bring_last_words: BringLastWords = nothing_to_bring,
    ) -> None:
        super().__init__(metric="score", mode="max" if higher_is_better else "min")
        self._proposer = proposer
        self._objective = objective
        self._journal = journal
        self._budget = budget
        self._lost_nodes = lost_nodes
        self._bring_last_words = bring_last_words
        self._at_once = at_once
        self._rungs = tuple(rungs)
        self._packets: dict[str, _Packet] = {}  # under way, by Ray's id
        self._repeats = repeats or Repeats(1, 0, at_once, budget)
        self._enough = enough or Enough(is_wanted=False)
        self._packing = packing
        self._limits = MemoryLimits()
        self._seconds_of_trials: list[float] = []
        self._unfinished = list(unfinished)  # packets of an earlier sitting
        self._alone: list[Proposal] = []  # whose worker died: each is tried again by itself
        self._deaths: dict[int, int] = {}  # of workers, by the trials that they trained
        self._retried: set[int] = set()  # at a smaller batch
        self._hung_together: list[frozenset[int]] = []  # packets that hung
        self._hung_alone: set[int] = set()
        self._held_back: list[Proposal] = []  # a packet that must wait for memory
        self._shrunk = {each.number for each in earlier if each.is_unfinished and each.ran_beside_others}
        self._scores = {each.number: each.scores for each in earlier if each.is_unfinished}  # told, by epoch
        self.trouble: AutotlError | None = None
        for each in earlier:
            self._remember(each)

    def _remember(self, earlier: EarlierTrial) -> None:
        """What earlier sittings learnt of memory."""
        row = earlier.row
        if not earlier.is_unfinished:
            self._note(row)
        if row["asked_batch_size"] is not None:
            self._limits.learn(earlier.asked_plan)
            self._retried.add(earlier.number)
        if row["memory_mb"] is not None:
            self._packing.measured(earlier.plan, memory_mb=row["memory_mb"], gpu_mb=row["gpu_mb"])

    def _note(self, row: Mapping[str, Any]) -> None:
        """A trial has ended; what follows the proposer's plans, and when, depends on all of them."""
        merit = self._proposer.merit(row["trial"])
        self._repeats.note(row, merit)
        self._enough.note(row, merit)
        if counts_as_trial(row):
            self._seconds_of_trials.append(sum(row["seconds"].values()))

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        """The next packet, None while enough are under way, FINISHED at the end."""
        if self._budget.is_spent() or self.trouble is not None:
            return str(Searcher.FINISHED)
        with self._noting_trouble():
            self._journal.tell_what_is_safe()
            return self._suggested(trial_id)
        return str(Searcher.FINISHED)

    def _suggested(self, trial_id: str) -> dict[str, Any] | str | None:
        if len(self._packets) >= self._at_once:
            return None
        packet, self._held_back = self._held_back or self._next_packet(), []
        if packet and not self._packing.has_room(packet[0].plan, self._plans_under_way()):
            self._held_back = packet
            return None
        if packet:
            return self._handed_out(trial_id, packet)
        is_over = not self._proposer.is_waiting and not self._packets  # what is under way may have to be tried again
        return str(Searcher.FINISHED) if is_over else None

    def _next_packet(self) -> list[Proposal]:
        if self._alone:
            return [self._alone.pop(0)]
        if self._unfinished:
            return self._resumed(self._unfinished.pop(0))
        with self._journal.together():
            self._stop_when_done()
            waits_for_repeats = self._repeats.are_due() and not self._proposer.is_waiting
            asked = [] if waits_for_repeats else self._proposer.propose_packet(workers=self._at_once)
            if not asked and not self._proposer_may_go_on():
                again = self._repeats.next()
                asked = [] if again is None else [self._proposer.repeat(again)]
            packet = [proposal.at_batch_of(self._limits.fitting(proposal.plan)) for proposal in asked]
            for proposal in packet:
                self._objective.started(proposal)
                self._journal.started(proposal)
        return packet

    def _stop_when_done(self) -> None:
        """Ends the proposals when no further gain is expected of those that there is still time for."""
        if self._proposer.finished_because is not None or self._proposer.is_waiting or self._proposer.has_planned:
            return
        left = self._proposer.trials_left
        if self._seconds_of_trials:
            one = sum(self._seconds_of_trials) / len(self._seconds_of_trials) / self._at_once
            seconds = max(self._budget.search_ends - time.monotonic(), 0.0)
            left = min(left, int(seconds / one)) if one > 0 else left
        reason = self._enough.reason(left)
        if reason is not None:
            _log.info("the search ends early: %s", reason)
            self._proposer.finish(reason)

    def _proposer_may_go_on(self) -> bool:
        """Whether a trial that is under way may change which plan comes next, or which trials are the best."""
        return not self._repeats.have_begun and bool(self._packets or self._alone or self._proposer.is_waiting)

    def _resumed(self, packet: list[Proposal]) -> list[Proposal]:
        with self._journal.together():
            for proposal in packet:
                self._journal.resumed(proposal)
        return packet

    def _plans_under_way(self) -> list[Plan]:
        """One of each packet: its plans share what takes memory."""
        return [packet.plan for packet in self._packets.values()]

    def _handed_out(self, trial_id: str, proposals: list[Proposal]) -> dict[str, Any]:
        first = proposals[0].plan
        stops_itself = len(proposals) > 1 or any(each.number in self._shrunk for each in proposals)
        self._packets[trial_id] = _Packet(
            {each.number: each for each in proposals}, len(proposals), first, stops_itself, self._lost_nodes()
        )
        jobs = [
            Job(
                each.number,
                each.plan,
                self._budget.deadline_of(each.baseline, each.plan),
                seconds=self._budget.seconds_of(each.baseline),
            )
            for each in proposals
        ]
        passed = max(self._last_epoch(each.number) for each in proposals)
        rungs = tuple(rung for rung in self._rungs if rung > passed)
        return {"packet": jobs, "rungs": rungs, "gpus": self._packing.gpus_for(first)}

    def _last_epoch(self, number: int) -> int:
        return max(self._scores.get(number, {}), default=0)

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        """One epoch of every plan under way."""
        packet = self._packets[trial_id]
        packet.node = result["node"]
        with self._noting_trouble(), self._journal.together():
            self._take(packet, json.loads(result["reports"]))

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """The last result of a trial arrives here only; none arrives when its process died."""
        packet = self._packets.pop(trial_id)
        with self._noting_trouble(), self._journal.together():
            if error or result is None or "reports" not in result:
                self._died(packet)
                return
            reports = json.loads(result["reports"])
            self._take(packet, reports)
            last = {report["number"]: report for report in reports}
            for proposal in packet.unfinished():
                self._end(proposal, "pruned", self._why_stopped(last.get(proposal.number)), last.get(proposal.number))

    def _take(self, packet: "_Packet", reports: Sequence[dict[str, Any]]) -> None:
        for report in reports:
            self._step(report["number"], report)
            final = report["final"]
            if final is not None and report["number"] in packet.under_way:
                self._end(packet.under_way.pop(report["number"]), final["status"], final["reason"], report)

    def _died(self, packet: "_Packet") -> None:
        """Of several plans nobody knows which it was, and each is tried by itself. One that was alone is tried at a
        smaller batch where it did not fit into memory, not at all where it hung, for that would take as long again, and
        else once more, for it may have been an accident. Where the whole machine was lost it was none of them."""
        if packet.was_lost(self._lost_nodes()):
            _log.warning("a node was lost: trials %s go on elsewhere", ", ".join(map(str, packet.under_way)))
            self._hand_out_again(packet)
            return
        self._bring_last_words(packet.node, list(packet.under_way))
        last_words = {each.number: self._journal.last_word(each.number) for each in packet.unfinished()}
        if packet.size > 1 and any(last is not None and last.file == HUNG for last in last_words.values()):
            self._hung_together.append(frozenset(last_words))
        for proposal in packet.unfinished():
            last = last_words[proposal.number]
            deaths = self._deaths[proposal.number] = self._deaths.get(proposal.number, 0) + 1
            if packet.size == 1 and last is not None:
                self._hung(proposal, last.words) if last.file == HUNG else self._did_not_fit(proposal, last.words)
            elif packet.size == 1 and deaths >= MOST_DEATHS:
                self._end(proposal, "failed", f"{WORKER_DIED}, {deaths} times", None)
            else:
                self._shrunk.discard(proposal.number)
                self._journal.resumed(proposal)
                self._alone.append(proposal)

    def _hung(self, proposal: Proposal, words: str) -> None:
        self._end(proposal, "failed", words, None)
        self._hung_alone.add(proposal.number)
        for together in self._hung_together:
            if proposal.number in together and len(together & self._hung_alone) >= MOST_HANGS:
                for other in [each for each in self._alone if each.number in together]:
                    self._alone.remove(other)
                    self._end(other, "failed", f"it hung beside others, {MOST_HANGS} of which hung by themselves", None)

    def _did_not_fit(self, proposal: Proposal, words: str) -> None:
        smaller = self._limits.learn(proposal.plan)
        if smaller is None or proposal.number in self._retried or self._budget.is_spent():
            self._end(proposal, "failed", words, None)
        else:
            self._try_again(proposal.at_batch_of(smaller))

    def _try_again(self, proposal: Proposal) -> None:
        """In another process: a backend may not give back what the first one held."""
        _log.warning(
            "trial %d did not fit into memory; next at a batch of %d", proposal.number, proposal.plan.batch_size
        )
        self._retried.add(proposal.number)
        self._scores.pop(proposal.number, None)
        self._journal.again(proposal)
        self._alone.append(proposal)

    def take_back(self) -> list[str]:
        """Ray Tune broke off, and what was under way is to be handed out again; Ray's ids of it."""
        with self._noting_trouble():
            for packet in self._packets.values():
                self._hand_out_again(packet)
        taken = list(self._packets)
        self._packets.clear()
        return taken

    def _hand_out_again(self, packet: "_Packet") -> None:
        if packet.stops_itself:
            self._shrunk.update(packet.under_way)
        self._unfinished.append(packet.unfinished())

    def sweep(self) -> None:
        """Ends what was still under way when Ray returned: it sends no completion for trials that it cuts off."""
        under_way = [packet.unfinished() for packet in self._packets.values()]
        for proposal in [*self._held_back, *self._alone, *itertools.chain(*self._unfinished, *under_way)]:
            with self._noting_trouble(), self._journal.together():
                self._end(proposal, "pruned", self._why_stopped(None), None)
        for left in (self._packets, self._alone, self._held_back, self._unfinished):
            left.clear()
        with self._noting_trouble(), self._journal.together():
            self._proposer.leave_waiting()
        with self._noting_trouble():
            self._journal.tell_the_rest()

    def is_protected(self, trial_id: str) -> bool:
        """Baselines and repeats are measured in full, and a packet of several plans stops them itself."""
        packet = self._packets.get(trial_id)
        return packet is not None and (
            packet.stops_itself or any(each.baseline or each.repeat_of is not None for each in packet.unfinished())
        )

    def is_compared(self, trial_id: str, epoch: int) -> bool:
        """Whether a plan that runs alone may be held against others that came as far."""
        packet = self._packets.get(trial_id)
        if packet is None or self.is_protected(trial_id):
            return False
        return epoch > grace_of(packet.plan)

    def scores_before(self, trial_id: str) -> Mapping[int, float]:
        """By epoch, what a plan that may be stopped early told of itself in a process that is gone."""
        if self.is_protected(trial_id) or trial_id not in self._packets:
            return {}
        (number,) = self._packets[trial_id].under_way
        return self._scores.get(number, {})

    def __getstate__(self) -> dict[str, Any]:
        """Nothing: Ray pickles what it is given, our state is in the study's database, and no pickle is read back."""
        return {}

    def save(self, checkpoint_path: str) -> None:
        """Nothing; see `__getstate__`."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing; see `__getstate__`."""

    def _step(self, number: int, report: dict[str, Any]) -> None:
        if report.get("features") is not None:
            self._journal.features(number, report["features"])
        if report["epoch"] > self._last_epoch(number):  # an ending may repeat the epoch before it
            self._scores.setdefault(number, {})[report["epoch"]] = report["score"]
            self._proposer.step(number, report["epoch"], report["score"])
            self._journal.epoch(number, report)

    def _end(self, proposal: Proposal, status: str, reason: str | None, report: dict[str, Any] | None) -> None:
        final = report["final"] if status == "complete" and report is not None else None
        size = {} if report is None or report["size"] is None else report["size"]
        value = self._objective.ended(proposal, final)
        promise = None if final is None else self._objective.promise(final)
        self._proposer.end(
            proposal.number, status, value, flops=size.get("flops"), model_mb=size.get("model_mb"), promise=promise
        )
        row = self._journal.ended(proposal.number, status, reason=reason, report=report)
        self._note(row)
        if row["memory_mb"] is not None:
            self._packing.measured(proposal.plan, memory_mb=row["memory_mb"], gpu_mb=row["gpu_mb"])

    def _why_stopped(self, report: dict[str, Any] | None) -> str:
        """Why a plan ended that did not say so itself."""
        if self.trouble is not None:
            return BROKE_OFF
        if self._budget.interrupted_by is not None:
            return INTERRUPTED
        if report is None or self._budget.is_spent():
            return OUT_OF_BUDGET
        return f"stopped early after epoch {report['epoch']}"

    @contextlib.contextmanager
    def _noting_trouble(self) -> Iterator[None]:
        try:
            yield
        except AutotlError as error:
            _log.error("the search breaks off: %s", error)
            self.trouble = self.trouble or error


@dataclass
class _Packet:
    """What one Ray trial carries.

    Attributes:
        under_way: the proposals that have not ended, by their numbers.
        size: how many there were.
        plan: one of them; they share what takes memory.
        stops_itself: whether it halves inside, or did before all but one of its plans had ended.
        lost_before: machines that had been lost when it was handed out.
        node: the machine that it is trained on; None before its first epoch is told.
    """

    under_way: dict[int, Proposal]
    size: int
    plan: Plan
    stops_itself: bool
    lost_before: frozenset[str] = frozenset()
    node: str | None = None

    def was_lost(self, lost_by_now: frozenset[str]) -> bool:
        """Whether its machine was lost, or may have been where nobody knows which it was."""
        return self.node in lost_by_now if self.node is not None else lost_by_now > self.lost_before

    def unfinished(self) -> list[Proposal]:
        return list(self.under_way.values())
