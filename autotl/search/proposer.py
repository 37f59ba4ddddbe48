"""Which plan comes next: baselines, given plans, those that did well elsewhere, one of each backbone and method that
these left out, then Optuna. Knows nothing of Ray or of training."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from autotl.backbones import BackboneSpec
from autotl.backbones.classical import CLASSICAL
from autotl.plan import Plan, trial_seed
from autotl.plan.baselines import PROBES, Baseline, first_plans, full_finetune, method_plans, together_plans
from autotl.plan.fields import parse_plan
from autotl.plan.packets import packet_key
from autotl.plan.space import Space
from autotl.plan.unfreezing import trainable_networks
from autotl.run.cut_off import NEVER_BEGAN
from autotl.search.earlier import PACKET, EarlierTrial
from autotl.search.limits import PlanLimits

if TYPE_CHECKING:
    import optuna

LARGEST_PACKET = 64  # by `benchmarks.speed.packets`: more plans at once are hardly faster
ASKED_BLINDLY = 0.25  # of all trials at most, over all workers: what is proposed together does not know its results
TRIES_FOR_A_NEW_PLAN = 1_000  # equal plans run once; after so many random ones, all tried, the space is searched

MOST_COST = 1e15  # of a model that did not say what it costs

Cost = Literal["latency_ms", "model_mb"]  # goals beside the score

# Attributes of Optuna's trials, by which a resumed search finds its way.
WAITING = "waiting"  # the plan of a trial that was asked for and has to wait for its turn
FIRST_OF_METHOD = "first_of_method"

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Proposal:
    """A plan to train next."""

    number: int
    plan: Plan
    baseline: str | None
    propose_seconds: float
    asked_batch_size: int | None = None  # where that did not fit into memory, and the plan's own is smaller
    repeat_of: int | None = None  # the trial whose plan this is, with another seed

    def at_batch_of(self, plan: Plan) -> "Proposal":
        """The same with a plan that differs in its batch, if it does."""
        if plan.batch_size == self.plan.batch_size:
            return self
        return replace(self, plan=plan, asked_batch_size=self.asked_batch_size or self.plan.batch_size)


def _or_most(figure: float | None) -> float:
    return MOST_COST if figure is None else float(figure)


class Proposer:
    """Ask and tell over one Optuna study.

    Every trial ends in exactly one state: a full budget with a finite score is COMPLETE, one stopped early is PRUNED
    with all its steps, one that diverged or crashed is FAIL. Only complete trials can win.
    """

    def __init__(
        self,
        study: "optuna.Study",
        space: Space,
        *,
        trials: int,
        task_seed: int,
        baselines: Sequence[Baseline] = (),
        given: Sequence[Plan] = (),
        starting: Sequence[Plan] = (),
        higher_is_better: bool = True,
        limits: PlanLimits | None = None,
        costs: Sequence[Cost] = (),
    ) -> None:
        self._limits = limits
        self._costs = costs
        self._study = study
        self._space = space
        self._halves = space.halves()
        self._trials = trials
        self._left = trials
        self._task_seed = task_seed
        self._baselines = list(baselines)
        self._given = list(given)
        self._starting = list(starting)
        self._sign = 1.0 if higher_is_better else -1.0
        tried = {plan.backbone for plan in starting}
        self._first: dict[BackboneSpec, Plan] = {
            backbone: plan for backbone, plan in first_plans(space).items() if backbone not in tried
        }
        self._methods_tried = {plan.adaptation.name for plan in starting}
        self._per_method: list[Plan] | None = None  # made when the probes have told the most promising backbone
        self._running: dict[int, optuna.Trial] = {}
        self._plans: dict[int, Plan] = {}
        self._furthest: dict[int, int] = {}  # epoch that was told
        self._numbers: dict[str, int] = {}  # plan key -> trial that trains it
        self._probe_scores: dict[BackboneSpec, float] = {}
        self._flops: dict[BackboneSpec, int] = {}
        self._not_at_hand: set[BackboneSpec] = set()
        self._probes_running: set[int] = set()
        self._waiting: list[Proposal] = []  # asked for a packet that they did not fit
        self._merits: dict[int, float] = {}  # of complete trials within the limits, more is better
        self._counted: set[int] = set()  # trials that the budget of trials was charged for
        self._asked = 0  # trials of the study
        self.finished_because: str | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether a baseline is left that running trials must end for."""
        return bool(self._baselines)

    def take_up(
        self, earlier: Sequence[EarlierTrial], *, promise: Callable[[Mapping[str, Any]], float | None]
    ) -> list[list[Proposal]]:
        """Goes on where an earlier sitting left off: what it tried is known and counted, what it had asked for waits.

        Args:
            promise: as `end` takes it, of what a complete trial reported.
        Returns:
            What was under way, packet by packet, to be trained under the same numbers.
        """
        known = {each.number: each for each in earlier}
        unfinished: dict[int, list[Proposal]] = {}
        for trial in self._study.get_trials(deepcopy=False):
            self._asked += 1
            if FIRST_OF_METHOD in trial.user_attrs and trial.number in known:
                self._per_method = self._methods_on(known[trial.number].plan.backbone)
            if trial.number in known:
                self._take_up(known[trial.number], trial, promise)
            elif not trial.state.is_finished():
                self._wait_again(trial)
                continue
            if trial.number in known and known[trial.number].is_unfinished:
                lead = int(trial.user_attrs.get(PACKET, trial.number))
                unfinished.setdefault(lead, []).append(self._as_proposed(known[trial.number]))
        return list(unfinished.values())

    def _take_up(
        self,
        earlier: EarlierTrial,
        trial: "optuna.trial.FrozenTrial",
        promise: Callable[[Mapping[str, Any]], float | None],
    ) -> None:
        backbone = earlier.plan.backbone
        self._plans[earlier.number] = earlier.plan
        self._numbers[earlier.asked_plan.key()] = earlier.number
        if earlier.row["flops"] is not None:
            self._flops[backbone] = earlier.row["flops"]
        if self._limits is not None:
            self._limits.learn(earlier.plan, earlier.row["model_mb"])
        if earlier.row["status"] == "skipped":
            self._not_at_hand.add(backbone)
        elif earlier.baseline is None and earlier.row["repeat_of"] is None:
            self._left -= 1
            self._counted.add(earlier.number)
        if earlier.is_unfinished:
            self._goes_on(trial)
            self._furthest[earlier.number] = max(trial.intermediate_values, default=0)
            if earlier.baseline in PROBES:
                self._probes_running.add(earlier.number)
        if earlier.final is not None and trial.values:
            score = trial.values[0]
            self._note_merit(trial.number, score, list(trial.constraints.values()))
            self._note_promise(backbone, score, promise(earlier.final))
        if earlier.baseline is not None:  # one whose plan the search makes itself is not made a second time
            self._baselines = [
                each for each in self._baselines if each.plan is not None or each.name != earlier.baseline
            ]

    def _goes_on(self, trial: "optuna.trial.FrozenTrial") -> None:
        import optuna

        self._running[trial.number] = optuna.Trial(self._study, trial._trial_id)

    def _wait_again(self, trial: "optuna.trial.FrozenTrial") -> None:
        """A trial that was asked for and that no worker was given."""
        import optuna

        self._goes_on(trial)
        if WAITING not in trial.user_attrs:
            self._study.tell(self._running.pop(trial.number), state=optuna.trial.TrialState.FAIL)
            return
        plan = parse_plan(
            trial.user_attrs[WAITING],
            where=f"trial {trial.number}",
            folder=Path(),
            modality=self._space.modality,
        )
        baseline = trial.user_attrs.get("baseline")
        self._plans[trial.number] = plan
        self._numbers[plan.key()] = trial.number
        if baseline is None:
            self._left -= 1
            self._counted.add(trial.number)
        self._waiting.append(Proposal(trial.number, plan, baseline, 0.0))

    @staticmethod
    def _as_proposed(earlier: EarlierTrial) -> Proposal:
        asked = earlier.row["asked_batch_size"]
        spent, repeated = earlier.row["seconds"]["propose"], earlier.row["repeat_of"]
        return Proposal(earlier.number, earlier.plan, earlier.baseline, spent, asked, repeated)

    def propose_packet(self, *, workers: int) -> list[Proposal]:
        """Plans to train side by side, or one; none when there is nothing to propose now.

        While the plans asked for fit together the sampler is asked for more, each time told that those before it are
        under way (`constant_liar`). Those that fit nowhere wait for their turn, and when they outnumber the others no
        more are asked for: in a space where few plans share their features each is proposed with all that is known.

        Args:
            workers: how many packets are trained at once; they share what may be asked for without new results.
        """
        first = self._waiting.pop(0) if self._waiting else self.propose()
        if first is None:
            return []
        packet, key = [first], self._packet_key(first)
        if key is None:
            return packet
        most = min(LARGEST_PACKET, int(ASKED_BLINDLY * self._trials / workers))
        for mate in [each for each in self._waiting if self._packet_key(each) == key][: max(most - 1, 0)]:
            self._waiting.remove(mate)
            packet.append(mate)
        while len(packet) < most and len(self._waiting) <= len(packet):
            following = self.propose()
            if following is None:
                break
            if self._packet_key(following) == key:
                packet.append(following)
            else:
                self._waiting.append(following)
                self._running[following.number].set_user_attr(WAITING, following.plan.as_dict())
        if len(packet) > 1:
            for proposal in packet:
                self._running[proposal.number].set_user_attr(PACKET, first.number)
        return packet

    @property
    def trials_left(self) -> int:
        """That the budget still holds."""
        return max(self._left, 0)

    @property
    def has_planned(self) -> bool:
        """Whether plans are left that every search tries: given ones, and one of each backbone and method."""
        started = self._given or self._starting or self._first or self._per_method
        return bool(started or (self._per_method is None and self._left > 0))

    def finish(self, reason: str) -> None:
        """Proposes nothing more."""
        self._left = 0
        self.finished_because = reason
        self.leave_waiting()

    def leave_waiting(self) -> None:
        """Ends the trials that were asked for and never began."""
        import optuna

        for proposal in self._waiting:
            trial = self._running.pop(proposal.number)
            trial.set_user_attr(NEVER_BEGAN, True)
            self._study.tell(trial, state=optuna.trial.TrialState.FAIL)
        self._waiting.clear()

    def propose(self) -> Proposal | None:
        """The next plan, or None when the budget of trials is spent or no new plan is to be found."""
        start = time.perf_counter()
        while (baseline := self._next_baseline()) is not None:
            plan = baseline.plan or full_finetune(self._space, self._cheapest_to_train())
            if self._is_new(plan):
                return self._proposal(plan, baseline.name, start)
        if self._left <= 0:
            self.finished_because = self.finished_because or "trials"
            return None
        for plan in iter(self._next_planned, None):
            if self._is_new(plan):
                proposal = self._charged(self._proposal(plan, None, start))
                if self._per_method is not None:
                    self._running[proposal.number].set_user_attr(FIRST_OF_METHOD, True)
                return proposal
        return self._suggested(start)

    def repeat(self, number: int) -> Proposal:
        """The plan of an earlier trial with another seed; no trial of the budget."""
        plan = replace(self._plans[number], seed=0)
        proposal = self._proposal(plan, None, time.perf_counter())
        self._numbers[plan.key()] = number
        self._running[proposal.number].set_user_attr("repeat_of", number)
        return replace(proposal, repeat_of=number)

    def step(self, number: int, epoch: int, score: float) -> None:
        """One epoch's score of a running trial; Optuna keeps the first of an epoch that is trained again."""
        if np.isfinite(score) and epoch > self._furthest.get(number, 0):
            self._furthest[number] = epoch
            if not self._costs:  # of trials with several values Optuna keeps the last ones alone
                self._running[number].report(score, epoch)

    def end(
        self,
        number: int,
        status: str,
        score: float | None,
        *,
        flops: int | None = None,
        model_mb: float | None = None,
        promise: float | None = None,
    ) -> None:
        """Tells how a trial ended: `complete`, `pruned`, `failed` or `skipped`.

        Args:
            promise: by what backbones are ordered, more is better; the score where left out.
        """
        import optuna

        trial = self._running.pop(number)
        self._probes_running.discard(number)
        plan = self._plans[number]
        if flops is not None:
            self._flops[plan.backbone] = flops
        excess: Mapping[str, float] = {}
        if self._limits is not None:
            self._limits.learn(plan, model_mb)
            excess = self._limits.excess(model_mb, flops)
            for limit, share in excess.items():
                trial.set_constraint(limit, share)
        if status == "complete" and score is not None and np.isfinite(score):
            figures = {"latency_ms": flops, "model_mb": model_mb}  # operations stand for the time that they take
            self._study.tell(trial, [score, *(_or_most(figures[cost]) for cost in self._costs)])
            self._note_merit(number, score, list(excess.values()))
            self._note_promise(plan.backbone, score, promise)
        elif status == "pruned":
            self._study.tell(trial, state=optuna.trial.TrialState.PRUNED)
        else:
            self._study.tell(trial, state=optuna.trial.TrialState.FAIL)
        if status == "skipped":
            self._not_at_hand.add(plan.backbone)  # no further plan with it is proposed
            self._left += trial.number in self._counted

    def merit(self, number: int) -> float | None:
        """By what trials are compared while searching, more is better; None of one that cannot win."""
        return self._merits.get(number)

    def _note_merit(self, number: int, value: float, excess: Sequence[float]) -> None:
        if all(share <= 0 for share in excess):
            self._merits[number] = self._sign * value

    def _note_promise(self, backbone: BackboneSpec, score: float, promise: float | None) -> None:
        best = self._probe_scores.get(backbone, -np.inf)
        self._probe_scores[backbone] = max(best, self._sign * score if promise is None else promise)

    def is_known(self, plan: Plan) -> bool:
        """Whether a trial stands for this plan already."""
        return plan.key() in self._numbers

    def skip(self, plan: Plan) -> int:
        """A number for a plan that cannot be trained here; it stays on the leaderboard as skipped."""
        proposal = self._proposal(plan, None, time.perf_counter())
        self.end(proposal.number, "skipped", None)
        return proposal.number

    @property
    def running(self) -> int:
        """Trials proposed and not ended."""
        return len(self._running)

    @staticmethod
    def _packet_key(proposal: Proposal) -> str | None:
        """Baselines run alone: they are measured in full, whatever runs beside them."""
        return None if proposal.baseline is not None else packet_key(proposal.plan)

    def _next_baseline(self) -> Baseline | None:
        """The next that is ready: the cheapest backbone is known when the probes have ended."""
        for index, baseline in enumerate(self._baselines):
            if baseline.plan is not None or not self._probes_running:
                return self._baselines.pop(index)
        return None

    def _next_planned(self) -> Plan | None:
        """Given plans first, then those that did well elsewhere, then one of each backbone, the most promising by its
        probe first, then one of each adaptation method on the most promising of all; of backbones and methods only
        those that did not come among what did well elsewhere."""
        if self._given:
            return self._given.pop(0)
        if self._starting:
            return self._starting.pop(0)
        backbones = self._first or self._space.values("backbone")
        best = max(backbones, key=lambda name: self._probe_scores.get(name, -np.inf))
        if self._first:
            return self._first.pop(best)
        if self._per_method is None:
            self._per_method = [] if best.origin == CLASSICAL else self._methods_on(best)
        return self._per_method.pop(0) if self._per_method else None

    def _methods_on(self, backbone: BackboneSpec) -> list[Plan]:
        methods = method_plans(self._space, backbone)
        untried = [plan for plan in methods if plan.adaptation.name not in self._methods_tried]
        return [*together_plans(self._space, backbone), *untried]

    def _half_in_turn(self) -> Space:
        """The space that the next plan is drawn from: where a task may be learnt alone or together with others, either
        gets its half of the trials."""
        if len(self._halves) == 1:
            return self._halves[0]
        together = sum(self._plans[number].together is not None for number in self._counted)
        return self._halves[2 * together < len(self._counted)]

    def _half_of(self, plan: Plan) -> Space:
        """The space that a plan is drawn from, or would be."""
        return self._halves[-1 if plan.together is not None else 0]

    def _suggested(self, start: float) -> Proposal | None:
        """What Optuna suggests; where that has been tried, a random plan that has not: TPE repeats itself in spaces of
        few values long before all of them have been tried."""
        import optuna

        trial, space = self._ask(), self._half_in_turn()
        plan = space.suggest(trial, seed=trial_seed(self._task_seed, trial.number))
        if self._is_new(plan):
            return self._charged(self._started(trial, plan, None, start))
        over = None if self._limits is None else self._limits.why_not(plan)
        if over is not None:  # told as a trial that is over the limits, or the sampler would not learn to keep away
            trial.set_constraint("model_mb", 1.0)
            self._study.tell(trial, state=optuna.trial.TrialState.PRUNED)
        else:
            trial.set_user_attr("equal_to", self._numbers.get(plan.key(), "a plan whose weights are not at hand"))
            self._study.tell(trial, state=optuna.trial.TrialState.FAIL)
        for half in (space, *(other for other in self._halves if other is not space)):
            for other in self._random_plans(half, seed=trial_seed(self._task_seed, trial.number)):
                if self._is_new(other):
                    return self._charged(self._proposal(other, None, start))
        self.finished_because = "the space holds no further plan"
        return None

    @staticmethod
    def _random_plans(space: Space, *, seed: int) -> Iterator[Plan]:
        import optuna

        draws = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
        for _ in range(TRIES_FOR_A_NEW_PLAN):
            yield space.suggest(draws.ask(), seed=0)

    def _is_new(self, plan: Plan) -> bool:
        if self.is_known(plan) or plan.backbone in self._not_at_hand:
            return False
        return self._limits is None or self._limits.why_not(plan) is None

    def _charged(self, proposal: Proposal) -> Proposal:
        self._left -= 1
        self._counted.add(proposal.number)
        return proposal

    def _proposal(self, plan: Plan, baseline: str | None, start: float) -> Proposal:
        """A trial of a plan that we chose; Optuna learns from it where it lies inside the space."""
        space = self._half_of(plan)
        parameters: Mapping[str, Any] | None = space.parameters(plan)
        if parameters:
            self._study.enqueue_trial(dict(parameters))
        trial = self._ask()
        if parameters:
            space.suggest(trial, seed=0)  # fixes the enqueued values in the trial
        if baseline is not None:
            trial.set_user_attr("baseline", baseline)
        seed = plan.seed or trial_seed(self._task_seed, trial.number)
        return self._started(trial, replace(plan, seed=seed), baseline, start)

    def _ask(self) -> "optuna.Trial":
        from autotl.search.sampler import make_sampler

        self._study.sampler = make_sampler(trials=self._trials, seed=self._task_seed, number=self._asked)
        self._asked += 1
        return self._study.ask()

    def _started(self, trial: "optuna.Trial", plan: Plan, baseline: str | None, start: float) -> Proposal:
        self._running[trial.number] = trial
        self._plans[trial.number] = plan
        self._numbers[plan.key()] = trial.number
        if baseline in PROBES:
            self._probes_running.add(trial.number)
        return Proposal(trial.number, plan, baseline, time.perf_counter() - start)

    def _cheapest_to_train(self) -> BackboneSpec:
        networks = trainable_networks(self._space)
        known = {name: flops for name, flops in self._flops.items() if name in networks}
        return min(known, key=lambda name: known[name]) if known else networks[0]
