"""Sequences are trained without the padding that a batch shares, and nothing but the time it takes tells so."""

import keras
import numpy as np
import pytest
from pretend_rows import a_task_of_rows
from text_toys import PADDED_WITH_0, PADDED_WITH_LAST, SPEC, toy_text_network, toy_texts

from autotl.backbones.cut import divide
from autotl.features import FeatureStore
from autotl.features.engine import needed_length
from autotl.plan import Choice, Plan
from autotl.plan.modalities import defaults_of
from autotl.trial import network_bench, trainer
from autotl.trial.model import Structure
from autotl.trial.outcome import Job
from autotl.trial.scorer import Scorer
from autotl.trial.trainer import Batch, Trainer
from autotl.trial.workshop import Workshop

LENGTH = 48


@pytest.fixture
def untrimmed(monkeypatch):
    """The trainer computes every column of a batch."""
    monkeypatch.setattr(trainer, "needed_length", lambda token_ids, padding_id: token_ids.shape[1])


def a_plan(**values) -> Plan:
    own = {**defaults_of("text"), "sequence_length": LENGTH, "learning_rate": 3e-3, "batch_size": 16, "seed": 7}
    return Plan(SPEC, **{**own, **values})


def a_trainer(wordpiece, pooling, unfrozen) -> Trainer:
    network = toy_text_network(wordpiece, length=LENGTH, pooling=pooling)
    return Trainer(network, divide(network, unfrozen), Structure(Choice("linear"), classes=3))


def trained(made: Trainer, wordpiece) -> tuple[list[np.ndarray], np.ndarray, float]:
    """Weights, predictions and the last loss after a few epochs on batches of one length each."""
    texts = sorted(toy_texts(48, longest=44), key=len)
    tokens = wordpiece.encode(texts, LENGTH)
    prefix = made.division.prefix
    crossing = [tokens] if made.division.position == 0 else prefix(tokens)
    crossing = [np.asarray(tensor) for tensor in (crossing if isinstance(crossing, list | tuple) else [crossing])]
    labels = np.arange(48) % 3
    made.reset(a_plan(weight_decay=1e-3), seed=1, class_weights=np.ones(3, np.float32))
    batches = [Batch([tensor[at : at + 8] for tensor in crossing], labels[at : at + 8]) for at in range(0, 48, 8)]
    for _ in range(3):
        loss = made.run_epoch(batches, rate_at=lambda _: 3e-3)
    said, _ = made.predict([tensors for tensors, _, _ in batches])
    return made.weights(), said, loss


@pytest.mark.parametrize(
    ("wordpiece", "pooling", "unfrozen"),
    [
        pytest.param(PADDED_WITH_0, "mean", 2, id="mask crosses"),
        pytest.param(PADDED_WITH_0, "mean", 4, id="tokens cross"),
        pytest.param(PADDED_WITH_0, "cls", 4, id="first token"),
        pytest.param(PADDED_WITH_0, "mean", "all", id="whole network"),
        pytest.param(PADDED_WITH_LAST, "mean", 4, id="padded with another id"),
        pytest.param(PADDED_WITH_LAST, "cls", "all", id="padded with another id, whole network"),
    ],
)
def test_training_without_shared_padding_is_training_with_it(request, wordpiece, pooling, unfrozen):
    trimmed_weights, trimmed, trimmed_loss = trained(a_trainer(wordpiece, pooling, unfrozen), wordpiece)
    request.getfixturevalue("untrimmed")
    weights, said, loss = trained(a_trainer(wordpiece, pooling, unfrozen), wordpiece)
    assert trimmed_loss == pytest.approx(loss, abs=1e-5)
    np.testing.assert_allclose(trimmed, said, atol=1e-5)
    for one, other in zip(trimmed_weights, weights, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)


@pytest.mark.parametrize("unfrozen", [4, "all"])
def test_short_batches_really_are_computed_short(monkeypatch, unfrozen):
    made = a_trainer(PADDED_WITH_0, "mean", unfrozen)
    tokens = PADDED_WITH_0.encode(["a b c", "d"], LENGTH)
    crossing = [tokens] if made.division.position == 0 else [np.asarray(t) for t in made.division.prefix(tokens)]
    seen = []
    monkeypatch.setattr(
        made.model, "predict_on_batch", lambda tensors: seen.append(keras.tree.flatten(tensors)) or SAID
    )
    made.predict([crossing])
    assert all(tensor.shape[1] == 16 for tensor in seen[0])


SAID = {"logits": np.zeros((2, 3), np.float32), "features": np.zeros((2, 8), np.float32)}


@pytest.mark.parametrize(
    ("rows", "padding_id", "expected"),
    [
        ([[1, 0, 0]], 0, 16),
        ([[1] * 16 + [0] * 8], 0, 16),
        ([[1] * 17 + [0] * 7], 0, 32),
        ([[0] * 24], 0, 16),
        ([[0] * 20 + [9] * 4, [0] * 2 + [9] * 22], 9, 32),
        (np.zeros((0, 24)), 0, 16),
    ],
)
def test_the_columns_needed_are_counted_up_to_a_multiple_of_sixteen(rows, padding_id, expected):
    assert needed_length(np.asarray(rows), padding_id) == expected


@pytest.mark.parametrize(("unfrozen", "folds"), [(0, 1), (4, 2)])
def test_a_whole_trial_of_texts_is_the_same_with_and_without_shared_padding(
    tmp_path, monkeypatch, request, unfrozen, folds
):
    monkeypatch.setattr(network_bench, "build_network", lambda spec, **_: toy_text_network(length=LENGTH))
    data = a_task_of_rows("text", folds=folds)
    plan = a_plan(unfrozen_layers=unfrozen, epochs=2)

    def outputs(folder):
        workshop = Workshop(data, FeatureStore(tmp_path / folder, limit_bytes=1 << 28), Scorer("accuracy"))
        ending = list(workshop.train([Job(0, plan)]))[-1].ending
        assert ending.status == "complete", ending.reason
        return ending.outputs

    one, again = outputs("one"), outputs("again")
    np.testing.assert_array_equal(one.validation, again.validation)
    request.getfixturevalue("untrimmed")
    other = outputs("other")
    np.testing.assert_allclose(one.validation, other.validation, atol=1e-5)
    np.testing.assert_allclose(one.target, other.target, atol=1e-5)
