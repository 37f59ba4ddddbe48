"""An `.npz` claims what it will take before it takes it: bombs and liars are refused without the memory."""

import io
import resource
import zipfile
from pathlib import Path

import numpy as np
import pytest
from bundles import make_bundle

from autotl.backbones.pretrained import read_pretrained
from autotl.data.arrays import ArrayError, read_array, read_arrays
from autotl.errors import StorageError
from autotl.production.bundle import PORTRAIT, Bundle
from autotl.production.portrait import read_portrait
from autotl.run.trial_files import CHECKPOINT, OUTPUTS, read_checkpoint
from autotl.run.trial_files import read_arrays as read_own_arrays

BOMB = 384 * 2**20  # bytes


def header(shape: tuple[int, ...], dtype: str = "<f4") -> bytes:
    content = io.BytesIO()
    np.lib.format.write_array_header_1_0(content, {"descr": dtype, "fortran_order": False, "shape": shape})
    return content.getvalue()


def honest_bomb(path: Path, name: str = "x") -> Path:
    """Hundreds of megabytes of zeros in less than one."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open(f"{name}.npy", "w") as member:
        member.write(header((BOMB // 4,)))
        for _ in range(BOMB // 2**24):
            member.write(b"\0" * 2**24)
    return path


def liar(path: Path, name: str = "x") -> Path:
    """A header that claims a tebibyte, and nothing behind it."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}.npy", header((2**38,)) + b"\0" * 64)
    return path


def pickled(path: Path, name: str = "x") -> Path:
    np.savez(path, **{name: np.array([{"a": 1}], dtype=object)})
    return path


def no_array(path: Path, name: str = "x") -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}.pkl", b"\x80\x04N.")
    return path


def above_in_the_tree(path: Path, name: str = "x") -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"../{name}", b"\0" * 64)
    return path


HOSTILE = [honest_bomb, liar, pickled, no_array, above_in_the_tree]


@pytest.fixture
def memory_before():
    """The most memory that this process ever had, in bytes; a test may add 200 MB."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    yield before
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before < 200 * 2**20


@pytest.mark.parametrize("make", HOSTILE)
def test_what_autotl_wrote_itself_is_never_a_bomb(make, memory_before, tmp_path):
    with pytest.raises(ArrayError):
        read_arrays(make(tmp_path / "hostile.npz"))


@pytest.mark.parametrize("make", [liar, pickled])
def test_data_that_claim_what_the_file_has_not_are_refused(make, memory_before, tmp_path):
    with pytest.raises(ArrayError, match=r"claims|Python objects"):
        read_array(make(tmp_path / "data.npz"), "x")


@pytest.mark.parametrize("make", HOSTILE)
def test_no_file_of_a_run_folder_is_one(make, memory_before, tmp_path):
    make(tmp_path / OUTPUTS)
    make(tmp_path / CHECKPOINT)
    with pytest.raises(StorageError, match=r"outputs\.npz cannot be read"):
        read_own_arrays(tmp_path / OUTPUTS)
    assert read_checkpoint(tmp_path) is None  # the trial starts anew


@pytest.mark.parametrize("make", HOSTILE)
def test_no_pretrained_network_is_one(make, memory_before, tmp_path):
    with pytest.raises(StorageError, match=r"kept\.npz are damaged"):
        read_pretrained(make(tmp_path / "kept.npz", "about"))


@pytest.mark.parametrize("make", HOSTILE)
def test_no_portrait_in_a_bundle_is_one(make, memory_before, tmp_path):
    folder = make_bundle(tmp_path)
    make(folder / PORTRAIT)
    bundle = Bundle(folder, ("a", "b"), None, {"files": {PORTRAIT: "0"}})
    with pytest.raises(StorageError, match=r"portrait\.npz cannot be read"):
        read_portrait(bundle)


def test_what_numpy_writes_comes_back_single_values_and_empty_ones_too(tmp_path):
    arrays = {"words": np.array("of it"), "none": np.zeros((0, 3)), "numbers": np.arange(6).reshape(2, 3)}
    np.savez_compressed(tmp_path / "sound.npz", **arrays)
    read = read_arrays(tmp_path / "sound.npz")
    assert list(read) == list(arrays)
    for name, values in arrays.items():
        np.testing.assert_array_equal(read[name], values)
