"""Whether a model is as often right as it says, and the one number that makes it more so."""

from typing import Any

import numpy as np

from autotl.scoring.metrics import LEAST_PROBABILITY, Labels, Probabilities, predicted_labels

BINS = 15
COLDEST, HOTTEST = 0.05, 20.0


def calibrate(labels: Labels, probabilities: Probabilities) -> dict[str, Any]:
    """Temperature and what it does on these examples; those without a label (negative) are left out.

    Returns:
        Plain JSON values: `temperature` (1 where there is no labelled example), and what `before_and_after` it is.
    """
    known = labels >= 0
    labels, probabilities = labels[known], probabilities[known]
    if not len(labels):
        return {"temperature": 1.0, "bins": []}
    temperature = fit_temperature(labels, probabilities)
    return {"temperature": temperature, **before_and_after(labels, probabilities, temperature)}


def before_and_after(labels: Labels, probabilities: Probabilities, temperature: float) -> dict[str, Any]:
    """How true probabilities are as a model says them, and divided by a temperature.

    Returns:
        Plain JSON values: `examples`, `bins_before` and `bins` (after scaling), the rule they are made by, and before
        and after scaling `error_…` (expected calibration error), `nll_…` (mean negative log likelihood, in nats) and
        `brier_…`.
    """
    scaled = with_temperature(probabilities, temperature)
    return {
        "examples": len(labels),
        "bin_rule": f"{BINS} bins of equal width; empty ones are left out",
        "bins_before": reliability_bins(labels, probabilities),
        "bins": reliability_bins(labels, scaled),
        "error_before": expected_calibration_error(labels, probabilities),
        "error_after": expected_calibration_error(labels, scaled),
        "nll_before": negative_log_likelihood(labels, probabilities),
        "nll_after": negative_log_likelihood(labels, scaled),
        "brier_before": brier_score(labels, probabilities),
        "brier_after": brier_score(labels, scaled),
    }


def fit_temperature(labels: Labels, probabilities: Probabilities) -> float:
    """What logits must be divided by for the least log loss, between 0.05 and 20; above 1 the model was too sure.

    Paper: Guo, Pleiss, Sun & Weinberger, "On calibration of modern neural networks", ICML 2017.
    """
    from scipy.optimize import minimize_scalar

    log_probabilities = _logarithm(probabilities)
    of_label = log_probabilities[np.arange(len(labels)), labels]

    def loss(log_temperature: float) -> float:
        temperature = np.exp(log_temperature)
        return float((_log_sum_exp(log_probabilities / temperature) - of_label / temperature).mean())

    found = minimize_scalar(loss, bounds=(np.log(COLDEST), np.log(HOTTEST)), method="bounded")
    return float(np.exp(found.x))


def with_temperature(probabilities: Probabilities, temperature: float) -> Probabilities:
    """The probabilities of a model whose logits are divided by the temperature, shape (n, classes)."""
    logits = _logarithm(probabilities) / temperature
    return np.asarray(np.exp(logits - _log_sum_exp(logits)[:, None]))


def expected_calibration_error(labels: Labels, probabilities: Probabilities, *, bins: int = BINS) -> float:
    """Mean distance of confidence and accuracy over bins of equal width, weighted by their examples; 0 is best."""
    filled = reliability_bins(labels, probabilities, bins=bins)
    distance = sum(each["count"] * abs(each["confidence"] - each["accuracy"]) for each in filled)
    return float(distance / max(len(labels), 1))


def reliability_bins(labels: Labels, probabilities: Probabilities, *, bins: int = BINS) -> list[dict[str, Any]]:
    """Per filled bin of confidence: mean `confidence`, `accuracy` and `count`, from unsure to sure."""
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = predicted_labels(probabilities) == labels
    place = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    return [
        {
            "confidence": float(confidence[place == index].mean()),
            "accuracy": float(right[place == index].mean()),
            "count": int((place == index).sum()),
        }
        for index in np.unique(place)
    ]


def negative_log_likelihood(labels: Labels, probabilities: Probabilities) -> float:
    """Mean of -log of the true class's probability, in nats: 0 best."""
    return float(-_logarithm(probabilities)[np.arange(len(labels)), labels].mean())


def brier_score(labels: Labels, probabilities: Probabilities) -> float:
    """Mean squared distance of the probabilities from the truth, summed over classes: 0 best, 2 worst."""
    truth = np.eye(probabilities.shape[1])[labels]
    return float(((probabilities - truth) ** 2).sum(axis=1).mean())


def _logarithm(probabilities: Probabilities) -> Probabilities:
    return np.log(np.clip(probabilities.astype(np.float64), LEAST_PROBABILITY, 1.0))


def _log_sum_exp(logits: Probabilities) -> Probabilities:
    highest = logits.max(axis=1)
    return np.asarray(highest + np.log(np.exp(logits - highest[:, None]).sum(axis=1)))
