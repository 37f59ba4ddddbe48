"""What the feature store will grow by is reckoned cut by cut, as the extractor stores them."""

import math
from dataclasses import replace

import pytest
from pretend_search import EXAMPLES, a_plan, a_space

from autotl.plan.space import Options
from autotl.search.cost.shelf import Shelf
from autotl.search.cost.work import costs_of, work_of

SPACE = a_space(unfrozen_layers=Options({0: 0, 4: 4, "all": "all"}))


def stored(*plans, space=SPACE, limit_bytes=math.inf, there=frozenset()):
    shelf = Shelf(space, {}, limit_bytes=limit_bytes, there=there)
    for plan in plans:
        shelf.add(plan, work_of(plan, EXAMPLES))
    return shelf.bytes


def of_cut(unfrozen_layers):
    return EXAMPLES.rows * costs_of(a_plan(), {}).at_cut(unfrozen_layers).stored_bytes


def test_a_pass_stores_the_cuts_on_its_way_that_others_will_ask_for():
    assert stored(a_plan()) == of_cut(0) + of_cut(4)
    assert stored(a_plan(unfrozen_layers=4)) == of_cut(4)


def test_nothing_is_stored_twice():
    assert stored(a_plan(), a_plan(unfrozen_layers=4), a_plan(learning_rate=1e-4)) == of_cut(0) + of_cut(4)
    assert stored(a_plan(unfrozen_layers=4), a_plan()) == of_cut(0) + of_cut(4)


def test_random_views_are_stored_beside_the_plain_ones():
    assert stored(a_plan(views=2)) == 3 * stored(a_plan())


def test_what_is_too_large_is_not_stored():
    larger = max(of_cut(0), of_cut(4))
    assert stored(a_plan(), limit_bytes=16 * larger - 1) == pytest.approx(min(of_cut(0), of_cut(4)))
    assert stored(a_plan(), limit_bytes=of_cut(0)) == 0


def test_what_earlier_searches_stored_and_whole_networks_take_nothing():
    assert stored(a_plan(), there=frozenset(work_of(a_plan(), EXAMPLES).sets)) == 0
    assert stored(a_plan(unfrozen_layers="all")) == 0


def test_the_examples_of_tasks_beside_it_are_stored_as_well():
    plan = a_plan(unfrozen_layers=4, together="uniform")
    shelf = Shelf(SPACE, {}, limit_bytes=math.inf, there=frozenset())
    shelf.add(plan, work_of(plan, replace(EXAMPLES, beside=EXAMPLES.rows)))
    assert shelf.bytes == 2 * of_cut(4)
