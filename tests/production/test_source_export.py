"""What leaves the house of a source: a model that says the same elsewhere, and nothing of any example."""

import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import replace

import keras
import numpy as np
import pytest
from pretend import a_plan, a_task, a_workshop, images
from pretend_domains import two_domains
from pretend_exported import an_adapting_plan, an_exported_source, at_the_target
from pretend_rows import a_task_of_rows
from text_toys import toy_text_network

from autotl.adaptation import METHODS
from autotl.backbones import BackboneSpec, build_network
from autotl.backbones.exported import spec_of
from autotl.backbones.form import of_images
from autotl.backbones.pretrained import PretrainedNetwork, described_form, untrained, weights_of, write_pretrained
from autotl.backbones.residual_mlp import number_statistics
from autotl.data.exported import read_exported
from autotl.data.images import ImageArray
from autotl.data.records import join_records, records_from_table
from autotl.data.schema_fitting import fit_schema
from autotl.data.tables import Table
from autotl.data.texts import texts_of
from autotl.errors import DataError, UsageError
from autotl.plan import Choice, Plan
from autotl.plan.modalities import defaults_of
from autotl.production.discretion import refuse_unless_it_may_leave, schema_that_may_leave
from autotl.production.source_export import write_exported
from autotl.trial import network_bench
from autotl.trial.forms import form_of

SECRET = "zyxomma"
TOLD = {"task": "t", "temperature": 1.0, "metric": "accuracy", "scores": {"accuracy": 0.9}, "versions": {"autotl": "0"}}


def unpacked(content: bytes) -> Iterator[bytes]:
    """The bytes of a file and, of an archive, of every member in it, however deep."""
    yield content
    if zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for name in archive.namelist():
                yield name.encode()
                yield from unpacked(archive.read(name))


def holds(path, wanted: bytes) -> bool:
    return any(wanted in content for content in unpacked(path.read_bytes()))


def as_stored(array: np.ndarray) -> Iterator[bytes]:
    """An array in every number format that somebody might have written it in."""
    for kind in (array.dtype, "<f2", "<f4", "<f8"):
        yield np.ascontiguousarray(array.astype(kind)).tobytes()
    yield json.dumps([float(value) for value in array.ravel()[:8]])[1:-1].encode()


