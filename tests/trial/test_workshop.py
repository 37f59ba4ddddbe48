"""A plan's result depends on the plan and the data, never on what the worker did before."""

import time
from dataclasses import replace

import keras
import numpy as np
import pytest
from pretend import a_plan, a_task, a_workshop, images

from autotl.backbones import BackboneSpec
from autotl.data.examples import Fold
from autotl.data.images import ImageArray
from autotl.features import FeatureStore
from autotl.plan import Choice
from autotl.trial.outcome import Job, OutOfMemoryError
from autotl.trial.packet import HeadPacket
from autotl.trial.scorer import Scorer
from autotl.trial.workshop import Workshop


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """One for tests that look at a single plan: what was trained before must not matter."""
    return a_workshop(tmp_path_factory.mktemp("shared"))


def train(workshop, plan, *, number: int = 0, **job):
    return list(workshop.train([Job(number, plan, **job)]))


def test_a_plan_reports_every_epoch_and_ends_complete_with_outputs_and_weights(shared):
    rows = train(shared, a_plan(epochs=3))
    assert [row.epoch for row in rows] == [1, 2, 3]
    assert [row.ending is None for row in rows] == [True, True, False]
    ending = rows[-1].ending
    assert ending.status == "complete"
    assert ending.outputs.validation.shape == (24, 3)
    np.testing.assert_allclose(ending.outputs.validation.sum(axis=1), 1, atol=1e-5)
    assert ending.score["value"] == rows[-1].score
    assert ending.score["low"] < ending.score["value"] < ending.score["high"]
    assert ending.scores["accuracy"] == rows[-1].score
    assert rows[-1].size.params > 0
    assert rows[-1].size.flops > 0


