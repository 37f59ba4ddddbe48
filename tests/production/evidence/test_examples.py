"""Examples that people look at are the costliest mistakes, and there is an end to the time that they cost."""

from types import SimpleNamespace

import numpy as np

from autotl.data.texts import texts_of
from autotl.production.evidence.choosing import (
    MOST_MISTAKES,
    MOST_OF_A_PAIR,
    costliest_mistakes,
    furthest_decisions,
    furthest_off,
    nearest_by_size,
    plainly_borne,
    plainly_right,
)
from autotl.production.evidence.examples import (
    LEAST_SECONDS,
    MOST_SECONDS,
    both_ways,
    classes_asked,
    examples_of,
    looking_at,
    numbers_asked,
    picked_of_classes,
    picked_of_numbers,
    picked_of_sets,
    seconds_to_explain,
)
from autotl.production.evidence.figures import Said


def sure(named, confidence, classes=3):
    named, confidence = np.asarray(named), np.asarray(confidence, dtype=np.float64)
    rest = (1 - confidence) / (classes - 1)
    return np.where(np.eye(classes)[named] > 0, confidence[:, None], rest[:, None])


def test_the_surest_mistakes_come_first_and_no_pair_fills_the_page():
    labels = np.array([0] * 10 + [1, 2, 0, -1])
    named = [1] * 10 + [2, 1, 0, 0]
    confidence = [0.5 + 0.04 * step for step in range(10)] + [0.45, 0.44, 0.99, 0.99]
    found = costliest_mistakes(labels, sure(named, confidence))
    assert found[:MOST_OF_A_PAIR] == [9, 8, 7]
    assert found[MOST_OF_A_PAIR : MOST_OF_A_PAIR + 2] == [10, 11], "the other pairs before more of the same"
    assert found[5:] == [6, 5, 4, 3, 2, 1, 0]
    assert len(found) == MOST_MISTAKES
    assert 13 not in found, "no model can name that class"


def test_right_answers_are_the_surest_of_each_class():
    labels = np.array([0, 0, 1, 2, 2])
    found = plainly_right(labels, sure([0, 0, 0, 2, 2], [0.6, 0.8, 0.9, 0.5, 0.7]))
    assert found == [1, 4], "the class that is mistaken comes first, and one that is never right does not come"


def asked_about(count=30):
    inputs = texts_of(
        [f"{'good' if number % 2 else 'bad'} text {number}" for number in range(count)], map(str, range(count))
    )
    labels = np.arange(count) % 2
    probabilities = sure(np.where(np.arange(count) % 3 == 0, 1 - labels, labels), np.linspace(0.6, 0.9, count), 2)
    model = SimpleNamespace(
        predict=lambda batch: sure([int("good" in text) for text in batch], np.full(len(batch), 0.8), 2)
    )
    return (
        Said("test", probabilities.astype(np.float32), probabilities, labels),
        inputs,
        looking_at(inputs, model, None, asking=classes_asked),
    )


def test_every_example_says_what_it_is_what_was_said_and_what_that_hangs_on():
    asked, inputs, looking = asked_about()
    found = examples_of(asked, inputs, picked_of_classes(asked, ("bad", "good")), looking, is_over=lambda: False)
    assert found["mistakes"] == 10
    assert found["explained"] == len(found["examples"]) == 12
    wrong = [each for each in found["examples"] if not each["right"]]
    assert [each["true"] != each["said"] for each in found["examples"]] == [
        not each["right"] for each in found["examples"]
    ]
    assert wrong[0]["probability"] == max(each["probability"] for each in wrong)
    place = int(wrong[0]["id"])
    assert "".join(part for part, _ in wrong[0]["parts"]) == inputs.texts[place]
    assert {"before", "after", "place"} <= set(wrong[0])


def test_when_the_time_is_up_examples_are_shown_without_reasons():
    asked, inputs, looking = asked_about()
    calls = []

    def is_over():
        calls.append(None)
        return len(calls) > 3

    found = examples_of(asked, inputs, picked_of_classes(asked, ("bad", "good")), looking, is_over=is_over)
    assert found["explained"] == 3
    assert len(found["examples"]) == 12
    reasons = [each["right"] for each in found["examples"] if "before" in each]
    assert sorted(reasons) == [False, False, True], "two mistakes and a right answer"


def test_a_model_without_mistakes_has_none_to_show():
    asked, inputs, looking = asked_about()
    perfect = Said("test", asked.raw, asked.probabilities, asked.probabilities.argmax(axis=1))
    found = examples_of(perfect, inputs, picked_of_classes(perfect, ("bad", "good")), looking, is_over=lambda: False)
    assert found["mistakes"] == 0
    assert all(each["right"] for each in found["examples"])