def test_the_bytes_that_are_searched_are_all_there(tmp_path):
    """The proof below would prove nothing if it did not look inside."""
    row = np.random.default_rng(0).normal(size=50).astype(np.float32)
    model = keras.Sequential([keras.Input((50,)), keras.layers.Dense(1, name=SECRET)])
    model.layers[0].set_weights([row[:, None], np.zeros(1)])
    model.save(tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "outer.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(tmp_path / "model.keras", "inner.keras")
    assert holds(tmp_path / "outer.zip", SECRET.encode())
    assert any(holds(tmp_path / "outer.zip", content) for content in as_stored(row))


def test_no_image_no_name_and_no_features_of_one_are_in_the_file(tmp_path):
    inputs, labels = images(120, seed=0)
    names = tuple(f"{SECRET}/passport {row}.png" for row in range(120))
    data = a_task(rows=120, inputs=(ImageArray(inputs.pixels, names, inputs.digests),), labels=labels)
    plan = a_plan(unfrozen_layers="all", epochs=1).canonical()
    learner = a_workshop(tmp_path, data).fit(plan, data.folds[0])
    path = tmp_path / "colours.source.zip"
    write_exported(path, learner, plan, data, data.folds[0].train, **TOLD)
    rows = np.arange(120)
    read = learner.trainer.network.reading(data.inputs[0], rows)
    features = [learner.head_inputs(rows), learner.predict(rows)[1], learner.predict(rows)[0]]
    for row in rows.tolist():
        for array in (inputs.pixels[row, :2], read[row, :2], *(each[row] for each in features)):
            assert not any(holds(path, content) for content in as_stored(array)), f"row {row}"
        assert not holds(path, names[row].encode())
        assert not holds(path, data.inputs[0].digests[row].encode())
    assert not holds(path, SECRET.encode())
    assert not holds(path, str(tmp_path).encode())
    assert set(zipfile.ZipFile(path).namelist()) == {"source.json", "statistics.json", "network.keras"}


def test_no_text_and_no_word_of_one_is_in_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr(network_bench, "build_network", lambda *_, **__: toy_text_network(length=16))
    data = a_task_of_rows("text")
    texts = [f"{SECRET} {text} {SECRET}{number}" for number, text in enumerate(data.inputs[0].texts)]
    data = replace(data, inputs=(texts_of(texts, data.inputs[0].ids), data.inputs[1]))
    own = {**defaults_of("text"), "sequence_length": 16}
    plan = Plan(BackboneSpec("saved", "/nowhere/toy"), epochs=1, **own).canonical()
    workshop = a_workshop(tmp_path, data)
    learner = workshop.fit(plan, workshop.folds(plan)[0])
    path = tmp_path / "kitchen.source.zip"
    exported = write_exported(path, learner, plan, data, workshop.folds(plan)[0].train, **TOLD)
    assert not holds(path, SECRET.encode())
    for word in ("silence", "bang", "zap"):  # in no vocabulary: they are words of the source's texts alone
        assert not holds(path, word.encode())
    assert not holds(path, b"/nowhere")
    network = build_network(spec_of(exported), form=form_of(Plan(spec_of(exported), **own), data))
    rows = np.arange(20)
    tokens = network.reading(data.inputs[0], rows)
    np.testing.assert_allclose(network.whole.predict_on_batch(tokens), learner.head_inputs(rows), atol=1e-5)
    assert "tokenizer.json" in exported.description.files


def a_table(rows: int = 60):
    """Numbers, a category that one row alone holds, and others."""
    draws = np.random.default_rng(0)
    cells = {
        "level": [f"{value:.4f}" for value in draws.normal(size=rows)],
        "town": [SECRET if row == 7 else ("Bonn", "Ulm", "Zell")[row % 3] for row in range(rows)],
    }
    return records_from_table(Table(cells, range(2, 2 + rows)), tuple(cells))


def test_no_rare_category_of_a_table_is_in_the_file(tmp_path):
    records = a_table()
    schema = fit_schema(records, np.arange(60), where="data").schema
    assert SECRET in schema.columns[1].categories
    data = a_task(rows=60, modality="table", inputs=(records.with_schema(schema),))
    form = form_of(Plan(BackboneSpec("scratch", "small_cnn")), data)
    numbers = number_statistics(data.inputs[0].read(np.arange(60)), schema)
    network = untrained(form, numbers=numbers, seed=0)
    write_pretrained(tmp_path / "p.npz", PretrainedNetwork(described_form(form), weights_of(network), numbers, {}))
    backbone = BackboneSpec("pretrained_on_source", "pretrained_on_source", weights=str(tmp_path / "p.npz"))
    plan = Plan(backbone, epochs=1, **defaults_of("table")).canonical()
    workshop = a_workshop(tmp_path, data)
    path = tmp_path / "town.source.zip"
    exported = write_exported(path, workshop.fit(plan, data.folds[0]), plan, data, data.folds[0].train, **TOLD)
    assert not holds(path, SECRET.encode())
    assert holds(path, b"Ulm")
    names = exported.description.preprocessing["schema"]["columns"][1]["categories"]
    assert names == ["Bonn", "Ulm", "Zell", "Zell\x01"]


def test_a_schema_that_hides_rare_categories_reads_the_others_as_before():
    records = a_table()
    schema = fit_schema(records, np.arange(60), where="data").schema
    hidden = schema_that_may_leave(schema, [records])
    before, after = records.with_schema(schema).read(np.arange(60)), records.with_schema(hidden).read(np.arange(60))
    common = np.array([row != 7 for row in range(60)])
    np.testing.assert_array_equal(before[common], after[common])
    assert after[7, 1] == 0  # unknown


@pytest.mark.parametrize(
    ("column", "cells", "words"),
    [
        (
            "born",
            [f"19{50 + row // 2}-0{1 + row % 9}-1{row % 10}" for row in range(60)],
            "counted from the earliest date",
        ),
        ("rare", [f"{row}.5" if row < 9 else "" for row in range(60)], "has 9 filled cells"),
    ],
)
def test_a_column_that_tells_of_single_rows_keeps_the_model_at_home(column, cells, words):
    table = a_table()
    texts = {name: [each.texts[code] for code in each.codes] for name, each in table.cells.items()}
    records = records_from_table(Table({**texts, column: cells}, range(2, 62)), (*texts, column))
    schema = fit_schema(join_records([records]), np.arange(60), where="data").schema
    with pytest.raises(DataError, match=words):
        schema_that_may_leave(schema, [records])


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (Plan(BackboneSpec("classical", "bag_of_words")), "its vocabulary is made of words of the source's texts"),
        (Plan(BackboneSpec("classical", "boosted_trees")), "cells of the source's rows"),
        (Plan(BackboneSpec("classical", "random_forest")), "values of the source's windows"),
        (Plan(BackboneSpec("package", "all_minilm_l6_v2"), join="bag_of_words"), "trial 4 joins a bag of words"),
        (Plan(BackboneSpec("saved", "/m", trusted=True)), "a SavedModel, which a Keras file cannot hold"),
    ],
)
def test_models_that_hold_examples_stay_with_the_reason(plan, words):
    with pytest.raises(UsageError, match=words):
        refuse_unless_it_may_leave(plan, trial=4)


