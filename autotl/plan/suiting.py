"""Which adaptation methods a task's domains allow: those that a plan cannot use are not searched."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from autotl.adaptation import METHODS, Method
from autotl.adaptation.method import FitsToFigures, FitsToStatistics, PriorCorrection
from autotl.data.examples import TaskData
from autotl.data.setting import setting_of
from autotl.errors import TaskError
from autotl.plan.plan import TOGETHER, Plan
from autotl.plan.space import Alternatives, Dimension, Fixed, Options, Space
from autotl.task import PROBLEMS, Problem, Task
from autotl.task.problem import CLASSIFICATION

ALIGN = "align"  # the parameter that names the transform which a method is put behind
SPACE, PLANS = "search_space.adaptation", "start_with"
_NO_COMPANION = "this task is alone. Name the others that it is learnt together with under 'tasks', or leave it out."
_NO_ALIGNMENT = "stands behind nothing but transforms that this task cannot use: see its 'align'"


@dataclass(frozen=True)
class Ground:
    """What a task gives a method to work on.

    Attributes:
        setting: the transfer setting, see `data.setting`.
        has_source: labelled source examples.
        has_unlabelled: target examples without labels that may be adapted to.
        is_exported: the source is a model without examples.
        has_companions: other tasks that it may be learnt together with.
        has_statistics: of the source only sums over its features are here.
        problem: what is learnt.
    """

    setting: str
    has_source: bool
    has_unlabelled: bool
    is_exported: bool
    has_companions: bool = False
    has_statistics: bool = False
    problem: Problem = CLASSIFICATION

    @classmethod
    def of(cls, data: TaskData) -> "Ground":
        """What the data that were read give."""
        exported = data.exported is not None
        companions, statistics = bool(data.companions), bool(data.statistics)
        rest = len(data.adaptation_rows) > 0
        return cls(data.setting, len(data.domains) > 1, rest, exported, companions, statistics, data.problem)

    @classmethod
    def promised_by(cls, task: Task) -> "Ground":
        """What the task says that its data will give, before any is read.

        Of a target with a few labels a class it is taken that others have none: how many there are of each class is
        hidden.
        """
        exported = any(source.exported is not None for source in task.data.source)
        has_examples = any(source.train is not None for source in task.data.source)
        statistics = any(source.statistics is not None for source in task.data.source)
        rest, problem = task.data.target.labels != "all", PROBLEMS[task.problem]
        return cls(setting_of(task), has_examples, rest, exported, bool(task.tasks), statistics, problem)


def suited_to(space: Space, ground: Ground, *, where: str = SPACE) -> Space:
    """The space without methods that have nothing to work on, with `learns_from` only where it matters, and over
    learning alone and together where there are other tasks and it does not say itself.

    Args:
        where: the file and the path in it that a complaint begins with.
    Raises:
        TaskError: none of the methods it names is left.
    """
    dimensions = dict(space.dimensions)
    adaptation = dimensions["adaptation"]
    assert isinstance(adaptation, Alternatives)
    kept = {
        name: _suited(inner, ground) for name, inner in adaptation.options.items() if _is_suited(name, inner, ground)
    }
    if not kept:
        raise TaskError([f"{where}: {name!r} {reason}." for name, reason in left_out(space, ground).items()])
    dimensions["adaptation"] = Alternatives(kept)
    if ground.setting != "cross-domain":
        dimensions["learns_from"] = Fixed("all")
    dimensions |= {name: Fixed(value) for name, value in ground.problem.fixed.items() if name in dimensions}
    if not ground.has_companions:
        dimensions["together"] = Fixed(None)
    elif dimensions["together"] == Fixed(None):
        return replace(space, dimensions=dimensions).with_values("together", [None, *TOGETHER])
    return replace(space, dimensions=dimensions)


def refuse_together_alone(space: Space, ground: Ground, *, where: str) -> None:
    """Raises a TaskError for a space of plans that learn together what is alone."""
    if not ground.has_companions and space.values("together") != [None]:
        raise TaskError(f"{where}: {_NO_COMPANION}")


def left_out(space: Space, ground: Ground) -> dict[str, str]:
    """The methods that a space names and that are not searched on this task, and why."""
    adaptation = space.dimensions["adaptation"]
    assert isinstance(adaptation, Alternatives)
    unsuited = [name for name, inner in adaptation.options.items() if not _is_suited(name, inner, ground)]
    return {name: why_not(name, ground) or _NO_ALIGNMENT for name in unsuited}


def refuse_unsuited(plans: Iterable[Plan], ground: Ground, *, where: str = PLANS) -> None:
    """Raises a TaskError for given plans whose method, or what it is put behind, has nothing to work on."""
    plans = list(plans)
    named = [name for plan in plans for name in (plan.adaptation.name, plan.adaptation.parameters.get(ALIGN))]
    reasons = {name: why_not(name, ground) for name in named if name is not None}
    mistakes = [f"{where}: adaptation {name!r} {reason}." for name, reason in reasons.items() if reason is not None]
    if not ground.has_companions and any(plan.together is not None for plan in plans):
        mistakes.append(f"{where}: together: {_NO_COMPANION}")
    if mistakes:
        raise TaskError(mistakes)


def why_not(name: str, ground: Ground) -> str | None:
    """Why a method, by its name, cannot be used on a task; None where it can."""
    method = METHODS[name]
    if method.stage == "none":
        return None
    if name in ground.problem.no_methods:
        return ground.problem.no_methods[name]
    if ground.is_exported:
        return why_not_source_free(method)
    if ground.has_statistics:
        return why_not_on_sums(method)
    if ground.has_source:
        return None
    if not ground.has_unlabelled:
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


def why_not_on_sums(method: Method) -> str | None:
    """Why a method cannot be used on a source of which only statistics are here; None where it can."""
    if method.stage == "none" or isinstance(method, FitsToStatistics | PriorCorrection):
        return None
    return "needs the source's examples or trains on, and over statistics the head is solved from sums"


def _is_suited(name: str, inner: Mapping[str, Dimension], ground: Ground) -> bool:
    """Whether a method can be used, behind one at least of the transforms that it may be put behind."""
    return why_not(name, ground) is None and (ALIGN not in inner or bool(_alignments(inner[ALIGN], ground)))


def _suited(inner: Mapping[str, Dimension], ground: Ground) -> dict[str, Dimension]:
    """A method's parameters, `align` without transforms that cannot be used."""
    if ALIGN not in inner:
        return dict(inner)
    kept = _alignments(inner[ALIGN], ground)
    return {**inner, ALIGN: Fixed(kept[0]) if len(kept) == 1 else Options({name: name for name in kept})}


def _alignments(dimension: Dimension, ground: Ground) -> list[str]:
    """Those that can be used, the one that is tried first in front.

    An exported head stays as it is, so features had better lie where it expects them: on printed and handwritten digits
    SHOT reached 0.86 behind `standardize` and 0.58 without.
    """
    usable = [name for name in Space({ALIGN: dimension}).values(ALIGN) if why_not(name, ground) is None]
    return sorted(usable, key=lambda name: ground.is_exported and METHODS[name].stage == "none")
