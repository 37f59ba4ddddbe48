"""Servers of models that nobody trained: the answer depends on the batch alone, and no network is loaded."""

import io

import numpy as np
from bundles import make_bundle
from fastapi.testclient import TestClient
from PIL import Image

from autotl.production.bundle import open_bundle
from autotl.production.serving.application import make_application
from autotl.production.serving.limits import Limits
from autotl.production.serving.served import Served

SCHEMA = {
    "format": 1,
    "columns": [
        {"kind": "numeric", "name": "age", "notation": "1234,5", "median": 40.0},
        {"kind": "categorical", "name": "city", "categories": ["1", "Berlin", "NO"]},
        {
            "kind": "date",
            "name": "sold",
            "form": "2024-01-31",
            "origin": "2024-01-01T00:00:00",
            "parts": ["month"],
            "medians": [6.0],
        },
    ],
}
READINGS = {
    "image": {"reads": "pixels", "image_size": 8},
    "text": {"reads": "strings"},
    "table": {"reads": "columns", "schema": SCHEMA},
    "signal": {"reads": "samples", "window": [6, 2]},
}
INSTANCES = {
    "text": "a fine kettle",
    "table": {"age": 41, "city": "NO", "sold": "2024-05-01"},
    "signal": [[0.5, 1.5]] * 6,
}


def by_mean(batch):
    """The larger the values, the surer of the second class."""
    if batch.dtype == object:
        values = np.array([len(text) for text in batch], dtype=np.float32)
    else:
        values = np.nan_to_num(batch.reshape(len(batch), -1).astype(np.float32)).mean(axis=1)
    second = 1 / (1 + np.exp(-values / 50))
    return np.stack([1 - second, second], axis=1).astype(np.float32)


def make_served(folder, modality="image", *, predict=by_mean, version=3):
    bundle = open_bundle(make_bundle(folder, modality=modality, preprocessing=READINGS[modality], task="flowers"))
    return Served(bundle, "flowers", version, "flowers@production", predict)


def make_client(folder, modality="image", *, predict=by_mean, **limits):
    application = make_application(make_served(folder, modality, predict=predict), Limits(**limits))
    return TestClient(application, raise_server_exceptions=False)


def encoded(*, size=(12, 10), colour=(200, 30, 30), kind="PNG"):
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, kind)
    return buffer.getvalue()
