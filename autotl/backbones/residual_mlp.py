"""A residual network over the columns of a table: numbers standardised, categories embedded, in one Keras graph."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from autotl.data.schema import Schema

WIDTH = 128
BLOCKS = 3
EXPANSION = 2  # of the width inside a block
FURTHEST = 10.0  # deviations from the mean; a cell beyond says no more than one there
NEVER_VARIED = 1e12  # the deviation of a column that training has seen at one value: whatever it holds later counts 0
WIDEST_EMBEDDING = 32


@dataclass(frozen=True)
class NumberStatistics:
    """Of a table's numeric columns over the training rows, in the order of the matrix."""

    means: tuple[float, ...]
    deviations: tuple[float, ...]
    sometimes_missing: tuple[bool, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {name: list(values) for name, values in asdict(self).items()}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "NumberStatistics":
        """What `as_dict` wrote; raises `KeyError`, `TypeError` or `ValueError` where it is not that."""
        means, deviations = (tuple(map(float, content[name])) for name in ("means", "deviations"))
        missing = tuple(map(bool, content["sometimes_missing"]))
        if not len(means) == len(deviations) == len(missing):
            raise ValueError("means, deviations and sometimes_missing differ in length")
        if not np.isfinite([*means, *deviations]).all() or min(deviations, default=1.0) <= 0:
            raise ValueError("means must be finite, deviations positive")
        return cls(means, deviations, missing)


def number_statistics(matrix: NDArray[np.float32], schema: Schema) -> NumberStatistics:
    """Means and deviations of the numbers that are there, and which columns lack some; (n, d) as `Schema.encode`
    gives it."""
    means, deviations, missing = [], [], []
    for place in numeric_columns(schema):
        column = matrix[:, place].astype(np.float64)
        present = column[~np.isnan(column)]
        means.append(float(present.mean()) if len(present) else 0.0)
        varied = len(present) > 0 and present.min() < present.max()
        deviations.append(float(present.std()) if varied else NEVER_VARIED)
        missing.append(len(present) < len(column))
    return NumberStatistics(tuple(means), tuple(deviations), tuple(missing))


def numeric_columns(schema: Schema) -> tuple[int, ...]:
    """Which of the matrix's columns hold numbers, parts of dates among them."""
    coded = set(schema.categorical)
    return tuple(place for place in range(len(schema.names)) if place not in coded)


def embedding_width(codes: int) -> int:
    """Numbers that stand for a category where there are so many codes: few for few, growing slowly."""
    return min(WIDEST_EMBEDDING, round(1.6 * codes**0.56))


def residual_mlp(
    schema: Schema, *, numbers: NumberStatistics, seed: int, width: int = WIDTH, blocks: int = BLOCKS
) -> keras.Model:
    """A Keras model from rows as `Schema.encode` gives them, float32 (n, d), to features (n, width).

    A missing number counts as the mean, and a column that lacked some in training has an indicator beside it; a code
    that the schema does not know is read as 0, unknown. Layer instead of batch normalisation: nothing in it depends on
    the batch, so it trains in inference mode like every other suffix. Plain Keras operations only, so a saved model
    loads without autotl.

    Args:
        numbers: of the training rows; they become constants of the graph.
        seed: of all its weights.
        width: of the features and of the stream that blocks add to.
    Paper: Gorishniy et al., "Revisiting Deep Learning Models for Tabular Data", NeurIPS 2021 (arXiv:2106.11959),
    section 3.2, there with batch normalisation and dropout.
    """
    draws = np.random.default_rng(seed)

    def dense(units: int, name: str) -> keras.layers.Layer:
        initializer = keras.initializers.HeNormal(seed=int(draws.integers(2**31)))
        return keras.layers.Dense(units, kernel_initializer=initializer, name=name)

    row = keras.Input((len(schema.names),), name="row")
    parts = [*_numbers(row, schema, numbers), *_embeddings(row, schema, draws)]
    joined = parts[0] if len(parts) == 1 else keras.layers.Concatenate(name="cells")(parts)
    features = dense(width, "stem")(joined)
    for number in range(1, blocks + 1):
        block = f"block{number}"
        residual = keras.layers.LayerNormalization(name=f"{block}_norm")(features)
        residual = keras.layers.ReLU(name=f"{block}_relu")(dense(EXPANSION * width, f"{block}_first")(residual))
        residual = dense(width, f"{block}_second")(residual)
        features = keras.layers.Add(name=f"{block}_add")([features, residual])
    top = keras.layers.ReLU(name="top_relu")(keras.layers.LayerNormalization(name="top_norm")(features))
    return keras.Model(row, top, name="residual_mlp")


def _numbers(row: keras.KerasTensor, schema: Schema, numbers: NumberStatistics) -> list[keras.KerasTensor]:
    """Standardised numbers, and indicators of the columns that lacked some in training."""
    places = np.array(numeric_columns(schema), dtype="int32")
    if not len(places):
        return []
    raw = ops.take(row, places, axis=1)
    variances = [deviation**2 for deviation in numbers.deviations]
    standard = keras.layers.Normalization(mean=list(numbers.means), variance=variances, name="standardised")(raw)
    known = ops.clip(ops.where(ops.isnan(raw), 0.0, standard), -FURTHEST, FURTHEST)
    lacking = places[np.array(numbers.sometimes_missing, dtype=bool)]
    if not len(lacking):
        return [known]
    return [known, ops.cast(ops.isnan(ops.take(row, lacking, axis=1)), "float32")]


def _embeddings(row: keras.KerasTensor, schema: Schema, draws: np.random.Generator) -> list[keras.KerasTensor]:
    """One vector per categorical column."""
    vectors = []
    for place, codes in zip(schema.categorical, schema.cardinalities, strict=True):
        written = row[:, place]
        is_known = ops.logical_and(written >= 0, written < codes)  # false for NaN too
        code = ops.cast(ops.where(is_known, written, 0.0), "int32")
        initializer = keras.initializers.RandomNormal(stddev=1.0, seed=int(draws.integers(2**31)))
        layer = keras.layers.Embedding(
            codes, embedding_width(codes), embeddings_initializer=initializer, name=embedding_name(place)
        )
        vectors.append(layer(code))
    return vectors


def embedding_name(place: int) -> str:
    """Of the layer that embeds one of the matrix's columns."""
    return f"embedding_{place}"
