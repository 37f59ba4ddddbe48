"""TPE that takes no longer in a long search than in a short one."""

import warnings
from collections.abc import Container, Sequence
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

LARGEST_RANDOM_START = 10
BEST_SEEN = 100
LATEST_SEEN = 200


def make_sampler(*, trials: int, seed: int, number: int = 0) -> optuna.samplers.BaseSampler:
    """TPE for conditional spaces and several workers (Watanabe, arXiv:2304.11127).

    What it draws for trial `number` follows from the seed, that number and what has been told, and not from what it
    drew before: a resumed search draws what it would have drawn. Start-up trials, baselines and given plans counted in,
    are min(10, trials / 3). Trials over the task's limits come after all others, those least over them first.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return WindowedTPE(
            multivariate=True,
            group=True,
            constant_liar=True,
            n_startup_trials=min(LARGEST_RANDOM_START, max(1, trials // 3)),
            seed=int(np.random.SeedSequence([seed, number]).generate_state(1)[0]),
        )


class WindowedTPE(optuna.samplers.TPESampler):
    """TPE that learns from the best 100 and the latest 200 trials, and from those under way: its time grows with their
    number. In a search of up to 300 trials it draws what TPE draws."""

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """The parameters that are drawn together."""
        return super().infer_relative_search_space(_seen(study), trial)

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Draws these."""
        return super().sample_relative(_seen(study), trial, search_space)

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Draws one that is not among them."""
        return super().sample_independent(_seen(study), trial, param_name, param_distribution)


class _Window:
    """A study of which some trials are seen, and everything else."""

    def __init__(self, study: optuna.Study, trials: Sequence[FrozenTrial]) -> None:
        self._study = study
        self._trials = trials

    def __getattr__(self, name: str) -> Any:
        return getattr(self._study, name)

    def _get_trials(
        self,
        deepcopy: bool = True,  # noqa: ARG002 - the sampler, which is its only caller, changes none
        states: Container[TrialState] | None = None,
        use_cache: bool = False,  # noqa: ARG002
    ) -> list[FrozenTrial]:
        return [trial for trial in self._trials if states is None or trial.state in states]


def _seen(study: optuna.Study) -> Any:
    """The study as the sampler sees it."""
    trials = study._get_trials(deepcopy=False, use_cache=True)
    told = [trial for trial in trials if trial.state in (TrialState.COMPLETE, TrialState.PRUNED)]
    if len(told) <= BEST_SEEN + LATEST_SEEN:
        return study
    under_way = [trial for trial in trials if trial.state == TrialState.RUNNING]
    kept = [*_best(told[:-LATEST_SEEN], study.directions), *told[-LATEST_SEEN:], *under_way]
    return _Window(study, sorted(kept, key=lambda trial: trial.number))


def _best(trials: Sequence[FrozenTrial], directions: Sequence[StudyDirection]) -> list[FrozenTrial]:
    """Of several goals as many of each."""
    complete = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    found: dict[int, FrozenTrial] = {}
    for goal, direction in enumerate(directions):
        sign = 1.0 if direction == StudyDirection.MINIMIZE else -1.0
        ordered = sorted(complete, key=lambda trial: (sign * trial.values[goal], trial.number))
        found |= {trial.number: trial for trial in ordered[: BEST_SEEN // len(directions)]}
    return list(found.values())
