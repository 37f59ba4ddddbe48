"""What can be done with a model's answers, whatever an answer is: `ANSWERS` is keyed by a problem's name.

Answers are (n, columns): probabilities of classes or labels, or one column of numbers.
"""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from autotl.data.examples import is_known
from autotl.scoring.calibration import calibrate, with_temperature
from autotl.scoring.conformal import half_widths
from autotl.scoring.label_sets import as_decisions
from autotl.scoring.label_thresholds import EVEN_ODDS, tuned
from autotl.scoring.metrics import METRICS, Labels, Probabilities, predicted_labels

Said = NDArray[np.float32]
LEAST_SPREAD = 1e-3  # of numbers, in their own size


class Answers(Protocol):
    """Answers to one problem."""

    @property
    def same(self) -> str:
        """What `agreement` counts, as in 'agrees on 97 % of …' : completes 'its answers …'."""
        ...

    @property
    def output(self) -> str:
        """What the tensor of answers is called in a model that is exported."""
        ...

    @property
    def apart(self) -> str:
        """What `differences` tells: completes 'they differ by up to 0.1 …'."""
        ...

    @property
    def figure(self) -> str:
        """The metric that `figure_of` tells."""
        ...

    def stored(self, said: NDArray[Any]) -> NDArray[Any]:
        """Answers as a run keeps them."""
        ...

    def restored(self, stored: NDArray[Any]) -> Said:
        """What `stored` gave, to compute with."""
        ...

    def agreement(self, first: NDArray[Any], second: NDArray[Any]) -> float:
        """How far two models say the same of the same inputs: 1 where they always do."""
        ...

    def agreeing(self, share: float) -> str:
        """An `agreement`, in words."""
        ...

    def differences(self, first: Said, second: Said) -> NDArray[np.float64]:
        """How far apart what two models say of each input is (n,), in units of which 1e-4 is next to nothing; 1 where
        one says no number.
        """
        ...

    def figure_of(self, labels: Labels, said: Said) -> tuple[float, int] | None:
        """One figure of answers whose labels are known, for people who compare two models, and how many these are; None
        where none is.
        """
        ...

    def calibration(self, labels: Labels, said: Probabilities) -> dict[str, Any]:
        """What makes answers truer, or tells how true they are, from answers to examples that were not learnt.

        Returns:
            Plain JSON values with `temperature`, 1 where there is nothing to scale.
        """
        ...

    def shipped(self, said: Said, temperature: float) -> NDArray[np.floating]:
        """Answers as they ship."""
        ...

    def confusion(self, labels: Labels, said: Said, classes: int) -> list[list[int]] | None:
        """Counts, a row per true class and a column per predicted one; labels outside the classes are left out. None
        where an answer is no class."""
        ...


class _Told:
    figure: str

    def figure_of(self, labels: Labels, said: Said) -> tuple[float, int] | None:
        known = is_known(labels)
        return (METRICS[self.figure](labels[known], said[known]), int(known.sum())) if known.any() else None


class _OfProbabilities(_Told):
    output = "probabilities"
    apart = "of a probability"

    def agreeing(self, share: float) -> str:
        return f"{share:.1%} of the labels agree"

    def differences(self, first: Said, second: Said) -> NDArray[np.float64]:
        return _finite(np.abs(first.astype(np.float64) - second).max(axis=1))


class _OfClasses(_OfProbabilities):
    same = "the same class"
    figure = "accuracy"

    def stored(self, said: NDArray[Any]) -> NDArray[Any]:
        return said.astype(np.float16)

    def restored(self, stored: NDArray[Any]) -> Said:
        wide = stored.astype(np.float32)
        return np.asarray(wide / np.maximum(wide.sum(axis=-1, keepdims=True), 1e-7), dtype=np.float32)

    def agreement(self, first: NDArray[Any], second: NDArray[Any]) -> float:
        return float(np.mean(predicted_labels(first) == predicted_labels(second)))

    def calibration(self, labels: Labels, said: Probabilities) -> dict[str, Any]:
        return calibrate(labels, said)

    def shipped(self, said: Said, temperature: float) -> NDArray[np.floating]:
        return with_temperature(said, temperature) if len(said) else said

    def confusion(self, labels: Labels, said: Said, classes: int) -> list[list[int]] | None:
        known = labels >= 0
        cells = labels[known] * classes + said[known].argmax(axis=1)
        found: list[list[int]] = np.bincount(cells, minlength=classes * classes).reshape(classes, classes).tolist()
        return found


