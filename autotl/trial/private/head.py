"""A linear head that is trained by noisy gradients of clipped examples (DP-SGD).

Paper: Abadi et al., CCS 2016, arXiv:1607.00133. For softmax regression the gradient of one example is (p - y) ⊗ [x, 1],
so its length is ‖p - y‖ ‖[x, 1]‖: clipping needs neither a gradient per example nor automatic differentiation, and two
matrix products are a step. On features of a network that learnt from public data this beats noisy training of the whole
network by far (Tramèr & Boneh, ICLR 2021, arXiv:2011.11660).

Features are taken as directions of length 1, which needs to look at no other example, and moved to their mean, which is
one noisy sum more; averages over the second half of the steps leave out much of the noise.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from autotl.trial.private.accountant import NoisySums
from autotl.trial.private.noise import SecretDraws

Numbers = NDArray[np.float64]

CLIP = 1.0  # length that the gradient of an example is cut to
MOMENTUM = 0.9
SHORTEST = 1e-12  # features of this length have no direction
WITHIN = 1 - 1e-9  # of a length, so that rounding never takes an example past it
MOST_TOGETHER = 8192  # examples of one sum, on average: the more, the less noise for the same budget
STEPS = 60
# The more noise in a step, the shorter: chosen on 8,000 and 1,000 digits at epsilon 1 to 8 (benchmarks/privacy.py)
RATE_OVER_NOISE, LOWEST_RATE, HIGHEST_RATE = 0.03, 4.0, 32.0


@dataclass(frozen=True)
class Training:
    """How a head is trained, all of it public.

    Attributes:
        noise_multiplier: deviation of a sum's noise over what one example can add; 0 trains without privacy.
        rate: probability with which a protected example takes part in a step.
    """

    noise_multiplier: float
    rate: float = 1.0
    steps: int = STEPS

    @classmethod
    def on(cls, rows: int, *, noise_multiplier: float) -> "Training":
        """On so many protected rows."""
        return cls(noise_multiplier, rate_for(rows))

    @property
    def epochs(self) -> int:
        """How often an example takes part, on average."""
        return max(1, round(self.steps * self.rate))

    def looks(self) -> tuple[NoisySums, ...]:
        """What it costs: the mean of the features, and the steps."""
        mean = NoisySums(1, self.noise_multiplier)
        if self.rate >= 1:
            return (NoisySums(self.steps + 1, self.noise_multiplier),)
        return (mean, NoisySums(self.steps, self.noise_multiplier, self.rate))

    def learning_rate(self, rows: int) -> float:
        """Of the mean gradient of so many rows."""
        noise = self.noise_multiplier * CLIP / (self.rate * rows)
        return float(np.clip(RATE_OVER_NOISE / max(noise, 1e-12), LOWEST_RATE, HIGHEST_RATE))


def rate_for(rows: int) -> float:
    """The probability with which one of so many rows takes part in a step."""
    return min(1.0, MOST_TOGETHER / max(rows, 1))


@dataclass(frozen=True, eq=False)
class PrivateHead:
    """A trained head.

    Attributes:
        centre: (d,), taken from the directions of the features.
        kernel, bias: (d, classes), (classes,).
    """

    centre: Numbers
    kernel: Numbers
    bias: Numbers

    def logits(self, features: NDArray[np.floating]) -> Numbers:
        """(n, classes) of features (n, d) as the network gives them."""
        return centred(features, self.centre) @ self.kernel + self.bias

    def predict(self, features: NDArray[np.floating]) -> NDArray[np.float32]:
        """Probabilities (n, classes)."""
        return softmax(self.logits(features)).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Labelled:
    """Features (n, d) and class indices (n,)."""

    features: NDArray[np.floating]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)


def train_head(
    protected: Labelled,
    training: Training,
    draws: SecretDraws,
    *,
    classes: int,
    public: Labelled | None = None,
    start: PrivateHead | None = None,
) -> PrivateHead:
    """Trains a head; what it costs is `training.looks()`.

    Args:
        protected: each clipped, with noise over their sum.
        public: learnt from as well, as they are.
        start: a head that knows nothing of the protected examples; its centre is kept, so none is looked for.
    """
    rows = len(protected) + (0 if public is None else len(public))
    centre = noisy_centre(protected.features, training.noise_multiplier, draws) if start is None else start.centre
    whole = with_one(centred(protected.features, centre)) if training.rate >= 1 else None
    answers, width = np.eye(classes), protected.features.shape[1] + 1
    beside = None if public is None else (with_one(centred(public.features, centre)), np.eye(classes)[public.labels])
    weights = np.zeros((width, classes)) if start is None else np.vstack([start.kernel, start.bias])
    velocity, total = np.zeros_like(weights), np.zeros_like(weights)
    step_length, settled = training.learning_rate(rows), training.steps // 2
    for step in range(training.steps):
        taken = draws.members(len(protected), training.rate)
        read = with_one(centred(protected.features[taken], centre)) if whole is None else whole
        gradient = clipped_sum(read, answers[protected.labels[taken]], weights) / training.rate
        gradient += training.noise_multiplier * CLIP / training.rate * draws.normal(weights.shape)
        if beside is not None:
            gradient += beside[0].T @ (softmax(beside[0] @ weights) - beside[1])
        velocity = MOMENTUM * velocity + gradient / rows
        weights = weights - step_length * velocity
        total += weights if step >= settled else 0.0
    mean = total / (training.steps - settled)
    return PrivateHead(centre, mean[:-1], mean[-1])


def clipped_sum(read: Numbers, answers: Numbers, weights: Numbers) -> Numbers:
    """The sum (d, classes) over examples of their gradients, each cut to a length of `CLIP`.

    Args:
        read: (n, d), what the weights are multiplied with. answers: (n, classes), one 1 each.
    """
    misses = softmax(read @ weights) - answers
    lengths = np.linalg.norm(misses, axis=1) * np.linalg.norm(read, axis=1)
    misses *= np.minimum(1.0, WITHIN * CLIP / np.maximum(lengths, SHORTEST))[:, None]
    return read.T @ misses


def noisy_centre(features: NDArray[np.floating], noise_multiplier: float, draws: SecretDraws) -> Numbers:
    """The mean direction (d,) of features: one sum, to which an example adds a length of 1 at most."""
    total = noise_multiplier * draws.normal((features.shape[1],))
    for start in range(0, len(features), MOST_TOGETHER):
        total += directions(features[start : start + MOST_TOGETHER]).sum(axis=0)
    return np.asarray(total / max(len(features), 1))


def directions(features: NDArray[np.floating]) -> Numbers:
    """(n, d) of length 1, but for a billionth, each by itself."""
    wide = np.asarray(features, dtype=np.float64)
    return WITHIN * wide / np.maximum(np.linalg.norm(wide, axis=1, keepdims=True), SHORTEST)


def centred(features: NDArray[np.floating], centre: Numbers) -> Numbers:
    """(n, d): in which direction from the centre each one's direction lies."""
    return directions(directions(features) - centre)


def with_one(read: Numbers) -> Numbers:
    """(n, d + 1): the last weight is the bias."""
    return np.concatenate([read, np.ones((len(read), 1))], axis=1)


def softmax(logits: Numbers) -> Numbers:
    """Probabilities (n, classes)."""
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))
