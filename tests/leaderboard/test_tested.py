"""What the test set said, in words."""

import pytest
from board_trials import row

from autotl.leaderboard import test_sentences as sentences_of

FIGURE = {"value": 0.875, "low": 0.84, "high": 0.9}
BARE = {"value": 0.8, "low": None, "high": None}


def sentences(*rows, **own):
    settings = {"metric": "accuracy", "uses": 1, "rows_tested": 1200, "protocol": "given", "source_score": None}
    return sentences_of(rows, **(settings | {"strangers": ()} | own))


def winner(**own):
    return row(3, 0.9, winner=True, **({"test": FIGURE} | own))


def test_the_winners_figure_comes_first_with_its_interval():
    assert sentences(winner()) == [
        "On 1,200 test examples the shipped model reaches accuracy 0.875 (0.840 to 0.900).",
    ]


def test_the_figure_is_that_of_the_weights_that_ship():
    told = sentences(winner(refit_test=BARE))
    assert told[0] == "On 1,200 test examples the shipped model reaches accuracy 0.800."


@pytest.mark.parametrize(
    ("after", "flagged"), [(0.800, True), (0.858, True), (0.862, False), (0.875, False), (0.888, False), (0.893, True)]
)
def test_a_retrained_model_that_is_another_by_more_than_a_standard_error_is_flagged(after, flagged):
    told = " ".join(sentences(winner(refit_test={**BARE, "value": after})))
    assert ("retraining changed it: as searched it reached 0.875 there" in told) is flagged, "one error is 0.0153"


def test_without_an_interval_nothing_tells_how_far_apart_they_are():
    assert len(sentences(winner(test=BARE, refit_test=FIGURE))) == 1


def test_a_metric_is_spoken_without_underscores():
    assert "reaches balanced accuracy 0.875" in sentences(winner(), metric="balanced_accuracy")[0]


def test_baselines_stand_beside_it_in_one_sentence():
    others = [
        row(0, 0.5, baseline="source_only", test=BARE),
        row(1, 0.5, baseline="linear_probe", test=FIGURE),
        row(2, 0.5, baseline="full_finetune"),  # was not tested
        row(4, 0.99),
    ]
    assert sentences(*others, winner())[1:] == [
        "On the same examples: a model trained on the source alone 0.800; "
        "a linear head on the best frozen backbone 0.875 (0.840 to 0.900)."
    ]


def test_baselines_are_compared_with_the_winner_that_learned_from_as_few_examples_as_they():
    told = sentences(row(0, 0.5, baseline="no_transfer", test=BARE), winner(refit_test=BARE))[-1]
    assert told == (
        "On the same examples, all as trained in the search: the winner 0.875 (0.840 to 0.900); "
        "a model that starts from nothing 0.800."
    )


def test_a_winner_that_is_a_baseline_is_not_compared_with_itself():
    assert len(sentences(winner(baseline="linear_probe"))) == 1


def test_a_new_baseline_is_called_by_its_own_name():
    assert "own_baseline 0.800" in sentences(row(0, 0.5, baseline="own_baseline", test=BARE), winner())[1]


@pytest.mark.parametrize(("source", "said"), [(0.975, "a drop of 0.100"), (0.775, "a rise of 0.100")])
def test_without_target_labels_the_domain_gap_is_told(source, said):
    told = sentences(winner(), source_score={"value": source, "low": None, "high": None})
    assert f"From the source ({source:.3f}) to the target that is {said}" in told[1]


@pytest.mark.parametrize(("protocol", "told"), [("labels_of_train", True), ("given", False), ("share", False)])
def test_a_transductive_test_is_called_one(protocol, told):
    assert any("transductive" in sentence for sentence in sentences(winner(), protocol=protocol)) is told


@pytest.mark.parametrize(("uses", "told"), [(1, False), (2, True)])
def test_every_further_use_of_the_test_set_is_confessed(uses, told):
    assert any(f"use {uses} of this test set" in sentence for sentence in sentences(winner(), uses=uses)) is told


@pytest.mark.parametrize(
    ("metric", "source", "words"),
    [
        ("accuracy", 0.975, "a drop of 0.100: the price of the domain gap"),
        ("accuracy", 0.775, "a rise of 0.100: the domain gap cost nothing"),
        ("log_loss", 0.775, "a rise of 0.100: the price of the domain gap"),
        ("log_loss", 0.975, "a drop of 0.100: the domain gap cost nothing"),
    ],
)
def test_only_a_worse_figure_is_the_price_of_the_domain_gap(metric, source, words):
    told = sentences(winner(), metric=metric, source_score={"value": source, "low": None, "high": None})
    assert words in told[1]


def test_classes_that_only_the_test_has_are_told():
    told = sentences(winner(), strangers=("kite", "owl"))
    assert told[1:] == ["Nothing that was learnt from is of 'kite', 'owl': test examples that are count as wrong."]
    assert "'e' …:" in sentences(winner(), strangers=("a", "b", "c", "d", "e", "f"))[1]
