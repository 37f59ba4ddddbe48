"""With a limit on latency only a model that was measured, and keeps it, may win; no more than needed are measured."""

import pytest

from autotl.api.latencies import LATENCY, Latencies

LIMIT = 20.0


def row(trial, score, *, backbone="lite0", **plan):
    return {"trial": trial, "score": score, "plan": {"backbone": backbone, **plan}, LATENCY: None, "winner": False}


def ranked(rows):
    """The best by score among those within the limit wins."""
    order = sorted(rows, key=lambda each: (each[LATENCY] > LIMIT, -each["score"]))
    return [{**each, "winner": each is order[0] and each[LATENCY] <= LIMIT} for each in order]


class Measuring:
    def __init__(self, **milliseconds):
        self.milliseconds = milliseconds
        self.asked = []

    def __call__(self, row):
        self.asked.append(row["trial"])
        return self.milliseconds[row["plan"]["backbone"]]


def test_the_best_that_keeps_the_limit_wins_and_the_rest_is_not_measured():
    rows = [row(0, 0.7), row(1, 0.9, backbone="large"), row(2, 0.8, backbone="lite1"), row(3, 0.1, backbone="lite2")]
    measure = Measuring(large=31.0, lite1=12.0, lite0=5.0, lite2=9.0)
    latencies = Latencies(measure)
    order = latencies.within_limit(rows, ranked)
    assert next(each["trial"] for each in order if each["winner"]) == 2
    assert measure.asked == [1, 2]
    assert latencies.measured == {1: 31.0, 2: 12.0}
    by_trial = {each["trial"]: each for each in order}
    assert (by_trial[1][LATENCY], by_trial[1]["latency_estimated"]) == (31.0, False)
    assert (by_trial[0][LATENCY], by_trial[0]["latency_estimated"]) == (None, True)


def test_plans_that_make_the_same_model_are_measured_once():
    rows = [row(number, 0.9 - number / 100, backbone="large", learning_rate=number) for number in range(5)]
    measure = Measuring(large=31.0, lite0=5.0)
    order = Latencies(measure).within_limit([*rows, row(5, 0.5)], ranked)
    assert measure.asked == [0, 5]
    assert [each["trial"] for each in order if each["winner"]] == [5]
    assert all(each[LATENCY] == 31.0 for each in order if each["trial"] < 5)


@pytest.mark.parametrize("field", ["image_size", "tap", "head", "join"])
def test_plans_that_make_other_models_are_not(field):
    rows = [row(0, 0.9, backbone="large", **{field: "a"}), row(1, 0.8, backbone="large", **{field: "b"})]
    measure = Measuring(large=31.0)
    order = Latencies(measure).within_limit(rows, ranked)
    assert measure.asked == [0, 1]
    assert not any(each["winner"] for each in order), "nothing meets it"
