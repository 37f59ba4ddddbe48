"""Where Keras computes by PyTorch, the unfrozen part of an encoder has the gradients of the published network, whose
frozen part was stored. A process of its own, since Keras's backend is chosen once."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from encoder_folders import image_folder, skip_without_torch, text_folder

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import json, sys
from pathlib import Path

import keras
import numpy as np
import torch
from transformers import AutoModel

from autotl.backbones import build_network, divide, parse_spec
from autotl.backbones.form import Form, of_images
from autotl.features.torch_engine import TorchEngine


class Weighed(keras.Model):
    def __init__(self, suffix):
        super().__init__()
        self.suffix = suffix

    def call(self, tensors):
        return self.suffix(tensors, training=False)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return keras.ops.sum(y_pred * y)


def compared(folder, kind):
    draws = np.random.default_rng(0)
    form = Form("text", sequence_length=12, pooling="mean") if kind == "text" else of_images(32)
    network = build_network(parse_spec(str(folder), folder=folder, where="backbone"), form=form)
    division = divide(network, 2)
    if kind == "text":
        examples = draws.integers(5, 20, size=(6, 12)).astype(np.int32)
        examples[3:, 7:] = 0
        given = {"input_ids": torch.tensor(examples).long(), "attention_mask": torch.tensor(examples != 0).long()}
    else:
        examples = draws.integers(0, 256, size=(6, 32, 32, 3)).astype(np.uint8)
        scaled = (examples / 255 - [0.4, 0.5, 0.6]) / [0.2, 0.25, 0.3]
        given = {"pixel_values": torch.tensor(scaled, dtype=torch.float32).permute(0, 3, 1, 2)}
    stored = TorchEngine(division.prefix, network.encoder)([examples])
    directions = torch.tensor(draws.normal(size=(6, network.feature_width)), dtype=torch.float32)
    model = Weighed(division.suffix)
    model.compile(optimizer=keras.optimizers.SGD(0.0))
    taken = stored[0] if len(stored) == 1 else stored
    model(taken)
    by_step = []
    for _ in range(2):
        model.train_on_batch(taken, directions)
        by_step.append([variable.value.grad.clone() for variable in model.trainable_variables])

    published = AutoModel.from_pretrained(folder).eval()
    said = published(**given).last_hidden_state
    if kind == "text":
        mask = given["attention_mask"].unsqueeze(-1)
        features = (said * mask).sum(1) / mask.sum(1)
    else:
        features = said[:, 0]
    (features * directions).sum().backward()
    blocks = published.encoder.layer if kind == "text" else published.layers
    last = blocks[1:].parameters() if kind == "text" else [*blocks[2:].parameters(), *published.layernorm.parameters()]
    expected = [parameter.grad for parameter in last]
    apart = max(float((one - other).abs().max()) for one, other in zip(by_step[0], expected, strict=True))
    again = max(float((one - other).abs().max()) for one, other in zip(*by_step, strict=True))
    largest = max(float(one.abs().max()) for one in expected)
    names = [layer.name for layer in division.unfrozen]
    return {"apart": apart / largest, "again": again / largest, "unfrozen": names, "place": division.place}


print(json.dumps({kind: compared(Path(sys.argv[1], kind), kind) for kind in ("text", "image")}))
"""


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """What the process says of a text and of an image encoder."""
    skip_without_torch()
    folder = tmp_path_factory.mktemp("nets")
    text_folder(folder / "text")
    image_folder(folder / "image")
    environment = {**os.environ, "KERAS_BACKEND": "torch", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", SCRIPT, str(folder)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("kind", ["text", "image"])
def test_gradients_behind_a_cut_are_those_of_the_published_network(compared, kind):
    said = compared[kind]
    assert said["apart"] < 1e-4
    assert said["again"] < 1e-6, "gradients of an earlier step must not stay"
    expected = {"text": ["encoder_block_1", "encoder_block_2"], "image": ["encoder_block_2", "ending"]}[kind]
    assert said["unfrozen"] == expected
    assert said["place"] == {"text": "encoder_block_0", "image": "encoder_block_1"}[kind]
