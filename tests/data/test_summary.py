import json

import numpy as np
import pytest

from autotl.data import describe, load_data


def test_a_description_needs_no_image_to_be_sound(make_task, tmp_path):
    for name in ("a", "b"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(12):
            (tmp_path / "photos" / name / f"{number}.jpg").write_bytes(b"never opened")
    told = describe(make_task("photos"))
    assert told["setting"] == "inductive"
    assert told["classes"] == ["a", "b"]
    assert told["domains"] == {"target": {"train": {"rows": 24}, "classes": {"a": 12, "b": 12}}}
    assert told["metric"] == "accuracy"
    json.dumps(told)


@pytest.mark.parametrize(
    ("labels", "source", "setting", "words"),
    [
        ("all", None, "inductive", "there is no source domain"),
        ("none", {"train": "source"}, "transductive", "Plans are picked by"),
        ("all", {"train": "source"}, "cross-domain", "The labelled source joins the training part of every fold"),
        ({"per_class": 3}, {"train": "source"}, "cross-domain", "3 target labels a class are known"),
        ({"per_class": 3}, {"train": "source"}, "cross-domain", "Scores that need no labels have a say beside the few"),
    ],
)
def test_the_setting_and_what_follows_are_told(write_images, make_task, labels, source, setting, words):
    write_images("target", {"a": 12, "b": 12})
    write_images("source", {"a": 12, "b": 12}, seed=1)
    task = make_task({"train": "target", "labels": labels}, source=source)
    told = describe(task)
    assert told["setting"] == setting
    assert any(words in line for line in told["follows"])
    assert load_data(task).setting == setting


def test_of_a_metric_that_is_no_share_of_right_answers_it_is_told_who_ranks(write_images, make_task):
    write_images("target", {"a": 12, "b": 12})
    write_images("source", {"a": 12, "b": 12}, seed=1)
    target = {"train": "target", "labels": {"per_class": 3}}
    told = describe(make_task(target, source={"train": "source"}, metric="macro_f1"))
    assert any(
        "macro_f1 is no share of right answers, so the few labels rank alone" in line for line in told["follows"]
    )
    alone = describe(make_task(target, metric="macro_f1"))
    assert not any("no share of right answers" in line for line in alone["follows"])


@pytest.mark.parametrize("labels", ["none", {"per_class": 3}])
def test_counts_of_hidden_classes_are_not_told(write_images, make_task, labels):
    write_images("target", {"a": 17, "b": 12})
    write_images("source", {"a": 12, "b": 12}, seed=1)
    told = describe(make_task({"train": "target", "labels": labels}, source={"train": "source"}))
    assert "17" not in json.dumps(told)


def test_the_summary_is_plain_json_with_counts_and_sizes(write_images, make_task):
    write_images("photos", {"a": 20, "b": 20}, side=9)
    summary = load_data(make_task("photos")).summary
    assert json.loads(json.dumps(summary)) == summary
    assert summary["examples"] == {"width": [9, 9], "height": [9, 9]}
    assert summary["domains"]["target"]["train"]["classes"] == {"a": 16, "b": 16}
    assert summary["score"] == {"kind": "cross_validation", "folds": 5, "suffix_folds": 3}


def test_the_fingerprint_follows_the_content_and_the_labels(make_task, tmp_path):
    def fingerprint(pixels, labels):
        np.savez(tmp_path / "d.npz", x=pixels, y=labels)
        return load_data(make_task("d.npz")).summary["fingerprint"]

    pixels, labels = np.random.default_rng(0).integers(0, 256, (40, 5, 5), dtype=np.uint8), np.arange(40) % 2
    first = fingerprint(pixels, labels)
    assert fingerprint(pixels, labels) == first
    assert fingerprint(255 - pixels, labels) != first
    assert fingerprint(pixels, labels[::-1]) != first


@pytest.mark.parametrize(
    ("counts", "target", "rows", "smallest"),
    [
        ({"a": 1500, "b": 500}, {"train": "d.npz"}, 400, 100),  # a hold-out of 20 %
        ({"a": 1500, "b": 500}, {"train": "d.npz", "validation": 0.3, "test": 0.1}, 600, 150),
        ({"a": 1960, "b": 40}, {"train": "d.npz"}, 1600, 32),  # too few b to hold out: every row but the test is scored
        ({"a": 1960, "b": 60}, {"train": "d.npz"}, 404, 12),
        ({"a": 150, "b": 150}, {"train": "d.npz"}, 300, 150),
        ({"a": 400, "b": 400}, {"train": "d.npz"}, 640, 320),
        ({"a": 400, "b": 400}, {"train": "d.npz", "test": "none"}, 800, 400),
        ({"a": 900, "b": 900}, {"train": "d.npz", "validation": "held.npz"}, 30, 10),
        ({"a": 900, "b": 900}, {"train": "d.npz", "labels": {"per_class": 7}}, 14, 7),
    ],
)
def test_a_description_counts_the_examples_that_load_data_scores_on(
    make_task, tmp_path, counts, target, rows, smallest
):
    for name, of_class, seed in (("d.npz", counts, 0), ("held.npz", {"a": 20, "b": 10}, 1)):
        labels = np.repeat(list(of_class), list(of_class.values()))
        pixels = np.random.default_rng(seed).integers(0, 256, (len(labels), 4, 4), dtype=np.uint8)
        np.savez(tmp_path / name, x=pixels, y=labels)
    task = make_task(target)
    assert describe(task)["scored"] == {"rows": rows, "smallest_class": smallest}
    data = load_data(task)
    scored = data.labels[np.concatenate([fold.validation for fold in data.folds])]
    assert (len(scored), np.bincount(scored).min()) == (rows, smallest)


def test_without_target_labels_no_target_example_is_scored_on(write_images, make_task):
    write_images("target", {"a": 12, "b": 12})
    write_images("source", {"a": 12, "b": 12}, seed=1)
    assert describe(make_task({"train": "target", "labels": "none"}, source={"train": "source"}))["scored"] is None
