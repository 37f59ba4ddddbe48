"""A table's columns as plain numbers for a network without embeddings of its own, in the network's graph."""

import keras
import numpy as np
from keras import ops

from autotl.data.schema import Schema


def wide_columns(columns: keras.KerasTensor, schema: Schema) -> keras.KerasTensor:
    """What `Schema.wide` computes, as Keras operations without weights.

    Args:
        columns: as `Schema.encode` gives them, (n, d).
    Returns:
        float32 (n, len(schema.wide_names)): medians for missing numbers, a column of 0/1 per category.
    """
    parts = []
    start = 0
    for column in schema.columns:
        here = columns[:, start : start + len(column.names)]
        start += len(column.names)
        if column.kind == "categorical":
            codes = ops.cast(here[:, 0], "int32")
            parts.append(ops.one_hot(codes, len(column.categories) + 1)[:, 1:])
        else:
            medians = np.array([column.medians], dtype="float32")
            parts.append(ops.where(ops.isnan(here), medians, here))
    return parts[0] if len(parts) == 1 else ops.concatenate(parts, axis=-1)
