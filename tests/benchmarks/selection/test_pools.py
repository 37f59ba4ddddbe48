"""Pools come back from their file as they were, and rules see them as the committee does."""

from dataclasses import replace

import numpy as np
import pytest
from pretend_models import ROWS, candidate, source_only

from autotl.scoring.committee import judge
from benchmarks.selection.pools import Pool, is_finished, load, save, trial_of
from benchmarks.selection.rules import PUBLISHED, ByCommittee, first_unadapted


def pool():
    """Source-only, a good model, a sure one that forgot the source, and one that source accuracy prefers."""
    candidates = [
        source_only(sureness=0.4, clear=0.6),
        candidate(1, sureness=0.9, clear=0.95, wrong=0.1, optimises=["infomax"], cost=3.0),
        candidate(2, sureness=1.0, clear=0.5, source=0.3),
        candidate(3, sureness=0.3, clear=0.5, source=0.95, wrong=0.25),
    ]
    methods, accuracies = ("none", "mcc", "shot", "none"), (0.6, 0.8, 0.3, 0.5)
    trials = [
        trial_of(one, method=method, accuracy=accuracy)
        for one, method, accuracy in zip(candidates, methods, accuracies, strict=True)
    ]
    return Pool("image", "a-to-b", 0, tuple(trials))


@pytest.fixture
def kept(tmp_path):
    save([pool(), replace(pool(), pair="b-to-a")], tmp_path / "pools.npz")
    return load(tmp_path / "pools.npz")


def test_pools_come_back_as_they_were(kept):
    before, after = pool(), kept[1]
    assert (after.family, after.pair, after.seed) == ("image", "b-to-a", 0)
    for one, other in zip(before.trials, after.trials, strict=True):
        assert (one.method, one.is_baseline, one.accuracy) == (other.method, other.is_baseline, other.accuracy)
        assert one.candidate.scores == other.candidate.scores
        assert one.candidate.optimises == other.candidate.optimises
        assert one.candidate.cost == other.candidate.cost
        for name, values in one.candidate.evidence.items():
            np.testing.assert_allclose(other.candidate.evidence[name], values, atol=1e-3)
        assert (one.nearest is None) == (other.nearest is None) == (one.method != "none")
        if one.nearest is not None:
            np.testing.assert_array_equal(one.nearest, other.nearest)
    assert after.reference.number == 0


def test_the_committee_says_the_same_of_pools_that_were_kept(kept):
    verdict = judge([trial.candidate for trial in pool().trials], seed=0)
    assert verdict.pick == 1
    assert ByCommittee()(kept[0]).place == 1


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("always source-only", 0),
        ("source accuracy", 3),
        ("InfoMax", 2),
        ("MixVal", 1),
        ("entropy", 2),
        ("IWCV", 3),
        ("DEV", 3),
        ("source accuracy within 10 points, then entropy", 1),
        ("mean rank of source accuracy, entropy, MixVal", 1),
    ],
)
def test_published_rules_pick_by_their_scores(name, place):
    assert PUBLISHED[name](pool()).place == place


@pytest.mark.parametrize("name", ["reverse validation", "SND", "Transfer Score", "EnsV"])
def test_every_published_score_orders_the_trials(name):
    choice = PUBLISHED[name](pool())
    assert choice.values is not None
    assert np.isfinite(choice.values).all()


def test_agreement_is_with_the_trials_at_hand():
    odd = candidate(4, sureness=0.9, said=np.zeros(ROWS, dtype=int))
    right = [trial_of(candidate(n), method="mcc", accuracy=1.0) for n in range(3)]
    trials = [*right, trial_of(odd, method="shot", accuracy=0.2)]
    choice = PUBLISHED["EnsV"](replace(pool(), trials=tuple(trials)))
    assert choice.values.tolist() == [1.0, 1.0, 1.0, 0.25]
    alone = PUBLISHED["EnsV"](replace(pool(), trials=(trials[-1],)))
    assert alone.values.tolist() == [1.0]


def test_a_gate_puts_those_behind_it_last():
    choice = PUBLISHED["source accuracy within 10 points, then MixVal"](pool())
    assert choice.values is not None
    assert np.isneginf(choice.values).tolist() == [False, False, True, False]


def test_source_only_can_be_the_first_trial_without_adaptation():
    later = pool().of([3, 1, 0])
    assert first_unadapted(later).number == 0
    assert first_unadapted(later.of([0, 1])).number == 3
    assert ByCommittee(reference=first_unadapted)(later).place == 1


@pytest.mark.parametrize(("guards", "finished"), [({}, False), ({"finite": "passed"}, True)])
def test_a_search_is_finished_once_the_committee_has_spoken(guards, finished):
    assert is_finished([{"guards": {}}, {"guards": guards}]) is finished
