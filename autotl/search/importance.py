"""Which settings set a search's best trials apart from the others, and how far that can be trusted.

Shares are those of Optuna's PED-ANOVA, which compares how the values of a setting are spread among the best trials and
among all of them, and knows settings that exist only under some choices. It finds what went along with good scores in
the trials of this search; that is no proof of a cause.

Papers: Watanabe, Bansal & Hutter, "PED-ANOVA", IJCAI 2023 (arXiv:2304.10255); conditional settings: arXiv:2601.20800.
"""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import optuna
from optuna.importance import PedAnovaImportanceEvaluator
from optuna.trial import FrozenTrial

FEWEST_TRIALS = 20
"""Below it five best trials are more than a quarter of all, and say little about any setting."""

MOST_TRIALS = 1_000
"""More say no more; of a longer search they are drawn evenly."""

BEST_SHARE = 0.1
FEWEST_BEST = 5  # what the method's authors advise
HALVES = 30
SHUFFLES = 30
CHANCE = 0.95  # of the shuffles stay below what counts as chance
RANGE = (5, 95)

Shares = dict[str, float]


def importances(trials: Sequence[FrozenTrial], *, higher_is_better: bool, seed: int = 0) -> dict[str, Any]:
    """How much each setting has to do with being among the best.

    Args:
        trials: complete ones with a value; those without parameters (plans outside the search space) are left out.
    Returns:
        `{"trials", "needed", "best_share", "parameters": [{"name", "share", "low", "high", "chance", "stands_out"}]}`,
        the most important first. `share`s add up to 1; `low` to `high` are 90 % of what halves of the trials give
        (delete-half jackknife), and `chance` is what the setting would stay below in 95 % of the cases if the same
        scores were dealt out to the trials by lot; it `stands_out` where even `low` is more than that. With fewer than
        `needed` trials, or equal scores, there are no parameters.
    """
    chosen = [trial for trial in trials if trial.params]
    told: dict[str, Any] = {"trials": len(chosen), "needed": FEWEST_TRIALS, "best_share": None, "parameters": []}
    if len(chosen) < FEWEST_TRIALS or len({trial.value for trial in chosen}) == 1:
        return told
    chosen = [chosen[place] for place in np.linspace(0, len(chosen) - 1, min(len(chosen), MOST_TRIALS)).astype(int)]
    best_share = max(BEST_SHARE, FEWEST_BEST / len(chosen))
    measure = _Measure(chosen, best_share)
    losses = np.array([trial.value for trial in chosen], dtype=float) * (-1.0 if higher_is_better else 1.0)
    chance = np.random.default_rng(seed)
    whole = measure.of(losses)
    total = sum(whole.values()) or 1.0
    halves = [_normalised(measure.of(_half(losses, chance))) for _ in range(HALVES)]
    shuffled = [measure.of(chance.permutation(losses)) for _ in range(SHUFFLES)]
    told["trials"], told["best_share"] = len(chosen), best_share
    told["parameters"] = [
        _described(name, value, total, [half.get(name, 0.0) for half in halves], [deal[name] for deal in shuffled])
        for name, value in sorted(whole.items(), key=lambda item: (-item[1], item[0]))
    ]
    return told


class _Measure:
    """PED-ANOVA over the same trials with whatever losses they are given; a loss of NaN leaves its trial out."""

    def __init__(self, trials: Sequence[FrozenTrial], best_share: float) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._study = optuna.create_study()
        self._study.add_trials(trials)
        self._evaluator = PedAnovaImportanceEvaluator(target_quantile=best_share)
        self._names = sorted({name for trial in trials for name in trial.params})

    def of(self, losses: np.ndarray) -> Shares:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it minimises, which is why it is given losses
            found = self._evaluator.evaluate(self._study, self._names, target=lambda trial: float(losses[trial.number]))
        return {name: float(value) for name, value in found.items()}


def _half(losses: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    kept = np.full(len(losses), np.nan)
    places = chance.permutation(len(losses))[: len(losses) // 2]
    kept[places] = losses[places]
    return kept


def _normalised(shares: Mapping[str, float]) -> Shares:
    total = sum(shares.values()) or 1.0
    return {name: value / total for name, value in shares.items()}


def _described(
    name: str, value: float, total: float, halves: Sequence[float], shuffled: Sequence[float]
) -> dict[str, Any]:
    share, by_chance = value / total, float(np.quantile(shuffled, CHANCE)) / total
    ends = np.percentile(halves, RANGE)
    low, high = min(float(ends[0]), share), max(float(ends[1]), share)
    return {
        "name": name,
        "share": share,
        "low": low,
        "high": high,
        "chance": by_chance,
        "stands_out": low > by_chance,
    }
