"""Which adaptation methods a task's domains allow: those that a plan cannot use are not searched."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from autotl.adaptation import METHODS, Method
from autotl.adaptation.method import FitsToFigures
from autotl.data.examples import TaskData
from autotl.errors import TaskError
from autotl.plan.plan import Plan
from autotl.plan.space import Alternatives, Dimension, Fixed, Options, Space

ALIGN = "align"  # the parameter that names the transform which a method is put behind


def suited_to(space: Space, data: TaskData) -> Space:
    """The space without methods that have nothing to work on, and with `learns_from` only where it matters.

    Raises:
        TaskError: none of the methods it names is left.
    """
    dimensions = dict(space.dimensions)
    adaptation = dimensions["adaptation"]
    assert isinstance(adaptation, Alternatives)
    kept = {name: _suited(inner, data) for name, inner in adaptation.options.items() if _is_suited(name, inner, data)}
    if not kept:
        reasons = {name: why_not(METHODS[name], data) for name in adaptation.options}
        raise TaskError([f"search_space.adaptation: {name!r} {reason}." for name, reason in reasons.items()])
    dimensions["adaptation"] = Alternatives(kept)
    if data.setting != "cross-domain":
        dimensions["learns_from"] = Fixed("all")
    return replace(space, dimensions=dimensions)


def refuse_unsuited(plans: Iterable[Plan], data: TaskData) -> None:
    """Raises a TaskError for given plans whose method, or what it is put behind, has nothing to work on."""
    named = [name for plan in plans for name in (plan.adaptation.name, plan.adaptation.parameters.get(ALIGN))]
    reasons = {name: why_not(METHODS[name], data) for name in named if name is not None}
    mistakes = [f"start_with: adaptation {name!r} {reason}." for name, reason in reasons.items() if reason is not None]
    if mistakes:
        raise TaskError(mistakes)


def why_not(method: Method, data: TaskData) -> str | None:
    """Why a method cannot be used on a task; None where it can."""
    if method.stage == "none":
        return None
    if data.exported is not None:
        return why_not_source_free(method)
    if len(data.domains) > 1:
        return None
    if not len(data.adaptation_rows):
        return "needs a labelled source, or target examples without labels, beside the labelled ones"
    if method.stage != "joint" or method.trains_features:
        return "needs a source: it brings two domains together, and this task has one"
    return None


def why_not_source_free(method: Method) -> str | None:
    """Why a method cannot be used on a source that is a model without examples; None where it can."""
    needs_nothing = method.stage == "none" or (method.stage == "post" and not method.needs_source)
    if needs_nothing or isinstance(method, FitsToFigures):
        return None
    return "needs the source's examples, and an exported source has none"


def _is_suited(name: str, inner: Mapping[str, Dimension], data: TaskData) -> bool:
    """Whether a method can be used, behind one at least of the transforms that it may be put behind."""
    return why_not(METHODS[name], data) is None and (ALIGN not in inner or bool(_alignments(inner[ALIGN], data)))


def _suited(inner: Mapping[str, Dimension], data: TaskData) -> dict[str, Dimension]:
    """A method's parameters, `align` without transforms that cannot be used."""
    if ALIGN not in inner:
        return dict(inner)
    kept = _alignments(inner[ALIGN], data)
    return {**inner, ALIGN: Fixed(kept[0]) if len(kept) == 1 else Options({name: name for name in kept})}


def _alignments(dimension: Dimension, data: TaskData) -> list[str]:
    """Those that can be used, the one that is tried first in front.

    An exported head stays as it is, so features had better lie where it expects them: on printed and handwritten digits
    SHOT reached 0.86 behind `standardize` and 0.58 without.
    """
    usable = [name for name in Space({ALIGN: dimension}).values(ALIGN) if why_not(METHODS[name], data) is None]
    return sorted(usable, key=lambda name: data.exported is not None and METHODS[name].stage == "none")
