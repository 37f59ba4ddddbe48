"""The charts say what the leaderboard says."""

from sample import sample_values

from autotl.report import charts
from autotl.report.charts.learning import MOST_POINTS, thinned
from autotl.report.charts.mistakes import distinct
from autotl.report.charts.searched import in_order
from autotl.report.entries import read_entries, winner_of

ENTRIES = read_entries(sample_values().leaderboard)


def test_the_comparison_shows_the_winner_first_then_every_named_baseline():
    winner = winner_of(ENTRIES)
    assert winner is not None
    chart = charts.comparison(ENTRIES, winner, "accuracy")
    assert chart is not None
    models = list(dict.fromkeys(row["model"].split(" ·")[0] for row in chart.rows))
    assert models == ["winner", "full_finetune", "linear_probe", "source_only", "no_transfer"]
    assert {row["on"] for row in chart.rows} == {"validation", "test"}


def test_nothing_on_the_line_of_the_unbeaten_is_beaten():
    latency, _ = charts.score_against_cost(ENTRIES, "accuracy", higher_is_better=True)
    line = [row for row in latency.table if row["best"]]
    assert [row["score"] for row in line] == sorted(row["score"] for row in line)
    for row in latency.table:
        beaten = any(other["cost"] <= row["cost"] and other["score"] > row["score"] for other in latency.table)
        assert row["best"] != beaten


def test_where_less_is_better_the_line_goes_down():
    latency, _ = charts.score_against_cost(ENTRIES, "log_loss", higher_is_better=False)
    line = [row["score"] for row in latency.table if row["best"]]
    assert line == sorted(line, reverse=True)


def test_the_best_of_each_choice_is_marked():
    chart = charts.best_by("unfrozen", ENTRIES, "accuracy", higher_is_better=True)
    assert chart is not None
    for choice in {row["choice"] for row in chart.rows}:
        scores = {row["score"]: row["best"] for row in chart.rows if row["choice"] == choice}
        assert [score for score, best in scores.items() if best] == [max(scores)]


def test_a_dimension_with_one_choice_has_no_chart():
    assert charts.best_by("adaptation", ENTRIES, "accuracy", higher_is_better=True) is None


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


def test_choices_are_ordered_as_people_count():
    assert in_order({"all", "12", "4", "0"}) == ["0", "4", "12", "all"]
