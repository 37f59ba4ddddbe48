"""How much the feature store will grow by, plan after plan."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from autotl.backbones import BackboneSpec
from autotl.backbones.network_costs import CutCosts
from autotl.features.store import SHARE_OF_ONE_SET, SHARE_ON_THE_WAY
from autotl.plan import Plan
from autotl.plan.space import Space
from autotl.search.cost.work import StoredKey, Work, costs_of

Cut = tuple[Any, Any]  # a tap and so many unfrozen layers


class Shelf:
    """Activations that a search will have stored.

    A pass over a network stores the plan's own cut and those before it that the space's other plans will ask for, as
    `features.extractor` does, where they are small enough. A plan that trains the whole network starts from examples as
    they are read, of which nothing is reckoned here.

    Args:
        limit_bytes: most that the store takes.
        there: passes that earlier searches have made; their cuts are taken to be stored.
    """

    def __init__(
        self,
        space: Space,
        flops: Mapping[BackboneSpec, float],
        *,
        limit_bytes: float,
        there: frozenset[StoredKey],
    ) -> None:
        self.bytes = 0.0
        self._flops = flops
        self._limit_bytes = limit_bytes
        self._there = there
        self._held: dict[StoredKey, set[Cut]] = {}
        taps = space.values("tap") if "tap" in space.dimensions else ["last"]
        layers = [each for each in space.values("unfrozen_layers") if each != "all"]
        self._wanted: list[Cut] = [(tap, each) for tap in taps for each in layers]

    def add(self, plan: Plan, work: Work) -> None:
        """Puts there what the plan's passes give and is not there yet."""
        if not work.sets:
            return
        plan = plan.canonical()
        own = (plan.tap, plan.unfrozen_layers)
        for key in work.sets.keys() - self._there:
            cuts = [(own, SHARE_OF_ONE_SET / len(work.sets))]
            if key not in self._held:
                cuts += [(cut, SHARE_ON_THE_WAY) for cut in self._on_the_way(plan, own)]
            held = self._held.setdefault(key, set())
            for cut, share in cuts:
                size = work.sets[key][0] * self._at(plan, cut)[1].stored_bytes
                if cut not in held and size <= share * self._limit_bytes:
                    held.add(cut)
                    self.bytes += size

    def _on_the_way(self, plan: Plan, own: Cut) -> Iterator[Cut]:
        before_own = self._at(plan, own)[0]
        for cut in self._wanted:
            if cut != own and self._at(plan, cut)[0] <= before_own:
                yield cut

    def _at(self, plan: Plan, cut: Cut) -> tuple[float, CutCosts]:
        """Operations before a cut of the plan's network, and the cut."""
        tap, layers = cut
        costs = costs_of(replace(plan, tap=tap, unfrozen_layers=layers), self._flops)
        behind = costs.at_cut(layers)
        return costs.flops - behind.flops, behind
