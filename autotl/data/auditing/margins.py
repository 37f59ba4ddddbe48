"""Advice where domains differ in their margins."""

from collections.abc import Iterator, Mapping

from autotl.data.examples import Finding
from autotl.task import Task

MARGINS_DIFFER = 0.15  # of a side: content that fills more or less of it than in the target shows other margins


def margin_findings(task: Task, filled: Mapping[str, tuple[float, float]]) -> Iterator[Finding]:
    """Advice where the content of a source's images fills another share of their sides than the target's does.

    Args:
        filled: domain -> mean share of width and of height.
    """
    differing = [
        domain
        for domain, shares in filled.items()
        if max(abs(one - other) for one, other in zip(shares, filled["target"], strict=True)) > MARGINS_DIFFER
    ]
    if differing:
        seen = "; ".join(f"{domain}: {filled[domain][0]:.0%} x {filled[domain][1]:.0%}" for domain in filled)
        words = f"images differ in their margins. The content fills so much of width x height: {seen}."
        hint = "crop: content in the search space looks at the content alone."
        yield Finding("margins_differ", "info", f"{task.where('data')}: {words} {hint}", tuple(differing))
