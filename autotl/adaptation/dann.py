"""DANN: features are trained so that a critic cannot tell the domains apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from autotl.adaptation.domain_critic import CRITIC_PARAMETERS, critic_layers, domain_logits, domain_loss
from autotl.adaptation.gradient_reversal import reverse_gradient
from autotl.adaptation.method import ALIGN, Described, JointBatch, Parameter, Stage, Values


@dataclass(frozen=True)
class Dann(Described):
    """Trains a critic to name a row's domain from its features, and the features, by the reversed gradient, to fool it.

    Paper: Ganin et al., "Domain-Adversarial Training of Neural Networks", JMLR 2016, section 4.2 (arXiv:1505.07818).
    """

    stage: Stage = "joint"
    parameters: Mapping[str, Parameter] = field(default_factory=lambda: {**CRITIC_PARAMETERS, "align": ALIGN})
    paper: str = 'Ganin et al., "Domain-adversarial training of neural networks", JMLR 2016 (arXiv:1505.07818)'
    in_words: str = "features were trained so that a critic could not tell the domains apart"
    trains_features: bool = True

    def networks(self, width: int, classes: int, values: Values) -> Sequence[Any]:  # noqa: ARG002
        """The critic's three dense layers, built."""
        return critic_layers(width, values["hidden"])

    def loss(self, batch: JointBatch, networks: Sequence[Any], values: Values) -> Any:
        """Scalar >= 0: the critic's cross-entropy. Ramp and weight act on what features learn from it, not on it."""
        from keras import ops

        strength = values["ramp"] * values["weight"]
        source, target = (
            domain_logits(networks, reverse_gradient(ops.cast(features, "float32"), strength))
            for features in (batch.source_features, batch.target_features)
        )
        return domain_loss(source, target)
