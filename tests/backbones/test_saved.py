"""A user's own model is used whatever its shape, and a hostile file never gets as far as Keras."""

import io
import json
import zipfile
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
from toys import SIZE, composite_efficientnet, images, skipping_model

from autotl.backbones import BackboneSpec, build_network, divide, layer_count, parse_spec
from autotl.backbones.form import of_images
from autotl.errors import TaskError


def spec_of(path: Path, **options: object) -> BackboneSpec:
    return parse_spec({"saved": str(path), **options}, folder=path.parent, where="task.yaml")


def classifier(*, softmax_layer: bool) -> keras.Model:
    backbone = skipping_model()
    pooled = keras.layers.GlobalAveragePooling2D()(backbone.output)
    pooled = keras.layers.Dropout(0.5)(pooled)
    scores = keras.layers.Dense(3, activation=None if softmax_layer else "softmax")(pooled)
    return keras.Model(backbone.input, keras.layers.Softmax()(scores) if softmax_layer else scores)


def features_by_hand(model: keras.Model) -> np.ndarray:
    top = model.get_layer("top").output
    return np.asarray(keras.Model(model.input, top)(images().astype("float32"), training=False)).mean(axis=(1, 2))


@pytest.mark.parametrize("ending", [".keras", ".h5"])
@pytest.mark.parametrize("softmax_layer", [True, False])
def test_a_saved_classifier_gives_the_features_before_its_classifier(
    ending: str, softmax_layer: bool, tmp_path: Path
) -> None:
    model = classifier(softmax_layer=softmax_layer)
    path = tmp_path / f"mine{ending}"
    model.save(path)
    network = build_network(spec_of(path), form=of_images(SIZE))
    np.testing.assert_allclose(np.asarray(network.whole(images(), training=False)), features_by_hand(model), atol=1e-5)
    assert len(network.layers) == 7
    assert layer_count(network.spec) == (7 if ending == ".keras" else None)
    assert len(divide(network, 2).unfrozen) == 2


def test_a_saved_model_without_classifier_is_used_whole(tmp_path: Path) -> None:
    skipping_model().save(tmp_path / "mine.keras")
    network = build_network(spec_of(tmp_path / "mine.keras"), form=of_images(SIZE))
    assert network.feature_width == 6
    assert layer_count(network.spec) == len(network.layers) == 7


def test_a_sequential_model_with_a_nested_one_is_divided_like_any_other(tmp_path: Path) -> None:
    inner = keras.Sequential([keras.Input((SIZE, SIZE, 3)), keras.layers.Conv2D(4, 3), keras.layers.ReLU()])
    model = keras.Sequential(
        [
            keras.Input((SIZE, SIZE, 3)),
            keras.layers.Rescaling(1 / 255),
            inner,
            keras.layers.Flatten(),
            keras.layers.Dense(5, activation="relu"),
            keras.layers.Dense(2),
        ]
    )
    model.save(tmp_path / "mine.keras")
    network = build_network(spec_of(tmp_path / "mine.keras"), form=of_images(SIZE))
    assert [layer.name.partition("_")[0] for layer in network.layers] == ["conv2d", "dense"]
    assert layer_count(network.spec) == 2


def test_a_kerashub_backbone_inside_is_entered_and_counted_by_loading(tmp_path: Path) -> None:
    image = keras.Input((SIZE, SIZE, 3))
    pooled = keras.layers.GlobalAveragePooling2D()(composite_efficientnet()(image))
    keras.Model(image, keras.layers.Dense(2)(pooled)).save(tmp_path / "mine.keras")
    spec = spec_of(tmp_path / "mine.keras")
    assert layer_count(spec) is None  # its configuration names one layer where there are many
    assert len(build_network(spec, form=of_images(SIZE)).layers) == 24


def test_layers_that_were_saved_frozen_can_be_unfrozen(tmp_path: Path) -> None:
    model = skipping_model()
    model.trainable = False
    model.save(tmp_path / "mine.keras")
    network = build_network(spec_of(tmp_path / "mine.keras"), form=of_images(SIZE))
    assert len(divide(network, "all").suffix.trainable_variables) == len(skipping_model().trainable_variables)


def test_an_image_size_the_model_was_not_built_for_is_refused_with_the_right_one(tmp_path: Path) -> None:
    skipping_model().save(tmp_path / "mine.keras")
    with pytest.raises(TaskError, match=f"takes images of {SIZE} x {SIZE} px only, not 32; set image_size"):
        build_network(spec_of(tmp_path / "mine.keras"), form=of_images(32))


def test_a_model_for_grey_images_is_refused(tmp_path: Path) -> None:
    keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Conv2D(2, 3)]).save(tmp_path / "grey.keras")
    with pytest.raises(TaskError, match="does not take one RGB image"):
        build_network(spec_of(tmp_path / "grey.keras"), form=of_images(8))


