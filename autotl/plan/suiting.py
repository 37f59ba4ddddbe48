"""Which adaptation methods a task's domains allow: those that a plan cannot use are not searched."""

from collections.abc import Iterable
from dataclasses import replace

from autotl.adaptation import METHODS, Method
from autotl.data.examples import TaskData
from autotl.errors import TaskError
from autotl.plan.plan import Plan
from autotl.plan.space import Alternatives, Fixed, Space


def suited_to(space: Space, data: TaskData) -> Space:
    """The space without methods that have nothing to work on, and with `learns_from` only where it matters.

    Raises:
        TaskError: none of the methods it names is left.
    """
    dimensions = dict(space.dimensions)
    adaptation = dimensions["adaptation"]
    assert isinstance(adaptation, Alternatives)
    kept = {name: inner for name, inner in adaptation.options.items() if why_not(METHODS[name], data) is None}
    if not kept:
        reasons = {name: why_not(METHODS[name], data) for name in adaptation.options}
        raise TaskError([f"search_space.adaptation: {name!r} {reason}." for name, reason in reasons.items()])
    dimensions["adaptation"] = Alternatives(kept)
    if data.setting != "cross-domain":
        dimensions["learns_from"] = Fixed("all")
    return replace(space, dimensions=dimensions)


def refuse_unsuited(plans: Iterable[Plan], data: TaskData) -> None:
    """Raises a TaskError for given plans whose method has nothing to work on."""
    reasons = {plan.adaptation.name: why_not(METHODS[plan.adaptation.name], data) for plan in plans}
    mistakes = [f"start_with: adaptation {name!r} {reason}." for name, reason in reasons.items() if reason is not None]
    if mistakes:
        raise TaskError(mistakes)


def why_not(method: Method, data: TaskData) -> str | None:
    """Why a method cannot be used on a task; None where it can."""
    if method.stage == "none":
        return None
    if len(data.domains) > 1:
        return None
    if not len(data.adaptation_rows):
        return "needs a labelled source, or target examples without labels, beside the labelled ones"
    if method.stage != "joint" or method.trains_features:
        return "needs a source: it brings two domains together, and this task has one"
    return None
