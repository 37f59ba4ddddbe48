"""The network over columns: whatever a row holds it gives finite features, and it can be cut at every block."""

from pathlib import Path

import keras
import numpy as np
import pytest

from autotl.backbones import BackboneSpec, divide
from autotl.backbones.form import Form
from autotl.backbones.network import network_of
from autotl.backbones.origin import Loaded
from autotl.backbones.reading import ColumnReading
from autotl.backbones.residual_mlp import (
    FURTHEST,
    NumberStatistics,
    embedding_width,
    number_statistics,
    numeric_columns,
    residual_mlp,
)
from autotl.data.schema import CategoricalColumn, NumericColumn, Schema

SCHEMA = Schema(
    columns=(
        NumericColumn(name="torque", notation="1234.5", median=40.0),
        CategoricalColumn(name="type", categories=("H", "L", "M")),
        NumericColumn(name="wear", notation="1234.5", median=100.0),
        NumericColumn(name="always", notation="1234.5", median=7.0),
    )
)


def rows(count: int = 64, seed: int = 0) -> np.ndarray:
    draws = np.random.default_rng(seed)
    torque, wear = draws.normal(40, 10, count), draws.uniform(0, 250, count)
    wear[::7] = np.nan
    matrix = np.stack([torque, draws.integers(0, 4, count), wear, np.full(count, 7.0)], axis=1)
    return matrix.astype(np.float32)


def model(seed: int = 0, **sizes: int) -> keras.Model:
    return residual_mlp(SCHEMA, numbers=number_statistics(rows(), SCHEMA), seed=seed, **sizes)


def test_statistics_are_of_the_numbers_that_are_there() -> None:
    found = number_statistics(rows(), SCHEMA)
    wear = rows()[:, 2].astype(np.float64)
    assert numeric_columns(SCHEMA) == (0, 2, 3)
    assert found.means[1] == pytest.approx(np.nanmean(wear))
    assert found.deviations[1] == pytest.approx(np.nanstd(wear))
    assert found.sometimes_missing == (False, True, False)
    assert NumberStatistics.from_dict(found.as_dict()) == found


@pytest.mark.parametrize(
    "wrong",
    [
        {"means": [0.0], "deviations": [1.0], "sometimes_missing": []},
        {"means": [float("nan")], "deviations": [1.0], "sometimes_missing": [False]},
        {"means": [0.0], "deviations": [0.0], "sometimes_missing": [False]},
        {"means": [0.0]},
    ],
)
def test_statistics_that_make_no_sense_are_refused(wrong: dict[str, list[float]]) -> None:
    with pytest.raises((KeyError, ValueError)):
        NumberStatistics.from_dict(wrong)


def test_missing_numbers_unknown_codes_and_absurd_values_give_finite_features() -> None:
    absurd = np.array(
        [
            [np.nan, 0, np.nan, np.nan],
            [3e38, 99, -3e38, 1e30],
            [np.inf, -5, -np.inf, 0],
            [40, np.nan, 100, 7],
        ],
        dtype=np.float32,
    )
    assert np.isfinite(model().predict_on_batch(absurd)).all()


def test_a_code_that_the_schema_does_not_know_is_read_as_unknown() -> None:
    written = np.array([[40, code, 100, 7] for code in (0, 4, 99, -1, np.nan)], dtype=np.float32)
    features = model().predict_on_batch(written)
    assert np.abs(features - features[0]).max() == 0.0


def test_a_missing_number_is_told_from_the_mean_where_training_lacked_some() -> None:
    means = number_statistics(rows(), SCHEMA).means
    at_means = np.array([[means[0], 1, means[1], 7]], dtype=np.float32)
    for place, is_told in ((0, False), (2, True)):
        missing = at_means.copy()
        missing[0, place] = np.nan
        both = model().predict_on_batch(np.concatenate([at_means, missing]))
        assert (np.abs(both[0] - both[1]).max() > 1e-3) == is_told


def test_a_column_that_never_varied_in_training_says_nothing_later() -> None:
    usual, other = rows(1), rows(1)
    other[0, 3] = 1000.0
    both = model().predict_on_batch(np.concatenate([usual, other]))
    assert np.abs(both[0] - both[1]).max() < 1e-5


def test_numbers_far_outside_are_held_at_some_deviations() -> None:
    statistics = number_statistics(rows(), SCHEMA)
    far = np.array(
        [[statistics.means[0] + factor * FURTHEST * statistics.deviations[0], 1, 100, 7] for factor in (2, 9)]
    )
    both = model().predict_on_batch(far.astype(np.float32))
    assert np.abs(both[0] - both[1]).max() == 0.0


@pytest.mark.parametrize("columns", [SCHEMA.columns[:1], SCHEMA.columns[1:2], (SCHEMA.columns[1], SCHEMA.columns[2])])
def test_numbers_alone_categories_alone_and_both_will_do(columns: tuple) -> None:
    schema = Schema(columns=columns)
    matrix = np.ones((3, len(schema.names)), dtype=np.float32)
    built = residual_mlp(schema, numbers=number_statistics(matrix, schema), seed=0, width=16, blocks=1)
    assert built.predict_on_batch(matrix).shape == (3, 16)


def test_weights_depend_on_the_seed_alone() -> None:
    one, again, other = (model(seed=seed).get_weights() for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(one, again, strict=True))
    assert any(not np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_nothing_in_it_depends_on_the_batch() -> None:
    built = model()
    assert not any(isinstance(layer, keras.layers.BatchNormalization) for layer in built.layers)
    assert built.non_trainable_variables == []


def test_it_can_be_cut_at_every_block_without_a_difference() -> None:
    spec = BackboneSpec("pretrained_on_source", "pretrained_on_source")
    loaded = Loaded(model(width=32), reading=ColumnReading(SCHEMA))
    network = network_of(loaded, spec, form=Form("table", schema=SCHEMA), tap="last")
    assert len(network.layers) == 12  # an embedding, the stem, three layers a block, the last normalisation
    matrix = rows(9)
    whole = np.asarray(network.whole(matrix, training=False))
    for unfrozen in [*range(len(network.layers) + 1), "all"]:
        division = divide(network, unfrozen)
        again = np.asarray(division.suffix(division.prefix(matrix, training=False), training=False))
        assert np.abs(again - whole).max() == 0.0


def test_it_is_saved_and_loaded_in_safe_mode(tmp_path: Path) -> None:
    built = model(width=32)
    built.save(tmp_path / "network.keras")
    again = keras.models.load_model(tmp_path / "network.keras", safe_mode=True)
    np.testing.assert_array_equal(again.predict_on_batch(rows(5)), built.predict_on_batch(rows(5)))


def test_few_categories_get_short_vectors_and_many_no_endless_ones() -> None:
    assert [embedding_width(codes) for codes in (2, 4, 10, 101)] == [2, 3, 6, 21]
    assert embedding_width(10_000) == 32
