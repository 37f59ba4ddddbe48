"""A step that does nothing forwards and turns the gradient round backwards: what is under it learns the opposite."""

from typing import Any


def reverse_gradient(x: Any, factor: Any) -> Any:
    """`x` itself, bit for bit; its gradient is `-factor` times the gradient that arrives.

    Written with a custom gradient: `stop_gradient(x * (1 + factor)) - factor * x` has the same derivative, but its
    value is off by rounding (by up to 0.4 in bfloat16 at factor 10).

    Args:
        x: tensor of any shape and floating type.
        factor: scalar >= 0, a tensor where it changes over a run. Nothing is learnt about it: its gradient is 0.
    Paper: Ganin & Lempitsky, "Unsupervised Domain Adaptation by Backpropagation", ICML 2015, eq. 7 and 8
        (arXiv:1409.7495).
    """
    from keras import ops

    def identity(x: Any, factor: Any) -> Any:
        def gradient(*args: Any, upstream: Any = None) -> Any:
            # TensorFlow and JAX hand over the gradient alone, torch hands it over by name after the inputs
            if upstream is None:
                (upstream,) = args
            return -ops.cast(factor, upstream.dtype) * upstream, ops.zeros_like(factor)

        return x, gradient

    return ops.custom_gradient(identity)(ops.convert_to_tensor(x), ops.convert_to_tensor(factor, dtype="float32"))
