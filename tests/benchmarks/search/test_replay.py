"""Replays on a pool that nobody trained: a plan's score is known from its settings."""

from dataclasses import replace

import numpy as np
import optuna
import pytest

from autotl.plan.plan import cut_key
from benchmarks.search.pools import Pool, PoolTrial, Screened, read_pools, without_paths, write_pool
from benchmarks.search.portfolio import portfolio
from benchmarks.search.replay import Extrapolating, Halving, Patient, Strategy, Table, random_search, replay
from benchmarks.search.screening import agreement
from benchmarks.search.tasks import dealt

SPACE = {
    "backbone": {"choice": ["efficientnet_lite0", "efficientnet_lite1"]},
    "image_size": 96,
    "tap": {"choice": ["last", "P4"]},
    "unfrozen_layers": {"choice": [0, 4]},
    "learning_rate": {"log": [1e-4, 1e-1]},
    "epochs": 9,
    "views": 0,
}
BEST_RATE = 10**-2.5


def a_pool(task="made", *, best="efficientnet_lite1", trials=40, seed=0):
    draws = np.random.default_rng(seed)
    made = []
    for number in range(trials):
        rate = float(10 ** draws.uniform(-4, -1))
        backbone = ("efficientnet_lite0", "efficientnet_lite1")[number % 2]
        tap = ("last", "P4")[number // 2 % 2]
        unfrozen = (0, 0, 4)[number % 3]
        plan = {"backbone": backbone, "image_size": 96, "tap": tap, "unfrozen_layers": unfrozen}
        plan |= {"learning_rate": rate, "epochs": 9, "views": 0, "seed": number}
        final = 0.9 - 0.1 * abs(np.log10(rate / BEST_RATE)) - 0.1 * (backbone != best) - 0.05 * (tap == "last")
        scores = tuple(round(final - 0.3 * 0.5**epoch, 5) for epoch in range(9))
        made.append(PoolTrial(plan, scores, round(final - 0.01, 5), 0.1 if unfrozen == 0 else 2.0, 1, 1))
    places = {cut_key(each.plan): each.plan for each in made}
    screened = tuple(
        Screened({**plan}, {"linear_probe": 0.1 * (plan["backbone"] == best) + 0.05 * (plan["tap"] == "P4")}, {}, 1, 1)
        for plan in places.values()
        if plan["unfrozen_layers"] == 0
    )
    examples = {"train": 100, "validation": 10_000}
    return Pool(task, "image", "accuracy", examples, 2, SPACE, tuple(made), dict.fromkeys(places, 3.0), screened)


def test_a_pool_is_read_as_it_was_written_and_the_same_pool_gives_the_same_bytes(tmp_path):
    path = write_pool(a_pool(), tmp_path)
    before = path.read_bytes()
    assert read_pools(tmp_path) == [a_pool()]
    assert write_pool(a_pool(), tmp_path).read_bytes() == before


def test_no_path_of_the_machine_is_kept():
    written = {"backbone": {"choice": [{"preset": "/home/me/weights/mobilenet_v2_100"}, "efficientnet_lite0"]}}
    assert without_paths(written) == {"backbone": {"choice": ["MobileNetV2", "efficientnet_lite0"]}}
    assert without_paths({"pretrained_on_source": "/home/me/x.npz"}) == "pretrained_on_source"


@pytest.mark.parametrize("strategy", [random_search(), Strategy(judge=lambda longest: Patient()), Strategy()])
def test_a_replay_tries_every_plan_once_and_the_same_seed_tries_them_alike(strategy):
    table = Table(a_pool())
    trace, again = (replay(table, strategy, seed=3) for _ in range(2))
    assert sorted(trace.places) == list(range(40))
    assert trace.places == again.places
    assert trace.seconds == again.seconds
    assert trace.places != replay(table, strategy, seed=4).places


def test_time_is_that_of_the_epochs_trained_and_of_the_features_at_their_first_use():
    table = Table(a_pool())
    trace = replay(table, random_search(), seed=0)
    assert trace.seconds[-1] == pytest.approx(table.all_seconds)
    first = table.pool.trials[trace.places[0]]
    assert trace.seconds[0] == pytest.approx(3.0 + 9 * first.epoch_seconds)


def test_optuna_is_told_the_values_of_the_pools_own_plans(monkeypatch):
    studies = []
    create = optuna.create_study
    monkeypatch.setattr(optuna, "create_study", lambda **named: studies.append(create(**named)) or studies[-1])
    table = Table(a_pool())
    trace = replay(table, Strategy(judge=lambda longest: Patient()), seed=0, trials=12)
    told = [trial for trial in studies[0].get_trials() if trial.state == optuna.trial.TrialState.COMPLETE]
    rates = [table.plans[place].learning_rate for place in trace.places]
    assert [trial.params["learning_rate"] for trial in told] == rates
    assert [trial.value for trial in told] == [table.finals[place] for place in trace.places]


def test_the_winner_is_the_best_that_came_to_its_end():
    table = Table(a_pool())
    trace = replay(table, random_search(), seed=0, trials=10)
    assert trace.winner_after(10) == max(trace.places, key=lambda place: table.finals[place])
    trace.complete[trace.places.index(trace.winner_after(10))] = False
    assert trace.winner_after(10) is not None
    assert trace.winner_after(0) is None


def test_halving_compares_only_at_rungs_and_extrapolation_only_what_can_be_reached():
    table = Table(a_pool())
    plan = table.plans[0]
    halving = Halving(9, first=3)
    assert halving.goes_on(plan, 3, [0.1, 0.2, 0.5], 9)
    assert halving.goes_on(plan, 2, [0.1, 0.1], 9)
    assert not halving.goes_on(plan, 3, [0.1, 0.2, 0.4], 9)
    extrapolating = Extrapolating(9, least=2)
    for curve in ([0.5, 0.6, 0.8], [0.4, 0.5, 0.6]):
        extrapolating.ended(curve)
    assert not extrapolating.goes_on(plan, 2, [0.1, 0.3], 3), "others gained at most 0.2 from here"
    assert extrapolating.goes_on(plan, 2, [0.1, 0.65], 3)


def test_a_portfolio_covers_tasks_that_want_different_plans():
    one, other = Table(a_pool()), Table(a_pool("other", best="efficientnet_lite0"))
    plans = portfolio([one, other], size=4)
    assert {plan["backbone"] for plan in plans[:2]} == {"efficientnet_lite0", "efficientnet_lite1"}
    assert plans == portfolio([one, other], size=4)
    assert portfolio([]) == []


def test_where_seconds_count_the_first_plan_is_a_cheap_one():
    tables = [Table(a_pool())]
    assert portfolio(tables, size=1, cost_power=1.0)[0]["unfrozen_layers"] == 0


def test_screening_that_orders_places_as_training_does_has_a_tau_of_one():
    found = agreement(a_pool(trials=120))
    assert found.places == 4
    assert found.tau["linear_probe"] == pytest.approx(1.0)
    assert found.regret["linear_probe"] == pytest.approx(0.0)
    assert abs(found.tau["random"]) < 0.2
    few = a_pool()
    assert agreement(replace(few, screened=few.screened[:2])) is None


def test_examples_are_dealt_once_and_classes_in_their_shares():
    labels = ["a"] * 60 + ["b"] * 40
    splits = dealt(labels, {"train": 20, "test": 30})
    assert not set(splits["train"]) & set(splits["test"])
    assert [labels[row] for row in splits["train"]].count("a") == 12
    assert len(splits["test"]) == 30
