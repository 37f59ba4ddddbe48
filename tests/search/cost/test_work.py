"""What a plan asks for is told from its structure: more layers, pixels and epochs are more work."""

from dataclasses import replace

import pytest
from pretend_search import EXAMPLES

from autotl.backbones import BackboneSpec
from autotl.plan import Choice, Plan
from autotl.search.cost import work_of

PLAN = Plan(BackboneSpec("package", "efficientnet_lite0"), image_size=128, epochs=10, batch_size=32)


def test_a_head_starts_from_stored_activations_and_trains_no_layer_below():
    work = work_of(PLAN, EXAMPLES)
    assert work.kind == "shared_head"
    assert work.steps == 25 * 10
    assert work.trained_gflop < 1
    assert work.to_compute(frozenset()) == (1_000, pytest.approx(1_000 * 0.26, rel=0.3))
    assert work.to_compute(frozenset(work.sets)) == (0, 0)


@pytest.mark.parametrize(
    ("more", "part"),
    [
        ({"unfrozen_layers": 24}, "trained_gflop"),
        ({"unfrozen_layers": "all"}, "trained_gflop"),
        ({"unfrozen_layers": 12, "image_size": 224}, "trained_gflop"),
        ({"unfrozen_layers": 12, "epochs": 20}, "steps"),
        ({"unfrozen_layers": 12, "adaptation": Choice("mcc", {"weight": 1.0, "align": "none"})}, "trained_gflop"),
    ],
)
def test_more_of_anything_is_more_work(more, part):
    base = replace(PLAN, unfrozen_layers=12)
    assert getattr(work_of(replace(base, **more), EXAMPLES), part) > getattr(work_of(base, EXAMPLES), part)


def test_plans_with_other_cuts_share_one_pass_and_random_views_are_passes_of_their_own():
    frozen, unfrozen = work_of(PLAN, EXAMPLES), work_of(replace(PLAN, unfrozen_layers=12), EXAMPLES)
    assert set(frozen.sets) == set(unfrozen.sets)
    viewed = work_of(replace(PLAN, views=2), EXAMPLES)
    assert len(viewed.sets) == 3
    assert viewed.to_compute(frozenset(frozen.sets))[0] == 2_000
    assert not work_of(replace(PLAN, unfrozen_layers="all"), EXAMPLES).sets, "it starts from the examples"


def test_other_data_share_nothing():
    assert set(work_of(PLAN, EXAMPLES).sets).isdisjoint(work_of(PLAN, replace(EXAMPLES, digest="d2")).sets)


def test_folds_and_few_rows_are_counted():
    folds = replace(EXAMPLES, trained={False: 64, True: 64}, folds={False: 5, True: 3})
    assert work_of(PLAN, folds).steps == 2 * 10 * 5 * 10, "two batches are passed over ten times in each fold's epoch"
    assert work_of(replace(PLAN, unfrozen_layers=4), folds).steps == 2 * 3 * 10


def test_a_classical_model_has_its_own_kind():
    work = work_of(Plan(BackboneSpec("classical", "boosted_trees"), image_size=None), EXAMPLES)
    assert (work.kind, work.rows, work.sets) == ("boosted_trees", 800, {})


def test_a_network_that_no_table_knows_costs_what_its_trials_told():
    unknown = replace(PLAN, backbone=BackboneSpec("saved", "/models/mine.keras"))
    told = work_of(unknown, EXAMPLES, flops={unknown.backbone: 2e9})
    assert told.to_compute(frozenset())[1] == pytest.approx(2_000)
    assert "mine" not in "".join(told.sets), "a key is kept in the user's home"


def test_a_network_of_rows_is_taken_for_a_small_one():
    plan = Plan(BackboneSpec("saved", "/models/mine.h5"), image_size=None, crop=None, augmentation=None, epochs=4)
    images = Plan(BackboneSpec("saved", "/models/mine.h5"), epochs=4)
    of_rows, of_images = (work_of(each, EXAMPLES).to_compute(frozenset())[1] for each in (plan, images))
    assert of_rows < 0.01 * of_images


def test_what_is_learnt_together_reads_the_other_tasks_examples_as_well():
    """Their features are passes of their own, which other plans of the kind share."""
    company = replace(EXAMPLES, beside=800)
    alone, together = (work_of(replace(PLAN, unfrozen_layers=12, together=way), company) for way in (None, "uniform"))
    assert alone == work_of(replace(PLAN, unfrozen_layers=12), EXAMPLES)
    assert (alone.steps, together.steps) == (25 * 10, 50 * 10)
    assert together.scored_rows == alone.scored_rows
    assert together.to_compute(frozenset(alone.sets))[0] == 800
    assert together.sets == work_of(replace(PLAN, unfrozen_layers=12, together="uncertainty"), company).sets
