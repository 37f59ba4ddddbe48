"""The charts say what the leaderboard says."""

from dataclasses import replace
from statistics import median

from sample import sample_values

from autotl.report import charts
from autotl.report.charts.learning import MOST_POINTS, thinned
from autotl.report.charts.mistakes import distinct
from autotl.report.charts.parallel import MOST_LINES
from autotl.report.entries import Interval, read_entries, winner_of
from autotl.report.sections import worth

ENTRIES = read_entries(sample_values().leaderboard)


def test_the_comparison_shows_the_winner_first_then_every_named_baseline():
    winner = winner_of(ENTRIES)
    assert winner is not None
    chart = charts.comparison(ENTRIES, winner, "accuracy")
    assert chart is not None
    models = list(dict.fromkeys(row["model"].split(" ·")[0] for row in chart.rows))
    assert models == ["winner", "full_finetune", "linear_probe", "source_only", "no_transfer"]
    assert {row["on"] for row in chart.rows} == {"validation", "test"}


def test_nothing_on_a_line_of_the_unbeaten_is_beaten():
    for chart in charts.score_against_cost(ENTRIES, "accuracy", higher_is_better=True):
        cost = chart.name.removeprefix("cost-")
        line = chart.table
        assert [row["score"] for row in line] == sorted(row["score"] for row in line)
        for row in chart.rows:
            beaten = any(other[cost] <= row[cost] and other["score"] > row["score"] for other in chart.rows)
            assert row.get(f"best_{cost}", False) != beaten


def test_where_less_is_better_the_line_goes_down():
    latency, *_ = charts.score_against_cost(ENTRIES, "log_loss", higher_is_better=False)
    line = [row["score"] for row in latency.table]
    assert line == sorted(line, reverse=True)


def test_charts_of_cost_draw_the_same_rows():
    latency, size, seconds = charts.score_against_cost(ENTRIES, "accuracy", higher_is_better=True)
    assert latency.rows is size.rows is seconds.rows


def test_a_cost_that_nobody_knows_has_no_chart():
    without = [replace(entry, latency_ms=None) for entry in ENTRIES]
    drawn = charts.score_against_cost(without, "accuracy", higher_is_better=True)
    assert [chart.name for chart in drawn] == ["cost-size", "cost-seconds"]


def test_best_and_middle_of_each_choice_are_marked():
    (dimension,) = [each for each in worth(ENTRIES, higher_is_better=True) if each.name == "unfrozen layers"]
    chart = charts.best_by(dimension, ENTRIES, "accuracy")
    assert chart is not None
    for choice in {row["choice"] for row in chart.rows}:
        own = [row for row in chart.rows if row["choice"] == choice]
        scores = [row["score"] for row in own if "mark" not in row]
        marks = {row["mark"]: row["score"] for row in own if "mark" in row}
        assert marks == {"best": max(scores), "middle": median(scores)}


def test_baselines_have_no_tick():
    (dimension,) = [each for each in worth(ENTRIES, higher_is_better=True) if each.name == "backbone"]
    chart = charts.best_by(dimension, ENTRIES, "accuracy")
    assert chart is not None
    baselines = {entry.trial for entry in ENTRIES if entry.is_baseline}
    assert not baselines & {row.get("trial") for row in chart.rows}


def test_time_adds_up():
    chart = charts.trial_time(ENTRIES)
    assert chart is not None
    assert chart.rows[-1]["end"] == sum(row["end"] - row["start"] for row in chart.rows)


def test_a_long_curve_is_thinned_and_keeps_its_end():
    steps = [{"epoch": epoch} for epoch in range(1, 1001)]
    assert len(thinned(steps)) <= MOST_POINTS
    assert thinned(steps)[-1] == {"epoch": 1000}
    assert thinned(steps[:3]) == steps[:3]


def test_no_spec_names_an_address_or_holds_data_of_its_own():
    for chart in charts.learning_curves(
        {ENTRIES[0].trial: [{"epoch": 1, "score": 0.5, "train_loss": 1.0}]}, ENTRIES, "accuracy"
    ):
        assert "http" not in str(chart.spec)
        assert "values" not in chart.spec["data"]
        assert chart.drawing["datasets"]["rows"] == chart.rows


def test_two_classes_of_one_name_stay_two():
    assert distinct(["cat", "dog", "cat"]) == ["cat", "dog", "cat (2)"]


def found(*shares):
    """What `importances` gives for settings called a, b, c …"""
    parameters = [
        {
            "name": "abcdefghijklmnop"[place],
            "share": share,
            "low": 0.0,
            "high": share,
            "chance": 0.1,
            "stands_out": False,
        }
        for place, share in enumerate(shares)
    ]
    return {"trials": 40, "needed": 20, "best_share": 0.125, "parameters": parameters}


def test_importance_has_a_bar_per_setting_and_none_where_too_little_is_known():
    chart = charts.importance(found(0.7, 0.3))
    assert chart is not None
    assert [(row["setting"], row["share"]) for row in chart.rows] == [("a", 0.7), ("b", 0.3)]
    assert charts.importance(found()) is None
    assert charts.importance(None) is None


def ends_of(chart):
    """Where each trial's line crosses the last axis."""
    return {row["trial"]: row["at"][-1] for row in chart.rows if "trial" in row}


def axes_of(chart):
    return [row["title"] for row in chart.rows if "title" in row]


def test_a_line_of_parallel_coordinates_ends_at_its_score():
    chart = charts.parallel(ENTRIES, "accuracy", higher_is_better=True)
    assert chart is not None
    ends, scored = ends_of(chart), [entry for entry in ENTRIES if entry.rank is not None]
    assert set(ends) == {entry.trial for entry in scored}
    best, worst = max(scored, key=score_of), min(scored, key=score_of)
    assert (ends[best.trial], ends[worst.trial]) == (1.0, 0.0)
    turned = charts.parallel(ENTRIES, "log_loss", higher_is_better=False)
    assert turned is not None
    assert (ends_of(turned)[best.trial], ends_of(turned)[worst.trial]) == (0.0, 1.0)


def score_of(entry):
    return entry.score.value


def test_of_many_trials_the_best_and_an_even_choice_of_the_others_are_drawn():
    (first, *_) = [entry for entry in ENTRIES if entry.rank is not None]
    many = [
        replace(
            first,
            trial=number,
            rank=number + 1,
            winner=number == 0,
            score=Interval(1 - number / 5000, None, None),
            plan={**first.plan, "learning_rate": 0.001 + number / 1e6, "unfrozen_layers": number % 3},
        )
        for number in range(3000)
    ]
    chart = charts.parallel(many, "accuracy", higher_is_better=True)
    assert chart is not None
    drawn = ends_of(chart)
    assert len(drawn) == MOST_LINES
    assert {*range(MOST_LINES // 4), 2999} <= set(drawn)


def test_settings_that_did_not_vary_have_no_axis_and_the_most_important_come_first():
    chart = charts.parallel(ENTRIES, "accuracy", higher_is_better=True, order=["views", "learning_rate"])
    assert chart is not None
    axes = axes_of(chart)
    assert axes[:2] == ["views", "learning rate"]
    assert axes[-1] == "accuracy"
    assert not {"image size", "tap", "adaptation"} & set(axes)
