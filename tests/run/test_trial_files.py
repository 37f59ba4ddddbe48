"""A trial's files come back as they were written, and nothing in them is ever run."""

import io
import json
from dataclasses import replace

import numpy as np
import pytest

from autotl.errors import StorageError
from autotl.run import trial_files
from autotl.trial.outcome import Outputs


def outputs(rows=6, classes=3):
    draws = np.random.default_rng(0)
    return Outputs(
        rows=np.arange(10, 10 + rows),
        validation_ids=np.array([f"Blüte {row}.png" for row in range(rows)]),
        target_ids=np.array([f"t{row}" for row in range(4)]),
        validation=draws.dirichlet(np.ones(classes), rows).astype(np.float32),
        target=draws.dirichlet(np.ones(classes), 4).astype(np.float32),
        features=draws.normal(size=(4, 5)).astype(np.float32),
    )


def test_outputs_come_back_but_for_the_rounding_to_half_precision(tmp_path):
    written = outputs()
    trial_files.write_outputs(tmp_path, written)
    read = trial_files.read_outputs(tmp_path)
    for name in ("rows", "validation_ids", "target_ids"):
        np.testing.assert_array_equal(getattr(read, name), getattr(written, name))
    for name in ("validation", "target", "features"):
        assert getattr(read, name).dtype == np.float32
        np.testing.assert_allclose(getattr(read, name), getattr(written, name), rtol=2e-3, atol=1e-4)
    np.testing.assert_array_equal(read.validation.argmax(axis=1), written.validation.argmax(axis=1))


def test_what_was_said_of_mixtures_comes_back_where_there_is_any(tmp_path):
    assert trial_files_read(tmp_path / "a", outputs()).mixed is None
    said = np.random.default_rng(1).dirichlet(np.ones(3), 4).astype(np.float32)
    read = trial_files_read(tmp_path / "b", replace(outputs(), mixed=said, mix_partners=np.array([1, 2, 3, 0])))
    np.testing.assert_allclose(read.mixed, said, rtol=2e-3, atol=1e-4)
    assert read.mix_partners.tolist() == [1, 2, 3, 0]


def trial_files_read(folder, written):
    folder.mkdir()
    trial_files.write_outputs(folder, written)
    return trial_files.read_outputs(folder)


def test_probabilities_sum_to_one_again(tmp_path):
    trial_files.write_outputs(tmp_path, outputs(rows=50, classes=100))
    np.testing.assert_allclose(trial_files.read_outputs(tmp_path).validation.sum(axis=1), 1.0, atol=1e-6)


def test_weights_come_back_exactly_and_in_their_order(tmp_path):
    weights = [np.full((2, 3), number, dtype=np.float32) for number in range(12)] + [np.array(7, dtype=np.int64)]
    trial_files.write_weights(tmp_path, weights)
    read = trial_files.read_weights(tmp_path)
    assert len(read) == 13
    for before, after in zip(weights, read, strict=True):
        assert before.dtype == after.dtype
        np.testing.assert_array_equal(before, after)


def test_test_outputs_join_what_is_there(tmp_path):
    trial_files.write_outputs(tmp_path, outputs())
    trial_files.add_test_outputs(tmp_path, np.array([[0.25, 0.5, 0.25]], dtype=np.float32))
    arrays = trial_files.read_arrays(tmp_path / trial_files.OUTPUTS)
    assert arrays["test"].tolist() == [[0.25, 0.5, 0.25]]
    assert len(arrays["rows"]) == 6


def test_dropping_the_features_leaves_the_rest(tmp_path):
    trial_files.write_outputs(tmp_path, outputs())
    before = trial_files.read_outputs(tmp_path)
    for _ in range(2):  # again is harmless
        trial_files.drop_features(tmp_path)
    after = trial_files.read_outputs(tmp_path)
    assert after.features.shape == (0, 5)
    np.testing.assert_array_equal(after.target, before.target)


def test_the_plan_is_yaml_and_the_curve_a_table(tmp_path):
    plan = {"backbone": "MobileNetV2", "head": {"name": "linear"}, "learning_rate": 1e-3}
    trial_files.write_plan(tmp_path, plan)
    trial_files.write_curve(tmp_path, [{"epoch": 1, "train_loss": 0.123456789, "score": 0.5}])
    assert json.loads((tmp_path / trial_files.PLAN).read_text()) == plan
    assert (tmp_path / trial_files.CURVE).read_text() == "epoch,train_loss,score\n1,0.123457,0.5\n"


class Trap:
    """Pickled, it runs code where it is loaded."""

    def __reduce__(self):
        return (pytest.fail, ("a pickle from a run folder was run",))


