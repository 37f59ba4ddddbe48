"""The comparison of a few labels with the committee: the same draws for every rule, and no label in its verdict."""

from dataclasses import replace

import numpy as np
import pytest
from pretend_models import candidate, source_only

from autotl.scoring.few_labels import FEW_LABELS
from benchmarks.selection.few_labels import COMMITTEE_ALONE, LABELS_ALONE, SHIPPED, Judged, mean_regret, regrets
from benchmarks.selection.pools import Pool, load, save, trial_of

ROWS = 400
HIDDEN = np.arange(ROWS) % 4


def a_pool(hidden=HIDDEN):
    """Source-only, a model that is always right and two that never are, on which the committee agrees."""
    wrong = (HIDDEN + 1) % 4
    models = [
        source_only(0, said=np.where(np.arange(ROWS) < ROWS // 2, HIDDEN, wrong), apart=0.0),
        candidate(1, said=HIDDEN, sureness=0.5, clear=0.7),
        candidate(2, said=wrong, sureness=0.95, clear=0.99),
        candidate(3, said=wrong, sureness=0.95, clear=0.99),
    ]
    accuracies = (0.5, 1.0, 0.0, 0.0)
    trials = tuple(
        trial_of(one, method="none", accuracy=accuracy) for one, accuracy in zip(models, accuracies, strict=True)
    )
    return Pool("image", "a-to-b", 0, trials, hidden_labels=hidden)


def test_labels_correct_a_committee_that_is_wrong():
    judged = Judged.of(a_pool())
    assert judged.verdict.pick == 2
    held_out = judged.drawn(20, np.random.default_rng(0))
    assert held_out.count == 80
    assert judged.by_labels(held_out) == 1
    assert judged.by_both(held_out, FEW_LABELS) == 1
    assert judged.by_both(held_out, replace(FEW_LABELS, strength=1e6)) == 2


def test_every_rule_has_a_regret_for_each_draw():
    found = regrets([Judged.of(a_pool())], per_class=5, draws=3)
    assert {len(values) for values in found.values()} == {3}
    assert found[LABELS_ALONE].tolist() == [0.0] * 3
    assert found[COMMITTEE_ALONE].tolist() == [1.0] * 3
    assert found[SHIPPED].shape == (3,)


def test_hidden_labels_play_no_part_in_the_verdict():
    one, other = Judged.of(a_pool()), Judged.of(a_pool(np.roll(HIDDEN, 1)))
    assert one.verdict == other.verdict
    assert one.shares.tolist() == other.shares.tolist()


def test_a_rare_class_gives_what_it_has():
    hidden = np.where(np.arange(ROWS) < 2, 3, np.arange(ROWS) % 3)
    held_out = Judged.of(a_pool(hidden)).drawn(20, np.random.default_rng(0))
    assert held_out.count == 62


def test_hidden_labels_are_saved_with_their_pool(tmp_path):
    without = replace(a_pool(), hidden_labels=None)
    save([a_pool(), without], tmp_path / "pools.npz")
    kept, none = load(tmp_path / "pools.npz")
    assert kept.hidden_labels.tolist() == HIDDEN.tolist()
    assert none.hidden_labels is None


def test_families_count_the_same_whatever_their_size():
    values = np.array([0.1, 0.1, 0.1, 0.5])
    families, pairs = ["a", "a", "a", "b"], ["x", "x", "y", "z"]
    assert mean_regret(values, families, pairs, ["a", "b"]) == pytest.approx(0.3)
    assert mean_regret(values, families, pairs, ["a"]) == pytest.approx(0.1)
