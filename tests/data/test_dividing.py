"""Who may look at which example: splits without leaks, folds and the sealed test."""

import numpy as np
import pytest

from autotl.data import UNKNOWN, TaskData, load_data
from autotl.errors import DataError


def rows_of(data: TaskData, domain: str) -> set[int]:
    return set(np.flatnonzero(data.domain_of == data.domains.index(domain)).tolist())


def test_plenty_of_labels_give_one_stratified_hold_out_and_a_sealed_share(write_array, make_task):
    data = load_data(make_task(write_array("d.npz", np.arange(2500) % 5)))
    (fold,) = data.folds
    assert data.suffix_folds == data.folds
    assert (data.score_kind, data.setting, data.metric) == ("validation", "inductive", "accuracy")
    assert (len(fold.train), len(fold.validation)) == (1500, 500)
    assert np.bincount(data.labels[fold.validation]).tolist() == [100] * 5
    assert data.target_rows.tolist() == fold.validation.tolist()
    assert data.test is not None
    assert (len(data.test.inputs), data.test.protocol) == (500, "share")
    assert np.bincount(data.test.open_labels()).tolist() == [100] * 5


def test_no_test_example_is_among_the_inputs(write_array, make_task):
    data = load_data(make_task(write_array("d.npz", np.arange(600) % 3)))
    assert data.test is not None
    assert not set(data.inputs[0].digests) & set(data.test.inputs.digests)
    assert len(data.inputs[0]) + len(data.test.inputs) == 600


def test_few_labels_give_five_folds_for_heads_and_three_for_suffixes(write_array, make_task):
    data = load_data(make_task(write_array("d.npz", np.arange(120) % 3)))
    assert data.score_kind == "cross_validation"
    assert (len(data.folds), len(data.suffix_folds)) == (5, 3)
    assert data.test is None
    assert any("No test set: 120 target rows" in note for note in data.summary["notes"])
    for folds in (data.folds, data.suffix_folds):
        assert sorted(np.concatenate([fold.validation for fold in folds]).tolist()) == list(range(120))


def test_a_given_validation_is_kept_as_it_is(write_array, make_task):
    write_array("train.npz", np.arange(60) % 3)
    write_array("held.npz", np.arange(30) % 3, seed=1)
    data = load_data(make_task({"train": "train.npz", "validation": "held.npz", "test": "none"}))
    (fold,) = data.folds
    assert (fold.train.tolist(), fold.validation.tolist()) == (list(range(60)), list(range(60, 90)))
    assert len(set(data.inputs[0].ids)) == 90


def test_shares_are_of_all_given_rows(write_array, make_task):
    name = write_array("d.npz", np.arange(4000) % 2)
    data = load_data(make_task({"train": name, "validation": 0.25, "test": 0.1}))
    (fold,) = data.folds
    assert data.test is not None
    assert (len(fold.train), len(fold.validation), len(data.test.inputs)) == (2600, 1000, 400)


def test_duplicates_stay_on_one_side_of_every_split(make_task, tmp_path):
    pixels = np.repeat(np.random.default_rng(0).integers(0, 256, (300, 5, 5), dtype=np.uint8), 2, axis=0)
    np.savez(tmp_path / "d.npz", x=pixels, y=np.repeat(np.arange(300) % 2, 2))
    data = load_data(make_task("d.npz"))
    digests = np.array(data.inputs[0].digests)
    assert data.test is not None
    assert not set(digests) & set(data.test.inputs.digests)
    for fold in (*data.folds, *data.suffix_folds):
        assert not set(digests[fold.train]) & set(digests[fold.validation])
    assert data.groups is None


def test_groups_stay_on_one_side_of_every_split(write_images, make_task, tmp_path):
    write_images(".", {"a": 40, "b": 40})
    lines = [f"{kind}/{row:04}.png,{kind},{row // 4}" for kind in "ab" for row in range(40)]
    (tmp_path / "list.csv").write_text("\n".join(["path,label,patient", *lines]))
    data = load_data(make_task("list.csv", columns={"group": "patient"}))
    assert data.groups is not None
    assert len(np.unique(data.groups)) == 10
    for fold in (*data.folds, *data.suffix_folds):
        assert not set(data.groups[fold.train]) & set(data.groups[fold.validation])


def test_one_group_for_all_cannot_be_divided(write_images, make_task, tmp_path):
    write_images(".", {"a": 10, "b": 10})
    lines = [f"{kind}/{row:04}.png,{kind},same" for kind in "ab" for row in range(10)]
    (tmp_path / "list.csv").write_text("\n".join(["path,label,patient", *lines]))
    with pytest.raises(DataError, match="Are all examples of one group"):
        load_data(make_task("list.csv", columns={"group": "patient"}))


def test_a_labelled_source_joins_the_training_part_of_every_fold(write_array, make_task):
    write_array("target.npz", np.arange(100) % 2)
    write_array("source.npz", np.arange(200) % 2, seed=1)
    data = load_data(make_task("target.npz", source={"name": "books", "train": "source.npz"}))
    source = rows_of(data, "books")
    assert (data.setting, data.domains) == ("cross-domain", ("target", "books"))
    for fold in (*data.folds, *data.suffix_folds):
        assert len(source & set(fold.train)) == 160
        assert not source & set(fold.validation)
        assert not set(data.source_validation) & set(fold.train)
    assert len(data.source_validation) == 40


