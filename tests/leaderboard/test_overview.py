"""The best of every task: only runs on the same data compare, and without labels the latest counts."""

from board_trials import row

from autotl.leaderboard import FinishedRun, best_of_tasks


def run(path, value=None, *, corrected=None, task="pets", data="d1", kind="validation", higher_is_better=True, **more):
    rows = [] if value is None else [row(3, value, **more) | {"winner": True}]
    for each in rows:
        each["score"]["kind"] = kind
    content = {
        "task": task,
        "metric": "accuracy",
        "regime": kind,
        "higher_is_better": higher_is_better,
        "trials": rows,
    }
    headline = {} if corrected is None else {"corrected": {"value": corrected, "low": 0.1, "high": 0.99}}
    return FinishedRun(path, content, headline, data)


def best(*runs):
    found = best_of_tasks(runs)
    assert len(found) == 1
    return found[0]


def test_the_figure_corrected_for_selection_decides():
    lucky, sound = run("lucky", 0.95, corrected=0.8), run("sound", 0.9, corrected=0.88)
    found = best(lucky, sound)
    assert (found.run, found.trial, found.runs) == ("sound", 3, 2)
    assert found.figure["value"] == 0.88


def test_a_run_still_going_counts_by_its_own_score():
    assert best(run("done", 0.9, corrected=0.7), run("going", 0.8)).run == "going"


def test_of_a_loss_the_lowest_is_best():
    runs = [run(name, value, higher_is_better=False) for name, value in (("a", 0.4), ("b", 0.2))]
    assert best(*runs).run == "b"


def test_runs_on_other_data_are_another_entry():
    found = best_of_tasks([run("a", 0.9), run("b", 0.8, data="d2")])
    assert [each.run for each in found] == ["a", "b"]


def test_tasks_stand_in_the_order_of_their_names():
    found = best_of_tasks([run("a", 0.9, task="zoo"), run("b", 0.8, task="ants")])
    assert [each.task for each in found] == ["ants", "zoo"]


def test_without_target_labels_the_latest_run_counts_and_has_no_figure():
    found = best(run("first", 0.99, kind="label_free"), run("second", 0.5, kind="label_free"))
    assert (found.run, found.figure) == ("second", None)


def test_what_ships_is_what_the_test_figure_is_of():
    tested = run("a", 0.9, test={"value": 0.8}, refit_test={"value": 0.85})
    assert best(tested).test == {"value": 0.85}


def test_a_task_whose_runs_have_no_winner_is_not_hidden():
    found = best(run("a"), run("b"))
    assert (found.run, found.trial, found.runs) == (None, None, 2)
