"""Protected examples are divided each by itself, and told of without counts."""

import json

import numpy as np
import pytest

from autotl.data import load_data
from autotl.data.discreet import discreet
from autotl.data.private_split import ProtectedRows, dealt_by_content
from autotl.errors import TaskError

PRIVACY = {"epsilon": 3.0, "delta": 1e-5, "protects": "target"}
SHARES = [0.6, 0.2, 0.2]


def photos(path, rows, *, seed=0):
    draws = np.random.default_rng(seed)
    labels = draws.integers(2, size=rows)
    np.savez(path, x=draws.integers(0, 255, size=(rows, 6, 6, 3), dtype=np.uint8), y=np.array(["cat", "dog"])[labels])


def test_one_example_more_or_less_moves_no_other():
    names = [f"digest {number}" for number in range(300)]
    bins = dealt_by_content(names, SHARES, seed=4)
    for left_out in (0, 17, 299):
        fewer = dealt_by_content(names[:left_out] + names[left_out + 1 :], SHARES, seed=4)
        np.testing.assert_array_equal(fewer, np.delete(bins, left_out))


def test_shares_are_met_on_average_and_depend_on_the_seed():
    names = [f"digest {number}" for number in range(5_000)]
    bins = dealt_by_content(names, SHARES, seed=4)
    np.testing.assert_allclose(np.bincount(bins) / 5_000, SHARES, atol=0.03)
    assert (bins != dealt_by_content(names, SHARES, seed=5)).any()


def test_equal_names_stay_together():
    assert len(set(dealt_by_content(["group 3"] * 50, SHARES, seed=0))) == 1


def test_a_protected_target_is_divided_without_a_look_at_labels_and_held_out_however_small(tmp_path, make_task):
    photos(tmp_path / "a.npz", 240)
    task = make_task("a.npz", privacy=PRIVACY)
    data = load_data(task)
    rows = ProtectedRows.of(task, data)
    assert len(data.folds) == 1, "cross-validation would train on an example several times"
    assert len(rows.train) + len(rows.validation) == 240
    assert not len(rows.public_train)
    assert data.metric == "accuracy"


def test_a_public_source_stands_in_for_a_protected_target(tmp_path, make_task):
    photos(tmp_path / "a.npz", 240)
    photos(tmp_path / "b.npz", 100, seed=1)
    task = make_task("a.npz", source={"train": str(tmp_path / "b.npz")}, privacy=PRIVACY)
    data = load_data(task)
    rows = ProtectedRows.of(task, data)
    assert set(data.domain_of[rows.all].tolist()) == {0}
    assert set(data.domain_of[rows.public_train].tolist()) == {1}
    assert len(rows.public_train) + len(rows.public_validation) == 100
    assert not set(rows.train.tolist()) & set(rows.validation.tolist())


def test_a_protected_example_that_resembles_others_moves_none_of_them(tmp_path, make_task):
    """A near copy of a source image may be in the test; one that resembles both would have tied them together."""
    draws = np.random.default_rng(0)
    smooth = np.kron(draws.integers(40, 200, size=(80, 4, 4, 3)), np.ones((1, 8, 8, 1))).astype(np.uint8)
    nearly = np.clip(smooth.astype(int) + draws.integers(-2, 3, size=smooth.shape), 0, 255).astype(np.uint8)
    names = np.array(["cat", "dog"])[np.arange(80) % 2]
    np.savez(tmp_path / "b.npz", x=smooth, y=names)
    tests = []
    for place, some in (("all", range(80)), ("fewer", range(1, 80))):
        np.savez(tmp_path / f"{place}.npz", x=nearly[list(some)], y=names[list(some)])
        target = {"train": str(tmp_path / f"{place}.npz"), "test": 0.25}
        task = make_task(target, source={"train": str(tmp_path / "b.npz")}, privacy=PRIVACY)
        sealed = load_data(task).test
        tests.append(set(sealed.inputs.digests))
    assert len(tests[0]) > 10, "near copies of public images do not leave the test"
    assert len(tests[0] - tests[1]) <= 1
    assert not tests[1] - tests[0]


def test_a_protected_source_beside_an_unlabelled_target(tmp_path, make_task):
    photos(tmp_path / "a.npz", 240)
    photos(tmp_path / "b.npz", 100, seed=1)
    privacy = {**PRIVACY, "protects": "source"}
    target = {"train": str(tmp_path / "a.npz"), "labels": "none"}
    task = make_task(target, source={"train": str(tmp_path / "b.npz")}, privacy=privacy)
    rows = ProtectedRows.of(task, data := load_data(task))
    assert set(data.domain_of[rows.all].tolist()) == {1}
    assert not len(rows.public_train)


def test_a_delta_that_would_give_an_example_away_is_refused_with_one_that_would_not(tmp_path, make_task):
    photos(tmp_path / "a.npz", 240)
    with pytest.raises(TaskError, match=r"privacy.delta: 0.01 is not below one in 240.*Write 0.0001 or less"):
        load_data(make_task("a.npz", privacy={**PRIVACY, "delta": 0.01}))


def test_nothing_that_was_counted_among_protected_examples_is_told(tmp_path, make_task):
    photos(tmp_path / "a.npz", 240)
    photos(tmp_path / "b.npz", 100, seed=1)
    task = make_task("a.npz", source={"train": str(tmp_path / "b.npz")}, privacy=PRIVACY)
    data = load_data(task)
    told = discreet(task, data, key=b"k" * 32)
    assert "classes" not in json.dumps(told.summary["domains"]["target"])
    assert "classes" in told.summary["domains"]["source"]["train"], "of public examples it may be told"
    assert (told.findings, told.summary["broken"], told.summary["examples"]) == ((), [], {})
    assert data.summary["fingerprint"] not in json.dumps(told.summary)


def test_a_fingerprint_tells_nobody_without_the_key_which_data_they_are(tmp_path, make_task):
    photos(tmp_path / "a.npz", 240)
    task = make_task("a.npz", privacy=PRIVACY)
    data = load_data(task)
    one, same, other = (discreet(task, data, key=bytes([byte]) * 32).summary["fingerprint"] for byte in (1, 1, 2))
    assert one == same != other
