"""A budget of privacy, divided before anything is spent: so much for each trial, its score, the model that ships."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from autotl.trial.private.accountant import RELATION, Look, NoisyCount, accountant, epsilon_of, least_noise
from autotl.trial.private.head import Training

FINAL_SHARE = 0.8  # of epsilon that the model that ships may spend alone; the trials share what composition leaves
MOST_PAID_TRIALS = 8  # more would leave each too little to tell plans apart


@dataclass(frozen=True)
class Division:
    """Who may spend what.

    Attributes:
        trials: how many there may be.
        pays_for_trials: whether they learn from protected examples, or rehearse on public ones.
        final: how the model that ships is trained; the trial itself where there is one alone.
        trial: how each trial is trained.
        score: the noise of each trial's score; None where it is counted on public examples.
        test: the noise of the count on protected test examples.
        train, protected: protected examples that trials learn from, and that the model that ships does.
    """

    epsilon: float
    delta: float
    trials: int
    pays_for_trials: bool
    final: Training
    trial: Training
    score: NoisyCount | None
    test: NoisyCount
    train: int
    protected: int

    @property
    def ships_the_trial(self) -> bool:
        """Whether the one plan that there is gets the whole budget, and nothing is trained again."""
        return self.pays_for_trials and self.trials == 1

    @property
    def epsilon_of_trial(self) -> float:
        """What one trial's training costs alone; 0 where it rehearses."""
        return epsilon_of(self.trial.looks(), self.delta) if self.pays_for_trials else 0.0

    @property
    def epsilon_of_final(self) -> float:
        """What the training of the model that ships costs alone."""
        return epsilon_of(self.final.looks(), self.delta)

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values: the terms under which the run is private, and what each part may spend."""
        return {
            "epsilon": self.epsilon,
            "delta": self.delta,
            "relation": RELATION,
            "sampling": sampling_words(self.final),
            "accountant": accountant(),
            "trials": self.trials,
            "pays_for_trials": self.pays_for_trials,
            "epsilon_of_trial": self.epsilon_of_trial,
            "epsilon_of_score": None if self.score is None else self.score.epsilon,
            "epsilon_of_final": self.epsilon_of_final,
            "epsilon_of_test": self.test.epsilon,
            "training": asdict(self.final),
            "protected": self.protected,
        }


def sampling_words(training: Training) -> str:
    """How examples take part in the steps."""
    if training.rate >= 1:
        return "every example takes part in every step: nothing rests on secret sampling"
    return f"each example takes part in a step with probability {training.rate:.4g}, by itself (Poisson sampling)"


def divided(epsilon: float, delta: float, *, trials: int, train: int, validation: int) -> Division:
    """A search on the protected examples themselves.

    With one plan there is nothing to choose, and its trial gets the whole budget. Else the winner is trained anew on
    training and validation examples for `FINAL_SHARE` of epsilon. A training example pays for all trials and for that,
    a validation example for all scores and for that, a test example for one count, and nobody for anything else.

    Args:
        trials: wanted; `MOST_PAID_TRIALS` at most are paid for.
        train, validation: how many protected examples there are of each.
    """
    trials, everything = min(trials, MOST_PAID_TRIALS), train + validation
    if trials == 1:
        alone = _training(train, epsilon, delta)
        return Division(epsilon, delta, 1, True, alone, alone, NoisyCount(epsilon), NoisyCount(epsilon), train, train)
    final = _training(everything, FINAL_SHARE * epsilon, delta)

    def with_trials(noise: float) -> Sequence[Look]:
        return [*final.looks(), *(Training.on(train, noise_multiplier=noise).looks() * trials)]

    def with_scores(noise: float) -> Sequence[Look]:
        return [*final.looks(), *([NoisyCount(1 / noise)] * trials)]

    trial = Training.on(train, noise_multiplier=least_noise(with_trials, epsilon=epsilon, delta=delta))
    score = NoisyCount(1 / least_noise(with_scores, epsilon=epsilon, delta=delta))
    test = NoisyCount(epsilon)
    return Division(epsilon, delta, trials, True, final, trial, score, test, train, everything)


def rehearsed(epsilon: float, delta: float, *, trials: int, protected: int, public: int) -> Division:
    """A search on public examples, with the noise that the model that ships will have: it spends nothing.

    Args:
        protected: examples that the model that ships learns from.
        public: examples that trials learn from.
    """
    final = _training(protected, epsilon, delta)
    noise = final.noise_multiplier / final.rate * public / protected  # the same in the mean gradient of fewer examples
    rehearsal = Training(noise, 1.0)
    return Division(epsilon, delta, trials, False, final, rehearsal, None, NoisyCount(epsilon), public, protected)


def _training(rows: int, epsilon: float, delta: float) -> Training:
    def looks(noise: float) -> Sequence[Look]:
        return Training.on(rows, noise_multiplier=noise).looks()

    return Training.on(rows, noise_multiplier=least_noise(looks, epsilon=epsilon, delta=delta))
