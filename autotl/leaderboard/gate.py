"""A figure that the winner must reach before anybody uses it: `--require accuracy>=0.9`."""

from dataclasses import dataclass

from autotl.errors import UsageError
from autotl.scoring.metrics import METRICS

TEST = "test."
SIGNS = (">=", "<=")


@dataclass(frozen=True)
class Gate:
    """A bound on a metric: on the corrected validation figure, or on the test figure of the shipped model."""

    metric: str
    sign: str
    bound: float
    on_test: bool

    def complaint(self, value: float | None) -> str | None:
        """Why a figure does not pass, in words; None where it does. A figure that was not measured never passes."""
        met = value is not None and (value >= self.bound if self.sign == ">=" else value <= self.bound)
        seen = "not measured" if value is None else f"{value:.4f}"
        where = TEST if self.on_test else ""
        return None if met else f"--require {where}{self.metric}{self.sign}{self.bound:g}: it is {seen}."


def read_gate(written: str) -> Gate:
    """`metric>=x`, `metric<=x`, with `test.` before the metric for the test figure.

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
        if metric in METRICS:
            return Gate(metric, sign, value, on_test=name.strip().startswith(TEST))
    raise UsageError(f"--require {written!r} is not a gate. Write for example accuracy>=0.9 or test.macro_f1>=0.8.")
