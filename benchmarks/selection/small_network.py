"""A network of one hidden layer with the losses of adaptation, in NumPy: hundreds of trials in minutes on one core.

It stands in for the project's own trainer, whose losses it writes down once more with their gradients.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from autotl.scoring.entropy import entropies

Matrix = NDArray[np.float64]
Labels = NDArray[np.int64]

BATCH = 64
RAMPED = 0.5  # share of the steps over which the weight of an extra loss grows


@dataclass(frozen=True, eq=False)
class Half:
    """A batch of one domain as the hidden layer and the last one see it."""

    hidden: Matrix  # (b, units)
    logits: Matrix  # (b, classes)

    @property
    def probabilities(self) -> Matrix:
        return softmax(self.logits)


@dataclass
class Pull:
    """Gradients that an extra loss adds; None for none."""

    source_hidden: Matrix | None = None
    target_hidden: Matrix | None = None
    target_logits: Matrix | None = None


Extra = Callable[[Half, Half], Pull]


@dataclass
class Network:
    """Weights and the moments of Adam."""

    weights: list[Matrix]
    rate: float
    _first: list[Matrix] = field(default_factory=list)
    _second: list[Matrix] = field(default_factory=list)
    _steps: int = 0

    @classmethod
    def drawn(cls, width: int, units: int, classes: int, *, rate: float, generator: np.random.Generator) -> "Network":
        """He's initial weights."""
        weights = [
            generator.normal(0, np.sqrt(2 / width), (width, units)),
            np.zeros((1, units)),
            generator.normal(0, np.sqrt(1 / units), (units, classes)),
            np.zeros((1, classes)),
        ]
        return cls(weights, rate)

    def half(self, x: Matrix) -> Half:
        hidden = np.maximum(x @ self.weights[0] + self.weights[1], 0.0)
        return Half(hidden, hidden @ self.weights[2] + self.weights[3])

    def gradients(self, x: Matrix, half: Half, logits: Matrix | None, hidden: Matrix | None) -> list[Matrix]:
        """Of the weights, by those of a batch's logits and hidden features."""
        found = [np.zeros_like(weight) for weight in self.weights]
        of_hidden = np.zeros_like(half.hidden) if hidden is None else hidden
        if logits is not None:
            found[2], found[3] = half.hidden.T @ logits, logits.sum(axis=0, keepdims=True)
            of_hidden = of_hidden + logits @ self.weights[2].T
        of_hidden = of_hidden * (half.hidden > 0)
        found[0], found[1] = x.T @ of_hidden, of_hidden.sum(axis=0, keepdims=True)
        return found

    def step(self, gradients: list[Matrix], *, frozen_head: bool = False) -> None:
        """Adam."""
        if not self._first:
            self._first = [np.zeros_like(weight) for weight in self.weights]
            self._second = [np.zeros_like(weight) for weight in self.weights]
        self._steps += 1
        for place in range(2 if frozen_head else 4):
            gradient = gradients[place]
            self._first[place] += 0.1 * (gradient - self._first[place])
            self._second[place] += 0.001 * (gradient**2 - self._second[place])
            first = self._first[place] / (1 - 0.9**self._steps)
            second = self._second[place] / (1 - 0.999**self._steps)
            self.weights[place] -= self.rate * first / (np.sqrt(second) + 1e-8)


