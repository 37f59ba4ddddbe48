"""How a model fares label by label, where an example may bear several."""

from collections.abc import Sequence
from typing import Any

from autotl.production.evidence.figures import Said
from autotl.scoring.calibration import before_and_after
from autotl.scoring.label_sets import as_decisions
from autotl.scoring.per_label import per_label, set_sizes, together


def sets_of(judged: Said, classes: Sequence[str], *, thresholds: Sequence[float], tuned_on: str) -> dict[str, Any]:
    """What backs a model of label sets, from answers to examples that it did not learn.

    Args:
        judged: whose labels are known.
        thresholds: from which probability on each label is said, as the model ships.
        tuned_on: the split that they are from.
    Returns:
        Plain JSON values: `split`, `examples`, `tuned_on`; `labels`, lines as `scoring.per_label` makes them;
        `together`, of how many examples each two labels are; `sizes`, how many examples bear none, one, two … labels.
    """
    assert judged.labels is not None, "asked only where labels are known"
    return {
        "split": judged.split,
        "examples": len(judged.labels),
        "tuned_on": tuned_on,
        "labels": per_label(judged.labels, judged.probabilities, classes, thresholds=thresholds, seed=0),
        "together": together(judged.labels),
        "sizes": set_sizes(judged.labels),
    }


def calibration_of_sets(judged: Said, temperature: float) -> dict[str, Any]:
    """How true the probabilities of all labels together are (`calibration.before_and_after`)."""
    assert judged.labels is not None, "asked only where labels are known"
    return before_and_after(*as_decisions(judged.labels, judged.raw), temperature)