def test_explaining_takes_a_small_share_of_the_search():
    assert seconds_to_explain(200, 100) == 10
    assert seconds_to_explain(36_000, 600) == MOST_SECONDS
    assert seconds_to_explain(36_000, 8) == 8
    assert seconds_to_explain(10, 500) == seconds_to_explain(900, -5) == LEAST_SECONDS


def test_decisions_are_costly_by_how_far_they_lie_beyond_the_threshold_of_their_label():
    sets = np.array([[1, 0], [1, 0], [0, 0], [1, 1], [-1, -1]])
    said = np.array([[0.4, 0.1], [0.1, 0.3], [0.58, 0.0], [0.9, 0.06], [0.9, 0.9]])
    found = furthest_decisions(sets, said, [0.5, 0.05])
    # a label that is said from 0.05 on is said far too surely at 0.3, though the truth was given 0.7
    assert found == [(1, 0), (1, 1), (0, 1), (0, 0), (2, 0)]
    assert plainly_borne(sets, said, [0.5, 0.05]) == [(3, 0), (3, 1)]


def test_no_label_fills_the_page_missed_or_said_in_vain():
    sets = np.zeros((20, 2), dtype=np.int64)
    said = np.column_stack([np.linspace(0.6, 0.9, 20), np.where(np.arange(20) == 4, 0.55, 0.1)])
    found = furthest_decisions(sets, said, [0.5, 0.5])
    assert found[: MOST_OF_A_PAIR + 1] == [(19, 0), (18, 0), (17, 0), (4, 1)]
    assert len(found) == MOST_MISTAKES


def test_of_a_missed_label_is_told_what_speaks_against_it():
    texts = ["good but late", "late again", "good and early", "just late"]
    inputs = texts_of(texts, ["a", "b", "c", "d"])
    sets = np.array([[1, 1], [0, 1], [1, 0], [0, 1]])

    def predict(batch):  # "late" hides that something is good
        good = [0.05 + 0.9 * ("good" in text and "late" not in text) for text in batch]
        return np.array([[each, 0.1 + 0.8 * ("late" in text)] for each, text in zip(good, batch, strict=True)])

    said = predict(texts)
    asked = Said("test", said.astype(np.float32), said, sets)
    picked = picked_of_sets(asked, ("good", "late"), [0.5, 0.5])
    looking = looking_at(inputs, SimpleNamespace(predict=predict), None, asking=both_ways)
    found = examples_of(asked, inputs, picked, looking, is_over=lambda: False)
    assert (found["mistakes"], found["each"]) == (1, "label")
    missed, *right = found["examples"]
    assert (missed["id"], missed["said"], missed["true"], missed["right"]) == ("a", "not good", "good", False)
    assert (missed["probability"], missed["probability_of_true"]) == (0.95, 0.05)
    assert missed["place"] == "late"
    assert missed["after"] < 0.1 < 0.9 < missed["before"]
    assert {(each["id"], each["said"]) for each in right} == {("c", "good"), ("a", "late")}


def test_numbers_furthest_off_come_first_and_the_nearest_from_small_to_large():
    true = np.array([*np.arange(20, dtype=np.float64), np.nan])
    said = true + np.array([9, 8, 7, 6, *[0.5] * 14, -1, -2, 0])
    furthest = furthest_off(true, said)
    assert furthest[:5] == [0, 1, 2, 19, 18], "what is too high leaves room for what is too low"
    assert len(furthest) == MOST_MISTAKES
    said[:20] = true[:20] + 1
    said[[2, 12]] = true[[2, 12]]
    nearest = nearest_by_size(true, said)
    assert {2, 12} <= set(nearest)
    assert nearest == sorted(nearest)
    assert nearest_by_size(np.array([np.nan]), np.array([1.0])) == []


def test_of_a_number_is_told_how_far_a_part_moves_it():
    texts = [f"{'heavy' if number % 2 else 'light'} load {number}" for number in range(40)]
    inputs = texts_of(texts, map(str, range(40)))

    def predict(batch):
        return np.array([[100.0 + 40 * ("heavy" in text)] for text in batch], dtype=np.float32)

    raw = predict(texts)
    true = raw[:, 0].astype(np.float64) + np.where(np.arange(40) == 7, -30, 0.1)
    asked = Said("test", raw, raw, true)
    looking = looking_at(inputs, SimpleNamespace(predict=predict), None, asking=numbers_asked)
    found = examples_of(asked, inputs, picked_of_numbers(asked), looking, is_over=lambda: False)
    assert (found["mistakes"], found["each"]) == (40, "number")
    worst = found["examples"][0]
    assert (worst["id"], worst["said"], worst["true"], worst["right"]) == ("7", 140.0, 110.0, False)
    assert (worst["place"], worst["before"], worst["after"]) == ("heavy", 140.0, 100.0)
    assert "probability" not in worst
    assert any(each["right"] for each in found["examples"])
