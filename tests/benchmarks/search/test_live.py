from autotl.run.trial_row import new_row
from autotl.search.events import SearchStarted, TrialEnded
from benchmarks.search.live import Watch


def ended(number, *, status="complete", value=None, baseline=None):
    row = new_row(number, {"backbone": "tiny"}, baseline=baseline)
    row["status"] = status
    row["score"] = None if value is None else {"value": value}
    return TrialEnded(row)


def test_the_goal_is_reached_by_the_first_complete_trial_that_is_good_enough():
    ends = []
    watch = Watch(0.9, end=lambda: ends.append("ended"))
    watch(SearchStarted(trials=4, baselines=1, workers=1, ends_by=0.0))
    watch(ended(0, value=0.95, baseline="linear_probe"))
    watch(ended(1, value=0.8))
    watch(ended(2, status="pruned", value=0.95))
    assert watch.seconds is None
    assert not ends
    watch(ended(3, value=0.9))
    watch(ended(4, value=0.99))
    assert watch.trials == 3
    assert 0 <= watch.seconds <= watch.elapsed
    assert watch.ended == 4
    assert ends == ["ended"], "once: what was under way may still come to its end"


def test_a_trial_without_a_score_reaches_no_goal():
    watch = Watch(goal=0.9)
    watch(ended(0, status="failed"))
    assert (watch.ended, watch.seconds) == (1, None)
