"""A value in YAML names one backbone, and every mistake is answered with the menu."""

import subprocess
import sys
from pathlib import Path

import pytest

from autotl.backbones import BackboneSpec, known_names, parse_spec
from autotl.errors import TaskError

WHERE = "task.yaml:9:13: search_space.backbone"


def spec_of(value: object, folder: Path) -> BackboneSpec:
    return parse_spec(value, folder=folder, where=WHERE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mine.keras").write_bytes(b"zip")
    (tmp_path / "mine.h5").write_bytes(b"hdf")
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "saved_model.pb").write_bytes(b"graph")
    preset = tmp_path / "weights" / "lite"
    preset.mkdir(parents=True)
    for name in ("config.json", "metadata.json", "model.weights.h5"):
        (preset / name).write_text("{}")
    return tmp_path


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("efficientnet_lite0", BackboneSpec("package", "efficientnet_lite0")),
        ({"package": "efficientnet_lite1"}, BackboneSpec("package", "efficientnet_lite1")),
        ("MobileNetV2", BackboneSpec("application", "MobileNetV2", weights="imagenet")),
        ({"application": "VGG16"}, BackboneSpec("application", "VGG16", weights="imagenet")),
        ({"application": "VGG16", "weights": "none"}, BackboneSpec("application", "VGG16")),
        ("resnet_50_imagenet", BackboneSpec("preset", "resnet_50_imagenet")),
        ("hf://keras/resnet_18", BackboneSpec("preset", "hf://keras/resnet_18")),
        ({"preset": "hf://keras/resnet_18"}, BackboneSpec("preset", "hf://keras/resnet_18")),
        ("small_cnn", BackboneSpec("scratch", "small_cnn")),
        ({"scratch": "small_cnn"}, BackboneSpec("scratch", "small_cnn")),
    ],
)
def test_names_and_mappings_name_their_origin(value: object, expected: BackboneSpec, folder: Path) -> None:
    assert spec_of(value, folder) == expected


def test_paths_are_told_apart_by_what_lies_there(folder: Path) -> None:
    assert spec_of("mine.keras", folder) == BackboneSpec("saved", str(folder / "mine.keras"))
    assert spec_of({"saved": "mine.h5"}, folder) == BackboneSpec("saved", str(folder / "mine.h5"))
    assert spec_of("weights/lite", folder) == BackboneSpec("preset", str(folder / "weights" / "lite"))
    assert spec_of({"saved": "served", "trusted": True}, folder).trusted
    weights = spec_of({"application": "VGG16", "weights": "mine.h5"}, folder)
    assert weights == BackboneSpec("application", "VGG16", weights=str(folder / "mine.h5"))


def test_a_plan_value_reads_back_to_the_same_backbone_from_any_folder(folder: Path, tmp_path_factory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    values = [
        "efficientnet_lite0",
        "MobileNetV2",
        "resnet_50_imagenet",
        "small_cnn",
        "mine.keras",
        "weights/lite",
        {"saved": "served", "trusted": True},
        {"application": "VGG16", "weights": "mine.h5"},
        {"application": "VGG16", "weights": "none"},
        "hf://keras/resnet_18",
    ]
    specs = [spec_of(value, folder) for value in values]
    assert [spec_of(spec.as_plan_value(), elsewhere) for spec in specs] == specs
    assert len({spec.label for spec in specs}) == len(specs)


def test_labels_are_short_and_show_no_home_folder(folder: Path) -> None:
    assert spec_of("MobileNetV2", folder).label == "MobileNetV2"
    assert spec_of("weights/lite", folder).label == "weights/lite"
    assert spec_of({"application": "VGG16", "weights": "none"}, folder).label == "VGG16[random]"
    label = spec_of({"application": "VGG16", "weights": "mine.h5"}, folder).label
    assert label == f"VGG16[{folder.name}/mine.h5]"


@pytest.mark.parametrize(
    ("value", "parts"),
    [
        ("MobileNetV22", ("'MobileNetV22' is not a known backbone", "small_cnn", "Did you mean 'MobileNetV2'?")),
        ("resnet_50_imagenets", ("Did you mean 'resnet_50_imagenet'?",)),
        ({"application": "VGG166"}, ("backbone.application: 'VGG166' is not known", "Did you mean 'VGG16'?")),
        ({"package": "efficientnet_lite9"}, ("Allowed: all_minilm_l6_v2, efficientnet_lite0, efficientnet_lite1",)),
        ({"application": "VGG16", "weigths": "imagenet"}, ("'weigths' is not an option", "Did you mean 'weights'?")),
        ({"scratch": "small_cnn", "weights": "x"}, ("'weights' is not an option of 'scratch'", "no options")),
        ({"applications": "VGG16"}, ("names exactly one origin", "application")),
        ({"application": "VGG16", "saved": "mine.keras"}, ("names exactly one origin",)),
        ({"application": 16}, ("must be text",)),
        (7, ("a name, a path or a mapping",)),
        ("gone.keras", ("there is nothing at 'gone.keras'",)),
        ("served", ("SavedModel", "trusted: true")),
        ({"saved": "served"}, ("SavedModel", "trusted: true")),
        ({"saved": "served", "trusted": "yes"}, ("trusted must be true or false",)),
        ({"application": "VGG16", "weights": "gone.h5"}, ("there is nothing at 'gone.h5'",)),
        ({"preset": "weights"}, ("is no preset", "config.json", "model.safetensors (Hugging Face)")),
        ("weights/", ("is not a backbone",)),
    ],
)
def test_a_mistake_says_where_what_was_seen_and_what_is_allowed(
    value: object, parts: tuple[str, ...], folder: Path
) -> None:
    with pytest.raises(TaskError) as caught:
        spec_of(value, folder)
    message = str(caught.value)
    assert message.startswith(WHERE)
    assert "\n" not in message
    for part in parts:
        assert part in message


def test_known_names_begin_with_those_that_need_no_hub() -> None:
    packaged = ("efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2", "all_minilm_l6_v2")
    assert known_names()[:5] == (*packaged, "small_cnn")
    assert {"VGG16", "InceptionV3", "resnet_50_imagenet"} <= set(known_names())
    assert len(set(known_names())) == len(known_names())


def test_reading_a_spec_imports_no_keras() -> None:
    program = (
        "import sys; from pathlib import Path; import autotl.backbones as b\n"
        "spec = b.parse_spec('MobileNetV2', folder=Path(), where='x')\n"
        "b.layer_count(spec); b.why_not_at_hand(spec, offline=True); b.known_names()\n"
        "sys.exit(any(name in sys.modules for name in ('keras', 'tensorflow', 'keras_hub')))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
