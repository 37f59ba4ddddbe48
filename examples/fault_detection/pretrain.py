"""A small network trained on the machines you have data of: any Keras model of yours can stand in its place.

python pretrain.py data/machines_known.csv pretrained.h5
"""

import sys

import keras
import numpy as np
import pandas as pd

COLUMNS = [  # in the order of the table that the search will read
    "Air temperature [K]",
    "Process temperature [K]",
    "Rotational speed [rpm]",
    "Torque [Nm]",
    "Tool wear [min]",
]
LABEL = "Machine failure"


def main(table: str, model_file: str) -> None:
    """Trains on every row of the table and writes the model."""
    keras.utils.set_random_seed(0)
    rows = pd.read_csv(table)
    numbers, failed = rows[COLUMNS].to_numpy("float32"), rows[LABEL].to_numpy("float32")
    scaling = keras.layers.Normalization()
    scaling.adapt(numbers)
    model = keras.Sequential(
        [
            keras.Input((len(COLUMNS),)),
            scaling,
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(32, activation="relu"),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(optimizer=keras.optimizers.Adam(2e-3), loss="binary_crossentropy")
    weight = {0: 1.0, 1: float(np.sqrt((failed == 0).sum() / (failed == 1).sum()))}
    model.fit(numbers, failed, epochs=60, batch_size=128, class_weight=weight, verbose=0)
    model.save(model_file)


if __name__ == "__main__":
    main(*sys.argv[1:])
