"""The record of estimates: how far they are from what is true, and to which side."""

import math
from dataclasses import replace

import pytest
from pretend_models import candidate, source_only

from benchmarks.selection.estimates import errors, table
from benchmarks.selection.pools import Pool, Trial


def found(*estimates, pair="a-to-b", family="image"):
    """Trials that are right in half of the examples, and what is estimated of each."""
    trials = [
        Trial(replace(candidate(place), scores={"estimate_doc": value}), "mcc", False, 0.5)
        for place, value in enumerate(estimates)
    ]
    pool = Pool(family, pair, 0, tuple(trials))
    return [(pool, trial) for trial in trials]


def test_errors_of_both_signs_add_up_and_cancel_out():
    assert errors(found(0.6, 0.3), "estimate_doc") == pytest.approx((0.15, -0.05))


def test_families_count_alike_whatever_their_size():
    two = [*found(0.6), *found(0.8, 0.8, 0.8, family="text")]
    assert errors(two, "estimate_doc") == pytest.approx((0.2, 0.2))


def test_trials_without_the_estimate_are_left_out():
    assert errors(found(0.6, math.nan), "estimate_doc") == pytest.approx((0.1, 0.1))
    assert all(math.isnan(figure) for figure in errors(found(0.6), "estimate_atc"))


def test_the_table_tells_adapted_models_from_others():
    trials = [Trial(source_only(), "none", True, 0.5), Trial(candidate(1), "mcc", False, 0.6)]
    lines = table([Pool("image", "a-to-b", 0, tuple(trials))]).splitlines()
    assert [line.split(" | ")[0] for line in lines[-3:]] == ["| ATC", "| DoC", "| COT"]
    off = 100 * (trials[0].candidate.score("estimate_doc") - 0.5)
    assert f"{abs(off):.1f}, {off:+.1f}" in lines[-2]
