"""No adaptation: the model is trained on labelled examples alone. Always in the pool, as the figure to beat."""

from dataclasses import dataclass

from autotl.adaptation.method import Described, Stage


@dataclass(frozen=True)
class NoAdaptation(Described):
    """Trains on the labelled examples and does nothing else."""

    stage: Stage = "none"
    in_words: str = "no adaptation: it learnt from the labelled examples alone"
    needs_source: bool = False
