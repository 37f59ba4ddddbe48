"""Who is stopped early: compared at rungs alone, with plans that came as far, and not before a method's loss counts."""

from types import SimpleNamespace

import pytest
from ray.tune.schedulers import TrialScheduler

from autotl.backbones import BackboneSpec
from autotl.plan import Choice, Plan
from autotl.search.stopping import EarlyStopping
from autotl.trial.halving import FIRST_RUNG, grace_of

GOES_ON, STOPS = TrialScheduler.CONTINUE, TrialScheduler.STOP


class PretendSearcher:
    """Knows of each trial its plan's grace, and which are baselines."""

    def __init__(self, *, grace=(), baselines=()):
        self.grace, self.baselines = dict(grace), set(baselines)

    def is_protected(self, trial_id):
        return trial_id in self.baselines

    def is_compared(self, trial_id, epoch):
        return not self.is_protected(trial_id) and epoch > self.grace.get(trial_id, 0)

    def scores_before(self, trial_id):
        return {}


class Desk:
    """A scheduler and the trials that report to it."""

    def __init__(self, *, longest_plan=12, **searcher):
        self.scheduler = EarlyStopping(PretendSearcher(**searcher), longest_plan=longest_plan, higher_is_better=True)
        self.trials = {}

    def says(self, name, epoch, score):
        if name not in self.trials:
            self.trials[name] = SimpleNamespace(trial_id=name)
            self.scheduler.on_trial_add(None, self.trials[name])
        return self.scheduler.on_trial_result(None, self.trials[name], {"epoch": epoch, "score": score})

    def trains(self, name, scores):
        """Whether it came to its end, and after how many epochs it was stopped."""
        for epoch, score in enumerate(scores, start=1):
            if epoch < len(scores) and self.says(name, epoch, score) == STOPS:
                return epoch
        self.scheduler.on_trial_complete(None, self.trials[name], {"epoch": len(scores), "score": scores[-1]})
        return None


def test_a_slow_start_is_forgiven_until_the_first_rung():
    desk = Desk()
    assert desk.trains("first", [0.8] * 12) is None
    assert desk.trains("slow", [0.1, 0.2, 0.9, *[0.95] * 9]) is None
    assert desk.trains("poor", [0.7] * 12) == FIRST_RUNG


def test_between_rungs_nobody_is_stopped():
    desk = Desk()
    desk.trains("first", [0.8] * 12)
    assert desk.trains("sinking", [0.9, 0.9, 0.9, *[0.1] * 5, 0.9, 0.9, 0.9, 0.9]) is None


def test_a_plan_is_left_alone_while_its_methods_loss_grows():
    desk = Desk(grace={"adversarial": 6})
    desk.trains("first", [0.8] * 12)
    assert desk.trains("adversarial", [0.1] * 8 + [0.9] * 4) is None
    assert desk.trains("poor", [0.1] * 12) == FIRST_RUNG


def test_a_late_score_raises_no_bar_for_those_at_an_earlier_rung():
    desk = Desk(grace={"adversarial": 6}, baselines={"probe"})
    desk.trains("adversarial", [0.1] * 3 + [0.99] * 9)
    desk.trains("probe", [0.99] * 12)
    desk.trains("short", [0.5, 0.99])
    assert desk.trains("next", [0.5] * 9 + [0.6] * 3) == 9, "at epoch 9 the adversarial one has 0.99"


@pytest.mark.parametrize(
    ("method", "epochs", "grace"), [("none", 12, 0), ("coral", 12, 0), ("dann", 12, 6), ("mcc", 9, 5), ("shot", 12, 0)]
)
def test_grace_is_set_by_the_ramp(method, epochs, grace):
    plan = Plan(BackboneSpec("scratch", "small_cnn"), adaptation=Choice(method), epochs=epochs)
    assert grace_of(plan) == grace