def test_pickles_are_refused_and_never_run(tmp_path):
    np.savez(tmp_path / trial_files.WEIGHTS, **{"0000": np.array([Trap()], dtype=object)})
    with pytest.raises(StorageError, match=r"weights\.npz cannot be read"):
        trial_files.read_weights(tmp_path)


def test_objects_are_not_taken_for_arrays_behind_a_bare_pickle(tmp_path):
    (tmp_path / trial_files.WEIGHTS).write_bytes(b"\x80\x04N.")
    with pytest.raises(StorageError, match=r"weights\.npz cannot be read"):
        trial_files.read_weights(tmp_path)


def whole_archive():
    buffer = io.BytesIO()
    np.savez(buffer, **{"0000": np.arange(1000)})
    return buffer.getvalue()


def one_bit_flipped(content):
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def single_array(_):
    buffer = io.BytesIO()
    np.save(buffer, np.arange(3))
    return buffer.getvalue()


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda content: b"", id="empty"),
        pytest.param(lambda content: content[: len(content) // 2], id="cut off"),
        pytest.param(one_bit_flipped, id="one bit flipped"),
        pytest.param(lambda content: b"no archive", id="text"),
        pytest.param(single_array, id="a single array"),
    ],
)
def test_a_damaged_file_is_a_storage_error_that_names_it(tmp_path, damage):
    (tmp_path / trial_files.WEIGHTS).write_bytes(damage(whole_archive()))
    with pytest.raises(StorageError, match=r"weights\.npz cannot be read"):
        trial_files.read_weights(tmp_path)


def test_a_missing_file_is_a_storage_error(tmp_path):
    with pytest.raises(StorageError, match=r"outputs\.npz cannot be read"):
        trial_files.read_outputs(tmp_path)


def test_outputs_that_lack_an_array_are_a_storage_error(tmp_path):
    trial_files.write_arrays(tmp_path / trial_files.OUTPUTS, {"rows": np.arange(3)})
    with pytest.raises(StorageError, match=r"outputs\.npz"):
        trial_files.read_outputs(tmp_path)


def test_what_scores_read_of_the_source_and_the_last_layer_comes_back(tmp_path):
    draws = np.random.default_rng(2)
    features, weights = (draws.normal(size=size).astype(np.float32) for size in ((6, 5), (5, 3)))
    trial_files.write_outputs(tmp_path, replace(outputs(), source_features=features, classifier_weights=weights))
    read = trial_files.read_outputs(tmp_path)
    np.testing.assert_allclose(read.source_features, features, rtol=2e-3, atol=1e-4)
    np.testing.assert_allclose(read.classifier_weights, weights, rtol=2e-3, atol=1e-4)
    evidence = read.evidence(np.zeros(20, dtype=int))
    assert {"source_features", "classifier_weights"} <= set(evidence)
    trial_files.drop_features(tmp_path)
    lean = trial_files.read_outputs(tmp_path)
    assert lean.source_features.shape == (0, 5)
    assert "source_features" not in lean.evidence(np.zeros(20, dtype=int)), "no score may take none for all"


def test_a_run_of_before_there_were_source_features_is_read(tmp_path):
    trial_files.write_outputs(tmp_path, outputs())
    read = trial_files.read_outputs(tmp_path)
    assert read.source_features is None
    assert read.classifier_weights is None
    assert not {"source_features", "classifier_weights"} & set(read.evidence(np.zeros(20, dtype=int)))


def test_class_shares_of_a_source_that_is_not_here_come_back(tmp_path):
    written = replace(outputs(), source_shares=np.array([0.5, 0.3, 0.2]))
    trial_files.write_outputs(tmp_path, written)
    np.testing.assert_array_equal(trial_files.read_outputs(tmp_path).source_shares, written.source_shares)
    trial_files.write_outputs(tmp_path, outputs())
    assert trial_files.read_outputs(tmp_path).source_shares is None


def test_test_outputs_come_back_with_those_of_the_retrained_model(tmp_path):
    trial_files.write_outputs(tmp_path, outputs())
    assert trial_files.read_test_outputs(tmp_path) == {}
    one, other = np.array([[0.25, 0.5, 0.25]]), np.array([[0.5, 0.25, 0.25]])
    trial_files.add_test_outputs(tmp_path, one, refitted=other)
    read = trial_files.read_test_outputs(tmp_path)
    np.testing.assert_allclose(read["test"], one, atol=1e-3)
    np.testing.assert_allclose(read["refitted_test"], other, atol=1e-3)
