"""A network of the search's own making: its file is read whole or not at all, and says which data it is for."""

from pathlib import Path

import numpy as np
import pytest

from autotl.backbones import BackboneSpec, build_network, divide, layer_count, parse_spec, why_not_at_hand
from autotl.backbones.form import Form
from autotl.backbones.pretrained import (
    NAME,
    PretrainedNetwork,
    described_form,
    put_weights,
    read_pretrained,
    untrained,
    weights_of,
    write_pretrained,
)
from autotl.backbones.residual_mlp import NumberStatistics
from autotl.data.schema import CategoricalColumn, NumericColumn, Schema
from autotl.errors import EnvironmentProblemError, StorageError, TaskError

SCHEMA = Schema(
    columns=(
        NumericColumn(name="wear", notation="1234.5", median=100.0),
        CategoricalColumn(name="type", categories=("H", "L")),
    )
)
NUMBERS = NumberStatistics(means=(100.0,), deviations=(30.0,), sometimes_missing=(True,))
FORMS = {"table": Form("table", schema=SCHEMA), "signal": Form("signal", window=(64, 1))}
EXAMPLES = {
    "table": np.array([[90, 1], [np.nan, 2], [250, 0]], dtype=np.float32),
    "signal": np.random.default_rng(0).normal(size=(3, 64, 1)).astype(np.float32),
}


def written(path: Path, modality: str, seed: int = 3) -> BackboneSpec:
    """A file with random weights in the place of pretrained ones."""
    numbers = NUMBERS if modality == "table" else None
    model = untrained(FORMS[modality], numbers=numbers, seed=seed)
    record = {"kind": "supervised", "scores": {"loss": 0.1}}
    write_pretrained(path, PretrainedNetwork(described_form(FORMS[modality]), weights_of(model), numbers, record))
    return BackboneSpec(NAME, NAME, weights=str(path))


@pytest.mark.parametrize("modality", FORMS)
def test_the_reloaded_network_equals_the_one_that_was_kept(tmp_path: Path, modality: str) -> None:
    spec = written(tmp_path / "kept.npz", modality)
    network = build_network(spec, form=FORMS[modality], seed=99)
    numbers = NUMBERS if modality == "table" else None
    expected = untrained(FORMS[modality], numbers=numbers, seed=3).predict_on_batch(EXAMPLES[modality])
    features = network.whole.predict_on_batch(EXAMPLES[modality])
    np.testing.assert_array_equal(features, expected if expected.ndim == 2 else expected.mean(axis=1))
    kept = read_pretrained(tmp_path / "kept.npz")
    assert kept.record == {"kind": "supervised", "scores": {"loss": 0.1}}
    assert kept.numbers == numbers


@pytest.mark.parametrize("modality", FORMS)
def test_the_file_tells_how_many_layers_can_be_unfrozen(tmp_path: Path, modality: str) -> None:
    spec = written(tmp_path / "kept.npz", modality)
    network = build_network(spec, form=FORMS[modality])
    assert layer_count(spec) == len(network.layers)
    assert len(divide(network, "all").unfrozen) == layer_count(spec)
    assert layer_count(BackboneSpec(NAME, NAME)) is None
    assert layer_count(spec, tap="block1_add") is None


def test_weights_of_other_pretraining_have_another_digest(tmp_path: Path) -> None:
    one, other = (
        build_network(written(tmp_path / f"{seed}.npz", "signal", seed), form=FORMS["signal"]) for seed in (1, 2)
    )
    assert one.digest != other.digest


def test_a_plan_finds_its_weights_again_from_any_folder(tmp_path: Path) -> None:
    spec = written(tmp_path / "kept.npz", "table")
    assert parse_spec(spec.as_plan_value(), folder=tmp_path / "elsewhere", where="plan") == spec
    assert parse_spec({NAME: "kept.npz"}, folder=tmp_path, where="plan") == spec
    assert parse_spec(NAME, folder=tmp_path, where="plan") == BackboneSpec(NAME, NAME)
    assert spec.label == NAME
    assert BackboneSpec(NAME, NAME).as_plan_value() == NAME


def test_another_kind_of_file_is_refused_with_what_is_allowed(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match=r"plan.pretrained_on_source: 'my.keras' is no file of pretrained weights"):
        parse_spec({NAME: "my.keras"}, folder=tmp_path, where="plan")


