"""Minimum class confusion: target examples may not be torn between two classes."""

# ruff: noqa: ARG002  a loss need not use everything it is offered

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from autotl.adaptation.losses import entropies, log_probabilities
from autotl.adaptation.method import ALIGN, Described, JointBatch, Parameter, Stage, Values


@dataclass(frozen=True)
class Mcc(Described):
    """Lowers how often two classes are predicted together, averaged over classes, on target batches.

    Every class weighs alike, however rare: a class that a batch never predicts costs as much as one that is always
    confused, which is what keeps this loss from naming one class for everything.
    """

    stage: Stage = "joint"
    parameters: Mapping[str, Parameter] = field(
        default_factory=lambda: {
            "weight": Parameter(1.0, searched={"log": [0.1, 3.0]}),
            "temperature": Parameter(2.5, searched={"linear": [1.0, 4.0]}),
            "align": ALIGN,
        }
    )
    paper: str = (
        'Jin, Wang, Long & Wang, "Minimum class confusion for versatile domain adaptation", ECCV 2020 '
        "(arXiv:1912.03699)"
    )
    in_words: str = "it learnt not to waver between two classes on target examples"
    # It is 0 exactly where predictions are certain and name every class: there all three scores are at their best.
    optimises: frozenset[str] = frozenset({"entropy", "infomax", "bnm"})

    def networks(self, width: int, classes: int, values: Values) -> Sequence[Any]:
        """None: only the model learns."""
        return ()

    def loss(self, batch: JointBatch, networks: Sequence[Any], values: Values) -> Any:
        """Confusion of the classes in the target half times `weight` and `ramp`; the paper has no ramp."""
        return values["ramp"] * values["weight"] * class_confusion(batch.target_logits, values["temperature"])


def class_confusion(logits: Any, temperature: Any) -> Any:
    """Mean over classes of the share of a class's predictions that goes to other classes.

    With probabilities p of the softened logits and example weights w = 1 + exp(-entropy), whose gradient is not
    followed, the paper's matrix is C[j, k] = sum_i w_i p_ij p_ik, divided by its row sums; the loss is the sum of what
    stands off the diagonal, divided by the number of classes.

    Args:
        logits: (b, classes).
        temperature: above 0; the logits are divided by it.
    Returns:
        Scalar, 0 to 1 - 1/classes.
    Paper: section 3 of Jin et al.
    """
    from keras import ops

    log_p = log_probabilities(ops.cast(logits, "float32") / temperature)
    weights = ops.stop_gradient(1.0 + ops.exp(-entropies(log_p)))
    # The row sums are sum_i w_i p_ij, because the probabilities of an example add up to 1. So the diagonal after the
    # division is a mean of p_ij with weights w_i p_ij: a softmax over the batch, which is defined even for a class
    # whose probabilities are all 0 in float32, where the matrix would be 0 / 0. The paper's scaling of w cancels out.
    log_weighted = ops.log(ops.expand_dims(weights, 1)) + log_p
    shares = ops.exp(log_weighted - ops.logsumexp(log_weighted, axis=0, keepdims=True))
    return 1.0 - ops.mean(ops.sum(shares * ops.exp(log_p), axis=0))