def test_without_target_labels_the_source_is_trained_and_checked_on(write_array, make_task):
    write_array("target.npz", np.arange(2000) % 2)
    write_array("source.npz", np.arange(300) % 2, seed=1)
    data = load_data(make_task({"train": "target.npz", "labels": "none"}, source={"train": "source.npz"}))
    (fold,) = data.folds
    assert (data.score_kind, data.setting) == ("label_free", "transductive")
    assert set(fold.train) | set(fold.validation) == rows_of(data, "source")
    assert fold.validation.tolist() == data.source_validation.tolist()
    assert (data.labels[: len(data.inputs[0])] == UNKNOWN).all()
    assert len(data.target_rows) == 400
    assert len(data.adaptation_rows) == 1200
    assert not set(data.target_rows) & set(data.adaptation_rows)


def test_few_unlabelled_inputs_are_scored_and_adapted_to_alike_and_that_is_said(write_array, make_task):
    write_array("target.npz", np.arange(300) % 2)
    write_array("source.npz", np.arange(300) % 2, seed=1)
    data = load_data(make_task({"train": "target.npz", "labels": "none"}, source={"train": "source.npz"}))
    assert data.target_rows.tolist() == data.adaptation_rows.tolist() == list(range(300))
    assert any("Scored on the inputs it adapted to" in note for note in data.summary["notes"])


def test_the_transductive_protocol_seals_the_labels_of_the_inputs_themselves(write_array, make_task):
    write_array("target.npz", np.arange(60) % 2)
    write_array("source.npz", np.arange(100) % 2, seed=1)
    target = {"train": "target.npz", "labels": "none", "test": {"labels_of": "train"}}
    data = load_data(make_task(target, source={"train": "source.npz"}))
    assert data.test is not None
    assert data.test.protocol == "labels_of_train"
    assert data.test.inputs.digests == data.inputs[0].digests
    assert sorted(data.test.open_labels().tolist()) == [0] * 30 + [1] * 30


def test_classes_that_only_the_hidden_labels_have_are_seen_by_the_test_alone(write_array, make_task):
    write_array("target.npz", np.arange(60) % 3)
    write_array("source.npz", np.arange(100) % 2, seed=1)
    target = {"train": "target.npz", "labels": "none", "test": {"labels_of": "train"}}
    data = load_data(make_task(target, source={"train": "source.npz"}))
    assert data.test is not None
    assert data.classes == ("0", "1")
    assert data.test.open_unknown_classes() == ("2",)
    assert np.count_nonzero(data.test.open_labels() == UNKNOWN) == 20


def test_an_unlabelled_target_may_be_a_flat_folder_and_has_no_test_then(write_images, make_task, tmp_path):
    write_images(".", {"flat": 20})
    write_images("source", {"cat": 20, "dog": 20}, seed=1)
    target = {"train": "flat", "labels": "none"}
    data = load_data(make_task(target, source={"train": "source"}))
    assert data.test is None
    assert "No test: the target has no labels to test with." in data.summary["notes"]
    with pytest.raises(DataError, match="a share of unlabelled examples cannot be a test"):
        load_data(make_task({**target, "test": 0.2}, source={"train": "source"}))


def test_so_many_labels_a_class_are_known_and_the_folds_are_over_them(write_array, make_task):
    write_array("target.npz", np.arange(400) % 2)
    write_array("source.npz", np.arange(100) % 2, seed=1)
    target = {"train": "target.npz", "labels": {"per_class": 6}}
    data = load_data(make_task(target, source={"train": "source.npz"}))
    of_target = data.labels[: len(data.inputs[0])]
    assert np.bincount(of_target[of_target != UNKNOWN]).tolist() == [6, 6]
    few = set(np.flatnonzero(of_target != UNKNOWN).tolist())
    assert (len(data.folds), len(data.suffix_folds), data.score_kind) == (5, 3, "cross_validation")
    assert set(np.concatenate([fold.validation for fold in data.folds])) == few
    for fold in data.folds:
        assert set(fold.train) - rows_of(data, "source") == few - set(fold.validation)
        assert len(set(fold.train) & rows_of(data, "source")) == 80
    assert not few & set(data.adaptation_rows)


def test_labels_are_drawn_from_the_training_part_only(write_array, make_task):
    write_array("target.npz", np.arange(1200) % 2)
    data = load_data(make_task({"train": "target.npz", "labels": {"per_class": 40}}))
    known = np.flatnonzero(data.labels != UNKNOWN)
    assert not set(known) & set(data.target_rows)
    assert len(data.target_rows) == 240
    assert data.setting == "inductive"


def test_a_source_copy_of_a_target_image_keeps_it_out_of_the_drawn_test(make_task, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (600, 5, 5), dtype=np.uint8)
    np.savez(tmp_path / "target.npz", x=pixels, y=np.arange(600) % 2)
    np.savez(tmp_path / "source.npz", x=pixels[:300], y=np.arange(300) % 2)
    data = load_data(make_task("target.npz", source={"train": "source.npz"}))
    assert data.test is not None
    assert not set(data.test.inputs.digests) & set(data.inputs[1].digests)


