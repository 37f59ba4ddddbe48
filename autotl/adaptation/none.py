"""No adaptation: the model is trained on labelled examples alone. Always in the pool, as the figure to beat."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from autotl.adaptation.method import Stage


@dataclass(frozen=True)
class NoAdaptation:
    """Trains on the labelled examples and does nothing else."""

    stage: Stage = "none"
    defaults: Mapping[str, Any] = field(default_factory=dict)
    paper: str = ""
