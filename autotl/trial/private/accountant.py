"""What noisy looks at examples cost together, by privacy loss distributions; and how much noise a budget asks for.

Neighbouring: an example is there, or its place is empty (add or remove one, the number of places being known). Every
figure is an upper bound: the accountant rounds privacy losses up. Paper: Koskela, Jälkö & Honkela, AISTATS 2020,
arXiv:1906.03049; Doroshenko et al., PoPETs 2022, arXiv:2207.04380; computed by Google's dp-accounting.
"""

import importlib.metadata
import importlib.util
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import Any

from autotl.errors import EnvironmentProblemError

PACKAGE = "dp-accounting"
RELATION = "an example is there or its place is empty (add or remove one; the number of examples is public)"
FINE, COARSE = 1e-4, 1e-3  # steps that losses are rounded up to
CLOSE_ENOUGH = 1e-3  # share by which noise may be more than the least that keeps a budget
LEAST_NOISE, MOST_NOISE = 1 / 8, 1e6  # less is none, and a budget that needs more is none


class BudgetTooSmallError(ValueError):
    """No noise keeps it."""


@dataclass(frozen=True)
class NoisySums:
    """So many sums, to which an example adds a vector of length `clip` at most, with normal noise.

    Attributes:
        noise_multiplier: deviation of the noise over the clip.
        rate: probability with which an example takes part in a sum; 1: all take part in all, and no sampling is relied
            on.
    """

    count: int
    noise_multiplier: float
    rate: float = 1.0


@dataclass(frozen=True)
class NoisyCount:
    """One count of examples with discrete Laplace noise."""

    epsilon: float


Look = NoisySums | NoisyCount


def accountant() -> str:
    """Who reckons, with the version."""
    return f"{PACKAGE} {importlib.metadata.version(PACKAGE)}, privacy loss distributions"


def refuse_without_accountant(where: str) -> None:
    """Raises an EnvironmentProblemError where the extra is not installed.

    Args:
        where: what asks for it, the beginning of the message.
    """
    if importlib.util.find_spec("dp_accounting") is None:
        words = f"needs the package {PACKAGE} to reckon what was spent: pip install 'autotl[dp]'"
        raise EnvironmentProblemError(f"{where}: {words}")


def epsilon_of(looks: Sequence[Look], delta: float) -> float:
    """The least epsilon for which all of these together are (epsilon, delta)-differentially private."""
    return _epsilon(tuple(looks), delta, FINE)


def least_noise(looks_with: Callable[[float], Sequence[Look]], *, epsilon: float, delta: float) -> float:
    """The least noise multiplier, but for a thousandth, with which some looks keep a budget.

    Args:
        looks_with: all looks that the budget is for, with that multiplier where it is asked for.
    Raises:
        BudgetTooSmallError: they do not keep it with any noise.
    """

    def is_enough(noise: float) -> bool:
        return _epsilon(tuple(looks_with(noise)), delta, COARSE) <= epsilon

    high = _enough(is_enough)
    low = high / 2
    while high / low > 1 + CLOSE_ENOUGH:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if is_enough(middle) else (middle, high)
    return high


def _enough(is_enough: Callable[[float], bool]) -> float:
    """The least power of two that is enough; little noise, which takes long to reckon with, is tried last."""
    noise = 64.0
    while not is_enough(noise):
        noise *= 2
        if noise > MOST_NOISE:
            raise BudgetTooSmallError(f"up to {MOST_NOISE:g} deviations were tried")
    while noise > LEAST_NOISE and is_enough(noise / 2):
        noise /= 2
    return noise


@lru_cache(maxsize=4096)
def _epsilon(looks: tuple[Look, ...], delta: float, step: float) -> float:
    from dp_accounting.pld.pld_privacy_accountant import PLDAccountant

    counts: Counter[Look] = Counter()
    for look in looks:  # what is alike is composed at once: it takes a fraction of the time
        if isinstance(look, NoisySums):
            counts[replace(look, count=1)] += look.count
        else:
            counts[look] += 1
    found = PLDAccountant(value_discretization_interval=step)
    for look, count in counts.items():
        found.compose(_event(look), count)
    return float(found.get_epsilon(delta))


def _event(look: Look) -> Any:
    from dp_accounting import dp_event

    if isinstance(look, NoisyCount):
        return dp_event.DiscreteLaplaceDpEvent(noise_parameter=look.epsilon, sensitivity=1)
    event = dp_event.GaussianDpEvent(look.noise_multiplier)
    return event if look.rate >= 1 else dp_event.PoissonSampledDpEvent(look.rate, event)


def as_mapping(look: Look) -> dict[str, Any]:
    """Plain JSON values, as a ledger holds them."""
    return {"kind": "count" if isinstance(look, NoisyCount) else "sums", **asdict(look)}


def look_from(written: Mapping[str, Any]) -> Look:
    """What `as_mapping` wrote."""
    values = {name: value for name, value in written.items() if name != "kind"}
    return NoisyCount(**values) if written["kind"] == "count" else NoisySums(**values)
