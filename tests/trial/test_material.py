"""Stored activations come out by the rows asked for; an epoch holds every row once, sequences beside their like."""

import numpy as np
import pytest

from autotl.features import FeatureSet
from autotl.features.feature_set import BLOCK_ROWS
from autotl.trial.material import BATCHES_SORTED_TOGETHER, Material

LENGTH = 40


def feature_set(*tensors: np.ndarray) -> FeatureSet:
    rows = len(tensors[0])
    starts = range(0, rows, BLOCK_ROWS)
    return FeatureSet(tuple([tensor[start : start + BLOCK_ROWS] for tensor in tensors] for start in starts), rows)


def tokens_of(lengths: np.ndarray) -> np.ndarray:
    return (np.arange(LENGTH)[None, :] < lengths[:, None]).astype(np.int32) * 7


def sequences(rows: int, *, seed: int = 0, parts: tuple[int, ...] = ()) -> tuple[Material, np.ndarray]:
    """Material of hidden states and tokens, of one domain or several; hidden states tell their row."""
    lengths = np.random.default_rng(seed).integers(2, LENGTH + 1, rows)
    hidden = np.broadcast_to(np.arange(rows, dtype=np.float32)[:, None, None], (rows, LENGTH, 2)).copy()
    ends = np.cumsum(parts)[:-1] if parts else []
    domains = [
        feature_set(of_hidden, of_tokens)
        for of_hidden, of_tokens in zip(np.split(hidden, ends), np.split(tokens_of(lengths), ends), strict=True)
    ]
    return Material([domains], np.arange(rows) % 3, tokens_at=1), lengths


def rows_in(batches) -> list[np.ndarray]:
    return [tensors[0][:, 0, 0].astype(int) for tensors, _, _ in batches]


@pytest.mark.parametrize("rows", [1, 7, 16, 17, 255, 256, 300, 700])
@pytest.mark.parametrize("batch_size", [1, 8, 16, 1_000])
def test_every_row_comes_once_with_its_label(rows, batch_size):
    material, _ = sequences(rows)
    batches = list(material.training_batches(np.arange(rows), batch_size=batch_size, draws=np.random.default_rng(1)))
    seen = rows_in(batches)
    assert sorted(np.concatenate(seen)) == list(range(rows))
    for numbers, (tensors, labels, _) in zip(seen, batches, strict=True):
        np.testing.assert_array_equal(labels, numbers % 3)
        np.testing.assert_array_equal(tensors[0][:, -1, 1], numbers)
    sizes = [len(numbers) for numbers in seen]
    assert sizes[:-1] == [batch_size] * (len(sizes) - 1), "the compiled step sees one odd batch at most"


def test_the_rows_of_a_fold_are_the_only_ones_and_domains_may_be_mixed():
    material, _ = sequences(150, parts=(60, 90))
    rows = np.concatenate([np.arange(0, 60, 2), np.arange(60, 150, 3)])
    seen = rows_in(material.training_batches(rows, batch_size=8, draws=np.random.default_rng(1)))
    assert sorted(np.concatenate(seen)) == sorted(rows)


def test_the_same_draws_give_the_same_batches_and_others_do_not():
    material, _ = sequences(200)

    def epoch(seed):
        draws = np.random.default_rng(seed)
        return rows_in(material.training_batches(np.arange(200), batch_size=16, draws=draws))

    for one, other in zip(epoch(3), epoch(3), strict=True):
        np.testing.assert_array_equal(one, other)
    assert [batch.tolist() for batch in epoch(3)] != [batch.tolist() for batch in epoch(4)]


def test_batches_of_one_length_save_most_of_the_padding():
    """Counted in columns that a batch must compute: those of its longest text."""
    material, lengths = sequences(640)
    by_length = rows_in(material.training_batches(np.arange(640), batch_size=16, draws=np.random.default_rng(0)))
    shuffled = np.random.default_rng(0).permutation(640).reshape(-1, 16)

    def computed(batches):
        return sum(len(batch) * lengths[batch].max() for batch in batches)

    assert computed(by_length) < 1.1 * lengths.sum()
    assert computed(shuffled) > 1.7 * lengths.sum()


