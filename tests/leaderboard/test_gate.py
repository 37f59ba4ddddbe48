"""A gate is read from one word and judged on the right figure."""

import pytest

from autotl.errors import UsageError
from autotl.leaderboard.gate import Gate, read_gate


@pytest.mark.parametrize(
    ("written", "gate"),
    [
        ("accuracy>=0.9", Gate("accuracy", ">=", 0.9, on_test=False)),
        ("test.macro_f1>=0.8", Gate("macro_f1", ">=", 0.8, on_test=True)),
        (" log_loss <= 0.5 ", Gate("log_loss", "<=", 0.5, on_test=False)),
    ],
)
def test_a_gate_is_read_as_it_is_written(written, gate):
    assert read_gate(written) == gate


@pytest.mark.parametrize("written", ["accuracy", "accuracy>0.9", "acuracy>=0.9", "accuracy>=high", ">=0.9", ""])
def test_what_is_no_gate_is_a_usage_error_that_shows_one(written):
    with pytest.raises(UsageError, match="accuracy>=0.9"):
        read_gate(written)


def test_a_gate_passes_at_its_bound_and_never_without_a_figure():
    gate = read_gate("accuracy>=0.9")
    assert gate.complaint(0.9) is None
    assert gate.complaint(0.8999) == "--require accuracy>=0.9: it is 0.8999."
    assert gate.complaint(None) == "--require accuracy>=0.9: it is not measured."
    assert read_gate("log_loss<=0.5").complaint(0.4) is None
    assert read_gate("log_loss<=0.5").complaint(0.6) is not None


@pytest.mark.parametrize("written", ["latency_ms<=20", "model_mb<=50"])
def test_costs_can_be_bounded_and_must_have_been_measured(written):
    gate = read_gate(written)
    assert gate.is_cost
    assert str(gate) == written
    assert gate.complaint(19.0) is None
    assert gate.complaint(50.5) == f"--require {written}: it is 50.5000."
    assert gate.complaint(None) == f"--require {written}: it is not measured."


def test_a_cost_is_nothing_that_a_test_set_tells():
    with pytest.raises(UsageError, match="is not a gate"):
        read_gate("test.latency_ms<=20")