def test_a_plan_whose_weights_are_gone_is_readable_and_says_so(tmp_path: Path) -> None:
    spec = parse_spec({NAME: "pretrained/gone.npz"}, folder=tmp_path, where="plan")
    assert "pretrained/gone.npz are not there any more" in str(why_not_at_hand(spec, offline=True))
    with pytest.raises(EnvironmentProblemError, match="not there any more"):
        build_network(spec, form=FORMS["table"])
    assert why_not_at_hand(BackboneSpec(NAME, NAME), offline=True) is None


def test_without_weights_there_is_nothing_to_load() -> None:
    with pytest.raises(TaskError, match="pretraining has not been run"):
        build_network(BackboneSpec(NAME, NAME), form=FORMS["table"])


@pytest.mark.parametrize(
    ("form", "instead"),
    [(Form("image", image_size=64), "efficientnet_lite0"), (Form("text", sequence_length=32), "all_minilm_l6_v2")],
)
def test_for_images_and_texts_other_networks_are_named(form: Form, instead: str) -> None:
    with pytest.raises(TaskError, match=f"is for tables and signals; .*{instead}"):
        build_network(BackboneSpec(NAME, NAME), form=form)


def test_a_network_for_other_data_is_refused(tmp_path: Path) -> None:
    table = written(tmp_path / "table.npz", "table")
    other = Schema(columns=(*SCHEMA.columns, NumericColumn(name="more", notation="1234.5", median=0.0)))
    with pytest.raises(TaskError, match="was pretrained on other columns or categories than rows of this table"):
        build_network(table, form=Form("table", schema=other))
    with pytest.raises(TaskError, match="was pretrained on other data than rows of this table"):
        build_network(written(tmp_path / "signal.npz", "signal"), form=FORMS["table"])
    with pytest.raises(
        TaskError, match=r"was pretrained on windows of 64 samples and 1 channel, not on windows of 128"
    ):
        build_network(
            BackboneSpec(NAME, NAME, weights=str(tmp_path / "signal.npz")), form=Form("signal", window=(128, 1))
        )


def test_any_damage_to_the_file_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "kept.npz"
    written(path, "table")
    whole = path.read_bytes()
    sound = read_pretrained(path)
    draws = np.random.default_rng(0)
    for place in [*range(0, 200), *draws.integers(0, len(whole), 300).tolist(), *range(len(whole) - 200, len(whole))]:
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        try:
            read = read_pretrained(path)
        except StorageError:
            continue
        # a few bytes of a zip file mean nothing, such as the times of its entries
        assert read.record == sound.record
        assert read.weights.keys() == sound.weights.keys()
        assert all(np.array_equal(read.weights[name], sound.weights[name]) for name in sound.weights)
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(StorageError, match="damaged"):
        read_pretrained(path)
    path.write_bytes(b"")
    with pytest.raises(StorageError, match="damaged"):
        read_pretrained(path)


@pytest.mark.parametrize("wrong", ["missing", "shape", "infinite", "another"])
def test_weights_that_do_not_fit_are_refused(tmp_path: Path, wrong: str) -> None:
    spec = written(tmp_path / "kept.npz", "table")
    kept = read_pretrained(tmp_path / "kept.npz")
    weights = dict(kept.weights)
    if wrong == "missing":
        del weights["stem.bias"]
    elif wrong == "shape":
        weights["stem.bias"] = weights["stem.bias"][:-1]
    elif wrong == "infinite":
        weights["stem.bias"] = np.full_like(weights["stem.bias"], np.inf)
    else:
        weights["stranger.bias"] = weights["stem.bias"]
    write_pretrained(tmp_path / "kept.npz", PretrainedNetwork(kept.form, weights, kept.numbers, kept.record))
    with pytest.raises(StorageError, match=r"kept.npz are damaged: its weights (do not fit|are not finite)"):
        build_network(spec, form=FORMS["table"])


def test_a_file_with_pickled_objects_is_never_opened(tmp_path: Path) -> None:
    np.savez(tmp_path / "evil.npz", about=np.array([{"format": 1}], dtype=object))
    with pytest.raises(StorageError, match="damaged"):
        read_pretrained(tmp_path / "evil.npz")


def test_put_weights_changes_nothing_where_one_does_not_fit() -> None:
    model = untrained(FORMS["signal"], numbers=None, seed=0)
    before = model.get_weights()
    with pytest.raises(StorageError, match="do not fit"):
        put_weights(model, {}, where="nowhere.npz")
    assert all(np.array_equal(one, other) for one, other in zip(before, model.get_weights(), strict=True))