class _OfSets(_OfProbabilities):
    same = "the same labels"
    figure = "average_precision"

    def stored(self, said: NDArray[Any]) -> NDArray[Any]:
        return said.astype(np.float16)

    def restored(self, stored: NDArray[Any]) -> Said:
        return stored.astype(np.float32)

    def agreement(self, first: NDArray[Any], second: NDArray[Any]) -> float:
        return float(np.mean(((first >= EVEN_ODDS) == (second >= EVEN_ODDS)).all(axis=1)))

    def calibration(self, labels: Labels, said: Probabilities) -> dict[str, Any]:
        """One temperature for all labels, and `thresholds`, from which probability on each is said."""
        known = (labels >= 0).all(axis=1)
        labels, said = labels[known], said[known]
        found = calibrate(*as_decisions(labels, said))
        thresholds = tuned(labels, self.shipped(said, found["temperature"]))
        return {**found, "examples": len(labels), "thresholds": thresholds}

    def shipped(self, said: Said, temperature: float) -> NDArray[np.floating]:
        if not len(said):
            return said
        _, decisions = as_decisions(np.zeros(said.shape, dtype=np.int64), said)
        return with_temperature(decisions, temperature)[:, 1].reshape(said.shape)

    def confusion(self, labels: Labels, said: Said, classes: int) -> list[list[int]] | None:  # noqa: ARG002
        return None


class _Numbers(_Told):
    same = "the same number, nearly (by Lin's concordance)"
    output = "number"
    apart = "of the numbers' spread"
    figure = "rmse"

    def agreeing(self, share: float) -> str:
        return f"the numbers agree to {share:.3%} (Lin's concordance)"

    def differences(self, first: Said, second: Said) -> NDArray[np.float64]:
        """In standard deviations of the first; of numbers that hardly vary, in thousandths of their size, beyond which
        float32 tells little.
        """
        one, other = first[:, 0].astype(np.float64), second[:, 0].astype(np.float64)
        spread = max(float(one.std()), LEAST_SPREAD * float(np.abs(one).max(initial=0.0)), np.finfo(np.float32).tiny)
        return _finite(np.abs(one - other) / spread)

    def stored(self, said: NDArray[Any]) -> NDArray[Any]:
        return said.astype(np.float32)  # of any size: float16 would end at 65,504

    def restored(self, stored: NDArray[Any]) -> Said:
        return stored.astype(np.float32)

    def agreement(self, first: NDArray[Any], second: NDArray[Any]) -> float:
        """Paper: Lin, "A concordance correlation coefficient to evaluate reproducibility", Biometrics 1989."""
        one, other = first[:, 0].astype(np.float64), second[:, 0].astype(np.float64)
        apart = one.var() + other.var() + (one.mean() - other.mean()) ** 2
        if apart == 0.0:
            return 1.0
        return float(2.0 * np.mean((one - one.mean()) * (other - other.mean())) / apart)

    def calibration(self, labels: Labels, said: Probabilities) -> dict[str, Any]:
        return {"temperature": 1.0, "bins": [], **half_widths(labels, said)}

    def shipped(self, said: Said, temperature: float) -> NDArray[np.floating]:  # noqa: ARG002 - one interface
        return said

    def confusion(self, labels: Labels, said: Said, classes: int) -> list[list[int]] | None:  # noqa: ARG002
        return None


def _finite(differences: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(np.isfinite(differences), differences, 1.0)


ANSWERS: Mapping[str, Answers] = {
    "classification": _OfClasses(),
    "multilabel": _OfSets(),
    "regression": _Numbers(),
}
