"""What fits beside what is learnt from what trials were measured to hold."""

from dataclasses import replace

import pytest

from autotl.backbones import BackboneSpec
from autotl.plan import Plan
from autotl.search.packing import GPU_CONTEXT_MB, MOST_ON_A_GPU, ROOM, SMALLEST_BATCH, MemoryLimits, Packing

PLAN = Plan(BackboneSpec(origin="scratch", name="small_cnn"), unfrozen_layers=12, batch_size=64, image_size=128)
OTHER = Plan(BackboneSpec(origin="application", name="VGG16"), batch_size=64)


class TestMemoryLimits:
    def test_a_plan_that_did_not_fit_is_tried_at_half_the_batch(self):
        assert MemoryLimits().learn(PLAN) == replace(PLAN, batch_size=32)

    def test_a_batch_that_is_small_already_is_not_halved(self):
        smallest = replace(PLAN, batch_size=SMALLEST_BATCH)
        assert MemoryLimits().learn(smallest) is None

    @pytest.mark.parametrize(
        "greedier",
        [
            PLAN,
            *(replace(PLAN, **more) for more in ({"unfrozen_layers": "all"}, {"image_size": 224}, {"batch_size": 64})),
        ],
    )
    def test_a_plan_that_needs_as_much_is_not_tried_at_that_batch_again(self, greedier):
        limits = MemoryLimits()
        limits.learn(PLAN)
        assert limits.fitting(greedier) == replace(greedier, batch_size=32)

    def test_several_sizes_that_did_not_fit_halve_as_often(self):
        limits = MemoryLimits()
        limits.learn(PLAN)
        limits.learn(replace(PLAN, batch_size=32))
        assert limits.fitting(PLAN).batch_size == 16
        assert limits.fitting(replace(PLAN, batch_size=128)).batch_size == 16

    @pytest.mark.parametrize(
        "lesser",
        [OTHER, *(replace(PLAN, **less) for less in ({"unfrozen_layers": 4}, {"image_size": 96}, {"batch_size": 48}))],
    )
    def test_a_plan_that_may_need_less_is_tried_as_it_is(self, lesser):
        limits = MemoryLimits()
        limits.learn(PLAN)
        assert limits.fitting(lesser) == lesser

    def test_where_even_the_smallest_batch_did_not_fit_a_plan_still_gets_its_try(self):
        limits = MemoryLimits()
        smallest = replace(PLAN, batch_size=SMALLEST_BATCH)
        limits.learn(smallest)
        assert limits.fitting(PLAN) == smallest


class TestMainMemory:
    def test_before_anything_was_measured_everything_has_room(self):
        assert Packing(memory_mb=1.0).has_room(PLAN, [PLAN, PLAN])

    def test_a_second_plan_waits_where_two_like_it_do_not_fit(self):
        packing = Packing(memory_mb=1000.0)
        packing.measured(PLAN, memory_mb=600.0, gpu_mb=None)
        assert packing.has_room(PLAN, [])
        assert not packing.has_room(PLAN, [PLAN])

    def test_an_unknown_plan_counts_as_much_as_the_largest_known(self):
        packing = Packing(memory_mb=1000.0)
        packing.measured(PLAN, memory_mb=600.0, gpu_mb=None)
        assert not packing.has_room(OTHER, [OTHER])
        packing.measured(OTHER, memory_mb=100.0, gpu_mb=None)
        assert packing.has_room(OTHER, [OTHER, PLAN])

    def test_one_plan_alone_may_always_try(self):
        packing = Packing(memory_mb=10.0)
        packing.measured(PLAN, memory_mb=600.0, gpu_mb=None)
        assert packing.has_room(PLAN, [])


class TestGPUs:
    def test_no_gpu_no_share(self):
        assert Packing(gpus=0, gpus_each=None).gpus_for(PLAN) == 0.0

    def test_the_users_own_figure_stands(self):
        packing = Packing(gpus=2, gpus_each=0.3, gpu_mb=40_000)
        packing.measured(PLAN, memory_mb=1.0, gpu_mb=39_000)
        assert packing.gpus_for(PLAN) == 0.3

    def test_a_plan_that_was_not_measured_has_a_gpu_to_itself(self):
        assert Packing(gpus=2, gpus_each=None, gpu_mb=40_000).gpus_for(PLAN) == 1.0

    @pytest.mark.parametrize("at_once", [1, 2, 3, 4])
    def test_as_many_share_one_as_were_measured_to_fit(self, at_once):
        total = 40_000.0
        packing = Packing(gpus=1, gpus_each=None, gpu_mb=total)
        packing.measured(PLAN, memory_mb=1.0, gpu_mb=(total / at_once - GPU_CONTEXT_MB) / ROOM - 1)
        assert packing.gpus_for(PLAN) == 1 / at_once
        assert packing.has_room(PLAN, [PLAN] * (at_once - 1))
        assert not packing.has_room(PLAN, [PLAN] * at_once)

    def test_never_more_than_take_turns_well(self):
        packing = Packing(gpus=1, gpus_each=None, gpu_mb=80_000)
        packing.measured(PLAN, memory_mb=1.0, gpu_mb=10.0)
        assert packing.gpus_for(PLAN) == 1 / MOST_ON_A_GPU

    def test_a_greedier_plan_bounds_a_lesser_one_and_not_the_other_way_round(self):
        packing = Packing(gpus=1, gpus_each=None, gpu_mb=80_000)
        packing.measured(PLAN, memory_mb=1.0, gpu_mb=10.0)
        assert packing.gpus_for(replace(PLAN, unfrozen_layers=4)) == 1 / MOST_ON_A_GPU
        assert packing.gpus_for(replace(PLAN, unfrozen_layers="all")) == 1.0

    def test_without_the_size_of_a_gpu_nothing_is_shared(self):
        packing = Packing(gpus=1, gpus_each=None)
        packing.measured(PLAN, memory_mb=1.0, gpu_mb=10.0)
        assert packing.gpus_for(PLAN) == 1.0
