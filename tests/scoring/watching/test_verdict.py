"""When it is time to search again: not where the inputs are the same, and where they are not, with the reason."""

import re

import numpy as np
import pytest
from pretend_domains_seen import CLASSES, WIDTH, portrait, seen

from autotl.scoring.watching import compare, judge
from autotl.scoring.watching.portrait import Portrait

NAMES = [f"class {number}" for number in range(CLASSES)]


@pytest.fixture(scope="module")
def known():
    return portrait()


def verdict(known, rows=300, **domain):
    features, said, _ = seen(rows, **{"seed": 2, **domain})
    return judge(compare(known, features, said), NAMES)


def codes(found):
    return {reason.code for reason in found.reasons}


@pytest.mark.parametrize("rows", [30, 300])
def test_the_same_domain_is_hardly_ever_called_another(known, rows):
    names = [verdict(known, rows, seed=seed).name for seed in range(10, 40)]
    assert names.count("search_again") == 0
    assert names.count("look") <= 1


def test_inputs_that_moved_are_told_apart_and_unlike(known):
    found = verdict(known, shift=1.0)
    assert found.name == "search_again"
    assert {"apart", "unlike"} <= codes(found)
    assert "A linear classifier tells these inputs" in found.reasons[0].sentence


def test_a_model_that_is_less_sure_has_lost_accuracy(known):
    found = verdict(known, apart=1.5)
    assert found.name == "search_again"
    (reason,) = [reason for reason in found.reasons if reason.code == "accuracy"]
    assert "Estimated accuracy fell by" in reason.sentence


def test_another_class_mix_alone_is_to_be_looked_at(known):
    found = verdict(known, shares=(0.6, 0.3, 0.1))
    assert codes(found) >= {"mix"}
    assert found.name == "look"
    (reason,) = [reason for reason in found.reasons if reason.code == "mix"]
    assert re.search(r"class 0 3\d → (5|6)\d %", reason.sentence)


def test_noise_that_no_mean_tells_of_is_unlike(known):
    assert "unlike" in codes(verdict(known, noise=3.0))


def test_what_was_estimated_is_near_the_truth_where_the_model_is_calibrated(known):
    features, said, labels = seen(2_000, seed=3, apart=1.5)
    found = compare(known, features, said)
    truth = float((said.argmax(axis=1) == labels).mean())
    assert found.accuracy - truth > 0.1
    assert found.now["estimate_doc"] == pytest.approx(truth, abs=0.05)
    assert found.fall.value == pytest.approx(found.accuracy - truth, abs=0.06)


def test_the_class_mix_is_estimated_without_a_label(known):
    shares = (0.6, 0.3, 0.1)
    features, said, _ = seen(2_000, seed=3, shares=shares)
    found = compare(known, features, said)
    assert found.mix_now == pytest.approx(shares, abs=0.03)
    assert all(low <= now <= high for low, now, high in zip(found.mix_low, found.mix_now, found.mix_high, strict=True))


def test_a_verdict_meets_what_is_no_better(known):
    found = verdict(known, shares=(0.6, 0.3, 0.1))
    assert (found.is_met("fine"), found.is_met("look"), found.is_met("search_again")) == (False, True, True)


def test_a_portrait_comes_back_from_its_arrays_and_says_the_same(known):
    again = Portrait.from_arrays(known.arrays())
    features, said, _ = seen(200, seed=5, shift=0.2)
    one, other = compare(known, features, said), compare(again, features, said)
    assert one.a_distance.value == pytest.approx(other.a_distance.value, abs=1e-4)
    assert (one.now, one.mix_now, one.unlike) == (other.now, other.mix_now, other.unlike)


def test_a_portrait_holds_no_example():
    features, _, _ = seen(400, seed=1)
    rows = {row.tobytes() for row in features}
    kept = portrait(400)
    for name, values in kept.arrays().items():
        assert name in ("mean", "deviation") or WIDTH not in values.shape[1:], name
        if values.shape == (WIDTH,):
            assert values.astype(np.float32).tobytes() not in rows
    assert all(cloud.shares.min() * cloud.examples >= 10 for cloud in (kept.whole, *kept.halves))


def test_too_few_examples_give_no_portrait():
    assert portrait(19) is None
    assert portrait(20) is not None


def test_examples_without_finite_features_are_left_out(known):
    features, said, _ = seen(200, seed=5)
    features[:3] = np.nan
    found = compare(known, features, said)
    assert (found.rows, found.left_out) == (197, 3)
    features[:] = np.inf
    with pytest.raises(ValueError, match="no example has finite features"):
        compare(known, features, said)


def test_features_of_another_width_are_refused(known):
    features, said, _ = seen(50, seed=5)
    with pytest.raises(ValueError, match="7 columns, the portrait's have 100"):
        compare(known, features[:, :7], said)


def test_one_example_can_be_compared(known):
    features, said, _ = seen(1, seed=5)
    assert judge(compare(known, features, said), NAMES).name == "fine"