def test_a_model_of_few_examples_stays(tmp_path):
    data = a_task(rows=30)
    plan = a_plan(epochs=1).canonical()
    learner = a_workshop(tmp_path, data).fit(plan, data.folds[0])
    with pytest.raises(DataError, match="over 9 examples, and over fewer than 10 it would be an example"):
        write_exported(tmp_path / "a.zip", learner, plan, data, data.folds[0].train[:9], **TOLD)
    assert not (tmp_path / "a.zip").exists()


def test_the_file_says_what_the_model_was_trained_on(tmp_path):
    data = a_task(rows=150)
    exported = an_exported_source(tmp_path, data=data, epochs=1)
    described = exported.description
    train = data.folds[0].train
    assert described.class_counts == tuple(np.bincount(data.labels[train]).tolist())
    assert exported.statistics.count == len(train) == sum(described.class_counts)
    assert described.plan["backbone"] == "small_cnn"
    assert described.preprocessing["image_size"] == 32
    assert described.scores == {"accuracy": 0.8}


def test_figures_are_those_of_what_the_head_reads(tmp_path):
    data = a_task(rows=60)
    plan = a_plan(epochs=1, head=Choice("hidden", {"units": 8})).canonical()
    learner = a_workshop(tmp_path, data).fit(plan, data.folds[0])
    exported = write_exported(tmp_path / "a.zip", learner, plan, data, data.folds[0].train, **TOLD)
    features = learner.head_inputs(data.folds[0].train)
    assert features.shape[1] == exported.description.feature_width != 8
    np.testing.assert_allclose(exported.statistics.mean, features.mean(axis=0), atol=1e-5)


def test_equal_models_make_files_that_differ_in_no_member_but_keras_own_date(tmp_path):
    one, other = (an_exported_source(tmp_path / name, epochs=1) for name in ("one", "other"))
    assert one.member("statistics.json") == other.member("statistics.json")
    with zipfile.ZipFile(one.path) as archive:
        assert {member.date_time[0] for member in archive.infolist()} == {1980}


def test_a_model_that_was_aligned_to_two_domains_leaves_with_its_alignment(tmp_path):
    """Its head reads features of the target's map, and the figures are of each domain by its own."""
    data = two_domains()
    adaptation = Choice("standardize", dict(METHODS["standardize"].defaults))
    plan = a_plan(adaptation=adaptation, epochs=2).canonical()
    workshop = a_workshop(tmp_path / "house", data)
    learner = workshop.fit(plan, data.folds[0])
    exported = write_exported(tmp_path / "a.zip", learner, plan, data, data.folds[0].train, **TOLD)
    assert exported.description.layers == len(learner.trainer.network.layers) + 1
    elsewhere = at_the_target(exported)
    elsewhere = replace(elsewhere, inputs=data.inputs[:1])
    found = list(a_workshop(tmp_path / "other", elsewhere).train([_job(an_adapting_plan(exported))]))[-1].ending
    np.testing.assert_allclose(found.outputs.target, learner.predict(data.target_rows)[0], atol=1e-4)


def _job(plan):
    from autotl.trial.outcome import Job

    return Job(0, plan)


def test_the_network_loads_with_keras_alone(tmp_path):
    exported = an_exported_source(tmp_path, epochs=1)
    (tmp_path / "network.keras").write_bytes(exported.member("network.keras"))
    model = keras.models.load_model(tmp_path / "network.keras", compile=False, safe_mode=True)
    pixels = np.random.default_rng(0).integers(0, 255, size=(2, 32, 32, 3)).astype(np.uint8)
    features, logits = model.predict_on_batch(pixels)
    assert features.shape == (2, exported.description.feature_width)
    assert logits.shape == (2, 3)
    network = build_network(spec_of(read_exported(exported.path)), form=of_images(32))
    np.testing.assert_allclose(network.whole.predict_on_batch(pixels), features, atol=1e-6)