@pytest.mark.parametrize("ending", [".keras", ".h5"])
def test_a_lambda_layer_is_refused_by_name(ending: str, tmp_path: Path) -> None:
    layers = [keras.Input((8, 8, 3)), keras.layers.Lambda(lambda x: x * 2, name="twice"), keras.layers.Conv2D(2, 3)]
    keras.Sequential(layers).save(tmp_path / f"mine{ending}")
    with pytest.raises(TaskError, match=r"Lambda layers or functions \(twice\).*Replace them"):
        build_network(spec_of(tmp_path / f"mine{ending}"), form=of_images(8))


def rewritten(source: Path, target: Path, **members: bytes | None) -> Path:
    """A copy of a .keras file with members replaced, added or (None) left out."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if name not in members:
                new.writestr(name, old.read(name))
        for name, content in members.items():
            if content is not None:
                new.writestr(name, content)
    return target


@pytest.fixture
def good(tmp_path: Path) -> Path:
    skipping_model().save(tmp_path / "good.keras")
    return tmp_path / "good.keras"


def hdf5(fill) -> bytes:
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        fill(file)
    return stream.getvalue()


def zeros_that_compress(file: h5py.File) -> None:
    file.create_dataset("bomb", shape=(4096, 4096, 16), dtype="f4", compression="gzip", fillvalue=0)


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"config.json": b" " * (21 * 2**20)}, "declares 22020096 bytes"),
        ({"../outside.txt": b"x"}, "found '../outside.txt'"),
        ({"code.py": b"x"}, "found 'code.py'"),
        ({"config.json": None}, "config.json is missing"),
        ({"metadata.json": None}, "metadata.json is missing"),
        ({"model.weights.h5": None}, "model.weights.h5 is missing"),
        ({"config.json": b"[]"}, "not a model's configuration"),
        ({"config.json": b"{}"}, "not a model's configuration"),
        ({"config.json": b'{"class_name": "Functional"}'}, "names a Functional without its layers"),
        ({"config.json": b"{"}, "not a readable .keras file"),
        ({"config.json": b"[" * 100_000}, "not a readable .keras file"),
        ({"model.weights.h5": b"\0" * (200 * 2**20)}, "bytes unpacked"),
        ({"model.weights.h5": b"no hdf5"}, "not a readable HDF5 file"),
        ({"model.weights.h5": hdf5(zeros_that_compress)}, "data sets declare"),
        (
            {"model.weights.h5": hdf5(lambda file: file.__setitem__("w", h5py.ExternalLink("/etc/passwd", "/")))},
            "is a link",
        ),
        ({"model.weights.h5": hdf5(lambda file: file.__setitem__("w", h5py.SoftLink("/v")))}, "is a link"),
        (
            {
                "model.weights.h5": hdf5(
                    lambda file: file.create_dataset("w", (9,), "u1", external=[("/etc/passwd", 0, 9)])
                )
            },
            "lie in another file",
        ),
    ],
)
def test_an_archive_that_is_not_a_plain_model_is_refused_before_keras_opens_it(
    members: dict[str, bytes | None], reason: str, good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keras.saving, "load_model", lambda *_: pytest.fail("Keras was asked to open it"))
    bad = rewritten(good, tmp_path / "bad.keras", **members)
    with pytest.raises(TaskError, match=r"bad\.keras") as caught:
        build_network(spec_of(bad), form=of_images(SIZE))
    assert reason in str(caught.value)


def model_config(**changed: object) -> bytes:
    """A small functional model's configuration; of what is changed, None is left out."""
    layers = [
        {"class_name": "InputLayer", "config": {"name": "image"}, "inbound_nodes": []},
        {"class_name": "Softmax", "config": {"name": "top"}, "inbound_nodes": [history("image")]},
    ]
    config = {"layers": layers, "output_layers": ["top", 0, 0], **changed}
    config = {key: value for key, value in config.items() if value is not None}
    return json.dumps({"class_name": "Functional", "config": config}).encode()


def history(name: object) -> dict[str, object]:
    return {"args": [{"class_name": "__keras_tensor__", "config": {"keras_history": [name, 0, 0]}}]}


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        (model_config(layers=None), "no 'layers'"),
        (model_config(layers=[]), "a model without layers"),
        (model_config(layers={"a": 1}), "a model without layers"),
        (model_config(layers=[3]), "no 'config'"),
        (model_config(layers=[{"class_name": "Softmax", "config": {}}]), "no 'name'"),
        (model_config(output_layers=None), "no 'output_layers'"),
        (model_config(output_layers=[]), "no 0"),
        (model_config(output_layers=7), "no 0"),
        (model_config(output_layers=[["elsewhere", 0, 0]]), "no 'elsewhere'"),
        (model_config(layers=[{"class_name": "Softmax", "config": {"name": "top"}}]), "no 'inbound_nodes'"),
        (
            model_config(
                layers=[{"class_name": "Softmax", "config": {"name": "top"}, "inbound_nodes": [history("top")]}]
            ),
            "the layer 'top' behind itself",
        ),
        (
            model_config(
                layers=[{"class_name": "Softmax", "config": {"name": "top"}, "inbound_nodes": [history([1])]}]
            ),
            "no '[1]'",
        ),
    ],
)
def test_counting_the_layers_of_a_malformed_configuration_says_what_is_wrong(
    config: bytes, reason: str, good: Path, tmp_path: Path
) -> None:
    bad = rewritten(good, tmp_path / "bad.keras", **{"config.json": config})
    with pytest.raises(TaskError, match=r"bad\.keras: its configuration is damaged: it has") as caught:
        layer_count(spec_of(bad))
    assert reason in str(caught.value)