@pytest.mark.parametrize(
    ("rows", "target"),
    [
        (3000, {}),  # one hold-out
        (120, {}),  # folds, other ones for heads than for suffixes
        (300, {"labels": {"per_class": 6}}),
        (300, {"labels": "none"}),
        (300, {"validation": "held.npz"}),
    ],
)
def test_no_fold_trains_on_a_source_copy_of_what_it_is_scored_on(make_task, tmp_path, rows, target):
    pixels = np.random.default_rng(0).integers(0, 256, (rows + 40, 5, 5), dtype=np.uint8)
    labels = np.arange(rows + 40) % 2
    np.savez(tmp_path / "target.npz", x=pixels[:rows], y=labels[:rows])
    np.savez(tmp_path / "held.npz", x=pixels[rows:], y=labels[rows:])
    for name, step in (("one", 2), ("two", 3)):
        np.savez(
            tmp_path / f"{name}.npz", x=pixels[::step], y=labels[::step] if step == 3 else labels[: len(pixels[::2])]
        )
    sources = [{"name": name, "train": f"{name}.npz", "validation": 0.2} for name in ("one", "two")]
    data = load_data(make_task({"train": "target.npz", **target}, source=sources))
    digests = np.array([digest for inputs in data.inputs for digest in inputs.digests])
    helping = rows_of(data, "one") | rows_of(data, "two")
    for fold in (*data.folds, *data.suffix_folds):
        assert not set(digests[fold.train]) & set(digests[fold.validation])
        assert len(helping & set(fold.train)) > 20
    assert any(
        "Where one of a pair is scored on, the other is left out of training." in f.message for f in data.findings
    )


def test_with_a_source_copy_its_whole_group_is_left_out_of_training_and_out_of_the_drawn_test(make_task, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (600, 5, 5), dtype=np.uint8)
    patients = [f"{number // 5}" for number in range(600)]
    np.savez(tmp_path / "target.npz", x=pixels, y=np.arange(600) % 2, patient=patients)
    more = np.random.default_rng(1).integers(0, 256, (100, 5, 5), dtype=np.uint8)
    more[::10] = pixels[::60]  # ten patients of the source have an image that is in the target, too
    np.savez(tmp_path / "source.npz", x=more, y=np.arange(100) % 2, patient=[f"{number // 5}" for number in range(100)])
    data = load_data(make_task("target.npz", source={"train": "source.npz"}, columns={"group": "patient"}))
    assert data.test is not None
    assert data.test.groups is not None
    digests = np.array([digest for inputs in data.inputs for digest in inputs.digests])
    assert len(data.test.inputs) % 5 == 0, "no patient is divided between the test and the rest"
    for fold in (*data.folds, *data.suffix_folds):
        scored = set(digests[fold.validation])
        linked = {data.groups[row] for row in rows_of(data, "source") if digests[row] in scored}
        assert linked
        assert not linked & set(data.groups[fold.train])


def test_a_validation_that_stands_beside_the_training_rows_is_taken_as_given(make_task, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (90, 5, 5), dtype=np.uint8)
    arrays = {"x_train": pixels[:60], "y_train": np.arange(60) % 3, "x_val": pixels[60:], "y_val": np.arange(30) % 3}
    np.savez(tmp_path / "d.npz", **arrays)
    data = load_data(make_task("d.npz"))
    (fold,) = data.folds
    assert (fold.train.tolist(), fold.validation.tolist()) == (list(range(60)), list(range(60, 90)))
    data = load_data(make_task({"train": "d.npz", "validation": 0.5}))
    assert len(data.inputs[0]) == 60
    assert any("d.npz holds 'x_val', which is left alone" in note for note in data.summary["notes"])


def test_real_photos_divide_as_promised(shared_data, make_task):
    folder = shared_data / "chest_xray"
    target = {"train": str(folder / "train"), "test": str(folder / "test")}
    data = load_data(make_task(target, classes=["normal", "pneumonia"]))
    assert data.test is not None
    assert (len(data.inputs[0]), len(data.test.inputs)) == (700, 300)
    assert (data.score_kind, len(data.folds)) == ("cross_validation", 5)


def test_a_class_of_one_in_a_thousand_is_in_every_part(make_task, tmp_path):
    labels = np.array(["common"] * 10_000 + ["rare"] * 10)
    np.savez(tmp_path / "d.npz", x=np.random.default_rng(0).integers(0, 256, (10_010, 4, 4), dtype=np.uint8), y=labels)
    data = load_data(make_task("d.npz"))
    assert data.metric == "balanced_accuracy"
    assert any("10,000 against 10" in note for note in data.summary["notes"])
    assert len(data.folds) == 5, "too few of the rare class for one hold-out"
    for fold in data.folds:
        assert all(np.bincount(data.labels[rows], minlength=2).min() > 0 for rows in (fold.train, fold.validation))
    assert np.bincount(data.test.open_labels()).tolist() == [2_000, 2]
