"""CDAN: features are trained so that a critic, which knows the predicted classes, cannot tell the domains apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from autotl.adaptation.domain_critic import CRITIC_PARAMETERS, critic_layers, domain_logits, domain_loss
from autotl.adaptation.gradient_reversal import reverse_gradient
from autotl.adaptation.losses import entropies, log_probabilities
from autotl.adaptation.method import ALIGN, Described, JointBatch, Parameter, Stage, Values

WIDEST_PRODUCT = 4096  # a wider product of features and probabilities is projected at random
PROJECTED_WIDTH = 1024
CRITIC_DEPTH = 3  # the last layers of `networks`; projections come before


@dataclass(frozen=True)
class Cdan(Described):
    """Trains a critic on features times predicted probabilities, and features, by the reversed gradient, to fool it.

    With `entropy` (CDAN+E), rows of which the classifier is certain count up to twice as much as others. Probabilities
    condition the critic and are not trained by it, as in the authors' code.

    Paper: Long et al., "Conditional Adversarial Domain Adaptation", NeurIPS 2018, sections 3.1 and 3.2
    (arXiv:1705.10667).
    """

    stage: Stage = "joint"
    parameters: Mapping[str, Parameter] = field(
        default_factory=lambda: {
            **CRITIC_PARAMETERS,
            "entropy": Parameter(False, searched={"choice": [False, True]}, structural=True),
            "align": ALIGN,
        }
    )
    paper: str = (
        'Long, Cao, Wang & Jordan, "Conditional adversarial domain adaptation", NeurIPS 2018 (arXiv:1705.10667)'
    )
    in_words: str = (
        "features were trained so that a critic, told the predicted classes, could not tell the domains apart"
    )
    trains_features: bool = True

    def networks(self, width: int, classes: int, values: Values) -> Sequence[Any]:
        """The critic's three dense layers, built; before them two fixed projections where the product is too wide."""
        if width * classes <= WIDEST_PRODUCT:
            return critic_layers(width * classes, values["hidden"])
        projections = [_projection(width, seed=0), _projection(classes, seed=1)]
        return [*projections, *critic_layers(PROJECTED_WIDTH, values["hidden"])]

    def loss(self, batch: JointBatch, networks: Sequence[Any], values: Values) -> Any:
        """Scalar >= 0: the critic's cross-entropy. Ramp and weight act on what features learn from it, not on it."""
        from keras import ops

        projections, critic = networks[:-CRITIC_DEPTH], networks[-CRITIC_DEPTH:]
        strength = values["ramp"] * values["weight"]

        def verdicts(features: Any, log_p: Any) -> Any:
            features = reverse_gradient(ops.cast(features, "float32"), strength)
            return domain_logits(critic, conditioned(features, ops.exp(log_p), projections))

        source, target = (
            ops.stop_gradient(log_probabilities(logits)) for logits in (batch.source_logits, batch.target_logits)
        )
        return domain_loss(
            verdicts(batch.source_features, source),
            verdicts(batch.target_features, target),
            source_weights=certainty(source) if values["entropy"] else None,
            target_weights=certainty(target) if values["entropy"] else None,
        )


def conditioned(features: Any, probabilities: Any, projections: Sequence[Any] = ()) -> Any:
    """Products of every feature with every probability, or a random projection of them that keeps inner products.

    Args:
        features: (b, d). probabilities: (b, classes).
        projections: of features and of probabilities to one width, without bias; none for the full product.
    Returns:
        (b, classes * d), or (b, width).
    """
    from keras import ops

    if projections:
        of_features, of_probabilities = projections
        return of_features(features) * of_probabilities(probabilities) / PROJECTED_WIDTH**0.5
    products = probabilities[:, :, None] * features[:, None, :]
    return ops.reshape(products, (-1, probabilities.shape[1] * features.shape[1]))


def certainty(log_probabilities: Any) -> Any:
    """(b,) 1 + exp(-entropy) of predictions (b, classes): from 1 + 1/classes for a guess to 2 for certainty."""
    from keras import ops

    return 1.0 + ops.exp(-entropies(log_probabilities))


def _projection(width: int, *, seed: int) -> Any:
    """A fixed random matrix (width, PROJECTED_WIDTH) of entries with mean 0 and variance 1."""
    from keras import initializers, layers

    layer = layers.Dense(
        PROJECTED_WIDTH,
        use_bias=False,
        kernel_initializer=initializers.RandomNormal(stddev=1.0, seed=seed),
        trainable=False,
        dtype="float32",
    )
    layer.build((None, width))
    return layer