def test_a_configuration_without_any_one_of_its_parts_is_counted_or_refused(good: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(good) as archive:
        text = archive.read("config.json").decode()
    draws = np.random.default_rng(0)
    for _ in range(300):
        config = json.loads(text)
        place = config
        while True:  # walk down at random and break what is there
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            key = keys[int(draws.integers(len(keys)))]
            if not isinstance(place[key], dict | list) or not place[key] or draws.random() < 0.2:
                break
            place = place[key]
        if draws.random() < 0.5:
            del place[key]
        else:
            place[key] = [None, 3, [], {}, "x", [[]]][int(draws.integers(6))]
        bad = rewritten(good, tmp_path / "bad.keras", **{"config.json": json.dumps(config).encode()})
        try:
            assert layer_count(spec_of(bad)) in {*range(10), None}
        except TaskError:
            continue


def test_a_cut_or_damaged_file_is_refused_in_words(good: Path, tmp_path: Path) -> None:
    packed = rewritten(good, tmp_path / "packed.keras")
    content, draws = packed.read_bytes(), np.random.default_rng(0)
    bad = tmp_path / "bad.keras"
    with zipfile.ZipFile(packed) as archive:
        begins = archive.getinfo("config.json").header_offset
    for number in range(60):
        damaged = bytearray(content)
        if number % 2:
            del damaged[int(draws.integers(len(content))) :]
        else:
            damaged[begins + int(draws.integers(400))] ^= 0xFF
        bad.write_bytes(damaged)
        try:
            layer_count(spec_of(bad))
        except TaskError as error:
            assert str(bad) in str(error)  # noqa: PT017 - some damage does no harm


def test_a_model_with_named_outputs_is_counted(tmp_path: Path) -> None:
    backbone = skipping_model()
    keras.Model(backbone.input, {"features": backbone.output}).save(tmp_path / "mine.keras")
    assert layer_count(spec_of(tmp_path / "mine.keras")) == 7


def test_a_configuration_that_names_a_function_is_refused(good: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(good) as archive:
        config = json.loads(archive.read("config.json"))
    witness = tmp_path / "was_here"
    planted = {"module": "os", "class_name": "system", "config": f"touch {witness}", "registered_name": "system"}
    config["config"]["layers"][1] = planted
    bad = rewritten(good, tmp_path / "bad.keras", **{"config.json": json.dumps(config).encode()})
    with pytest.raises(TaskError, match="cannot load it in safe mode"):
        build_network(spec_of(bad), form=of_images(SIZE))
    assert not witness.exists()


def test_a_saved_model_folder_is_a_frozen_extractor(tmp_path: Path) -> None:
    model = skipping_model()
    model.export(tmp_path / "served", verbose=False)
    spec = spec_of(tmp_path / "served", trusted=True)
    network = build_network(spec, form=of_images(SIZE))
    np.testing.assert_allclose(
        np.asarray(divide(network, 0).prefix(images(), training=False)), features_by_hand(model), atol=1e-5
    )
    assert network.layers == []
    assert layer_count(spec) == 0
    for unfrozen_layers in (1, "all"):
        with pytest.raises(TaskError, match="0 only"):
            divide(network, unfrozen_layers)
    with pytest.raises(TaskError, match="only with trusted: true"):
        build_network(BackboneSpec("saved", spec.name), form=of_images(SIZE))


def test_the_digest_of_a_saved_model_folder_follows_its_content_not_its_place(tmp_path: Path) -> None:
    for name, seed in (("one", 0), ("two", 1)):
        skipping_model(seed).export(tmp_path / name, verbose=False)
    (tmp_path / "one").rename(tmp_path / "moved")
    first = build_network(spec_of(tmp_path / "moved", trusted=True), form=of_images(SIZE)).digest
    (tmp_path / "moved").rename(tmp_path / "one")
    assert build_network(spec_of(tmp_path / "one", trusted=True), form=of_images(SIZE)).digest == first
    assert build_network(spec_of(tmp_path / "two", trusted=True), form=of_images(SIZE)).digest != first
