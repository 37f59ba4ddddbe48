"""A figure that a model must reach before anybody uses it: `--require accuracy>=0.9`, `--require latency_ms<=20`."""

from dataclasses import dataclass

from autotl.errors import UsageError
from autotl.scoring.metrics import METRICS

TEST = "test."
COSTS = ("latency_ms", "model_mb")  # columns of a row that may be bounded as well
SIGNS = (">=", "<=")


@dataclass(frozen=True)
class Gate:
    """A bound on a metric, or on what a prediction costs.

    A metric is that on validation, corrected for selection, or where `test.` is written that of the shipped model on
    test. A cost is a column of the row, and must have been measured.
    """

    metric: str
    sign: str
    bound: float
    on_test: bool

    def complaint(self, value: float | None) -> str | None:
        """Why a figure does not pass, in words; None where it does. A figure that was not measured never passes."""
        met = value is not None and (value >= self.bound if self.sign == ">=" else value <= self.bound)
        seen = "not measured" if value is None else f"{value:.4f}"
        return None if met else f"--require {self}: it is {seen}."

    @property
    def is_cost(self) -> bool:
        """Whether it bounds a cost and no metric."""
        return self.metric in COSTS

    def __str__(self) -> str:
        return f"{TEST if self.on_test else ''}{self.metric}{self.sign}{self.bound:g}"


def read_gate(written: str) -> Gate:
    """`metric>=x`, `metric<=x`, with `test.` before the metric for the test figure; `latency_ms<=x`, `model_mb<=x`.

    Raises:
        UsageError: neither of these.
    """
    for sign in SIGNS:
        name, found, bound = written.partition(sign)
        if not found:
            continue
        metric = name.strip().removeprefix(TEST)
        try:
            value = float(bound)
        except ValueError:
            break
        on_test = name.strip().startswith(TEST)
        if metric in METRICS or (metric in COSTS and not on_test):
            return Gate(metric, sign, value, on_test=on_test)
    raise UsageError(
        f"--require {written!r} is not a gate. Write for example accuracy>=0.9, "
        "test.macro_f1>=0.8, latency_ms<=20 or model_mb<=50."
    )
