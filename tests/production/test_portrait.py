"""A bundle carries the portrait of its training domain; looking at fresh inputs goes the same way as drawing it did."""

from dataclasses import replace

import numpy as np
import pytest
from portrayed import portrayed_bundle
from pretend import a_plan, a_task, a_workshop
from pretend_rows import MAKERS, MODELS
from small_bundles import of_numbers, of_sets

from autotl.backbones.reading import own_reading
from autotl.errors import StorageError
from autotl.plan import Choice
from autotl.production.bundle import DESCRIPTION, PORTRAIT, open_bundle, portrait_bytes, write_bundle
from autotl.production.portrait import hashed_words, look, read_portrait
from autotl.production.serving_model import serving_model
from autotl.scoring.watching import compare, judge
from autotl.trial.forms import form_of
from autotl.trial.outcome import Job


@pytest.fixture(scope="module", params=list(MODELS))
def made(request, tmp_path_factory):
    bundle, data, portrait = portrayed_bundle(tmp_path_factory.mktemp("portrait") / "winner", request.param)
    return request.param, open_bundle(bundle.path), data, portrait


def test_it_comes_back_from_the_bundle(made):
    _, bundle, _, portrait = made
    again = read_portrait(bundle)
    assert portrait_bytes(again) == portrait_bytes(portrait)
    assert PORTRAIT in bundle.description["files"]


def test_fresh_inputs_of_the_same_domain_are_no_reason_to_search(made):
    modality, bundle, data, _ = made
    fresh = MAKERS[modality](120, seed=11)
    fresh = fresh.with_schema(data.inputs[0].schema) if modality == "table" else fresh
    seen = look(bundle.load_model(), fresh, np.arange(120))
    found = compare(read_portrait(bundle), seen.features, seen.said, table=seen.table)
    assert judge(found, bundle.classes).name != "search_again"
    assert bool(found.columns) == (modality == "table")


def test_a_bundle_without_one_has_none(made, tmp_path):
    _, bundle, _, _ = made
    model = bundle.load_model()
    description = {name: bundle.description[name] for name in ("classes", "modality", "temperature")}
    plain = write_bundle(tmp_path, model, description=description, metrics={}, card="", evidence={})
    assert read_portrait(plain) is None


def test_a_portrait_that_was_changed_is_found_by_its_digest(made):
    _, bundle, _, _ = made
    path = bundle.path / PORTRAIT
    content = path.read_bytes()
    try:
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        with pytest.raises(StorageError, match=PORTRAIT):
            open_bundle(bundle.path)
    finally:
        path.write_bytes(content)
    damaged = replace(bundle, path=bundle.path.parent)
    (damaged.path / PORTRAIT).write_bytes(b"no archive")
    with pytest.raises(StorageError, match="cannot be read"):
        read_portrait(damaged)
    assert (bundle.path / DESCRIPTION).is_file()


def test_words_fall_into_buckets_whatever_their_case_and_order():
    one, other, empty = hashed_words(["A fine kettle", "kettle a FINE", ""])
    assert one.tolist() == other.tolist()
    assert np.square(one).sum() == pytest.approx(1)
    assert not empty.any()


@pytest.mark.parametrize("head", ["linear", "hidden"])
def test_a_network_is_watched_by_the_features_that_its_trial_kept(head, tmp_path):
    data = a_task()
    workshop = a_workshop(tmp_path, data)
    plan = a_plan(head=Choice(head, {"units": 8} if head == "hidden" else {}))
    ending = list(workshop.train([Job(0, plan)]))[-1].ending
    model = serving_model(workshop.trained(plan, ending.weights), own_reading(form_of(plan, data)), temperature=1.0)
    seen = look(model, data.inputs[0], data.target_rows)
    np.testing.assert_allclose(seen.said, ending.outputs.target, atol=1e-4)
    if head == "linear":  # behind a hidden layer a trial keeps less than the backbone says
        np.testing.assert_allclose(seen.features, ending.outputs.features, atol=1e-3)
    else:
        assert seen.features.shape[1] > ending.outputs.features.shape[1] == 8


@pytest.mark.parametrize("ask", [of_numbers, of_sets])
@pytest.mark.parametrize("modality", MODELS)
def test_numbers_and_sets_are_watched_by_their_inputs_and_by_what_is_said(tmp_path, modality, ask):
    bundle, data, portrait = portrayed_bundle(tmp_path / "winner", modality, ask=ask)
    assert portrait.sureness is None
    assert [column.name for column in portrait.answers] == list(data.classes)
    again = read_portrait(open_bundle(bundle.path))
    assert portrait_bytes(again) == portrait_bytes(portrait)
    fresh = MAKERS[modality](120, seed=11)
    fresh = fresh.with_schema(data.inputs[0].schema) if modality == "table" else fresh
    model = bundle.load_model()
    seen = look(model, fresh, np.arange(120))
    found = compare(again, seen.features, seen.said, table=seen.table)
    assert judge(found, bundle.classes).name != "search_again"
    assert (found.now, found.fall, found.mix_now) == ({}, None, ())
    assert {answer.name for answer in found.answers} == set(data.classes)


def test_a_label_that_is_a_little_more_unlikely_is_no_news(tmp_path):
    bundle, data, portrait = portrayed_bundle(tmp_path / "winner", "table", ask=of_sets)
    seen = look(bundle.load_model(), data.inputs[0], data.target_rows)
    less = np.where(seen.said < 0.1, seen.said / 10, seen.said)
    codes = [
        {reason.code for reason in judge(compare(portrait, seen.features, said), bundle.classes).reasons}
        for said in (less, 1 - seen.said)
    ]
    assert "answers" not in codes[0]
    assert "answers" in codes[1]


def test_an_answer_that_moved_is_a_reason_to_look(tmp_path):
    bundle, data, portrait = portrayed_bundle(tmp_path / "winner", "table", ask=of_numbers)
    seen = look(bundle.load_model(), data.inputs[1], np.arange(90))
    found = compare(portrait, seen.features, seen.said + 15.0, table=seen.table)
    (reason,) = [reason for reason in judge(found, bundle.classes).reasons if reason.code == "answers"]
    assert reason.verdict == "look"
    assert "What the model says has moved: length (stability index" in reason.sentence
