"""Importance weighting: source examples count by how much they look like the target's."""

# ruff: noqa: ARG002  a method need not use everything it is offered

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from autotl.adaptation.method import Described, Features, Parameter, Stage, Values
from autotl.adaptation.statistics import Columns, Exact, principal_axes

COMPONENTS = 50


@dataclass(frozen=True)
class Importance(Described):
    """Weighs source examples by the density ratio target/source that a domain classifier tells.

    It helps where the domains share their labelling and their supports overlap (covariate shift). Parameters:
    `classifier_c`, scikit-learn's inverse penalty; `clip_quantile`, above which weights are cut; `exponent`, 1 for the
    ratio itself and 0 for equal weights: in between a little bias buys much variance.
    """

    stage: Stage = "weights"
    parameters: Mapping[str, Parameter] = field(
        default_factory=lambda: {
            "classifier_c": Parameter(0.01, searched={"log": [1e-3, 1.0]}),
            "clip_quantile": Parameter(0.99, searched={"linear": [0.9, 0.999]}),
            "exponent": Parameter(0.5, searched={"linear": [0.0, 1.0]}),
        }
    )
    paper: str = (
        'Bickel, Brückner & Scheffer, "Discriminative learning under covariate shift", JMLR 2009; exponent: '
        'Shimodaira, "Improving predictive inference under covariate shift", J. Statistical Planning and Inference 2000'
    )
    in_words: str = "source examples counted by how much they look like the target's"

    def weigh(self, source: Features, target: Features, values: Values, *, seed: int) -> NDArray[np.float32]:
        """(n,) weights of the source examples (n, d) for a target (m, d): above 0, finite, of mean 1.

        Nothing is drawn: any seed gives the same weights.
        """
        log_ratio = log_density_ratio(source, target, classifier_c=values["classifier_c"])
        log_ratio = np.minimum(log_ratio, np.quantile(log_ratio, values["clip_quantile"]))
        # Largest weight 1 before the division by the mean: neither overflow nor a mean of 0.
        weights = np.exp(values["exponent"] * (log_ratio - log_ratio.max()))
        return np.maximum(weights / weights.mean(), np.finfo(np.float32).tiny).astype(np.float32)


def log_density_ratio(source: Features, target: Features, *, classifier_c: float) -> Exact:
    """(n,) log of target density by source density at the source's examples, by a logistic domain classifier.

    Both domains are standardised together and reduced to at most 50 whitened principal components, fitted on both, so
    that the penalty weighs every direction alike.

    Args:
        source, target: (n, d) and (m, d); domains weigh alike, whatever their sizes.
        classifier_c: scikit-learn's inverse penalty, above 0.
    """
    from sklearn.linear_model import LogisticRegression

    both = np.concatenate([source, target])
    standardized = Columns.of(both).standardized(both)
    components = standardized @ principal_axes(standardized, COMPONENTS)
    if not components.shape[1]:
        return np.zeros(len(source))
    components /= components.std(axis=0)
    is_target = np.arange(len(both)) >= len(source)
    classifier = LogisticRegression(C=classifier_c, class_weight="balanced", max_iter=1000)
    return np.asarray(classifier.fit(components, is_target).decision_function(components[: len(source)]))