def test_which_batch_comes_when_is_chance():
    """No epoch may begin with all the short texts and end with the long ones."""
    material, lengths = sequences(16 * BATCHES_SORTED_TOGETHER * 3)
    rows = np.arange(len(lengths))
    batches = rows_in(material.training_batches(rows, batch_size=16, draws=np.random.default_rng(0)))
    means = np.array([lengths[batch].mean() for batch in batches])
    assert abs(np.corrcoef(np.arange(len(means)), means)[0, 1]) < 0.4
    with_first = {row for batch in batches if 0 in batch for row in batch.tolist()}
    other = rows_in(material.training_batches(rows, batch_size=16, draws=np.random.default_rng(1)))
    with_first_again = {row for batch in other if 0 in batch for row in batch.tolist()}
    assert with_first != with_first_again, "who is in a batch changes too"


def test_examples_without_tokens_are_shuffled_as_they_come():
    rows = 50
    material = Material([[feature_set(np.arange(rows, dtype=np.float32)[:, None])]], np.zeros(rows, dtype=np.int64))
    batches = list(material.training_batches(np.arange(rows), batch_size=16, draws=np.random.default_rng(2)))
    np.testing.assert_array_equal(
        np.concatenate([tensors[0][:, 0] for tensors, _, _ in batches]), np.random.default_rng(2).permutation(rows)
    )


@pytest.mark.parametrize("parts", [(3_000,), (2_000, 1_000)])
def test_rows_that_are_not_in_memory_come_in_windows_of_shuffled_blocks(monkeypatch, parts):
    monkeypatch.setattr("autotl.features.feature_set.RESIDENT_BYTES", 0)
    monkeypatch.setattr("autotl.trial.material.WINDOW_BYTES", 0)
    monkeypatch.setattr("autotl.trial.material.FEWEST_BLOCKS_TOGETHER", 3)
    rows = sum(parts)
    numbers = np.split(np.arange(rows, dtype=np.float32)[:, None], np.cumsum(parts)[:-1])
    material = Material([[feature_set(part) for part in numbers]], np.zeros(rows, dtype=np.int64))

    def epoch(seed: int) -> np.ndarray:
        batches = material.training_batches(np.arange(rows), batch_size=16, draws=np.random.default_rng(seed))
        return np.concatenate([tensors[0][:, 0] for tensors, _, _ in batches]).astype(int)

    order = epoch(0)
    assert sorted(order) == list(range(rows))
    blocks = np.where(order < parts[0], order // BLOCK_ROWS, 1_000 + (order - parts[0]) // BLOCK_ROWS)
    first_window = set(blocks[:300].tolist())
    assert len(first_window) == 3, "blocks of a window are mixed"
    last_seen = max(place for place, block in enumerate(blocks.tolist()) if block in first_window)
    assert last_seen < 3 * BLOCK_ROWS, "and read to their end before the next"
    np.testing.assert_array_equal(order, epoch(0))
    assert order.tolist() != epoch(1).tolist()


def test_rows_are_taken_in_any_order_from_any_domain_and_view():
    plain = [np.arange(4.0, dtype=np.float32)[:, None], 10 + np.arange(3.0, dtype=np.float32)[:, None]]
    whole = [[feature_set(domain + 100 * view) for domain in plain] for view in range(2)]
    material = Material(whole, np.zeros(7, dtype=np.int64))
    rows = np.array([6, 0, 4, 3, 0])
    np.testing.assert_array_equal(material.take(rows)[0][:, 0], [12, 0, 10, 3, 0])
    np.testing.assert_array_equal(material.take(rows, np.array([1, 0, 0, 1, 1]))[0][:, 0], [112, 0, 10, 103, 100])


def test_what_joins_the_features_goes_with_its_row():
    material, _ = sequences(40)
    material.beside = np.arange(40, dtype=np.float32)[:, None]
    for tensors, _, _ in material.training_batches(np.arange(40), batch_size=8, draws=np.random.default_rng(0)):
        np.testing.assert_array_equal(tensors[-1][:, 0], tensors[0][:, 0, 0])


def test_prediction_keeps_the_order():
    material, _ = sequences(600)
    rows = np.random.default_rng(0).permutation(600)
    taken = np.concatenate([tensors[0][:, 0, 0] for tensors in material.prediction_batches(rows)])
    np.testing.assert_array_equal(taken, rows)
