"""What every adaptation method tells about itself."""

from collections.abc import Mapping
from typing import Any, Literal, Protocol

Stage = Literal["none", "transform", "weights", "joint", "post"]


class Method(Protocol):
    """A way to use unlabelled target examples (and labelled source ones) besides the plain loss."""

    @property
    def stage(self) -> Stage:
        """When it acts: on features before training, on example weights, in the loss, or after training."""
        ...

    @property
    def defaults(self) -> Mapping[str, Any]:
        """Its parameters with sane values; the keys are the names that a search space may range over."""
        ...

    @property
    def paper(self) -> str:
        """Where it was published; empty for none."""
        ...
