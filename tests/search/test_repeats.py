"""The best few are trained again with other seeds, within stated shares of trials and time."""

import sys
import time

import pytest
import ray
from pretend_search import EPOCHS, LINEAR, PretendWorkshop, a_plan, a_space, an_order, run_search, snapshot

from autotl.plan.space import Fixed
from autotl.run.trial_row import new_row
from autotl.search.budget import Budget
from autotl.search.events import TrialStarted
from autotl.search.repeats import FEW, Repeats
from autotl.trial.outcome import Ending

for module in ("pretend_search", __name__):  # workers cannot import test files
    ray.cloudpickle.register_pickle_by_value(sys.modules[module])

pytestmark = pytest.mark.usefixtures("two_cores")


def ended(number, value, *, low=None, flops=10, seconds=1.0, repeat_of=None, status="complete"):
    row = new_row(number, {}, baseline=None)
    row |= {"status": status, "flops": flops, "repeat_of": repeat_of}
    row["score"] = {"value": value, "low": low, "high": None, "kind": "validation"}
    row["seconds"] = {**row["seconds"], "train": seconds}
    return row


def repeats(*rows, seeds=3, trials=40, budget=None):
    found = Repeats(seeds, trials, 1, budget or Budget(3_600.0))
    for row in rows:
        found.note(row, row["score"]["value"] if row["status"] == "complete" else None)
    return found


def all_of(found):
    return list(iter(found.next, None))


def test_the_best_the_cheapest_tied_and_the_next_best_in_turns():
    rows = [
        ended(0, 0.90, low=0.80),
        ended(1, 0.89),
        ended(2, 0.88),
        ended(3, 0.81, flops=1),
        ended(4, 0.79, flops=0),
        ended(5, 0.95, status="pruned"),
    ]
    assert all_of(repeats(*rows)) == [0, 3, 1] * 2, "trial 4 is outside the best one's interval"


def test_a_clear_winner_is_repeated_alone_and_without_an_interval_the_best_few_are():
    assert all_of(repeats(ended(0, 0.9, low=0.89), ended(1, 0.8))) == [0, 0]
    assert all_of(repeats(*(ended(number, number / 10) for number in range(6)))) == [5, 4, 3] * 2
    assert FEW == 3


def test_one_seed_repeats_nothing_and_no_trial_nothing_either():
    assert all_of(repeats(ended(0, 0.9), seeds=1)) == []
    assert all_of(repeats()) == []


def test_no_more_than_a_share_of_the_trials_and_of_the_time():
    rows = [ended(number, number / 10) for number in range(6)]
    assert len(all_of(repeats(*rows, trials=12))) == 3
    assert all_of(repeats(*rows, trials=3)) == []
    slow = [ended(number, number / 10, seconds=100.0) for number in range(6)]
    assert len(all_of(repeats(*slow, budget=Budget(2_000.0)))) == 2, "15 % of 2,000 s"


def test_what_an_earlier_sitting_repeated_is_not_repeated_again():
    rows = [ended(0, 0.9, low=0.85), ended(1, 0.88), ended(2, 0.9, repeat_of=0), ended(3, 0.7, repeat_of=1)]
    assert all_of(repeats(*rows)) == [0, 1]


def test_they_are_due_when_the_rest_of_the_time_is_needed_for_them():
    rows = [ended(0, 0.9, low=0.89, seconds=50.0)]
    assert not repeats(*rows, budget=Budget(1_000.0)).are_due()
    nearly_over = Budget(1_000.0, started=time.monotonic() - 720)
    assert repeats(*rows, budget=nearly_over).are_due(), "two of 51 s, and one that may be under way, of 130"
    assert not repeats(*rows, budget=nearly_over, seeds=1).are_due()


def test_what_no_longer_fits_is_not_begun():
    over = Budget(1_000.0, started=time.monotonic() - 830)
    assert all_of(repeats(ended(0, 0.9, seconds=50.0), budget=over)) == []


class Lucky(PretendWorkshop):
    """Scores a plan by its learning rate and a little by its seed."""

    def rows_of(self, job):
        for row in super().rows_of(job):
            luck = (job.plan.seed % 7) / 1_000
            ending = row.ending
            if ending is not None and ending.score is not None:
                score = {**ending.score, "value": row.score + luck}
                ending = Ending("complete", score=score, scores={"accuracy": row.score + luck})
            yield type(row)(**{**vars(row), "score": row.score + luck, "ending": ending})


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    path = tmp_path_factory.mktemp("repeated") / "run"
    dry, started = path.parent / "killed", []

    def listen(event):
        if isinstance(event, TrialStarted):
            started.append(event.number)
            if len(started) == 17:  # two baselines, the given plan, eleven more, and the third repeat has just begun
                snapshot(path, dry)

    order = an_order(seeds=3, early_stopping=True)
    why, rows, curves = run_search(path, order, listen=listen, make_workshop=Lucky)
    return order, why, rows, curves, dry


def test_repeats_are_rows_beside_the_budget_trained_to_their_end_with_seeds_of_their_own(searched):
    order, why, rows, curves, _ = searched
    again = [row for row in rows if row["repeat_of"] is not None]
    assert why == "trials"
    assert len(rows) == order.trials + len(order.baselines) + len(again)
    assert len(again) == 3, "a quarter of twelve trials"
    by_number = {row["trial"]: row for row in rows}
    for row in again:
        original = by_number[row["repeat_of"]]
        assert row["status"] == "complete"
        assert len(curves[row["trial"]]) == EPOCHS, "no repeat is stopped early"
        assert row["plan"]["seed"] != original["plan"]["seed"]
        assert {**row["plan"], "seed": 0} == {**original["plan"], "seed": 0}
    best = max((row for row in rows if row["repeat_of"] is None and row["status"] == "complete"), key=_value)
    assert best["trial"] in {row["repeat_of"] for row in again}


def test_a_search_that_is_killed_while_it_repeats_goes_on_with_what_is_left(searched):
    order, _, rows, _, dry = searched
    why, resumed, _ = run_search(dry, order, make_workshop=Lucky)
    assert why == "trials"
    assert [_told(row) for row in resumed] == [_told(row) for row in rows]


def test_heads_that_share_a_packet_are_repeated_alone(tmp_path):
    order = an_order(space=a_space(head=Fixed(LINEAR)), given=[a_plan(head=LINEAR)], trials=16, seeds=2)
    _, rows, _ = run_search(tmp_path / "run", order, make_workshop=Lucky)
    again = [row for row in rows if row["repeat_of"] is not None]
    assert 1 <= len(again) <= 3
    assert all(row["status"] == "complete" for row in again)


def _value(row):
    return row["score"]["value"]


def _told(row):
    return {name: row[name] for name in ("trial", "plan", "status", "repeat_of", "score")}
