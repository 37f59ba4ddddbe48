"""The ledger: nothing is spent that is not written, and nothing that is done again is paid for twice."""

import json
import stat

import pytest

pytest.importorskip("dp_accounting")

from autotl.backbones import BackboneSpec
from autotl.errors import StorageError
from autotl.plan import Plan
from autotl.run.ledger import BudgetSpentError, forget_key, open_ledger, read_ledger
from autotl.trial.private.accountant import NoisyCount, NoisySums, epsilon_of

PLAN = Plan(BackboneSpec("scratch", "small_cnn"))
LOOKS = [NoisySums(60, 30.0)]


@pytest.fixture
def ledger(tmp_path):
    return open_ledger(tmp_path, epsilon=3.0, delta=1e-5)[0]


def test_what_is_charged_is_read_back(ledger):
    ledger.charge(0, PLAN, "training", "train", LOOKS)
    (entry,) = read_ledger(ledger.path)
    assert (entry.trial, entry.purpose, entry.rows, entry.looks) == (0, "training", "train", tuple(LOOKS))
    assert entry.time.endswith("+00:00")


def test_each_example_pays_for_what_it_took_part_in(ledger):
    ledger.charge(0, PLAN, "training", "train", LOOKS)
    ledger.charge(0, PLAN, "score", "validation", [NoisyCount(0.25)])
    assert ledger.spent == pytest.approx(epsilon_of(LOOKS, 1e-5)), "no example is in both"
    ledger.charge(0, PLAN, "final", "all", LOOKS)
    assert ledger.spent == pytest.approx(epsilon_of(LOOKS * 2, 1e-5))
    ledger.charge(0, PLAN, "test", "test", [NoisyCount(2.9)])
    assert ledger.spent == pytest.approx(2.9, abs=1e-3)


def test_more_than_the_budget_is_refused_and_not_written(ledger):
    ledger.charge(0, PLAN, "training", "train", LOOKS)
    with pytest.raises(BudgetSpentError, match="training of trial 1 would bring what is spent to epsilon"):
        ledger.charge(1, PLAN, "training", "train", [NoisySums(60, 4.0)])
    assert len(list(ledger.entries())) == 1


def test_the_same_noise_again_is_not_paid_for_twice(tmp_path):
    for _ in range(3):  # a search that is killed and resumed
        ledger, _ = open_ledger(tmp_path, epsilon=3.0, delta=1e-5)
        ledger.charge(0, PLAN, "training", "train", LOOKS)
    assert len(list(ledger.entries())) == 1


def test_what_a_lost_key_makes_another_look_is_paid_for_again(tmp_path):
    for _ in range(2):
        ledger, _ = open_ledger(tmp_path, epsilon=3.0, delta=1e-5)
        ledger.charge(0, PLAN, "training", "train", LOOKS)
        forget_key(tmp_path)
    assert len(list(ledger.entries())) == 2


OTHER_PLAN = Plan(PLAN.backbone, tap="P4")


@pytest.mark.parametrize(
    "changed", [{"trial": 1}, {"purpose": "final"}, {"looks": [NoisySums(61, 30.0)]}, {"plan": OTHER_PLAN}]
)
def test_another_trial_plan_or_look_is_paid_for(ledger, changed):
    values = {"trial": 0, "plan": PLAN, "purpose": "training", "rows": "train", "looks": LOOKS}
    ledger.charge(**values)
    ledger.charge(**{**values, **changed})
    assert len(list(ledger.entries())) == 2


def test_a_power_cut_in_the_middle_of_a_line_loses_nothing_that_was_spent(ledger):
    ledger.charge(0, PLAN, "training", "train", LOOKS)
    whole = ledger.path.read_bytes()
    ledger.path.write_bytes(whole + whole[:40])  # the next one was being written, and its noise not drawn yet
    assert len(list(ledger.entries())) == 1
    ledger.charge(1, PLAN, "training", "train", LOOKS)
    assert [entry.trial for entry in ledger.entries()] == [0, 1]


def test_a_line_that_was_changed_ends_everything(ledger):
    ledger.charge(0, PLAN, "training", "train", LOOKS)
    ledger.path.write_text(json.dumps({"looks": "none"}) + "\n")
    with pytest.raises(StorageError, match="line 1, cannot be read, so what was spent is not known"):
        ledger.charge(1, PLAN, "training", "train", LOOKS)


def test_the_key_is_the_owners_alone_and_stays_the_same(tmp_path):
    (ledger, first), (_, again) = (open_ledger(tmp_path, epsilon=3.0, delta=1e-5) for _ in range(2))
    place = tmp_path / "private" / "noise.key"
    assert first == again == place.read_bytes()
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    ledger.charge(0, PLAN, "training", "train", LOOKS)
    assert first.hex()[:16] not in ledger.path.read_text()
