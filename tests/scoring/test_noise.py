"""How much scores vary over resamples of their examples."""

import math

import numpy as np
import pytest
from pretend_models import candidate, evidence

from autotl.scoring import LABEL_FREE_SCORES
from autotl.scoring.candidates import RULE
from autotl.scoring.noise import deviations, in_draws


def test_every_score_that_tells_the_search_knows_its_noise():
    for name in RULE.searched_by:
        assert LABEL_FREE_SCORES[name].ranks
        assert LABEL_FREE_SCORES[name].of_draws is not None


def test_the_noise_of_a_score_shrinks_with_the_examples():
    few, many = (deviations(evidence(rows=rows), seed=0) for rows in (100, 10_000))
    assert set(few) == {f"{name}_deviation" for name in RULE.searched_by}
    for name in ("infomax_deviation", "mixval_deviation", "source_accuracy_deviation"):
        assert few[name] > 5 * many[name] > 0
    assert few["mixval_deviation"] == pytest.approx(math.sqrt(0.8 * 0.2 / 100), rel=0.25)


@pytest.mark.parametrize("name", RULE.searched_by)
def test_the_mean_over_resamples_is_the_score(name):
    found = in_draws(evidence(rows=2_000), name, seed=0, draws=50)
    assert found.shape == (50,)
    assert found.mean() == pytest.approx(candidate(0, rows=2_000).score(name), abs=0.05)


def test_a_score_that_cannot_be_read_has_no_draws():
    seen = {name: value for name, value in evidence().items() if name != "mixed_probabilities"}
    assert in_draws(seen, "mixval", seed=0, draws=5) is None
    assert in_draws({**evidence(), "source_labels": np.zeros(0, dtype=int)}, "source_accuracy", seed=0, draws=5) is None
    assert "mixval_deviation" not in deviations(seen, seed=0)


def test_a_score_that_is_no_number_has_no_deviation():
    said = np.full_like(evidence()["target_probabilities"], math.nan)
    assert "infomax_deviation" not in deviations({**evidence(), "target_probabilities": said}, seed=0)
