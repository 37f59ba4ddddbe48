"""What a search did not bring to its end is taken up again; what came to its own end is never touched."""

import optuna
import pytest
from optuna.trial import TrialState

from autotl.run import Study
from autotl.run.cut_off import NEVER_BEGAN, is_cut_off, reopen, trials_marked
from autotl.run.optuna_tables import optuna_study


@pytest.fixture
def study(tmp_path):
    study = Study(tmp_path / "study.db")
    yield study
    study.close()


ENDINGS = [
    ("complete", None),
    ("pruned", "stopped early after epoch 1"),
    ("failed", "diverged"),
    ("pruned", "interrupted"),
    ("pruned", "the search broke off"),
    ("pruned", "budget"),
]


@pytest.fixture
def stopped(study):
    """A trial of each ending, and one that Optuna was asked for and nobody began."""
    states = {"complete": TrialState.COMPLETE, "pruned": TrialState.PRUNED, "failed": TrialState.FAIL}
    with optuna_study(study, name="toy", higher_is_better=True, sampler=optuna.samplers.RandomSampler(0)) as theirs:
        for number, (status, reason) in enumerate(ENDINGS):
            trial = theirs.ask()
            trial.suggest_float("rate", 0, 1)
            trial.report(0.5, 1)
            theirs.tell(trial, 0.5 if status == "complete" else None, state=states[status])
            row = {"trial": number, "status": status, "reason": reason, "failure": None, "score": 1, "scores": {}}
            study.put_trial(number, status, row)
        trial = theirs.ask()
        trial.set_user_attr(NEVER_BEGAN, True)
        theirs.tell(trial, state=TrialState.FAIL)
    return study


def states(study):
    with optuna_study(study, name="toy", higher_is_better=True, sampler=optuna.samplers.RandomSampler(0)) as theirs:
        return [(trial.state.name, trial.values) for trial in theirs.get_trials()]


def test_only_what_was_cut_off_for_one_of_the_reasons_is_under_way_again(stopped):
    before, rows = states(stopped), stopped.trials()
    reopen(stopped, reasons=("interrupted", "the search broke off"))
    assert [row["status"] for row in stopped.trials()] == [
        "complete",
        "pruned",
        "failed",
        "running",
        "running",
        "pruned",
    ]
    assert stopped.trials()[:3] == rows[:3]
    assert stopped.trials()[3]["score"] is None
    after = states(stopped)
    assert after[:3] == before[:3]
    assert after[3:5] == [("RUNNING", None)] * 2, "without the value that Optuna gives to what is pruned"
    assert after[5] == before[5]


def test_what_only_waited_waits_again(stopped):
    assert trials_marked(stopped, NEVER_BEGAN) == {6}
    reopen(stopped, reasons=())
    assert trials_marked(stopped, NEVER_BEGAN) == frozenset()
    assert states(stopped)[6] == ("RUNNING", None)


def test_a_run_without_any_trial_can_be_reopened(study):
    reopen(study, reasons=("interrupted",))
    assert trials_marked(study, NEVER_BEGAN) == frozenset()


def test_what_may_go_on_is_known_by_its_reason():
    assert [is_cut_off(*ending) for ending in ENDINGS] == [False, False, False, True, True, True]