@pytest.mark.parametrize("unfrozen", [0, 3, "all"])
def test_the_same_plan_gives_the_same_result_first_and_after_other_plans(tmp_path, unfrozen):
    plan = a_plan(unfrozen_layers=unfrozen, dropout=0.2, label_smoothing=0.1, weight_decay=1e-3)
    workshop = a_workshop(tmp_path)
    first = train(workshop, plan)
    for number, other in enumerate((a_plan(unfrozen_layers="all"), a_plan(unfrozen_layers=3, seed=1), a_plan(seed=2))):
        train(workshop, other, number=number + 1)
    again = train(workshop, plan, number=9)
    assert [row.train_loss for row in again] == [row.train_loss for row in first]
    np.testing.assert_array_equal(again[-1].ending.outputs.validation, first[-1].ending.outputs.validation)
    for one, other in zip(first[-1].ending.weights, again[-1].ending.weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_plan_closed_halfway_leaves_no_trace_in_the_next(tmp_path):
    plan = a_plan(unfrozen_layers=3)
    alone = train(a_workshop(tmp_path / "alone"), plan)
    workshop = a_workshop(tmp_path / "shared")
    stopped = workshop.train([Job(0, a_plan(unfrozen_layers="all", seed=3))])
    next(stopped)
    stopped.close()
    after = train(workshop, plan, number=1)
    np.testing.assert_array_equal(after[-1].ending.outputs.validation, alone[-1].ending.outputs.validation)


def test_seeds_change_the_result(shared):
    one, other = (train(shared, a_plan(seed=seed))[-1].ending.outputs.validation for seed in (1, 2))
    assert np.abs(one - other).max() > 1e-4


def test_plans_of_one_structure_share_one_compiled_step(tmp_path):
    workshop = a_workshop(tmp_path)
    trainer = workshop.bench.trainer(a_plan())
    traces = []
    original = trainer.model.compute_loss
    trainer.model.compute_loss = lambda *args, **kwargs: traces.append(1) or original(*args, **kwargs)
    train(workshop, a_plan())
    first = len(traces)
    for number in range(1, 20):
        varied = a_plan(learning_rate=1e-3 * number, dropout=0.02 * number, weight_decay=1e-4 * number, seed=number)
        train(workshop, varied, number=number)
        assert workshop.bench.trainer(varied) is trainer
    assert first <= 2, "one trace for full batches, one for the last smaller one"
    assert len(traces) == first


def test_cross_validation_scores_every_row_by_a_model_that_did_not_see_it(tmp_path):
    data = a_task(folds=5)
    ending = train(a_workshop(tmp_path, data), a_plan(epochs=4))[-1].ending
    np.testing.assert_array_equal(ending.outputs.rows, np.arange(120))
    assert ending.score["kind"] == "cross_validation"


def test_folds_that_take_turns_equal_folds_trained_alone(tmp_path):
    data = a_task(folds=3)
    plan = a_plan(unfrozen_layers=3, dropout=0.3)
    together = train(a_workshop(tmp_path / "together", data), plan)[-1].ending.outputs
    first = data.folds[0]
    alone = a_workshop(tmp_path / "alone", data)
    trained = alone.fit(plan, first)
    probabilities, _ = trained.predict(first.validation)
    here = np.searchsorted(together.rows, first.validation)
    np.testing.assert_array_equal(together.validation[here], probabilities)


def test_stored_weights_bring_back_the_trained_model(shared):
    plan = a_plan(unfrozen_layers=3)
    ending = train(shared, plan)[-1].ending
    train(shared, a_plan(unfrozen_layers="all"), number=1)
    trained = shared.trained(plan, ending.weights)
    again, _ = trained.predict(ending.outputs.rows)
    np.testing.assert_array_equal(again, ending.outputs.validation)


def test_a_second_workshop_on_the_same_store_computes_no_activation(tmp_path):
    first, second = a_workshop(tmp_path), a_workshop(tmp_path)
    plan = a_plan(unfrozen_layers=3, views=1)
    one = train(first, plan)[-1].ending.outputs
    other = train(second, plan)[-1].ending.outputs
    assert first.bench.store.computed_blocks > 0
    assert second.bench.store.computed_blocks == 0
    np.testing.assert_array_equal(one.validation, other.validation)


def test_a_deadline_prunes_with_the_reason_budget(shared):
    train(shared, a_plan(epochs=1))  # everything that takes its time the first time
    rows = train(shared, a_plan(epochs=1000), deadline=time.monotonic() + 3)
    assert (rows[-1].ending.status, rows[-1].ending.reason) == ("pruned", "budget")
    assert 0 < rows[-1].epoch < 1000


def test_a_diverging_plan_fails_with_the_epoch(tmp_path):
    workshop = a_workshop(tmp_path)
    workshop.bench.scorer = type(
        "Poisoned", (type(workshop.scorer),), {"class_weights": lambda *_, **__: np.full(3, np.nan)}
    )("accuracy")
    ending = train(workshop, a_plan())[-1].ending
    assert ending.status == "failed"
    assert "diverged" in ending.reason
    assert "epoch 1" in ending.reason


def test_a_crash_inside_a_plan_is_a_failed_row_with_its_reason(shared):
    rows = train(shared, a_plan(unfrozen_layers=10_000))
    assert len(rows) == 1
    assert rows[0].ending.status == "failed"
    assert "10" in rows[0].ending.reason
    assert "all" in rows[0].ending.reason


def test_missing_weights_skip_the_plan(tmp_path, monkeypatch):
    monkeypatch.setenv("AUTOTL_OFFLINE", "1")
    vgg = BackboneSpec(origin="application", name="VGG16", weights="imagenet")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    ending = train(a_workshop(tmp_path), a_plan().__class__(vgg, epochs=1))[-1].ending
    assert ending.status == "skipped"
    assert "VGG16" in ending.reason


def test_heads_views_and_rates_do_what_they_say(shared):
    hidden = train(shared, a_plan(head=Choice("hidden", {"units": 8})))[-1].ending
    assert [weight.shape for weight in hidden.weights][-2:] == [(8, 3), (3,)]
    frozen = train(shared, a_plan(unfrozen_layers=3, backbone_rate_ratio=0.0, weight_decay=0.0), number=1)[-1].ending
    pretrained = shared.bench.network(a_plan())
    pretrained.restore_pretrained_weights()
    trained = shared.bench.trainer(a_plan(unfrozen_layers=3)).model.suffix.trainable_variables
    assert len(trained) > 0
    for variable, weight in zip(trained, frozen.weights, strict=False):
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(variable), weight)


def test_balanced_class_weights_have_mean_one_over_the_examples(shared):
    scorer = type(shared.scorer)("accuracy", balanced=True)
    labels = np.array([0] * 90 + [1] * 9 + [2])
    weights = scorer.class_weights(labels, classes=3)
    assert weights[labels].mean() == pytest.approx(1.0)
    assert weights[2] == pytest.approx(90 * weights[0])


def test_a_plan_that_learns_from_the_source_never_sees_a_target_label(tmp_path):
    """Two tasks that differ in the target's training labels alone give it the same weights; other plans differ."""
    (target, labels), (source, source_labels) = images(60, seed=1), images(60, seed=2)
    fold = Fold(np.r_[0:40, 60:120], np.arange(40, 60))
    shuffled = np.concatenate([labels[:40][::-1], labels[40:]])
    tasks = [
        a_task(
            domains=("target", "elsewhere"),
            inputs=(target, source),
            labels=np.concatenate([of_target, source_labels]),
            folds=1,
            setting="cross-domain",
        )
        for of_target in (labels, shuffled)
    ]
    tasks = [replace(task, folds=(fold,), suffix_folds=(fold,), target_rows=fold.validation) for task in tasks]
    for learns_from, is_equal in (("source", True), ("all", False)):
        one, other = (
            train(a_workshop(tmp_path, task), a_plan(learns_from=learns_from))[-1].ending.outputs.validation
            for task in tasks
        )
        assert np.array_equal(one, other) is is_equal


