"""The network that tells domains apart, which adversarial methods train against the features, and its loss."""

from collections.abc import Mapping, Sequence
from typing import Any

from autotl.adaptation.method import Parameter

# `weight` is the strength of the reversal, not of the loss: the critic itself learns at the full rate from the start.
# `critic_rate` multiplies the critic's learning rate, so it is the optimizer that reads it.
CRITIC_PARAMETERS: Mapping[str, Parameter] = {
    "weight": Parameter(1.0, searched={"log": [0.03, 3.0]}),
    "hidden": Parameter(256, searched={"choice": [64, 256, 1024]}, structural=True),
    "critic_rate": Parameter(1.0, searched={"log": [1.0, 10.0]}),
}


def critic_layers(width: int, hidden: int) -> list[Any]:
    """Two dense layers with relu and one logit, built, in float32 whatever the policy of the model.

    Args:
        width: of what it reads.
        hidden: width of both hidden layers.
    """
    from keras import initializers, layers

    critic = []
    for number, (inputs, units, activation) in enumerate(
        [(width, hidden, "relu"), (hidden, hidden, "relu"), (hidden, 1, None)]
    ):
        layer = layers.Dense(
            units,
            activation=activation,
            kernel_initializer=initializers.GlorotUniform(seed=number),
            dtype="float32",
        )
        layer.build((None, inputs))
        critic.append(layer)
    return critic


def domain_logits(critic: Sequence[Any], inputs: Any) -> Any:
    """(b,) the critic's log-odds that rows (b, width) come from the source."""
    for layer in critic:
        inputs = layer(inputs)
    return inputs[:, 0]


def domain_loss(
    source_logits: Any, target_logits: Any, *, source_weights: Any = None, target_weights: Any = None
) -> Any:
    """Cross-entropy of the critic's verdicts, in which both domains count alike: log 2 for a critic that cannot tell.

    Args:
        source_logits, target_logits: (b,) each, log-odds of the source.
        source_weights, target_weights: (b,) > 0 each, what rows count within their own domain; equal without.
    Returns:
        Scalar >= 0, shape ().
    """
    from keras import ops

    # labels are made like the verdicts: inside a compiled step the number of rows has no static shape
    source_losses = _cross_entropy(ops.ones_like(source_logits), source_logits)
    target_losses = _cross_entropy(ops.zeros_like(target_logits), target_logits)
    return (_weighted_mean(source_losses, source_weights) + _weighted_mean(target_losses, target_weights)) / 2.0


def _cross_entropy(labels: Any, logits: Any) -> Any:
    """(b,), from logits: certain verdicts cost what they should and never infinity."""
    from keras import ops

    return ops.softplus(logits) - labels * logits


def _weighted_mean(losses: Any, weights: Any) -> Any:
    from keras import ops

    return ops.mean(losses) if weights is None else ops.sum(weights * losses) / ops.sum(weights)
