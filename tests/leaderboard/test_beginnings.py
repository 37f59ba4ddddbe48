import pytest

from autotl.leaderboard import sentences_of_beginning

BEGUN = [{"plan": {"rate": 1, "batch_size": 32, "seed": 0}, "origin": "kitchen"}]
BEGUN += [{"plan": {"rate": 2, "batch_size": 32, "seed": 0}, "origin": "portfolio"}]


def a_row(number, rate, *, status="complete", baseline=None, batch_size=32, asked=None):
    plan = {"rate": rate, "batch_size": batch_size, "seed": number}
    return {"trial": number, "status": status, "baseline": baseline, "plan": plan, "asked_batch_size": asked}


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (
            [a_row(3, 9), a_row(1, 1), a_row(4, 8), a_row(2, 7), a_row(0, 2)],
            "trial 1, from what did best on kitchen, was the best; after 1 other plan, one that the search proposed "
            "itself was better: trial 3.",
        ),
        ([a_row(2, 9), a_row(0, 2)], "trial 0, from our portfolio, was the best; the first plan that"),
        ([a_row(0, 2), a_row(2, 9), a_row(3, 8, status="pruned")], "none of the 2 plans that the search proposed"),
        ([a_row(0, 1), a_row(1, 2)], "was the best; no other plan was tried."),
        ([a_row(0, 1, batch_size=16, asked=32), a_row(1, 5)], "trial 0, from what did best on kitchen, was the best"),
    ],
)
def test_it_is_said_how_far_they_carried(rows, said):
    (sentence,) = sentences_of_beginning(rows, BEGUN)
    assert said in sentence


def test_nothing_is_said_where_there_were_none_or_none_ended():
    assert sentences_of_beginning([a_row(0, 1)], []) == []
    assert sentences_of_beginning([a_row(0, 1, status="failed"), a_row(1, 5)], BEGUN) == []
    assert sentences_of_beginning([a_row(0, 1, baseline="linear_probe")], BEGUN) == []
