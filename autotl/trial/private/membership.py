"""Attacks that ask of a trained head: was this example among those it learnt from?

What they find is a lower bound of what a model gives away: who attacks better finds more. That nobody finds more than a
budget allows is what the accountant is for; that these find much without a budget is why there is one.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from autotl.trial.private.head import Labelled, PrivateHead

Numbers = NDArray[np.float64]
Members = NDArray[np.bool_]  # (n,), who was learnt from
Train = Callable[[Labelled, int], PrivateHead]  # (members, number of the model) -> a head

SUREST = 1e-9  # of a probability, so that its logit is finite


@dataclass(frozen=True)
class Attack:
    """How well members are told from others.

    Attributes:
        auc: the chance that a member looks more like one than another example does; 0.5 is guessing.
        advantage: the most by which true alarms exceed false ones, at any threshold; 0 is guessing.
        caught: share of members that are found while so few others are taken for one, by that share of false alarms.
    """

    auc: float
    advantage: float
    caught: dict[float, float]


def attacked(suspicion: Numbers, members: Members, *, false_alarms: tuple[float, ...] = (0.01, 0.1)) -> Attack:
    """How well a suspicion (n,), more of it for members, tells them from others."""
    order = np.argsort(-suspicion, kind="stable")
    is_last = np.append(np.diff(suspicion[order]) != 0, True)  # equal suspicions fall together
    true = np.append(0.0, (np.cumsum(members[order]) / members.sum())[is_last])
    false = np.append(0.0, (np.cumsum(~members[order]) / (~members).sum())[is_last])
    caught = {share: float(true[false <= share].max()) for share in false_alarms}
    return Attack(float(np.trapezoid(true, false)), float((true - false).max()), caught)


def most_that_may_be_caught(false_alarms: float, *, epsilon: float, delta: float) -> float:
    """The share of members that any attack on an (epsilon, delta)-private model finds at most, on average.

    Paper: Kairouz, Oh & Viswanath, ICML 2015, arXiv:1311.0776, theorem 2.1.
    """
    return min(math.exp(epsilon) * false_alarms + delta, 1 - math.exp(-epsilon) * (1 - delta - false_alarms), 1.0)


def logit_of_truth(head: PrivateHead, pool: Labelled) -> Numbers:
    """log(p / (1 - p)) of the right class, (n,)."""
    said = head.predict(pool.features).astype(np.float64)[np.arange(len(pool)), pool.labels]
    said = np.clip(said, SUREST, 1 - SUREST)
    return np.log(said) - np.log1p(-said)


@dataclass(frozen=True, eq=False)
class Shadows:
    """What shadow models, each trained on half of a pool at random, say of each example of it.

    Attributes:
        said: (models, n) logits of the right class.
        members: (models, n), whom each learnt from.
    """

    said: Numbers
    members: Members

    @classmethod
    def of(cls, pool: Labelled, train: Train, *, models: int, seed: int) -> "Shadows":
        """Trains them. Every example is in for half of the models, and which ones is chance."""
        draws = np.random.default_rng(seed)
        ranks = draws.random((models, len(pool))).argsort(axis=0)
        members = ranks < models // 2
        heads = [train(_taken(pool, members[model]), model) for model in range(models)]
        return cls(np.stack([logit_of_truth(head, pool) for head in heads]), members)

    def by_likelihood(self, model: int) -> Numbers:
        """Suspicion (n,) of one of them, by the others: is what it says likelier of models that knew the example?

        Paper: Carlini et al., "Membership Inference Attacks From First Principles", S&P 2022, arXiv:2112.03570.
        """
        others = np.arange(len(self.said)) != model
        knew, not_known = (self._fitted(others, self.members[others] == known) for known in (True, False))
        return _log_density(self.said[model], *knew) - _log_density(self.said[model], *not_known)

    def attacks(self) -> Attack:
        """All of them attacked, together."""
        suspicion = np.concatenate([self.by_likelihood(model) for model in range(len(self.said))])
        return attacked(suspicion, self.members.ravel())

    def attacks_by_loss(self) -> Attack:
        """The same by one threshold on the loss for all examples (Yeom et al., CSF 2018, arXiv:1709.01604)."""
        return attacked(self.said.ravel(), self.members.ravel())

    def _fitted(self, others: Members, counted: Members) -> tuple[Numbers, float]:
        """Mean (n,) and one deviation of the others' logits: a few models tell too little of each example's own."""
        said = np.where(counted, self.said[others], np.nan)
        mean = np.nanmean(said, axis=0)
        return mean, float(np.sqrt(np.nanmean(np.square(said - mean)))) + 1e-6


def _log_density(values: Numbers, mean: Numbers, deviation: float) -> Numbers:
    return -0.5 * np.square((values - mean) / deviation) - math.log(deviation)


def _taken(pool: Labelled, members: Members) -> Labelled:
    return Labelled(pool.features[members], pool.labels[members])
