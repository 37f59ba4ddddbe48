"""A model that looks at the content alone is predicted with as it was trained, whatever the margins of the files."""

import json

import numpy as np
import pytest
from PIL import Image
from pretend import a_plan, a_task, a_workshop

from autotl.backbones.reading import PixelReading, own_reading
from autotl.data.images import ImageArray, array_digests
from autotl.production.bundle import DESCRIPTION, open_bundle, write_bundle
from autotl.production.prediction import predict
from autotl.production.serving_model import serving_model
from autotl.trial.forms import form_of
from autotl.trial.outcome import Job

CLASSES = ("red", "green", "blue")


def with_margin(pixels, before, after):
    return np.pad(pixels, ((0, 0), (before, after), (after, before), (0, 0)))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A bundle of a cropping plan, the task it was trained on, and what the trial said of its target."""
    plain = a_task()
    pixels = plain.inputs[0].pixels + np.uint8(80)
    inputs = ImageArray(with_margin(pixels, 10, 6), plain.inputs[0].ids, array_digests(pixels))
    data = a_task(inputs=(inputs,))
    workshop = a_workshop(tmp_path_factory.mktemp("store"), data)
    plan = a_plan(crop="content", unfrozen_layers=2, views=1, augmentation="crop")
    ending = list(workshop.train([Job(0, plan)]))[-1].ending
    assert ending.status == "complete", ending.reason
    model = serving_model(workshop.trained(plan, ending.weights), own_reading(form_of(plan, data)), temperature=1.0)
    folder = tmp_path_factory.mktemp("run") / "winner"
    description = {"classes": list(CLASSES), "modality": "image", "temperature": 1.0}
    write_bundle(folder, model, description=description, metrics={}, card="# card\n", evidence={})
    return folder, pixels[data.target_rows], ending.outputs.target


def predicted(bundle, pixels, folder):
    folder.mkdir()
    for row, image in enumerate(pixels):
        Image.fromarray(image).save(folder / f"{row:03}.png")
    return predict(bundle, folder).probabilities


def test_the_description_says_how_images_are_cropped(made):
    folder, _, _ = made
    assert json.loads((folder / DESCRIPTION).read_text())["preprocessing"]["crop"] == "content"
    assert open_bundle(folder).reading == PixelReading(32, "content")


def test_files_are_predicted_as_the_trial_said_whatever_their_margins(made, tmp_path):
    folder, pixels, said = made
    bundle = open_bundle(folder)
    as_trained = predicted(bundle, with_margin(pixels, 10, 6), tmp_path / "as trained")
    np.testing.assert_allclose(as_trained, said, atol=1e-4)
    np.testing.assert_allclose(predicted(bundle, with_margin(pixels, 3, 9), tmp_path / "others"), said, atol=0.05)