def train(
    network: Network,
    source: tuple[Matrix, Labels, Matrix],
    target: Matrix,
    *,
    epochs: int,
    extra: Extra | None,
    pseudo: Callable[[Matrix, float], Labels] | None = None,
    weight: float = 0.0,
    generator: np.random.Generator,
) -> None:
    """Cross-entropy on the source, with weights of its examples, and `weight` times what is extra.

    Args:
        source: features, labels and example weights of mean 1.
        pseudo: labels target examples by their probabilities and the progress, -1 for none; once per epoch.
    """
    x, y, importance = source
    steps_of_epoch = max(len(x) // BATCH, 1)
    steps = epochs * steps_of_epoch
    batches = zip(_places(len(x), generator), _places(len(target), generator), strict=False)
    for step, (mine, theirs) in zip(range(steps), batches, strict=False):
        own = network.half(x[mine])
        error = (own.probabilities - np.eye(own.logits.shape[1])[y[mine]]) * importance[mine, None] / len(mine)
        if extra is None and pseudo is None:
            network.step(network.gradients(x[mine], own, error, None))
            continue
        if pseudo is not None and step % steps_of_epoch == 0:
            labels = pseudo(network.half(target).probabilities, step / steps)
        other = network.half(target[theirs])
        pull = Pull() if extra is None else extra(own, other)
        if pseudo is not None:
            pull = Pull(target_logits=_unlike(other, labels[theirs]))
        strength = weight * min(step / (RAMPED * steps), 1.0)
        gradients = network.gradients(x[mine], own, error, _times(strength, pull.source_hidden))
        added = network.gradients(
            target[theirs], other, _times(strength, pull.target_logits), _times(strength, pull.target_hidden)
        )
        network.step([one + more for one, more in zip(gradients, added, strict=True)])


def go_on_without_source(
    network: Network,
    target: Matrix,
    *,
    epochs: int,
    im_weight: float,
    pseudo_weight: float,
    pseudo: Callable[[Matrix, Matrix], Labels],
    generator: np.random.Generator,
) -> None:
    """SHOT: the hidden layer goes on learning on the target, the last layer is frozen."""
    steps_of_epoch = max(len(target) // BATCH, 1)
    labels: Labels = np.zeros(0, dtype=np.int64)
    for step, places in zip(range(epochs * steps_of_epoch), _places(len(target), generator), strict=False):
        if step % steps_of_epoch == 0:
            whole = network.half(target)
            labels = pseudo(whole.probabilities, whole.hidden)
        half = network.half(target[places])
        logits = im_weight * _uninformed(half) + pseudo_weight * _unlike(half, labels[places])
        network.step(network.gradients(target[places], half, logits, None), frozen_head=True)


def information(source: Half, target: Half) -> Pull:  # noqa: ARG001 - one shape for all losses
    """Of the mean entropy minus the entropy of the mean: sure and varied."""
    return Pull(target_logits=_uninformed(target))


def confusion(temperature: float) -> Extra:
    """Of MCC: how often classes are confused with each other, by the examples that are surest."""

    def extra(source: Half, target: Half) -> Pull:  # noqa: ARG001
        p = softmax(target.logits / temperature)
        examples, classes = p.shape
        sureness = 1 + np.exp(-entropies(p))
        sureness = (sureness * examples / sureness.sum())[:, None]
        of_class, itself = (sureness * p).sum(axis=0), (sureness * p**2).sum(axis=0)
        of_p = -(2 * sureness * p / of_class - itself * sureness / of_class**2) / classes
        return Pull(target_logits=_through_softmax(p, of_p) / temperature)

    return extra


def covariances(source: Half, target: Half) -> Pull:
    """Of Deep CORAL's squared distance."""
    centred = [half.hidden - half.hidden.mean(axis=0) for half in (source, target)]
    first, second = (each.T @ each / (len(each) - 1) for each in centred)
    width = len(first)
    gap = (first - second) / (2 * width**2)
    pulls = [2 * each @ gap / (len(each) - 1) for each in centred]
    return Pull(source_hidden=pulls[0], target_hidden=-pulls[1])


def domain_critic(units: int, width: int, *, rate: float, generator: np.random.Generator) -> Extra:
    """Of DANN: a critic learns which domain features are from, and the features learn the opposite."""
    critic = Network.drawn(width, units, 2, rate=rate, generator=generator)

    def extra(source: Half, target: Half) -> Pull:
        x = np.concatenate([source.hidden, target.hidden])
        domain = np.repeat([0, 1], [len(source.hidden), len(target.hidden)])
        half = critic.half(x)
        error = (half.probabilities - np.eye(2)[domain]) / len(x)
        of_features = ((error @ critic.weights[2].T) * (half.hidden > 0)) @ critic.weights[0].T
        critic.step(critic.gradients(x, half, error, None))
        return Pull(source_hidden=-of_features[: len(source.hidden)], target_hidden=-of_features[len(source.hidden) :])

    return extra


def softmax(logits: Matrix) -> Matrix:
    """(n, classes), of rows that add up to 1."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def _through_softmax(p: Matrix, of_p: Matrix) -> Matrix:
    return np.asarray(p * (of_p - (p * of_p).sum(axis=1, keepdims=True)))


def _uninformed(half: Half) -> Matrix:
    p = half.probabilities
    of_logits = -p * (np.log(np.maximum(p, 1e-12)) + entropies(p)[:, None])
    mean = np.log(np.maximum(p.mean(axis=0), 1e-12))
    return np.asarray((of_logits + _through_softmax(p, np.broadcast_to(mean, p.shape))) / len(p))


def _unlike(half: Half, labels: Labels) -> Matrix:
    """Of the mean cross-entropy with the labels that are known."""
    known = labels >= 0
    error = half.probabilities - np.eye(half.logits.shape[1])[np.maximum(labels, 0)]
    return np.asarray(error * known[:, None] / len(labels))


def _times(strength: float, gradient: Matrix | None) -> Matrix | None:
    return None if gradient is None else strength * gradient


def _places(count: int, generator: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """Batches for ever, each example once before any comes again."""
    size = min(BATCH, count)
    while True:
        order = generator.permutation(count)
        for first in range(0, count - size + 1, size):
            yield order[first : first + size]
