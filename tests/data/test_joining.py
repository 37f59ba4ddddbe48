"""Whatever the modality, several inputs become those of one domain, in their order."""

import numpy as np
import pytest

from autotl.data.images import ImageArray, array_digests
from autotl.data.joining import join_inputs
from autotl.data.records import records_from_table
from autotl.data.tables import Table
from autotl.data.texts import texts_of
from autotl.data.windows import windows_from_samples
from autotl.errors import DataError


def records(count, seed, *, columns=("a", "b")):
    draws = np.random.default_rng(seed)
    cells = {name: [f"{value:.3f}" for value in draws.normal(size=count)] for name in columns}
    return records_from_table(Table(cells, range(2, 2 + count)), columns, origin=f"{seed}.csv")


def windows(count, seed, *, samples=16):
    values = np.random.default_rng(seed).normal(size=(count, samples, 1)).astype(np.float32)
    return windows_from_samples(values, ids=[f"row {row}" for row in range(count)], origin=f"{seed}.npz")


def texts(count, seed):
    return texts_of([f"text {seed} {row}" for row in range(count)], [f"row {row}" for row in range(count)])


def images(count, seed):
    pixels = np.random.default_rng(seed).integers(0, 255, (count, 4, 4, 3), dtype=np.uint8)
    return ImageArray(pixels, tuple(f"row {row}" for row in range(count)), array_digests(pixels))


@pytest.mark.parametrize("make", [records, windows, texts, images])
def test_joined_inputs_are_the_parts_one_after_the_other(make):
    parts = [make(3, 0), make(1, 1), make(2, 2)]
    joined = join_inputs(parts)
    assert len(joined) == 6
    assert joined.ids == tuple(name for part in parts for name in part.ids)
    assert joined.digests == tuple(digest for part in parts for digest in part.digests)
    assert join_inputs(parts[:1]) is parts[0]
    taken = joined.take(np.array([5, 0, 3]))
    assert taken.digests == (parts[2].digests[1], parts[0].digests[0], parts[1].digests[0])


def test_tables_of_other_columns_and_windows_of_other_shapes_name_both():
    with pytest.raises(DataError, match=r"columns of 0.csv and 1.csv differ: 1.csv lacks 'b'; 0.csv lacks 'c'"):
        join_inputs([records(2, 0), records(2, 1, columns=("a", "c"))])
    with pytest.raises(DataError, match=r"0.npz 16 samples x 1 channel and those of 1.npz 20 samples x 1 channel"):
        join_inputs([windows(2, 0), windows(2, 1, samples=20)])
