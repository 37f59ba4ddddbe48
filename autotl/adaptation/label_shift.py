"""Label-shift correction: the model's bias is moved to the target's class shares, estimated without its labels."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autotl.adaptation.method import Described, Parameter, Probabilities, Stage, Values
from autotl.adaptation.statistics import Exact

LEAST_SHARE = 1e-3
"""Of an even share 1/classes: no class is believed to be rarer."""
ROUNDS, CHANGE = 1000, 1e-6


@dataclass(frozen=True)
class LabelShift(Described):
    """Adds the log of target share by source share to each class's logit, times `strength`.

    Right where classes look alike in both domains and only their shares differ, and the probabilities are calibrated on
    the source; biased where the features shift too.
    """

    stage: Stage = "post"
    parameters: Mapping[str, Parameter] = field(
        default_factory=lambda: {"strength": Parameter(1.0, searched={"linear": [0.0, 1.0]})}
    )
    paper: str = (
        'Saerens, Latinne & Decaestecker, "Adjusting the outputs of a classifier to new a priori probabilities", '
        'Neural Computation 2002; Alexandari, Kundaje & Shrikumar, "Maximum likelihood with bias-corrected calibration '
        'is hard-to-beat at label shift adaptation", ICML 2020 (arXiv:1901.06852)'
    )
    in_words: str = "its predictions were corrected for classes that are rarer or more frequent in the target"
    needs_source: bool = False

    def prior_shift(self, target: Probabilities, source_prior: Exact, values: Values) -> NDArray[np.float32]:
        """(classes,) to be added to the logits; within ±`strength` log(1000 classes), all 0 without target examples.

        Args:
            target: (m, classes), calibrated probabilities of target examples.
            source_prior: (classes,), at least 0; shares of the classes in what the model was trained on.
        """
        # One pretended example a class, spread as in the source, so that few examples move little.
        found = maximum_likelihood_prior(target, source_prior, pretended=len(source_prior))
        shift = np.log(_floored(found) / _floored(source_prior))
        return (values["strength"] * shift).astype(np.float32)


def maximum_likelihood_prior(target: Probabilities, source_prior: Exact, *, pretended: float = 0.0) -> Exact:
    """Class shares of the target under which its inputs are likeliest (MLLS), by expectation maximisation.

    Args:
        target: (m, classes), calibrated probabilities of a model trained under `source_prior`.
        source_prior: (classes,), at least 0.
        pretended: number of examples spread as in the source that are added to the target (a Dirichlet prior).
    Returns:
        (classes,) shares, adding up to 1; the source's where there is no target example.
    """
    source = _floored(source_prior)
    likelihoods = target.astype(np.float64) / source
    shares, examples = source, len(target) + pretended
    for _ in range(ROUNDS if examples else 0):
        evidence = np.maximum(likelihoods @ shares, np.finfo(np.float64).tiny)
        before, shares = shares, (shares * (likelihoods.T @ (1 / evidence)) + pretended * source) / examples
        shares = shares / shares.sum()
        if np.abs(shares - before).sum() < CHANGE:
            break
    return shares


def black_box_shift(confusion: NDArray[Any], predicted: NDArray[Any], *, ridge: float = 1e-3) -> Exact:
    """Class shares of the target by how often each class is predicted there (BBSE).

    Solves sum_i w_i C[i, j] = predicted[j] for the weights w = target share / source share, in the least squares sense
    with a penalty on |w - 1|², and clips them at 0. Needs no calibration, only a confusion matrix that can be inverted.

    Args:
        confusion: (classes, classes) counts or shares on labelled source examples, a row per true class.
        predicted: (classes,) counts or shares of the classes predicted on target examples.
        ridge: penalty, relative to the mean squared row of the matrix of shares; 0 for plain least squares.
    Returns:
        (classes,) shares, adding up to 1; the source's where all weights are clipped.
    Paper: Lipton, Wang & Smola, "Detecting and correcting for label shift with black box predictors", ICML 2018
        (arXiv:1802.03916).
    """
    joint = np.asarray(confusion, dtype=np.float64) / np.sum(confusion)
    seen = np.asarray(predicted, dtype=np.float64) / np.sum(predicted)
    source = joint.sum(axis=1)
    gram = joint @ joint.T
    penalty = ridge * np.trace(gram) / len(gram) * np.eye(len(gram))
    # The least norm where the matrix cannot be inverted: classes that nothing is known about keep their share.
    change = np.linalg.lstsq(gram + penalty, joint @ (seen - joint.sum(axis=0)), rcond=None)[0]
    shares = np.maximum(1 + change, 0.0) * source
    total = float(shares.sum())
    return shares / total if total > 0 else source


def _floored(shares: Exact) -> Exact:
    """Shares that add up to 1, none below about LEAST_SHARE / classes; equal ones where all are 0."""
    exact = np.asarray(shares, dtype=np.float64)
    total = float(exact.sum())
    floored = np.maximum(exact / total if total > 0 else np.full(len(exact), 1 / len(exact)), LEAST_SHARE / len(exact))
    return floored / floored.sum()