@pytest.mark.parametrize("unfrozen", [0, 3, "all"])
def test_inputs_from_outside_are_predicted_by_the_layers_as_they_were_trained(tmp_path, unfrozen):
    workshop = a_workshop(tmp_path)
    learner = workshop.fit(a_plan(unfrozen_layers=unfrozen, learning_rate=0.01), workshop.data.folds[0])
    rows = np.arange(0, 120, 7)
    said, _ = learner.predict(rows)
    outside = learner.predict_inputs(workshop.data.inputs[0].take(rows))  # stored nowhere yet
    np.testing.assert_allclose(outside, said, atol=1e-5)


def test_one_pass_serves_plans_that_unfreeze_more(tmp_path):
    store = FeatureStore(tmp_path, limit_bytes=1 << 30)
    workshop = Workshop(a_task(), store, Scorer("accuracy"), unfrozen_choices=(0, 3, 6))
    train(workshop, a_plan())
    stored = store.computed_blocks
    assert stored == 3
    for number, unfrozen in enumerate((3, 6)):
        assert train(workshop, a_plan(unfrozen_layers=unfrozen), number=number)[-1].ending.status == "complete"
    assert store.computed_blocks == stored


@pytest.mark.parametrize("taps", [("P3", "last"), ("last", "P3")])
def test_plans_with_another_tap_go_on_from_where_their_networks_part(tmp_path, monkeypatch, taps):
    store = FeatureStore(tmp_path, limit_bytes=1 << 30)
    workshop = Workshop(a_task(), store, Scorer("accuracy"), taps=taps)
    first, second = (a_plan(tap=tap) for tap in taps)
    train(workshop, first)
    monkeypatch.setattr(ImageArray, "read", None)  # no example is looked at again
    assert train(workshop, second)[-1].ending.status == "complete"
    alone = a_workshop(tmp_path / "alone", a_task())
    monkeypatch.undo()
    expected = train(alone, second)[-1].ending
    np.testing.assert_array_equal(train(workshop, second)[-1].ending.outputs.features, expected.outputs.features)


def test_how_far_the_features_are_is_told_before_the_first_epoch(tmp_path, monkeypatch):
    monkeypatch.setattr("autotl.trial.workshop.SECONDS_BETWEEN_WORDS", 0.0)
    workshop = a_workshop(tmp_path, a_task(rows=600))
    rows = train(workshop, a_plan(epochs=1))
    told = [row.features for row in rows if row.features is not None]
    assert [(each.rows_done, each.rows) for each in told] == [(256, 600), (512, 600)]
    assert all(row.epoch == 0 and row.ending is None for row in rows[:2])
    assert [row.features for row in rows[2:]] == [None]
    again = train(workshop, a_plan(epochs=1, learning_rate=0.01))
    assert [row.features for row in again] == [None], "there is nothing to wait for"


class TestOutOfMemory:
    """The worker must end: what was held may not be given back before."""

    def starved(self, monkeypatch, error):
        from autotl.trial import workshop

        def fail(*_: object) -> float:
            raise error

        monkeypatch.setattr(workshop, "_train_epoch", fail)

    def test_a_plan_without_memory_is_no_failed_row(self, tmp_path, monkeypatch):
        self.starved(monkeypatch, MemoryError("Unable to allocate 8.00 GiB"))
        with pytest.raises(OutOfMemoryError, match="out of memory: MemoryError: Unable to allocate"):
            train(a_workshop(tmp_path), a_plan(unfrozen_layers="all"))

    def test_heads_side_by_side_without_memory_are_not_tried_one_after_the_other_here(self, tmp_path, monkeypatch):
        monkeypatch.setattr(HeadPacket, "_train_epoch", lambda *_: (_ for _ in ()).throw(MemoryError("no")))
        plan = a_plan()
        with pytest.raises(OutOfMemoryError):
            list(a_workshop(tmp_path).train([Job(0, plan), Job(1, replace(plan, learning_rate=0.1))]))

    def test_any_other_trouble_is_a_failed_row(self, tmp_path, monkeypatch):
        self.starved(monkeypatch, RuntimeError("something else"))
        (row,) = train(a_workshop(tmp_path), a_plan(unfrozen_layers="all"))
        assert (row.ending.status, row.ending.reason) == ("failed", "RuntimeError: something else")


def test_without_a_gpu_no_row_tells_of_its_memory(shared):
    assert train(shared, a_plan())[-1].gpu_bytes is None
