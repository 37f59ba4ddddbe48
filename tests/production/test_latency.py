"""Latencies that were not measured follow from those that were."""

import pytest

from autotl.production.latency import estimated_latency_ms


def test_nothing_measured_gives_no_estimate():
    assert estimated_latency_ms(10**9, {}) is None


@pytest.mark.parametrize(("flops", "expected"), [(10**9, 20.0), (5 * 10**8, 10.0), (3 * 10**9, 60.0)])
def test_one_measured_model_gives_a_rate(flops, expected):
    assert estimated_latency_ms(flops, {10**9: 20.0}) == pytest.approx(expected)


def test_two_measured_models_give_a_line_and_are_met_by_it():
    measured = {10**8: 5.0, 10**9: 14.0}  # 4 ms + 10 ns per thousand operations
    assert estimated_latency_ms(10**8, measured) == pytest.approx(5.0)
    assert estimated_latency_ms(10**9, measured) == pytest.approx(14.0)
    assert estimated_latency_ms(4 * 10**8, measured) == pytest.approx(8.0)
    assert estimated_latency_ms(2 * 10**9, measured) == pytest.approx(24.0)


def test_three_measured_models_give_the_line_between_them():
    assert estimated_latency_ms(200, {100: 1.0, 200: 2.6, 300: 3.0}) == pytest.approx(2.2)


@pytest.mark.parametrize("flops", [1, 1000, 10**7, 10**12])
def test_no_estimate_is_zero_or_less(flops):
    steep = {10**8: 1.0, 2 * 10**8: 50.0}  # the line falls below zero left of the first
    falling = {10**8: 50.0, 2 * 10**8: 1.0}
    assert estimated_latency_ms(flops, steep) > 0
    assert estimated_latency_ms(flops, falling) > 0
