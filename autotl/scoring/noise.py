"""How much label-free scores vary over resamples of the examples that they were computed from."""

import numpy as np

from autotl.scoring import LABEL_FREE_SCORES
from autotl.scoring.candidates import RULE
from autotl.scoring.label_free import Evidence, derivable
from autotl.scoring.metrics import Values
from autotl.scoring.resampling import Units

DEVIATION = "_deviation"  # behind a score's name: how much it varies over resamples of its examples


def deviations(evidence: Evidence, *, seed: int) -> dict[str, float]:
    """How much each score that tells the search varies over resamples of the examples, by its name and `_deviation`."""
    known = derivable(evidence)
    found = {name: in_draws(known, name, seed=seed, draws=RULE.draws) for name in RULE.searched_by}
    return {
        f"{name}{DEVIATION}": float(np.std(values))
        for name, values in found.items()
        if values is not None and np.isfinite(values).all()
    }


def in_draws(evidence: Evidence, name: str, *, seed: int, draws: int) -> Values | None:
    """A score in resamples of its examples, shape (draws,); None where it has none or is not known."""
    score = LABEL_FREE_SCORES[name]
    if score.of_draws is None or not score.is_readable(evidence):
        return None
    examples = len(evidence["source_labels" if score.reads_source else "target_probabilities"])
    if not examples:
        return None
    strata = evidence["source_labels"] if score.reads_source else np.zeros(examples, dtype=np.int64)
    of_draws = score.of_draws(*score.readings(evidence))
    blocks = [of_draws(weights) for weights in Units.of(strata, None).bootstrap(seed=seed, draws=draws)]
    return np.concatenate(blocks)
