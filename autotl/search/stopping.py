"""When Ray Tune stops a trial, and when it stops them all."""

from collections.abc import Mapping, Sequence
from typing import Any

from ray.tune.schedulers import AsyncHyperBandScheduler, TrialScheduler
from ray.tune.stopper import Stopper

from autotl.search.budget import Budget
from autotl.search.earlier import EarlierTrial
from autotl.search.packet_searcher import PacketSearcher
from autotl.trial.halving import FIRST_RUNG, REDUCTION_FACTOR, grace_of, rungs_below


class EarlyStopping(AsyncHyperBandScheduler):
    """Asynchronous successive halving over epochs (Li et al., MLSys 2020, arXiv:1810.05934).

    Baselines are exempt, and so is a plan while its method's loss is still growing (`trial.halving.grace_of`).
    """

    def __init__(self, searcher: PacketSearcher, *, longest_plan: int, higher_is_better: bool) -> None:
        super().__init__(
            time_attr="epoch",
            metric="score",
            mode="max" if higher_is_better else "min",
            max_t=max(longest_plan, FIRST_RUNG + 1),
            grace_period=FIRST_RUNG,
            reduction_factor=REDUCTION_FACTOR,
            stop_last_trials=False,
        )
        self._searcher = searcher
        self._milestones = rungs_below(longest_plan)

    def take_up(self, earlier: Sequence[EarlierTrial]) -> None:
        """The rungs hold what they held when an earlier sitting ended."""
        for each in earlier:
            if each.baseline is None and not each.is_unfinished and not each.ran_beside_others:
                stopped_here = each.row["status"] == "pruned" or each.last_epoch >= self._max_t
                last_judged = each.last_epoch if stopped_here else each.last_epoch - 1
                scores = {epoch: each.scores[epoch] for epoch in each.scores if epoch > grace_of(each.plan)}
                self._record(f"trial {each.number}", scores, last_judged)

    def on_trial_add(self, tune_controller: Any, trial: Any) -> None:
        """A plan that goes on after its process was killed is not judged again at the rungs that it has passed."""
        super().on_trial_add(tune_controller, trial)
        scores = self._searcher.scores_before(trial.trial_id)
        compared = {
            epoch: score for epoch, score in scores.items() if self._searcher.is_compared(trial.trial_id, epoch)
        }
        self._record(trial.trial_id, compared, max(scores, default=0) - 1)  # the verdict on the last one is not known

    def on_trial_error(self, tune_controller: Any, trial: Any) -> None:
        """Its process died; should it be tried again, its scores must not count twice."""
        super().on_trial_error(tune_controller, trial)
        self.forget(trial.trial_id)

    def forget(self, trial_id: str) -> None:
        """What it has told so far is told again."""
        self._trial_info.pop(trial_id, None)
        for _, recorded in self._brackets[0]._rungs:
            recorded.pop(trial_id, None)

    def _record(self, key: str, scores: Mapping[int, float], last_judged: int) -> None:
        for milestone, recorded in self._brackets[0]._rungs:
            if milestone <= last_judged and milestone in scores:
                recorded[key] = self._metric_op * scores[milestone]

    def set_search_properties(self, metric: str | None, mode: str | None, **spec: Any) -> bool:  # noqa: ARG002
        """The metric was given when this was made."""
        return True

    def on_trial_complete(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> None:  # noqa: ARG002
        """A rung compares plans that are equally far, as they came by; a final score, set beside those of plans on
        their way, would stop them all."""
        self._trial_info.pop(trial.trial_id, None)

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        """Stops a trial that is not among the best third of those that came as far."""
        epoch = result["epoch"]
        if epoch not in self._milestones or not self._searcher.is_compared(trial.trial_id, epoch):
            return str(TrialScheduler.CONTINUE)
        return str(super().on_trial_result(tune_controller, trial, result))


class SearchStopper(Stopper):
    """Ends the whole search when the budget is spent or the driver is in trouble."""

    def __init__(self, budget: Budget, searcher: PacketSearcher) -> None:
        self._budget = budget
        self._searcher = searcher

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:  # noqa: ARG002 - Ray's interface
        """Single trials end by their own rules."""
        return False

    def stop_all(self) -> bool:
        """Whether everything must stop."""
        return self._budget.is_spent() or self._searcher.trouble is not None
