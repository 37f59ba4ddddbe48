"""What Optuna's own storage would have written is in the run's database, so that its tools read it."""

import math
from functools import partial

import optuna
import pytest
from optuna.trial import TrialState

from autotl.run import Study
from autotl.run.optuna_tables import complete_trials, optuna_study


@pytest.fixture
def study(tmp_path):
    study = Study(tmp_path / "study.db")
    yield study
    study.close()


def sampler():
    return optuna.samplers.RandomSampler(seed=0)


def loaded(study, name="flowers"):
    return optuna.load_study(study_name=name, storage=f"sqlite:///{study.path}")


def a_search(theirs):
    """Trials of every kind of ending, parameter and value."""
    theirs.enqueue_trial({"rate": 0.01, "layers": 4})
    for number in range(8):
        trial = theirs.ask()
        rate = trial.suggest_float("rate", 1e-4, 1.0, log=True)
        layers = trial.suggest_categorical("layers", [0, 4, "all"])
        trial.suggest_int("units", 8, 64)
        trial.set_user_attr("baseline", "linear_probe")
        trial.set_user_attr("baseline", f"again {number}")
        for step, value in enumerate((rate, math.nan, math.inf, -math.inf)):
            trial.report(value, step)
        match number:
            case 0 | 1 | 2:
                theirs.tell(trial, rate + (layers == 4))
            case 3:
                theirs.tell(trial, math.inf)
            case 4:
                theirs.tell(trial, state=TrialState.PRUNED)
            case 5:
                theirs.tell(trial, state=TrialState.FAIL)


def as_values(trial):
    return (
        trial.number,
        trial.state,
        trial.values,
        trial.params,
        trial.distributions,
        trial.user_attrs,
        trial.system_attrs,
        {step: repr(value) for step, value in trial.intermediate_values.items()},
        trial.datetime_start,
        trial.datetime_complete,
    )


def test_optuna_reads_back_every_trial_as_it_is_in_memory(study):
    with optuna_study(study, name="flowers", higher_is_better=True, sampler=sampler()) as theirs:
        a_search(theirs)
        here = theirs.get_trials()
    there = loaded(study).get_trials()
    assert len(there) == 8
    assert [as_values(trial) for trial in there] == [as_values(trial) for trial in here]


def test_optunas_own_storage_would_have_written_the_same(study, tmp_path):
    with optuna_study(study, name="flowers", higher_is_better=True, sampler=sampler()) as theirs:
        a_search(theirs)
    url = f"sqlite:///{tmp_path / 'own.db'}"
    a_search(optuna.create_study(study_name="flowers", storage=url, sampler=sampler(), direction="maximize"))
    own = optuna.load_study(study_name="flowers", storage=url).get_trials()
    without_times = [as_values(trial)[:-2] for trial in own]
    assert [as_values(trial)[:-2] for trial in loaded(study).get_trials()] == without_times


def test_complete_trials_are_read_without_optunas_own_storage(study):
    assert complete_trials(study) == []
    with optuna_study(study, name="flowers", higher_is_better=True, sampler=sampler()) as theirs:
        a_search(theirs)
    there = loaded(study).get_trials(states=(TrialState.COMPLETE,))
    finite = [(each.value, each.params, each.distributions) for each in there if math.isfinite(each.value)]
    assert len(finite) == 3
    assert [(each.value, each.params, each.distributions) for each in complete_trials(study)] == finite


def test_a_study_goes_on_where_it_was_left(study):
    start = partial(optuna_study, study, name="flowers", higher_is_better=True, sampler=sampler())
    with start() as theirs:
        a_search(theirs)
        before = [as_values(trial) for trial in theirs.get_trials()]
    with start() as theirs:
        assert [as_values(trial) for trial in theirs.get_trials()] == before
        theirs.tell(6, 0.25)  # it was running when the search was left
        theirs.tell(theirs.ask(), 0.5)
    there = loaded(study).get_trials()
    assert [trial.number for trial in there] == list(range(9))
    assert [trial.value for trial in there[6:]] == [0.25, None, 0.5]
    assert len(loaded(study).get_trials(states=(TrialState.RUNNING,))) == 1


@pytest.mark.parametrize(("higher_is_better", "best"), [(True, 0.75), (False, 0.25)])
def test_optunas_tables_stand_beside_ours(study, higher_is_better, best):
    study.put_trial(0, "complete", {"trial": 0})
    with optuna_study(study, name="flowers", higher_is_better=higher_is_better, sampler=sampler()) as theirs:
        for value in (0.25, 0.75):
            theirs.tell(theirs.ask(), value)
        with study.transaction():
            theirs.tell(theirs.ask(), 0.5)
            study.put_trial(1, "complete", {"trial": 1})
    assert loaded(study).best_value == best
    assert [row["trial"] for row in study.trials()] == [0, 1]


def test_when_it_is_closed_the_database_is_one_file(tmp_path):
    study = Study(tmp_path / "study.db")
    with optuna_study(study, name="flowers", higher_is_better=True, sampler=sampler()) as theirs:
        trial = theirs.ask()
        trial.report(0.5, 1)
        theirs.tell(trial, 0.5)
    study.close()
    assert theirs is not None, "the study is still referred to, as a caller may do"
    assert [path.name for path in tmp_path.iterdir()] == ["study.db"]
